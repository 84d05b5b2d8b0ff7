internal import Glibc

/// Tells that a file may have changed, wherever it comes from.
///
/// Folders are watched and not files, because editors write a new file and rename it over the old one. Where the folder
/// is missing, the nearest one above it is watched until it comes. Where the file is a symbolic link, what it leads to
/// is watched as well. It ends with this object.
public final class FileWatch {
    /// Links that are followed: a circle of them ends.
    private static let linksMax = 8

    private let loop: EventLoop
    private let path: String
    private let changed: () -> Void
    private var sources: [EventSource] = []

    /// - Parameter path: `~` is not expanded; a relative one is below the working directory.
    /// - Throws: where nothing on the way to the file can be watched.
    public init(_ path: String, on loop: EventLoop, _ changed: @escaping () -> Void) throws(EventLoopError) {
        self.loop = loop
        self.path = path
        self.changed = changed
        try arm()
    }

    /// Watches what leads to the file now. Each event may have moved it, so each one arms anew.
    private func arm() throws(EventLoopError) {
        sources = []
        var path = path
        for _ in 0...Self.linksMax {
            try watch(folder: path.folderOfPath, for: path.nameOfPath)
            guard let target = Self.target(ofLink: path) else { return }
            path = target.hasPrefix("/") ? target : path.folderOfPath + "/" + target
        }
    }

    private func watch(folder: String, for name: String) throws(EventLoopError) {
        do {
            sources.append(try source(folder, name))
        } catch {
            guard error.code == ENOENT || error.code == ENOTDIR, folder != "/", folder != "." else { throw error }
            try watch(folder: folder.folderOfPath, for: folder.nameOfPath)
            // It may have come before the one above it was watched.
            if let late = try? source(folder, name) { sources.append(late) }
        }
    }

    private func source(_ folder: String, _ name: String) throws(EventLoopError) -> EventSource {
        let events: FileEvents = [
            .closedAfterWrite, .movedTo, .movedFrom, .deleted, .created, .selfDeleted, .selfMoved, .onlyFolder,
        ]
        return try loop.inotify(path: folder, events) { [unowned self] event in
            let isGone = !event.events.isDisjoint(with: [.selfDeleted, .selfMoved, .ended, .overflow])
            guard event.name == name || isGone else { return }
            // What cannot be watched any more keeps what it has: SIGHUP still reloads.
            try? arm()
            // Whoever is told may drop the watch.
            let changed = changed
            changed()
        }
    }

    private static func target(ofLink path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = buffer.withUnsafeMutableBytes { bytes -> Int in
            guard let start = bytes.bindMemory(to: CChar.self).baseAddress else { return -1 }
            return readlink(path, start, bytes.count)
        }
        return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : nil
    }
}

extension String {
    /// The folder of a path; of a bare name it is `.`.
    fileprivate var folderOfPath: String {
        guard let slash = lastIndex(of: "/") else { return "." }
        return slash == startIndex ? "/" : String(self[..<slash])
    }

    /// The last part of a path.
    fileprivate var nameOfPath: String { lastIndex(of: "/").map { String(self[index(after: $0)...]) } ?? self }
}
