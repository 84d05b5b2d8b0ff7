internal import Configuration
internal import DBus
internal import JSON
internal import Performing
internal import Schedules
internal import Scheduling
internal import Store

/// Whether all is well, check by check. It always answers: what cannot be found out is a check that does not hold.
struct HealthReport {
    let scheduler: any SchedulerReading
    let settings: any SettingsControl
    let machine: any MachineReading
    let service: any ServiceControl
    let telling: RunTelling

    /// Below this share of failed runs the check `acceptable_failure_rate` holds.
    private static let acceptableFailureRate = 0.5
    /// Runs before the failure rate says anything.
    private static let runsForRate = 10
    /// Of the newest records, those among which the last execution is looked for.
    private static let recentRuns = 10

    func shape() -> JSONObject {
        let configuration = settings.configuration
        let statistics = try? telling.statistics()
        let total = statistics?.total ?? 0
        let failed = statistics?.failed ?? 0
        let rate = total == 0 ? 1 : Double(total - failed) / Double(total)
        let storeFault = scheduler.health.storeFault
        let fault = settings.configurationFault
        let refused = configuration.refused
        let checks: [(name: String, holds: Bool)] = [
            ("running", true),
            // A pause that was asked for is healthy.
            ("scheduler_running", scheduler.status != .stopping),
            ("store_writable", statistics != nil && storeFault == nil),
            // A job that is refused is one that somebody waits for.
            ("config_valid", fault == nil && refused.isEmpty),
            ("bus_connected", service.isOnBus),
            // No logind is healthy, too.
            ("sleep_monitor", true),
            ("scheduler_initialized", true),
            ("jobs_scheduled", scheduler.jobCount > 0 || configuration.jobs.isEmpty),
            ("acceptable_failure_rate", total < Self.runsForRate || 1 - rate < Self.acceptableFailureRate),
            ("uptime_ok", true),
        ]
        var shape: JSONObject = [
            "healthy": .bool(checks.allSatisfy(\.holds)),
            "scheduler_running": .bool(scheduler.status == .running),
            "job_count": .number(scheduler.jobCount),
            "refused_jobs": .number(refused.count),
            "next_job": nextJob(configuration),
            "last_execution": lastRun,
            "uptime_seconds": .number(service.uptime),
            "stats": [
                "total_executions": .number(total), "successful": .number(statistics?.successful ?? 0),
                "failed": .number(failed), "success_rate": .number(rate),
            ],
            "checks": .object(JSONObject(checks.map { ($0.name, .bool($0.holds)) })),
            "surroundings": .array(surroundings),
            "message": .string(Self.message(checks.filter { !$0.holds }.map(\.name), refused, fault)),
            "timestamp": .number(Double(scheduler.now.microseconds) / 1e6),
            "jobs_executed": .number(total),
            "jobs_failed": .number(failed),
        ]
        if let storeFault { shape["store_error"] = .string("\(storeFault)") }
        if let fault { shape["configuration_error"] = .string(fault.description) }
        return shape
    }

    /// Of the refused ones so many are named.
    private static let namedJobs = 3

    /// In the words of the older clients; where something is wrong, with what that is about config.json and which
    /// definitions are refused behind them.
    private static func message(_ bad: [String], _ refused: [RefusedJob], _ fault: ConfigurationError?) -> String {
        guard !bad.isEmpty else { return "Cron daemon is healthy" }
        var text = "Unhealthy: " + bad.joined(separator: ", ")
        if let fault { text += "; the last good configuration is in force: \(fault.description)" }
        guard !refused.isEmpty else { return text }
        let names = refused.prefix(Self.namedJobs).map(\.name).joined(separator: ", ")
        let rest = refused.count > Self.namedJobs ? ", …" : ""
        let count = refused.count == 1 ? "1 job is refused" : "\(refused.count) jobs are refused"
        text += "; \(count), list_jobs says why: \(names)\(rest)"
        return text
    }

    private func nextJob(_ configuration: Configuration) -> JSONValue {
        guard let next = scheduler.nextRun else { return .null }
        return [
            "name": .string(next.job),
            "scheduled": .instant(next.at, scheduler.definition(of: next.job)?.zone ?? configuration.timezone),
            "in_seconds": .number((next.at - scheduler.now).inSeconds.rounded()),
        ]
    }

    private var lastRun: JSONValue {
        let runs = (try? telling.history(HistoryQuery(limit: Self.recentRuns)))?.runs ?? []
        guard let last = runs.first(where: { $0.status.isExecuted && !$0.status.isActive }) else { return .null }
        return [
            "job": .string(last.job), "status": .string(last.status.rawValue),
            "completed_at": .instant(last.endedAt, telling.zone(of: last)),
        ]
    }

    /// What the daemon sees around it, for people: each with whether it serves its purpose, and one sentence. What is
    /// absent is no fault: a daemon without a desktop is healthy.
    private var surroundings: [JSONValue] {
        let fault = settings.configurationFault
        let storeFault = scheduler.health.storeFault
        let own = [
            MachineFact(
                name: "configuration", isServing: fault == nil,
                text: fault?.description ?? settings.configurationPath),
            MachineFact(
                name: "store", isServing: storeFault == nil, text: storeFault.map { "\($0)" } ?? service.statePath),
        ]
        return (own + machine.machineFacts).map { fact in
            ["name": .string(fact.name), "serves": .bool(fact.isServing), "text": .string(fact.text)]
        }
    }
}
