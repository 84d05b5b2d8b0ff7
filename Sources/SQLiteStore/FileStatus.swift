import Glibc

/// What `stat` says of a file, as far as we ask.
struct FileStatus {
    let mode: mode_t
    let size: Int64
    let inode: UInt64
    let device: UInt64

    /// Nil where there is none, or where it cannot be seen.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    /// The status of an open file.
    init?(descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    private init(_ status: stat) {
        mode = status.st_mode
        size = Int64(status.st_size)
        inode = UInt64(status.st_ino)
        device = UInt64(status.st_dev)
    }

    var isRegular: Bool { mode & S_IFMT == S_IFREG }
    var isFolder: Bool { mode & S_IFMT == S_IFDIR }
    func isSameFile(as other: FileStatus) -> Bool { inode == other.inode && device == other.device }
}

/// Makes the name of a new or renamed file survive a power cut (`fsync` of its folder), where the file system can.
func syncFolder(of path: String) {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    let parent = parts.count < 2 ? "." : parts.dropLast().joined(separator: "/")
    let folder = open(parent.isEmpty ? "/" : parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { return }
    _ = fsync(folder)
    _ = close(folder)
}
