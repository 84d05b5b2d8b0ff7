import Configuration
import Desktop
import EventLoop
import Execution
import Glibc
import Processes
import Schedules
import Scheduling

/// Starts attempts: in a scope of the user manager where there is one, else as they are.
extension Daemon {
    /// A command that is to mend what the last attempt failed of.
    private struct Remedy {
        let argv: [String]
        let failureType: String
    }

    func start(_ launch: Launch) {
        quietTimer?.disarm()
        let run = launch.run
        if run.attempt > 1, let type = run.failureType, let argv = configuration.remediation[type] {
            begin(launch, Remedy(argv: argv, failureType: type))
        } else {
            begin(launch)
        }
    }

    /// Starts an attempt, or a remedy before it, with the supervisor that was prepared for it or with a new one.
    private func begin(_ launch: Launch, _ remedy: Remedy? = nil) {
        if remedy == nil, launch.run.attempt == 1, let prepared = prepared.removeValue(forKey: launch.run.id) {
            begin(launch, with: prepared)
        } else if userManager.isPresent {
            begin(launch, remedy, in: hold(launch, remedy))
        } else {
            beginAtOnce(launch, remedy)
        }
        if !userManager.isPresent { warnOfLimits(launch, "there is no user manager on the bus") }
    }

    /// Without a user manager nothing has to be waited for.
    private func beginAtOnce(_ launch: Launch, _ remedy: Remedy?) {
        var request = Self.request(launch, remedy)
        do throws(JobError) {
            try complete(&request, launch, remedy, session: environment)
        } catch {
            return couldNotStart(launch, error)
        }
        let handle = runner.start(request) { [unowned self] report in ended(launch, remedy, report) }
        isUnderWay(launch, remedy, handle)
        follow(handle, launch.job.name)
    }

    private func begin(_ launch: Launch, with prepared: HeldAttempt) {
        guard prepared.isUsable(for: launch.job), prepared.isPlaced == userManager.isPresent else {
            return beginAfter(prepared, launch)
        }
        prepared.onEnd = { [unowned self] report in ended(launch, nil, report) }
        begin(launch, nil, in: prepared)
    }

    /// What was prepared is not what the attempt has to have now, and there can be no other one beside it.
    private func beginAfter(_ prepared: HeldAttempt, _ launch: Launch) {
        prepared.onEnd = { [unowned self] report in
            // Whoever cancelled the run meanwhile meant the run.
            guard !prepared.handle.isEnding else { return ended(launch, nil, report) }
            begin(launch, nil, in: hold(launch, nil))
        }
        attempts[launch.run.id] = RunningAttempt(
            handle: prepared.handle, onStop: launch.job.onStop, isBeginning: true)
        prepared.abandon()
    }

    /// Starts the supervisor of an attempt, or of a remedy before it.
    private func hold(_ launch: Launch, _ remedy: Remedy?) -> HeldAttempt {
        let held = hold(
            Self.request(launch, remedy), launch.job, isAgain: preparedRuns[launch.run.id] != nil)
        held.onEnd = { [unowned self] report in ended(launch, remedy, report) }
        return held
    }

    /// Lets a supervisor that is held begin: once it is in its scope, with the environment that the session has now.
    private func begin(_ launch: Launch, _ remedy: Remedy?, in held: HeldAttempt) {
        isUnderWay(launch, remedy, held.handle, isBeginning: true)
        guard held.isPlaced else { return proceed(held, launch, remedy, session: environment) }
        userManager.readEnvironment { [unowned self] session in
            let session = sessionEnvironment(session)
            held.whenPlaced { [unowned self] in
                if let failure = held.failure { warnOfScope(launch, failure) }
                proceed(held, launch, remedy, session: session)
            }
        }
    }

    private func proceed(_ held: HeldAttempt, _ launch: Launch, _ remedy: Remedy?, session: [String: String]) {
        guard held.handle.isActive else { return }
        var request = Self.request(launch, remedy)
        request.scope = held.scope ?? ""
        do throws(JobError) {
            try complete(&request, launch, remedy, session: session)
            held.handle.proceed(with: request)
            attempts[launch.run.id]?.isBeginning = false
            // What a stopping daemon waits for.
            if scheduler.status == .stopping { flushSource?.schedule() }
        } catch {
            held.handle.abandon(because: error.inDefinition)
        }
    }

    private static let remedySuffix = "~remedy"

    /// Whose attempt is kept in a folder of this name.
    static func owner(of name: String) -> String {
        name.hasSuffix(remedySuffix) ? String(name.dropLast(remedySuffix.count)) : name
    }

    /// What a supervisor is given when it starts, and nothing can change afterwards.
    private static func request(_ launch: Launch, _ remedy: Remedy?) -> AttemptRequest {
        var request = request(run: launch.run.id, attempt: launch.run.attempt, launch.job)
        if remedy != nil {
            // A folder of its own; once it has ended it is swept away as one without a run.
            request.run += remedySuffix
            request.standardInput = .none
        }
        return request
    }

    private func isUnderWay(
        _ launch: Launch, _ remedy: Remedy?, _ handle: AttemptHandle, isBeginning: Bool = false
    ) {
        let run = launch.run
        attempts[run.id] = RunningAttempt(handle: handle, onStop: launch.job.onStop, isBeginning: isBeginning)
        guard remedy == nil else { return }
        log.info(
            "attempt started",
            [
                ("BOTCRON_JOB", launch.job.name), ("BOTCRON_EXECUTION_ID", run.id),
                ("BOTCRON_ATTEMPT", "\(run.attempt)"),
            ])
    }

