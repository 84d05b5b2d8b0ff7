import Schedules

/// A job as the scheduler holds it: the definition, what is remembered of it, and what is active now.
final class JobEntry {
    var job: Job
    var state: JobState
    let timer: TimerQueue.Owner
    /// Its place among the next fire times of all jobs.
    let place: TimerQueue.Owner
    /// The first fire time after `state.decidedThrough`; nil where there is none, or the job is disabled or finished.
    var nextFire: Instant?
    /// The first of them that is to be run: not excluded, not skipped at a user's wish, not run already.
    var nextRun: Instant?
    /// Runs that have their turn: running, between two attempts, or held back by a limit of the scheduler.
    var occupying: [ActiveRun] = []
    /// Runs that wait for their turn within the job, oldest first.
    var waiting: [ActiveRun] = []
    /// After a wake-up: nothing of this job starts for the schedule before.
    var waitsUntil: Instant?
    /// What its poll is at, and why it failed last.
    var polling = Polling.idle(next: nil)
    var pollFault: String?

    enum Polling {
        /// The next question; nil where it is not known yet.
        case idle(next: Instant?)
        case asking(since: Instant)
    }
    /// Its place among the instants for which the machine is woken.
    var wakeUp: TimerQueue.Owner?
    /// Waits for the instant at which it is late, or goes.
    var upkeep: TimerQueue.Owner?
    /// The definition is gone; runs that have a process are still followed.
    var isRemoved = false
    /// Up to here the fire times that are decided now may have records of their own.
    var recordsThrough = Instant.epoch
    /// Whether this event changed `state`.
    var isTouched = false
    /// Whether this event added to the job's history.
    var hasNewRecords = false

    init(job: Job, state: JobState, timer: TimerQueue.Owner, place: TimerQueue.Owner) {
        self.job = job
        self.state = state
        self.timer = timer
        self.place = place
    }

    var isEnabled: Bool { state.isEnabledOverride ?? job.isEnabled }

    var isFinished: Bool { job.maxExecutions.map { state.executions >= $0 } ?? false }

    /// How many runs may have their turn at the same time.
    var instanceLimit: Int { job.maxInstances ?? (job.overlap == .allow ? .max : 1) }

    /// Whether a run may have its turn now, beside those that have it.
    var hasRoom: Bool { occupying.count < instanceLimit }

    /// Whether no run of it is active.
    var isIdle: Bool { occupying.isEmpty && waiting.isEmpty }

    /// Whether a run waits for nothing but its turn.
    var hasQueue: Bool { waiting.contains { $0.notBefore == nil } }

    /// Whether its schedules have named their last fire time, all of it is done, and nothing else starts it.
    var isOver: Bool {
        guard isIdle else { return false }
        if isFinished { return true }
        let details = job.details.value
        guard !job.schedules.isEmpty, details.after == nil, details.poll == nil, details.triggerQueue == nil,
            !job.schedules.contains(where: { $0.timetable.schedule.kind == .reboot })
        else { return false }
        return fireTime(after: state.decidedThrough) == nil
    }

    // MARK: - The union of the job's schedules

    /// The least fire time strictly after `instant`.
    ///
    /// A schedule names instants of all times; those of a job begin after its registration. A single instant before it
    /// was permitted by `allow_past`.
    func fireTime(after instant: Instant) -> Instant? {
        if countsFromEnd { return delayedFire.flatMap { $0 > instant ? $0 : nil } }
        var least: Instant?
        for schedule in job.schedules {
            guard let next = schedule.timetable.next(after: start(of: schedule, instant)) else { continue }
            least = least.map { min($0, next) } ?? next
        }
        return least
    }

    func fireTime(atOrBefore instant: Instant) -> Instant? {
        if countsFromEnd { return delayedFire.flatMap { $0 <= instant ? $0 : nil } }
        var greatest: Instant?
        for schedule in job.schedules {
            guard let previous = schedule.timetable.previous(atOrBefore: instant),
                previous > start(of: schedule, .epoch - .seconds(1))
            else { continue }
            greatest = greatest.map { max($0, previous) } ?? previous
        }
        return greatest
    }

    private func start(of schedule: JobSchedule, _ instant: Instant) -> Instant {
        schedule.timetable.schedule.kind == .once ? instant : max(instant, state.registeredAt)
    }

    /// The number of fire times in (after, through].
    ///
    /// Computed, not counted one by one: those of each schedule, less what it has in common with the ones before.
    func countFireTimes(after: Instant, through: Instant) -> Int {
        if countsFromEnd { return delayedFire.map { after < $0 && $0 <= through ? 1 : 0 } ?? 0 }
        var count = 0
        for (index, schedule) in job.schedules.enumerated() {
            let begin = start(of: schedule, after)
            guard begin < through else { continue }
            count += schedule.timetable.count(after: begin, through: through)
            if index > 0 { count -= countCommon(index, after: begin, through: through) }
        }
        return count
    }

    /// How many members of the schedule `index` are members of an earlier one, too.
    ///
    /// Looked for by leaping from one to the other; over whole days only once for each kind of day, so that ten years
    /// are as many looks into a table as they have days.
    private func countCommon(_ index: Int, after: Instant, through: Instant) -> Int {
        // What lies before the registration counts for none; a single instant is looked at by itself.
        let firstDay = max(after, state.registeredAt).seconds / Self.daySeconds + 1
        let lastDay = through.seconds / Self.daySeconds
        guard firstDay < lastDay else { return leapOver(index, after: after, through: through) }
        var count = leapOver(index, after: after, through: Self.lastInstant(before: firstDay))
        var known: [[Int64]: Int] = [:]
        for day in firstDay..<lastDay {
            let (begin, end) = (Self.lastInstant(before: day), Self.lastInstant(before: day + 1))
            let kinds = job.schedules[...index].compactMap { $0.timetable.pattern(ofDay: day) }
            guard kinds.count > index else {
                count += leapOver(index, after: begin, through: end)
                continue
            }
            if let found = known[kinds] {
                count += found
            } else {
                let found = leapOver(index, after: begin, through: end)
                known[kinds] = found
                count += found
            }
        }
        return count + leapOver(index, after: Self.lastInstant(before: lastDay), through: through)
    }

