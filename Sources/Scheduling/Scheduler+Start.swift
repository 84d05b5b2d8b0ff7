import Schedules

/// What a new daemon takes over from the last one.
extension Scheduler {
    /// The first event: what holds now is taken up, what became of the attempts under way is decided, then what was due
    /// meanwhile.
    func start(_ situation: Situation, now: Instant) {
        bootID = situation.bootID
        startedAt = min(situation.processStartedAt, now)
        if situation.origin == .rebuild { rebuiltAt = now }
        isStopping = situation.isStopping
        isAsleep = situation.isAsleep
        conditions.surroundings = situation.surroundings
        if isAsleep { conditionsFellAsleep(now: now) }
        // Since when the user has paused all schedules is not on record: what was due before was decided before.
        if !isEnabled { pause = (startedAt, nil) }
        // Whoever took items was a client of another daemon.
        if situation.origin == .start { returnItemsOfClients() }
        awaitCleanup(now: now)
        let sorted = entriesByName
        takeUpEarlierStep(now)
        for entry in sorted {
            putRight(entry, now: now)
            putExpectationRight(entry, now: now)
            putDelayRight(entry, now: now)
            if !entry.waiting.isEmpty { spreadRestored(entry, now: now) }
        }
        weigh(situation, now: now)
        for active in runs.values.filter({ $0.isDefinitionGone && $0.phase == .waiting }) {
            endStranded(active, now: now)
        }
        if isAsleep { stopForSleep() }
        if isStopping { stopForStop(isTimeOver: false) }
        for entry in sorted {
            fireAtBoot(entry, now: now)
            promote(entry, now: now)
            schedule(entry)
        }
    }

    func endStranded(_ active: ActiveRun, now: Instant) {
        end(active, "the definition of \(active.run.job) is gone", now: now)
    }

    /// Takes up the runs that the store calls active: first those with a process or a claim on their turn, then what
    /// waits, oldest first.
    func restore(_ stored: [Run], unscheduled: [String: Job], now: Instant) {
        func rank(_ run: Run) -> (Int, Instant, Instant, String) {
            (run.status == .queued ? 1 : 0, run.createdAt, run.scheduledFor ?? run.createdAt, run.id)
        }
        for run in stored.sorted(by: { rank($0) < rank($1) }) { restore(run, unscheduled[run.id], now: now) }
    }

    private func restore(_ run: Run, _ unscheduled: Job?, now: Instant) {
        let entry = run.definition == nil ? jobs[run.job] : nil
        let definition = entry?.job ?? unscheduled
        // Of a job that is gone nothing can be started any more; a process that lives on can still be followed.
        let job = definition ?? Job(name: run.job, registeredAt: run.createdAt, zone: .utc, action: .command([]))
        let active = makeActive(run, job: job, entry: entry)
        active.isDefinitionGone = definition == nil
        switch run.status {
        case .running:
            active.phase = .running
            active.attempt = Attempt(run: run.id, number: run.attempt, startedAt: run.startedAt ?? run.createdAt)
            restoreLateness(of: active, now: now)
            entry?.occupying.append(active)
            runningCount += 1
            awaitAnswer(active)
            keepAwake(active)
            guardConditions(active, isRestored: true)
        case _ where definition == nil:
            // It ends at `.started`.
            break
        case .retrying:
            active.phase = .retrying
            restoreLateness(of: active, now: now)
            entry?.occupying.append(active)
            // The clock that named the instant may have been far ahead.
            let latest = now + (run.retryDelay ?? (job.retry ?? RetryPolicy()).longestDelay)
            arm(active, at: min(run.retryAt ?? now, latest))
        default:
            if run.trigger == .catchUp || entry?.hasRoom == false { wait(active) } else { makeReady(active) }
        }
    }
}
