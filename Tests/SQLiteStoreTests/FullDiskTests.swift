import Glibc
import SQLiteStore
import Schedules
import Scheduling
import Store
import Testing

/// On a file system of two mebibytes; skipped, and said so, where we may not mount one (not root, most containers).
@Suite(.serialized, .enabled(if: SmallDisk.canBeMade, "needs the right to mount a small file system"))
struct FullDiskTests {
    let disk: SmallDisk

    init() throws { disk = try SmallDisk() }

    private func bigRun(_ number: Int) -> Run {
        var run = makeRun(number)
        run.inputs = String(repeating: "x", count: 50_000)
        return run
    }

    @Test func aFullDiskIsSaidAndNothingIsHalfThere() throws {
        let store = try SQLiteStore(path: disk.path + "/botcron.db")
        var stored = 0
        var failure: StoreError?
        while failure == nil, stored < 100 {
            do throws(StoreError) {
                try store.commit([.run(bigRun(stored * 2)), .run(bigRun(stored * 2 + 1))])
                stored += 1
            } catch {
                failure = error
            }
        }
        #expect(failure?.kind == .full)
        #expect(stored > 5)
        for _ in 0..<3 {
            #expect(throws: StoreError.self) { try store.commit([.run(bigRun(1000)), .run(bigRun(1001))]) }
        }
        #expect(try store.statistics().recorded == stored * 2)
        #expect(try store.history(HistoryQuery(limit: 1000)).runs.count == stored * 2)

        // Space comes back, and with it the store, without being opened anew.
        try disk.resize("8m")
        try store.commit([.run(bigRun(1000))])
        store.close()
        let again = try SQLiteStore(path: disk.path + "/botcron.db")
        #expect(try again.statistics().recorded == stored * 2 + 1)
        #expect(try again.run(id: makeRun(1000).id) == bigRun(1000))
        again.close()
    }

    @Test func noRoomForANewStoreIsSaid() throws {
        let ballast = open(disk.path + "/ballast", O_WRONLY | O_CREAT, 0o600)
        let block = [UInt8](repeating: 1, count: 4096)
        while write(ballast, block, block.count) > 0 {}
        close(ballast)
        let error = try #require(throws: StoreError.self) { try SQLiteStore(path: disk.path + "/botcron.db") }
        #expect(error.kind == .full, "\(error)")
    }

    @Test func aReadOnlyDiskIsSaid() throws {
        let store = try SQLiteStore(path: disk.path + "/botcron.db")
        try store.commit([.run(makeRun(1))])
        store.close()
        try disk.makeReadOnly()
        let error = try #require(throws: StoreError.self) { try SQLiteStore(path: disk.path + "/botcron.db") }
        #expect(error.kind == .readOnly, "\(error)")
        let folder = try #require(throws: StoreError.self) { try StateFolder(path: disk.path) }
        #expect(folder.kind == .readOnly, "\(folder)")
        let below = try #require(throws: StoreError.self) { try StateFolder(path: disk.path + "/state") }
        #expect(below.kind == .readOnly && below.path == disk.path + "/state", "\(below)")
    }
}

/// A tmpfs of a test's own.
final class SmallDisk {
    private let scratch = Scratch()
    var path: String { scratch.path }

    /// Any other failure than a missing right is one of the tests.
    static let canBeMade: Bool = {
        let scratch = Scratch()
        guard mount("tmpfs", scratch.path, "tmpfs", 0, nil) == 0 else { return errno != EPERM && errno != EACCES }
        umount2(scratch.path, Int32(MNT_DETACH))
        return true
    }()

    init() throws {
        try #require(mount("tmpfs", scratch.path, "tmpfs", 0, "size=2m,mode=0700") == 0, "mount: \(errno)")
    }

    deinit { umount2(scratch.path, Int32(MNT_DETACH)) }

    func resize(_ size: String) throws {
        try #require(mount("tmpfs", scratch.path, "tmpfs", UInt(MS_REMOUNT), "size=\(size)") == 0, "mount: \(errno)")
    }

    func makeReadOnly() throws {
        let flags = UInt(MS_REMOUNT | MS_RDONLY)
        // Tests run side by side: what another one just forks has our files open until it executes its program.
        for _ in 0..<1000 where mount("tmpfs", scratch.path, "tmpfs", flags, nil) != 0 {
            try #require(errno == EBUSY, "mount: \(errno)")
            // Of that nobody is told.
            usleep(10_000)
        }
        try #require(access(scratch.path, W_OK) != 0 && errno == EROFS)
    }
}
