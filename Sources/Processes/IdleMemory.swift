internal import CLinux
internal import Glibc

/// Gives back the memory that is not needed for a while: what the allocator holds free, and pages of program code.
///
/// To start touches most of a program; one that only waits needs a tenth of it. The pages are clean copies of files, so
/// they come back by themselves when they are needed again, for some 100 µs in all.
public func releaseIdleMemory() {
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
