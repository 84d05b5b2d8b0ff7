import Scheduling
import Store

/// The statements of a store, each prepared once.
///
/// They are prepared when the store is opened: a file whose tables are not what its version says is found out there.
final class Statements {
    let database: Database

    let begin, commit, rollback: Statement

    let setSetting, removeSetting, setting: Statement
    let setDefinition, removeDefinition, definitions: Statement
    let setJobState, removeJobState, jobState, jobStates, jobStateCount: Statement

    let insertRun, updateRun, deleteRun: Statement
    let runSummary, run, runByFireTime, firstKept, standsFor, runByIdempotencyKey, activeRuns, latestRun: Statement
    let successSpans: Statement
    let setAttempt, deleteAttempts, attempts: Statement
    let rememberID, wasRemoved: Statement
    let addToCount, counts: Statement

    let setQueueItem, removeQueueItem, queueItem, queueItems, queues, lastQueueItem, returnQueueItems: Statement
    let nextQueueReturn: Statement
    let takenQueueItems, returnQueueItem: Statement

    let setChange, markGone, removeChangesBeyond, removeChangesBefore, changes, lastChange: Statement
    let setMessage, removeMessage, removeMessagesOfRun, messagesOfRun, waitingMessages: Statement

    let setGroupHold, removeGroupHold, groupHolds: Statement

    let newestBeyond, endedOfJobUpTo, endedBefore: Statement
    let keepKey, removedByKey, removedByFireTime, removeKeysBefore, dropOldestKeys: Statement

    /// By the filters that are set; the rarer ones are prepared when first used.
    private var histories: [HistoryKey: Statement] = [:]

