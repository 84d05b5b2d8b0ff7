import Glibc
public import Store

/// The folder that a daemon keeps its state in, held by this process alone.
///
/// The lock (`flock` on `botcron.lock`) ends with the process, however it ends; the file stays, with the number of
/// the process that held it last. Missing folders are made with mode 0700; those that are there keep theirs, because
/// other programs may live in them too.
///
/// Who removes the folder, or the file, takes the lock from its path: the next daemon would make a new one and get it.
/// So it is looked at before everything that is written to the store (`restoreIfMoved`).
public final class StateFolder {
    public let path: String
    /// −1 once given back.
    private var lock: Int32 = -1

    public static let lockName = "botcron.lock"

    /// - Throws: `locked` with the process that holds it; `readOnly`, `full`, `noFolder` or `inputOutput` with the
    ///   folder that could not be made or written, and why.
    public init(path: String) throws(StoreError) {
        self.path = path
        lock = try Self.takeLock(in: path)
    }

    /// Makes sure that the lock at the path is the one that is held: where it was removed, or put out of place by
    /// another file, what is at the path now is locked, and made before where there is nothing.
    ///
    /// - Throws: `locked` where another process has it by now; what `init` throws. Nothing may be written to the folder
    ///   then.
    public func restoreIfMoved() throws(StoreError) {
        guard lock >= 0 else {
            throw StoreError(
                kind: .other, operation: "write in the state folder", path: path, message: "the folder was given back")
        }
        if let locked = FileStatus(descriptor: lock), let there = FileStatus("\(path)/\(Self.lockName)"),
            locked.isSameFile(as: there)
        {
            return
        }
        let new = try Self.takeLock(in: path)
        _ = Glibc.close(lock)
        lock = new
    }

    /// The locked file; the folder is made where it is missing.
    private static func takeLock(in path: String) throws(StoreError) -> Int32 {
        try makeFolders(path)
        guard access(path, W_OK | X_OK) == 0 else {
            throw StoreError(errno: errno, operation: "write in the state folder", path: path)
        }
        let file = "\(path)/\(lockName)"
        for _ in 0..<lockTries {
            let lock = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
            guard lock >= 0 else {
                throw StoreError(errno: errno, operation: "open the lock of the state folder", path: file)
            }
            do throws(StoreError) {
                try take(lock, file: file, folder: path)
            } catch {
                _ = Glibc.close(lock)
                throw error
            }
            // Removed between the two, it would lock nobody out.
            if let locked = FileStatus(descriptor: lock), let there = FileStatus(file), locked.isSameFile(as: there) {
                write(processID: getpid(), to: lock)
                return lock
            }
            _ = Glibc.close(lock)
        }
        throw StoreError(
            kind: .cannotOpen, operation: "lock the state folder", path: file, message: "it is removed again and again")
    }

    /// Somebody who removes it as often as this does not want a daemon there.
    private static let lockTries = 100

    private static func take(_ lock: Int32, file: String, folder: String) throws(StoreError) {
        guard FileStatus(descriptor: lock)?.isRegular == true else {
            throw StoreError(
                kind: .notAFile, operation: "open the lock of the state folder", path: file,
                message: "it is not a regular file")
        }
        _ = fchmod(lock, 0o600)
        while flock(lock, LOCK_EX | LOCK_NB) != 0 {
            let number = errno
            if number == EINTR { continue }
            guard number == EWOULDBLOCK else {
                throw StoreError(errno: number, operation: "lock the state folder", path: folder)
            }
            let holder = processID(in: lock)
            throw StoreError(
                kind: .locked(pid: holder), operation: "lock the state folder", path: folder,
                message: "another daemon\(holder.map { " (process \($0))" } ?? "") works in it")
        }
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
