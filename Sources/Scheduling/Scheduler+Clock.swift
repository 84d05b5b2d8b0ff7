public import Schedules

/// What a wall clock that is set means.
///
/// The clock is the only one that schedules know, and it can be wrong by years: after a boot without a working hardware
/// clock, or at somebody's slip. The rules, chosen so that no step runs a fire time twice, silences a job or fires
/// years of catch-up:
///
/// - **Forward**: what the clock leapt over is a stretch in which nothing could run, as after a sleep. The catch-up
///   policy, its window and its limit have their say, so ten years leapt over are at most one window of runs. What is
///   not run is on record as `asleep`; but where the clock stood behind what is on record it was wrong, and is put
///   right: until the daemon started, by the clock as it is now, the reason is that it was down.
/// - **Back**: every watermark that lies ahead comes back to now, and what lies ahead is decided when it comes, under
///   the clock as it is. Of each fire time up to the old watermark the register is asked: what has a record is not run
///   again, but for one that was only missed: its record gives way to what becomes of it now. So a *rhythm* (an
///   interval, a cron expression with `*` for its minute or hour: what cron(8) calls a wildcard job) goes on at once. A
///   *time of day* is held from running twice beyond that: also where another run stood for it, and, back by up to
///   `trustedStep`, where history has not kept so many records.
/// - A job that was registered ahead of now was first seen under a clock that was wrong: it is registered anew, now.
///   Its intervals count from now, a single instant such as "in 2 hours" too, unless that was decided already. A first
///   step at the start of a daemon that nobody has told is found by the same signs.
/// - Deadlines that count from an earlier reading (retries, the holds after a wake-up, the launch rate, the items of
///   queues that somebody has, `expect_within`) move with the clock, or end with it. What a user named by the clock
///   (the end of a pause, the fire time to skip) stands, but not where the clock was wrong by more than `trustedStep`:
///   the end of a pause moves with it then, and the skip, which meant the next run, is dropped.
/// - What is expected of a job counts from its last success, or from now where that lies ahead: so a leap forward is
///   time without a success.
///
/// Should a clock that had fallen back be put forward again, what is older than all that history has kept is decided.
extension Scheduler {
    /// The three hours up to which cron(8) of Debian takes a step for a change of time and not for a correction.
    static var trustedStep: Duration { .seconds(3 * 3600) }

