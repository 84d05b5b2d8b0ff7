internal import CLinux
internal import Glibc

/// An open fd with one owner: closed when its owner goes. Close-on-exec from birth.
public struct FileDescriptor: ~Copyable {
    /// The fd itself, for calls that borrow it.
    public let number: Int32

    /// Takes over an fd that is open and close-on-exec.
    public init(owning number: Int32) {
        precondition(number >= 0, "an fd that is not open has no owner: \(number)")
        self.number = number
    }

    deinit {
        // Linux has released the fd whatever close answers, EINTR too: a second try could close somebody else's.
        close(number)
    }

    // MARK: - Reading

    /// What one `read` came to.
    public enum Reading: Hashable, Sendable {
        /// So many bytes, at least one.
        case bytes(Int)
        /// All writers are gone.
        case end
        /// Nothing there now; only on an fd that does not block.
        case wouldBlock
        /// The errno.
        case failed(Int32)
    }

    /// Reads once, at most `buffer.count` bytes (which must not be 0).
    public func read(into buffer: UnsafeMutableRawBufferPointer) -> Reading {
        while true {
            let count = Glibc.read(number, buffer.baseAddress, buffer.count)
            let code = errno
            if count > 0 { return .bytes(count) }
            if count == 0 { return .end }
            switch code {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            default: return .failed(code)
            }
        }
    }

    /// How many bytes a pipe holds now (`FIONREAD`); 0 for what cannot tell.
    public var readableByteCount: Int {
        var count: Int32 = 0
        return ioctl(number, UInt(FIONREAD), &count) == 0 ? Int(count) : 0
    }
}

// MARK: - Opening

extension FileDescriptor {
    /// A folder, for `fchdir` and as the base of relative paths; needs no right to read it (`O_PATH`).
    static func openFolder(_ path: String) throws(ProcessError) -> FileDescriptor {
        let number = open(path, Int32(BC_O_PATH) | O_DIRECTORY | O_CLOEXEC)
        let code = errno
        guard number >= 0 else { throw .workingDirectory(path, code: code) }
        return FileDescriptor(owning: number)
    }

    /// `/dev/null`, to read and to write.
    static func openNull() throws(ProcessError) -> FileDescriptor {
        let number = open("/dev/null", O_RDWR | O_CLOEXEC)
        let code = errno
        guard number >= 0 else { throw .resource("open", object: "/dev/null", code: code) }
        return FileDescriptor(owning: number)
    }

    /// A file without a name that holds `bytes`, at its start (`memfd_create`): as a process's standard input it needs
    /// no writer beside it, blocks nobody, and raises no SIGPIPE.
    public static func holding(_ bytes: [UInt8]) throws(ProcessError) -> FileDescriptor {
        let number = memfd_create("stdin", UInt32(BC_MFD_CLOEXEC))
        var code = errno
        guard number >= 0 else { throw .resource("make", object: "a file in memory", code: code) }
        let file = FileDescriptor(owning: number)
        var offset = 0
        while offset < bytes.count {
            // pwrite leaves the file's position at 0, where the reader starts.
            let count = bytes[offset...].withUnsafeBytes { pwrite(number, $0.baseAddress, $0.count, off_t(offset)) }
            code = errno
            if count > 0 {
                offset += count
            } else if code != EINTR || count == 0 {
                throw .resource("write \(bytes.count) bytes to", object: "a file in memory", code: code)
            }
        }
        return file
    }

    /// The same open file under a number that is not 0, 1 or 2.
    static func duplicate(aboveStandard number: Int32) throws(ProcessError) -> FileDescriptor {
        let copy = fcntl(number, F_DUPFD_CLOEXEC, 3)
        let code = errno
        guard copy >= 0 else { throw .resource("duplicate", object: "fd \(number)", code: code) }
        return FileDescriptor(owning: copy)
    }
}
