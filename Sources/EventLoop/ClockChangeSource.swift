internal import CLinux
internal import Glibc

/// Tells when the wall clock was stepped: set by hand or by a time service, or jumped after sleep. Slewing is no step.
///
/// A timer far in the future with cancel-on-set, timerfd_create(2): a step makes its `read` fail with ECANCELED.
public final class ClockChangeSource: OwnedFDSource {
    private let handler: () -> Void

    init(loop: EventLoop, handler: @escaping () -> Void) throws(EventLoopError) {
        self.handler = handler
        let fd = timerfd_create(CLOCK_REALTIME, Int32(TFD_CLOEXEC) | Int32(TFD_NONBLOCK))
        let code = errno
        super.init(loop: loop, owning: fd)
        guard fd >= 0 else {
            throw EventLoopError(
                "watch the wall clock", object: "timerfd", code: code, advice: "fds left (ulimit -n)")
        }
        try rearm()
        try listen()
    }

    private func rearm() throws(EventLoopError) {
        var far = itimerspec()
        far.it_value.tv_sec = time_t.max
        let flags = Int32(TFD_TIMER_ABSTIME) | Int32(TFD_TIMER_CANCEL_ON_SET)
        guard timerfd_settime(fd, flags, &far, nil) == 0 else {
            throw EventLoopError(
                "watch the wall clock", object: "timerfd", code: errno, advice: "a kernel with cancel-on-set")
        }
    }

    override func becameReadable() {
        var expirations: UInt64 = 0
        let count = read(fd, &expirations, MemoryLayout<UInt64>.size)
        let code = errno
        guard count < 0, code == ECANCELED else { return }
        // The same call succeeded before on the same fd; should it not, the clock goes unwatched rather than the loop
        // busy.
        if (try? rearm()) == nil {
            deafen()
        }
        let handler = handler
        handler()
    }
}

extension EventLoop {
    /// Calls `handler` after each step of the wall clock; `now(.realtime)` is on the new side then.
    public func clockChange(_ handler: @escaping () -> Void) throws(EventLoopError) -> ClockChangeSource {
        try ClockChangeSource(loop: self, handler: handler)
    }
}
