import CSQLite
import Glibc
import SQLiteStore
import Schedules
import Scheduling
import Store

/// A store in whose file another program writes whatever it likes, and a reader of it that must neither trap nor hand
/// on what cannot be counted with. The test and the fuzz target share it.
struct HostileRows {
    private let path: String
    private let handle: OpaquePointer

    /// Nil where it could not be made. The tables of the store at `path` lose what keeps foreign values out (STRICT,
    /// NOT NULL), as in a file that another program made.
    init?(path: String) {
        self.path = path
        do throws(StoreError) {
            let store = try SQLiteStore(path: path)
            try store.commit(Self.contents)
            try store.commit([.prune(job: "tea", keep: 0)], untold: "something")
            try store.keep("{}", as: .configuration)
            store.close()
        } catch {
            return nil
        }
        var handle: OpaquePointer?
        guard sqlite3_open(path, &handle) == SQLITE_OK, let handle else { return nil }
        self.handle = handle
        let loosen = """
            PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA writable_schema = ON;
            UPDATE sqlite_schema SET sql =
                replace(replace(replace(sql, ') STRICT, WITHOUT', ') WITHOUT'), ') STRICT', ')'), ' NOT NULL', '');
            PRAGMA writable_schema = RESET;
            """
        guard sqlite3_exec(handle, loosen, nil, nil, nil) == SQLITE_OK else { return nil }
    }

    func close() { sqlite3_close(handle) }

    private static let contents: [StoreChange] = {
        let epoch = Instant(seconds: 1_700_000_000)
        var changes: [StoreChange] = []
        for (number, status) in Run.Status.allCases.enumerated() {
            for job in ["coffee", "tea"] {
                var run = Run(
                    id: "cron-\(job)-\(number)", job: job, skill: "s", trigger: .manual,
                    scheduledFor: epoch + .seconds(number), createdAt: epoch, status: status)
                run.idempotencyKey = "\(job) \(number)"
                run.attempt = 1
                run.questions = [
                    Question(
                        attempt: 1, number: 1, text: "q", choices: ["a"], standard: "a", askedAt: epoch, until: epoch)
                ]
                changes += [.run(run), .attempt(Attempt(run: run.id, number: 1, startedAt: epoch))]
            }
        }
        for job in ["coffee", "tea"] {
            var state = JobState(job: job, scheduleKey: "k", registeredAt: epoch, decidedThrough: epoch)
            state.claimed = [epoch, epoch + .seconds(1)]
            changes += [.jobState(state), .definition(job: job, version: 1, json: "{}", createdAt: epoch)]
        }
        for id in Int64(1)...4 {
            changes.append(.queueItem(QueueItem(id: id, queue: "q\(id % 2)", json: "1", pushedAt: epoch)))
        }
        for number in 1...5 {
            var change = JobChange(
                sequence: Int64(number), job: "job-\(number % 2)", at: epoch, what: .disabled,
                author: .process(name: "sh", executable: "/bin/sh"))
            change.until = epoch
            changes.append(.jobChange(change))
        }
        for group in ["a", "b"] {
            changes.append(.groupHold(GroupHold(group: group, until: epoch, since: epoch, run: "r")))
        }
        var use = BudgetUse()
        use.day = epoch
        return changes + [.schedulerOverride(true), .budgetUse(use)]
    }()

    // MARK: - Writing

    /// The columns of the store, as `table.column`.
    static let columns: [(table: String, columns: [String])] = [
        ("setting", ["name", "value"]), ("definition", ["sequence", "job", "version", "json", "created_at_us"]),
        (
            "job_state",
            [
                "job", "schedule_key", "registered_at_us", "decided_through_us", "is_enabled_override", "executions",
                "run_count", "failure_count", "failures_in_a_row", "last_run_at_us", "last_ended_at_us",
                "last_duration_us", "last_status", "skipped_fire_time_us", "budget_day_us", "budget_runs",
                "budget_wall_time_us", "budget_cost", "fired_boot_id", "paused_until_us", "was_enabled", "claimed_us",
                "reopened_through_us", "disabled_reason", "failures_since_success", "failing_since_us", "output_digest",
                "told_reason", "polls", "last_poll_at_us", "poll_failures", "poll_hash", "poll_found_at_us",
                "expected_since_us", "overdue_at_us", "told_by_us", "counts_from_us", "ended_before",
            ]
        ),
        (
            "run",
            [
                "sequence", "id", "job", "skill", "trigger", "scheduled_for_us", "created_at_us", "status", "attempt",
                "started_at_us", "ended_at_us", "retry_at_us", "exit_code", "exit_signal", "error", "reason",
                "failure_type", "output_preview", "trace_id", "covered_count", "covered_since_us", "idempotency_key",
                "inputs", "is_forced", "definition", "previous", "retry_delay_us", "ending", "cost", "progress",
                "result", "caveat", "boot_id", "queue_items", "standard_input", "cpu_us", "memory_peak_bytes",
                "is_unusual", "late_at_us", "is_late", "questions", "stalled_at_us",
            ]
        ),
        (
            "attempt",
            [
                "run", "number", "started_at_us", "ended_at_us", "exit_code", "exit_signal", "error", "failure_type",
                "remedy_succeeded",
            ]
        ),
        ("removed_id", ["key"]), ("run_count", ["status", "runs"]),
        ("queue_item", ["id", "queue", "pushed_at_us", "taken_until_us", "deliveries", "json"]),
        ("sqlite_sequence", ["seq"]),
        ("group_hold", ["name", "until_us", "is_relative", "since_us", "run", "is_released"]),
        (
            "job_change",
            [
                "sequence", "job", "at_us", "what", "until_us", "reason", "by_kind", "by_name", "by_executable",
                "is_gone",
            ]
        ),
        (
            "used_key",
            [
                "sequence", "idempotency_key", "scheduled_for_us", "run", "job", "status", "ended_at_us", "used_at_us",
            ]
        ),
    ]

