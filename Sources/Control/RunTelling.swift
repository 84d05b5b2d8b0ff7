internal import Configuration
internal import DBus
internal import JSON
internal import Performing
internal import Schedules
internal import Scheduling
internal import Store

/// Runs as clients are told of them: those that have not ended as the core holds them, the others as they are on
/// record.
struct RunTelling {
    let scheduler: any SchedulerReading
    let settings: any SettingsControl
    let runs: any RunReading
    let store: any Store

    // MARK: - Finding

    /// - Throws: `RunNotFound`, `StoreFailed`.
    func find(_ id: String) throws(ErrorReply) -> Run {
        guard let run = try findIfAny(id) else { throw .runNotFound(id) }
        return run
    }

    func findIfAny(_ id: String) throws(ErrorReply) -> Run? {
        if let active = scheduler.activeRun(id: id) { return runs.current(active) }
        return try stored { () throws(StoreError) in try store.run(id: id) }
    }

    func attempts(of run: String) throws(ErrorReply) -> [Attempt] {
        try stored { () throws(StoreError) in try store.attempts(ofRun: run) }
    }

    func messages(of run: String) throws(ErrorReply) -> [Message] {
        try stored { () throws(StoreError) in try store.messages(ofRun: run) }
    }

    func history(_ query: HistoryQuery) throws(ErrorReply) -> HistoryPage {
        try stored { () throws(StoreError) in try store.history(query) }
    }

    /// The newest runs that have ended: what older clients take for history, where every entry has an outcome.
    func ended(_ limit: Int) throws(ErrorReply) -> [Run] {
        let active = min(scheduler.activeRunCount, HistoryQuery.limitMax)
        let page = try history(HistoryQuery(limit: min(limit + active, HistoryQuery.limitMax)))
        return Array(page.runs.filter { !$0.status.isActive }.prefix(limit))
    }

    func statistics() throws(ErrorReply) -> StoreStatistics {
        try stored { () throws(StoreError) in try store.statistics() }
    }

    /// What was changed of a job, newest first.
    func changes(ofJob name: String, limit: Int) throws(ErrorReply) -> [JobChange] {
        try stored { () throws(StoreError) in try store.changes(ofJob: name, limit: limit) }
    }

    private func stored<T>(_ body: () throws(StoreError) -> T) throws(ErrorReply) -> T {
        do throws(StoreError) {
            return try body()
        } catch {
            throw .storeFailed(error)
        }
    }

    // MARK: - Why

    /// Records that may stand for an instant, at most: the newest of its job.
    private static let explainedRecords = 1_000
    /// Of these the last that stands for a process is told: fire times that were not run may have followed.
    private static let lastRecords = 100

    /// Why a job ran, did not run, is not running, and when it will.
    func explain(_ job: String, at instant: Instant?) throws(ErrorReply) -> [Explanation] {
        let records = try stored { () throws(StoreError) in
            guard let instant else {
                return try store.history(HistoryQuery(job: job, limit: Self.lastRecords)).runs
            }
            let fire = Instant(seconds: instant.seconds)
            if let id = try store.runID(job: job, scheduledFor: fire), let run = try store.run(id: id) { return [run] }
            return try store.history(HistoryQuery(job: job, limit: Self.explainedRecords)).runs
        }
        return scheduler.explain(job, at: instant, records: records)
    }

    /// The newest run of a job that ended so.
    func lastRun(of job: String, _ status: Run.Status) throws(ErrorReply) -> Run? {
        try stored { () throws(StoreError) in
            try store.history(HistoryQuery(job: job, status: status, limit: 1)).runs.first
        }
    }

    // MARK: - Shapes

    /// The zone in which a run's instants are shown.
    func zone(of run: Run) -> TimeZoneRules { zone(ofJob: run.job) }

    func zone(ofJob job: String) -> TimeZoneRules {
        scheduler.definition(of: job)?.zone ?? settings.configuration.timezone
    }

    /// A run as one of a list.
    func json(of run: Run) -> JSONValue {
        var shape = RunShape.json(run, zone: zone(of: run))
        if run.attempt > 1 { shape["retry"] = retryShape(of: run) }
        noteWait(of: run, in: &shape)
        return .object(shape)
    }

    /// A run as the whole of an answer.
    func answer(of run: Run) -> JSONValue { .object(shape(of: run)) }

    func shape(of run: Run) -> JSONObject {
        var shape = RunShape.answer(run, zone: zone(of: run))
        noteWait(of: run, in: &shape)
        return shape
    }

    private func noteWait(of run: Run, in shape: inout JSONObject) {
        guard run.status.isActive else { return }
        let waits = scheduler.waits(ofRun: run.id)
        if !waits.isEmpty { shape["waiting_for"] = .string(waits.joined(separator: ", ")) }
    }

    /// The run that a request asked for: `Reply.run`, or `Reply.removedRun`.
    ///
    /// - Throws: `Failed` for any other reply.
    func answer(of reply: Reply) throws(ErrorReply) -> JSONValue {
        switch reply {
        case .run(let run): return answer(of: run)
        case .removedRun(let run): return .object(RunShape.removed(run, zone: zone(ofJob: run.job)))
        default: throw .unexpected(reply)
        }
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
}
