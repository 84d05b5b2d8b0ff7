/// What the database looks like, as the steps that led there.
///
/// Step *n* (from 1) makes version *n* of version *n* − 1. A step that was released is never changed: a change is a
/// new step at the end. Names of columns carry the unit; instants are microseconds since 1970, UTC.
enum Schema {
    static let steps = [version1, version2, version3, version4, version5, version6, version7, version8]

    /// `PRAGMA application_id`: tells our file from any other program's database. "BCrn" in ASCII.
    static let applicationID: Int64 = 0x4243_726E

    private static let version1 = """
        PRAGMA application_id = \(applicationID);

        CREATE TABLE setting (
            name TEXT PRIMARY KEY,
            value TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE definition (
            sequence INTEGER PRIMARY KEY,
            job TEXT NOT NULL UNIQUE,
            version INTEGER NOT NULL,
            json TEXT NOT NULL,
            created_at_us INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE job_state (
            job TEXT PRIMARY KEY,
            schedule_key TEXT NOT NULL,
            registered_at_us INTEGER NOT NULL,
            decided_through_us INTEGER NOT NULL,
            is_enabled_override INTEGER,
            executions INTEGER NOT NULL,
            run_count INTEGER NOT NULL,
            failure_count INTEGER NOT NULL,
            failures_in_a_row INTEGER NOT NULL,
            last_run_at_us INTEGER,
            last_ended_at_us INTEGER,
            last_duration_us INTEGER,
            last_status TEXT,
            skipped_fire_time_us INTEGER,
            budget_day_us INTEGER,
            budget_runs INTEGER NOT NULL,
            budget_wall_time_us INTEGER NOT NULL,
            budget_cost REAL,
            fired_boot_id TEXT,
            paused_until_us INTEGER,
            was_enabled INTEGER NOT NULL,
            claimed_us TEXT NOT NULL,
            reopened_through_us INTEGER
        ) STRICT;

        CREATE TABLE run (
            sequence INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            job TEXT NOT NULL,
            skill TEXT NOT NULL,
            trigger TEXT NOT NULL,
            scheduled_for_us INTEGER,
            created_at_us INTEGER NOT NULL,
            status TEXT NOT NULL,
            attempt INTEGER NOT NULL,
            started_at_us INTEGER,
            ended_at_us INTEGER,
            retry_at_us INTEGER,
            exit_code INTEGER,
            exit_signal INTEGER,
            error TEXT,
            reason TEXT,
            failure_type TEXT,
            output_preview TEXT,
            trace_id TEXT,
            covered_count INTEGER NOT NULL,
            covered_since_us INTEGER,
            idempotency_key TEXT,
            inputs TEXT,
            is_forced INTEGER NOT NULL,
            definition TEXT,
            previous TEXT
        ) STRICT;

        CREATE UNIQUE INDEX run_fire_time ON run (job, scheduled_for_us)
            WHERE scheduled_for_us IS NOT NULL AND trigger IN ('schedule', 'catch_up', 'manual');
        CREATE UNIQUE INDEX run_idempotency_key ON run (idempotency_key) WHERE idempotency_key IS NOT NULL;
        CREATE INDEX run_time ON run (created_at_us);
        CREATE INDEX run_job ON run (job, created_at_us);
        CREATE INDEX run_job_status ON run (job, status, created_at_us);
        CREATE INDEX run_status ON run (status, created_at_us);
        CREATE INDEX run_job_trigger ON run (job, trigger, created_at_us);
        CREATE INDEX run_trigger ON run (trigger, created_at_us);

        CREATE TABLE attempt (
            run INTEGER NOT NULL,
            number INTEGER NOT NULL,
            started_at_us INTEGER NOT NULL,
            ended_at_us INTEGER,
            exit_code INTEGER,
            exit_signal INTEGER,
            error TEXT,
            failure_type TEXT,
            PRIMARY KEY (run, number)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE removed_id (
            key INTEGER PRIMARY KEY
        ) STRICT;

        CREATE TABLE run_count (
            status TEXT PRIMARY KEY,
            runs INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """

    /// What a run says of itself, and what has been decided about its process.
    private static let version2 = """
        ALTER TABLE run ADD COLUMN retry_delay_us INTEGER;
        ALTER TABLE run ADD COLUMN ending TEXT;
        ALTER TABLE run ADD COLUMN cost REAL NOT NULL DEFAULT 0;
        ALTER TABLE run ADD COLUMN progress REAL;
        ALTER TABLE run ADD COLUMN result TEXT;
        """

    /// Queues. AUTOINCREMENT: an id is never given out twice.
    private static let version3 = """
        CREATE TABLE queue_item (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            queue TEXT NOT NULL,
            pushed_at_us INTEGER NOT NULL,
            taken_until_us INTEGER,
            deliveries INTEGER NOT NULL,
            json TEXT NOT NULL
        ) STRICT;

        CREATE INDEX queue_item_queue ON queue_item (queue, id);
        CREATE INDEX queue_item_taken ON queue_item (taken_until_us) WHERE taken_until_us IS NOT NULL;
        """

