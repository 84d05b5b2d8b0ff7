import Glibc
import SQLiteStore
import Schedules
import Scheduling
import Store
import Testing

/// A store whose file somebody takes away while it is open.
@Suite struct RescueTests {
    private let scratch = Scratch()

    private func expectAll(_ count: Int) throws {
        let store = try SQLiteStore(path: scratch.database)
        defer { store.close() }
        #expect(try store.history(HistoryQuery(limit: 1000)).runs.count == count)
        #expect(try store.statistics().recorded == count)
        for number in 0..<count { #expect(try store.run(id: makeRun(number).id) == makeRun(number)) }
    }

    enum Loss: CaseIterable { case file, log, logAndMemory, fileAndLog, folder }

    @Test(arguments: Loss.allCases) func whatIsGoneIsWrittenAnew(_ loss: Loss) throws {
        let store = try SQLiteStore(path: scratch.database)
        var rescues = 0
        store.onRescue = { rescues += 1 }
        // Some of it in the file, some in the log alone.
        try store.commit((0..<50).map { .run(makeRun($0)) })
        try store.checkpoint()
        try store.commit((50..<60).map { .run(makeRun($0)) })
        #expect(rescues == 0)
        switch loss {
        case .file: unlink(scratch.database)
        case .log: unlink(scratch.database + "-wal")
        case .logAndMemory: for suffix in ["-wal", "-shm"] { unlink(scratch.database + suffix) }
        case .fileAndLog, .folder: for suffix in ["", "-wal", "-shm"] { unlink(scratch.database + suffix) }
        }
        if loss == .folder { #expect(rmdir(scratch.path) == 0) }
        try store.commit([.run(makeRun(60))])
        #expect(rescues == 1)
        #expect(scratch.mode("botcron.db") == 0o600)
        try store.commit([.run(makeRun(61))])
        #expect(rescues == 1)
        // As after a crash: nobody closes it.
        try expectAll(62)
        store.close()
        try expectAll(62)
    }

    @Test func atTheEndToo() throws {
        let store = try SQLiteStore(path: scratch.database)
        try store.commit((0..<5).map { .run(makeRun($0)) })
        unlink(scratch.database)
        try store.checkpoint()
        store.close()
        try expectAll(5)
    }

    @Test func whatWasToldIsNotToldAgain() throws {
        let store = try SQLiteStore(path: scratch.database)
        try store.commit([.run(makeRun(0))], untold: "first")
        try store.forgetUntold()
        for suffix in ["", "-wal", "-shm", "-told"] { unlink(scratch.database + suffix) }
        try store.commit([.run(makeRun(1))])
        store.close()
        let next = try SQLiteStore(path: scratch.database)
        #expect(try next.untold() == nil)
        next.close()
    }

    @Test func anotherFileInItsPlaceIsLeftAlone() throws {
        let store = try SQLiteStore(path: scratch.database)
        try store.commit([.run(makeRun(0))])
        try replace(with: 7)
        let error = try #require(throws: StoreError.self) { try store.commit([.run(makeRun(1))]) }
        #expect(error.kind == .replaced && "\(error)".contains("restart the daemon"), "\(error)")
        #expect(throws: StoreError.self) { try store.checkpoint() }
        // As after a crash, and after an orderly end: nothing of the old one gets into the new one.
        try expectRuns([7], in: scratch.database)
        store.close()
        try expectRuns([7], in: scratch.database)
        try expectRuns([0], in: scratch.database + ".replaced")
    }

    @Test func oneThatIsTakenAwayAgainGivesTheOldOneBack() throws {
        let store = try SQLiteStore(path: scratch.database)
        try store.commit([.run(makeRun(0))])
        unlink(scratch.database)
        close(open(scratch.database, O_RDWR | O_CREAT, 0o600))
        #expect(throws: StoreError.self) { try store.commit([.run(makeRun(1))]) }
        unlink(scratch.database)
        try store.commit([.run(makeRun(1))])
        store.close()
        try expectRuns([0, 1], in: scratch.database)
    }

    /// Another file in the place of the open one, with one run in it.
    private func replace(with number: Int) throws {
        let backup = scratch.path + "/backup"
        let other = try SQLiteStore(path: backup)
        try other.commit([.run(makeRun(number))])
        other.close()
        #expect(rename(backup, scratch.database) == 0)
    }

    @Test func oneThatIsPutBackHasItsLogAgain() throws {
        let store = try SQLiteStore(path: scratch.database)
        try store.commit([.run(makeRun(0))])
        let aside = scratch.path + "/aside"
        #expect(rename(scratch.database, aside) == 0)
        try replace(with: 7)
        #expect(throws: StoreError.self) { try store.commit([.run(makeRun(1))]) }
        #expect(rename(aside, scratch.database) == 0)
        try store.commit([.run(makeRun(1))])
        // As after a crash: nobody closes it.
        try expectRuns([0, 1], in: scratch.database)
        store.close()
        try expectRuns([0, 1], in: scratch.database)
    }

    @Test func whatIsReplacedASecondTimeIsKeptASecondTime() throws {
        let store = try SQLiteStore(path: scratch.database)
        try store.commit([.run(makeRun(0))])
        try replace(with: 7)
        #expect(throws: StoreError.self) { try store.commit([.run(makeRun(1))]) }
        unlink(scratch.database)
        try store.commit([.run(makeRun(1))])
        try replace(with: 8)
        #expect(throws: StoreError.self) { try store.commit([.run(makeRun(2))]) }
        store.close()
        try expectRuns([8], in: scratch.database)
        try expectRuns([0], in: scratch.database + ".replaced")
        try expectRuns([0, 1], in: scratch.database + ".replaced-2")
    }

    /// What was written anew and could not be opened is still ours.
    @Test func aRescueThatFailsAtItsEndIsTriedAgain() throws {
        let store = try SQLiteStore(path: scratch.database)
        try store.commit([.run(makeRun(0))])
        for suffix in ["", "-wal"] { unlink(scratch.database + suffix) }
        #expect(mkdir(scratch.database + "-wal", 0o700) == 0)
        let error = try #require(throws: StoreError.self) { try store.commit([.run(makeRun(1))]) }
        #expect(error.kind != .replaced, "\(error)")
        #expect(rmdir(scratch.database + "-wal") == 0)
        try store.commit([.run(makeRun(1))])
        store.close()
        try expectRuns([0, 1], in: scratch.database)
    }

    private func expectRuns(_ numbers: [Int], in path: String) throws {
        let store = try SQLiteStore(path: path)
        defer { store.close() }
        let found = try store.history(HistoryQuery(limit: 10)).runs.map(\.id)
        #expect(Set(found) == Set(numbers.map { makeRun($0).id }))
    }
}
