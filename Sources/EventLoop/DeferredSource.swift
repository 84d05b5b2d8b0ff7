internal import CSystemd

/// Work put off until the current handler has returned; many calls of `schedule()` in between make one run.
public final class DeferredSource: EventSource {
    private let handler: () -> Void

    init(loop: EventLoop, priority: EventLoop.Priority, handler: @escaping () -> Void) throws(EventLoopError) {
        self.handler = handler
        super.init(loop: loop)
        var source: OpaquePointer?
        let result = sd_event_add_defer(
            loop.raw, &source,
            { _, userData in
                DeferredSource.from(userData)?.dispatch()
                return 0
            }, userData)
        try adopt(
            source, result: result, "make a deferred source", object: "sd_event", advice: "a loop that has not ended")
        setEnabled(SD_EVENT_OFF)
        if let raw, priority != .normal {
            verify(sd_event_source_set_priority(raw, priority.rawValue))
        }
    }

    /// Runs the handler once, in the next turn. Scheduled inside its own handler, it runs once more.
    public func schedule() {
        setEnabled(SD_EVENT_ONESHOT)
    }

    private func dispatch() {
        let handler = handler
        handler()
    }
}

extension EventLoop {
    /// Work to be scheduled. At `.normal` it runs before other sources that are ready, so a handler that always
    /// schedules itself again must use `.idle`.
    public func deferred(
        priority: Priority = .normal, _ handler: @escaping () -> Void
    ) throws(EventLoopError) -> DeferredSource {
        try DeferredSource(loop: self, priority: priority, handler: handler)
    }
}
