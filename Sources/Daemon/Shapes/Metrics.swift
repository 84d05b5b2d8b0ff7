import Configuration
import Store
import Schedules
import Scheduling

/// The daemon's figures as OpenMetrics text (OpenMetrics 1.0): base units, few labels, no secrets.
extension Daemon {
    func metrics() throws -> String {
        let statistics = try store.statistics()
        var text = MetricsText()
        text.family("botcron_build", .info, "The version of the daemon.") { family in
            family.sample("_info", [("version", botcronVersion)], 1)
        }
        text.family("botcron_uptime_seconds", .gauge, "Time since the start, sleep included.") { $0.sample(uptime) }
        text.family("botcron_scheduler_enabled", .gauge, "1 where schedules are in force.") {
            $0.sample(scheduler.isEnabled ? 1 : 0)
        }
        text.family("botcron_jobs", .gauge, "Jobs that can be scheduled.") { $0.sample(Double(scheduler.jobCount)) }
        text.family("botcron_jobs_refused", .gauge, "Definitions that cannot be scheduled.") {
            $0.sample(Double(configuration.refused.count))
        }
        text.family("botcron_runs_active", .gauge, "Runs that have not ended.") {
            $0.sample(Double(scheduler.activeRunCount))
        }
        text.family("botcron_runs", .counter, "Runs and fire times on record, by how they ended.") { family in
            for status in Run.Status.allCases where !status.isActive {
                family.sample("_total", [("status", status.rawValue)], Double(statistics.count(of: status)))
            }
        }
        if let next = scheduler.nextRun {
            text.family("botcron_next_run_timestamp_seconds", .gauge, "The next fire time of all.") {
                $0.sample(Double(next.at.microseconds) / 1e6)
            }
        }
        text.family("botcron_store_writable", .gauge, "1 where the store can be written.") {
            $0.sample(storeFault == nil ? 1 : 0)
        }
        text.family("botcron_job_runs", .counter, "Ended runs by job.") { family in
            for name in scheduler.jobNames {
                guard let state = scheduler.job(named: name)?.state else { continue }
                family.sample("_total", [("job", name)], Double(state.runCount))
            }
        }
        text.family("botcron_job_failures", .counter, "Ended runs that failed, by job.") { family in
            for name in scheduler.jobNames {
                guard let state = scheduler.job(named: name)?.state else { continue }
                family.sample("_total", [("job", name)], Double(state.failureCount))
            }
        }
        return text.finished
    }
}

/// Writes metric families one after the other.
struct MetricsText {
    enum Kind: String { case gauge, counter, info }

    struct Family {
        let name: String
        fileprivate var lines: [String] = []

        mutating func sample(_ value: Double) { sample("", [], value) }

        mutating func sample(_ suffix: String, _ labels: [(name: String, value: String)], _ value: Double) {
            let inner = labels.map { "\($0.name)=\"\(MetricsText.escaped($0.value))\"" }.joined(separator: ",")
            lines.append(name + suffix + (inner.isEmpty ? "" : "{\(inner)}") + " " + MetricsText.number(value))
        }
    }

    private var text = ""

    mutating func family(_ name: String, _ kind: Kind, _ help: String, _ samples: (inout Family) throws -> Void)
        rethrows
    {
        var family = Family(name: name)
        try samples(&family)
        text += "# TYPE \(name) \(kind.rawValue)\n# HELP \(name) \(help)\n"
        for line in family.lines { text += line + "\n" }
    }

    var finished: String { text + "# EOF\n" }

    fileprivate static func escaped(_ value: String) -> String {
        var result = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }

    fileprivate static func number(_ value: Double) -> String {
        value == value.rounded() && value.magnitude < 1e15 ? String(Int64(value)) : String(value)
    }
}
