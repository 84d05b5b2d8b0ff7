import Glibc
import Store

/// The way from a path to a database whose tables are those of the newest version.
struct Opening {
    let path: String
    /// Those of `Schema`; a test may have more.
    let steps: [String]

    private static let operation = "open the store"

    func database() throws(StoreError) -> Database {
        try Self.makeFile(path, Self.operation)
        let hasLog = FileStatus(path + "-wal")?.size ?? 0 > 0
        let database = try Database(path: path)
        // Until the version is known to be ours the file is only looked at.
        database.setCheckpointOnClose(false)
        let found: Int
        do throws(StoreError) {
            found = try version(of: database)
            guard found <= steps.count else { throw newerSchema(found: found) }
        } catch {
            // Where there was no log before, there is nothing to move: SQLite only tidies up after itself.
            if !hasLog { database.setCheckpointOnClose(true) }
            throw error
        }
        database.setCheckpointOnClose(true)

        if found > 0, found < steps.count { try keepCopy(of: database, version: found) }
        try configure(database)
        if found < steps.count { try migrate(database, from: found) }
        return database
    }

    // MARK: - The file

    /// Makes an empty file with mode 0600 where there is none: SQLite itself would make it readable for all, and
    /// gives the log and the shared memory the mode of the main file. A file that is there gets that mode too.
    static func makeFile(_ path: String, _ operation: String) throws(StoreError) {
        if let status = FileStatus(path) {
            guard status.isRegular else {
                throw StoreError(
                    kind: .notAFile, operation: operation, path: path, message: "it is not a regular file")
            }
            // Left as it is where it is not ours to change; opening it says the rest.
            if status.mode & 0o077 != 0 { _ = chmod(path, 0o600) }
            return
        }
        let file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw StoreError(errno: errno, operation: operation, path: path) }
        // Whatever the umask took away.
        _ = fchmod(file, 0o600)
        _ = close(file)
    }

    // MARK: - The version

    private func version(of database: Database) throws(StoreError) -> Int {
        let version = try database.integer("PRAGMA user_version", Self.operation)
        let application = try database.integer("PRAGMA application_id", Self.operation)
        let tables = try database.integer("SELECT count(*) FROM sqlite_schema", Self.operation)
        let isEmpty = version == 0 && tables == 0
        guard isEmpty || (application == Schema.applicationID && version >= 0) else {
            throw StoreError(
                kind: .damaged, operation: Self.operation, path: path,
                message: "it is a database, but none of ours (application id \(application), version \(version))")
        }
        return Int(version)
    }

    private func newerSchema(found: Int) -> StoreError {
        StoreError(
            kind: .newerSchema(found: found, known: steps.count), operation: Self.operation, path: path,
            message: "its schema has version \(found), and this program knows \(steps.count)")
    }

    /// Keeps the file as the older version left it, as `botcron.db.v<version>`, for the way back.
    private func keepCopy(of database: Database, version: Int) throws(StoreError) {
        let operation = "keep a copy of the store before its schema is changed"
        try database.copy(asNew: "\(path).v\(version)", operation)
    }

    private func configure(_ database: Database) throws(StoreError) {
        // The write-ahead log: a commit is one append, and readers do not wait. Where a file system cannot have it
        // SQLite stays with its rollback journal, which is as safe.
        _ = try database.prepare("PRAGMA journal_mode = WAL").step(Self.operation)
        try database.execute(
            """
            PRAGMA synchronous = FULL;
            PRAGMA temp_store = MEMORY;
            PRAGMA cache_size = -\(Database.cacheKibibytes);
            PRAGMA journal_size_limit = \(Self.logBytesMax);
            """, Self.operation)
    }

    /// The log is cut back to this after a checkpoint. SQLite makes one at every 1000 pages (4 MB).
    private static let logBytesMax = 8 << 20

    private func migrate(_ database: Database, from found: Int) throws(StoreError) {
        let operation = "bring the store from version \(found) to \(steps.count)"
        // All steps or none; the version is part of the transaction.
        do throws(StoreError) {
            try database.execute("BEGIN EXCLUSIVE", operation)
            for step in steps[found...] { try database.execute(step, operation) }
            try database.execute("PRAGMA user_version = \(steps.count); COMMIT", operation)
        } catch {
            if database.isInTransaction { try? database.execute("ROLLBACK", operation) }
            throw error
        }
    }
}
