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

    /// Starts the supervisor of an attempt, or of a remedy before it. Where there is a user manager, the supervisor is
    /// held until it is in its scope and the environment of the session is known.
    private func begin(_ launch: Launch, _ remedy: Remedy? = nil) {
        let (run, number) = (launch.run.id, launch.run.attempt)
        // A remedy has a folder of its own; it is swept away as one without a run.
        var request = AttemptRequest(
            run: remedy == nil ? run : run + "~remedy", attempt: number, arguments: [], environment: [:],
            workingDirectory: "/")
        request.outputLimit = launch.job.outputLimit
        if remedy == nil, let input = launch.job.standardInput { request.standardInput = .bytes(Array(input.utf8)) }
        let isHeld = userManager.isPresent
        if !isHeld {
            do throws(JobError) {
                try complete(&request, launch, remedy, session: environment)
            } catch {
                let outcome = AttemptOutcome(ending: .couldNotStart(error.inDefinition), startedAt: now, endedAt: now)
                return submit(.attemptEnded(run: run, attempt: number, outcome))
            }
            warnOfLimits(launch, "there is no user manager on the bus")
        }
        let handle = runner.start(request, isHeld: isHeld) { [unowned self] report in
            guard let remedy else { return attemptEnded(run, number, report) }
            remedyEnded(remedy, launch, report)
        }
        attempts[run] = RunningAttempt(handle: handle, onStop: launch.job.onStop)
        follow(handle, launch.job.name)
        if isHeld { place(handle, request, launch, remedy) }
        guard remedy == nil else { return }
        log.info(
            "attempt started",
            [("BOTCRON_JOB", launch.job.name), ("BOTCRON_EXECUTION_ID", run), ("BOTCRON_ATTEMPT", "\(number)")])
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

    // MARK: - Its scope

    private func place(_ handle: AttemptHandle, _ request: AttemptRequest, _ launch: Launch, _ remedy: Remedy?) {
        // Without one its end is about to be reported.
        guard let pid = handle.supervisorPID else { return }
        let id = request.attempt == 1 ? request.run : "\(request.run).\(request.attempt)"
        var scope = Scope(job: launch.job.name, id: id)
        scope.memoryMaxBytes = launch.job.resources.memoryMaxBytes.map { UInt64($0) }
        scope.cpuQuotaUSec = launch.job.resources.cpuQuotaPercent.map { UInt64(min($0, 1e9) * 10_000) }
        scope.tasksMax = launch.job.resources.tasksMax.map { UInt64($0) }
        userManager.place(pid, in: scope) { [unowned self] placement in
            guard handle.isActive else { return }
            if let failure = placement.failure { warnOfScope(launch, failure) }
            var request = request
            request.scope = placement.scope ?? ""
            do throws(JobError) {
                try complete(&request, launch, remedy, session: sessionEnvironment(placement.environment))
                handle.proceed(with: request)
            } catch {
                handle.abandon(because: error.inDefinition)
            }
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
        // Whoever cancelled the run meanwhile meant the run, not its remedy.
        if report.isCancelled { attemptEnded(launch.run.id, launch.run.attempt, report) } else { begin(launch) }
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
