internal import Configuration
internal import Contract
internal import DBus
internal import JSON
internal import Performing
internal import Schedules
internal import Scheduling
internal import Store

/// The daemon as clients read it: `control-interface` and `older-clients`, "Shapes".
struct ServiceReport {
    let scheduler: any SchedulerReading
    let settings: any SettingsControl
    let service: any ServiceControl
    let catalogue: Catalogue
    let telling: RunTelling

    /// Runs that `GetStatus` shows.
    private static let recentExecutions = 10

    // MARK: - GetStatus, GetStats

    func stats() throws(ErrorReply) -> JSONObject {
        let statistics = try telling.statistics()
        let configuration = settings.configuration
        let refused = configuration.refused
        let (jobs, omitted) = jobs()
        let active = scheduler.activeRuns
        var shape: JSONObject = [
            "running": true,
            "uptime": .number(service.uptime),
            "service_name": .string(Address.busName),
            "jobs_executed": .number(statistics.total),
            "jobs_failed": .number(statistics.failed),
            "enabled": .bool(scheduler.isEnabled),
            "status": .string(scheduler.status.rawValue),
            "execution_mode": .string(configuration.executionMode),
            "timezone": .string(configuration.timezone.name),
            "job_count": .number(scheduler.jobCount),
            "jobs": .array(jobs),
            "late_jobs": .array(scheduler.lateJobs.prefix(Bounds.statusDetails).map { .string($0) }),
            "active_runs": .array(active.prefix(Bounds.statusDetails).map { .string($0.id) }),
            "configuration": .string(settings.configurationPath),
            "configuration_error": .optional(settings.configurationFault?.description),
            "config_error": configurationError,
            "refused_count": .number(refused.count),
            "refused_jobs": .array(
                refused.prefix(Bounds.statusDetails).map { ["name": .string($0.name), "error": .string($0.error)] }),
            "clock": clock,
            "loop": loop,
            "version": .string(botcronVersion),
            "holds": holds,
            "questions": .number(scheduler.askingRuns.count),
        ]
        if let use = scheduler.budgetUse { shape["budget"] = budget(use) }
        if omitted > 0 { shape["jobs_omitted"] = .number(omitted) }
        if let pause = try pause() {
            shape["paused_since"] = .instant(pause.at, configuration.timezone)
            shape["paused_by"] = .string(pause.author.text)
        }
        return shape
    }

    func status() throws(ErrorReply) -> JSONObject {
        var shape = try stats()
        shape["recent_executions"] = .array(try telling.ended(Self.recentExecutions).map { telling.json(of: $0) })
        return shape
    }

    /// Who has paused all schedules, and when; nil where nobody has, or where config.json has.
    private func pause() throws(ErrorReply) -> JobChange? {
        guard !scheduler.isEnabled else { return nil }
        return try telling.changes(ofJob: "", limit: 1).first { $0.what == .paused }
    }

    /// Every job by name; of more than `Bounds.statusJobs` those that are due first, and how many were left out.
    private func jobs() -> (shapes: [JSONValue], omitted: Int) {
        let count = scheduler.jobCount
        let names = count <= Bounds.statusJobs ? catalogue.names : scheduler.soonest(Bounds.statusJobs)
        let shapes = names.compactMap { scheduler.job(named: $0) }.map { view -> JSONValue in
            ["name": .string(view.job.name), "next_run": .instant(view.nextRun, view.job.zone)]
        }
        return (shapes, count - shapes.count)
    }

    /// Why config.json as it stands is not in force: where in which file, and a sentence. Null where it is.
    private var configurationError: JSONValue {
        guard let fault = settings.configurationFault else { return .null }
        return [
            "file": .string(settings.configurationPath),
            "line": fault.line.map { .number($0) } ?? .null,
            "column": fault.column.map { .number($0) } ?? .null,
            "sentence": .string(fault.description),
        ]
    }

    /// Groups of jobs that wait.
    private var holds: JSONValue {
        let zone = settings.configuration.timezone
        let waiting = scheduler.runsByGroup
        return .array(
            scheduler.groupHolds.map { hold in
                [
                    "group": .string(hold.group), "until": .instant(hold.until, zone),
                    "since": .instant(hold.since, zone), "execution_id": .optional(hold.run),
                    "waiting": .number(waiting[hold.group] ?? 0),
                ]
            })
    }

    /// What all jobs together have used up today of what they may.
    private func budget(_ use: BudgetUse) -> JSONValue {
        let budget = settings.configuration.settings.budget
        return [
            "runs": .number(use.runs), "runs_per_day": budget.runsPerDay.map { .number($0) } ?? .null,
            "wall_time_seconds": .number(use.wallTime.inSeconds),
            "wall_time_per_day": budget.wallTimePerDay.map { .number($0.inSeconds) } ?? .null,
            "cost": .number(use.cost), "cost_per_day": budget.costPerDay.map { .number($0) } ?? .null,
        ]
    }

    /// The last time that the wall clock was set; null where it was not.
    private var clock: JSONValue {
        guard let step = scheduler.clockStep else { return .null }
        return [
            "at": .instant(step.at, settings.configuration.timezone), "by_seconds": .number(step.by.inSeconds),
        ]
    }

    /// How long the turns of the loop took since the start.
    private var loop: JSONValue {
        let health = scheduler.health
        let exempt = health.exempt.sorted { $0.key < $1.key }.map { name, times -> (String, JSONValue) in
            (name, ["count": .number(times.count), "ms_max": .number(times.millisecondsMax)])
        }
        return [
            "turns": .number(health.turns),
            "busy_ms_max": .number(health.busyMillisecondsMax),
            "late_ms_max": .number(health.lateMillisecondsMax),
            "late_ms_p99": .number(health.lateMillisecondsP99),
            "exempt": .object(JSONObject(exempt)),
        ]
    }
}
