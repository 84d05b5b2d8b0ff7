internal import Configuration
public import EventLoop
public import Execution
internal import Processes
internal import Schedules
public import Scheduling

/// Starts attempts and follows each to its committed end, with whatever has to come before: a remedy, a scope, the
/// environment of the moment.
///
/// A launch is claimed (its folder is made, and the core's decision is committed), then started, `launchUSec` of them a
/// turn; the others follow in the next turns, so that a thousand that are due at once keep nobody waiting.
public final class Attempts {
    let loop: EventLoop
    let log: Log
    let runner: Runner
    let session: SessionManager
    let home: String
    let errands: Errands
    let emptyScopes: EmptyScopes
    let preparation: Preparation
    let settings: any AttemptSettings
    /// The core, which hears what becomes of them. The two hold each other as long as the daemon lives.
    let intake: any Intake & SchedulerReading & RunExpecting

    /// Those that are not over, by run.
    var live: [String: LiveAttempt] = [:]
    /// Claimed and not launched, in order.
    private var queue: ArraySlice<LiveAttempt> = []
    /// Those that were short of something, to be launched again.
    private var postponed: [LiveAttempt] = []
    /// Comes in its turn among others that are ready, which a deferred source would not.
    private var launchTimer: TimerSource?
    private var shortageTimer: TimerSource?
    private var quietTimer: TimerSource?
    /// When what runs that were taken over have said of themselves is passed on: after the turn that takes them over.
    var hearingTimer: TimerSource?
    public var onRemark: (_ run: String) -> Void = { _ in }
    /// Called when one has begun, or is over, or is prepared no more: what a daemon that stops waits for.
    public var onProgress: () -> Void = {}
    /// What is said in the log once, as it is as true of every other run.
    var told: Set<Remark> = []

    enum Remark { case noScope, noLimits, shortage }

    public init(
        loop: EventLoop, log: Log, runner: Runner, session: SessionManager, settings: any AttemptSettings,
        intake: any Intake & SchedulerReading & RunExpecting, home: String
    ) throws(EventLoopError) {
        self.loop = loop
        self.log = log
        self.runner = runner
        self.session = session
        self.settings = settings
        self.intake = intake
        self.home = home
        errands = Errands(runner)
        emptyScopes = try EmptyScopes(loop: loop, session: session)
        preparation = try Preparation(loop: loop)
        // Each source goes with its owner, this object.
        launchTimer = try loop.timer(.monotonic, accuracyUSec: 1) { [unowned self] in launchSome() }
        // As above.
        shortageTimer = try loop.timer(.monotonic, accuracyUSec: 10_000) { [unowned self] in launchPostponed() }
        quietTimer = try loop.timer(.monotonic, accuracyUSec: 250_000) { releaseIdleMemory() }
        quietTimer?.arm(atUSec: loop.now(.monotonic) + Limits.startUSec)
        // As above.
        hearingTimer = try loop.timer(.monotonic, accuracyUSec: 1) { [unowned self] in hearAll() }
        // As above.
        preparation.onDue = { [unowned self] in prepareExpected() }
        runner.onTrouble = { error in
            log.error("cannot read how a run ended; trying again", [("BOTCRON_ERROR", error)])
        }
    }

    /// How many keep a daemon that stops.
    public var awaitedAtStop: Int { live.values.count { $0.isAwaitedAtStop } }

    /// How many a daemon that stops would wait for because their jobs want to finish, or to be ended.
    public var endingAtStop: Int { live.values.count { $0.onStop != .leave } }

    /// Whether an attempt or an errand of this name belongs to somebody here.
    func isOwned(_ name: String) -> Bool {
        live[name] != nil || preparation.holds(name) || errands.isActive(name)
    }

    // MARK: - Launching

    private func launchSome() {
        let end = EventLoop.Clock.monotonic.nowUSec + Limits.launchUSec
        while let attempt = queue.popFirst() {
            // One that was cancelled while it waited has its end by now.
            if case .claimed = attempt.life { begin(attempt) }
            guard EventLoop.Clock.monotonic.nowUSec < end else { break }
        }
        if !queue.isEmpty { launchTimer?.arm(atUSec: loop.now(.monotonic)) }
    }

