internal import CLinux
internal import CSystemd
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

/// Watches a file, or a folder and the names in it.
public final class InotifySource: EventSource {
    private let handler: (FileEvent) -> Void

    init(
        loop: EventLoop, path: String, events: FileEvents, handler: @escaping (FileEvent) -> Void
    ) throws(EventLoopError) {
        self.handler = handler
        super.init(loop: loop)
        var source: OpaquePointer?
        let result = sd_event_add_inotify(
            loop.raw, &source, path, events.rawValue,
            { _, event, userData in
                guard let event else { return 0 }
                InotifySource.from(userData)?.dispatch(FileEvent(event))
                return 0
            }, userData)
        try adopt(
            source, result: result, "watch", object: path,
            advice:
                "an existing file or folder that may be read, and inotify watches left (fs.inotify.max_user_watches)")
    }

    private func dispatch(_ event: FileEvent) {
        let handler = handler
        handler(event)
    }
}

extension FileEvent {
    fileprivate init(_ event: UnsafePointer<inotify_event>) {
        events = FileEvents(rawValue: event.pointee.mask)
        // The name follows the struct as a flexible array, padded with NULs to `len`.
        let start = UnsafeRawPointer(event).advanced(by: MemoryLayout<inotify_event>.size)
        let bytes = UnsafeRawBufferPointer(start: start, count: Int(event.pointee.len))
        name = String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
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
