import Schedules
import Scheduling
import Store
import Testing

@testable import SQLiteStore

@Suite struct DurabilityTests {
    let scratch = Scratch()

    /// One row: what is on record, what is committed, and whether that waits for the disk.
    struct Row: CustomTestStringConvertible {
        let label: String
        let change: StoreChange
        let durability: Durability
        var testDescription: String { label }
    }

    static func state(_ change: (inout JobState) -> Void) -> StoreChange {
        var state = makeState()
        change(&state)
        return .jobState(state)
    }

    static func run(_ change: (inout Run) -> Void) -> StoreChange {
        var run = makeRun(1, .running)
        change(&run)
        return .run(run)
    }

    static let rows: [Row] = [
        Row(label: "a new run", change: .run(makeRun(2, .queued)), durability: .synced),
        Row(label: "a run that ends", change: run { $0.status = .failed }, durability: .synced),
        Row(label: "a run that is to be retried", change: run { $0.status = .retrying }, durability: .synced),
        Row(label: "a next attempt", change: run { $0.attempt = 2 }, durability: .synced),
        Row(label: "progress of a run", change: run { $0.outputPreview = "40 %" }, durability: .eventual),
        Row(
            label: "an attempt",
            change: .attempt(Attempt(run: makeRun(1).id, number: 1, startedAt: .init(seconds: 1))),
            durability: .synced),
        Row(label: "a toggle", change: state { $0.isEnabledOverride = false }, durability: .synced),
        Row(label: "a skip", change: state { $0.skippedFireTime = .init(seconds: 9) }, durability: .synced),
        Row(label: "a new grid", change: state { $0.scheduleKey = "@daily" }, durability: .synced),
        Row(label: "a pause that ends", change: state { $0.pausedUntil = .init(seconds: 9) }, durability: .synced),
        Row(label: "why it is disabled", change: state { $0.disabledReason = "quota" }, durability: .synced),
        Row(
            label: "who changed it",
            change: .jobChange(
                JobChange(sequence: 1, job: "coffee", at: .init(seconds: 9), what: .disabled, author: .daemon)),
            durability: .synced),
        Row(label: "a fire time taken", change: state { $0.claimed = [.init(seconds: 9)] }, durability: .synced),
        Row(label: "a boot", change: state { $0.firedBootID = "b" }, durability: .synced),
        Row(label: "a new job", change: .jobState(makeState("tea")), durability: .synced),
        Row(
            label: "decided fire times", change: state { $0.decidedThrough = .init(seconds: 9) },
            durability: .eventual),
        Row(label: "counters", change: state { $0.runCount = 9 }, durability: .eventual),
        Row(
            label: "a definition",
            change: .definition(job: "tea", version: 1, json: "{}", createdAt: .init(seconds: 1)), durability: .synced),
        Row(label: "a definition gone", change: .removeDefinition(job: "tea"), durability: .synced),
        Row(label: "a pause", change: .schedulerOverride(false), durability: .synced),
        Row(label: "retention by count", change: .prune(job: "coffee", keep: 1), durability: .eventual),
        Row(label: "retention by age", change: .pruneEnded(before: .init(seconds: 1), limit: 1), durability: .eventual),
        Row(label: "items given back", change: .queueItemsReturned(except: []), durability: .eventual),
        Row(label: "a job gone", change: .removeJobState(job: "coffee"), durability: .eventual),
    ]

    @Test(arguments: rows)
    func aCommitWaitsForTheDiskWhereSomethingReliesOnIt(_ row: Row) throws {
        let store = try SQLiteStore(path: scratch.database)
        try store.commit([.run(makeRun(1, .running)), .jobState(makeState())])
        #expect(store.durability == .synced)
        let database = try store.opened("test").database
        // From either side: the switch happens whatever was before.
        for before in [Durability.synced, .eventual] {
            try store.setDurability(before, database)
            let changes = [row.change]
            #expect(try store.neededDurability(for: changes, store.opened("test")) == row.durability)
        }
        try store.commit([row.change])
        #expect(try database.integer("PRAGMA synchronous", "test") == (row.durability == .synced ? 2 : 1))
    }

    @Test func oneChangeThatMustBeSyncedIsEnough() throws {
        let store = try SQLiteStore(path: scratch.database)
        try store.commit([.jobState(makeState())])
        try store.commit([.jobState(makeState())])
        #expect(store.durability == .eventual)
        try store.commit([.jobState(makeState()), .prune(job: "coffee", keep: 1), .schedulerOverride(true)])
        #expect(store.durability == .synced)
    }
}
