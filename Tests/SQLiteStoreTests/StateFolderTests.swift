import Glibc
import SQLiteStore
import Store
import Testing

@Suite struct StateFolderTests {
    let scratch = Scratch()

    @Test func missingFoldersAreMadeForTheUserAlone() throws {
        let folder = try StateFolder(path: scratch.path + "/local/state/aa-workflow")
        #expect(scratch.mode("local") == 0o700)
        #expect(scratch.mode("local/state/aa-workflow") == 0o700)
        #expect(scratch.mode("local/state/aa-workflow/botcron.lock") == 0o600)
        folder.close()
    }

    @Test func aFolderThatIsThereKeepsItsMode() throws {
        mkdir(scratch.path + "/shared", 0o755)
        chmod(scratch.path + "/shared", 0o755)
        _ = try StateFolder(path: scratch.path + "/shared")
        #expect(scratch.mode("shared") == 0o755)
    }

    @Test func theSecondIsToldWhoHoldsIt() throws {
        let first = try StateFolder(path: scratch.path)
        let error = try #require(throws: StoreError.self) { try StateFolder(path: scratch.path) }
        #expect(error.kind == .locked(pid: getpid()))
        #expect(error.description.contains("process \(getpid())"))
        first.close()
        first.close()
        let second = try StateFolder(path: scratch.path)
        second.close()
    }

    @Test func theLockEndsWithItsOwner() throws {
        do { _ = try StateFolder(path: scratch.path) }
        let folder = try StateFolder(path: scratch.path)
        folder.close()
    }

    @Test func aLockFileWithoutANumberStillLocks() throws {
        let first = try StateFolder(path: scratch.path)
        truncate(scratch.path + "/botcron.lock", 0)
        let error = try #require(throws: StoreError.self) { try StateFolder(path: scratch.path) }
        #expect(error.kind == .locked(pid: nil))
        first.close()
    }

    @Test func aFileInTheWayIsNamed() throws {
        scratch.write([1], to: "state")
        let error = try #require(throws: StoreError.self) { try StateFolder(path: scratch.path + "/state/deeper") }
        #expect(error.kind == .noFolder)
        // Which folder was wanted, and what stands in its way.
        #expect(error.path == scratch.path + "/state/deeper")
        #expect(error.message.contains(scratch.path + "/state is a file"))
    }

    /// Not as root, whom no mode binds; there the read-only file system stands for it.
    @Test(.enabled(if: geteuid() != 0, "root may write everywhere"))
    func aFolderThatMayNotBeWrittenIsNamed() throws {
        chmod(scratch.path, 0o500)
        let error = try #require(throws: StoreError.self) { try StateFolder(path: scratch.path) }
        #expect(error.kind == .readOnly)
        #expect(error.path == scratch.path)
    }
}