    /// Values as SQL, that a number, a word or a text may be replaced by.
    static let values = [
        "NULL", "0", "-1", "1", "9223372036854775807", "-9223372036854775808", "9223372036854775806",
        "4611686018427387904", "9e999", "-9e999", "1e308", "-0.0", "0.5", "''", "'running'", "'queued'", "'manual'",
        "'schedule'", "'jammed'", "x'ff'", "CAST(x'ff00fe' AS TEXT)", "CAST(x'c3a9' AS TEXT)",
        "CAST(x'65cc81' AS TEXT)",
        "char(0)", "'1 2 x 9223372036854775808 -5 1'", "'9223372036854775807'",
        "'18446744073709551615' || char(10) || 'x'",
        "zeroblob(100000)", "hex(zeroblob(100000))",
    ]

    /// Puts a value into one column, of all rows or of one in three; whether it is taken is the file's business.
    func scribble(table: Int, column: Int, value: Int, isInAll: Bool) {
        let (table, columns) = Self.columns[table % Self.columns.count]
        let value = Self.values[value % Self.values.count]
        let rows = isInAll ? "" : " WHERE abs(random()) % 3 = 0"
        sqlite3_exec(
            handle, "UPDATE OR IGNORE \(table) SET \(columns[column % columns.count]) = \(value)\(rows)", nil, nil, nil)
    }

    // MARK: - Reading

    /// Opens the store and asks it everything, then goes on with it. An error is an answer.
    ///
    /// - Returns: what came back and is out of bounds.
    func exercise() -> [String] {
        var findings: [String] = []
        do throws(StoreError) {
            let store = try SQLiteStore(path: path)
            defer { store.close() }
            if let state = tolerant({ () throws(StoreError) in try store.load() }) {
                check(state, &findings)
                goOn(store, state)
            }
            ask(store, &findings)
        } catch {
            // It cannot be opened, and says why.
        }
        return findings
    }

    private func tolerant<Value>(_ body: () throws(StoreError) -> Value) -> Value? {
        do throws(StoreError) { return try body() } catch { return nil }
    }

    private func check(_ state: StoredState, _ findings: inout [String]) {
        // The core makes dictionaries of them.
        if Set(state.jobs.map(\.job)).count != state.jobs.count { findings.append("two states of a job") }
        if Set(state.activeRuns.map(\.id)).count != state.activeRuns.count { findings.append("two runs of an id") }
        if Set(state.definitions.map(\.job)).count != state.definitions.count { findings.append("two definitions") }
        for job in state.jobs {
            for count in [job.executions, job.runCount, job.failureCount, job.failuresInARow, job.budgetUse.runs] {
                check(count, &findings)
            }
            let instants = [
                job.registeredAt, job.decidedThrough, job.lastRunAt, job.lastEndedAt, job.skippedFireTime,
                job.pausedUntil, job.budgetUse.day, job.reopenedThrough,
            ]
            for case .some(let instant) in instants + job.claimed { check(instant, &findings) }
            if job.claimed != job.claimed.sorted() { findings.append("fire times out of order") }
        }
        for run in state.activeRuns { check(run, &findings) }
        for hold in state.groupHolds {
            for case .some(let instant) in [hold.until, hold.since] { check(instant, &findings) }
        }
        check(state.budgetUse.runs, &findings)
        for definition in state.definitions { check(definition.version, &findings) }
    }

