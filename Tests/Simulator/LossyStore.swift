import Schedules
import Scheduling
import StoreModel

/// A store that has what was committed, and nothing else; as strict about uniqueness as the real one.
final class LossyStore: ExecutionRegister {
    private(set) var runs: [String: Run] = [:]
    private(set) var active: Set<String> = []
    /// Ids by job, in the order in which they were first committed.
    private(set) var order: [String: [String]] = [:]
    private(set) var states: [String: JobState] = [:]
    private(set) var definitions: [String: StoredState.StoredDefinition] = [:]
    private(set) var schedulerOverride: Bool?
    private(set) var groupHolds: [String: GroupHold] = [:]
    private(set) var budgetUse = BudgetUse()
    private var lastChange: Int64 = 0
    /// By job, whether the last toggle on record has enabled it.
    private var toggles: [String: Bool] = [:]
    private var latestRunAt: Instant?
    private var keys: [String: String] = [:]
    private var queue = QueueModel()
    private(set) var post = MessageModel()
    private var fireTimes: [String: [Instant: String]] = [:]

    func isTaken(executionID: String) -> Bool { runs[executionID] != nil }

    func isDecided(job: String, fireTime: Instant) -> Bool { fireTimes[job]?[fireTime] != nil }

    func spans(ofJob job: String, over fireTime: Instant) -> [Range<Instant>] {
        order[job, default: []].compactMap { runs[$0]?.span(ofJob: job, over: fireTime) }
    }

    func earlierRun(idempotencyKey: String) -> EarlierRun? {
        keys[idempotencyKey].flatMap { runs[$0] }.map(EarlierRun.kept)
    }

    func earlierRun(job: String, scheduledFor: Instant) -> EarlierRun? {
        fireTimes[job]?[scheduledFor].flatMap { runs[$0] }.map(EarlierRun.kept)
    }

    func recordedRun(id: String) -> Run? { runs[id] }

    func successDurations(ofJob job: String, limit: Int) -> [Duration] {
        let ids = order[job, default: []].lazy.reversed()
        return Array(ids.compactMap { self.runs[$0]?.successDuration(ofJob: job) }.prefix(limit))
    }

    var items: [Int64: QueueItem] { queue.items }

    func queues() -> [QueueTotals] { queue.totals }
    func lastQueueItemID() -> Int64 { queue.lastItemID }

    func queueItems(_ name: String, notTakenAt now: Instant, limit: Int, bytesMax: Int) -> [QueueItem] {
        queue.free(in: name, at: now, limit: limit)
    }

    func nextQueueReturn(_ name: String, after now: Instant) -> Instant? { queue.nextReturn(to: name, after: now) }

    func queueItem(id: Int64) -> QueueItem? { queue.items[id] }

    /// - Returns: what the real store would have refused.
    func commit(_ changes: [StoreChange]) -> String? {
        var fault: String?
        for change in changes {
            switch change {
            case .run(let run): fault = record(run) ?? fault
            case .attempt(let attempt):
                if runs[attempt.run] == nil { fault = "attempt \(attempt.number) of \(attempt.run), which is no run" }
            case .jobState(let state): states[state.job] = state
            case .definition(let job, let version, let json, let createdAt):
                definitions[job] = .init(job: job, version: version, json: json, createdAt: createdAt)
            case .removeDefinition(let job): definitions[job] = nil
            case .removeJobState(let job):
                states[job] = nil
                toggles[job] = nil
            case .schedulerOverride(let value): schedulerOverride = value
            case .groupHold(let hold): groupHolds[hold.group] = hold
            case .removeGroupHold(let group): groupHolds[group] = nil
            case .budgetUse(let use): budgetUse = use
            case .prune, .pruneEnded: break
            case .jobChange(let change):
                if change.sequence <= lastChange { fault = "two changes of the number \(change.sequence)" }
                lastChange = change.sequence
                switch change.what {
                case .enabled, .disabled: toggles[change.job] = change.what == .enabled
                case .created, .replaced, .removed, .skipped, .held, .released, .paused, .resumed: break
                }
            case .message(let message):
                // A job that is late may have no run.
                let isOfJob = message.run.isEmpty && message.occasion == .late
                if runs[message.run] == nil, !isOfJob { fault = "the message \(message.id) is of no run" }
                fault = post.record(message) ?? fault
            case .queueItem, .removeQueueItem, .queueItemsReturned: fault = queue.apply(change) ?? fault
            }
        }
        for case .jobState(let state) in changes {
            // A job whose name comes again, after one that left no more than fire times that were taken, has no such
            // past.
            if state.isEnabledOverride == nil { toggles[state.job] = nil }
            // What a change says, and what came of it, are one transaction.
            if let override = state.isEnabledOverride, let said = toggles[state.job], said != override {
                fault = "\(state.job) is \(override ? "enabled" : "disabled"), and its record of changes says otherwise"
            }
            if state.disabledReason != nil, state.isEnabledOverride != false {
                fault = "\(state.job) is enabled, and a reason is kept why not"
            }
        }
        return fault
    }

    private func record(_ run: Run) -> String? {
        if let known = runs[run.id] {
            guard known.status.isActive || known.status == .missed || known == run else {
                return "\(run.id) had ended, and changed"
            }
            guard known.job == run.job, known.scheduledFor == run.scheduledFor, known.createdAt == run.createdAt else {
                return "\(run.id) became another run"
            }
        } else {
            order[run.job, default: []].append(run.id)
            latestRunAt = max(latestRunAt ?? run.createdAt, run.createdAt)
        }
        runs[run.id] = run
        if run.status.isActive { active.insert(run.id) } else { active.remove(run.id) }
        if let key = run.idempotencyKey, let other = keys.updateValue(run.id, forKey: key), other != run.id {
            return "\(other) and \(run.id) for one key"
        }
        guard let fire = run.scheduledFor, run.trigger != .chain else { return nil }
        if let other = fireTimes[run.job, default: [:]].updateValue(run.id, forKey: fire), other != run.id {
            return "\(other) and \(run.id) for one fire time of \(run.job)"
        }
        return nil
    }

    func load() -> StoredState {
        var stored = StoredState()
        stored.schedulerOverride = schedulerOverride
        stored.groupHolds = groupHolds.values.sorted { $0.group < $1.group }
        stored.budgetUse = budgetUse
        stored.messages = post.waiting
        stored.latestRunAt = latestRunAt
        stored.jobs = states.keys.sorted().compactMap { states[$0] }
        stored.activeRuns = active.sorted().compactMap { runs[$0] }
        stored.lastChange = lastChange
        stored.definitions = definitions.keys.sorted().compactMap { definitions[$0] }
        return stored
    }
}
