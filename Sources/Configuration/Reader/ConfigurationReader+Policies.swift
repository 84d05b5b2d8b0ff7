import JSON
import Schedules
import Scheduling

/// How a definition behaves beside others, after failures, after sleep, and whom it tells.
extension ConfigurationReader {
    static let policyKeys = [
        "retry", "overlap_policy", "max_instances", "catchup_policy", "catchup_window", "catchup_limit",
        "misfire_grace_time", "coalesce", "conditions", "conditions_timeout", "conditions_action", "conditions_lost",
        "keep_awake",
        "wake_system", "priority", "budget", "pause_on_failures", "history_limit", "notify", "quiet_hours",
        "on_success",
        "on_failure",
        "result_queue", "error_queue", "trace_enabled", "on_stop", "on_sleep", "sleep_again", "expect_every",
        "expect_within", "expect_by",
        "heartbeat", "precheck", "hold_group",
    ]

    func readPolicies(
        _ fields: Fields, _ configuration: Configuration, into job: inout Job
    ) throws(FieldError) {
        if let field = fields["retry"] {
            let retryReader = RetryReader(failureTypes: configuration.failureClassifier.types)
            job.retry = try retryReader.read(field, over: configuration.retryDefaults)
        } else {
            job.retry = configuration.defaultRetry
        }
        if let field = fields["overlap_policy"] { job.overlap = try field.word(OverlapPolicy.self) }
        if let field = fields["max_instances"] { job.maxInstances = try field.integer(1...Bounds.countMax) }
        job.catchUp = try readCatchUp(fields)
        job.conditions = try readConditions(fields)
        if let field = fields["precheck"] { job.precheck = try command(field) }
        if let field = fields["priority"] { job.priority = try field.integer(-20...19) }
        if let field = fields["budget"] { job.budget = try readBudget(field) }
        if let field = fields["hold_group"] { job.holdGroup = field.value == .string("") ? nil : try field.jobName() }
        if let field = fields["pause_on_failures"] { job.pauseOnFailures = try field.integer(1...Bounds.countMax) }
        if let field = fields["history_limit"] { job.historyLimit = try field.integer(0...Bounds.countMax) }
        job.isTraced = try fields["trace_enabled"]?.bool() ?? configuration.isTracedByDefault
        job.power = try readPower(fields)
        if let field = fields["notify"] {
            let notify = try readNotify(field, configuration.targets)
            (job.notify, job.messages) = (notify.text, notify.rules)
        }
        if let field = fields["quiet_hours"] { job.quietHours = try readQuietHours(field) }
        try readAfterwards(fields, into: &job)
    }

    // MARK: - Catch-up

    private func readCatchUp(_ fields: Fields) throws(FieldError) -> CatchUpPolicy {
        var policy = CatchUpPolicy()
        if let field = fields["coalesce"] { policy.kind = try field.bool() ? .latest : .all }
        if let field = fields["catchup_policy"] {
            policy.kind = try field.word(CatchUpPolicy.Kind.self, older: ["fire_immediately": .all])
        }
        if let field = fields["catchup_window"] { policy.window = try field.duration() }
        if let field = fields["catchup_limit"] { policy.limit = try field.integer(0...Bounds.countMax) }
        if let field = fields["misfire_grace_time"] { policy.graceTime = try field.duration() }
        return policy
    }

    // MARK: - Conditions

    static let conditionVocabulary = Vocabulary([
        "ac_power", "battery_min", "network", "idle", "load_max", "pressure_max", "path_exists", "command",
    ])