    private func check(_ run: Run, _ findings: inout [String]) {
        check(run.attempt, &findings)
        check(run.coveredCount, &findings)
        for case .some(let instant) in [run.createdAt, run.scheduledFor, run.startedAt, run.endedAt, run.retryAt]
            + run.questions.flatMap({ [$0.askedAt, $0.until, $0.answer?.at] })
        {
            check(instant, &findings)
        }
        if !run.cost.isFinite { findings.append("a cost of \(run.cost)") }
        if let progress = run.progress, !progress.isFinite { findings.append("a progress of \(progress)") }
    }

    private func check(_ count: Int, _ findings: inout [String]) {
        if !StoreBounds.counts.contains(count) { findings.append("a count of \(count)") }
    }

    private func check(_ instant: Instant, _ findings: inout [String]) {
        if !StoreBounds.instants.contains(instant) { findings.append("an instant of \(instant.microseconds)") }
    }

    private func ask(_ store: SQLiteStore, _ findings: inout [String]) {
        var cursor: HistoryCursor?
        var pages = 0
        repeat {
            let query = HistoryQuery(limit: 5, cursor: cursor)
            guard let page = tolerant({ () throws(StoreError) in try store.history(query) }) else { break }
            for run in page.runs {
                check(run, &findings)
                _ = tolerant { () throws(StoreError) in try store.attempts(ofRun: run.id) }
            }
            cursor = page.next
            pages += 1
        } while cursor != nil && pages < 20
        if pages >= 20 { findings.append("a history without an end") }
        for status in [nil, Run.Status.running] {
            for trigger in [nil, Run.Trigger.manual, .schedule] {
                let query = HistoryQuery(job: "coffee", status: status, trigger: trigger)
                _ = tolerant { () throws(StoreError) in try store.history(query) }
            }
        }
        if let totals = tolerant({ () throws(StoreError) in try store.statistics() }) {
            _ = (totals.recorded, totals.total, totals.failed, totals.active, totals.keysDropped + 1)
        }
        for note in StoreNote.allCases { _ = tolerant { () throws(StoreError) in try store.note(note) } }
        _ = tolerant { () throws(StoreError) in try store.untold() }
        for number in 0..<Run.Status.allCases.count {
            for job in ["coffee", "tea"] {
                _ = tolerant { () throws(StoreError) in try store.run(id: "cron-\(job)-\(number)") }
                _ = store.earlierRun(idempotencyKey: "\(job) \(number)")
                _ = store.earlierRun(job: job, scheduledFor: Instant(seconds: 1_700_000_000 + Int64(number)))
            }
        }
        _ = store.isTaken(executionID: "x")
        _ = store.isDecided(job: "coffee", fireTime: .epoch)
        _ = store.firstKept(job: "coffee", after: .epoch, ofAtLeast: 1)
        for totals in store.queues() { _ = totals.bytes + totals.items }
        for item in store.queueItems("q1", notTakenAt: .horizon, limit: 10, bytesMax: .max) {
            _ = item.deliveries + 1
            check(item.pushedAt, &findings)
        }
        _ = store.lastQueueItemID() + 1
        for job in ["job-0", "job-1", ""] {
            for change in tolerant({ () throws(StoreError) in try store.changes(ofJob: job, limit: 20) }) ?? [] {
                for case .some(let instant) in [change.at, change.until] { check(instant, &findings) }
            }
        }
    }

    /// What a daemon does next, which counts on from what it read.
    private func goOn(_ store: SQLiteStore, _ state: StoredState) {
        guard let turn = tolerant({ () throws(StoreError) in try store.lastTurn() }) else { return }
        var changes: [StoreChange] = []
        for var run in state.activeRuns {
            run.attempt += 1
            run.retryAt = run.createdAt + .seconds(60)
            run.status = .success
            changes.append(.run(run))
        }
        for var job in state.jobs {
            job.runCount += 1
            job.budgetUse.wallTime += job.lastDuration ?? .zero
            job.decidedThrough = job.decidedThrough + .seconds(60)
            changes.append(.jobState(job))
        }
        changes.append(
            .jobChange(
                JobChange(
                    sequence: state.lastChange + 1, job: "job-0", at: .epoch, what: .enabled, author: .daemon)))
        // Each by itself: one that is refused is no reason for the next to be.
        for (index, change) in changes.enumerated() {
            _ = tolerant { () throws(StoreError) in
                try store.commit([change], untold: "x", turn: turn + Int64(index) + 1)
            }
        }
        _ = tolerant { () throws(StoreError) in
            try store.commit([
                .prune(job: "coffee", keep: 2), .pruneEnded(before: .horizon, limit: 3),
                .queueItemsReturned(except: []),
            ])
        }
        _ = tolerant { () throws(StoreError) in try store.probe() }
        _ = tolerant { () throws(StoreError) in try store.settle(turn: turn) }
        _ = tolerant { () throws(StoreError) in try store.forgetUntold() }
    }
}
