internal import CLinux
internal import Glibc

/// What can happen to a file or folder; see inotify(7).
public struct FileEvents: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    public static let attributesChanged = FileEvents(rawValue: UInt32(IN_ATTRIB))
    public static let closedAfterWrite = FileEvents(rawValue: UInt32(IN_CLOSE_WRITE))
    public static let movedFrom = FileEvents(rawValue: UInt32(IN_MOVED_FROM))
    public static let movedTo = FileEvents(rawValue: UInt32(IN_MOVED_TO))
    public static let created = FileEvents(rawValue: UInt32(IN_CREATE))
    public static let deleted = FileEvents(rawValue: UInt32(IN_DELETE))
    public static let selfDeleted = FileEvents(rawValue: UInt32(IN_DELETE_SELF))
    public static let selfMoved = FileEvents(rawValue: UInt32(IN_MOVE_SELF))
    /// Told, never asked for: the watch is gone, with the file or its file system.
    public static let ended = FileEvents(rawValue: UInt32(IN_IGNORED))
    /// Told, never asked for: events were lost. Look at everything again.
    public static let overflow = FileEvents(rawValue: UInt32(IN_Q_OVERFLOW))
    /// Asked for: refuse what is not a folder.
    public static let onlyFolder = FileEvents(rawValue: UInt32(IN_ONLYDIR))
    /// Asked for: watch a symbolic link, not what it leads to.
    public static let notFollowing = FileEvents(rawValue: UInt32(IN_DONT_FOLLOW))
}

/// One event of a watched folder or file.
public struct FileEvent: Hashable, Sendable {
    public let events: FileEvents
    /// The name inside the watched folder (bytes that are no UTF-8 repaired); empty for the watched file itself.
    public let name: String
}

extension FileEvents {
    private static let asked: FileEvents = [.onlyFolder, .notFollowing]
    private static let always: FileEvents = [.ended, .overflow, FileEvents(rawValue: UInt32(IN_UNMOUNT))]

    /// What is to be told of.
    var wanted: UInt32 { subtracting(Self.asked).rawValue }
    /// How the path is to be taken.
    var flags: UInt32 { intersection(Self.asked).rawValue }
    /// Whether one who asked for these is told of `event`.
    func includes(_ event: FileEvents) -> Bool { !event.isDisjoint(with: subtracting(Self.asked).union(Self.always)) }
}

/// Watches a file, or a folder and the names in it. It lives as long as this object, or until `cancel()`.
public final class InotifySource {
    let path: String
    let events: FileEvents
    private let loop: EventLoop
    private let handler: (FileEvent) -> Void
    /// Nil after `cancel()`.
    private var inotify: Inotify?
    /// Of its watch; nil where that is gone with the file.
    private var number: Int32?

    init(
        loop: EventLoop, path: String, events: FileEvents, handler: @escaping (FileEvent) -> Void
    ) throws(EventLoopError) {
        loop.assertOnThread()
        self.loop = loop
        self.path = path
        self.events = events
        self.handler = handler
        let inotify = try loop.sharedInotify()
        self.inotify = inotify
        number = try inotify.add(self)
    }

    deinit { leave() }

    /// Stops it for good; its handler never runs again. Again and again is fine.
    public func cancel() {
        loop.assertOnThread()
        leave()
    }

    public var isCancelled: Bool { inotify == nil }

    private func leave() {
        if let number { inotify?.remove(ObjectIdentifier(self), from: number) }
        (inotify, number) = (nil, nil)
    }

    /// The file is gone, or its file system.
    func watchEnded() { number = nil }

    func hear(_ event: FileEvent) {
        guard inotify != nil, events.includes(event.events) else { return }
        let handler = handler
        handler(event)
    }
}

extension EventLoop {
    /// Calls `handler` for each of `events` at `path`. A file that editors replace by rename is watched by its folder.
    public func inotify(
        path: String, _ events: FileEvents, _ handler: @escaping (FileEvent) -> Void
    ) throws(EventLoopError) -> InotifySource {
        try InotifySource(loop: self, path: path, events: events, handler: handler)
    }
}