    private func ended(_ launch: Launch, _ remedy: Remedy?, _ report: AttemptReport) {
        guard let remedy else { return attemptEnded(launch.run.id, launch.run.attempt, report) }
        remedyEnded(remedy, launch, report)
    }

    private func couldNotStart(_ launch: Launch, _ error: JobError) {
        let outcome = AttemptOutcome(ending: .couldNotStart(error.inDefinition), startedAt: now, endedAt: now)
        submit(.attemptEnded(run: launch.run.id, attempt: launch.run.attempt, outcome))
    }

    /// Hears what a run says of itself.
    func follow(_ handle: AttemptHandle, _ job: String) {
        var isStallTold = false
        handle.onRemark = { [unowned self, unowned handle] in
            typedFace.touchSoon(run: handle.run)
            guard handle.isStalled, !isStallTold else { return }
            isStallTold = true
            log.warning(
                "the run stalls: it has written nothing for its stall_timeout",
                [("BOTCRON_JOB", job), ("BOTCRON_EXECUTION_ID", handle.run)])
        }
    }

    /// The session's environment as its manager has it now, with what this daemon alone was given (by its unit, or by
    /// whoever started it) on top: what differed from the session's when it started.
    private func sessionEnvironment(_ session: [String: String]?) -> [String: String] {
        guard let session else { return environment }
        let own = environment.filter { userManager.firstEnvironment[$0.key] != $0.value }
        return session.merging(own) { $1 }
    }

    private func warnOfScope(_ launch: Launch, _ reason: String) {
        warnOfLimits(launch, reason)
        guard !isScopeMissed else { return }
        isScopeMissed = true
        log.warning("a run has no scope of its own", [("BOTCRON_JOB", launch.job.name), ("BOTCRON_ERROR", reason)])
    }

    /// On record of the run; in the log once, because it is as true of every other run.
    private func warnOfLimits(_ launch: Launch, _ reason: String) {
        let job = launch.job
        guard job.resources != Resources() else { return }
        submit(.caveat(run: launch.run.id, "without a scope its limits are those of each process alone: \(reason)"))
        guard !areLimitsWarned else { return }
        areLimitsWarned = true
        log.warning(
            "without a scope, memory_max and tasks_max limit each process alone, and cpu_quota nothing",
            [("BOTCRON_JOB", job.name), ("BOTCRON_REASON", reason)])
    }

    // MARK: - What it runs

    private func complete(
        _ request: inout AttemptRequest, _ launch: Launch, _ remedy: Remedy?, session: [String: String]
    ) throws(JobError) {
        let job = launch.job
        let plan = try AttemptPlan(launch, session: session, home: home)
        request.environment = plan.environment
        request.workingDirectory = plan.workingDirectory
        request.killGrace = job.killGrace
        if let remedy {
            request.arguments = remedy.argv
            request.timeout = Self.remedyTimeout
            return
        }
        request.arguments = plan.arguments
        request.timeout = job.timeout
        request.stallTimeout = job.stallTimeout ?? .zero
        request.onlyNotesStall = job.onStall == .notify
        if job.isOutputJournaled {
            request.journal = .init(socket: Self.journalSocket, job: job.name, run: launch.run.id)
        }
        request.context = plan.context
        request.credentials = plan.credentials
        request.limits = ResourceLimits(job.resources)
    }

    /// Of systemd's journal; where there is none, the output is in its file alone.
    private static var journalSocket: String { "/run/systemd/journal/socket" }

    // MARK: - Remedies

    /// A remedy is given so long; then the attempt follows all the same.
    private static var remedyTimeout: Duration { .seconds(120) }

    /// The attempt follows however its remedy ended: that helps where it can.
    private func remedyEnded(_ remedy: Remedy, _ launch: Launch, _ report: AttemptReport) {
        log.info(
            "remedy ended",
            [
                ("BOTCRON_EXECUTION_ID", launch.run.id), ("BOTCRON_FAILURE_TYPE", remedy.failureType),
                ("BOTCRON_ENDING", "\(report.ending)"),
            ])
        if case .exited(0) = report.ending { remedies[launch.run.id] = true } else { remedies[launch.run.id] = false }
        // Whoever cancelled the run meanwhile meant the run, not its remedy; even where that had ended by then.
        let isEnding = report.isCancelled || attempts[launch.run.id]?.handle.isEnding ?? false
        if isEnding { attemptEnded(launch.run.id, launch.run.attempt, report) } else { begin(launch) }
    }
}

extension JobError {
    /// For the record of a run, which names the job already.
    fileprivate var inDefinition: String { key.isEmpty ? message : "\(key): \(message)" }
}

extension Resources {
    var memoryMaxBytes: Int64? {
        switch memoryMax {
        case .bytes(let bytes): bytes
        case .share(let percent):
            Int64(sysconf(Int32(_SC_PHYS_PAGES))) / 100 * Int64(sysconf(Int32(_SC_PAGESIZE))) * Int64(min(percent, 100))
        case .unlimited, nil: nil
        }
    }
}

extension ResourceLimits {
    init(_ resources: Resources) {
        self.init()
        memoryMax = resources.memoryMaxBytes ?? 0
        tasksMax = Int64(resources.tasksMax ?? 0)
        hasCPUQuota = resources.cpuQuotaPercent != nil
        nice = resources.nice.map { Int32($0) }
        ioClass =
            switch resources.ioClass {
            case .realtime: .realtime
            case .bestEffort: .bestEffort
            case .idle: .idle
            case nil: nil
            }
    }
}
