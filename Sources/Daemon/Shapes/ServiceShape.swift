import Configuration
import DBus
import EventLoop
import JSON
import Store
import Schedules
import Scheduling

/// The daemon as clients read it: `control-interface` and `older-clients`, "Shapes".
extension Daemon {
    /// Runs that `GetStatus` shows.
    private static let recentExecutions = 10
    /// Below this share of failed runs the check `acceptable_failure_rate` holds.
    private static let acceptableFailureRate = 0.5
    /// Runs before the failure rate says anything.
    private static let runsForRate = 10

    /// Seconds since the start, sleep included.
    var uptime: Double { Double(loop.now(.boottime) - startedAtUSec) / 1e6 }

    func stats() throws -> JSONValue { .object(try statsObject()) }

    private func statsObject() throws -> JSONObject {
        let statistics = try store.statistics()
        return [
            "running": true,
            "uptime": .number(uptime),
            "service_name": .string(Self.busName.text),
            "jobs_executed": .number(statistics.total),
            "jobs_failed": .number(statistics.failed),
            "enabled": .bool(scheduler.isEnabled),
            "status": .string(scheduler.status.rawValue),
            "execution_mode": .string(configuration.executionMode),
            "timezone": .string(configuration.timezone.name),
            "job_count": .number(scheduler.jobCount),
            "jobs": .array(
                scheduler.jobNames.compactMap { scheduler.job(named: $0) }.map {
                    ["name": .string($0.job.name), "next_run": .instant($0.nextRun, $0.job.zone)]
                }),
            "active_runs": .array(scheduler.activeRuns.map { .string($0.id) }),
            "configuration": .string(configurationPath),
            "configuration_error": .optional(configurationFault),
            "version": .string(botcronVersion),
        ]
    }

    func statusShape() throws -> JSONValue {
        var shape = try statsObject()
        shape["recent_executions"] = .array(try endedRuns(Self.recentExecutions).map { json(of: $0) })
        return .object(shape)
    }

    /// Whether all is well. It always answers: what cannot be found out is a check that does not hold.
    func health() -> JSONValue {
        let statistics = try? store.statistics()
        let total = statistics?.total ?? 0
        let failed = statistics?.failed ?? 0
        let rate = total == 0 ? 1 : Double(total - failed) / Double(total)
        let isStoreFine = statistics != nil && storeFault == nil
        let checks: [(name: String, holds: Bool)] = [
            ("running", true),
            // A pause that was asked for is healthy.
            ("scheduler_running", scheduler.status != .stopping),
            ("store_writable", isStoreFine),
            ("config_valid", configurationFault == nil),
            ("bus_connected", connection.isOpen && isNameOwned),
            // No logind is healthy, too.
            ("sleep_monitor", true),
            ("scheduler_initialized", true),
            ("jobs_scheduled", scheduler.jobCount > 0 || configuration.jobs.isEmpty),
            ("acceptable_failure_rate", total < Self.runsForRate || 1 - rate < Self.acceptableFailureRate),
            ("uptime_ok", true),
        ]
        let isHealthy = checks.allSatisfy(\.holds)
        let bad = checks.filter { !$0.holds }.map(\.name).joined(separator: ", ")
        let last = (try? store.history(HistoryQuery(limit: Self.recentExecutions)))?.runs.first {
            $0.status.isExecuted && !$0.status.isActive
        }
        var shape: JSONObject = [
            "healthy": .bool(isHealthy),
            "scheduler_running": .bool(scheduler.status == .running),
            "job_count": .number(scheduler.jobCount),
            "next_job": .null,
            "last_execution": .null,
            "uptime_seconds": .number(uptime),
            "stats": [
                "total_executions": .number(total), "successful": .number(statistics?.successful ?? 0),
                "failed": .number(failed), "success_rate": .number(rate),
            ],
            "checks": .object(JSONObject(checks.map { ($0.name, .bool($0.holds)) })),
            "surroundings": .array(surroundingsShape()),
            "message": .string(isHealthy ? "Cron daemon is healthy" : "Unhealthy: \(bad)"),
            "timestamp": .number(Double(now.microseconds) / 1e6),
            "jobs_executed": .number(total),
            "jobs_failed": .number(failed),
        ]
        if let next = scheduler.nextRun {
            let zone = scheduler.job(named: next.job)?.job.zone ?? configuration.timezone
            shape["next_job"] = [
                "name": .string(next.job), "scheduled": .instant(next.at, zone),
                "in_seconds": .number((next.at - now).inSeconds.rounded()),
            ]
        }
        if let last {
            shape["last_execution"] = [
                "job": .string(last.job), "status": .string(last.status.rawValue),
                "completed_at": .instant(last.endedAt, zone(of: last)),
            ]
        }
        if let storeFault { shape["store_error"] = .string("\(storeFault)") }
        if let configurationFault { shape["configuration_error"] = .string(configurationFault) }
        return .object(shape)
    }

    // MARK: - Jobs

    /// The names of all jobs, those that were refused included.
    var allJobNames: [String] { scheduler.jobNames + configuration.refused.map(\.name) }

    /// Jobs that `isWanted`, by their next fire time; those without one last, by name.
    func jobsByNextRun(_ isWanted: (ListedJob) -> Bool) -> [JSONObject] {
        let good = scheduler.jobNames.compactMap { scheduler.job(named: $0) }.map { view in
            ListedJob(
                name: view.job.name, owner: view.job.owner, tags: view.job.tags, isEnabled: view.isEnabled,
                nextRun: view.nextRun, shape: JobShape.json(view, of: scheduler))
        }
        let bad = configuration.refused.map { refused in
            let shape = JobShape.json(refused)
            return ListedJob(
                name: refused.name, owner: JobShape.parsed(refused.definition)["owner"]?.stringValue ?? "",
                tags: shape["tags"]?.arrayValue?.compactMap(\.stringValue) ?? [],
                isEnabled: shape["enabled"]?.boolValue ?? true, nextRun: nil, shape: shape)
        }
        return (good + bad).filter(isWanted).sorted { a, b in
            a.nextRun == b.nextRun
                ? a.name < b.name
                : a.nextRun.map { first in b.nextRun.map { first < $0 } ?? true } ?? false
        }.map(\.shape)
    }

    /// The newest runs that have ended: what older clients take for history, where every entry has an outcome.
    func endedRuns(_ limit: Int) throws(StoreError) -> [Run] {
        let active = min(scheduler.activeRunCount, HistoryQuery.limitMax)
        let page = try store.history(HistoryQuery(limit: min(limit + active, HistoryQuery.limitMax)))
        return Array(page.runs.filter { !$0.status.isActive }.prefix(limit))
    }
}

/// A job with what lists of it are filtered and sorted by.
struct ListedJob {
    var name: String
    var owner: String
    var tags: [String]
    var isEnabled: Bool
    var nextRun: Instant?
    var shape: JSONObject
}
