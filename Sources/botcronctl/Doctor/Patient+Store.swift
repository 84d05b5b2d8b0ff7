import Glibc
import Schedules

/// The store and the disk that it is on.
extension Patient {
    var standardStateFolder: String { folder("XDG_STATE_HOME", standard: ".local/state") + "/aa-workflow" }

    /// - Parameter folder: of the store and of what runs write.
    func storeFindings(in folder: String) -> [Finding] {
        let path = folder + "/botcron.db"
        var status = stat()
        guard stat(path, &status) == 0 else {
            let isAbsent = errno == ENOENT
            return [
                Finding(
                    "store file", isAbsent ? .note : .bad,
                    isAbsent ? "\(path) is not there yet" : "\(path): \(String(cString: strerror(errno)))")
            ]
        }
        let bytes = Int(status.st_size)
        // What was written last is in the log.
        let logged = stat(path + "-wal", &status) == 0 ? Int(status.st_size) : 0
        let size = Self.size(UInt64(max(0, bytes) + max(0, logged)))
        guard access(path, W_OK) == 0, access(folder, W_OK) == 0 else {
            return [
                Finding(
                    "store file", .bad, "\(path), \(size), cannot be written by you",
                    fix: "chown -R \(getuid()) \(folder)")
            ]
        }
        if let fault = headerFault(of: path, bytes: bytes) {
            return [
                Finding(
                    "store file", .bad, "\(path), \(size), is damaged: \(fault)",
                    fix: "restart the daemon: it sets a damaged store aside and goes on with what can be read")
            ]
        }
        return [Finding("store file", .good, "\(path), \(size)")]
    }

    /// SQLite's file format (sqlite.org/fileformat2.html, 1.3), as far as a file that was cut or written over shows.
    private func headerFault(of path: String, bytes: Int) -> String? {
        guard bytes > 0 else { return nil }
        guard let header = beginning(of: path, bytesMax: 100), header.count == 100 else { return "it is too short" }
        func number(_ place: Int, _ count: Int) -> Int { header[place..<place + count].reduce(0) { $0 << 8 | Int($1) } }
        guard header.starts(with: Array("SQLite format 3\0".utf8)) else { return "it is no SQLite database" }
        // Of a store that is new the log has everything, and the file no more than its first words.
        let hasLog = isThere(path + "-wal")
        let owner = number(68, 4)
        guard owner == Self.applicationID || (owner == 0 && hasLog) else { return "it is another program's" }
        let pageSize = number(16, 2) == 1 ? 65_536 : number(16, 2)
        // The size in the header holds where both change counters are the same; newer pages may still be in the log.
        guard !hasLog, number(24, 4) == number(92, 4), number(28, 4) * pageSize > bytes else { return nil }
        return "it has \(bytes) bytes, and \(number(28, 4)) pages of \(pageSize)"
    }

    /// "BCrn", as the store writes it.
    private static let applicationID = 0x4243_726E

    // MARK: - Disk

    func diskFindings(of folder: String) -> [Finding] {
        var place = folder
        while !isThere(place), place != "/" { place = parent(of: place) }
        var disk = statvfs()
        guard statvfs(place, &disk) == 0 else {
            return [Finding("disk", .bad, "\(place): \(String(cString: strerror(errno)))")]
        }
        return [
            Self.diskFinding(
                place, free: UInt64(disk.f_bavail) * UInt64(disk.f_frsize),
                freeFiles: disk.f_files == 0 ? nil : UInt64(disk.f_favail))
        ]
    }

    /// - Parameter freeFiles: how many more there may be; nil where the file system has no such bound.
    static func diskFinding(_ folder: String, free: UInt64, freeFiles: UInt64?) -> Finding {
        let fix = "free some space below \(folder)"
        if free < fullBytes || freeFiles.map({ $0 < fullFiles }) ?? false {
            let what = free < fullBytes ? size(free) : "\(freeFiles ?? 0) files"
            return Finding("disk", .bad, "\(folder) has room for \(what) more: runs and their ends are lost", fix: fix)
        }
        guard free >= scarceBytes else {
            return Finding("disk", .warning, "\(folder) has only \(size(free)) left", fix: fix)
        }
        return Finding("disk", .good, "\(folder) has \(size(free)) left")
    }

    /// Below this a commit, or the log of one, may find no room.
    private static let fullBytes: UInt64 = 16 << 20
    private static let fullFiles: UInt64 = 100
    private static let scarceBytes: UInt64 = 500 << 20

    static func size(_ bytes: UInt64) -> String {
        switch bytes {
        case ..<(10 << 10): "\(bytes) bytes"
        case ..<(10 << 20): "\(bytes >> 10) KiB"
        case ..<(10 << 30): "\(bytes >> 20) MiB"
        default: "\(bytes >> 30) GiB"
        }
    }

    private func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return "/" }
        return String(path[..<slash])
    }
}
