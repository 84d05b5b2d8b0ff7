internal import Glibc

/// Tells that a file may have changed, wherever it comes from.
///
/// Every component of its path is watched, and of every symbolic link on the way what it leads to: a link in the middle
/// that is led elsewhere, a folder that is moved away and back, rights that are given and taken all change what the
/// path names. Of the last folder the name is watched and not the file, because editors write a new one and rename it
/// over the old. Where a component is missing, or may not be read, the folder above waits for it. It ends with this
/// object.
///
/// What else happens in the folders on the way, a home folder among them, wakes nobody.
///
/// Sharp edges:
/// - That a folder on the way loses its rights is not told; whoever then fails to read calls `lookAgain`, and is told
///   when they come back.
/// - What is written by another name of the file (a hard link in a folder that the path does not pass) is not told.
/// - A folder that may be passed but not read cannot be watched: what replaces it is seen when something else changes.
/// - Mounts make no events: `MountWatch` tells of them, and `lookAgain` is what to do then.
public final class FileWatch {
    /// Links that are followed, as many as the kernel does: beyond, or in a circle, the path names nothing.
    static let linksMax = 40
    /// Components that are watched, those that links lead through too: of a longer way the rest is not.
    static let componentsMax = 256

    private let loop: EventLoop
    private let path: String
    private let changed: () -> Void
    private var sources: [InotifySource] = []
    private var identity: Identity?

    /// What the path names now.
    private struct Identity: Equatable {
        var device: UInt64
        var inode: UInt64
    }

    /// - Parameter path: `~` is not expanded; a relative one is below the working directory of now.
    /// - Throws: where nothing on the way to the file can be watched.
    public init(_ path: String, on loop: EventLoop, _ changed: @escaping () -> Void) throws(EventLoopError) {
        self.loop = loop
        self.path = path.hasPrefix("/") ? path : Self.workingDirectory + "/" + path
        self.changed = changed
        if let error = arm(), sources.isEmpty { throw error }
    }

    /// Something happened that makes no events. Tells where the path names another file than before.
    public func lookAgain() {
        let last = identity
        _ = arm()
        guard identity != last else { return }
        let changed = changed
        changed()
    }

    // MARK: - Arming

    /// Watches what leads to the file now. Where nothing of it can be watched what was watched before stays.
    ///
    /// Each component is watched before it is looked at: what happens in between is told then.
    private func arm() -> EventLoopError? {
        var way = Way(path)
        var armed: [InotifySource] = []
        var fault: EventLoopError?
        var above: Way.Step?
        walk: while let step = way.next() {
            defer { above = step }
            do throws(EventLoopError) {
                if step.isLast {
                    armed.append(try watch(step.name, in: step.folder, Self.contentEvents))
                    guard case .link(let target) = Kind(of: step.path) else { break walk }
                    armed.append(try watchItself(step.path))
                    way.follow(target)
                } else {
                    armed.append(try watchItself(step.path))
                    switch Kind(of: step.path) {
                    case .folder: way.enter(step.path)
                    case .link(let target): way.follow(target)
                    case .other:
                        armed.append(try watch(step.name, in: step.folder, Self.nameEvents))
                        break walk
                    }
                }
            } catch {
                fault = fault ?? error
                // It is not there, or may not be read: the folder tells when that changes.
                if let source = try? watch(step.name, in: step.folder, Self.nameEvents) {
                    armed.append(source)
                } else if let above, let source = try? watch(above.name, in: above.folder, Self.nameEvents) {
                    // The folder has lost its rights: the one that holds it tells when they come back.
                    armed.append(source)
                }
                // It may have come before the folder was watched.
                guard case .folder = Kind(of: step.path), !step.isLast, error.code != ENOSPC else { break walk }
                way.enter(step.path)
            }
        }
        var status = stat()
        identity =
            stat(path, &status) == 0 ? Identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino)) : nil
        if !armed.isEmpty { sources = armed }
        return fault
    }

    /// A component on the way: told when it is moved or removed, not when something in it changes.
    ///
    /// Of a link the attributes, too: one that another is renamed over has a name less. Of a folder they would be those
    /// of everything in it.
    private func watchItself(_ path: String) throws(EventLoopError) -> InotifySource {
        var events: FileEvents = [.selfDeleted, .selfMoved, .notFollowing]
        if case .folder = Kind(of: path) {} else { events.insert(.attributesChanged) }
        return try loop.inotify(path: path, events) { [weak self] event in
            // A folder came in its place meanwhile: what is in it is none of ours.
            if event.name.isEmpty { self?.tell() }
        }
    }

    private static let nameEvents: FileEvents = [
        .created, .movedTo, .movedFrom, .deleted, .attributesChanged, .onlyFolder,
    ]
    private static let contentEvents = nameEvents.union([.closedAfterWrite, .selfDeleted, .selfMoved])

    private func watch(
        _ name: String, in folder: String, _ events: FileEvents
    ) throws(EventLoopError) -> InotifySource {
        try loop.inotify(path: folder, events) { [weak self] event in
            guard let self else { return }
            let isGone = !event.events.isDisjoint(with: [.selfDeleted, .selfMoved, .ended, .overflow])
            // Without a name it is the folder itself: its rights.
            guard event.name == name || event.name.isEmpty || isGone else { return }
            // What is written in place moves nothing.
            if event.events == .closedAfterWrite { changed() } else { tell() }
        }
    }

    private func tell() {
        // What cannot be watched any more keeps what it has: SIGHUP still reloads.
        _ = arm()
        // Whoever is told may drop the watch.
        let changed = changed
        changed()
    }

    private static var workingDirectory: String {
        guard let buffer = getcwd(nil, 0) else { return "" }
        defer { free(buffer) }
        return String(cString: buffer)
    }
}

/// The way to a file, component by component, through its links.
private struct Way {
    struct Step {
        /// Without links.
        let folder: String
        let name: String
        let isLast: Bool

        var path: String { folder == "/" ? "/" + name : folder + "/" + name }
    }

    /// Without links.
    private var folder = "/"
    /// The last comes first.
    private var rest: [Substring]
    private var links = 0
    private var components = 0

    init(_ path: String) {
        rest = Self.components(of: path)
    }

    private static func components(of path: String) -> [Substring] {
        path.split(separator: "/").filter { $0 != "." }.reversed()
    }

    mutating func next() -> Step? {
        while rest.last == ".." {
            rest.removeLast()
            folder = folder == "/" ? "/" : String(folder[..<(folder.lastIndex(of: "/") ?? folder.startIndex)])
            if folder.isEmpty { folder = "/" }
        }
        components += 1
        guard components <= FileWatch.componentsMax, let name = rest.popLast() else { return nil }
        return Step(folder: folder, name: String(name), isLast: rest.isEmpty)
    }

    mutating func enter(_ path: String) { folder = path }

    /// The component was a link.
    mutating func follow(_ target: String) {
        links += 1
        guard links <= FileWatch.linksMax else {
            rest = []
            return
        }
        if target.hasPrefix("/") { folder = "/" }
        rest += Self.components(of: target)
    }
}

/// What stands at a path, without following a link.
private enum Kind {
    case folder
    case link(String)
    /// A file, something else, or nothing that can be seen.
    case other

    init(of path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            self = .other
            return
        }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: self = .folder
        case S_IFLNK: self = Self.target(ofLink: path).map { .link($0) } ?? .other
        default: self = .other
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
