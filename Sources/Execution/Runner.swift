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
/// for surveyed in try runner.survey([("cron-backup-20260101-120000", 1)]) {    // what was under way, by the store
///     switch surveyed.finding {
///     case .held: runner.adopt(surveyed) { report in print(report.ending) }
///     case .ended(let report): print(report.ending)
///     case .begun, .notBegun, .gone: print("interrupted, or still to begin")
///     }
/// }
/// var request = AttemptRequest(
///     run: "cron-backup-20260102-120000", attempt: 1, arguments: ["backup", "--all"],
///     environment: ["PATH": "/usr/bin:/bin"], workingDirectory: "/home/me")
/// request.timeout = .seconds(300)
/// try runner.claim(run: request.run, attempt: 1)       // before the commit that says it starts
/// let attempt = runner.start(request) { report in
///     print(report.ending, report.output.preview(characters: 500))
/// }
/// attempt.cancel()                                     // TERM to the whole tree, KILL after the grace
/// ```
///
/// Sharp edges:
/// - `onEnd` is called exactly once for each `start` and each `adopt`, always from the loop and never from within them
///   or `cancel`: a start that failed is reported in the next turn as `couldNotStart`. It may start further attempts.
/// - An attempt that ends by itself has ended when its process has; what that left behind goes on, as under cron. What
///   it writes from then on is not the run's, and is dropped.
/// - An attempt that was made to end has ended when its whole tree is gone.
/// - Folders of attempts stay until `removeOutput`, which leaves alone what a supervisor holds.
public final class Runner {
    let loop: EventLoop
    /// The one in which the attempts' folders are.
    let folder: String
    private let supervisor: String?
    let credentials: CredentialsFolder
    /// Those whose end has not been reported; they name this object unowned.
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
    ///   - credentialsFolder: where attempts get folders for their credentials; made when missing. Where it is not in
    ///     memory, or nil, an attempt with credentials cannot start.
    ///   - supervisor: the program `botcron-run`; nil: the one that is installed with this program.
    public init(
        loop: EventLoop, folder: String, credentialsFolder: String? = nil, supervisor: String? = nil
    ) throws(EventLoopError) {
        self.loop = loop
        mkdir(folder, 0o700)
        // As the kernel calls it, which is how it calls the folders that supervisors work in.
        self.folder = Self.canonicalPath(folder)
        credentials = CredentialsFolder(in: credentialsFolder, runs: self.folder)
        self.supervisor = supervisor
        ChildProcess.claimExits()
        // The source is this object's own, and goes before it.
        reports = try loop.deferred { [unowned self] in reportSettled() }
        // So is this one.
        unreadTimer = try loop.timer(.monotonic, accuracyUSec: 100_000) { [unowned self] in
            let batch = unread
            unread = []
            for attempt in batch { attempt.look() }
        }
    }