    init(_ database: Database) throws(StoreError) {
        self.database = database
        begin = try database.prepare("BEGIN IMMEDIATE")
        commit = try database.prepare("COMMIT")
        rollback = try database.prepare("ROLLBACK")

        setSetting = try database.prepare(SQL.upsert(into: "setting", ["name", "value"], key: ["name"]))
        removeSetting = try database.prepare("DELETE FROM setting WHERE name = ?")
        setting = try database.prepare("SELECT value FROM setting WHERE name = ?")

        let definition = ["job", "version", "json", "created_at_us"]
        setDefinition = try database.prepare(SQL.upsert(into: "definition", definition, key: ["job"]))
        removeDefinition = try database.prepare("DELETE FROM definition WHERE job = ?")
        definitions = try database.prepare("SELECT \(SQL.list(definition)) FROM definition ORDER BY sequence")

        let state = JobStateRow.columns
        setJobState = try database.prepare(SQL.upsert(into: "job_state", state, key: ["job"]))
        removeJobState = try database.prepare("DELETE FROM job_state WHERE job = ?")
        jobState = try database.prepare("SELECT \(SQL.list(state)) FROM job_state WHERE job = ?")
        // In the order in which they came, which is that of config.json as long as it does not change: whoever reads
        // both finds each beside the other, and SQLite goes through its pages once.
        jobStates = try database.prepare("SELECT \(SQL.list(state)) FROM job_state ORDER BY rowid")
        jobStateCount = try database.prepare("SELECT count(*) FROM job_state")

        let run = SQL.list(RunRow.columns)
        insertRun = try database.prepare("INSERT INTO run (\(run)) VALUES (\(SQL.marks(RunRow.columns.count)))")
        updateRun = try database.prepare(
            "UPDATE run SET (\(run)) = (\(SQL.marks(RunRow.columns.count))) WHERE sequence = ?")
        deleteRun = try database.prepare("DELETE FROM run WHERE sequence = ?")
        runSummary = try database.prepare(
            "SELECT sequence, status, attempt, retry_at_us, ending FROM run WHERE id = ?")
        self.run = try database.prepare("SELECT \(run) FROM run WHERE id = ?")
        runByFireTime = try database.prepare(
            """
            SELECT id FROM run WHERE job = ? AND scheduled_for_us = ? AND scheduled_for_us IS NOT NULL
                AND trigger IN ('schedule', 'catch_up', 'manual')
            """)
        // By `run_fire_time`: from the fire time on, to the first that is stood for so.
        standsFor = try database.prepare(
            """
            SELECT covered_since_us, scheduled_for_us FROM run
            WHERE job = ? AND scheduled_for_us > ? AND scheduled_for_us IS NOT NULL
                AND trigger IN ('schedule', 'catch_up', 'manual') AND covered_since_us <= ?
                AND status NOT IN ('skipped', 'missed') LIMIT 64
            """)
        firstKept = try database.prepare(
            """
            SELECT min(scheduled_for_us) FROM run WHERE job = ? AND scheduled_for_us > ?
                AND trigger IN ('schedule', 'catch_up', 'manual') AND (SELECT count(*) FROM run WHERE job = ?) >= ?
            """)
        runByIdempotencyKey = try database.prepare("SELECT id FROM run WHERE idempotency_key = ?")
        // By `run_job_status`.
        successSpans = try database.prepare(
            """
            SELECT started_at_us, ended_at_us FROM run WHERE job = ? AND status = 'success'
                ORDER BY created_at_us DESC LIMIT ?
            """)
        latestRun = try database.prepare("SELECT max(created_at_us) FROM run")
        activeRuns = try database.prepare(
            "SELECT \(run) FROM run WHERE status IN \(SQL.activeStatuses) ORDER BY created_at_us, sequence")

        setAttempt = try database.prepare(
            SQL.upsert(into: "attempt", ["run"] + AttemptRow.columns, key: ["run", "number"]))
        deleteAttempts = try database.prepare("DELETE FROM attempt WHERE run = ?")
        attempts = try database.prepare(
            """
            SELECT \(SQL.list(AttemptRow.columns)) FROM attempt
                WHERE run = (SELECT sequence FROM run WHERE id = ?) ORDER BY number
            """)

        rememberID = try database.prepare("INSERT OR IGNORE INTO removed_id (key) VALUES (?)")
        wasRemoved = try database.prepare("SELECT 1 FROM removed_id WHERE key = ?")

        addToCount = try database.prepare(
            """
            INSERT INTO run_count (status, runs) VALUES (?, ?)
                ON CONFLICT (status) DO UPDATE SET runs = runs + excluded.runs
            """)
        counts = try database.prepare("SELECT status, runs FROM run_count")

        let item = QueueItemRow.columns
        setQueueItem = try database.prepare(SQL.upsert(into: "queue_item", item, key: ["id"]))
        removeQueueItem = try database.prepare("DELETE FROM queue_item WHERE id = ?")
        queueItem = try database.prepare("SELECT \(SQL.list(item)) FROM queue_item WHERE id = ?")
        queueItems = try database.prepare(
            """
            SELECT \(SQL.list(item)) FROM queue_item
                WHERE queue = ? AND (taken_until_us IS NULL OR taken_until_us <= ?) ORDER BY id LIMIT ?
            """)
        nextQueueReturn = try database.prepare(
            "SELECT min(taken_until_us) FROM queue_item WHERE queue = ? AND taken_until_us > ?")
        queues = try database.prepare(
            "SELECT queue, count(*), sum(length(CAST(json AS BLOB))) FROM queue_item GROUP BY queue ORDER BY queue")
        lastQueueItem = try database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'queue_item'")
        returnQueueItems = try database.prepare(
            "UPDATE queue_item SET taken_until_us = NULL WHERE taken_until_us IS NOT NULL")
        takenQueueItems = try database.prepare("SELECT id FROM queue_item WHERE taken_until_us IS NOT NULL")
        returnQueueItem = try database.prepare("UPDATE queue_item SET taken_until_us = NULL WHERE id = ?")

        let change = SQL.list(JobChangeRow.columns)
        setChange = try database.prepare(
            SQL.upsert(into: "job_change", JobChangeRow.columns + ["is_gone"], key: ["sequence"]))
        removeChangesBeyond = try database.prepare(
            """
            DELETE FROM job_change WHERE job = ?1 AND sequence <=
                (SELECT sequence FROM job_change WHERE job = ?1 ORDER BY sequence DESC LIMIT 1 OFFSET ?2)
            """)
        markGone = try database.prepare("UPDATE job_change SET is_gone = 1 WHERE job = ? AND is_gone = 0")
        // Those of a job that is there stay, however old: its last change tells why it is as it is.
        removeChangesBefore = try database.prepare(
            """
            DELETE FROM job_change WHERE sequence IN
                (SELECT sequence FROM job_change WHERE is_gone = 1 AND at_us < ? ORDER BY at_us LIMIT ?)
            """)
        changes = try database.prepare(
            "SELECT \(change) FROM job_change WHERE job = ? ORDER BY sequence DESC LIMIT ?")
        // A number beyond was never reached by counting, and the next one would not fit.
        lastChange = try database.prepare(
            "SELECT max(sequence) FROM job_change WHERE sequence BETWEEN 0 AND 4611686018427387904")
        let hold = GroupHoldRow.columns
        setGroupHold = try database.prepare(SQL.upsert(into: "group_hold", hold, key: ["name"]))
        removeGroupHold = try database.prepare("DELETE FROM group_hold WHERE name = ?")
        groupHolds = try database.prepare("SELECT \(SQL.list(hold)) FROM group_hold ORDER BY name")
        let message = SQL.list(MessageRow.columns)
        setMessage = try database.prepare(SQL.upsert(into: "message", MessageRow.columns, key: ["id"]))
        removeMessage = try database.prepare("DELETE FROM message WHERE id = ?")
        removeMessagesOfRun = try database.prepare("DELETE FROM message WHERE run = ? AND state <> 'pending'")
        messagesOfRun = try database.prepare(
            "SELECT \(message) FROM message WHERE run = ? ORDER BY sequence LIMIT \(SQL.messagesOfRunMax)")
        waitingMessages = try database.prepare(
            """
            SELECT \(message) FROM message WHERE state = 'pending'
                ORDER BY sequence LIMIT \(Scheduler.Limits.waitingMessages)
            """)

        newestBeyond = try database.prepare(
            """
            SELECT created_at_us, sequence FROM run WHERE job = ? AND status NOT IN \(SQL.activeStatuses)
                ORDER BY created_at_us DESC, sequence DESC LIMIT 1 OFFSET ?
            """)
        let doomed = """
            sequence, id,
                idempotency_key IS NOT NULL OR (trigger = 'manual' AND scheduled_for_us IS NOT NULL)
            """
        endedOfJobUpTo = try database.prepare(
            """
            SELECT \(doomed) FROM run
                WHERE job = ? AND (created_at_us, sequence) <= (?, ?) AND status NOT IN \(SQL.activeStatuses)
                ORDER BY created_at_us, sequence LIMIT ?
            """)
        // A run ends after it was created, so the oldest by `created_at_us` are all there is to look at. One that
        // ended "before" it was created (the clock was set back) goes a little later.
        endedBefore = try database.prepare(
            """
            SELECT \(doomed) FROM run
                WHERE created_at_us < ?1 AND coalesce(ended_at_us, created_at_us) < ?1
                    AND status NOT IN \(SQL.activeStatuses)
                ORDER BY created_at_us, sequence LIMIT ?2
            """)

        // That a key is there already is the work of another program: it is no reason to keep the run.
        keepKey = try database.prepare(
            """
            INSERT OR REPLACE INTO used_key
                    (idempotency_key, scheduled_for_us, run, job, status, ended_at_us, used_at_us)
                SELECT idempotency_key, CASE WHEN trigger = 'manual' THEN scheduled_for_us END, id, job, status,
                    ended_at_us, coalesce(ended_at_us, created_at_us) FROM run WHERE sequence = ?
            """)
        let removed = "SELECT run, job, status, ended_at_us FROM used_key WHERE"
        removedByKey = try database.prepare("\(removed) idempotency_key = ?")
        removedByFireTime = try database.prepare("\(removed) job = ? AND scheduled_for_us = ?")
        let oldest = "ORDER BY used_at_us, sequence LIMIT"
        removeKeysBefore = try database.prepare(
            """
            DELETE FROM used_key WHERE sequence IN
                (SELECT sequence FROM used_key WHERE used_at_us < ?1 \(oldest) ?2)
            """)
        dropOldestKeys = try database.prepare(
            "DELETE FROM used_key WHERE sequence IN (SELECT sequence FROM used_key \(oldest) ?)")
    }

