internal import CLinux
internal import CSystemd
internal import Glibc

/// The daemon's one thread of control: a safe face of `sd_event`.
///
/// Whatever the process waits for is a *source*: an fd, a timer, a child, a signal, a file, work put off to the end of
/// the turn. `run()` sleeps in the kernel until a source is ready, calls its handler, and sleeps again. With nothing
/// ready it does not wake at all.
///
/// ```swift
/// let loop = try EventLoop()
/// let timer = try loop.timer(.realtime) { print("due") }
/// timer.arm(atUSec: loop.now(.realtime) + 5_000_000)
/// let stop = try loop.signal(SIGTERM) { loop.exit(0) }
/// let code = try loop.run()
/// ```
///
/// Sharp edges:
/// - A source lives as long as its object: whoever drops it cancels it. After `cancel()` its handler never runs again,
///   also when it was ready already. Cancelling (or dropping) a source inside its own handler is fine.
/// - A handler that captures the owner of its source is a cycle: capture weakly, or `cancel()`.
/// - Everything belongs to the thread that made the loop; debug builds check it.
/// - One turn dispatches one source. Sources that are ready together run oldest first; `Priority` changes that.
public final class EventLoop {
    /// A clock that timers run on and `now` reads; sleeping machines stop `monotonic` only.
    public enum Clock: CaseIterable, Sendable {
        /// The wall clock; steps when it is set.
        case realtime
        /// Time since boot without the time asleep; never steps.
        case monotonic
        /// Time since boot with the time asleep; never steps.
        case boottime
        /// As `realtime`, and wakes a sleeping machine: needs `CAP_WAKE_ALARM` and a hardware clock.
        case realtimeAlarm
        /// As `boottime`, and wakes a sleeping machine: needs `CAP_WAKE_ALARM` and a hardware clock.
        case boottimeAlarm
    }

    /// The order among sources that are ready together.
    public enum Priority: Int64, Sendable {
        case normal = 0
        /// Only when nothing else is ready: a busy loop may keep it waiting.
        case idle = 100
    }

    /// What the turns of `run` take.
    public let meter = TurnMeter()

    let raw: OpaquePointer
    private let thread = pthread_self()
    /// There while a file is watched: its sources have it.
    private weak var inotify: Inotify?

    public init() throws(EventLoopError) {
        var event: OpaquePointer?
        let result = sd_event_new(&event)
        guard result >= 0, let event else {
            throw EventLoopError("make the event loop", object: "sd_event", code: result, advice: "free fds and memory")
        }
        raw = event
    }

    deinit {
        sd_event_unref(raw)
    }

    // MARK: - Running

    /// Runs until `exit`, and returns its code. A loop that has ended does not run again.
    public func run() throws(EventLoopError) -> Int32 {
        assertOnThread()
        guard sd_event_get_state(raw) != Int32(SD_EVENT_FINISHED) else {
            throw EventLoopError(
                "run the event loop", object: "sd_event", code: ESTALE, advice: "a loop that has not ended")
        }
        // As sd_event_loop(3) does it, step by step, so that the wait is not measured with the work.
        while sd_event_get_state(raw) != Int32(SD_EVENT_FINISHED) {
            var result = sd_event_prepare(raw)
            if result == 0 { result = sd_event_wait(raw, UInt64.max) }
            if result > 0 {
                meter.begin()
                result = sd_event_dispatch(raw)
                meter.end()
            }
            guard result >= 0 else {
                throw EventLoopError(
                    "run the event loop", object: "sd_event", code: result, advice: "working fds and memory")
            }
        }
        var code: Int32 = 0
        guard sd_event_get_exit_code(raw, &code) >= 0 else { return 0 }
        return code
    }

    /// Waits for one source at most `timeoutUSec` µs (nil: as long as it takes) and calls its handler.
    /// Returns false when the time passed with nothing ready. For clients and tests.
    @discardableResult
    public func runOnce(timeoutUSec: UInt64?) throws(EventLoopError) -> Bool {
        assertOnThread()
        let result = sd_event_run(raw, timeoutUSec ?? UInt64.max)
        guard result >= 0 else {
            throw EventLoopError(
                "run one turn of the event loop", object: "sd_event", code: result, advice: "a loop that has not ended")
        }
        return result > 0
    }

    /// Ends `run()` with `code` once the current handler has returned.
    public func exit(_ code: Int32) {
        assertOnThread()
        // Fails only for a loop that has ended already, and then there is nothing to end.
        _ = sd_event_exit(raw, code)
    }

    /// The number of times that the loop has waited for something: what an idle daemon must not add to.
    public var iterationCount: UInt64 {
        var count: UInt64 = 0
        _ = sd_event_get_iteration(raw, &count)
        return count
    }

    // MARK: - Time

    /// The clock's time in µs: since 1970 or since boot. Inside a handler it is the instant of the wake-up, so that all
    /// of a turn agrees on it; `Clock.nowUSec` reads anew.
    public func now(_ clock: Clock) -> UInt64 {
        var usec: UInt64 = 0
        if sd_event_now(raw, clock.readableID, &usec) >= 0 {
            return usec
        }
        return clock.nowUSec
    }

    // MARK: - The service manager's watchdog

    /// Pings the service manager's watchdog from this loop for as long as it turns; true when one watches this process
    /// (`$WATCHDOG_USEC` is set and meant for it). Without one there is no timer and no wake-up.
    @discardableResult
    public func enableWatchdog() -> Bool {
        sd_event_set_watchdog(raw, 1) > 0
    }

    // MARK: - Files

    func sharedInotify() throws(EventLoopError) -> Inotify {
        if let inotify { return inotify }
        let made = try Inotify(loop: self)
        inotify = made
        return made
    }

    // MARK: - Confinement

    func assertOnThread() {
        assert(pthread_equal(thread, pthread_self()) != 0, "an EventLoop was used on a thread that is not its own")
    }
}

extension EventLoop.Clock {
    /// The clock's time in µs, read now.
    public var nowUSec: UInt64 {
        var time = timespec()
        clock_gettime(readableID, &time)
        return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000
    }

    var id: clockid_t {
        switch self {
        case .realtime: CLOCK_REALTIME
        case .monotonic: CLOCK_MONOTONIC
        case .boottime: CLOCK_BOOTTIME
        case .realtimeAlarm: CLOCK_REALTIME_ALARM
        case .boottimeAlarm: CLOCK_BOOTTIME_ALARM
        }
    }

    /// The alarm clocks tell the time of the plain ones, which every machine has.
    var readableID: clockid_t {
        switch self {
        case .realtimeAlarm: CLOCK_REALTIME
        case .boottimeAlarm: CLOCK_BOOTTIME
        default: id
        }
    }
}