    private func launchPostponed() {
        queue += postponed
        postponed = []
        launchSome()
    }

    /// The start of an attempt, from top to bottom.
    func begin(_ attempt: LiveAttempt) {
        guard let launch = attempt.launch else { return }
        if attempt.remedySucceeded == nil, let remedy = remedy(for: launch.run) { return mend(attempt, launch, remedy) }
        if let prepared = attempt.takePrepared() {
            guard prepared.isUsable(for: launch.job), prepared.isPlaced == session.isPresent else {
                return beginAfter(prepared, attempt)
            }
            // The attempt goes with this object.
            prepared.onEnd = { [unowned self] report in ended(attempt, report) }
            return open(prepared, attempt, launch)
        }
        guard session.isPresent else { return beginAtOnce(attempt, launch) }
        let supervisor = startGated(Self.request(launch), launch.job)
        // As above.
        supervisor.onEnd = { [unowned self] report in ended(attempt, report) }
        open(supervisor, attempt, launch)
    }

    /// Without a user manager nothing has to be waited for.
    private func beginAtOnce(_ attempt: LiveAttempt, _ launch: Launch) {
        var request = Self.request(launch)
        do throws(JobError) {
            try complete(&request, launch, session: session.ownEnvironment)
        } catch {
            return couldNotStart(attempt, error.inDefinition)
        }
        // The attempt goes with this object.
        let handle = runner.start(request) { [unowned self] report in ended(attempt, report) }
        hasBegun(attempt, handle)
        warnOfLimits(launch, "there is no user manager on the bus")
    }

    /// What was prepared is not what the attempt has to have now, and there can be no other one beside it.
    private func beginAfter(_ prepared: GatedSupervisor, _ attempt: LiveAttempt) {
        attempt.life = .gated(prepared)
        // The attempt goes with this object.
        prepared.onEnd = { [unowned self] report in
            guard !attempt.isEnding else { return ended(attempt, report) }
            attempt.life = .claimed
            begin(attempt)
        }
        prepared.abandon()
    }

    /// Lets a supervisor that is held begin: once it is in its scope, with the environment that the session has now.
    private func open(_ supervisor: GatedSupervisor, _ attempt: LiveAttempt, _ launch: Launch) {
        attempt.life = .gated(supervisor)
        // This object outlives whoever answers.
        session.readEnvironment { [unowned self] environment in
            // As above.
            supervisor.whenPlaced { [unowned self] in
                if let failure = supervisor.failure { warnOfScope(launch, failure) }
                proceed(supervisor, attempt, launch, environment)
            }
        }
    }

    private func proceed(
        _ supervisor: GatedSupervisor, _ attempt: LiveAttempt, _ launch: Launch, _ environment: [String: String]
    ) {
        guard case .gated(let gated) = attempt.life, gated === supervisor, supervisor.handle.isActive else { return }
        guard !attempt.isEnding else { return supervisor.abandon() }
        var request = Self.request(launch)
        request.scope = supervisor.scope ?? ""
        do throws(JobError) {
            try complete(&request, launch, session: environment)
        } catch {
            return supervisor.handle.abandon(because: error.inDefinition)
        }
        supervisor.handle.proceed(with: request)
        hasBegun(attempt, supervisor.handle)
    }

    private func hasBegun(_ attempt: LiveAttempt, _ handle: AttemptHandle) {
        attempt.life = .begun(handle)
        follow(handle, attempt.job)
        log.info("attempt started", attempt.fields)
        onProgress()
    }

    /// Starts a supervisor that is held, on its way into its scope where there is a user manager.
    func startGated(_ request: AttemptRequest, _ job: Job) -> GatedSupervisor {
        let supervisor = GatedSupervisor(runner, request, job, isPlaced: session.isPresent)
        guard supervisor.isPlaced, let pid = supervisor.handle.supervisorPID else { return supervisor }
        session.place(pid, in: Self.scope(of: request.run, attempt: request.attempt, job, pid)) {
            supervisor.placed($0)
        }
        return supervisor
    }

    // MARK: - The end

    static let endedBefore = "its end was asked for before it began"

