import CSQLite
import Glibc
import Schedules
import Scheduling
import Store
import Testing

@testable import SQLiteStore

/// A commit that failed came back: a request that was answered with an error was carried out after the next start.
///
/// Every write, sync and cut of a few turns fails once, in each way that the disk may fail; then either the turn is
/// tried again, or it is given up. What the store has said must be true of the open store, of one that is opened after
/// a kill, and of what a power cut leaves.
@Suite struct SettlingTests {
    private static let isLong = getenv("BOTCRON_LONG_TESTS") != nil

    /// What the caller of a failed commit does.
    enum Way: CaseIterable { case triesAgain, givesUp, givesUpLate }

    struct Case: CustomTestStringConvertible {
        let call: FaultyDisk.Call
        let code: Int32
        var isTorn = false
        var testDescription: String { "\(call), \(code)\(isTorn ? ", torn" : "")" }
    }

    /// SQLite's codes for what failed below it, which are macros.
    private enum Code {
        static let write = SQLITE_IOERR | 3 << 8
        static let sync = SQLITE_IOERR | 4 << 8
        static let truncate = SQLITE_IOERR | 6 << 8
    }

    static let cases: [Case] = [
        Case(call: .write, code: Code.write, isTorn: true), Case(call: .write, code: SQLITE_FULL),
        Case(call: .sync, code: Code.sync), Case(call: .truncate, code: Code.truncate),
    ]

    @Test(arguments: cases, Way.allCases)
    func whatWasSaidOfAFailedCommitStaysTrue(_ row: Case, _ way: Way) throws {
        // A store that is there, with its first turn.
        let made = Scratch()
        let store = try SQLiteStore(path: made.database)
        try store.commit([.jobState(makeState())], untold: nil, turn: 1)
        store.close()
        var number = 1
        var failures = 0
        // Till the fault comes after the last call.
        while try fails(
            FaultyDisk.Fault(call: row.call, number: number, code: row.code, isTorn: row.isTorn), way, made)
        {
            failures += 1
            number += 1
        }
        // The log is cut at checkpoints only.
        #expect(failures >= (row.call == .write ? 20 : row.call == .sync ? 5 : 1))
    }

    /// What the store has said of each turn.
    fileprivate struct Sayings {
        var there: Set<Int64> = []
        var gone: Set<Int64> = []
    }

    /// False where the fault never came.
    private func fails(_ fault: FaultyDisk.Fault, _ way: Way, _ made: Scratch) throws -> Bool {
        try FaultyDisk.under { disk in
            let scratch = Scratch()
            scratch.write(made.bytes("botcron.db"), to: "botcron.db")
            let store = try SQLiteStore(path: scratch.database)
            var sayings = Sayings(there: [1])
            disk.arm(fault)
            disk.isBroken = way == .givesUpLate
            for turn in Int64(2)...(Self.isLong ? 7 : 5) {
                let changes = Self.changes(turn)
                do throws(StoreError) {
                    if turn == 4 { try store.checkpoint() }
                    try store.commit(changes, untold: "told \(turn)", turn: turn)
                    sayings.there.insert(turn)
                } catch {
                    #expect(error.remedy == .time, "\(fault), turn \(turn): \(error)")
                    try goOn(store, disk, turn, changes, way, &sayings, "\(fault), \(way), turn \(turn)")
                    try check(scratch, disk, sayings, "\(fault), \(way), after turn \(turn)")
                }
            }
            #expect(try Self.runs(store) == sayings.there.subtracting([1]), "\(fault), \(way)")
            if Self.isLong || !disk.hasFailed { try check(scratch, disk, sayings, "\(fault), \(way), at the end") }
            store.close()
            return disk.hasFailed
        }
    }

