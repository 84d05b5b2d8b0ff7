internal import Configuration
internal import Contract
internal import DBus
internal import EventLoop
internal import Performing
internal import Schedules
internal import Scheduling
internal import Store

/// The daemon's figures as OpenMetrics text (OpenMetrics 1.0): base units, few labels, no secrets.
struct Metrics {
    let scheduler: any SchedulerReading
    let settings: any SettingsControl
    let service: any ServiceControl
    let catalogue: Catalogue
    let telling: RunTelling
    let steps: Steps

    /// Answers with the text, made in steps: each job has figures of its own, up to `Bounds.measuredJobs`.
    func answer(_ call: MethodCall) throws(ErrorReply) {
        var text = try service(MetricsText())
        let names = catalogue.names
        let measured = names.prefix(Bounds.measuredJobs)
        text.family("botcron_jobs_unmeasured", .gauge, "Jobs that have no figures of their own here.") {
            $0.sample(Double(names.count - measured.count))
        }
        var runs = MetricsText.Family("botcron_job_runs", .counter, "Ended runs by job.")
        var failures = MetricsText.Family("botcron_job_failures", .counter, "Ended runs that failed, by job.")
        var budgets = MetricsText.Family("botcron_job_budget_used_ratio", .gauge, "What is used of a job's own budget.")
        var rest = measured
        try steps.begin { [text, scheduler] in
            guard !call.isAnswered else { return false }
            for name in rest.prefix(Steps.jobsPerStep) {
                guard let view = scheduler.job(named: name) else { continue }
                runs.sample("_total", [("job", name)], Double(view.state.runCount))
                failures.sample("_total", [("job", name)], Double(view.state.failureCount))
                guard let use = scheduler.budgetUse(ofJob: name) else { continue }
                for (kind, ratio) in use.ratios(of: view.job.budget) {
                    budgets.sample("", [("job", name), ("kind", kind)], ratio)
                }
            }
            rest = rest.dropFirst(Steps.jobsPerStep)
            guard rest.isEmpty else { return true }
            var text = text
            text.add(runs)
            text.add(failures)
            text.add(budgets)
            call.reply([.string(text.finished)])
            return false
        }
    }

    private func service(_ text: MetricsText) throws(ErrorReply) -> MetricsText {
        var text = text
        let statistics = try telling.statistics()
        let health = scheduler.health
        text.family("botcron_build", .info, "The version of the daemon.") { family in
            family.sample("_info", [("version", botcronVersion)], 1)
        }
        text.family("botcron_uptime_seconds", .gauge, "Time since the start, sleep included.") {
            $0.sample(service.uptime)
        }
        text.family("botcron_scheduler_enabled", .gauge, "1 where schedules are in force.") {
            $0.sample(scheduler.isEnabled ? 1 : 0)
        }
        text.family("botcron_jobs", .gauge, "Jobs that can be scheduled.") { $0.sample(Double(scheduler.jobCount)) }
        text.family("botcron_jobs_refused", .gauge, "Definitions that cannot be scheduled.") {
            $0.sample(Double(settings.configuration.refused.count))
        }
        text.family("botcron_config_valid", .gauge, "1 where config.json as it stands is in force.") {
            $0.sample(settings.configurationFault == nil ? 1 : 0)
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
        text.family("botcron_hold_groups", .gauge, "Hold groups whose runs wait.") {
            $0.sample(Double(scheduler.groupHolds.count))
        }
        text.family("botcron_questions", .gauge, "Questions that wait for a person.") {
            $0.sample(Double(scheduler.askingRuns.count))
        }
        if let use = scheduler.budgetUse {
            text.family("botcron_budget_used_ratio", .gauge, "What is used of today's budget of all jobs.") { family in
                for (kind, ratio) in use.ratios(of: settings.configuration.settings.budget) {
                    family.sample("", [("kind", kind)], ratio)
                }
            }
        }
        text.family("botcron_store_writable", .gauge, "1 where the store can be written.") {
            $0.sample(health.storeFault == nil ? 1 : 0)
        }
        text.family("botcron_keys_dropped", .counter, "Idempotency keys that were forgotten before their time.") {
            $0.sample("_total", [], Double(statistics.keysDropped))
        }
        text.family("botcron_loop_turns", .counter, "Turns of the event loop.") { family in
            family.sample("_total", [], Double(health.turns))
        }
        text.family("botcron_loop_busy_seconds_max", .gauge, "Processor time of the longest turn.") {
            $0.sample(health.busyMillisecondsMax / 1000)
        }
        text.family("botcron_loop_late_seconds_max", .gauge, "The longest turn, without its commit's sync.") {
            $0.sample(health.lateMillisecondsMax / 1000)
        }
        return text
    }
}

/// Writes metric families one after the other.
struct MetricsText {
    enum Kind: String { case gauge, counter, info }

    struct Family {
        let name: String
        fileprivate var text: String

        init(_ name: String, _ kind: Kind, _ help: String) {
            self.name = name
            text = "# TYPE \(name) \(kind.rawValue)\n# HELP \(name) \(help)\n"
        }

        mutating func sample(_ value: Double) { sample("", [], value) }

        mutating func sample(_ suffix: String, _ labels: [(name: String, value: String)], _ value: Double) {
            let inner = labels.map { "\($0.name)=\"\(MetricsText.escaped($0.value))\"" }.joined(separator: ",")
            text += name + suffix + (inner.isEmpty ? "" : "{\(inner)}") + " " + MetricsText.number(value) + "\n"
        }
    }

    private var text = ""

    mutating func family(_ name: String, _ kind: Kind, _ help: String, _ samples: (inout Family) -> Void) {
        var family = Family(name, kind, help)
        samples(&family)
        add(family)
    }

    mutating func add(_ family: Family) { text += family.text }

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

extension BudgetUse {
    /// What is used of each part that a budget limits; 1 is all of it.
    fileprivate func ratios(of budget: Budget) -> [(kind: String, ratio: Double)] {
        // Nothing of nothing is all.
        func ratio(_ used: Double, of limit: Double) -> Double { limit > 0 ? used / limit : 1 }
        var ratios: [(kind: String, ratio: Double)] = []
        if let limit = budget.runsPerDay { ratios.append(("runs", ratio(Double(runs), of: Double(limit)))) }
        if let limit = budget.wallTimePerDay {
            ratios.append(("wall_time", ratio(wallTime.inSeconds, of: limit.inSeconds)))
        }
        if let limit = budget.costPerDay { ratios.append(("cost", ratio(cost, of: limit))) }
        return ratios
    }
}
