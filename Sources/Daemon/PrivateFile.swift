import Glibc
import Processes

/// Why a file that a job names for its environment or its secrets is not taken.
struct PrivateFileError: Error, CustomStringConvertible {
    let description: String

    init(_ path: String, _ found: String, _ advice: String) {
        description = "cannot use the file \"\(path)\": \(found); \(advice)"
    }
}

/// Reads files that hold secrets: only where nobody else could have read or written them.
enum PrivateFile {
    /// Of one file; more is refused.
    static let bytesMax = 1 << 20

    static func read(_ path: String) throws(PrivateFileError) -> [UInt8] {
        // Not to wait for the other end of a pipe.
        let number = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        let code = errno
        guard number >= 0 else {
            throw PrivateFileError(path, String(cString: strerror(code)), "name a file that this user can read")
        }
        let file = FileDescriptor(owning: number)
        var status = stat()
        guard fstat(number, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
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
        guard let bytes = file.remainder(limit: bytesMax + 1), bytes.count <= bytesMax else {
            throw PrivateFileError(
                path, "it cannot be read, or holds more than \(bytesMax) bytes", "name a smaller file")
        }
        return bytes
    }
}
