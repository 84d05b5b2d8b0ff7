internal import CSystemd
internal import Glibc

/// A timer, disarmed when made. It fires once per `arm`, and may be armed again inside its own handler.
public final class TimerSource: EventSource {
    private let handler: () -> Void

    init(
        loop: EventLoop, clock: EventLoop.Clock, accuracyUSec: UInt64, handler: @escaping () -> Void
    ) throws(EventLoopError) {
        self.handler = handler
        super.init(loop: loop)
        var source: OpaquePointer?
        // sd-event takes an accuracy of 0 for its default of 250 ms.
        let result = sd_event_add_time(
            loop.raw, &source, clock.id, UInt64.max, max(1, accuracyUSec),
            { _, _, userData in
                TimerSource.from(userData)?.dispatch()
                return 0
            }, userData)
        try adopt(
            source, result: result, "make a timer", object: "clock \(clock)",
            advice: "a clock of this machine; the alarm clocks need a hardware clock and CAP_WAKE_ALARM")
        setEnabled(SD_EVENT_OFF)
    }

    /// Fires once when the clock shows `usec` µs (at once when that is past); replaces what was armed.
    public func arm(atUSec usec: UInt64) {
        loop.assertOnThread()
        guard let raw else { return }
        verify(sd_event_source_set_time(raw, usec))
        setEnabled(SD_EVENT_ONESHOT)
    }

    public func disarm() {
        setEnabled(SD_EVENT_OFF)
    }

    private func dispatch() {
        let handler = handler
        handler()
    }
}

extension EventLoop {
    /// A timer, disarmed. It fires up to `accuracyUSec` µs late, so that the kernel may join wake-ups.
    public func timer(
        _ clock: Clock, accuracyUSec: UInt64 = 1000, _ handler: @escaping () -> Void
    ) throws(EventLoopError) -> TimerSource {
        try TimerSource(loop: self, clock: clock, accuracyUSec: accuracyUSec, handler: handler)
    }
}