    private static let version4 = "ALTER TABLE attempt ADD COLUMN remedy_succeeded INTEGER;"

    private static let version5 = "ALTER TABLE run ADD COLUMN caveat TEXT;"

    /// The boot that an attempt was claimed in; and what a client may name again of runs whose record was removed: an
    /// idempotency key, a fire time taken by hand.
    private static let version6 = """
        ALTER TABLE run ADD COLUMN boot_id TEXT;

        CREATE TABLE used_key (
            sequence INTEGER PRIMARY KEY,
            idempotency_key TEXT,
            scheduled_for_us INTEGER,
            run TEXT NOT NULL,
            job TEXT NOT NULL,
            status TEXT NOT NULL,
            ended_at_us INTEGER,
            used_at_us INTEGER NOT NULL
        ) STRICT;

        CREATE UNIQUE INDEX used_key_key ON used_key (idempotency_key) WHERE idempotency_key IS NOT NULL;
        CREATE UNIQUE INDEX used_key_fire_time ON used_key (job, scheduled_for_us)
            WHERE scheduled_for_us IS NOT NULL;
        CREATE INDEX used_key_time ON used_key (used_at_us);
        """

    /// Who changed what of a job, and why a job is disabled; what was changed of a job that is gone is marked, and
    /// goes with the history. Messages, of which those that are not settled are found
    /// without a look at the others, and what messages about a job go by; what a run was made for: items of a queue,
    /// which are its own, and what its process reads; and what polls say.
    private static let version7 = """
        ALTER TABLE job_state ADD COLUMN disabled_reason TEXT;

        CREATE TABLE job_change (
            sequence INTEGER PRIMARY KEY,
            job TEXT NOT NULL,
            at_us INTEGER NOT NULL,
            what TEXT NOT NULL,
            until_us INTEGER,
            reason TEXT,
            by_kind TEXT NOT NULL,
            by_name TEXT,
            by_executable TEXT,
            is_gone INTEGER NOT NULL
        ) STRICT;

        CREATE INDEX job_change_job ON job_change (job, sequence);
        CREATE INDEX job_change_gone ON job_change (at_us) WHERE is_gone = 1;

        CREATE TABLE message (
            sequence INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            job TEXT NOT NULL,
            run TEXT NOT NULL,
            occasion TEXT NOT NULL,
            target TEXT NOT NULL,
            title TEXT NOT NULL,
            text TEXT NOT NULL,
            created_at_us INTEGER NOT NULL,
            state TEXT NOT NULL,
            fault TEXT,
            sendings INTEGER NOT NULL,
            next_at_us INTEGER,
            gathered_in TEXT
        ) STRICT;

        CREATE INDEX message_run ON message (run);
        CREATE INDEX message_pending ON message (sequence) WHERE state = 'pending';

        ALTER TABLE job_state ADD COLUMN failures_since_success INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE job_state ADD COLUMN failing_since_us INTEGER;
        ALTER TABLE job_state ADD COLUMN output_digest INTEGER;
        ALTER TABLE job_state ADD COLUMN told_reason TEXT;

        ALTER TABLE run ADD COLUMN queue_items TEXT;
        ALTER TABLE run ADD COLUMN standard_input TEXT;
        ALTER TABLE job_state ADD COLUMN polls INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE job_state ADD COLUMN last_poll_at_us INTEGER;
        ALTER TABLE job_state ADD COLUMN poll_failures INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE job_state ADD COLUMN poll_hash INTEGER;
        ALTER TABLE job_state ADD COLUMN poll_found_at_us INTEGER;
        CREATE INDEX queue_item_return ON queue_item (queue, taken_until_us) WHERE taken_until_us IS NOT NULL;
        """

    /// What a run has used, how it compares with others of its job, and when it is late; how a job stands with what is
    /// expected of it, what it counts from, and which of the jobs before it have ended;
    /// what runs ask, and groups that wait.
    private static let version8 = """
        ALTER TABLE run ADD COLUMN cpu_us INTEGER;
        ALTER TABLE run ADD COLUMN memory_peak_bytes INTEGER;
        ALTER TABLE run ADD COLUMN is_unusual INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE run ADD COLUMN late_at_us INTEGER;
        ALTER TABLE run ADD COLUMN is_late INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE job_state ADD COLUMN expected_since_us INTEGER;
        ALTER TABLE job_state ADD COLUMN overdue_at_us INTEGER;
        ALTER TABLE job_state ADD COLUMN told_by_us INTEGER;
        ALTER TABLE job_state ADD COLUMN counts_from_us INTEGER;
        ALTER TABLE job_state ADD COLUMN ended_before TEXT;
        ALTER TABLE run ADD COLUMN questions TEXT;
        ALTER TABLE run ADD COLUMN stalled_at_us INTEGER;

        CREATE TABLE group_hold (
            name TEXT PRIMARY KEY,
            until_us INTEGER,
            is_relative INTEGER NOT NULL,
            since_us INTEGER NOT NULL,
            run TEXT,
            is_released INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        """
}
