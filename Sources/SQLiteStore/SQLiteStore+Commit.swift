public import Scheduling
public import Store

extension SQLiteStore {
    /// Runs that one `StoreChange.prune` removes at most, oldest first; the next one goes on. A long history whose
    /// job was given a small `history_limit` shrinks over the job's next runs, and no commit takes long.
    /// At 40 µs a run in a store of a million: 10 ms.
    static let pruneStepMax = 250

    /// Runs of a job whose key or fire time a client may name again, and that are kept for it beyond the job's
    /// `history_limit` (but not beyond the days of retention). Beyond it the oldest go all the same.
    static let claimedRunsMax = 1_000

    public func commit(_ changes: [StoreChange], untold: String?) throws(StoreError) {
        guard !changes.isEmpty else { return }
        let operation = "commit \(changes.count) changes"
        try rescueIfMoved()
        let statements = try opened(operation)
        try throwLookupFailure()
        try setDurability(neededDurability(for: changes, statements), statements.connection)
        try statements.begin.run(operation)
        do throws(StoreError) {
            var moves = StatusMoves()
            for change in changes { try apply(change, &moves, statements) }
            try count(moves, statements)
            if let untold { try record("\(untoldNumber + 1)\n\(untold)", for: .untold, statements) }
            try statements.commit.run(operation)
            if untold != nil { untoldNumber += 1 }
        } catch {
            // Some errors roll back by themselves. Where this fails too there is nothing more to do: the next begin
            // says so.
            if statements.connection.isInTransaction { try? statements.rollback.run(operation) }
            throw error
        }
    }

    public func untold() throws(StoreError) -> String? {
        guard let text = try setting(.untold, try opened("read what was not told")) else { return nil }
        guard let gap = text.firstIndex(of: "\n"), let number = UInt64(text[..<gap]) else { return text }
        untoldNumber = max(untoldNumber, number)
        return number > told.number ? String(text[text.index(after: gap)...]) : nil
    }

    public func forgetUntold() throws(StoreError) {
        if untoldNumber > told.number, told.set(untoldNumber) { return }
        let statements = try opened("record that all is told")
        try setDurability(.eventual, statements.connection)
        try record(nil, for: .untold, statements)
    }

    public func note(_ note: StoreNote) throws(StoreError) -> String? {
        try setting(Setting(note), try opened("read a note"))
    }

    public func keep(_ text: String?, as note: StoreNote) throws(StoreError) {
        let statements = try opened("keep a note")
        try setDurability(.eventual, statements.connection)
        try record(text, for: Setting(note), statements)
    }

    private func apply(
        _ change: StoreChange, _ moves: inout StatusMoves, _ statements: Statements
    ) throws(StoreError) {
        switch change {
        case .run(let run):
            try record(run, &moves, statements)
        case .attempt(let attempt):
            try record(attempt, statements)
        case .jobState(let state):
            JobStateRow.bind(state, to: statements.setJobState)
            try statements.setJobState.run("record the state of the job \(state.job)")
        case .definition(let job, let version, let json, let createdAt):
            statements.setDefinition.bind(job)
            statements.setDefinition.bind(version)
            statements.setDefinition.bind(json)
            statements.setDefinition.bind(createdAt)
            try statements.setDefinition.run("record the definition of the job \(job)")
        case .removeDefinition(let job):
            statements.removeDefinition.bind(job)
            try statements.removeDefinition.run("remove the definition of the job \(job)")
        case .removeJobState(let job):
            statements.removeJobState.bind(job)
            try statements.removeJobState.run("remove the state of the job \(job)")
        case .schedulerOverride(let isEnabled):
            try record(isEnabled.map { $0 ? "1" : "0" }, for: .schedulerOverride, statements)
        case .prune(let job, let keep):
            try prune(job: job, keep: max(0, keep), statements)
        case .pruneEnded(let instant, let limit):
            statements.endedBefore.bind(instant)
            statements.endedBefore.bind(max(0, limit))
            try remove(statements.endedBefore, "remove old runs", statements)
        case .queueItem(let item):
            QueueItemRow.bind(item, to: statements.setQueueItem)
            try statements.setQueueItem.run("record an item of the queue \(item.queue)")
        case .removeQueueItem(let id):
            statements.removeQueueItem.bind(id)
            try statements.removeQueueItem.run("remove an item of a queue")
        }
    }