    func couldNotStart(_ attempt: LiveAttempt, _ reason: String) {
        let now = intake.now
        var outcome = AttemptOutcome(ending: .couldNotStart(reason), startedAt: now, endedAt: now)
        outcome.isCancelled = attempt.isEnding
        outcome.remedySucceeded = attempt.remedySucceeded
        over(attempt, outcome)
    }

    func ended(_ attempt: LiveAttempt, _ report: AttemptReport) {
        if case .shortOfResources(let reason) = report.ending, !attempt.isEnding { return postpone(attempt, reason) }
        if report.isSupervisorKilledBefore { emptyScopes.lookSoon() }
        if report.isSupervisorKilledBefore, canBeLaunchedAgain(attempt) {
            attempt.isLaunchedAgain = true
            attempt.life = .claimed
            return begin(attempt)
        }
        for caveat in [report.outputError, report.limitsError].compactMap({ $0 }) {
            log.warning("not all that the run was to have", attempt.fields + [("BOTCRON_ERROR", caveat)])
            intake.submit(.caveat(run: attempt.run, caveat))
        }
        var heard: [String: String] = [:]
        hear(report.remarks.filter { $0.key == "hold" }, after: &heard, run: attempt.run, attempt: attempt.number)
        var outcome = AttemptOutcome(report, classifier: settings.failureClassifier)
        outcome.remedySucceeded = attempt.remedySucceeded
        if attempt.isEnding, case .couldNotStart = outcome.ending { outcome.isCancelled = true }
        over(attempt, outcome)
    }

    /// As the next daemon would do it, had this one been killed, too. Once: who kills them all means it.
    private func canBeLaunchedAgain(_ attempt: LiveAttempt) -> Bool {
        attempt.launch != nil && !attempt.isLaunchedAgain && !attempt.isEnding
    }

    /// Kept until it is committed: a core that is built anew meanwhile asks for it again.
    private func over(_ attempt: LiveAttempt, _ outcome: AttemptOutcome) {
        attempt.life = .over(outcome)
        quietTimer?.arm(atUSec: loop.now(.monotonic) + Limits.quietUSec)
        intake.submit(.attemptEnded(run: attempt.run, attempt: attempt.number, outcome))
        onProgress()
    }

    /// Nothing of it has run, and its time will come: what is short now is not short for ever.
    private func postpone(_ attempt: LiveAttempt, _ reason: String) {
        attempt.life = .claimed
        postponed.append(attempt)
        shortageTimer?.arm(atUSec: loop.now(.monotonic) + Limits.shortageUSec)
        intake.submit(.caveat(run: attempt.run, "it had to wait: \(reason)"))
        guard told.insert(.shortage).inserted else { return }
        log.warning("a run waits for what the machine is short of", attempt.fields + [("BOTCRON_ERROR", reason)])
    }
}

// MARK: - For the engine

extension Attempts: AttemptControl {
    public func claim(_ launches: [Launch]) {
        for launch in launches {
            // Where it cannot be made the start says so; nothing is lost but the evidence.
            guard live[launch.run.id] == nil, !preparation.holds(launch.run.id) else { continue }
            try? runner.claim(run: launch.run.id, attempt: launch.run.attempt)
        }
    }

    public func start(_ launches: [Launch]) {
        guard !launches.isEmpty else { return }
        quietTimer?.disarm()
        for launch in launches {
            // A core that was built anew says once more what is under way already.
            if let known = live[launch.run.id], known.number == launch.run.attempt { continue }
            let attempt = LiveAttempt(launch)
            // From now on it is the attempt's, however long that waits for its launch: its folder says that the run,
            // which is on record, has not begun.
            if attempt.number == 1 { attempt.prepared = preparation.take(launch.run.id) }
            live[launch.run.id] = attempt
            queue.append(attempt)
        }
        launchSome()
    }

    @discardableResult
    public func stop(_ run: String) -> Bool {
        guard let attempt = live[run] else { return false }
        attempt.isEnding = true
        switch attempt.life {
        case .claimed:
            postponed.removeAll { $0 === attempt }
            attempt.takePrepared()?.abandon()
            couldNotStart(attempt, Self.endedBefore)
        case .mending: errands.cancel(Self.remedyName(of: run))
        case .gated(let supervisor): supervisor.abandon()
        case .begun(let handle): handle.cancel()
        case .over: return false
        }
        return true
    }
}