    private func goOn(
        _ store: SQLiteStore, _ disk: FaultyDisk, _ turn: Int64, _ changes: [StoreChange], _ way: Way,
        _ sayings: inout Sayings, _ comment: Comment
    ) throws {
        switch way {
        case .triesAgain:
            try store.commit(changes, untold: "told \(turn)", turn: turn)
            sayings.there.insert(turn)
        case .givesUpLate:
            // As long as the disk fails, reading works, and nothing is said that may turn out to be false.
            for _ in 0..<3 {
                #expect(try !Self.runs(store).contains(turn), comment)
                if let isThere = try? store.settle(turn: turn) { sayings.note(turn, isThere) }
                if (try? store.probe()) != nil { #expect(try !store.settle(turn: turn), comment) }
            }
            disk.isBroken = false
            fallthrough
        case .givesUp:
            let isThere = try store.settle(turn: turn)
            sayings.note(turn, isThere)
            try store.probe()
            #expect(try store.settle(turn: turn) == isThere, comment)
        }
    }

    /// After a kill, and after a power cut.
    private func check(_ scratch: Scratch, _ disk: FaultyDisk, _ sayings: Sayings, _ comment: Comment) throws {
        // What is looked at is on a disk that works.
        disk.isUnder = false
        defer { disk.isUnder = true }
        let killed = Scratch()
        let cut = Scratch()
        for suffix in ["", "-wal"] {
            killed.write(scratch.bytes("botcron.db" + suffix), to: "botcron.db" + suffix)
            cut.write(disk.durable(scratch.database + suffix) ?? [], to: "botcron.db" + suffix)
        }
        for (copy, what) in [(killed, "killed"), (cut, "power cut")] {
            let next = try OtherProgram(copy.database)
            let found = Set(try next.rows("SELECT created_at_us / 1000000 FROM run").compactMap { Int64($0) })
            let missing = sayings.there.subtracting(found).subtracting([1])
            #expect(missing.isEmpty, "\(comment), \(what): turns \(missing) are missing")
            let back = sayings.gone.intersection(found)
            #expect(back.isEmpty, "\(comment), \(what): turns \(back) have come back")
            let last = try next.rows("SELECT value FROM setting WHERE name = 'turn'").first.flatMap { Int64($0) }
            #expect(last == found.max() ?? 1, "\(comment), \(what)")
            #expect(try next.rows("PRAGMA integrity_check") == ["ok"], "\(comment), \(what)")
        }
    }

    /// Turns of some pages, and of more; in the long test of more than the page cache holds, so that they are spilled
    /// to the log before the commit.
    private static func changes(_ turn: Int64) -> [StoreChange] {
        var run = makeRun(Int(turn))
        if turn.isMultiple(of: 3) { run.inputs = String(repeating: "\(turn) ", count: Self.isLong ? 600_000 : 5_000) }
        return [.run(run), .attempt(Attempt(run: run.id, number: 1, startedAt: run.createdAt))]
    }

    private static func runs(_ store: SQLiteStore) throws -> Set<Int64> {
        Set(try store.history(HistoryQuery(limit: 100)).runs.map { $0.createdAt.seconds })
    }

    // MARK: - Single promises

    @Test func aTurnThatIsOnRecordIsNotCommittedTwice() throws {
        let scratch = Scratch()
        let store = try SQLiteStore(path: scratch.database)
        #expect(try store.lastTurn() == 0)
        try store.commit([.run(makeRun(1))], untold: "once", turn: 7)
        #expect(try store.lastTurn() == 7)
        // Other changes, to see that they are not looked at.
        try store.commit([.run(makeRun(2))], untold: "twice", turn: 7)
        #expect(try store.run(id: makeRun(2).id) == nil)
        #expect(try store.untold() == "once")
        #expect(try store.settle(turn: 7))
        #expect(try !store.settle(turn: 8))
        let error = try #require(throws: StoreError.self) { try store.commit([.run(makeRun(2))], untold: nil, turn: 6) }
        #expect(error.message.contains("turn 6") && error.remedy != .time, "\(error)")
        store.close()
        let next = try SQLiteStore(path: scratch.database)
        #expect(try next.lastTurn() == 7)
        next.close()
    }

    @Test func aTurnThatFailedForALockIsTriedAgainByTheSameCall() throws {
        let scratch = Scratch()
        let store = try SQLiteStore(path: scratch.database)
        let other = try OtherProgram(scratch.database)
        try other.execute("BEGIN IMMEDIATE")
        for _ in 0..<3 {
            let error = try #require(throws: StoreError.self) {
                try store.commit([.run(makeRun(1))], untold: nil, turn: 1)
            }
            #expect(error.kind == .busy)
            #expect(throws: StoreError.self) { try store.probe() }
            #expect(try !store.settle(turn: 1), "nothing was written, so nothing is in doubt")
        }
        // Who writes keeps nobody from reading.
        #expect(try store.history(HistoryQuery()).runs.isEmpty && store.load() == StoredState())
        #expect(store.earlierRun(idempotencyKey: "key") == nil)
        try other.execute("COMMIT")
        try store.commit([.run(makeRun(1))], untold: nil, turn: 1)
        #expect(try store.settle(turn: 1))
        store.close()
    }

    /// The lookup answers that nothing is there; the same transaction tried again would have recorded it.
    @Test func whatWasDecidedWithoutALookupIsNotTemporary() throws {
        let scratch = Scratch()
        let store = try SQLiteStore(path: scratch.database)
        let other = try OtherProgram(scratch.database)
        for lookUp: (SQLiteStore) -> Void in [
            { _ = $0.isTaken(executionID: "x") }, { _ = $0.earlierRun(idempotencyKey: "x") },
            { _ = $0.isDecided(job: "x", fireTime: .epoch) }, { _ = $0.earlierRun(job: "x", scheduledFor: .epoch) },
        ] {
            try other.execute("ALTER TABLE run RENAME TO elsewhere")
            lookUp(store)
            try other.execute("ALTER TABLE elsewhere RENAME TO run")
            let error = try #require(throws: StoreError.self) { try store.commit([.jobState(makeState())]) }
            #expect(error.kind == .lookupFailed && error.remedy == .deciding, "\(error)")
            // A decision that was given up takes what it could not look up with it.
            try other.execute("ALTER TABLE run RENAME TO elsewhere")
            lookUp(store)
            try other.execute("ALTER TABLE elsewhere RENAME TO run")
            #expect(try !store.settle(turn: .max))
            try store.commit([.jobState(makeState())])
        }
        store.close()
    }
}

extension SettlingTests.Sayings {
    fileprivate mutating func note(_ turn: Int64, _ isThere: Bool) {
        if isThere { there.insert(turn) } else { gone.insert(turn) }
    }
}
