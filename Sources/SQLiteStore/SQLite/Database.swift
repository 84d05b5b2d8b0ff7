import CSQLite
import Glibc
import Store

/// One open database (`sqlite3`): owns the handle, turns its codes into `StoreError`s.
///
/// Statements keep their database alive, so the handle is closed after the last of them is gone.
final class Database {
    let path: String
    /// For `Statement` only.
    let handle: OpaquePointer
    private let thread = pthread_self()

    /// The page cache: above it SQLite gives pages back, so a big history costs no memory. KiB.
    static let cacheKibibytes = 1024

    init(path: String, create: Bool = false, operation: String = "open the store") throws(StoreError) {
        var handle: OpaquePointer?
        // NOMUTEX: one thread, so no locks; EXRESCODE: the code that says which kind of I/O failed.
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let code = sqlite3_open_v2(path, &handle, create ? flags | SQLITE_OPEN_CREATE : flags, nil)
        guard let handle else {
            throw StoreError(kind: .other, operation: operation, path: path, code: code, message: "out of memory")
        }
        // After a failed open there is a handle all the same, with the reason in it; `deinit` closes it.
        self.path = path
        self.handle = handle
        guard code == SQLITE_OK else { throw error(code, operation) }
        // A lock of another program (a user with a shell on the file) is not waited for: the loop would stand still.
        sqlite3_busy_timeout(handle, 0)
        // SQLite falls back to reading where it may not write.
        guard sqlite3_db_readonly(handle, "main") == 0 else {
            throw StoreError(kind: .readOnly, operation: operation, path: path, message: "it may only be read")
        }
    }

    deinit { sqlite3_close(handle) }

    /// In debug: whether we are on the thread that opened it.
    func assertThread() {
        assert(pthread_equal(thread, pthread_self()) != 0, "the store is used on another thread than its own")
    }

    // MARK: - Statements

    func prepare(_ sql: String) throws(StoreError) -> Statement { try Statement(sql, on: self) }

    /// Runs a script of statements that give nothing back.
    func execute(_ sql: String, _ operation: @autoclosure () -> String) throws(StoreError) {
        assertThread()
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw error(code, operation()) }
    }

    /// The first column of the first row, as an integer; 0 where there is none.
    func integer(_ sql: String, _ operation: @autoclosure () -> String) throws(StoreError) -> Int64 {
        let statement = try prepare(sql)
        return try statement.step(operation()) ? statement.integer() : 0
    }

    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// Whether the open file is no longer the one at its path: that is gone, or another one.
    var isMoved: Bool {
        var moved: Int32 = 0
        return sqlite3_file_control(handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0
    }

    /// Whether the last close of the file moves the write-ahead log into it.
    func setCheckpointOnClose(_ isOn: Bool) {
        _ = bc_sqlite_checkpoint_on_close(handle, isOn ? 1 : 0)
    }

    /// Moves the write-ahead log into the main file, syncs that, and cuts the log to nothing.
    func checkpoint() throws(StoreError) {
        do throws(StoreError) {
            try checkpointWhole("checkpoint the store")
        } catch  where error.kind == .busy {
            // Somebody reads: what they see stays in the log, the rest is moved. Nothing is lost, the next one goes on.
        }
    }

    /// The same; it fails with `busy` where somebody reads, and the log cannot be cut.
    func checkpointWhole(_ operation: String) throws(StoreError) {
        assertThread()
        let code = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
        guard code == SQLITE_OK else { throw error(code, operation) }
    }

    /// Copies the database, write-ahead log included, to a new file that is whole or not there at all.
    func copy(asNew target: String, _ operation: String) throws(StoreError) {
        let partial = target + ".part"
        // What an earlier try left is of no use, and a copy under its final name is whole.
        _ = unlink(partial)
        try Opening.makeFile(partial, operation)
        do throws(StoreError) {
            try copy(to: partial, operation)
            guard rename(partial, target) == 0 else {
                throw StoreError(errno: errno, operation: operation, path: target)
            }
        } catch {
            _ = unlink(partial)
            throw error
        }
        syncFolder(of: target)
    }

    /// Copies it page by page into the empty file at `target`, and syncs that.
    private func copy(to target: String, _ operation: String) throws(StoreError) {
        let copy = try Database(path: target, operation: operation)
        guard let backup = sqlite3_backup_init(copy.handle, "main", handle, "main") else {
            throw copy.error(sqlite3_extended_errcode(copy.handle), operation)
        }
        sqlite3_backup_step(backup, -1)
        // Finish gives the code of a failed step.
        let code = sqlite3_backup_finish(backup)
        guard code == SQLITE_OK else { throw copy.error(code, operation) }
    }

    // MARK: - Errors

    /// What a result code of the last call on this database means.
    func error(_ code: Int32, _ operation: String) -> StoreError {
        var message = String(cString: sqlite3_errmsg(handle))
        var kind = Self.kind(code)
        let primary = code & 0xff
        if primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN {
            let number = sqlite3_system_errno(handle)
            if number != 0 { message += " (\(String(cString: strerror(number))))" }
            // The shared-memory file on a full disk, for one, is an I/O error to SQLite.
            kind = StoreError.Kind(errno: number) ?? kind
        }
        return StoreError(kind: kind, operation: operation, path: path, code: code, message: message)
    }

    /// What it means that a value could not be bound.
    func unbound(_ code: Int32, _ operation: String) -> StoreError {
        StoreError(
            kind: .other, operation: operation, path: path, code: code,
            message: code == SQLITE_TOOBIG
                ? "a text is longer than \(StoreBounds.textBytesMax) bytes" : String(cString: sqlite3_errstr(code)))
    }

    /// Whether a commit with this result code fails before its last page is written: a lock that another program holds,
    /// no space left, a rule of the tables. Of any other (the sync, the shared memory, no memory) nobody knows.
    static func failsBeforeTheEnd(_ code: Int32) -> Bool {
        [SQLITE_BUSY, SQLITE_LOCKED, SQLITE_FULL, SQLITE_CONSTRAINT].contains(code & 0xff)
    }

    static func kind(_ code: Int32) -> StoreError.Kind {
        switch code & 0xff {
        case SQLITE_CANTOPEN: .cannotOpen
        case SQLITE_FULL: .full
        case SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH: .readOnly
        case SQLITE_IOERR: .inputOutput
        case SQLITE_BUSY, SQLITE_LOCKED: .busy
        case SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_FORMAT: .damaged
        case SQLITE_CONSTRAINT: .constraint
        default: .other
        }
    }
}