    private func record(_ value: String?, for setting: Setting, _ statements: Statements) throws(StoreError) {
        let statement = value == nil ? statements.removeSetting : statements.setSetting
        statement.bind(setting.rawValue)
        if let value { statement.bind(value) }
        try statement.run("record the setting \(setting.rawValue)")
    }

    // MARK: - Runs and attempts

    private func record(_ run: Run, _ moves: inout StatusMoves, _ statements: Statements) throws(StoreError) {
        if let known = try summary(ofRun: run.id, statements) {
            RunRow.bind(run, to: statements.updateRun)
            statements.updateRun.bind(known.sequence)
            try statements.updateRun.run("record the run \(run.id)")
            moves.leave(known.status)
        } else if try wasRemoved(executionID: run.id, statements) {
            // A transaction that is committed once more may bring runs that its own retention removed.
            guard run.status.isActive else { return }
            throw constraint("record the run \(run.id)", "a run of this id was there and was removed")
        } else {
            RunRow.bind(run, to: statements.insertRun)
            try statements.insertRun.run("record the run \(run.id)")
        }
        moves.enter(run.status)
    }

    private func record(_ attempt: Attempt, _ statements: Statements) throws(StoreError) {
        let operation = "record attempt \(attempt.number) of \(attempt.run)"
        guard let run = try summary(ofRun: attempt.run, statements) else {
            // As with runs: committed once more.
            if try wasRemoved(executionID: attempt.run, statements) { return }
            throw constraint(operation, "there is no such run")
        }
        statements.setAttempt.bind(run.sequence)
        AttemptRow.bind(attempt, to: statements.setAttempt)
        try statements.setAttempt.run(operation)
    }

    private func constraint(_ operation: String, _ message: String) -> StoreError {
        StoreError(kind: .constraint, operation: operation, path: path, message: message)
    }

    // MARK: - Totals

    /// How many runs left a status and came to it, over a transaction.
    private struct StatusMoves {
        var changes: [Run.Status: Int] = [:]
        mutating func leave(_ status: Run.Status) { changes[status, default: 0] -= 1 }
        mutating func enter(_ status: Run.Status) { changes[status, default: 0] += 1 }
    }

    private func count(_ moves: StatusMoves, _ statements: Statements) throws(StoreError) {
        for (status, change) in moves.changes where change != 0 {
            statements.addToCount.bind(status.rawValue)
            statements.addToCount.bind(change)
            try statements.addToCount.run("count the runs that are \(status.rawValue)")
        }
    }

    // MARK: - Retention

    private func prune(job: String, keep: Int, _ statements: Statements) throws(StoreError) {
        try prune(job: job, keep: keep, statements.unclaimedOfJobUpTo, statements)
        try prune(job: job, keep: max(keep, Self.claimedRunsMax), statements.endedOfJobUpTo, statements)
    }

    private func prune(
        job: String, keep: Int, _ old: Statement, _ statements: Statements
    ) throws(StoreError) {
        let operation = "remove old runs of \(job)"
        let newest = statements.newestBeyond
        newest.bind(job)
        newest.bind(keep)
        defer { newest.reset() }
        guard try newest.step(operation) else { return }
        let end = (createdAt: newest.integer(), sequence: newest.integer())
        old.bind(job)
        old.bind(end.createdAt)
        old.bind(end.sequence)
        old.bind(Self.pruneStepMax)
        try remove(old, operation, statements)
    }

    /// Removes the runs that a statement selects (sequence, id), with their attempts. Their ids stay taken, and they
    /// still count.
    private func remove(
        _ selection: Statement, _ operation: String, _ statements: Statements
    ) throws(StoreError) {
        defer { selection.reset() }
        // Read to the end first: a row that goes while its index is being walked may hide the next.
        var doomed: [(sequence: Int64, id: String)] = []
        while try selection.step(operation) {
            let sequence = selection.integer()
            doomed.append((sequence, selection.text()))
        }
        for run in doomed {
            statements.rememberID.bind(ExecutionIDKey(run.id).value)
            try statements.rememberID.run(operation)
            statements.deleteAttempts.bind(run.sequence)
            try statements.deleteAttempts.run(operation)
            statements.deleteRun.bind(run.sequence)
            try statements.deleteRun.run(operation)
        }
    }
}
