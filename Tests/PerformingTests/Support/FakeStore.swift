import Schedules
import Scheduling
import Store

/// A store in memory that fails when it is told to, and remembers each transaction.
final class FakeStore: Store {
    /// What the next commits meet, in order; nil: success. The last one stays.
    var faults: [StoreError.Kind?] = []
    /// Whether a failing commit is on record all the same, as one whose last sync failed may be.
    var keepsFailed = false
    /// Never takes a run of this job.
    var refusedJob: String?
    /// So many times more it can be read; nil: always.
    var loadsLeft: Int?
    private(set) var messages: [String: Message] = [:]
    private(set) var transactions: [[StoreChange]] = []
    private(set) var untoldText: String?
    private(set) var runs: [String: Run] = [:]
    private var states: [String: JobState] = [:]
    private var definitions: [String: StoredState.StoredDefinition] = [:]
    private var items: [Int64: QueueItem] = [:]
    private var override: Bool?
    private(set) var groupHolds: [String: GroupHold] = [:]
    private(set) var budgetUse = BudgetUse()
    private var attemptsByRun: [String: [Attempt]] = [:]
    private var turn: Int64 = 0
    private(set) var probes = 0
    private(set) var checkpoints = 0
    /// What the engine does, in order, as its other performers note it, too.
    let journal: Journal

    init(_ journal: Journal) {
        self.journal = journal
    }

    private func nextFault() -> StoreError.Kind? {
        guard let fault = faults.first else { return nil }
        if faults.count > 1 { faults.removeFirst() }
        return fault
    }

    private func error(_ kind: StoreError.Kind) -> StoreError {
        StoreError(kind: kind, operation: "commit", path: "memory", message: "\(kind)")
    }

    func commit(_ changes: [StoreChange], untold: String?, turn: Int64) throws(StoreError) {
        if turn == self.turn, isSettling { return journal.note("commit again") }
        for case .run(let run) in changes where run.job == refusedJob { throw error(.constraint) }
        if let kind = nextFault() {
            journal.note("commit fails")
            if keepsFailed { apply(changes, untold, turn) }
            throw error(kind)
        }
        journal.note("commit")
        apply(changes, untold, turn)
    }

    private func apply(_ changes: [StoreChange], _ untold: String?, _ turn: Int64) {
        self.turn = turn
        transactions.append(changes)
        if let untold { untoldText = untold }
        for change in changes {
            switch change {
            case .run(let run): runs[run.id] = run
            case .attempt(let attempt): attemptsByRun[attempt.run, default: []].append(attempt)
            case .jobState(let state): states[state.job] = state
            case .definition(let job, let version, let json, let createdAt):
                definitions[job] = .init(job: job, version: version, json: json, createdAt: createdAt)
            case .removeDefinition(let job): definitions[job] = nil
            case .removeJobState(let job): states[job] = nil
            case .schedulerOverride(let value): override = value
            case .groupHold(let hold): groupHolds[hold.group] = hold
            case .removeGroupHold(let group): groupHolds[group] = nil
            case .budgetUse(let use): budgetUse = use
            case .message(let message): messages[message.id] = message
            case .queueItem(let item): items[item.id] = item
            case .removeQueueItem(let id): items[id] = nil
            default: break
            }
        }
    }

    func lastTurn() -> Int64 { turn }
    /// Whether it can say what is on record.
    var isSettling = true
    private(set) var settlings = 0

    func settle(turn: Int64) throws(StoreError) -> Bool {
        settlings += 1
        guard isSettling else { throw error(.inputOutput) }
        return turn == self.turn
    }

    func probe() throws(StoreError) {
        probes += 1
        if let kind = faults.first ?? nil { throw error(kind) }
    }

    func load() throws(StoreError) -> StoredState {
        if let loadsLeft {
            guard loadsLeft > 0 else { throw error(.inputOutput) }
            self.loadsLeft = loadsLeft - 1
        }
        var state = StoredState()
        state.schedulerOverride = override
        state.groupHolds = groupHolds.values.sorted { $0.group < $1.group }
        state.budgetUse = budgetUse
        state.jobs = states.values.sorted { $0.job < $1.job }
        state.activeRuns = runs.values.filter(\.status.isActive).sorted { $0.id < $1.id }
        state.messages = messages.values.filter { $0.state == .waiting }.sorted { $0.createdAt < $1.createdAt }
        state.definitions = definitions.values.sorted { $0.job < $1.job }
        return state
    }

    func untold() -> String? { untoldText }
    func forgetUntold() { untoldText = nil }
    func isTaken(executionID: String) -> Bool { runs[executionID] != nil }
    func isDecided(job: String, fireTime: Instant) -> Bool {
        runs.values.contains { $0.job == job && $0.scheduledFor == fireTime }
    }
    func note(_ note: StoreNote) -> String? { nil }
    func keep(_ text: String?, as note: StoreNote) {}
    func run(id: String) -> Run? { runs[id] }
    func runID(job: String, scheduledFor: Instant) -> String? {
        runs.values.first { $0.job == job && $0.scheduledFor == scheduledFor }?.id
    }
    func runID(idempotencyKey: String) -> String? {
        runs.values.first { $0.idempotencyKey == idempotencyKey }?.id
    }
    func earlierRun(idempotencyKey: String) -> EarlierRun? {
        runs.values.first { $0.idempotencyKey == idempotencyKey }.map { .kept($0) }
    }
    func changes(ofJob job: String, limit: Int) -> [JobChange] { [] }
    func attempts(ofRun id: String) -> [Attempt] { attemptsByRun[id, default: []] }
    func messages(ofRun id: String) -> [Message] { messages.values.filter { $0.run == id } }
    func history(_ query: HistoryQuery) -> HistoryPage { HistoryPage(runs: Array(runs.values), next: nil) }
    func statistics() -> StoreStatistics { StoreStatistics(counts: [:]) }
    func queues() -> [QueueTotals] {
        Dictionary(grouping: items.values, by: \.queue).map { QueueTotals(queue: $0.key, items: $0.value.count) }
    }
    func lastQueueItemID() -> Int64 { items.keys.max() ?? 0 }
    func queueItems(_ queue: String, notTakenAt now: Instant, limit: Int, bytesMax: Int) -> [QueueItem] {
        let free = items.values.filter { $0.queue == queue && ($0.takenUntil ?? .epoch) <= now }
        return Array(free.sorted { $0.id < $1.id }.prefix(limit))
    }
    func queueItem(id: Int64) -> QueueItem? { items[id] }
    func checkpoint() { checkpoints += 1 }
    func close() {}
}

/// What happens, in order, in words.
final class Journal {
    private(set) var lines: [String] = []

    func note(_ line: String) { lines.append(line) }

    func clear() { lines = [] }
}
