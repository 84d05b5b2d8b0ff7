import Glibc
import Processes
import Schedules
import Scheduling

/// The target `memory`: a folder with a file of Markdown for each day, and in it a section for each message.
///
/// A section begins with a line that names its message. One that is sent again is not written again, and one of which a
/// daemon was killed after the first part is made whole: so no half section stays.
struct MemoryFile {
    let directory: String
    let zone: TimeZoneRules

    /// So far from the end a message is looked for that may have been written already.
    private static let lookBackBytes = 256 << 10

    func append(_ message: Message, _ text: String) -> MessageOutcome {
        let day = message.createdAt.rfc3339(in: zone).prefix(10)
        let path = "\(directory)/\(day).md"
        makeFolder()
        let number = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0o600)
        guard number >= 0 else { return failure("open", path) }
        let file = FileDescriptor(owning: number)
        var status = stat()
        guard fstat(number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return .refused("\(path) is no file")
        }
        // Whoever else writes here has it for a moment; the next sending is soon.
        guard flock(number, LOCK_EX | LOCK_NB) == 0 else { return failure("lock", path) }
        // Where a copy of the fd is somewhere, in a child that was just forked, closing it would not do.
        defer { flock(number, LOCK_UN) }
        guard fstat(number, &status) == 0 else { return failure("look at", path) }
        let size = Int(status.st_size)
        let marker = Array("<!-- \(message.id) -->\n".utf8)
        let section = marker + Array(text.utf8)
        let start = max(0, size - Self.lookBackBytes)
        guard let tail = file.bytes(at: start, limit: Self.lookBackBytes) else { return failure("read", path) }
        var missing = section[...]
        if let known = tail.lastRange(of: marker) {
            let written = tail[known...]
            // All of it, whatever follows; or its beginning, and nothing more.
            if written.starts(with: section) { return .sent }
            if section.starts(with: written) { missing = section[written.count...] }
        }
        let isNew = missing.count == section.count
        let gap: [UInt8] = isNew && size > 0 ? [UInt8(ascii: "\n")] : []
        guard file.write(gap + missing) == nil else { return failure("write", path) }
        return .sent
    }

    private func makeFolder() {
        guard access(directory, F_OK) != 0 else { return }
        var path = ""
        for part in directory.split(separator: "/") {
            path += "/" + part
            mkdir(path, 0o700)
        }
    }

    private func failure(_ what: String, _ path: String) -> MessageOutcome {
        .failed("cannot \(what) \(path): \(String(cString: strerror(errno)))")
    }
}

extension [UInt8] {
    /// Where the last copy of some bytes begins.
    fileprivate func lastRange(of bytes: [UInt8]) -> Int? {
        guard count >= bytes.count else { return nil }
        var place = count - bytes.count
        while place >= 0 {
            if self[place] == bytes[0], self[place...].starts(with: bytes) { return place }
            place -= 1
        }
        return nil
    }
}
