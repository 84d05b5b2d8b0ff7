internal import CSystemd
internal import Glibc

/// What an fd can be ready for.
public struct IOEvents: OptionSet, Hashable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    public static let readable = IOEvents(rawValue: EPOLLIN.rawValue)
    public static let writable = IOEvents(rawValue: EPOLLOUT.rawValue)
    /// Out-of-band data, or a change in a file of `/proc` or `/sys`.
    public static let priority = IOEvents(rawValue: EPOLLPRI.rawValue)
    /// The other end is gone. Reported whether asked for or not.
    public static let hangup = IOEvents(rawValue: EPOLLHUP.rawValue)
    /// Reported whether asked for or not.
    public static let error = IOEvents(rawValue: EPOLLERR.rawValue)
}

/// Watches an fd, which stays the caller's: cancel the source first, then close the fd.
public final class IOSource: EventSource {
    private let handler: (IOEvents) -> Void
    private var events: IOEvents

    init(loop: EventLoop, fd: Int32, events: IOEvents, handler: @escaping (IOEvents) -> Void) throws(EventLoopError) {
        self.handler = handler
        self.events = events
        super.init(loop: loop)
        var source: OpaquePointer?
        let result = sd_event_add_io(
            loop.raw, &source, fd, events.rawValue,
            { _, _, revents, userData in
                IOSource.from(userData)?.dispatch(IOEvents(rawValue: revents))
                return 0
            }, userData)
        try adopt(
            source, result: result, "watch", object: "fd \(fd)",
            advice: "an open socket, pipe or other pollable fd that no other source watches")
        if events.isEmpty {
            setEnabled(SD_EVENT_OFF)
        }
    }

    /// Waits for `events` from now on; for nothing at all (hang-ups neither) when empty.
    public func modify(_ events: IOEvents) {
        loop.assertOnThread()
        guard let raw, events != self.events else { return }
        self.events = events
        // epoll reports a hang-up even for an empty mask: only a source that is off is quiet.
        guard !events.isEmpty else { return setEnabled(SD_EVENT_OFF) }
        verify(sd_event_source_set_io_events(raw, events.rawValue))
        setEnabled(SD_EVENT_ON)
    }

    private func dispatch(_ events: IOEvents) {
        let handler = handler
        handler(events)
    }
}

extension EventLoop {
    /// Calls `handler` with what the fd is ready for, again and again while it is (level-triggered).
    public func watch(
        fd: Int32, _ events: IOEvents, _ handler: @escaping (IOEvents) -> Void
    ) throws(EventLoopError) -> IOSource {
        try IOSource(loop: self, fd: fd, events: events, handler: handler)
    }
}
