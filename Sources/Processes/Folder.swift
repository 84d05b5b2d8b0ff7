internal import CLinux
internal import Glibc

/// A folder on disk by its path; a link to one is none, and is never followed.
public struct Folder: Sendable {
    public let path: String

    public init(_ path: String) {
        self.path = path
    }

    /// Whether there is one now.
    public var exists: Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The names in it but `.` and `..`, in no order; none where there is no such folder.
    ///
    /// - Throws: where there may be one, and it cannot be read now.
    public func names() throws(ProcessError) -> [String] {
        let number = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        let code = errno
        guard number >= 0 else {
            if code == ENOENT || code == ENOTDIR || code == ELOOP { return [] }
            throw .resource("read", object: "the folder \(ProcessError.quoted(path))", code: code)
        }
        return Self.names(owning: number)
    }

    /// Whether what is in it lies in memory, and goes with the machine's power (statfs(2)).
    public var isInMemory: Bool {
        var info = statfs()
        return statfs(path, &info) == 0 && Self.memoryFileSystems.contains(UInt32(truncatingIfNeeded: info.f_type))
    }

    /// tmpfs and ramfs, by their magic numbers in the kernel's `include/uapi/linux/magic.h`.
    private static let memoryFileSystems: [UInt32] = [0x0102_1994, 0x8584_58F6]

    // MARK: - Removing

    /// Removes all that is in it, folders too; false where something stays.
    @discardableResult
    public func clear() -> Bool {
        let number = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard number >= 0 else { return false }
        return Self.clear(FileDescriptor(owning: number), depth: 0)
    }

    /// Removes it with all that is in it; no folder is fine. Whatever else has its name is removed as well.
    ///
    /// - Returns: whether nothing of that name is there now.
    @discardableResult
    public func remove() -> Bool {
        if unlink(path) == 0 || errno == ENOENT { return true }
        clear()
        return rmdir(path) == 0
    }

    /// Folders within folders that are gone through. Deeper ones stay: nothing of ours is that deep.
    private static let depthMax = 32

    private static func clear(_ folder: borrowing FileDescriptor, depth: Int) -> Bool {
        let copy = openat(folder.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { return false }
        var isEmpty = true
        for name in names(owning: copy) where unlinkat(folder.number, name, 0) != 0 {
            let inner = openat(folder.number, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
            if inner >= 0 {
                let inner = FileDescriptor(owning: inner)
                if depth < depthMax { _ = clear(inner, depth: depth + 1) }
            }
            if unlinkat(folder.number, name, AT_REMOVEDIR) != 0 { isEmpty = false }
        }
        return isEmpty
    }

    private static func names(owning number: Int32) -> [String] {
        guard let stream = fdopendir(number) else {
            close(number)
            return []
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
