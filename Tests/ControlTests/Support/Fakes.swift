import Configuration
import JSON
import Performing
import Schedules
import Store

@testable import Control
@testable import Scheduling

/// An engine that decides when it is told to.
final class FakeIntake: Intake {
    /// While it holds, everything waits in order, as while the store cannot be written.
    var isHolding = false
    /// What becomes of a request.
    var decide: (Event) -> Settlement = { _ in .reply(.done) }
    private(set) var asked: [Event] = []
    /// How often it was asked, what waits included.
    private(set) var askCount = 0
    private var waiting: [() -> Void] = []
    private var lastTicket = 0

    var waitingCount: Int { waiting.count }

    func submit(_ event: Event) {}

    func ask(_ request: @escaping (Ticket) -> Event, then: @escaping (Settlement) -> Void) {
        askCount += 1
        whenDurable { [self] in
            lastTicket += 1
            let event = request(lastTicket)
            asked.append(event)
            then(decide(event))
        }
    }

    func whenDurable(_ handler: @escaping () -> Void) {
        if isHolding { waiting.append(handler) } else { handler() }
    }

    /// The commit is there, or given up.
    func release() {
        isHolding = false
        let handlers = waiting
        waiting = []
        for handler in handlers { handler() }
    }
}

final class FakeScheduler: SchedulerReading {
    var views: [String: Scheduler.JobView] = [:]
    var active: [Run] = []
    var now = Instant(seconds: 1_800_000_000)
    var status = SchedulerStatus.running
    var isEnabled = true
    var queues: [QueueTotals] = []
    var items: [QueueItem] = []
    var clockStep: ClockStep?
    var health = EngineHealth()
    /// How often the names of all jobs were sorted.
    private(set) var sortCount = 0

    var jobCount: Int { views.count }
    var jobNames: [String] {
        sortCount += 1
        return views.keys.sorted()
    }
    func job(named name: String) -> Scheduler.JobView? { views[name] }
    func forEachJob(_ body: (Scheduler.JobGlance) -> Void) { for view in views.values { body(view.glance) } }
    func definition(of name: String) -> Job? { views[name]?.job }
    /// The earliest of what was added.
    private(set) var nextRun: (job: String, at: Instant)?
    func soonest(_ limit: Int) -> [String] {
        let due = views.values.compactMap { view in view.nextRun.map { (view.job.name, $0) } }
        return due.sorted { ($0.1, $0.0) < ($1.1, $1.0) }.prefix(limit).map(\.0)
    }
    var lateJobs: [String] = []
    var activeRunCount: Int { active.count }
    var activeRuns: [Run] { active }
    func activeRun(id: String) -> Run? { active.first { $0.id == id } }
    var groupHolds: [GroupHold] { [] }
    var runsByGroup: [String: Int] { [:] }
    func groupHold(ofRun id: String) -> GroupHold? { nil }
    var askingRuns: [Run] { [] }
    var budgetUse: BudgetUse? { nil }
    func budgetUse(ofJob name: String) -> BudgetUse? { nil }
    func unmetConditions(ofRun id: String) -> (unmet: [Condition], until: Instant?)? { nil }
    func explain(_ job: String, at instant: Instant?, records: [Run]) -> [Explanation] { [.neverAgain] }
    func registration(of job: String) -> (scheduleKey: String, registeredAt: Instant)? { nil }
    func queueItems(_ queue: String, limit: Int, bytesMax: Int) -> [QueueItem] {
        Array(items.filter { $0.queue == queue }.prefix(limit))
    }

    // MARK: - Filling

    @discardableResult
    func add(_ name: String, next: Instant? = nil, _ change: (inout Scheduler.JobView) -> Void = { _ in }) -> Job {
        let job = Job(name: name, registeredAt: now, zone: .utc, action: .command(["true"]))
        let state = JobState(job: name, scheduleKey: "", registeredAt: now, decidedThrough: now)
        var view = Scheduler.JobView(
            job: job, state: state, isEnabled: true, isFinished: false, nextRun: next, active: [])
        change(&view)
        views[name] = view
        if let at = view.nextRun, nextRun.map({ at < $0.at }) ?? true { nextRun = (name, at) }
        return view.job
    }

    @discardableResult
    func start(_ job: String, id: String) -> Run {
        var run = Run(
            id: id, job: job, skill: "", trigger: .manual, scheduledFor: nil, createdAt: now, status: .running)
        run.attempt = 1
        active.append(run)
        views[job]?.active.append(id)
        return run
    }

    func end(_ id: String, _ status: Run.Status = .success) -> Run? {
        guard let place = active.firstIndex(where: { $0.id == id }) else { return nil }
        var run = active.remove(at: place)
        run.status = status
        run.endedAt = now
        views[run.job]?.active.removeAll { $0 == id }
        return run
    }
}

/// A store that only its history is asked of.
final class FakeStore: Store {
    var runs: [Run] = []
    var fault: StoreError?
    private(set) var lastQuery: HistoryQuery?

