import Schedules

/// What a new daemon takes over from the last one.
extension Scheduler {
    func start(bootID: String, surviving: Set<String>, ended: [String: AttemptOutcome], now: Instant) {
        self.bootID = bootID
        if !isEnabled { pause = (now, nil) }
        awaitCleanup(now: now)
        let names = jobs.keys.sorted()
        for name in names {
            guard let entry = jobs[name] else { continue }
            reopenIfFarAhead(entry, now: now)
            if !entry.waiting.isEmpty { spreadRestored(entry, now: now) }
        }
        for active in runs.values.sorted(by: { $0.sequence < $1.sequence }) where active.phase == .running {
            guard !surviving.contains(active.run.id) else {
                // The last daemon may have been killed before its process heard of it.
                if let ending = active.run.ending { stop(active, ending) }
                continue
            }
            if let outcome = ended[active.run.id] {
                endAttempt(of: active.run.id, active.run.attempt, outcome, now: now)
                continue
            }
            let start = active.attempt?.startedAt ?? active.run.startedAt ?? now
            endAttempt(
                of: active.run.id, active.run.attempt, AttemptOutcome(ending: .lost, startedAt: start, endedAt: now),
                now: now)
        }
        for active in stranded { end(active, "the definition of \(active.run.job) is gone", now: now) }
        stranded = []
        for name in names {
            guard let entry = jobs[name] else { continue }
            fireAtBoot(entry, now: now)
            promote(entry, now: now)
            schedule(entry)
        }
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
        switch run.status {
        case .running:
            active.phase = .running
            active.attempt = Attempt(run: run.id, number: run.attempt, startedAt: run.startedAt ?? run.createdAt)
            entry?.occupying.append(active)
            runningCount += 1
            keepAwake(active)
        case _ where definition == nil:
            stranded.append(active)
        case .retrying:
            active.phase = .retrying
            entry?.occupying.append(active)
            // The clock that named the instant may have been far ahead.
            let latest = now + (run.retryDelay ?? (job.retry ?? RetryPolicy()).longestDelay)
            arm(active, at: min(run.retryAt ?? now, latest))
        default:
            if run.trigger == .catchUp || entry?.hasRoom == false { wait(active) } else { makeReady(active) }
        }
    }
}