    /// - Parameter place: among those that are read side by side; each has a statement of its own.
    func history(_ filters: HistoryFilters, place: Int = 0) throws(StoreError) -> Statement {
        let key = HistoryKey(filters: filters, place: place)
        if let statement = histories[key] { return statement }
        let statement = try database.prepare(filters.sql)
        histories[key] = statement
        return statement
    }

    private struct HistoryKey: Hashable {
        var filters: HistoryFilters
        var place: Int
    }
}

/// Which columns a page of the history is filtered by.
struct HistoryFilters: OptionSet, Hashable {
    let rawValue: UInt8

    static let job = HistoryFilters(rawValue: 1)
    static let status = HistoryFilters(rawValue: 2)
    static let trigger = HistoryFilters(rawValue: 4)
    /// No filter, but a hint: most runs have this trigger, so an index of the status beats the trigger's.
    static let commonTrigger = HistoryFilters(rawValue: 8)

    /// Parameters: the values of the filters that are set, then the least `created_at_us`, the key to stay below
    /// (two), the limit. Columns: the key, then those of `RunRow`.
    var sql: String {
        // One index serves one of status and trigger; the unary plus keeps the other's from being taken.
        let isByStatus = contains(.status) && (!contains(.trigger) || contains(.commonTrigger))
        let conditions = [
            contains(.job) ? "job = ?" : nil,
            contains(.status) ? (isByStatus ? "status = ?" : "+status = ?") : nil,
            contains(.trigger) ? (isByStatus ? "+trigger = ?" : "trigger = ?") : nil,
        ]
        return """
            SELECT created_at_us, sequence, \(SQL.list(RunRow.columns)) FROM run
                WHERE \(conditions.compactMap { $0.map { $0 + " AND " } }.joined())created_at_us >= ?
                    AND (created_at_us, sequence) < (?, ?)
                ORDER BY created_at_us DESC, sequence DESC LIMIT ?
            """
    }
}

/// Pieces of SQL text.
enum SQL {
    /// Of a run with more attempts than that the last messages are not shown.
    static let messagesOfRunMax = 1_000

    /// Those of `Run.Status.isActive`, as literals: with them SQLite sees which index fits.
    static let activeStatuses =
        "(" + Run.Status.allCases.filter(\.isActive).map { "'\($0.rawValue)'" }.joined(separator: ", ") + ")"

    static func list(_ columns: [String]) -> String { columns.joined(separator: ", ") }

    static func marks(_ count: Int) -> String { Array(repeating: "?", count: count).joined(separator: ", ") }

    /// Inserts a row, or replaces the columns of the one with the same key; its sequence number stays.
    static func upsert(into table: String, _ columns: [String], key: [String]) -> String {
        let updates = columns.filter { !key.contains($0) }.map { "\($0) = excluded.\($0)" }
        return """
            INSERT INTO \(table) (\(list(columns))) VALUES (\(marks(columns.count)))
                ON CONFLICT (\(list(key))) DO UPDATE SET \(list(updates))
            """
    }
}
