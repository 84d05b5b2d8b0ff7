import Schedules

/// What an older program has recorded.
extension Scheduler {
    /// They become history, and their jobs remember them; what a job has run since then itself counts as newer.
    func takeOver(_ runs: [Run]) {
        for run in runs where !run.status.isActive {
            turn.changes.append(.run(run))
            uncommittedIDs.insert(run.id)
            cleanup.newRecords += 1
            guard let entry = jobs[run.job] else { continue }
            entry.hasNewRecords = true
            touch(entry)
            entry.state.runCount += 1
            entry.state.failureCount += run.status.isFailure ? 1 : 0
            if let last = entry.state.lastEndedAt, let ended = run.endedAt, ended < last { continue }
            entry.state.failuresInARow = run.status.isFailure ? entry.state.failuresInARow + 1 : 0
            entry.state.lastRunAt = run.startedAt
            entry.state.lastEndedAt = run.endedAt
            entry.state.lastDuration = run.startedAt.flatMap { start in run.endedAt.map { $0 - start } }
            entry.state.lastStatus = run.status
        }
    }
}
