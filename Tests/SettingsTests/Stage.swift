import Configuration
import Glibc
import JSON
import Performing
import Schedules
import Scheduling
import Store
import TestSupport

@testable import EventLoop
@testable import Settings

/// Settings over a scratch folder, with a core that decides at once and a store in memory.
final class Stage {
    let scratch: ScratchFolder
    let store: FakeStore
    let loop: EventLoop
    let core: FakeCore
    let log: LogLines
    private(set) var settings: Settings

    static let noon = Instant(seconds: 1_772_798_400)

    init(store: FakeStore = FakeStore(), in scratch: ScratchFolder? = nil, zone: String? = nil) throws {
        self.scratch = try scratch ?? ScratchFolder("botcron-settings")
        self.store = store
        loop = try EventLoop()
        log = LogLines()
        core = FakeCore(store: store)
        settings = Settings(
            configurationPath: self.scratch.path + "/config.json", home: "/home/ada",
            zones: ZoneDatabase(
                directory: "/usr/share/zoneinfo", localtime: "/nonexistent", timeZoneVariable: zone),
            store: store, loop: loop, log: Log(identifier: "t", threshold: .debug, destination: log),
            clock: { Self.noon })
    }

    /// What a daemon does at its start.
    func start() throws {
        core.build(settings)
        settings.begin(intake: core, reading: core)
        try loop.turnWhileReady()
    }

    var folder: String { scratch.path }

    /// What config.json says there, read to the end.
    func value(_ section: String, _ key: String) throws -> JSONValue? {
        var reading = try settings.reading(section, key)
        while try reading.goOn() {}
        return try reading.text.map { try JSONValue(parsing: $0) }
    }

    var path: String { folder + "/config.json" }

    func write(_ text: String, to name: String = "config.json") throws {
        try FileReplacement.replace(folder + "/" + name, with: Array(text.utf8), isDurable: false)
    }

    func text(_ name: String = "config.json") -> String {
        guard case .bytes(let bytes)? = try? ConfigurationFile.load(path: folder + "/" + name) else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }

    func jobs(_ names: String...) -> String {
        let jobs = names.map { "{\"name\": \"\($0)\", \"cron\": \"0 9 * * *\", \"command\": [\"true\"]}" }
        return "{\"schedules\": {\"timezone\": \"UTC\", \"jobs\": [\(jobs.joined(separator: ", "))]}}"
    }

    /// Turns until it holds; throws naming what was missing.
    func turn(until what: String, _ done: () throws -> Bool) throws { try loop.turn(until: what, done) }
}

/// What was logged.
final class LogLines: LogDestination {
    private(set) var lines: [String] = []

    func write(_ line: LogLine) -> Bool {
        lines.append(([line.message] + line.fields.map { "\($0.name)=\($0.value)" }).joined(separator: " "))
        return true
    }
}

/// A core that decides each event at once, and a commit that is there at once, unless it fails.
final class FakeCore: Intake, SchedulerReading {
    private let store: FakeStore
    private var scheduler: Scheduler?
    private weak var observer: (any CommitObserver)?
    private(set) var inputs: CoreInputs?
    /// Everything that was submitted or asked, in order.
    private(set) var events: [Event] = []
    private var lastTicket = 0
    /// While set, what is told is dropped, as while the store cannot be written.
    var isFailing = false
    var now: Instant = Stage.noon

    init(store: FakeStore) {
        self.store = store
    }

    /// At a start, and where the core is built anew.
    func build(_ settings: Settings) {
        observer = settings
        let inputs = settings.coreInputs(from: store.state, now: now)
        self.inputs = inputs
        scheduler = Scheduler(
            jobs: inputs.jobs, retained: inputs.retained, unscheduled: inputs.unscheduled, stored: inputs.stored,
            settings: inputs.settings, isEnabled: inputs.isEnabled, register: store, seed: 1, now: now)
        perform(.started(Situation(origin: .start, bootID: "boot", processStartedAt: now)))
        events = []
    }

    private func perform(_ event: Event) {
        guard let scheduler else { return }
        for case .commit(let changes) in scheduler.handle(event, at: now) {
            store.apply(changes)
            scheduler.didCommit()
            observer?.committed(changes)
        }
    }

    func submit(_ event: Event) {
        events.append(event)
        if !isFailing { perform(event) }
    }

    func ask(_ request: @escaping (Ticket) -> Event, then: @escaping (Settlement) -> Void) {
        lastTicket += 1
        submit(request(lastTicket))
        then(.reply(.done))
    }

    func whenDurable(_ handler: @escaping () -> Void) { handler() }