    private func readConditions(_ fields: Fields) throws(FieldError) -> Conditions {
        var conditions = Conditions()
        if let field = fields["conditions"] {
            let required = try Fields(field, Self.conditionVocabulary)
            if let field = required["ac_power"] { conditions.needsACPower = try field.bool() }
            if let field = required["battery_min"] { conditions.batteryMin = try field.number(0...100) }
            if let field = required["network"] { conditions.network = try field.word(Conditions.Network.self) }
            if let field = required["idle"] { conditions.idle = try field.duration() }
            if let field = required["load_max"] {
                conditions.loadMax = try field.number(0...Double(Bounds.countMax))
            }
            if let field = required["pressure_max"] { conditions.pressureMax = try field.number(0...100) }
            if let field = required["path_exists"] { conditions.path = try field.path(home: home) }
            if let field = required["command"] { conditions.command = try command(field) }
        }
        if let field = fields["conditions_timeout"] { conditions.timeout = try field.duration() }
        if let field = fields["conditions_action"] { conditions.action = try field.word(Conditions.Action.self) }
        if let field = fields["conditions_lost"] {
            conditions.onLoss = try field.word(Conditions.OnLoss.self)
            guard conditions.onLoss == .continue || !conditions.lasting.isEmpty else {
                throw field.refusal(
                    "\"stop\" needs a condition that can end while a run goes on: ac_power, battery_min, network, idle "
                        + "or path_exists")
            }
        }
        return conditions
    }

    // MARK: - Limits and power

    static let budgetVocabulary = Vocabulary(["runs_per_day", "wall_time_per_day", "cost_per_day"])

    func readBudget(_ field: Field) throws(FieldError) -> Budget {
        let fields = try Fields(field, Self.budgetVocabulary)
        var budget = Budget()
        if let field = fields["runs_per_day"] { budget.runsPerDay = try field.integer(0...Bounds.countMax) }
        if let field = fields["wall_time_per_day"] { budget.wallTimePerDay = try field.duration() }
        if let field = fields["cost_per_day"] {
            budget.costPerDay = try field.number(0...Double(Bounds.countMax))
        }
        return budget
    }

    private func readPower(_ fields: Fields) throws(FieldError) -> PowerPolicy {
        var power = PowerPolicy()
        if let field = fields["keep_awake"] { power.keepsAwake = try field.bool() }
        if let field = fields["wake_system"] { power.wakesSystem = try field.bool() }
        if let field = fields["sleep_again"] { power.sleepsAgain = try field.bool() }
        if let field = fields["on_sleep"] { power.onSleep = try field.word(PowerPolicy.SleepAction.self) }
        return power
    }

    // MARK: - Afterwards

    private func readAfterwards(_ fields: Fields, into job: inout Job) throws(FieldError) {
        if let field = fields["on_success"] { job.onSuccess = try jobNames(field) }
        if let field = fields["on_failure"] { job.onFailure = try jobNames(field) }
        if let field = fields["result_queue"] { job.resultQueue = try outcomeQueue(field, of: job) }
        if let field = fields["error_queue"] { job.errorQueue = try outcomeQueue(field, of: job) }
        if let field = fields["on_stop"] { job.onStop = try field.word(StopAction.self) }
        if let field = fields["expect_within"] {
            let duration = try field.duration()
            job.expectWithin = duration == .zero ? nil : duration
        }
        if let field = fields["expect_by"] { job.expectBy = try readDeadline(field, job.zone) }
        if let field = fields["expect_every"] {
            let duration = try field.duration()
            job.expectEvery = duration == .zero ? nil : duration
        }
        if let field = fields["heartbeat"] {
            let url = try field.nonEmptyString(expected: "a URL")
            guard url.hasPrefix("https://") || url.hasPrefix("http://") else {
                throw field.refusal(expected: "a URL that begins with https:// or http://")
            }
            job.heartbeat = url
        }
    }

    /// Each outcome would make the next run.
    private func outcomeQueue(_ field: Field, of job: Job) throws(FieldError) -> String {
        let queue = try field.queueName()
        guard queue != job.triggerQueue else {
            throw field.refusal("\"\(queue)\" is the queue that starts the job, so that it would run without end")
        }
        return queue
    }

    private func jobNames(_ field: Field) throws(FieldError) -> [String] {
        var names: [String] = []
        for element in try field.elements(of: "names of jobs") { names.append(try element.jobName()) }
        return names
    }
}
