import CSQLite
import TestSupport

/// Another program with the store of a daemon open: by SQLite alone, so that nothing of ours is between.
final class OtherProgram {
    private let database: OpaquePointer

    init(_ session: Session) throws {
        var opened: OpaquePointer?
        let file = session.stateFolder + "/botcron.db"
        guard sqlite3_open_v2(file, &opened, SQLITE_OPEN_READWRITE, nil) == SQLITE_OK, let opened else {
            sqlite3_close(opened)
            throw TestFailure("cannot open \(file)")
        }
        database = opened
        // The daemon's own transactions are short.
        sqlite3_busy_timeout(database, 10_000)
    }

    deinit { sqlite3_close(database) }

    func execute(_ sql: String) throws {
        guard sqlite3_exec(database, sql, nil, nil, nil) == SQLITE_OK else { throw failure(sql) }
    }

    /// Each row, its columns as texts; nil for NULL.
    func rows(_ sql: String) throws -> [[String?]] {
        var statement: OpaquePointer?
        guard sqlite3_prepare_v2(database, sql, -1, &statement, nil) == SQLITE_OK else { throw failure(sql) }
        defer { sqlite3_finalize(statement) }
        var rows: [[String?]] = []
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW:
                rows.append(
                    (0..<sqlite3_column_count(statement)).map { column in
                        sqlite3_column_text(statement, column).map { String(cString: $0) }
                    })
            case SQLITE_DONE: return rows
            default: throw failure(sql)
            }
        }
    }

    private func failure(_ sql: String) -> TestFailure {
        TestFailure("\(sql): \(String(cString: sqlite3_errmsg(database)))")
    }
}
