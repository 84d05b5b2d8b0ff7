import CSQLite
import Glibc
import SQLiteStore
import Schedules
import Scheduling
import Store
import TestSupport
import Testing

/// A folder of a test's own, gone with it.
final class Scratch {
    private let folder: ScratchFolder
    var path: String { folder.path }

    init() {
        do {
            folder = try ScratchFolder("botcron-store")
        } catch {
            preconditionFailure("\(error)")
        }
    }

    var database: String { path + "/botcron.db" }

    func mode(_ name: String) -> mode_t? {
        var status = stat()
        return stat("\(path)/\(name)", &status) == 0 ? status.st_mode & 0o7777 : nil
    }

    /// Names in the folder, sorted.
    func names() -> [String] { folder.names() }

    func bytes(_ name: String) -> [UInt8] { Self.bytes("\(path)/\(name)") }

    static func bytes(_ path: String) -> [UInt8] { TestFile.bytes(path) ?? [] }

    func write(_ bytes: [UInt8], at offset: Int = 0, to name: String) {
        let file = open("\(path)/\(name)", O_WRONLY | O_CREAT, 0o600)
        defer { close(file) }
        #expect(pwrite(file, bytes, bytes.count, offset) == bytes.count)
    }
}

/// A second program on the same file: bare SQLite, that knows nothing of the store.
final class OtherProgram {
    private let handle: OpaquePointer

    init(_ path: String) throws {
        var handle: OpaquePointer?
        sqlite3_open(path, &handle)
        self.handle = try #require(handle)
    }

    deinit { sqlite3_close(handle) }

    func execute(_ sql: String) throws {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        try #require(code == SQLITE_OK, "\(String(cString: sqlite3_errmsg(handle))): \(sql.prefix(200))")
    }

    /// Every row, its columns joined with `|`.
    func rows(_ sql: String) throws -> [String] {
        var statement: OpaquePointer?
        try #require(
            sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK,
            "\(String(cString: sqlite3_errmsg(handle)))")
        defer { sqlite3_finalize(statement) }
        var rows: [String] = []
        while sqlite3_step(statement) == SQLITE_ROW {
            let columns = (0..<sqlite3_column_count(statement)).map { column in
                sqlite3_column_text(statement, column).map { String(cString: $0) } ?? "NULL"
            }
            rows.append(columns.joined(separator: "|"))
        }
        return rows
    }
}

// MARK: - Values

/// A run that ended well, at second `number`, unless told otherwise.
func makeRun(
    _ number: Int, job: String = "coffee", _ status: Run.Status = .success, trigger: Run.Trigger = .schedule,
    scheduledFor: Instant? = nil
) -> Run {
    let instant = Instant(seconds: Int64(number))
    var run = Run(
        id: "cron-\(job)-\(number)", job: job, skill: "", trigger: trigger, scheduledFor: scheduledFor ?? instant,
        createdAt: instant, status: status)
    if !status.isActive { run.endedAt = instant }
    return run
}

func makeState(_ job: String = "coffee") -> JobState {
    JobState(
        job: job, scheduleKey: "0 9 * * *", registeredAt: Instant(seconds: 1), decidedThrough: Instant(seconds: 2))
}
