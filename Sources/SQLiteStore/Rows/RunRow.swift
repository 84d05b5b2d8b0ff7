import Scheduling
import Store

/// The table `run`: its columns in the order in which `bind` writes and `read` reads them.
enum RunRow {
    static let columns = [
        "id", "job", "skill", "trigger", "scheduled_for_us", "created_at_us", "status", "attempt", "started_at_us",
        "ended_at_us", "retry_at_us", "exit_code", "exit_signal", "error", "reason", "failure_type", "output_preview",
        "trace_id", "covered_count", "covered_since_us", "idempotency_key", "inputs", "is_forced", "definition",
        "previous", "retry_delay_us", "ending", "cost", "progress", "result", "caveat", "boot_id",
        "queue_items", "standard_input", "cpu_us", "memory_peak_bytes", "is_unusual", "late_at_us",
        "is_late", "questions", "stalled_at_us",
    ]

    static func bind(_ run: Run, to statement: Statement) {
        statement.bind(run.id)
        statement.bind(run.job)
        statement.bind(run.skill)
        statement.bind(run.trigger.rawValue)
        statement.bind(run.scheduledFor)
        statement.bind(run.createdAt)
        statement.bind(run.status.rawValue)
        statement.bind(run.attempt)
        statement.bind(run.startedAt)
        statement.bind(run.endedAt)
        statement.bind(run.retryAt)
        statement.bind(run.exit)
        statement.bind(run.error)
        statement.bind(run.reason?.rawValue)
        statement.bind(run.failureType)
        statement.bind(run.outputPreview)
        statement.bind(run.traceID)
        statement.bind(run.coveredCount)
        statement.bind(run.coveredSince)
        statement.bind(run.idempotencyKey)
        statement.bind(run.inputs)
        statement.bind(run.isForced)
        statement.bind(run.definition)
        statement.bind(run.previous)
        statement.bind(run.retryDelay)
        statement.bind(run.ending?.rawValue)
        statement.bind(run.cost)
        statement.bind(run.progress)
        statement.bind(run.result)
        statement.bind(run.caveat)
        statement.bind(run.bootID)
        statement.bind(run.queueItems.isEmpty ? nil : run.queueItems.map(String.init).joined(separator: ","))
        statement.bind(run.standardInput)
        statement.bind(run.cpuTime)
        statement.bind(run.memoryPeakBytes)
        statement.bind(run.isUnusual)
        statement.bind(run.lateAt)
        statement.bind(run.isLate)
        statement.bind(Question.record(of: run.questions))
        statement.bind(run.stalledAt)
    }

    /// - Throws: `damaged` where its trigger or its status is a word that no version writes. Other words that are none
    ///   are left out.
    static func read(_ statement: Statement) throws(StoreError) -> Run {
        let id = statement.text()
        let job = statement.text()
        let skill = statement.text()
        let trigger = try statement.word(Run.Trigger.self, of: "the run \(id)")
        let scheduledFor = statement.instantIfAny()
        let createdAt = statement.instant()
        let status = try statement.word(Run.Status.self, of: "the run \(id)")
        var run = Run(
            id: id, job: job, skill: skill, trigger: trigger, scheduledFor: scheduledFor, createdAt: createdAt,
            status: status)
        run.attempt = statement.count()
        run.startedAt = statement.instantIfAny()
        run.endedAt = statement.instantIfAny()
        run.retryAt = statement.instantIfAny()
        run.exit = statement.exitIfAny()
        run.error = statement.textIfAny()
        run.reason = statement.wordIfKnown(Run.Reason.self)
        run.failureType = statement.textIfAny()
        run.outputPreview = statement.textIfAny()
        run.traceID = statement.textIfAny()
        run.coveredCount = statement.count()
        run.coveredSince = statement.instantIfAny()
        run.idempotencyKey = statement.textIfAny()
        run.inputs = statement.textIfAny()
        run.isForced = statement.integer() != 0
        run.definition = statement.textIfAny()
        run.previous = statement.textIfAny()
        run.retryDelay = statement.durationIfAny()
        run.ending = statement.wordIfKnown(Run.Ending.self)
        run.cost = statement.finite() ?? 0
        run.progress = statement.finite()
        run.result = statement.textIfAny()
        run.caveat = statement.textIfAny()
        run.bootID = statement.textIfAny()
        let items = statement.textIfAny()?.split(separator: ",", maxSplits: Scheduler.Limits.queueBatch) ?? []
        run.queueItems = items.compactMap { Int64($0) }
        run.standardInput = statement.textIfAny()
        run.cpuTime = statement.durationIfAny()
        run.memoryPeakBytes = statement.integerIfAny()
        run.isUnusual = statement.integer() != 0
        run.lateAt = statement.instantIfAny()
        run.isLate = statement.integer() != 0
        run.questions = statement.textIfAny().map(Question.read) ?? []
        run.stalledAt = statement.instantIfAny()
        return run
    }
}

extension Statement {
    /// Two columns, `exit_code` and `exit_signal`, of which at most one is set.
    func bind(_ exit: Run.Exit?) {
        switch exit {
        case .code(let code):
            bind(code)
            bind(nil as Int64?)
        case .signal(let number):
            bind(nil as Int64?)
            bind(number)
        case nil:
            bind(nil as Int64?)
            bind(nil as Int64?)
        }
    }

    func exitIfAny() -> Run.Exit? {
        let code = integerIfAny()
        let signal = integerIfAny()
        if let code { return .code(Int32(truncatingIfNeeded: code)) }
        return signal.map { .signal(Int32(truncatingIfNeeded: $0)) }
    }
}
