import Glibc
import Processes
import Schedules
import Scheduling

/// The target `memory`: a folder with a file of Markdown for each day, and in it a section for each message.
///
/// A section begins with a line that names its message. One that is sent again is not written again, and one of which a
/// daemon was killed after the first part is made whole; what a full disk has cut off is taken away: so no half section
/// stays.
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
        // All of it, whatever follows.
        if let known = tail.lastRange(of: marker), tail[known...].starts(with: section) { return .sent }
        let begun = Self.length(of: section, atEndOf: tail)
        let gap = begun == 0 ? Self.gap(after: tail) : []
        let missing = gap + section[begun...]
        guard let code = file.write(missing) else { return .sent }
        takeBack(missing, from: file, at: size)
        return failure("write", path, code)
    }

    /// How much of a section stands at the end already: what a daemon has written that was killed meanwhile. It may end
    /// within the line that names the message.
    private static func length(of section: [UInt8], atEndOf tail: [UInt8]) -> Int {
        var length = min(section.count - 1, tail.count)
        while length > 0 {
            let place = tail.count - length
            let isLine = place == 0 || tail[place - 1] == UInt8(ascii: "\n")
            if isLine, section.starts(with: tail[place...]) { return length }
            length -= 1
        }
        return 0
    }

    /// An empty line between two sections, or behind what somebody else has written.
    private static func gap(after tail: [UInt8]) -> [UInt8] {
        guard !tail.isEmpty else { return [] }
        let ends = tail.reversed().prefix { $0 == UInt8(ascii: "\n") }.count
        return [UInt8](repeating: UInt8(ascii: "\n"), count: max(0, 2 - ends))
    }

    /// A write has failed, perhaps after a part of it; what others have written meanwhile stays.
    private func takeBack(_ bytes: [UInt8], from file: borrowing FileDescriptor, at size: Int) {
        guard let written = file.bytes(at: size, limit: bytes.count + 1), !written.isEmpty,
            bytes.starts(with: written)
        else { return }
        ftruncate(file.number, off_t(size))
    }

    private func makeFolder() {
        guard access(directory, F_OK) != 0 else { return }
        var path = ""
        for part in directory.split(separator: "/") {
            path += "/" + part
            mkdir(path, 0o700)
        }
    }

    private func failure(_ what: String, _ path: String, _ code: Int32 = errno) -> MessageOutcome {
        .failed("cannot \(what) \(path): \(String(cString: strerror(code)))")
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
