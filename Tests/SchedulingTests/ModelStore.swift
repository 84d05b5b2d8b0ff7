import Schedules
import Scheduling
import StoreModel

/// A store in memory that is as strict as the real one: a fire time, an id and an idempotency key are each used once.
final class ModelStore: ExecutionRegister {
    private(set) var runs: [String: Run] = [:]
    /// Ids in the order in which they were first committed.
    private(set) var order: [String] = []
    private(set) var attempts: [String: [Int: Attempt]] = [:]
    private(set) var states: [String: JobState] = [:]
    private(set) var definitions: [String: StoredState.StoredDefinition] = [:]
    private(set) var schedulerOverride: Bool?
    private(set) var groupHolds: [String: GroupHold] = [:]
    private(set) var budgetUse = BudgetUse()
    private(set) var prunes: [StoreChange] = []
    private(set) var changes: [JobChange] = []
    /// What the real store would have refused.
    private(set) var violations: [String] = []
    private var fireTimes: [FireTime: String] = [:]
    private var keys: [String: String] = [:]
    /// Of runs whose record was removed.
    private var removed: [String: RemovedRun] = [:]
    private var queue = QueueModel()
    private(set) var post = MessageModel()

    private struct FireTime: Hashable {
        var job: String
        var at: Instant
    }

    /// How many ids were asked for.
    private(set) var lookUps = 0

    func isTaken(executionID: String) -> Bool {
        lookUps += 1
        return runs[executionID] != nil
    }

    func isDecided(job: String, fireTime: Instant) -> Bool { fireTimes[FireTime(job: job, at: fireTime)] != nil }

    func firstKept(job: String, after instant: Instant, ofAtLeast count: Int) -> Instant? {
        guard runs.values.count(where: { $0.job == job }) >= count else { return nil }
        return fireTimes.keys.filter { $0.job == job && $0.at > instant }.map(\.at).min()
    }

    /// What retention does: only the newest records are kept.
    func keep(_ count: Int) {
        for id in order.dropLast(count) {
            guard let run = runs.removeValue(forKey: id) else { continue }
            removed[id] = RemovedRun(id: id, job: run.job, status: run.status, endedAt: run.endedAt)
            guard let fire = run.scheduledFor else { continue }
            fireTimes[FireTime(job: run.job, at: fire)] = nil
        }
        order.removeFirst(max(0, order.count - count))
    }

    func spans(ofJob job: String, over fireTime: Instant) -> [Range<Instant>] {
        runs.values.compactMap { $0.span(ofJob: job, over: fireTime) }
    }

    func earlierRun(idempotencyKey: String) -> EarlierRun? {
        keys[idempotencyKey].flatMap { id in runs[id].map(EarlierRun.kept) ?? removed[id].map(EarlierRun.removed) }
    }

    func earlierRun(job: String, scheduledFor: Instant) -> EarlierRun? {
        fireTimes[FireTime(job: job, at: scheduledFor)].flatMap { runs[$0] }.map(EarlierRun.kept)
    }

    func recordedRun(id: String) -> Run? { runs[id] }

    func successDurations(ofJob job: String, limit: Int) -> [Duration] {
        Array(order.lazy.reversed().compactMap { self.runs[$0]?.successDuration(ofJob: job) }.prefix(limit))
    }

    var items: [Int64: QueueItem] { queue.items }

    func queues() -> [QueueTotals] { queue.totals }
    func lastQueueItemID() -> Int64 { queue.lastItemID }

    func queueItems(_ name: String, notTakenAt now: Instant, limit: Int, bytesMax: Int) -> [QueueItem] {
        queue.free(in: name, at: now, limit: limit)
    }

    func nextQueueReturn(_ name: String, after now: Instant) -> Instant? { queue.nextReturn(to: name, after: now) }

    func queueItem(id: Int64) -> QueueItem? { queue.items[id] }

    func commit(_ changes: [StoreChange]) {
        for change in changes {
            switch change {
            case .run(let run): record(run)
            case .attempt(let attempt):
                if runs[attempt.run] == nil { violations.append("an attempt without a run: \(attempt)") }
                attempts[attempt.run, default: [:]][attempt.number] = attempt
            case .jobState(let state): states[state.job] = state
            case .definition(let job, let version, let json, let createdAt):
                definitions[job] = .init(job: job, version: version, json: json, createdAt: createdAt)
            case .removeDefinition(let job): definitions[job] = nil
            case .removeJobState(let job): states[job] = nil
            case .schedulerOverride(let value): schedulerOverride = value
            case .groupHold(let hold): groupHolds[hold.group] = hold
            case .removeGroupHold(let group): groupHolds[group] = nil
            case .budgetUse(let use): budgetUse = use
            case .prune, .pruneEnded: prunes.append(change)
            case .jobChange(let change):
                if let last = self.changes.last, last.sequence >= change.sequence {
                    violations.append("the change \(change.sequence) after the change \(last.sequence)")
                }
                self.changes.append(change)
            case .message(let message):
                // A job that is late may have no run.
                let isOfJob = message.run.isEmpty && message.occasion == .late
                if runs[message.run] == nil, !isOfJob { violations.append("a message without a run: \(message)") }
                if let fault = post.record(message) { violations.append(fault) }
            case .queueItem, .removeQueueItem, .queueItemsReturned:
                if let fault = queue.apply(change) { violations.append(fault) }
            }
        }
    }

    private func record(_ run: Run) {
        if runs[run.id] == nil {
            order.append(run.id)
            if !run.id.utf8.starts(with: "cron-".utf8) { violations.append("an id of another form: \(run.id)") }
        } else if let known = runs[run.id], !known.status.isActive, known.status.isExecuted {
            violations.append("a run that had ended was changed: \(run.id)")
        }
        runs[run.id] = run
        if let fire = run.scheduledFor, [.schedule, .catchUp, .manual].contains(run.trigger) {
            let place = FireTime(job: run.job, at: fire)
            if let other = fireTimes[place], other != run.id {
                violations.append("\(other) and \(run.id) for one fire time")
            }
            fireTimes[place] = run.id
        }
        if let key = run.idempotencyKey {
            if let other = keys[key], other != run.id { violations.append("\(other) and \(run.id) for one key") }
            keys[key] = run.id
        }
    }

    func load() -> StoredState {
        var stored = StoredState()
        stored.schedulerOverride = schedulerOverride
        stored.groupHolds = groupHolds.values.sorted { $0.group < $1.group }
        stored.budgetUse = budgetUse
        stored.messages = post.waiting
        stored.latestRunAt = runs.values.map(\.createdAt).max()
        stored.jobs = states.keys.sorted().compactMap { states[$0] }
        stored.activeRuns = order.compactMap { runs[$0] }.filter(\.status.isActive)
        stored.lastChange = changes.last?.sequence ?? 0
        stored.definitions = definitions.keys.sorted().compactMap { definitions[$0] }
        return stored
    }
}
