internal import Schedules

/// Runs that end without a process.
extension Scheduler {
    /// A run that has its turn and no process: its fire time (or its request) is on record as not run.
    func giveUp(_ active: ActiveRun, _ status: Run.Status, _ reason: Run.Reason, now: Instant) {
        active.phase = .ended
        active.run.status = status
        active.run.reason = reason
        setStart(of: active, nil)
        active.run.endedAt = now
        settleItems(of: active, now: now)
        touch(active)
        forget(active)
        if active.run.idempotencyKey != nil || active.run.scheduledFor != nil { uncommittedRecords.append(active.run) }
        cleanup.newRecords += 1
        announce(.jobMissed(active.run))
        guard let entry = active.entry else { return }
        entry.occupying.removeAll { $0 === active }
        entry.hasNewRecords = true
        touch(entry)
        noteUnrun(entry, active.run)
        if active.run.trigger == .schedule || active.run.trigger == .catchUp { takeBackExecution(entry, now: now) }
        promote(entry, now: now)
        countAnew(entry, from: now, now: now)
        awaitUpkeep(of: entry)
    }

    /// What was not run does not count for `max_executions`: a job that was finished by it has fire times again.
    private func takeBackExecution(_ entry: JobEntry, now: Instant) {
        let wasFinished = entry.isFinished
        entry.state.executions = max(0, entry.state.executions - 1)
        guard wasFinished, !entry.isFinished else { return }
        entry.state.decidedThrough = max(entry.state.decidedThrough, now)
        schedule(entry)
    }
}
