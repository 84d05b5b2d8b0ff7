import Glibc
public import Store

/// The folder that a daemon keeps its state in, held by this process alone.
///
/// The lock (`flock` on `botcron.lock`) ends with the process, however it ends; the file stays, with the number of
/// the process that held it last. Missing folders are made with mode 0700; those that are there keep theirs, because
/// other programs may live in them too.
public final class StateFolder {
    public let path: String
    /// −1 once given back.
    private var lock: Int32

    public static let lockName = "botcron.lock"

    /// - Throws: `locked` with the process that holds it; `readOnly`, `full`, `noFolder` or `inputOutput` with the
    ///   folder that could not be made or written, and why.
    public init(path: String) throws(StoreError) {
        try Self.makeFolders(path)
        guard access(path, W_OK | X_OK) == 0 else {
            throw StoreError(errno: errno, operation: "write in the state folder", path: path)
        }
        let file = "\(path)/\(Self.lockName)"
        let lock = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard lock >= 0 else {
            throw StoreError(errno: errno, operation: "open the lock of the state folder", path: file)
        }
        _ = fchmod(lock, 0o600)
        while flock(lock, LOCK_EX | LOCK_NB) != 0 {
            let number = errno
            if number == EINTR { continue }
            defer { _ = Glibc.close(lock) }
            guard number == EWOULDBLOCK else {
                throw StoreError(errno: number, operation: "lock the state folder", path: path)
            }
            let holder = Self.processID(in: lock)
            throw StoreError(
                kind: .locked(pid: holder), operation: "lock the state folder", path: path,
                message: "another daemon\(holder.map { " (process \($0))" } ?? "") works in it")
        }
        self.path = path
        self.lock = lock
        Self.write(processID: getpid(), to: lock)
    }

    deinit { close() }

    /// Lets another process have the folder.
    public func close() {
        guard lock >= 0 else { return }
        _ = Glibc.close(lock)
        lock = -1
    }

    // MARK: - Folders

    /// Makes the folder and those above it that are missing.
    static func makeFolders(_ path: String) throws(StoreError) {
        let operation = "make the state folder"
        var current = path.hasPrefix("/") ? "" : "."
        for name in path.split(separator: "/") {
            current += "/\(name)"
            if mkdir(current, 0o700) == 0 {
                // Whatever the umask took away.
                _ = chmod(current, 0o700)
                syncFolder(of: current)
                continue
            }
            let number = errno
            guard let status = FileStatus(current) else {
                throw StoreError(
                    kind: StoreError.Kind(errno: number) ?? .noFolder, operation: operation, path: path,
                    message: "\(current): \(String(cString: strerror(number)))")
            }
            guard status.isFolder else {
                throw StoreError(
                    kind: .noFolder, operation: operation, path: path, message: "\(current) is a file")
            }
        }
    }

    // MARK: - Who holds it

    /// For the message of the one that comes second; nothing relies on it, so a full disk is no reason to fail.
    private static func write(processID: pid_t, to lock: Int32) {
        let text = "\(processID)\n"
        _ = ftruncate(lock, 0)
        _ = pwrite(lock, text, text.utf8.count, 0)
    }

    private static func processID(in lock: Int32) -> pid_t? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = pread(lock, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        return pid_t(String(decoding: bytes[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }
}
