public import EventLoop
internal import Glibc
internal import Processes

/// Starts attempts and follows them to their end, on the loop and without ever blocking it.
///
/// Each attempt has a supervisor, `botcron-run`, a small process in a session of its own that holds the attempt's
/// process: reads its output into the attempt's folder, watches its time, ends its whole tree when it must, and writes
/// down how it ended. The runner starts supervisors, waits for their ends by pidfd, and reads what they wrote. So a
/// runner may go at any moment, in good order or not, and the next one takes its attempts over as if nothing had
/// happened:
///
/// ```swift
/// let runner = try Runner(loop: loop, folder: "/home/me/.local/state/botcron/runs")
/// for survivor in runner.survey([("cron-backup-20260101-120000", 1)]) {     // what was under way, by the store
///     switch survivor.state {
///     case .running: runner.adopt(survivor) { report in print(report.ending) }
///     case .ended(let report): print(report.ending)
///     }
/// }
/// var request = AttemptRequest(
///     run: "cron-backup-20260102-120000", attempt: 1, arguments: ["backup", "--all"],
///     environment: ["PATH": "/usr/bin:/bin"], workingDirectory: "/home/me")
/// request.timeout = .seconds(300)
/// let attempt = runner.start(request) { report in
///     print(report.ending, report.output.preview(characters: 500))
/// }
/// attempt.cancel()                                     // TERM to the whole tree, KILL after the grace
/// ```
///
/// Sharp edges:
/// - `onEnd` is called exactly once for each `start` and each `adopt`, always from the loop and never from within them
///   or `cancel`: a start that failed is reported in the next turn as `couldNotStart`. It may start further attempts.
/// - An attempt that ends by itself has ended when its process has; what that left behind goes on, as under cron. Its
///   output is not read any longer, and writing more of it gets SIGPIPE.
/// - An attempt that was made to end has ended when its whole tree is gone.
/// - Folders of attempts stay until `removeOutput`.
public final class Runner {
    let loop: EventLoop
    /// Of the attempts' folders.
    let folder: String
    private let supervisor: String?
    /// Of the folders of secrets; nil: each attempt's own.
    let credentialsFolder: String?
    private var attempts: [ObjectIdentifier: AttemptHandle] = [:]
    /// Attempts whose end is known, to be reported when the handler that asked for them has returned.
    private var settled: [AttemptHandle] = []
    private var reports: DeferredSource?
    /// Attempts whose end cannot be read now: they are looked at again.
    private var unread: [AttemptHandle] = []
    private var unreadTimer: TimerSource?
    /// Called with why the end of an attempt could not be read; it is tried again until it can.
    public var onTrouble: (String) -> Void = { _ in }

    private static let unreadRetryUSec: UInt64 = 1_000_000

    /// - Parameters:
    ///   - folder: where each attempt gets a folder of its own; made when missing, below one that is there.
    ///   - credentialsFolder: where attempts get folders for their credentials, in memory rather than on a disk; made
    ///     when missing. nil: in the folder of the attempt.
    ///   - supervisor: the program `botcron-run`; nil: the one that is installed with this program.
    public init(
        loop: EventLoop, folder: String, credentialsFolder: String? = nil, supervisor: String? = nil
    ) throws(EventLoopError) {
        self.loop = loop
        self.credentialsFolder = credentialsFolder
        self.folder = folder
        self.supervisor = supervisor
        ChildProcess.claimExits()
        reports = try loop.deferred { [unowned self] in reportSettled() }
        unreadTimer = try loop.timer(.monotonic, accuracyUSec: 100_000) { [unowned self] in
            let batch = unread
            unread = []
            for attempt in batch { attempt.look() }
        }
    }

    // MARK: - Starting

    /// Starts the supervisor at once, before it returns.
    ///
    /// - Parameter isHeld: the supervisor begins only with `AttemptHandle.proceed(with:)`; until then nothing has been
    ///   started that the request names, and what it says may still change, but for its input and the bound of its
    ///   output. One whose daemon goes before that starts nothing at all.
    @discardableResult
    public func start(
        _ request: AttemptRequest, isHeld: Bool = false, onEnd: @escaping (AttemptReport) -> Void
    ) -> AttemptHandle {
        let attempt = AttemptHandle(runner: self, run: request.run, attempt: request.attempt, onEnd: onEnd)
        follow(attempt, isFollowed: attempt.start(request, isHeld: isHeld))
        return attempt
    }

