internal import CLinux
internal import Glibc

/// Gives back the memory that is not needed for a while: what the allocator holds free, and pages of program code and
/// constants.
///
/// To start touches most of a program; one that only waits needs a tenth of it. The pages are clean copies of files, so
/// they come back by themselves when they are needed again, for some 100 µs in all.
public func releaseIdleMemory() {
    malloc_trim(0)
    guard let mappings = fopen("/proc/self/smaps", "re") else { return }
    defer { fclose(mappings) }
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    var mapping: CleanMapping?
    while getline(&line, &capacity, mappings) > 0, let text = line {
        if strncmp(text, "Anonymous:", 10) == 0 {
            // A page of our own in it was written to, by the loader at least: it would come back as the file has it.
            if strtoul(text + 10, nil, 10) == 0 { mapping?.release() }
            mapping = nil
        } else if let found = CleanMapping(text) {
            mapping = found
        }
    }
}

/// A part of the address space that is a private copy of a file's and cannot be written to.
private struct CleanMapping {
    private let start: UInt
    private let stop: UInt

    /// From a mapping's first line, `start-end perms offset device inode path`; nil: another line, or another mapping.
    init?(_ line: UnsafeMutablePointer<CChar>) {
        var end: UnsafeMutablePointer<CChar>?
        start = strtoul(line, &end, 16)
        guard let dash = end, dash.pointee == CChar(UInt8(ascii: "-")) else { return nil }
        stop = strtoul(dash + 1, &end, 16)
        guard let permissions = end,
            strncmp(permissions, " r-xp ", 6) == 0 || strncmp(permissions, " r--p ", 6) == 0,
            strchr(permissions, Int32(UInt8(ascii: "/"))) != nil
        else { return nil }
    }

    func release() {
        madvise(UnsafeMutableRawPointer(bitPattern: start), Int(stop - start), MADV_DONTNEED)
    }
}
