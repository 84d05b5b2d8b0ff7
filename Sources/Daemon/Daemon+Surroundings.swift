import Configuration
import Desktop
import EventLoop
import Execution
import Processes
import Schedules
import Scheduling

/// What runs wait for in their surroundings, and want of the machine.
extension Daemon {
    func fulfil(_ wish: Effect) {
        switch wish {
        case .watch(let watch): surroundings.watch(watch)
        case .check(let run, let command, let job): check(command, of: job, for: run)
        case .holdAwake(let runs): holdAwake(runs)
        case .armWakeUp(let instant): armWakeUp(instant)
        case .sleepAgain(let since): sleepAgain(unlessUsedSince: since)
        case .commit, .stop, .start, .arm, .announce, .reply:
            preconditionFailure("\(wish) is performed in its own place")
        }
    }

    // MARK: - The command of a condition

    private static let checkSuffix = "~condition"

    /// Runs it as an attempt of its own: supervised, bounded, in the surroundings of the run that waits for it.
    private func check(_ command: Job.Action, of job: Job, for id: String) {
        guard let run = scheduler.activeRun(id: id) else { return }
        var definition = job
        definition.action = command
        definition.credentials = [:]
        let launch = Launch(run: run, job: definition)
        do throws(JobError) {
            let plan = try AttemptPlan(launch, session: environment, home: home)
            // A folder of its own; it is swept away as one without a run.
            var request = AttemptRequest(
                run: id + Self.checkSuffix, attempt: 1, arguments: plan.arguments, environment: plan.environment,
                workingDirectory: plan.workingDirectory)
            request.timeout = Scheduler.commandPatience
            request.killGrace = job.killGrace
            request.outputLimit = job.outputLimit
            let name = request.run
            checks[name] = runner.start(request) { [unowned self] report in
                checks[name] = nil
                runner.removeOutput(run: name, attempt: 1)
                checked(id, job, report)
            }
        } catch {
            log.warning("a condition cannot be asked", fields(id, job) + [("BOTCRON_ERROR", "\(error)")])
            submit(.conditionChecked(run: id, holds: nil))
        }
    }

    /// A run that was given up, or cancelled, waits for no answer.
    func endIdleChecks() {
        for (name, check) in checks where !check.isEnding {
            let run = String(name.dropLast(Self.checkSuffix.count))
            if scheduler.unmetConditions(ofRun: run) == nil { check.cancel() }
        }
    }

    private func checked(_ id: String, _ job: Job, _ report: AttemptReport) {
        if report.isCancelled, scheduler.unmetConditions(ofRun: id) == nil { return }
        var holds: Bool?
        if case .exited(let code) = report.ending, !report.isTimedOut { holds = code == 0 }
        if holds == nil {
            log.warning(
                "a condition did not answer, so it holds", fields(id, job) + [("BOTCRON_ENDING", "\(report.ending)")])
        }
        submit(.conditionChecked(run: id, holds: holds))
    }

    private func fields(_ id: String, _ job: Job) -> [(String, String)] {
        [("BOTCRON_JOB", job.name), ("BOTCRON_EXECUTION_ID", id)]
    }

    // MARK: - Awake and asleep

    private func holdAwake(_ runs: [AwakeRun]) {
        let wanted = Set(runs.map(\.run))
        for run in heldAwake.subtracting(wanted) { login.letSleep(for: run) }
        for run in runs where !heldAwake.contains(run.run) {
            login.keepAwake(for: run.run, why: "The job \(run.job) runs and wants the machine awake")
        }
        heldAwake = wanted
        awakeRefused.formIntersection(wanted)
    }

    func watchRefusals() {
        login.onRefusal = { [unowned self] run, reason in
            guard awakeRefused.insert(run).inserted else { return }
            log.warning(
                "the machine cannot be kept awake for a run; it runs all the same",
                [("BOTCRON_EXECUTION_ID", run), ("BOTCRON_REASON", reason)])
            submit(.caveat(run: run, "the machine could not be kept awake: \(reason)"))
        }
    }

    private func armWakeUp(_ instant: Instant?) {
        guard let instant else {
            wakeTimer?.disarm()
            return
        }
        prepareWakeTimer()
        if let wakeFault, !isWakeFaultTold {
            isWakeFaultTold = true
            log.warning("the machine cannot be woken for jobs", [("BOTCRON_ERROR", wakeFault)])
        }
        wakeTimer?.arm(atUSec: UInt64(max(0, instant.microseconds)))
    }

    /// An alarm of the hardware clock. That it wakes the machine is all: what is due then has a timer as ever.
    func prepareWakeTimer() {
        guard wakeTimer == nil, wakeFault == nil else { return }
        do {
            wakeTimer = try loop.timer(.realtimeAlarm) {}
        } catch {
            wakeFault = "\(error)"
        }
    }

    private func sleepAgain(unlessUsedSince since: Instant) {
        login.suspend(unlessUsedSince: UInt64(max(0, since.microseconds))) { [unowned self] reason in
            if let reason {
                log.info("the machine stays awake after the runs that it was woken for", [("BOTCRON_REASON", reason)])
            } else {
                log.info("the machine goes to sleep again after the runs that it was woken for")
            }
        }
    }
}
