internal import Configuration
internal import EventLoop
internal import Execution
internal import Processes
public import Scheduling

/// What runs beside runs: the command of a condition, the command that is to mend.
extension Attempts {
    private static let conditionSuffix = "~condition"
    private static let remedySuffix = "~remedy"
    private static let pollSuffix = "~poll"
    private static let precheckSuffix = "~precheck"
    /// A remedy is given so long; then the attempt follows all the same.
    private static var remedyTimeout: Duration { .seconds(120) }

    static func remedyName(of run: String) -> String { run + remedySuffix }

    /// Whose errand has this name; the run itself where it is none's.
    static func owner(of name: String) -> String {
        for suffix in [conditionSuffix, remedySuffix, precheckSuffix] where name.hasSuffix(suffix) {
            return String(name.dropLast(suffix.count))
        }
        return name
    }

    // MARK: - Remedies

    func remedy(for run: Run) -> [String]? {
        guard run.attempt > 1, let type = run.failureType else { return nil }
        return settings.remediation[type]
    }

    /// The attempt follows however its remedy ends: that helps where it can.
    func mend(_ attempt: LiveAttempt, _ launch: Launch, _ argv: [String]) {
        attempt.life = .mending
        let request: AttemptRequest
        do throws(JobError) {
            request = try remedyRequest(argv, launch)
        } catch {
            return couldNotStart(attempt, error.inDefinition)
        }
        // The errand goes with this object.
        errands.run(request) { [unowned self] report in
            guard let report else { return couldNotStart(attempt, Self.endedBefore) }
            log.info(
                "remedy ended",
                attempt.fields + [
                    ("BOTCRON_FAILURE_TYPE", launch.run.failureType ?? ""), ("BOTCRON_ENDING", "\(report.ending)"),
                ])
            if case .exited(0) = report.ending {
                attempt.remedySucceeded = true
            } else {
                attempt.remedySucceeded = false
            }
            // Whoever cancelled the run meanwhile meant the run, not its remedy; even where that had ended by then.
            guard !attempt.isEnding, !report.isCancelled else { return ended(attempt, report) }
            attempt.life = .claimed
            begin(attempt)
        }
    }

    private func remedyRequest(_ argv: [String], _ launch: Launch) throws(JobError) -> AttemptRequest {
        let plan = try AttemptPlan(
            launch, session: session.ownEnvironment, common: settings.surroundings,
            home: home)
        var request = AttemptRequest(
            run: Self.remedyName(of: launch.run.id), attempt: 1, arguments: argv, environment: plan.environment,
            workingDirectory: plan.workingDirectory)
        request.outputLimit = launch.job.outputLimit
        request.timeout = Self.remedyTimeout
        request.killGrace = launch.job.killGrace
        return request
    }

    // MARK: - Conditions

    public func check(run id: String, command: Job.Action, job: Job) {
        guard let run = intake.activeRun(id: id) else { return }
        var definition = job
        definition.action = command
        definition.credentials = [:]
        do throws(JobError) {
            let plan = try AttemptPlan(
                Launch(run: run, job: definition), session: session.ownEnvironment, common: settings.surroundings,
                home: home)
            var request = AttemptRequest(
                run: id + Self.conditionSuffix, attempt: 1, arguments: plan.arguments, environment: plan.environment,
                workingDirectory: plan.workingDirectory)
            request.timeout = Scheduler.commandPatience
            request.killGrace = job.killGrace
            request.outputLimit = job.outputLimit
            // The errand goes with this object.
            errands.run(request) { [unowned self] report in checked(id, job, report) }
        } catch {
            log.warning(
                "a condition cannot be asked",
                [("BOTCRON_JOB", job.name), ("BOTCRON_EXECUTION_ID", id), ("BOTCRON_ERROR", "\(error)")])
            intake.submit(.conditionChecked(run: id, holds: nil))
        }
    }

    /// - Parameter report: nil where it was cancelled before it began.
    private func checked(_ id: String, _ job: Job, _ report: AttemptReport?) {
        if report?.isCancelled ?? true, intake.unmetConditions(ofRun: id) == nil { return }
        var holds: Bool?
        if let report, !report.isTimedOut, case .exited(let code) = report.ending { holds = code == 0 }
        if holds == nil {
            log.warning(
                "a condition did not answer, so it holds",
                [
                    ("BOTCRON_JOB", job.name), ("BOTCRON_EXECUTION_ID", id),
                    ("BOTCRON_ENDING", report.map { "\($0.ending)" } ?? "cancelled"),
                ])
        }
        intake.submit(.conditionChecked(run: id, holds: holds))
    }

    // MARK: - Polls

    public func poll(_ subject: PollSubject, command: Job.Action, job: Job) {
        let name: String
        var run: Run
        switch subject {
        case .job(let job):
            name = job + Self.pollSuffix
            run = Run(
                id: name, job: job, skill: "", trigger: .poll, scheduledFor: nil, createdAt: intake.now, status: .queued
            )
        case .run(let id):
            guard let active = intake.activeRun(id: id) else { return }
            name = id + Self.precheckSuffix
            run = active
        }
        run.standardInput = nil
        var definition = job
        definition.action = command
        definition.credentials = [:]
        do throws(JobError) {
            let plan = try AttemptPlan(
                Launch(run: run, job: definition), session: session.ownEnvironment, common: settings.surroundings,
                home: home)
            var request = AttemptRequest(
                run: name, attempt: 1, arguments: plan.arguments, environment: plan.environment,
                workingDirectory: plan.workingDirectory)
            request.timeout = Scheduler.commandPatience
            request.killGrace = job.killGrace
            request.outputLimit = 2 * Self.pollOutputMax
            // The errand goes with this object.
            errands.run(request, outputMax: Self.pollOutputMax) { [unowned self] report, output in
                polled(subject, job, report, output)
            }
        } catch {
            polled(subject, job, failure: "\(error)")
        }
    }

    /// A longer output is cut: it is the standard input of a run.
    private static var pollOutputMax: Int { 64 << 10 }

    private func polled(_ subject: PollSubject, _ job: Job, _ report: AttemptReport?, _ output: [UInt8]) {
        guard let report else { return polled(subject, job, failure: "it was cancelled before it began") }
        switch report.ending {
        case .exited(0) where !report.isTimedOut && !report.isCancelled:
            intake.submit(.polled(subject, .found(output: String(decoding: output, as: UTF8.self))))
        case .exited(1) where !report.isTimedOut && !report.isCancelled:
            intake.submit(.polled(subject, .nothing))
        case .exited(let code): polled(subject, job, failure: report.isTimedOut ? "timed out" : "exited with \(code)")
        case .signaled(let signal, _):
            polled(subject, job, failure: report.isTimedOut ? "timed out" : "signal \(signal)")
        default: polled(subject, job, failure: "\(report.ending)")
        }
    }

    private func polled(_ subject: PollSubject, _ job: Job, failure: String) {
        log.warning("a poll failed", [("BOTCRON_JOB", job.name), ("BOTCRON_ERROR", failure)])
        intake.submit(.polled(subject, .failed(failure)))
    }

    /// A run that was given up, or cancelled, waits for no answer.
    public func endIdleErrands() {
        let asked = [Self.conditionSuffix, Self.precheckSuffix]
        for name in errands.names where asked.contains(where: { name.hasSuffix($0) }) {
            if intake.unmetConditions(ofRun: Self.owner(of: name)) == nil { errands.cancel(name) }
        }
    }
}
