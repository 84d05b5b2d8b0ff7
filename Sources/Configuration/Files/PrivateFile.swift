internal import Glibc

/// Why a file that a job names for its environment or its secrets is not taken.
public struct PrivateFileError: Error, CustomStringConvertible, Sendable {
    public let description: String

    init(_ path: String, _ found: String, _ advice: String) {
        description = "cannot use the file \"\(path)\": \(found); \(advice)"
    }
}

/// Reads files that hold secrets: only where nobody else could have read or written them.
public enum PrivateFile {
    /// Of one file; more is refused.
    public static let bytesMax = 1 << 20

    public static func read(_ path: String) throws(PrivateFileError) -> [UInt8] {
        // Not to wait for the other end of a pipe.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        let code = errno
        guard descriptor >= 0 else {
            throw PrivateFileError(path, String(cString: strerror(code)), "name a file that this user can read")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw PrivateFileError(path, "it is no regular file", "name a file")
        }
        guard status.st_uid == geteuid() || status.st_uid == 0 else {
            throw PrivateFileError(
                path, "it belongs to user \(status.st_uid)", "let it belong to this user, or to root")
        }
        guard status.st_mode & 0o077 == 0 else {
            let mode = String(status.st_mode & 0o777, radix: 8)
            throw PrivateFileError(path, "others may read or write it (mode \(mode))", "take that away: chmod 600")
        }
        guard let bytes = contents(of: descriptor, expecting: Int(status.st_size)) else {
            throw PrivateFileError(
                path, "it cannot be read, or holds more than \(bytesMax) bytes", "name a smaller file")
        }
        return bytes
    }

    /// Its lines that are not empty, without the blanks around each.
    ///
    /// - Throws: where there is none, too.
    public static func lines(_ path: String) throws(PrivateFileError) -> [String] {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
        let lines = try read(path).split(separator: 0x0A).compactMap { line -> String? in
            let text = line.drop(while: isBlank).reversed().drop(while: isBlank).reversed()
            return text.isEmpty ? nil : String(decoding: text, as: UTF8.self)
        }
        guard !lines.isEmpty else { throw PrivateFileError(path, "it is empty", "write the secret into it") }
        return lines
    }

    /// Nil where it cannot be read, or is larger than `bytesMax`; it may grow while it is read.
    private static func contents(of descriptor: Int32, expecting size: Int) -> [UInt8]? {
        guard size <= bytesMax else { return nil }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while bytes.count <= bytesMax {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
        return nil
    }
}
