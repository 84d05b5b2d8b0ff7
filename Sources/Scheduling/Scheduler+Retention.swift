import Schedules

/// Old runs are removed by age, in small steps; by number they go with each run that is added (`StoreChange.prune`).
extension Scheduler {
    struct Cleanup {
        var timer: TimerQueue.Owner?
        /// What the clean-up that is under way may still remove.
        var quota = 0
        /// Records made since the last clean-up: in the long run as many have to go.
        var newRecords = 0
    }

    /// The first clean-up comes this long after the start: a clock that is wrong after the boot has been set by then.
    static var cleanupDelay: Duration { .seconds(3600) }
    /// Between two steps of one clean-up.
    static var cleanupPause: Duration { .seconds(1) }

    func awaitCleanup(now: Instant) {
        guard settings.isCleanupEnabled, !isStopping else {
            if let timer = cleanup.timer { timers.disarm(timer) }
            return
        }
        let timer = cleanup.timer ?? own(.cleanup)
        cleanup.timer = timer
        timers.arm(timer, at: now + min(Self.cleanupDelay, settings.cleanupInterval))
    }

    /// One step; the next one follows in a moment, or with the next interval.
    func cleanUp(now: Instant) {
        guard let timer = cleanup.timer, settings.isCleanupEnabled, !isStopping else { return }
        if cleanup.quota <= 0 {
            // Twice as many as came since: a backlog melts away, and nobody has to count what is there.
            cleanup.quota = Limits.cleanupStep + 2 * cleanup.newRecords
            cleanup.newRecords = 0
        }
        let edge = now - .seconds(86_400) * settings.retentionDays
        turn.changes.append(.pruneEnded(before: edge, limit: min(cleanup.quota, Limits.cleanupStep)))
        cleanup.quota -= Limits.cleanupStep
        let pause = cleanup.quota > 0 ? Self.cleanupPause : max(settings.cleanupInterval, Self.cleanupPause)
        timers.arm(timer, at: now + pause)
    }
}
