public import EventLoop
internal import Glibc
internal import Processes

/// Starts attempts and follows them to their end, on the loop and without ever blocking it.
///
/// An attempt is one process with its group: started, its output read as it comes, its time watched, its end reported
/// once. The end of the attempt is the end of that process, learnt from its pidfd, and not the end of its output:
/// a grandchild that holds the pipe delays nothing. What the process had written by then is read, and the pipe closed.
///
/// ```swift
/// let runner = try Runner(loop: loop)
/// var request = AttemptRequest(
///     arguments: ["backup", "--all"], environment: ["PATH": "/usr/bin:/bin"], workingDirectory: "/home/me")
/// request.timeout = .seconds(300)
/// let attempt = runner.start(request) { report in
///     print(report.ending, report.output.preview(characters: 500))
/// }
/// attempt.cancel()                                     // TERM to the group, KILL after the grace
/// ```
///
/// Sharp edges:
/// - `onEnd` is called exactly once for each `start`, always from the loop and never from within `start` or `cancel`:
///   a start that failed is reported in the next turn as `couldNotStart`. It may start further attempts.
/// - A process that was asked to end and has ended may leave others of its group behind. They get the rest of the grace
///   too, and KILL after it; the report does not wait for them.
/// - After an ordinary exit the rest of the group is left alone: a job may start a service and go, as under cron. Its
///   output is not read any longer, and writing more of it gets SIGPIPE.
/// - Descendants that make a session of their own leave the group and escape its signals.
/// - The runner must outlive its attempts: what ends later is reported by nobody.
public final class Runner {
    let loop: EventLoop
    /// One for all: a read belongs to one turn of the loop and leaves nothing in it. As large as a pipe.
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    private var attempts: [ObjectIdentifier: AttemptHandle] = [:]
    /// Starts that failed, to be reported when the handler that asked for them has returned.
    private var failed: [AttemptHandle] = []
    private var failures: DeferredSource?

    public init(loop: EventLoop) throws(EventLoopError) {
        self.loop = loop
        ChildProcess.claimExits()
        failures = try loop.deferred { [unowned self] in reportFailures() }
    }

    deinit {
        buffer.deallocate()
    }

    /// Starts the process at once, before it returns.
    @discardableResult
    public func start(_ request: AttemptRequest, onEnd: @escaping (AttemptReport) -> Void) -> AttemptHandle {
        let attempt = AttemptHandle(runner: self, request: request, onEnd: onEnd)
        if attempt.start() {
            attempts[ObjectIdentifier(attempt)] = attempt
        } else {
            failed.append(attempt)
            failures?.schedule()
        }
        return attempt
    }

    /// The attempts whose end has not been reported, in no order.
    public var active: [AttemptHandle] { attempts.values.filter(\.isActive) + failed }

    /// Sends KILL at once to every group that is left, those of reported attempts too: for the end of the daemon. The
    /// ends are still reported if the loop goes on.
    public func killAll() {
        for attempt in Array(attempts.values) {
            attempt.kill()
        }
    }

    // MARK: - For the attempts

    /// The attempt has nothing more to do.
    func forget(_ attempt: AttemptHandle) {
        attempts[ObjectIdentifier(attempt)] = nil
    }

    private func reportFailures() {
        let batch = failed
        failed = []
        for attempt in batch {
            attempt.reportFailedStart()
        }
    }
}

/// The clock's time in µs, now and not at the wake-up of the loop: a time-out counts from the start of its process.
func currentUSec(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
}
