import Glibc
import SQLiteStore
import Schedules
import Scheduling
import Store
import Testing

/// A state folder that somebody removes took its lock along: the store was written anew, the lock was not, and a second
/// daemon took the folder and ran the same fire times.
@Suite struct FolderLossTests {
    enum Loss: CaseIterable { case lock, database, log, databaseAndLock, everything, folder, replacedByEmpty }

    private let scratch = Scratch()
    private var path: String { scratch.path + "/state" }
    private var database: String { path + "/botcron.db" }

    private func take(_ loss: Loss) {
        let names =
            switch loss {
            case .lock: ["botcron.lock"]
            case .database: ["botcron.db"]
            case .log: ["botcron.db-wal"]
            case .databaseAndLock: ["botcron.db", "botcron.lock"]
            case .everything, .folder: ["botcron.db", "botcron.db-wal", "botcron.db-shm", "botcron.lock"]
            case .replacedByEmpty: [String]()
            }
        for name in names { #expect(unlink("\(path)/\(name)") == 0, "\(name)") }
        if loss == .folder { #expect(rmdir(path) == 0) }
        if loss == .replacedByEmpty {
            #expect(rename(path, scratch.path + "/aside") == 0)
            mkdir(path, 0o700)
        }
    }

    private func takesTheLock(_ loss: Loss) -> Bool { loss != .database && loss != .log }

    /// The first writes before the second comes: the lock is back, with everything.
    @Test(arguments: Loss.allCases) func theLockComesBackWithTheStore(_ loss: Loss) throws {
        let folder = try StateFolder(path: path)
        let store = try SQLiteStore(path: database, in: folder)
        try store.commit([.run(makeRun(1))])
        take(loss)
        try store.commit([.run(makeRun(2))])
        let error = try #require(throws: StoreError.self) { try StateFolder(path: path) }
        #expect(error.kind == .locked(pid: getpid()))
        store.close()
        folder.close()
        try expectRuns([1, 2])
    }

    /// The second comes before the first writes: the first writes nothing any more, and says who is there.
    @Test(arguments: Loss.allCases) func nothingIsWrittenWhereAnotherDaemonHasTheFolder(_ loss: Loss) throws {
        let folder = try StateFolder(path: path)
        let store = try SQLiteStore(path: database, in: folder)
        var rescues = 0
        store.onRescue = { rescues += 1 }
        try store.commit([.run(makeRun(1))])
        take(loss)
        guard takesTheLock(loss) else {
            #expect(throws: StoreError.self) { try StateFolder(path: path) }
            return
        }
        let second = try StateFolder(path: path)
        let other = try SQLiteStore(path: database, in: second)
        try other.commit([.run(makeRun(5))])
        let isShared = try other.run(id: makeRun(1).id) != nil
        for write in [
            { try store.commit([.run(makeRun(2))]) }, { try store.probe() }, { try store.checkpoint() },
        ] as [() throws -> Void] {
            let error = try #require(throws: StoreError.self) { try write() }
            #expect(error.kind == .locked(pid: getpid()) && error.remedy == .otherDaemon, "\(error)")
            #expect(error.remedy != .time && !error.needsPerson)
        }
        #expect(rescues == 0)
        try other.commit([.run(makeRun(6))])
        store.close()
        folder.close()
        other.close()
        second.close()
        try expectRuns(isShared ? [1, 5, 6] : [5, 6])
    }

    @Test func aLockThatIsPutOutOfPlaceByAnotherFileIsTakenThere() throws {
        let folder = try StateFolder(path: path)
        let lock = path + "/" + StateFolder.lockName
        #expect(rename(lock, path + "/aside") == 0)
        close(open(lock, O_WRONLY | O_CREAT, 0o600))
        try folder.restoreIfMoved()
        #expect(throws: StoreError.self) { try StateFolder(path: path) }
        folder.close()
        #expect(throws: StoreError.self) { try folder.restoreIfMoved() }
        try StateFolder(path: path).close()
    }

    /// What lies at the path of the lock is not opened in a way that waits, and not followed.
    @Test func aLockThatIsNoFileIsSaid() throws {
        mkdir(path, 0o700)
        let lock = path + "/" + StateFolder.lockName
        for make in [{ mkfifo(lock, 0o600) }, { mkdir(lock, 0o700) }, { symlink("/dev/null", lock) }] {
            #expect(make() == 0)
            let error = try #require(throws: StoreError.self) { try StateFolder(path: path) }
            #expect(error.needsPerson && error.path == lock, "\(error)")
            remove(lock)
        }
    }

    private func expectRuns(_ numbers: [Int]) throws {
        let store = try SQLiteStore(path: database)
        defer { store.close() }
        #expect(Set(try store.history(HistoryQuery()).runs.map(\.id)) == Set(numbers.map { makeRun($0).id }))
    }
}