    private static let daySeconds: Int64 = 86_400

    private static func lastInstant(before day: Int64) -> Instant {
        Instant(seconds: day * daySeconds) - .microseconds(1)
    }

    /// The same one by one: each step leaps to the next member of the schedule, then to the next of the others.
    private func leapOver(_ index: Int, after: Instant, through: Instant) -> Int {
        let timetable = job.schedules[index].timetable
        var count = 0
        var instant = after
        while let own = timetable.next(after: instant), own <= through {
            var others: Instant?
            for schedule in job.schedules[..<index] {
                guard
                    let other = schedule.timetable.next(after: start(of: schedule, own - .microseconds(1)))
                else { continue }
                others = others.map { min($0, other) } ?? other
            }
            guard let others else { return count }
            if others == own { count += 1 }
            instant = max(own, others - .microseconds(1))
        }
        return count
    }

    /// How late a fire time is; what lies before the registration (`allow_past`) counts from there.
    func lateness(of fire: Instant, now: Instant) -> Duration { now - max(dueInstant(of: fire), state.registeredAt) }

    /// When a fire time is due: itself, and the job's jitter.
    func dueInstant(of fire: Instant) -> Instant {
        guard job.jitterMilliseconds > 0 else { return fire }
        let delay = Jitter.delayMilliseconds(
            jobName: job.name, fire: fire, nextFire: fireTime(after: fire), jitterMilliseconds: job.jitterMilliseconds)
        return fire + .milliseconds(delay)
    }

    func isExcluded(_ fire: Instant) -> Bool { job.exclusionSet.contains(fire) }

    /// Whether a schedule of the job keeps a rhythm rather than times of day.
    var hasRhythm: Bool { job.schedules.contains { $0.timetable.schedule.keepsRhythm } }

    /// Whether such a schedule names a fire time.
    func isRhythmic(_ fire: Instant) -> Bool {
        job.schedules.contains { $0.timetable.schedule.keepsRhythm && $0.timetable.contains(fire) }
    }

    /// The first fire time from `fire` on that is to be run; of a long row of others the one at the bound.
    ///
    /// - Parameter isDecided: whether a fire time up to `reopenedThrough` was decided before.
    func firstToRun(from fire: Instant, isDecided: (Instant) -> Bool) -> Instant? {
        guard
            !job.exclusions.isEmpty || state.skippedFireTime != nil || !state.claimed.isEmpty
                || state.reopenedThrough != nil
        else { return fire }
        var next = fire
        var decided = 0
        for _ in 0..<Scheduler.Limits.individualFireTimes {
            if let reopened = state.reopenedThrough, next <= reopened, decided < Scheduler.Limits.recordsPassedOver,
                isDecided(next)
            {
                decided += 1
            } else {
                guard isExcluded(next) || state.skippedFireTime == next || state.claimed.contains(next) else {
                    return next
                }
            }
            if countsFromEnd {
                // It counts from what is not run as from a run.
                guard let later = delayedFire(from: next) else { return nil }
                next = later
                continue
            }
            // Over the rest of a day that is excluded as a whole in one step.
            let end = job.exclusionSet.endOfDay(around: next).map { $0 - .microseconds(1) }
            guard let later = fireTime(after: max(next, end ?? next)) else { return nil }
            next = later
        }
        return next
    }
}

/// A run that has not ended.
final class ActiveRun {
    /// What holds the run back, or what it is doing.
    enum Phase {
        /// Waits for its turn within its job.
        case waiting
        /// Has its turn, and waits for its hold group.
        case awaitingGroup
        /// Has its turn, and waits for its conditions.
        case conditional
        /// Has its turn, and waits for a limit of the scheduler.
        case ready
        /// Its process runs, or is about to.
        case running
        /// Between two attempts.
        case retrying
        /// It has its final status, and is no longer among the scheduler's runs.
        case ended
    }

    var run: Run
    /// The definition as it was when the run was created: a reload does not change what is under way.
    let job: Job
    /// Nil for a run of a definition that is not scheduled, or that is gone.
    var entry: JobEntry?
    /// Decides between equals: earlier created, earlier started.
    let sequence: Int
    var phase = Phase.waiting
    var timer: TimerQueue.Owner?
    /// Does not get its turn before: catch-up runs that are spread over time or held after a wake-up.
    var notBefore: Instant?
    var wait = Scheduler.ConditionWait()
    var attempt: Attempt?
    /// The run before, where this one was chained to it, and how many came before that.
    var previous: Run?
    var chainDepth = 0
    /// Nothing can be started of it any more.
    var isDefinitionGone = false
    var isTouched = false
    /// Of its last attempt: it wrote nothing for too long, and was ended for it.
    var isStalled = false
    /// Of its last attempt.
    var outputDigest: Int64?
    /// Waits for `run.lateAt`.
    var lateTimer: TimerQueue.Owner?
    /// What successes of its job take at most, mostly, where it took so much longer that it is told.
    var usual: Duration?

    init(run: Run, job: Job, entry: JobEntry?, sequence: Int) {
        self.run = run
        self.job = job
        self.entry = entry
        self.sequence = sequence
    }
}
