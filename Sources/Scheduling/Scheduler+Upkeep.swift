import Schedules

/// What is said and done of a job beside its runs, at instants of its own: that it is late, and that one which is
/// finished goes (`delete_after`).
extension Scheduler {
    /// Waits for the next such instant.
    func awaitUpkeep(of entry: JobEntry) {
        guard entry.upkeep != nil || entry.job.details.isAttended, !entry.isRemoved else { return }
        let number = entry.upkeep ?? own(.upkeep(entry))
        entry.upkeep = number
        if let at = [lateness(of: entry).min(), removal(of: entry)].compactMap(\.self).min() {
            timers.arm(number, at: at)
        } else {
            timers.disarm(number)
        }
    }

    /// What has become due in this turn: a run that was given up may have been the last thing that a job was kept for.
    func lookAfterDue(now: Instant) {
        while let number = timers.first, let at = timers.next, at <= now, case .upkeep(let entry) = owners[Int(number)]
        {
            timers.disarm(number)
            lookAfter(entry, now: now)
        }
    }

    func lookAfter(_ entry: JobEntry, now: Instant) {
        if let at = removal(of: entry), at <= now { return removeFinished(entry, now: now) }
        tellLateness(of: entry, now: now)
        awaitUpkeep(of: entry)
    }

    /// When a job removes itself: so long after all of it was done. By what is on record, so that a restart does not
    /// begin the wait anew.
    private func removal(of entry: JobEntry) -> Instant? {
        guard let wait = entry.job.details.value.deleteAfter, entry.job.origin == .bus, !isAsleep, !isStopping,
            entry.isOver
        else { return nil }
        // A definition that comes when all of it is over has its wait as well.
        return max(entry.state.lastEndedAt ?? .epoch, entry.state.decidedThrough, entry.job.registeredAt) + wait
    }

    private func removeFinished(_ entry: JobEntry, now: Instant) {
        let name = entry.job.name
        turn.changes.append(.removeDefinition(job: name))
        remove(entry, isRetained: false, now: now)
        record(.removed, of: name, by: .daemon, reason: "it was finished, and its delete_after is over", now: now)
        announce(.jobsChanged(added: [], changed: [], removed: [name]))
    }
}