    var status: SchedulerStatus { scheduler?.status ?? .stopping }
    var isEnabled: Bool { scheduler?.isEnabled ?? false }
    var jobCount: Int { scheduler?.jobCount ?? 0 }
    var jobNames: [String] { scheduler?.jobNames ?? [] }
    func job(named name: String) -> Scheduler.JobView? { scheduler?.job(named: name) }
    func forEachJob(_ body: (Scheduler.JobGlance) -> Void) { scheduler?.forEachJob(body) }
    func definition(of name: String) -> Job? { scheduler?.definition(of: name) }
    var nextRun: (job: String, at: Instant)? { scheduler?.nextRun }
    func soonest(_ limit: Int) -> [String] { scheduler?.soonest(limit) ?? [] }
    var lateJobs: [String] { [] }
    var activeRunCount: Int { scheduler?.activeRunCount ?? 0 }
    var activeRuns: [Run] { scheduler?.activeRuns ?? [] }
    func activeRun(id: String) -> Run? { scheduler?.activeRun(id: id) }
    var groupHolds: [GroupHold] { [] }
    var runsByGroup: [String: Int] { [:] }
    func groupHold(ofRun id: String) -> GroupHold? { nil }
    var askingRuns: [Run] { [] }
    var budgetUse: BudgetUse? { nil }
    func budgetUse(ofJob name: String) -> BudgetUse? { nil }
    func unmetConditions(ofRun id: String) -> (unmet: [Condition], until: Instant?)? { nil }
    func explain(_ job: String, at instant: Instant?, records: [Run]) -> [Explanation] { [] }
    func registration(of job: String) -> (scheduleKey: String, registeredAt: Instant)? {
        scheduler?.registration(of: job)
    }
    var queues: [QueueTotals] { [] }
    func queueItems(_ queue: String, limit: Int, bytesMax: Int) -> [QueueItem] { [] }
    var clockStep: ClockStep? { nil }
    var health: EngineHealth { EngineHealth() }
}

/// A store in memory: what a daemon leaves to the next one.
final class FakeStore: Store {
    private(set) var state = StoredState()
    private(set) var runs: [String: Run] = [:]
    private(set) var commits: [[StoreChange]] = []
    private(set) var notes: [String: String] = [:]
    /// How often a note was kept, by its name.
    private(set) var keeps: [String: Int] = [:]
    var isFailing = false

    private func fail() throws(StoreError) {
        if isFailing { throw StoreError(kind: .busy, operation: "write", path: "store", message: "it is locked") }
    }

    func put(_ definition: StoredState.StoredDefinition) { state.definitions.append(definition) }
    func put(active run: Run) { state.activeRuns.append(run) }

    func apply(_ changes: [StoreChange]) {
        commits.append(changes)
        for change in changes {
            switch change {
            case .run(let run): runs[run.id] = run
            case .jobState(let job):
                state.jobs.removeAll { $0.job == job.job }
                state.jobs.append(job)
            case .definition(let job, let version, let json, let createdAt):
                state.definitions.removeAll { $0.job == job }
                put(.init(job: job, version: version, json: json, createdAt: createdAt))
            case .removeDefinition(let job): state.definitions.removeAll { $0.job == job }
            case .removeJobState(let job): state.jobs.removeAll { $0.job == job }
            case .schedulerOverride(let isEnabled): state.schedulerOverride = isEnabled
            default: break
            }
        }
    }

    func load() throws(StoreError) -> StoredState { state }
    func commit(_ changes: [StoreChange], untold: String?, turn: Int64) throws(StoreError) { apply(changes) }
    func lastTurn() throws(StoreError) -> Int64 { Int64(commits.count) }
    func settle(turn: Int64) throws(StoreError) -> Bool { turn <= Int64(commits.count) }
    func probe() throws(StoreError) { try fail() }
    func untold() throws(StoreError) -> String? { nil }
    func forgetUntold() throws(StoreError) {}
    func isTaken(executionID: String) -> Bool { runs[executionID] != nil }

    func note(_ note: StoreNote) throws(StoreError) -> String? {
        try fail()
        return notes["\(note)"]
    }

    func keep(_ text: String?, as note: StoreNote) throws(StoreError) {
        try fail()
        notes["\(note)"] = text
        keeps["\(note)", default: 0] += 1
    }

    func run(id: String) throws(StoreError) -> Run? { runs[id] }
    func runID(job: String, scheduledFor: Instant) throws(StoreError) -> String? { nil }
    func runID(idempotencyKey: String) throws(StoreError) -> String? { nil }
    func attempts(ofRun id: String) throws(StoreError) -> [Attempt] { [] }
    func changes(ofJob job: String, limit: Int) throws(StoreError) -> [JobChange] { [] }
    func messages(ofRun id: String) throws(StoreError) -> [Message] { [] }
    func history(_ query: HistoryQuery) throws(StoreError) -> HistoryPage { HistoryPage(runs: [], next: nil) }

    func statistics() throws(StoreError) -> StoreStatistics {
        StoreStatistics(counts: Dictionary(grouping: runs.values, by: \.status).mapValues(\.count))
    }

    func checkpoint() throws(StoreError) {}
    func close() {}
}
