import Glibc
import Schedules
import Scheduling
import Store
import Testing

@testable import SQLiteStore

@Suite struct OpeningTests {
    let scratch = Scratch()

    private func failure(_ path: String, steps: [String] = Schema.steps) throws -> StoreError {
        try #require(throws: StoreError.self) {
            let store = try SQLiteStore(path: path, steps: steps)
            _ = try store.load()
        }
    }

    // MARK: - Files

    @Test func filesAreForTheUserAloneFromBirth() throws {
        let store = try SQLiteStore(path: scratch.database)
        try store.commit([.run(makeRun(1))])
        for name in ["botcron.db", "botcron.db-wal", "botcron.db-shm"] {
            #expect(scratch.mode(name) == 0o600, "\(name)")
        }
        store.close()
        #expect(scratch.names() == ["botcron.db"])
        chmod(scratch.database, 0o644)
        try SQLiteStore(path: scratch.database).close()
        #expect(scratch.mode("botcron.db") == 0o600)
    }

    @Test func aCheckpointMovesTheLogIntoTheFile() throws {
        let store = try SQLiteStore(path: scratch.database)
        try store.commit([.run(makeRun(1))])
        #expect(!scratch.bytes("botcron.db-wal").isEmpty)
        try store.checkpoint()
        #expect(scratch.bytes("botcron.db-wal").isEmpty)
        // A reader that holds an old state keeps the log; that is no error.
        let other = try OtherProgram(scratch.database)
        try other.execute("BEGIN; SELECT * FROM run")
        try store.commit([.run(makeRun(2))])
        try store.checkpoint()
        #expect(try store.run(id: makeRun(2).id) != nil)
    }

    @Test func aFolderInPlaceOfTheFileIsSaid() throws {
        mkdir(scratch.database, 0o700)
        let error = try failure(scratch.database)
        #expect(error.kind == .notAFile && error.needsPerson)
        #expect(error.description.contains("not a regular file"))
    }

    @Test func aMissingFolderIsSaid() throws {
        let error = try failure(scratch.path + "/nowhere/botcron.db")
        #expect(error.kind == .cannotOpen)
        #expect(
            error.description == """
                could not open the store: \(scratch.path)/nowhere/botcron.db: No such file or directory; \
                it must be a regular file in a folder that this user can write
                """)
    }

    // MARK: - Damage

    @Test func aFileThatIsNoDatabaseIsDamaged() throws {
        scratch.write([UInt8](repeating: 0x55, count: 8192), to: "botcron.db")
        #expect(try failure(scratch.database).kind == .damaged)
        #expect(scratch.bytes("botcron.db") == [UInt8](repeating: 0x55, count: 8192))
    }

    @Test func brokenPagesAreDamaged() throws {
        let store = try SQLiteStore(path: scratch.database)
        try store.commit((1...200).map { .run(makeRun($0, .running)) })
        store.close()
        // All but the first page, which holds the schema.
        let size = scratch.bytes("botcron.db").count
        scratch.write([UInt8](repeating: 0x55, count: size - 4096), at: 4096, to: "botcron.db")
        #expect(try failure(scratch.database).kind == .damaged)
    }

    @Test func aFileCutShortIsDamaged() throws {
        let store = try SQLiteStore(path: scratch.database)
        try store.commit((1...200).map { .run(makeRun($0, .running)) })
        store.close()
        truncate(scratch.database, 8192)
        #expect(try failure(scratch.database).kind == .damaged)
    }

    @Test func wordsThatNoVersionWritesAreDamage() throws {
        let store = try SQLiteStore(path: scratch.database)
        try store.commit([.run(makeRun(1))])
        try OtherProgram(scratch.database).execute("UPDATE run SET status = 'jammed'")
        let error = try #require(throws: StoreError.self) { try store.run(id: makeRun(1).id) }
        #expect(error.kind == .damaged)
        #expect(error.message.contains("jammed"))
    }

    @Test func aDatabaseOfAnotherProgramIsRefusedAndLeftAlone() throws {
        try OtherProgram(scratch.database).execute("CREATE TABLE recipes (name); INSERT INTO recipes VALUES ('soup')")
        let before = scratch.bytes("botcron.db")
        #expect(try failure(scratch.database).kind == .damaged)
        #expect(scratch.bytes("botcron.db") == before)
    }

    @Test func aStoreWithoutItsTablesIsDamaged() throws {
        try SQLiteStore(path: scratch.database).close()
        try OtherProgram(scratch.database).execute("DROP TABLE job_state")
        #expect(try failure(scratch.database).kind == .damaged)
    }

    @Test func aDamagedStoreIsSetAsideWithItsLog() throws {
        for name in ["botcron.db", "botcron.db-wal", "botcron.db-shm"] { scratch.write([1, 2, 3], to: name) }
        let date = "20260126-090000"
        #expect(try SQLiteStore.setAside(path: scratch.database, date: date) == "\(scratch.database).damaged-\(date)")
        #expect(
            scratch.names() == ["", "-shm", "-wal"].map { "botcron.db.damaged-\(date)\($0)" })
        let store = try SQLiteStore(path: scratch.database)
        #expect(try store.load() == StoredState())
        store.close()
        #expect(try SQLiteStore.setAside(path: scratch.database, date: date).hasSuffix("\(date)-2"))
        let error = try #require(throws: StoreError.self) {
            try SQLiteStore.setAside(path: scratch.database, date: date)
        }
        #expect(error.kind == .cannotOpen)
    }

    // MARK: - Other programs at the same time

    /// The loop stood still for a quarter of a second, at every try.
    @Test func aLockIsSaidAtOnce() throws {
        let store = try SQLiteStore(path: scratch.database)
        let other = try OtherProgram(scratch.database)
        try other.execute("BEGIN IMMEDIATE")
        let error = try #require(throws: StoreError.self) { try store.commit([.run(makeRun(1))]) }
        #expect(error.kind == .busy && error.remedy == .time)
        #expect(try store.history(HistoryQuery()).runs.isEmpty)
        try other.execute("COMMIT")
        try store.commit([.run(makeRun(1))])
    }

    /// A store that another program had locked ended the daemon with a code that nothing starts again.
    @Test(arguments: [false, true]) func aStoreThatIsLockedAtTheStartIsSaidAtOnceAndOpensLater(_ isOlder: Bool) throws {
        if isOlder { try makeGolden(1) } else { try SQLiteStore(path: scratch.database).close() }
        var other: OtherProgram? = try OtherProgram(scratch.database)
        try other?.execute("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE")
        for _ in 0..<3 {
            let error = try failure(scratch.database)
            #expect(error.kind == .busy && error.remedy == .time && !error.needsPerson, "\(error)")
        }
        other = nil
        let store = try SQLiteStore(path: scratch.database)
        #expect(try store.load().schedulerOverride == (isOlder ? true : nil))
        store.close()
    }

    /// The table of what mends what: only `person` ends the daemon for good.
    @Test func onlyWhatNoRestartMendsNeedsAPerson() {
        let kinds: [(StoreError.Kind, StoreError.Remedy)] = [
            (.busy, .time), (.full, .time), (.readOnly, .time), (.inputOutput, .time), (.cannotOpen, .time),
            (.constraint, .deciding), (.lookupFailed, .deciding), (.other, .deciding), (.damaged, .restart),
            (.replaced, .restart), (.locked(pid: nil), .otherDaemon), (.noFolder, .person), (.notAFile, .person),
            (.newerSchema(found: 9, known: 6), .person),
        ]
        for (kind, remedy) in kinds {
            let error = StoreError(kind: kind, operation: "test", path: "/", message: "")
            #expect(error.remedy == remedy)
            #expect((error.remedy == .time) == (remedy == .time) && error.needsPerson == (remedy == .person))
        }
    }

    @Test func aStoreThatMayOnlyBeReadSaysSo() throws {
        let store = try SQLiteStore(path: scratch.database)
        try store.opened("test").database.execute("PRAGMA query_only = ON", "test")
        let error = try #require(throws: StoreError.self) { try store.commit([.run(makeRun(1))]) }
        #expect(error.kind == .readOnly)
    }

    // MARK: - Versions

    /// The schema that a later program would have: one more step.
    private static let later = Schema.steps + ["ALTER TABLE run ADD COLUMN colour TEXT; UPDATE run SET colour = 'red'"]

    @Test func aNewerSchemaIsRefusedAndNothingIsWritten() throws {
        let known = Schema.steps.count
        let newer = try SQLiteStore(path: scratch.database, steps: Self.later)
        try newer.commit([.run(makeRun(1))])
        newer.close()
        let before = (scratch.names(), scratch.bytes("botcron.db"))
        let error = try failure(scratch.database)
        #expect(error.kind == .newerSchema(found: known + 1, known: known))
        #expect(error.description.contains("version \(known + 1), and this program knows \(known)"))
        #expect((scratch.names(), scratch.bytes("botcron.db")) == before)
    }

    @Test func aNewerSchemaInTheLogIsRefusedAndNothingIsWritten() throws {
        // As after a crash: the log is not yet in the file.
        let newer = try SQLiteStore(path: scratch.database, steps: Self.later)
        try newer.commit([.run(makeRun(1))])
        let crashed = Scratch()
        crashed.write(scratch.bytes("botcron.db"), to: "botcron.db")
        crashed.write(scratch.bytes("botcron.db-wal"), to: "botcron.db-wal")
        let before = (crashed.bytes("botcron.db"), crashed.bytes("botcron.db-wal"))
        let known = Schema.steps.count
        #expect(try failure(crashed.database).kind == .newerSchema(found: known + 1, known: known))
        #expect((crashed.bytes("botcron.db"), crashed.bytes("botcron.db-wal")) == before)
        let later = try SQLiteStore(path: crashed.database, steps: Self.later)
        #expect(try later.run(id: makeRun(1).id) == makeRun(1))
    }

    @Test func anOlderStoreIsBroughtUpToDateWithACopyKept() throws {
        let old = Schema.steps.count
        try makeGolden(old)
        let expected = try Golden.contents(SQLiteStore(path: scratch.database))
        let store = try SQLiteStore(path: scratch.database, steps: Self.later)
        #expect(try Golden.contents(store) == expected)
        try store.commit([.run(makeRun(1))])
        store.close()
        #expect(scratch.mode("botcron.db.v\(old)") == 0o600)
        #expect(scratch.names() == ["botcron.db", "botcron.db.v\(old)"])
        let colours = "SELECT DISTINCT colour FROM run WHERE id != 'cron-coffee-1'"
        #expect(try OtherProgram(scratch.database).rows(colours) == ["red"])

        // The way back: the program of old on its copy.
        let copy = try SQLiteStore(path: "\(scratch.database).v\(old)")
        #expect(try Golden.contents(copy) == expected)
    }

    @Test func theCopyHoldsWhatWasStillInTheLog() throws {
        let old = try SQLiteStore(path: scratch.database)
        try old.commit([.run(makeRun(1))])
        let crashed = Scratch()
        crashed.write(scratch.bytes("botcron.db"), to: "botcron.db")
        crashed.write(scratch.bytes("botcron.db-wal"), to: "botcron.db-wal")
        try SQLiteStore(path: crashed.database, steps: Self.later).close()
        let copy = try SQLiteStore(path: "\(crashed.database).v\(Schema.steps.count)")
        #expect(try copy.run(id: makeRun(1).id) == makeRun(1))
    }

    @Test func aStepThatFailsChangesNothing() throws {
        try makeGolden(1)
        let expected = try Golden.contents(SQLiteStore(path: scratch.database))
        let steps = Self.later + ["CREATE TABLE half (way TEXT); INSERT INTO nowhere VALUES (1)"]
        let error = try failure(scratch.database, steps: steps)
        #expect(error.operation.hasPrefix("bring the store from version"))
        let store = try SQLiteStore(path: scratch.database)
        #expect(try Golden.contents(store) == expected)
        #expect(try OtherProgram(scratch.database).rows("SELECT name FROM sqlite_schema WHERE name = 'half'").isEmpty)
    }

    /// Files of users have been made by these steps: they never change.
    @Test(arguments: 1...Schema.steps.count)
    func everyGoldenFileHasTheTablesOfItsVersion(_ version: Int) throws {
        let shape = "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name"
        let fresh = Scratch()
        // The tables alone: the statements of this program are for the newest.
        _ = try Opening(path: fresh.database, steps: Array(Schema.steps[..<version])).database()
        try makeGolden(version)
        #expect(try OtherProgram(scratch.database).rows(shape) == OtherProgram(fresh.database).rows(shape))
    }

    @Test(arguments: 1...Schema.steps.count)
    func everyGoldenFileCanBeRead(_ version: Int) throws {
        try makeGolden(version)
        let fresh = Scratch()
        let store = try SQLiteStore(path: fresh.database)
        try store.commit(Golden.changes)
        #expect(try Golden.contents(SQLiteStore(path: scratch.database)) == Golden.contents(store))
    }

    private func makeGolden(_ version: Int) throws {
        try OtherProgram(scratch.database).execute(Golden.script(version))
    }

    // MARK: - Codes

    @Test(arguments: [
        (Int32(10), StoreError.Kind.inputOutput), (266, .inputOutput), (13, .full), (8, .readOnly), (1544, .readOnly),
        (5, .busy), (517, .busy), (6, .busy), (11, .damaged), (267, .damaged), (26, .damaged), (14, .cannotOpen),
        (19, .constraint), (2067, .constraint), (1, .other), (21, .other),
    ])
    func everyResultCodeHasItsKind(_ code: Int32, _ kind: StoreError.Kind) {
        #expect(Database.kind(code) == kind)
    }
}
