import Schedules

/// What does not come in time: a run that goes on for too long, and a job that does not succeed.
///
/// - `expect_within` is about one run, from its first start to its end, with its retries and the waits between them. It
///   is told of whatever is paused or disabled meanwhile, because the run goes on. While the machine sleeps nothing
///   gets on, so what this daemon knows of that time does not count.
/// - `expect_every` and `expect_by` are about what a job is there for. They count from its last success, through sleep
///   and downtime, which is when nobody sees that something is missing. While the job is disabled, finished or all
///   schedules are paused nothing is expected, and afterwards all of it anew: whoever paused a job for a week knows
///   that it did not run. Of a job that is new, or whose expectation is, a whole period must pass first.
/// - `expect_every` is told once until a success, `expect_by` once for each such time of day without one since the one
///   before; of several that came while nobody was there, once.
extension Scheduler {
    // MARK: - Runs

    /// The first attempt of a run starts.
    func expectEnd(of active: ActiveRun, now: Instant) {
        guard let limit = active.job.details.value.expectWithin else { return }
        active.run.lateAt = now + limit
        awaitLateness(of: active)
    }

    /// A run that another daemon has started.
    func restoreLateness(of active: ActiveRun, now: Instant) {
        guard let at = active.run.lateAt, !active.run.isLate else { return }
        // The clock that named the instant may have been far ahead.
        if let limit = active.job.details.value.expectWithin { active.run.lateAt = min(at, now + limit) }
        awaitLateness(of: active)
    }

    private func awaitLateness(of active: ActiveRun) {
        guard let at = active.run.lateAt, !active.run.isLate else { return }
        let number = active.lateTimer ?? own(.lateness(active))
        active.lateTimer = number
        timers.arm(number, at: at)
    }

    func forgetLateness(of active: ActiveRun) {
        guard let number = active.lateTimer else { return }
        active.lateTimer = nil
        disown(number)
    }

    /// The clock was set, or the machine has slept, for so long.
    func moveLateness(by step: Duration) {
        let awaited = runs.values.filter { $0.lateTimer != nil && !$0.run.isLate }
        for active in awaited.sorted(by: { $0.sequence < $1.sequence }) {
            active.run.lateAt = active.run.lateAt.map { $0 + step }
            touch(active)
            awaitLateness(of: active)
        }
    }

    func noteLate(_ active: ActiveRun, now: Instant) {
        // What is known of the sleep at its end moves it.
        guard !isAsleep else { return }
        active.run.isLate = true
        touch(active)
        guard isTold(active.job) else { return }
        tell([.late], of: active.run, active.job, now: now) { _ in .late(active.run, active.job) }
    }

    // MARK: - Jobs

    /// A job comes to be, with what is remembered of it.
    func takeUpExpectation(of entry: JobEntry, now: Instant) {
        let known = entry.state.expectation
        if !entry.job.details.expectsSuccess {
            guard known != JobExpectation() else { return }
            entry.state.expectation = JobExpectation()
        } else if known.since == nil {
            // One that did succeed when nobody expected it is not late for what it did since.
            let success = entry.state.lastStatus == .success ? entry.state.lastEndedAt : nil
            entry.state.expectation.since = min(success ?? now, now)
        }
        if entry.state.expectation != known { touch(entry) }
    }

    /// From now on a success is awaited, whatever was before.
    func expectAnew(of entry: JobEntry, now: Instant) {
        guard entry.job.details.expectsSuccess else { return }
        entry.state.expectation = JobExpectation()
        entry.state.expectation.since = now
        touch(entry)
    }

    /// A definition has changed: what was told by another expectation is not told.
    func expect(_ entry: JobEntry, otherThan old: Job, now: Instant) {
        let (details, before) = (entry.job.details.value, old.details.value)
        if details.expectEvery != before.expectEvery { entry.state.expectation.overdueAt = nil }
        if details.expectBy != before.expectBy { entry.state.expectation.toldBy = nil }
        takeUpExpectation(of: entry, now: now)
    }

    func noteSuccess(of entry: JobEntry, at end: Instant, now: Instant) {
        guard entry.job.details.expectsSuccess else { return }
        entry.state.expectation = JobExpectation()
        entry.state.expectation.since = min(end, now)
        touch(entry)
        awaitUpkeep(of: entry)
    }

    /// The clock was set back: what lies ahead was by a clock that was wrong, but for the time of day that a short step
    /// leads before.
    func putExpectationRight(_ entry: JobEntry, now: Instant) {
        guard entry.job.details.expectsSuccess else { return }
        var known = entry.state.expectation
        known.since = known.since.map { min($0, now) }
        known.overdueAt = known.overdueAt.map { min($0, now) }
        if let told = known.toldBy, told - now > Self.trustedStep { known.toldBy = now }
        guard known != entry.state.expectation else { return }
        entry.state.expectation = known
        touch(entry)
    }

    /// What is said of a job that is late by now.
    func tellLateness(of entry: JobEntry, now: Instant) {
        let due = lateness(of: entry)
        guard let first = due.min(), first <= now else { return }
        if let at = due.every, at <= now { entry.state.expectation.overdueAt = at }
        if let at = due.by, at <= now {
            let days = entry.job.details.value.expectBy?.timetable
            entry.state.expectation.toldBy = days?.previous(atOrBefore: now) ?? at
        }
        touch(entry)
        tellLate(entry, now: now)
    }

    struct Lateness {
        var every: Instant?
        var by: Instant?

        func min() -> Instant? { [every, by].compactMap(\.self).min() }
    }

    /// When a job is late next, if it does not succeed before.
    func lateness(of entry: JobEntry) -> Lateness {
        let known = entry.state.expectation
        guard isFiring, entry.isEnabled, let since = known.since, !entry.isOver else { return Lateness() }
        let details = entry.job.details.value
        var next = Lateness()
        if let every = details.expectEvery, known.overdueAt == nil { next.every = since + every }
        if let days = details.expectBy?.timetable, let from = known.toldBy ?? days.next(after: since) {
            next.by = days.next(after: from)
        }
        return next
    }

    private func tellLate(_ entry: JobEntry, now: Instant) {
        guard isTold(entry.job) else { return }
        let run = (entry.occupying + entry.waiting).min { $0.sequence < $1.sequence }?.run.id ?? ""
        tell([.late], ofRun: run, entry.job, now: now) { _ in .late(entry.job, since: entry.state.expectation.since) }
    }

    // MARK: - Queries

    /// Whether a job is late, and since when: it, or a run of it.
    func lateSince(_ entry: JobEntry) -> Instant? {
        // It is asked of every job, and of most there is nothing to say.
        var since = entry.state.expectation.lateSince
        for active in entry.occupying where active.run.isLate {
            if let at = active.run.lateAt { since = Swift.min(at, since ?? at) }
        }
        return since
    }

    /// Names of jobs that are late, sorted.
    public var lateJobs: [String] {
        var late = Set(attended.filter { jobs[$0]?.state.expectation.lateSince != nil })
        for active in runs.values where active.run.isLate && active.entry?.isRemoved == false {
            late.insert(active.run.job)
        }
        return late.sorted()
    }
}
