import Scheduling
public import Store

/// What becomes of a transaction whose commit failed.
///
/// A commit appends its pages to the log, the last of them marked as the end of a transaction, syncs the log, and makes
/// them known to other connections. Where it fails before that last page is written (no space left, a lock) nothing of
/// it can ever come back. Where it fails later (the sync, the shared memory) this connection knows nothing of it, but
/// the log has it whole: after a crash the next recovery takes it for committed.
///
/// So before anything else is written, and before anybody is told that it failed, what is known to be committed is
/// moved to the main file and synced there, and the log is cut to nothing; one more synced transaction gives it a new
/// beginning, with a new salt, in which old pages count for nothing. That a failed sync also loses pages which the
/// kernel calls written does no harm then either: they are written once more, to another file.
extension SQLiteStore {
    public func lastTurn() throws(StoreError) -> Int64 { try lastTurn(opened("read the number of the last turn")) }

    func lastTurn(_ statements: Statements) throws(StoreError) -> Int64 {
        if let lastTurnKnown { return lastTurnKnown }
        let turn = try counter(.turn, statements)
        lastTurnKnown = turn
        return turn
    }

    public func settle(turn: Int64) throws(StoreError) -> Bool {
        let isOnRecord = try lastTurn(writable("find out whether turn \(turn) is on record")) == turn
        // It was looked up for what is given up now.
        if !isOnRecord { lookupFailure = nil }
        return isOnRecord
    }

    public func probe() throws(StoreError) {
        let operation = "write to the store"
        try rescueIfMoved()
        let statements = try writable(operation)
        try writeProbe(statements, operation)
        lookupFailure = nil
    }

    /// What is in doubt is gone for good when this has returned.
    func clearUp(_ statements: Statements) throws(StoreError) {
        let operation = "make sure of what the last commit left"
        lastTurnKnown = nil
        // Nothing that reads may keep the log: until it is cut, nothing is sure.
        try statements.database.checkpointWhole(operation)
        try writeProbe(statements, operation)
        _ = try untold()
    }

    private func writeProbe(_ statements: Statements, _ operation: String) throws(StoreError) {
        try setDurability(.synced, statements.database)
        try transaction(statements, operation) { () throws(StoreError) in
            try record(String(try counter(.probe, statements) + 1), for: .probe, statements)
        }
    }

    /// One transaction: all that `body` writes, or nothing. Whatever fails, none is open afterwards.
    func transaction(
        _ statements: Statements, _ operation: String, _ body: () throws(StoreError) -> Void
    ) throws(StoreError) {
        try statements.begin.run(operation)
        do throws(StoreError) {
            try body()
        } catch {
            rollBack(statements, operation)
            throw error
        }
        do throws(StoreError) {
            try statements.commit.run(operation)
        } catch {
            if error.mayComeBack { doubtLastCommit() }
            rollBack(statements, operation)
            throw error
        }
    }

    /// Some errors roll back by themselves. Where this fails too there is nothing more to do: the next begin says so.
    private func rollBack(_ statements: Statements, _ operation: String) {
        if statements.database.isInTransaction { try? statements.rollback.run(operation) }
    }
}

extension StoreError {
    /// Of a commit that failed: whether its last page may have been written.
    fileprivate var mayComeBack: Bool { !Database.failsBeforeTheEnd(code) }
}
