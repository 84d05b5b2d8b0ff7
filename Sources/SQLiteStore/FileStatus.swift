import Glibc

/// What `stat` says of a file, as far as we ask.
struct FileStatus {
    let mode: mode_t
    let size: Int64
    let inode: UInt64

    /// Nil where there is none, or where it cannot be seen.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        mode = status.st_mode
        size = Int64(status.st_size)
        inode = UInt64(status.st_ino)
    }

    var isRegular: Bool { mode & S_IFMT == S_IFREG }
    var isFolder: Bool { mode & S_IFMT == S_IFDIR }
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