    private func read<T>(_ value: T) throws(StoreError) -> T {
        if let fault { throw fault }
        return value
    }

    func run(id: String) throws(StoreError) -> Run? { try read(runs.first { $0.id == id }) }
    func runID(job: String, scheduledFor: Instant) throws(StoreError) -> String? { try read(nil) }
    func runID(idempotencyKey: String) throws(StoreError) -> String? { try read(nil) }
    func attempts(ofRun id: String) throws(StoreError) -> [Attempt] { try read([]) }
    var changes: [JobChange] = []
    func changes(ofJob job: String, limit: Int) throws(StoreError) -> [JobChange] {
        try read(Array(changes.filter { $0.job == job }.reversed().prefix(limit)))
    }
    func messages(ofRun id: String) throws(StoreError) -> [Message] { try read([]) }
    func history(_ query: HistoryQuery) throws(StoreError) -> HistoryPage {
        lastQuery = query
        let matching = runs.reversed().filter { query.job == nil || $0.job == query.job }
        return try read(HistoryPage(runs: Array(matching.prefix(query.effectiveLimit)), next: nil))
    }
    func statistics() throws(StoreError) -> StoreStatistics {
        try read(StoreStatistics(counts: Dictionary(runs.map { ($0.status, 1) }, uniquingKeysWith: +)))
    }

    // Nobody in Control asks for the rest.
    func load() throws(StoreError) -> StoredState { StoredState() }
    func lastTurn() throws(StoreError) -> Int64 { 0 }
    func commit(_ changes: [StoreChange], untold: String?, turn: Int64) throws(StoreError) {}
    func settle(turn: Int64) throws(StoreError) -> Bool { true }
    func probe() throws(StoreError) {}
    func untold() throws(StoreError) -> String? { nil }
    func forgetUntold() throws(StoreError) {}
    func isTaken(executionID: String) -> Bool { false }
    func note(_ note: StoreNote) throws(StoreError) -> String? { nil }
    func keep(_ text: String?, as note: StoreNote) throws(StoreError) {}
    func checkpoint() throws(StoreError) {}
    func close() {}
}

final class FakeRuns: RunReading {
    var onRemark: (String) -> Void = { _ in }
    var progress: [String: Double] = [:]

    func output(run: String, attempt: Int, from offset: Int, limit: Int) -> (bytes: [UInt8], nextOffset: Int) {
        let bytes = Array("output of \(run).\(attempt)".utf8)
        return (Array(bytes.dropFirst(offset).prefix(limit)), bytes.count)
    }

    func current(_ run: Run) -> Run {
        var run = run
        run.progress = progress[run.id]
        return run
    }
}

final class FakeSettings: SettingsControl {
    var configuration = Configuration(timezone: .utc)
    var configurationPath: String
    var configurationFault: ConfigurationError?
    var refusedDefinitions: Set<String> = []
    /// What an update or a reload does.
    var failure: SettingsError?
    private(set) var updates: [String] = []

    init(folder: String) { configurationPath = folder + "/config.json" }

    func reading(_ section: String, _ key: String) throws(SettingsError) -> ValueStep {
        if let failure { throw failure }
        return { .done("\"\(section).\(key)\"") }
    }
    func update(_ section: String, _ key: String, _ value: JSONValue) throws(SettingsError) {
        if let failure { throw failure }
        updates.append("\(section).\(key)=\(value.compactText)")
    }
    func reload() throws(SettingsError) -> ReloadResult {
        if let failure { throw failure }
        return ReloadResult()
    }
    func readJob(_ value: JSONValue, madeUpName: String) throws(JobError) -> Job {
        guard value["command"] != nil else {
            throw JobError(kind: .job, job: nil, key: "command", message: "the job has no action")
        }
        return Job(
            name: value["name"]?.stringValue ?? madeUpName, registeredAt: .epoch, zone: .utc,
            action: .command(["true"]))
    }
    func readPreview(_ text: String) throws(JobError) -> SchedulePreview {
        throw JobError(kind: .schedule, job: nil, key: "cron", message: "out_of_range minute \"61\" at 0: sentence")
    }
    func isRefusedDefinition(of name: String) -> Bool { refusedDefinitions.contains(name) }

    func refuse(_ names: [String]) {
        configuration.refused += names.map { RefusedJob(name: $0, definition: "{}", error: "the reason of \($0)") }
    }
}

final class FakeMachine: MachineReading {
    var machineFacts = [MachineFact(name: "logind", isServing: true, text: "tells of sleep")]
}

final class FakeService: ServiceControl {
    var isOnBus = true
    var uptime = 12.5
    var statePath = "/nowhere"
    private(set) var stops: [String] = []

    func stop(because reason: String) { stops.append(reason) }
    func probe(_ target: String, then: @escaping (MessageOutcome) -> Void) { then(.refused("nobody is there")) }
}