    func clockStepped(by step: Duration, now: Instant) {
        let before = now - step
        if step < .zero { clockSetBack = (now, .zero - step) }
        if step < .zero || isBehindTheRecord(before) {
            startedAt = startedAt + step
            rebuiltAt = rebuiltAt.map { $0 + step }
            if let known = pause { pause = (known.since + step, known.until.map { $0 + step }) }
        }
        recentLaunches = recentLaunches.map { $0 + step }
        if let timer = launchRateTimer, let due = timers.instant(of: timer) { timers.arm(timer, at: due + step) }
        if let timer = cleanup.timer, timers.instant(of: timer) != nil { awaitCleanup(now: now) }

        // What comes again, and when, was by the clock as it was.
        queueWatch.emptyUntil = [:]
        pollsMoved(now: now)
        conditionsMoved(by: step)
        groupsMoved(by: step, now: now)
        questionsMoved(by: step)
        postMoved(by: step)
        machineMoved(by: step)
        moveLateness(by: step)
        // Who took an item has it for so long at most; by a clock that was ahead that would be much longer.
        if step < .zero - Self.queueVisibility { returnItemsOfClients() }
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
            entry.waitsUntil = entry.waitsUntil.map { $0 + step }
            movePause(entry, by: step)
            putRight(entry, now: now)
            putExpectationRight(entry, now: now)
            putDelayRight(entry, now: now)
            if step > .zero { closeAgain(entry, from: before, now: now) }
            promote(entry, now: now)
            schedule(entry)
        }
    }

    /// A daemon starts, and the clock was set back before it did: by the watermarks and registrations that lie ahead.
    func takeUpEarlierStep(_ now: Instant) {
        let ahead = entries.reduce(now) { latest, entry in
            let decided = max(latest, entry.state.decidedThrough)
            let registered = entry.state.registeredAt
            return registered > decided && countsFromRegistration(entry) ? registered : decided
        }
        guard ahead > now else { return }
        clockSetBack = (now, ahead - now)
        for name in jobs.keys.sorted() { if let entry = jobs[name] { movePause(entry, by: now - ahead) } }
    }

    /// Whether something was decided for later instants than this: the clock that showed it was wrong.
    private func isBehindTheRecord(_ instant: Instant) -> Bool {
        entries.contains { max($0.state.decidedThrough, $0.state.reopenedThrough ?? .epoch) > instant }
    }

    /// The end of a pause that was named by a clock that was far ahead.
    private func movePause(_ entry: JobEntry, by step: Duration) {
        guard step < .zero - Self.trustedStep, let until = entry.state.pausedUntil else { return }
        entry.state.pausedUntil = until + step
        touch(entry)
    }

    // MARK: - A job under a clock that was set back

    /// Takes back what a clock that was ahead has left behind.
    func putRight(_ entry: JobEntry, now: Instant) {
        let decided = entry.state.decidedThrough
        let isFirstSeenAhead = entry.state.registeredAt > now
        if isFirstSeenAhead { registerAnew(entry, now: now) }
        guard decided > now else { return }
        var watermark = now
        if !isFirstSeenAhead, decided - now <= Self.trustedStep, !entry.hasRhythm,
            let kept = firstKept(of: entry, after: now)
        {
            watermark = max(now, min(decided, kept - .microseconds(1)))
        }
        if decided - now > Self.trustedStep { entry.state.skippedFireTime = nil }
        entry.state.decidedThrough = watermark
        entry.state.reopenedThrough = max(decided, entry.state.reopenedThrough ?? decided)
        entry.nextRun = nil
        touch(entry)
    }

    private func registerAnew(_ entry: JobEntry, now: Instant) {
        guard countsFromRegistration(entry) else { return }
        entry.job = entry.job.registeredAnew(at: now, undecidedAfter: everDecided(entry))
        entry.state.registeredAt = now
        entry.state.scheduleKey = entry.job.scheduleKey
        entry.nextRun = nil
        touch(entry)
    }

    /// A job whose single instants have all come keeps its registration, also one that lies ahead: anew, "in 2 hours"
    /// would come once more. It is no sign of another step, at whatever later start.
    private func countsFromRegistration(_ entry: JobEntry) -> Bool {
        entry.job.schedules.contains { $0.timetable.schedule.kind != .once }
            || entry.fireTime(after: everDecided(entry)) != nil
    }

    /// The watermark, or where it was before a clock that was ahead was put right.
    private func everDecided(_ entry: JobEntry) -> Instant {
        max(entry.state.decidedThrough, entry.state.reopenedThrough ?? .epoch)
    }

    private func firstKept(of entry: JobEntry, after instant: Instant) -> Instant? {
        register.firstKept(job: entry.job.name, after: instant, ofAtLeast: entry.job.historyLimit)
    }

    /// A clock that had fallen back is put right: what lies before all that history has kept was decided, too, and its
    /// record is gone. Of the rest the register is asked.
    private func closeAgain(_ entry: JobEntry, from before: Instant, now: Instant) {
        guard let reopened = entry.state.reopenedThrough, reopened > before,
            let kept = firstKept(of: entry, after: before)
        else { return }
        let through = min(reopened, now, kept - .microseconds(1))
        guard through > entry.state.decidedThrough else { return }
        // What came due before, and waits to be decided (after a sleep, a pause), is not lost for it.
        if let next = entry.fireTime(after: entry.state.decidedThrough), next <= before { return }
        entry.state.decidedThrough = through
        entry.nextRun = nil
        touch(entry)
    }

    // MARK: - What was decided under it

    /// Whether a fire time that lies before the watermark that was taken back was decided under that one.
    func isDecidedBefore(_ entry: JobEntry, _ fire: Instant) -> Bool {
        guard let reopened = entry.state.reopenedThrough, fire <= reopened else { return false }
        if isRecorded(entry, fire) { return missedRecord(of: entry.job.name, fire) == nil }
        return !entry.isRhythmic(fire) && isStoodFor(entry, fire)
    }

    func isRecorded(_ entry: JobEntry, _ fire: Instant) -> Bool {
        register.isDecided(job: entry.job.name, fireTime: fire)
            || uncommittedRecords.contains { $0.job == entry.job.name && $0.scheduledFor == fire }
            || entry.occupying.contains { $0.run.scheduledFor == fire }
            || entry.waiting.contains { $0.run.scheduledFor == fire }
    }

    /// Whether a run for a later fire time was to do for this one, too. One that came of other schedules was not: it
    /// stood for fire times that were theirs.
    private func isStoodFor(_ entry: JobEntry, _ fire: Instant) -> Bool {
        func stands(_ run: Run) -> Bool {
            guard run.job == entry.job.name, run.status.isExecuted, let since = run.coveredSince,
                let last = run.scheduledFor
            else { return false }
            return since <= fire && fire < last && entry.job.names(since..<last)
        }
        return register.spans(ofJob: entry.job.name, over: fire).contains(where: entry.job.names)
            || uncommittedRecords.contains(where: stands) || entry.occupying.contains { stands($0.run) }
            || entry.waiting.contains { stands($0.run) }
    }
}

extension Job {
    /// Whether both ends of a span are fire times of these schedules.
    public func names(_ span: Range<Instant>) -> Bool {
        [span.lowerBound, span.upperBound].allSatisfy { fire in
            schedules.contains { $0.timetable.contains(fire) }
        }
    }

    /// The same job as it would be if it were first seen at another instant: intervals count from there, and single
    /// instants that are named by it ("in 2 hours").
    ///
    /// - Parameter decided: a single instant up to here has had its run, and stays.
    func registeredAnew(at instant: Instant, undecidedAfter decided: Instant) -> Job {
        var job = self
        job.registeredAt = instant
        job.scheduleKey = scheduleKey.replacingEach(
            " from \(registeredAt.seconds)", with: " from \(instant.seconds)")
        job.schedules = schedules.map { schedule in
            let old = schedule.timetable
            var rule = old.schedule
            if let once = rule.onceInstant, once > decided {
                rule =
                    (try? Schedule.once(rule.text, registeredAt: instant, zone: zone, allowPast: true)) ?? rule
            }
            // The window was in order, and does not change.
            guard
                let timetable = try? Timetable(
                    schedule: rule, zone: old.zone, dst: old.dst, anchor: instant, startAt: old.startAt,
                    endAt: old.endAt)
            else { return schedule }
            return JobSchedule(type: schedule.type, text: schedule.text, timetable: timetable)
        }
        return job
    }
}

extension String {
    /// The text with another one in each place of `old`, which is ASCII.
    fileprivate func replacingEach(_ old: String, with new: String) -> String {
        let (text, pattern) = (Array(utf8), Array(old.utf8))
        var result: [UInt8] = []
        var place = 0
        while place < text.count {
            if text[place...].starts(with: pattern) {
                result += new.utf8
                place += pattern.count
            } else {
                result.append(text[place])
                place += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
