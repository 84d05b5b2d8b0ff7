internal import JSON
internal import Performing
internal import Schedules
internal import Scheduling

/// A job as clients read it: `control-interface`, "Shapes".
enum JobShape {
    static func json(_ view: Scheduler.JobView, of scheduler: any SchedulerReading) -> JSONObject {
        let (job, state) = (view.job, view.state)
        let running = view.running(in: scheduler)
        let waitingFor = view.active.flatMap { scheduler.waits(ofRun: $0) }
        let schedule = job.schedules.first
        let cron = job.schedules.first { $0.type == "cron" }
        var trigger = "manual"
        if schedule != nil {
            trigger = "schedule"
        } else if job.after != nil {
            trigger = "chain"
        } else if job.triggerQueue != nil {
            trigger = "queue"
        } else if job.poll != nil {
            trigger = "poll"
        }
        var shape: JSONObject = [
            "name": .string(job.name),
            "title": .string(job.title),
            "description": .string(job.description),
            "enabled": .bool(view.isEnabled),
            "disabled_reason": view.isEnabled ? .null : .optional(state.disabledReason),
            "origin": .string(job.origin.rawValue),
            "schedule_type": .optional(schedule?.type),
            "schedule": .optional(schedule?.text),
            "cron": .optional(cron?.text),
            "timezone": .string(job.zone.name),
            "trigger": .string(trigger),
            "skill": .string(job.skill),
            "persona": .string(job.persona),
            "inputs": parsed(job.inputs),
            "execution_mode": .string(job.executionMode),
            "notify": parsed(job.notify),
            "next_run": .instant(view.nextRun, job.zone),
            "last_run": .instant(state.lastRunAt, job.zone),
            "last_status": .optional(state.lastStatus?.rawValue),
            "last_duration_ms": state.lastDuration.map { .number($0.wholeMilliseconds) } ?? .null,
            "run_count": .number(state.runCount),
            "failure_count": .number(state.failureCount),
            "running": .array(running.map { .string($0) }),
            "waiting_for": .array(waitingFor.map { .string($0) }),
            "tags": .array(job.tags.map { .string($0) }),
            "error": .null,
        ]
        // Of most jobs there is nothing to say, and a list of them is long.
        if view.isPunctual {
            shape["late"] = .bool(view.lateSince != nil)
            shape["late_since"] = .instant(view.lateSince, job.zone)
        }
        if job.poll != nil {
            shape["polls"] = .number(state.polls)
            shape["last_poll"] = .instant(state.lastPollAt, job.zone)
        }
        return shape
    }

    /// A job that stands in the configuration and cannot be scheduled.
    static func json(_ refused: RefusedJob) -> JSONObject {
        let definition = parsed(refused.definition)
        func text(_ key: String) -> JSONValue {
            definition[key].flatMap { $0.stringValue.map { .string($0) } } ?? .null
        }
        let schedule = schedule(of: definition)
        return [
            "name": .string(refused.name),
            "title": .string(refused.name),
            "description": .string(definition["description"]?.stringValue ?? ""),
            "enabled": .bool(isEnabled(refused)),
            "disabled_reason": .null,
            "origin": .string(Job.Origin.config.rawValue),
            "schedule_type": schedule.map { .string($0.type) } ?? text("schedule_type"),
            "schedule": schedule.map { .string($0.text) } ?? text("schedule"),
            "cron": text("cron"),
            "timezone": text("timezone"),
            "trigger": .null,
            "skill": .string(definition["skill"]?.stringValue ?? ""),
            "persona": .string(definition["persona"]?.stringValue ?? ""),
            "inputs": definition["inputs"] ?? .object([:]),
            "execution_mode": text("execution_mode"),
            "notify": definition["notify"] ?? .array([]),
            "next_run": .null,
            "last_run": .null,
            "last_status": .null,
            "last_duration_ms": .null,
            "run_count": .number(0),
            "failure_count": .number(0),
            "running": .array([]),
            "waiting_for": .array([]),
            "tags": definition["tags"] ?? .array([]),
            "error": .string(refused.error),
        ]
    }

    /// The schedule that a definition which does not read is meant to have.
    static func schedule(of definition: JSONValue) -> (type: String, text: String)? {
        ["cron", "interval", "once", "calendar"].lazy.compactMap { type in
            definition[type]?.stringValue.map { (type, $0) }
        }.first
    }

    static func isEnabled(_ refused: RefusedJob) -> Bool { parsed(refused.definition)["enabled"]?.boolValue ?? true }

    static func status(_ view: Scheduler.JobView) -> JobQuery.Status {
        if !view.active.isEmpty { return .running }
        if !view.isEnabled { return .cancelled }
        let isOver = view.isFinished || (!view.job.schedules.isEmpty && view.nextRun == nil && view.state.runCount > 0)
        guard isOver else { return .pending }
        return view.state.lastStatus?.isFailure ?? false ? .failed : .completed
    }

    /// Text that the reader of the configuration made: it parses.
    static func parsed(_ text: String) -> JSONValue {
        switch text {
        // Of most jobs.
        case "{}": .object([:])
        case "[]": .array([])
        default: (try? JSONValue(parsing: text)) ?? .null
        }
    }
}

extension Scheduler.JobView {
    /// Whether anything is expected of it by some time.
    var isPunctual: Bool { job.expectWithin != nil || job.expectEvery != nil || job.expectBy != nil }

    /// Keys of the conditions that its runs wait for.
    func waitingFor(in scheduler: any SchedulerReading) -> [String] { scheduler.unmetConditions(ofRuns: active) }

    /// Ids of its runs that have their turn: what waits for it does not run.
    func running(in scheduler: any SchedulerReading) -> [String] { scheduler.running(of: active) }
}

extension Scheduler.JobGlance {
    // As above.

    func waitingFor(in scheduler: any SchedulerReading) -> [String] { scheduler.unmetConditions(ofRuns: active) }
    func running(in scheduler: any SchedulerReading) -> [String] { scheduler.running(of: active) }
}

extension SchedulerReading {
    /// Keys of the conditions that runs wait for.
    fileprivate func unmetConditions(ofRuns ids: [String]) -> [String] {
        Set(ids.flatMap { unmetConditions(ofRun: $0)?.unmet.map(\.key) ?? [] }).sorted()
    }

    /// Those of the runs that have their turn.
    fileprivate func running(of ids: [String]) -> [String] {
        ids.filter { id in activeRun(id: id).map { $0.status != .queued } ?? false }
    }

    /// What a run waits for, in words; nothing where it waits for its turn alone.
    func waits(ofRun id: String) -> [String] {
        if let hold = groupHold(ofRun: id) { return ["hold group \(hold.group)"] }
        if activeRun(id: id)?.openQuestion != nil { return ["question"] }
        return unmetConditions(ofRun: id)?.unmet.map(\.text) ?? []
    }
}