    private static func canonicalPath(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    // MARK: - Starting

    /// Makes the folder of an attempt that is about to be on record as started: from now on an attempt of which nothing
    /// else is found has not begun. Whoever starts many claims them all first: it takes a system call each.
    ///
    /// - Throws: where the folder cannot be made, or a supervisor holds it.
    public func claim(run: String, attempt: Int) throws(ExecutionError) {
        try withRunsFolder { () throws(ExecutionError) in try attemptFolder(run: run, attempt: attempt).claim() }
    }

    func makeFolder(
        _ folder: AttemptFolder, for request: AttemptRequest
    ) throws(ExecutionError) -> FileDescriptor {
        try withRunsFolder { () throws(ExecutionError) in
            try folder.make(run: request.run, attempt: request.attempt, outputLimit: request.outputLimit)
        }
    }

    /// Makes the runs' folder anew where somebody has removed it.
    private func withRunsFolder<Value: ~Copyable>(
        _ body: () throws(ExecutionError) -> Value
    ) throws(ExecutionError) -> Value {
        do throws(ExecutionError) {
            return try body()
        } catch  where error.errorNumber == ENOENT {
            guard mkdir(folder, 0o700) == 0 else { throw error }
            return try body()
        }
    }

    func attemptFolder(run: String, attempt: Int) -> AttemptFolder {
        AttemptFolder(in: folder, run: run, attempt: attempt)
    }

    /// Starts the supervisor at once, before it returns, in the folder that was claimed, or in a new one. Where it is
    /// short of resources the report says so: nothing has begun, and the same attempt may be started again.
    ///
    /// - Parameter isGated: the supervisor begins only with `AttemptHandle.proceed(with:)`; until then nothing has been
    ///   started that the request names, and what it says may still change, but for its input and the bound of its
    ///   output. One whose daemon goes before that starts nothing at all.
    @discardableResult
    public func start(
        _ request: AttemptRequest, isGated: Bool = false, onEnd: @escaping (AttemptReport) -> Void
    ) -> AttemptHandle {
        let attempt = AttemptHandle(runner: self, run: request.run, attempt: request.attempt, onEnd: onEnd)
        follow(attempt, isFollowed: attempt.start(request, isGated: isGated))
        return attempt
    }

    func supervisorPath() throws(ExecutionError) -> String {
        if let supervisor { return supervisor }
        return try SupervisorProgram.find()
    }

    // MARK: - Taking over

    /// Looks what became of attempts that an earlier runner was told to start: a finding for each, in their order. What
    /// nobody supervises any more is killed here.
    ///
    /// - Throws: where one cannot be looked at now (too many open files, a disk that fails). Nothing may be concluded
    ///   then about any of them.
    public func survey(_ expected: [(run: String, attempt: Int)]) throws(ExecutionError) -> [SurveyedAttempt] {
        var search: SupervisorSearch?
        return try expected.map { (run, attempt) throws(ExecutionError) in
            let folder = attemptFolder(run: run, attempt: attempt)
            return SurveyedAttempt(run: run, attempt: attempt, finding: try finding(folder, &search))
        }
    }

    private func finding(
        _ folder: AttemptFolder, _ search: inout SupervisorSearch?
    ) throws(ExecutionError) -> AttemptFinding {
        if try folder.isHeld() {
            try folder.awaitGate()
            if try folder.isHeld() { return .held }
        }
        // In this order: one that ends now has its outcome before it is free.
        if let outcome = try folder.readOutcome() {
            return .ended(AttemptReport(outcome, output: folder.output.excerpt()))
        }
        if folder.isNamed {
            guard folder.hasBegun else { return .notBegun }
            folder.killLeftovers()
            return .begun
        }
        // Nobody says who its supervisor is, if there is one.
        if search == nil { search = try SupervisorSearch() }
        let wasThere = search?.kill(folder.path) ?? false
        guard folder.exists else { return .gone }
        return wasThere ? .begun : .notBegun
    }

    /// Follows an attempt that `survey` found held, as if it had been started here.
    @discardableResult
    public func adopt(_ surveyed: SurveyedAttempt, onEnd: @escaping (AttemptReport) -> Void) -> AttemptHandle {
        let attempt = AttemptHandle(runner: self, run: surveyed.run, attempt: surveyed.attempt, onEnd: onEnd)
        follow(attempt, isFollowed: attempt.adopt())
        return attempt
    }

    /// Ends what may live of an attempt that an earlier runner started and nobody waits for any more, before another of
    /// its name starts: TERM to its whole tree, KILL after its grace.
    ///
    /// - Parameter then: called once, from the loop, when nothing of it lives.
    public func endLeftover(run: String, attempt: Int, then: @escaping () -> Void) {
        let leftover = AttemptHandle(runner: self, run: run, attempt: attempt) { _ in then() }
        leftover.cancel()
        follow(leftover, isFollowed: false)
    }

    /// Removes the secrets of attempts that nobody supervises any more. At the start.
    public func sweepCredentials() { credentials.sweep() }

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
        attemptFolder(run: run, attempt: attempt).output
    }

    /// Every attempt that has a folder, one after the other.
    public func attemptsKept() -> KeptAttempts { KeptAttempts(in: folder) }

    /// Removes what is kept of an attempt that has ended and is on record.
    ///
    /// - Returns: false where it stays: a supervisor holds it, or that cannot be known now.
    @discardableResult
    public func removeOutput(run: String, attempt: Int) -> Bool {
        attemptFolder(run: run, attempt: attempt).remove()
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
