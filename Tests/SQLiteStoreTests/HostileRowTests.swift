import Glibc
import Schedules
import Scheduling
import Store
import Testing

@testable import SQLiteStore

/// What is read back from the file is foreign: it never traps, and one bad row is no reason to lose the others.
@Suite struct HostileRowTests {
    let scratch = Scratch()
    private static let isLong = getenv("BOTCRON_LONG_TESTS") != nil

    /// Each value in each column, in all rows and in some.
    @Test func noValueInAnyColumnTraps() throws {
        let hostile = try #require(HostileRows(path: scratch.database))
        defer { hostile.close() }
        var cases = 0
        for (table, columns) in HostileRows.columns.enumerated() {
            for column in columns.columns.indices {
                for value in HostileRows.values.indices where Self.isLong || (value + column).isMultiple(of: 5) {
                    hostile.scribble(table: table, column: column, value: value, isInAll: value.isMultiple(of: 2))
                    let findings = hostile.exercise()
                    #expect(
                        findings.isEmpty, "\(columns.table).\(columns.columns[column]) = \(HostileRows.values[value])")
                    cases += 1
                }
            }
        }
        #expect(cases > 400)
    }

    /// Many at once, at random.
    @Test func noMixOfValuesTraps() throws {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        for round in 0..<(Self.isLong ? 300 : 10) {
            let scratch = Scratch()
            let hostile = try #require(HostileRows(path: scratch.database))
            defer { hostile.close() }
            for _ in 0..<20 {
                for _ in 0..<Int.random(in: 1...8, using: &random) {
                    hostile.scribble(
                        table: Int.random(in: 0..<1000, using: &random),
                        column: Int.random(in: 0..<1000, using: &random),
                        value: Int.random(in: 0..<1000, using: &random), isInAll: random.chance())
                }
                let findings = hostile.exercise()
                #expect(findings.isEmpty, "seed \(seed), round \(round): \(findings)")
            }
        }
    }

    /// Bytes of the file itself: SQLite finds out, or the reader does.
    @Test func noDamagedByteTraps() throws {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        let hostile = try #require(HostileRows(path: scratch.database))
        hostile.close()
        let file = scratch.bytes("botcron.db")
        for _ in 0..<(Self.isLong ? 2_000 : 60) {
            let damaged = Scratch()
            damaged.write(file, to: "botcron.db")
            for _ in 0..<Int.random(in: 1...40, using: &random) {
                let offset = Int.random(in: 0..<file.count, using: &random)
                damaged.write([UInt8.random(in: 0...255, using: &random)], at: offset, to: "botcron.db")
            }
            do throws(StoreError) {
                let store = try SQLiteStore(path: damaged.database)
                defer { store.close() }
                _ = try store.load()
                _ = try store.history(HistoryQuery(limit: 1000))
                try store.commit([.run(makeRun(1)), .prune(job: "coffee", keep: 1)])
            } catch {
                #expect(error.kind != .busy && error.kind != .full, "seed \(seed): \(error)")
            }
        }
    }

    // MARK: - What becomes of the others

    @Test func oneBadRowIsLeftOutAndNamed() throws {
        let store = try SQLiteStore(path: scratch.database)
        try store.commit((1...5).map { .run(makeRun($0, .running)) })
        let other = try OtherProgram(scratch.database)
        try other.execute("UPDATE run SET trigger = 'jammed' WHERE id = 'cron-coffee-3'")
        let state = try store.load()
        #expect(state.activeRuns.map(\.id) == [1, 2, 4, 5].map { "cron-coffee-\($0)" })
        #expect(state.unreadable == [#"the run cron-coffee-3: "jammed" is no Trigger"#])
        #expect(try store.history(HistoryQuery(limit: 2)).runs.map(\.id) == ["cron-coffee-5", "cron-coffee-4"])
        let cursor = try #require(try store.history(HistoryQuery(limit: 2)).next)
        #expect(try store.history(HistoryQuery(limit: 3, cursor: cursor)).runs.map(\.id).count == 2)
        let error = try #require(throws: StoreError.self) { try store.run(id: "cron-coffee-3") }
        #expect(error.kind == .damaged && error.message.contains("cron-coffee-3"), "\(error)")
        try store.commit([.run(makeRun(4))])
        store.close()
    }

    @Test func noMoreBadRowsAreNamedThanAnybodyReads() throws {
        let store = try SQLiteStore(path: scratch.database)
        try store.commit((1...50).map { .run(makeRun($0, .running)) })
        try OtherProgram(scratch.database).execute("UPDATE run SET trigger = 'jammed'")
        #expect(try store.load().unreadable.count == StoredState.unreadableMax)
        store.close()
    }

    /// A number of the mark of what was told that nobody counted to made the next commit trap.
    @Test(arguments: [UInt64.max, UInt64(Int64.max), 1 << 60]) func theMarkOfWhatWasToldIsForeignToo(_ number: UInt64)
        throws
    {
        scratch.write(withUnsafeBytes(of: number.littleEndian) { Array($0) }, to: "botcron.db-told")
        let store = try SQLiteStore(path: scratch.database)
        try store.commit([.run(makeRun(1))], untold: "started")
        #expect(try store.untold() == "started")
        try store.forgetUntold()
        #expect(try store.untold() == nil)
        store.close()
    }

    @Test func aPipeInThePlaceOfTheMarkHoldsNobodyUp() throws {
        #expect(mkfifo(scratch.database + "-told", 0o600) == 0)
        let store = try SQLiteStore(path: scratch.database)
        try store.commit([.run(makeRun(1))], untold: "started")
        try store.forgetUntold()
        #expect(try store.untold() == nil)
        store.close()
    }

    // MARK: - Bounds of what is written

    @Test func aTextBeyondTheBoundIsRefused() throws {
        let store = try SQLiteStore(path: scratch.database)
        var run = makeRun(1)
        run.inputs = String(repeating: "x", count: StoreBounds.textBytesMax + 1)
        let error = try #require(throws: StoreError.self) { try store.commit([.run(run)]) }
        #expect(error.remedy != .time && error.message.contains("\(StoreBounds.textBytesMax)"), "\(error)")
        store.close()
    }

    @Test func notesAreKeptUpToTheirBound() throws {
        let store = try SQLiteStore(path: scratch.database)
        let longest = String(repeating: "é", count: StoreNote.bytesMax / 2)
        for note in StoreNote.allCases {
            #expect(try store.note(note) == nil)
            try store.keep(longest, as: note)
            let error = try #require(throws: StoreError.self) { try store.keep(longest + "x", as: note) }
            #expect(error.message.contains("\(StoreNote.bytesMax)"), "\(error)")
        }
        store.close()
        let next = try SQLiteStore(path: scratch.database)
        for note in StoreNote.allCases {
            #expect(try next.note(note) == longest)
            try next.keep(nil, as: note)
            #expect(try next.note(note) == nil)
        }
        next.close()
    }
}
