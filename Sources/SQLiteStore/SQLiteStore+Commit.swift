public import Scheduling
public import Store

extension SQLiteStore {
    public func commit(_ changes: [StoreChange], untold: String?, turn: Int64) throws(StoreError) {
        guard !changes.isEmpty else { return }
        let operation = "commit \(changes.count) changes"
        try rescueIfMoved()
        let statements = try writable(operation)
        let last = try lastTurn(statements)
        guard turn != last else { return }
        guard turn > last else {
            throw StoreError(
                kind: .other, operation: operation, path: path,
                message: "they are of turn \(turn), and turn \(last) is on record")
        }
        try throwLookupFailure()
        try setDurability(neededDurability(for: changes, statements), statements.database)
        try transaction(statements, operation) { () throws(StoreError) in
            var moves = StatusMoves()
            for change in changes { try apply(change, &moves, statements) }
            try count(moves, statements)
            if let untold { try record("\(untoldNumber + 1)\n\(untold)", for: .untold, statements) }
            try record(String(turn), for: .turn, statements)
        }
        lastTurnKnown = turn
        if untold != nil { untoldNumber += 1 }
    }

    public func untold() throws(StoreError) -> String? {
        guard let text = try setting(.untold, try opened("read what was not told")) else { return nil }
        guard let gap = text.firstIndex(of: "\n"), let number = UInt64(text[..<gap]) else { return text }
        // Such a number was never reached by counting.
        guard number <= ToldMark.numberMax else { return text }
        untoldNumber = max(untoldNumber, number)
        return number > told.number ? String(text[text.index(after: gap)...]) : nil
    }

    public func forgetUntold() throws(StoreError) {
        if untoldNumber > told.number, told.set(untoldNumber) { return }
        let statements = try writable("record that all is told")
        try setDurability(.eventual, statements.database)
        try record(nil, for: .untold, statements)
    }

    public func note(_ note: StoreNote) throws(StoreError) -> String? {
        try setting(Setting(note), try opened("read a note"))
    }

    public func keep(_ text: String?, as note: StoreNote) throws(StoreError) {
        let operation = "keep a note"
        if let text, text.utf8.count > StoreNote.bytesMax {
            throw constraint(operation, "it has \(text.utf8.count) bytes, more than \(StoreNote.bytesMax)")
        }
        let statements = try writable(operation)
        try setDurability(.eventual, statements.database)
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
            try markGone(job, statements)
        case .schedulerOverride(let isEnabled):
            try record(isEnabled.map { $0 ? "1" : "0" }, for: .schedulerOverride, statements)
        case .groupHold(let hold):
            GroupHoldRow.bind(hold, to: statements.setGroupHold)
            try statements.setGroupHold.run("record the hold of the group \(hold.group)")
        case .removeGroupHold(let group):
            statements.removeGroupHold.bind(group)
            try statements.removeGroupHold.run("remove the hold of the group \(group)")
        case .budgetUse(let use):
            try record(use.record, for: .budgetUse, statements)
        case .prune(let job, let keep):
            try prune(job: job, keep: max(0, keep), statements)
        case .pruneEnded(let instant, let limit):
            try pruneEnded(before: instant, limit: max(0, limit), statements)
        case .jobChange(let change):
            try record(change, statements)
        case .message(let message):
            try record(message, statements)
        case .queueItem(let item):
            QueueItemRow.bind(item, to: statements.setQueueItem)
            try statements.setQueueItem.run("record an item of the queue \(item.queue)")
        case .removeQueueItem(let id):
            statements.removeQueueItem.bind(id)
            try statements.removeQueueItem.run("remove an item of a queue")
        case .queueItemsReturned(let kept):
            try returnQueueItems(except: kept, statements)
        }
    }

    // MARK: - Runs and attempts

    private func record(_ run: Run, _ moves: inout StatusMoves, _ statements: Statements) throws(StoreError) {
        if let known = try summary(ofRun: run.id, statements) {
            RunRow.bind(run, to: statements.updateRun)
            statements.updateRun.bind(known.sequence)
            try statements.updateRun.run("record the run \(run.id)")
            if let status = known.status { moves.leave(status) }
        } else if try wasRemoved(executionID: run.id, statements) {
            // A transaction that is committed once more may bring runs that its own retention removed.
            guard run.status.isActive else { return }
            throw constraint("record the run \(run.id)", "a run of this id was there and was removed")
        } else {
            try refuseUsedKey(of: run)
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

    func constraint(_ operation: String, _ message: String) -> StoreError {
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
}
