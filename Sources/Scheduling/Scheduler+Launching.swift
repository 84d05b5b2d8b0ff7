import Schedules

/// The limits of the scheduler, and the claim of an attempt: the last steps before a process starts.
extension Scheduler {
    /// Starts what has its turn, as far as the limits permit; forced runs know no limits.
    func launchReady(now: Instant) {
        guard !isAsleep, !isStopping else { return }
        while let active = ready.first() {
            guard active.run.isForced || (runningCount < settings.maxConcurrentRuns && isWithinLaunchRate(now: now))
            else {
                return
            }
            ready.removeFirst()
            if groupHold(on: active) != nil {
                awaitGroup(active)
            } else if conditionsHold(active, now: now) {
                launch(active, now: now)
            } else {
                // What held when it came to wait for the limit does not hold any more.
                awaitConditions(active)
                examineConditions(now: now)
            }
        }
    }

    /// Whether one more start keeps to the launch rate; where it does not, waits for the instant at which it will.
    private func isWithinLaunchRate(now: Instant) -> Bool {
        guard let rate = settings.launchesPerMinute else { return true }
        let minute = Duration.seconds(60)
        recentLaunches.removeAll { $0 <= now - minute }
        guard recentLaunches.count >= max(1, rate) else { return true }
        let timer = launchRateTimer ?? own(.launchRate)
        launchRateTimer = timer
        timers.arm(timer, at: recentLaunches[recentLaunches.count - max(1, rate)] + minute)
        return false
    }

    /// Claims the next attempt of a run: recorded as running, then started.
    func launch(_ active: ActiveRun, now: Instant) {
        active.phase = .running
        forgetConditions(active)
        disarm(active)
        keepAwake(active)
        active.run.status = .running
        active.run.attempt += 1
        guardConditions(active)
        active.run.retryAt = nil
        active.run.retryDelay = nil
        active.run.progress = nil
        active.run.result = nil
        active.run.stalledAt = nil
        runningCount += 1
        if settings.launchesPerMinute != nil { recentLaunches.append(now) }
        // One whose claim was taken back has been told and paid for.
        let isFirst = active.run.startedAt == nil
        if active.run.attempt == 1 { setStart(of: active, now) }
        active.run.bootID = bootID.isEmpty ? nil : bootID
        let attempt = Attempt(run: active.run.id, number: active.run.attempt, startedAt: now)
        active.attempt = attempt
        turn.attempts.append(attempt)
        // Where a restart lies between the two the run before is on record.
        let previous = active.previous ?? active.run.previous.flatMap(register.recordedRun)
        turn.starts.append(.start(Launch(run: active.run, job: active.job, previous: previous)))
        touch(active)
        if active.run.attempt == 1 { expectEnd(of: active, now: now) }
        if isFirst {
            spendBudget(active.entry, runs: 1, wallTime: .zero, cost: 0, now: now)
            if let entry = active.entry {
                forgetEndsBefore(entry)
                touch(entry)
            }
            announce(.jobStarted(active.run))
            tellStart(of: active, now: now)
        }
    }
}
