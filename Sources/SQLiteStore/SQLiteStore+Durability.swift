import Scheduling
import Store

/// When a commit returns, as seen by a power cut. A crash of the daemon alone loses nothing in either case.
enum Durability {
    /// The disk has it (`synchronous=FULL`): one fsync of the log, some milliseconds.
    case synced
    /// The kernel has it (`synchronous=NORMAL`): some microseconds. A power cut may take the last such commits,
    /// newest first, never a part of one, and never one that a later synced commit followed.
    case eventual
}

extension SQLiteStore {
    /// What these changes need, compared with what is on record.
    ///
    /// Synced is all that a process, a signal or a reply relies on:
    /// - a run in a new status or attempt: a process is about to start for it, or its end is announced; or with a new
    ///   ending: a client is told that it is cancelled, and it must not be tried again;
    /// - a definition or a toggle, a skipped fire time, a pause, the record of who asked for it: replies promise them;
    /// - the grid of a job (schedule key, registration): every later fire time counts from it.
    ///
    /// Eventual is what the next daemon finds out again by itself, to the same result:
    /// - `decidedThrough` without a run: the same fire times are decided the same way;
    /// - counters and budget use without a run: they change with runs only, so with none they are corrections;
    /// - the progress of an active run (preview, error) in the same status and attempt;
    /// - what retention removes, and the state of a job that the configuration no longer has;
    /// - that items of queues are nobody's: the next daemon gives them back, too;
    /// - what became of a message: the next daemon sends it, too.
    func neededDurability(
        for changes: [StoreChange], _ statements: Statements
    ) throws(StoreError) -> Durability {
        for change in changes where try mustBeSynced(change, statements) { return .synced }
        return .eventual
    }

    private func mustBeSynced(_ change: StoreChange, _ statements: Statements) throws(StoreError) -> Bool {
        switch change {
        case .run(let run):
            guard run.status.isActive, let known = try summary(ofRun: run.id, statements) else { return true }
            return known.status != run.status || known.attempt != run.attempt || known.retryAt != run.retryAt
                || known.ending != run.ending
        case .jobState(let state):
            guard let known = try self.state(ofJob: state.job, statements) else { return true }
            return known.scheduleKey != state.scheduleKey || known.registeredAt != state.registeredAt
                || known.isEnabledOverride != state.isEnabledOverride
                || known.skippedFireTime != state.skippedFireTime || known.firedBootID != state.firedBootID
                || known.pausedUntil != state.pausedUntil || known.wasEnabled != state.wasEnabled
                || known.disabledReason != state.disabledReason
                || known.claimed != state.claimed || known.reopenedThrough != state.reopenedThrough
        case .groupHold, .removeGroupHold, .attempt, .definition, .removeDefinition, .schedulerOverride, .jobChange:
            return true
        case .queueItem(let item):
            // That somebody has it need not outlive a power cut: it comes again.
            return item.deliveries == 0
        case .removeQueueItem:
            return true
        case .message(let message):
            // What became of it need not outlive a power cut: then it is sent once more.
            return message.state == .waiting && message.sendings == 0
        case .budgetUse, .removeJobState, .prune, .pruneEnded, .queueItemsReturned:
            return false
        }
    }

    private func state(ofJob job: String, _ statements: Statements) throws(StoreError) -> JobState? {
        statements.jobState.bind(job)
        defer { statements.jobState.reset() }
        return try statements.jobState.step("look up the job \(job)") ? JobStateRow.read(statements.jobState) : nil
    }

    /// Switches the database over, between transactions. Measured: 1 µs, so it is done as often as it changes.
    func setDurability(_ needed: Durability, _ database: Database) throws(StoreError) {
        guard needed != durability else { return }
        // Not a prepared statement: SQLite does what this pragma says when it is prepared, not when it is run.
        try database.execute(
            needed == .synced ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL",
            "choose when a commit is synced")
        durability = needed
    }
}
