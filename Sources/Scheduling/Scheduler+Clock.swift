import Schedules

/// What a wall clock that is set means.
///
/// The clock is the only one that schedules know, and it can be wrong by years: after a boot without a working hardware
/// clock, or at somebody's slip. The rules, chosen so that no step runs a fire time twice, silences a job for long or
/// fires years of catch-up:
///
/// - **Forward**: what the clock leapt over is a stretch in which nothing could run, as after a sleep. The catch-up
///   policy, its window and its limit have their say, so ten years leapt over are at most one window of runs. What is
///   not run is on record as `asleep`; but where the clock stood behind what is on record it was wrong, and is put
///   right: until the daemon started, by the clock as it is now, the reason is that it was down.
/// - **Back by up to `trustedStep`**: the watermark stays. What ran does not run again, and until the clock has come to
///   where it was, the job has nothing to do. A new schedule with an instant of the past (`allow_past`) begins at its
///   registration all the same, as a job that is made anew does: of what may have a record the register is asked.
/// - **Back by more** (what cron(8) calls a correction): the clock was wrong. The watermark comes back to now, and what
///   lies ahead is decided when it comes, but for those fire times that have a record already: of each the register is
///   asked. Should it then be put forward by as much, what is older than all that history has kept is decided, too.
/// - Deadlines that count from an earlier reading (retries, the holds after a wake-up, the launch rate) move with the
///   clock.
extension Scheduler {
    /// The three hours up to which cron(8) of Debian takes a step for a change of time and not for a correction.
    static var trustedStep: Duration { .seconds(3 * 3600) }

    func clockStepped(by step: Duration, now: Instant) {
        let before = now - step
        if step < .zero || isBehindTheRecord(before) {
            startedAt = startedAt + step
            if let known = pause { pause = (known.since + step, known.until.map { $0 + step }) }
        }
        recentLaunches = recentLaunches.map { $0 + step }
        if let timer = launchRateTimer, let due = timers.instant(of: timer) { timers.arm(timer, at: due + step) }
        if let timer = cleanup.timer, timers.instant(of: timer) != nil { awaitCleanup(now: now) }

        conditionsMoved(by: step)
        machineMoved(by: step)
        for active in runs.values.sorted(by: { $0.sequence < $1.sequence }) {
            if active.phase == .retrying, let due = active.run.retryAt {
                active.run.retryAt = due + step
                touch(active)
                arm(active, at: due + step)
            } else if let due = active.notBefore {
                active.notBefore = due + step
            }
        }
        for name in jobs.keys.sorted() {
            guard let entry = jobs[name] else { continue }
            entry.heldUntil = entry.heldUntil.map { $0 + step }
            reopenIfFarAhead(entry, now: now)
            if step > Self.trustedStep { closeAgain(entry, from: before, now: now) }
            promote(entry, now: now)
            schedule(entry)
        }
    }

    /// Whether something was decided for later instants than this: the clock that showed it was wrong.
    private func isBehindTheRecord(_ instant: Instant) -> Bool {
        jobs.values.contains { max($0.state.decidedThrough, $0.state.reopenedThrough ?? .epoch) > instant }
    }

    /// Takes a watermark back that a clock far ahead has left behind.
    func reopenIfFarAhead(_ entry: JobEntry, now: Instant) {
        let decided = entry.state.decidedThrough
        guard decided - now > Self.trustedStep else { return }
        entry.state.decidedThrough = now
        entry.state.reopenedThrough = max(decided, entry.state.reopenedThrough ?? decided)
        entry.nextRun = nil
        touch(entry)
    }

    /// A clock that had fallen back is put right: what lies before all that history has kept was decided, too, and its
    /// record is gone. Of the rest the register is asked.
    private func closeAgain(_ entry: JobEntry, from before: Instant, now: Instant) {
        guard let reopened = entry.state.reopenedThrough, reopened > before,
            let kept = register.firstKept(job: entry.job.name, after: before, ofAtLeast: entry.job.historyLimit)
        else { return }
        let through = min(reopened, now, kept - .microseconds(1))
        guard through > entry.state.decidedThrough else { return }
        // What came due before, and waits to be decided (after a sleep, a pause), is not lost for it.
        if let next = entry.fireTime(after: entry.state.decidedThrough), next <= before { return }
        entry.state.decidedThrough = through
        entry.nextRun = nil
        touch(entry)
    }
}