    func supervisorPath() throws(ExecutionError) -> String {
        if let supervisor { return supervisor }
        return try SupervisorProgram.find()
    }

    // MARK: - Taking over

    /// Looks what became of attempts that an earlier runner had under way: those that go on, and those that ended and
    /// say how. Of the others nothing is known, and nothing lives any longer: where their supervisor was killed, what it
    /// left is killed now.
    ///
    /// - Throws: where one cannot be looked at now (too many open files, a disk that fails). Nothing may be concluded
    ///   then about any of them.
    public func survey(_ expected: [(run: String, attempt: Int)]) throws(ExecutionError) -> [SurvivingAttempt] {
        var survivors: [SurvivingAttempt] = []
        for (run, attempt) in expected {
            let folder = AttemptFolder(in: folder, run: run, attempt: attempt)
            if try folder.isHeld() {
                try folder.awaitSupervisor()
                survivors.append(SurvivingAttempt(run: run, attempt: attempt, state: .running))
                // In this order: one that ends now has its outcome before it is free.
            } else if let outcome = try folder.readOutcome() {
                let report = AttemptReport(outcome, output: folder.output.capture())
                survivors.append(SurvivingAttempt(run: run, attempt: attempt, state: .ended(report)))
            } else {
                folder.killLeftovers()
            }
        }
        return survivors
    }

    /// Follows an attempt that `survey` found running, as if it had been started here.
    @discardableResult
    public func adopt(_ survivor: SurvivingAttempt, onEnd: @escaping (AttemptReport) -> Void) -> AttemptHandle {
        let attempt = AttemptHandle(runner: self, run: survivor.run, attempt: survivor.attempt, onEnd: onEnd)
        follow(attempt, isFollowed: attempt.adopt())
        return attempt
    }

    private func follow(_ attempt: AttemptHandle, isFollowed: Bool) {
        attempts[ObjectIdentifier(attempt)] = attempt
        if !isFollowed {
            settled.append(attempt)
            reports?.schedule()
        }
    }

    // MARK: - What there is

    /// The attempts whose end has not been reported, in no order.
    public var active: [AttemptHandle] { Array(attempts.values) }

    /// What an attempt wrote, whether it runs or has ended; nothing where its folder is gone.
    public func output(run: String, attempt: Int) -> OutputReader {
        AttemptFolder(in: folder, run: run, attempt: attempt).output
    }

    /// Every attempt that has a folder, one after the other.
    public func attemptsKept() -> KeptAttempts { KeptAttempts(in: folder) }

    /// Removes what is kept of an attempt that has ended and is on record.
    public func removeOutput(run: String, attempt: Int) {
        AttemptFolder(in: folder, run: run, attempt: attempt).remove()
    }

    /// Sends KILL at once to the whole tree of every attempt. The ends are still reported if the loop goes on.
    public func killAll() {
        for attempt in Array(attempts.values) {
            attempt.kill()
        }
    }

    // MARK: - For the attempts

    /// The attempt is about to be reported.
    func forget(_ attempt: AttemptHandle) {
        attempts[ObjectIdentifier(attempt)] = nil
    }

    func lookLater(_ attempt: AttemptHandle, _ error: ExecutionError) {
        onTrouble(error.description)
        unread.append(attempt)
        unreadTimer?.arm(atUSec: loop.now(.monotonic) + Self.unreadRetryUSec)
    }

    private func reportSettled() {
        let batch = settled
        settled = []
        for attempt in batch {
            attempt.look()
        }
    }
}

/// An attempt that an earlier runner started and whose end was not reported.
public struct SurvivingAttempt: Sendable {
    public enum State: Sendable {
        /// To be adopted.
        case running
        case ended(AttemptReport)
    }

    public let run: String
    public let attempt: Int
    public let state: State

    public var isRunning: Bool { if case .running = state { true } else { false } }
}

/// The clock's time in µs.
func currentUSec(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
}
