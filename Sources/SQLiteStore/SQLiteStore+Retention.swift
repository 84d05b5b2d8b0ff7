import Schedules
import Scheduling
import Store

/// What retention removes, and what stays of it: that an id is taken, that a run was there (`run_count`), and, for as
/// long as runs are kept by age, what a client may name again (`used_key`).
extension SQLiteStore {
    /// Runs that one `StoreChange.prune` removes at most, oldest first; the next one goes on. A long history whose
    /// job was given a small `history_limit` shrinks over the job's next runs, and no commit takes long.
    /// At 40 µs a run in a store of a million: 10 ms.
    static let pruneStepMax = 250

    /// Removes the oldest ended runs of a job beyond `keep`. Their keys stay.
    func prune(job: String, keep: Int, _ statements: Statements) throws(StoreError) {
        let operation = "remove old runs of \(job)"
        let newest = statements.newestBeyond
        newest.bind(job)
        newest.bind(keep)
        defer { newest.reset() }
        guard try newest.step(operation) else { return }
        let end = (createdAt: newest.integer(), sequence: newest.integer())
        let old = statements.endedOfJobUpTo
        old.bind(job)
        old.bind(end.createdAt)
        old.bind(end.sequence)
        old.bind(Self.pruneStepMax)
        let keys = try remove(old, operation, statements, keepKeys: true)
        if keys > 0 { try makeRoom(forKeys: keys, statements) }
    }

    /// Removes ended runs that ended before an instant, keys of runs that did and are gone already, and changes that
    /// were made before it to jobs that are gone, at most `limit` of each.
    func pruneEnded(before instant: Instant, limit: Int, _ statements: Statements) throws(StoreError) {
        let operation = "remove old runs"
        statements.endedBefore.bind(instant)
        statements.endedBefore.bind(limit)
        // By their age their keys go with them.
        _ = try remove(statements.endedBefore, operation, statements, keepKeys: false)
        statements.removeKeysBefore.bind(instant)
        statements.removeKeysBefore.bind(limit)
        let keys = try statements.removeKeysBefore.runCounting("forget old keys")
        if keys > 0 { try countKeys(-keys, statements) }
        statements.removeChangesBefore.bind(instant)
        statements.removeChangesBefore.bind(limit)
        try statements.removeChangesBefore.run("forget old changes of jobs that are gone")
    }

    /// One that is about to go.
    private struct Doomed {
        var sequence: Int64
        var id: String
        /// Whether a client may name it again: by its key, or by a fire time that it took by hand.
        var hasKey: Bool
    }

    /// Removes the runs that a statement selects (sequence, id, whether it has a key), with their attempts. Their ids
    /// stay taken, and they still count.
    ///
    /// - Returns: how many keys were kept.
    private func remove(
        _ selection: Statement, _ operation: String, _ statements: Statements, keepKeys: Bool
    ) throws(StoreError) -> Int {
        defer { selection.reset() }
        // Read to the end first: a row that goes while its index is being walked may hide the next.
        var doomed: [Doomed] = []
        while try selection.step(operation) {
            let sequence = selection.integer()
            let id = selection.text()
            doomed.append(Doomed(sequence: sequence, id: id, hasKey: selection.integer() != 0))
        }
        var keys = 0
        for run in doomed {
            statements.rememberID.bind(ExecutionIDKey(run.id).value)
            try statements.rememberID.run(operation)
            if keepKeys, run.hasKey {
                statements.keepKey.bind(run.sequence)
                try statements.keepKey.run(operation)
                keys += 1
            }
            statements.deleteAttempts.bind(run.sequence)
            try statements.deleteAttempts.run(operation)
            statements.removeMessagesOfRun.bind(run.id)
            try statements.removeMessagesOfRun.run(operation)
            statements.deleteRun.bind(run.sequence)
            try statements.deleteRun.run(operation)
        }
        return keys
    }

    // MARK: - Used keys

    /// Keys were added: where there are too many now, the oldest go, and are counted.
    private func makeRoom(forKeys added: Int, _ statements: Statements) throws(StoreError) {
        let excess = try counter(.usedKeys, statements) + Int64(added) - Int64(usedKeysMax)
        var dropped = 0
        if excess > 0 {
            statements.dropOldestKeys.bind(excess)
            dropped = try statements.dropOldestKeys.runCounting("forget the oldest keys")
            let before = try counter(.keysDropped, statements)
            try record(String(before + Int64(dropped)), for: .keysDropped, statements)
        }
        try countKeys(added - dropped, statements)
    }

    private func countKeys(_ change: Int, _ statements: Statements) throws(StoreError) {
        let count = try counter(.usedKeys, statements) + Int64(change)
        try record(String(max(0, count)), for: .usedKeys, statements)
    }

    /// What stays of the run that was asked for with a key.
    func removedRun(idempotencyKey: String) throws(StoreError) -> RemovedRun? {
        let operation = "look up an idempotency key"
        let statement = try opened(operation).removedByKey
        statement.bind(idempotencyKey)
        return try removedRun(statement, operation)
    }

    /// What stays of the run that took a fire time by hand.
    func removedRun(job: String, scheduledFor: Instant) throws(StoreError) -> RemovedRun? {
        let operation = "look up a fire time of \(job)"
        let statement = try opened(operation).removedByFireTime
        statement.bind(job)
        statement.bind(scheduledFor)
        return try removedRun(statement, operation)
    }

    private func removedRun(_ statement: Statement, _ operation: String) throws(StoreError) -> RemovedRun? {
        defer { statement.reset() }
        guard try statement.step(operation) else { return nil }
        let id = statement.text()
        let job = statement.text()
        let status = try statement.word(Run.Status.self, of: "the used key of the run \(id)")
        return RemovedRun(id: id, job: job, status: status, endedAt: statement.instantIfAny())
    }

    /// A key is used once, also where the record of its run has been removed. That two kept runs have one is refused by
    /// their table.
    func refuseUsedKey(of run: Run) throws(StoreError) {
        if let key = run.idempotencyKey, let earlier = try removedRun(idempotencyKey: key) {
            throw constraint("record the run \(run.id)", "the run \(earlier.id) has used its idempotency key")
        }
        guard run.trigger == .manual, let fireTime = run.scheduledFor else { return }
        if let earlier = try removedRun(job: run.job, scheduledFor: fireTime) {
            throw constraint("record the run \(run.id)", "the run \(earlier.id) was for its fire time")
        }
    }
}
