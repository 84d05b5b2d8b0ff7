import Configuration
import DBus
import EventLoop
import Execution
import JSON
import Store
import Schedules
import Scheduling

/// A client that waits for the end of a run.
struct RunWaiter {
    var call: MethodCall
    /// Forgets the client when it leaves the bus.
    var vanishing: Subscription?
}

/// Tells the bus, the journal and those who wait what is now on record.
extension Daemon {
    /// A signal of the control interface: its name, and its arguments by name.
    private struct Signal {
        let name: MemberName
        let arguments: [(name: String, value: DBusValue)]
    }

    /// Tells everybody. The store forgets that this is still to be told when all is ready to be sent, and right before
    /// it is: a daemon that is killed between the two tells too little, so as little as can be lies between them.
    func tell(_ announcements: [Announcement]) {
        let signals = announcements.compactMap(signal)
        forgetUntold()
        for signal in signals {
            connection.emit(Self.objectPath, Self.interfaceName, signal.name, signal.arguments.map(\.value))
        }
        // The same once more as `Event`, for the older clients.
        for signal in signals {
            let data = JSONObject(signal.arguments.map { ($0.name, Self.json(of: $0.value)) })
            connection.emit(
                Self.objectPath, Self.interfaceName, "Event",
                [.string(signal.name.text), .string(JSONValue.object(data).compactText)])
        }
        for announcement in announcements {
            record(announcement)
            switch announcement {
            // One that was given up for its conditions may be waited for, too.
            case .jobCompleted(let run), .jobFailed(let run), .jobMissed(let run): answerWaiters(of: run)
            case .schedulerToggled: connection.propertiesChanged(Self.objectPath, Self.interfaceName, ["Enabled"])
            default: break
            }
        }
    }

    /// Nil where the bus hears of it by other signals.
    private func signal(_ announcement: Announcement) -> Signal? {
        func signal(_ name: MemberName, _ arguments: [(name: String, value: DBusValue)]) -> Signal {
            Signal(name: name, arguments: arguments)
        }
        func ofRun(_ name: MemberName, _ run: Run, _ more: [(name: String, value: DBusValue)] = []) -> Signal {
            signal(name, [("job", .string(run.job)), ("execution_id", .string(run.id))] + more)
        }
        switch announcement {
        case .jobStarted(let run):
            return ofRun("JobStarted", run)
        case .jobCompleted(let run):
            return ofRun("JobCompleted", run, [("result", .string(json(of: run).compactText))])
        case .jobFailed(let run):
            return ofRun("JobFailed", run, [("error", .string(run.error ?? run.status.rawValue))])
        case .jobRetrying(let run, let attempt, let delay):
            return ofRun(
                "JobRetrying", run,
                [
                    ("next_attempt", .uint32(UInt32(clamping: attempt))), ("delay_seconds", .double(delay.inSeconds)),
                    ("error", .string(run.error ?? "")),
                ])
        case .jobMissed(let run):
            let at = (run.scheduledFor ?? run.createdAt).rfc3339(in: zone(of: run))
            return signal(
                "JobMissed",
                [
                    ("job", .string(run.job)), ("scheduled_for", .string(at)),
                    ("reason", .string(run.reason?.rawValue ?? "")),
                ])
        case .jobPaused:
            return nil
        case .schedulerToggled(let isEnabled):
            return signal("SchedulerToggled", [("enabled", .bool(isEnabled))])
        case .jobsChanged(let added, let changed, let removed):
            return signal(
                "JobsChanged",
                [("added", .strings(added)), ("changed", .strings(changed)), ("removed", .strings(removed))])
        case .statusChanged(let status):
            return signal("StatusChanged", [("status", .string(status.rawValue))])
        }
    }

    /// In the journal.
    private func record(_ announcement: Announcement) {
        switch announcement {
        case .jobCompleted(let run):
            log.info("run completed", fields(run))
        case .jobFailed(let run):
            log.warning("run failed", fields(run) + [("BOTCRON_ERROR", run.error ?? run.status.rawValue)])
        case .jobRetrying(let run, _, let delay):
            log.warning(
                "attempt failed, another follows", fields(run) + [("BOTCRON_DELAY_SECONDS", "\(delay.inSeconds)")])
        case .jobMissed(let run):
            log.info(
                "fire time not run",
                fields(run) + [
                    ("BOTCRON_REASON", run.reason?.rawValue ?? ""), ("BOTCRON_COUNT", "\(run.coveredCount)"),
                ])
        case .jobPaused(let run, let failures):
            log.error("job paused: its runs fail", fields(run) + [("BOTCRON_COUNT", "\(failures)")])
        case .schedulerToggled(let isEnabled):
            log.info(isEnabled ? "schedules resumed" : "schedules paused")
        case .jobStarted, .jobsChanged, .statusChanged:
            break
        }
    }

