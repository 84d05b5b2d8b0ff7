import CLinux
import Glibc

/// Bits that no other daemon has, for trace ids.
func randomSeed() -> UInt64 { UInt64.random(in: 0 ... .max) }

/// The wall clock, in µs since 1970, for those who have no loop.
func wallClockUSec() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
}

/// Gives back the memory that is not needed for a while: what the allocator holds free, and pages of program code.
///
/// Reading the configuration, opening the store and starting runs touch most of the program; an idle daemon needs a
/// tenth of it. The pages are clean copies of files, so they come back by themselves when they are needed again, for
/// some 100 µs in all.
func releaseIdleMemory() {
    malloc_trim(0)
    guard let maps = fopen("/proc/self/maps", "re") else { return }
    defer { fclose(maps) }
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    while getline(&line, &capacity, maps) > 0, let text = line {
        // `start-end perms offset device inode path`: executable file mappings are never written to.
        var end: UnsafeMutablePointer<CChar>?
        let start = strtoul(text, &end, 16)
        guard let dash = end, dash.pointee == CChar(UInt8(ascii: "-")) else { continue }
        let stop = strtoul(dash + 1, &end, 16)
        guard let permissions = end, strncmp(permissions, " r-xp ", 6) == 0,
            strchr(permissions, Int32(UInt8(ascii: "/"))) != nil
        else { continue }
        madvise(UnsafeMutableRawPointer(bitPattern: start), Int(stop - start), MADV_DONTNEED)
    }
}
