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

// MARK: - Writing

extension FileDescriptor {
    /// Writes all of it where the file stands; nil, or the errno that kept it from being written.
    public func write(_ bytes: UnsafeRawBufferPointer) -> Int32? {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(number, rest.baseAddress, rest.count)
            let code = errno
            if count > 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            } else if count == 0 || code != EINTR {
                return count == 0 ? EIO : code
            }
        }
        return nil
    }

    public func write(_ bytes: [UInt8]) -> Int32? { bytes.withUnsafeBytes { write($0) } }

    /// Keeps the fd to this process: what it starts does not get it.
    public func closeOnExec() {
        _ = fcntl(number, F_SETFD, FD_CLOEXEC)
    }
}

// MARK: - A pidfd

extension FileDescriptor {
    /// Sends `signal` to the process that this pidfd is on; false when it is gone.
    @discardableResult
    public func signalProcess(_ signal: Int32) -> Bool { pidfd_send_signal(number, signal, nil, 0) == 0 }
}

// MARK: - Whole files

extension FileDescriptor {
    /// Opens a file to be read. Whatever else may have its name (a link, a pipe, a folder) is refused and waits for
    /// nobody: names in folders are not ours alone.
    public static func file(_ path: String) throws(ProcessError) -> FileDescriptor {
        let number = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW)
        let code = errno
        guard number >= 0 else { throw .resource("open", object: ProcessError.quoted(path), code: code) }
        let file = FileDescriptor(owning: number)
        guard file.isFile else {
            throw ProcessError(
                kind: .other, operation: "open", object: ProcessError.quoted(path), errorNumber: EINVAL,
                found: "it is no regular file", advice: "remove it")
        }
        return file
    }

    /// Whether it is a regular file, which no reader ever has to wait for.
    private var isFile: Bool {
        var status = stat()
        return fstat(number, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// Reads the file at `path`, at most `limit` bytes of it; nil where it cannot be read, or is no file. Works for
    /// files whose size the kernel does not say.
    public static func contents(of path: String, limit: Int) -> [UInt8]? {
        try? file(path).remainder(limit: limit)
    }

    /// Reads at most `limit` bytes from `offset` on, by one or more reads; nil where that fails.
    public func bytes(at offset: Int, limit: Int) -> [UInt8]? {
        guard offset >= 0, lseek(number, off_t(offset), SEEK_SET) >= 0 else { return nil }
        return remainder(limit: limit)
    }

    /// Reads from where the file stands to its end, at most `limit` bytes; nil where that fails.
    public func remainder(limit: Int) -> [UInt8]? {
        var status = stat()
        guard fstat(number, &status) == 0 else { return nil }
        // One more than is left, to see the end by the same read.
        let rest = Int(status.st_size) - max(0, Int(lseek(number, 0, SEEK_CUR)))
        var size = max(0, min(limit, max(rest, 4095) &+ 1))
        var bytes: [UInt8] = []
        while bytes.count < limit {
            var reading = Reading.end
            let part = [UInt8](unsafeUninitializedCapacity: min(size, limit - bytes.count)) { buffer, count in
                reading = read(into: UnsafeMutableRawBufferPointer(buffer))
                if case .bytes(let read) = reading { count = read }
            }
            switch reading {
            case .bytes where bytes.isEmpty: bytes = part
            case .bytes: bytes += part
            case .end: return bytes
            case .wouldBlock, .failed: return nil
            }
            size = min(1 << 16, limit)
        }
        return bytes
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
        let number = memfd_create("botcron", UInt32(BC_MFD_CLOEXEC))
        let code = errno
        guard number >= 0 else { throw .resource("make", object: "a file in memory", code: code) }
        let file = FileDescriptor(owning: number)
        try file.fill(bytes)
        return file
    }

    /// Puts `bytes` into a file in memory that was made empty; its position stays at 0, where the reader starts.
    public func fill(_ bytes: [UInt8]) throws(ProcessError) {
        var offset = 0
        while offset < bytes.count {
            let count = bytes[offset...].withUnsafeBytes { pwrite(number, $0.baseAddress, $0.count, off_t(offset)) }
            let code = errno
            if count > 0 {
                offset += count
            } else if code != EINTR || count == 0 {
                throw .resource("write \(bytes.count) bytes to", object: "a file in memory", code: code)
            }
        }
    }

    /// The same open file under a number that is not below `least`.
    static func duplicate(_ number: Int32, notBelow least: Int32) throws(ProcessError) -> FileDescriptor {
        let copy = fcntl(number, F_DUPFD_CLOEXEC, least)
        let code = errno
        guard copy >= 0 else { throw .resource("duplicate", object: "fd \(number)", code: code) }
        return FileDescriptor(owning: copy)
    }
}