    /// What announcements say of jobs without a record of it.
    func touchTypedFace(_ announcements: [Announcement]) {
        for announcement in announcements {
            switch announcement {
            case .schedulerToggled: typedFace.touchAllJobs()
            case .jobsChanged(let added, let changed, let removed): typedFace.touch(jobs: added + changed + removed)
            default: break
            }
        }
    }

    /// The types that arguments of our signals have.
    private static func json(of value: DBusValue) -> JSONValue {
        if let flag = value.asBool { return .bool(flag) }
        if let number = value.asDouble { return .number(number) }
        if let number = value.asUInt32 { return .number(number) }
        if let items = value.asArray { return .array(items.map { json(of: $0) }) }
        return .optional(value.asString)
    }

    private func fields(_ run: Run) -> [(String, String)] {
        [("BOTCRON_JOB", run.job), ("BOTCRON_EXECUTION_ID", run.id)]
    }

    // MARK: - The next run

    /// Tells what is next where that has changed: as a property, and in the status line of the service.
    func tellNextRun() {
        let next =
            scheduler.nextRun.map {
                $0.at.rfc3339(in: scheduler.job(named: $0.job)?.job.zone ?? configuration.timezone)
            } ?? ""
        if next != announcedNextRun {
            announcedNextRun = next
            connection.propertiesChanged(Self.objectPath, Self.interfaceName, ["NextRun"])
        }
        updateServiceStatus()
    }

    private func updateServiceStatus() {
        let next = announcedNextRun.isEmpty ? "nothing due" : "next at \(announcedNextRun)"
        let paused = scheduler.isEnabled ? "" : ", paused"
        let active = scheduler.activeRunCount
        let status = "\(scheduler.jobCount) jobs, \(active) active\(paused), \(next)"
        guard status != serviceStatus else { return }
        serviceStatus = status
        ServiceManager.status(status)
    }

    // MARK: - Those who wait

    func wait(for run: String, _ call: MethodCall) throws(ErrorReply) {
        try callers.beginWait(call.sender)
        var waiter = RunWaiter(call: call)
        if let sender = call.sender {
            waiter.vanishing = connection.watch(peer: sender) { [unowned self] in forgetWaiters(of: sender, run) }
        }
        waiters[run, default: []].append(waiter)
    }

    private func forgetWaiters(of sender: BusName, _ run: String) {
        for waiter in waiters[run] ?? [] where waiter.call.sender == sender {
            callers.endWait(sender)
            if !waiter.call.isAnswered { waiter.call.abandon() }
        }
        waiters[run]?.removeAll { $0.call.sender == sender }
        if waiters[run]?.isEmpty ?? false { waiters[run] = nil }
    }

    /// Those who waited are on a bus that is gone.
    func forgetAllWaiters() {
        for waiter in waiters.values.joined() {
            callers.endWait(waiter.call.sender)
            waiter.call.abandon()
        }
        waiters = [:]
    }

    private func answerWaiters(of run: Run) {
        guard let waiting = waiters.removeValue(forKey: run.id) else { return }
        let text = answer(of: run).compactText
        for waiter in waiting {
            waiter.vanishing?.cancel()
            callers.endWait(waiter.call.sender)
            waiter.call.reply([.string(text)])
        }
    }

    // MARK: - Shapes

    func zone(of run: Run) -> TimeZoneRules { scheduler.job(named: run.job)?.job.zone ?? configuration.timezone }

    func json(of run: Run) -> JSONValue {
        var shape = RunShape.json(run, zone: zone(of: run))
        if run.attempt > 1 { shape["retry"] = retryShape(of: run) }
        return .object(shape)
    }

    /// What older clients read of a run that was tried again.
    private func retryShape(of run: Run) -> JSONValue {
        // Of a run that succeeded in the end, the type of what it failed of before.
        let attempts = (try? store.attempts(ofRun: run.id)) ?? []
        let remedies = attempts.compactMap(\.remedySucceeded)
        return [
            "attempts": .number(run.attempt), "retried": true,
            "failure_type": .optional(run.failureType ?? attempts.compactMap(\.failureType).last),
            "remediation_applied": .bool(!remedies.isEmpty), "remediation_success": .bool(remedies.last ?? false),
        ]
    }

    /// The run with what its process has said of itself so far: on record that is only when the attempt has ended.
    func current(_ run: Run) -> Run {
        guard run.status == .running, let attempt = attempts[run.id] else { return run }
        let remarks = Remarks(attempt.handle.remarks)
        var run = run
        run.progress = remarks.progress
        run.result = remarks.result
        run.cost += remarks.cost ?? 0
        return run
    }

    func answer(of run: Run) -> JSONValue { .object(RunShape.answer(run, zone: zone(of: run))) }
}
