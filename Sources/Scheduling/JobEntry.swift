import Schedules

/// A job as the scheduler holds it: the definition, what is remembered of it, and what is active now.
final class JobEntry {
    var job: Job
    var state: JobState
    let timer: TimerQueue.Owner
    /// The first fire time after `state.decidedThrough`; nil where there is none, or the job is disabled or finished.
    var nextFire: Instant?
    /// Runs that have their turn: running, between two attempts, or held back by a limit of the scheduler.
    var occupying: [ActiveRun] = []
    /// Runs that wait for their turn within the job, oldest first.
    var waiting: [ActiveRun] = []
    /// After a wake-up: nothing of this job is decided before.
    var heldUntil: Instant?
    /// Fire times after `decidedThrough` that a client has already claimed by a run of its own.
    var claimed: Set<Instant> = []
    /// Whether this event changed `state`.
    var isTouched = false
    /// Whether this event added to the job's history.
    var hasNewRecords = false

    init(job: Job, state: JobState, timer: TimerQueue.Owner) {
        self.job = job
        self.state = state
        self.timer = timer
    }

    var isEnabled: Bool { state.isEnabledOverride ?? job.isEnabled }

    var isFinished: Bool { job.maxExecutions.map { state.executions >= $0 } ?? false }

    /// How many runs may have their turn at the same time.
    var instanceLimit: Int { job.maxInstances ?? (job.overlap == .allow ? .max : 1) }

    // MARK: - The union of the job's schedules

    func fireTime(after instant: Instant) -> Instant? {
        var least: Instant?
        for schedule in job.schedules {
            guard let next = schedule.timetable.next(after: instant) else { continue }
            least = least.map { min($0, next) } ?? next
        }
        return least
    }

    func fireTime(atOrBefore instant: Instant) -> Instant? {
        var greatest: Instant?
        for schedule in job.schedules {
            guard let previous = schedule.timetable.previous(atOrBefore: instant) else { continue }
            greatest = greatest.map { max($0, previous) } ?? previous
        }
        return greatest
    }

    /// The number of fire times in (after, through]. Computed for one schedule; counted one by one where several
    /// could name the same instant.
    func countFireTimes(after: Instant, through: Instant) -> Int {
        guard job.schedules.count != 1 else {
            return job.schedules[0].timetable.count(after: after, through: through)
        }
        var count = 0
        var instant = after
        while let next = fireTime(after: instant), next <= through {
            count += 1
            instant = next
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

    func isExcluded(_ fire: Instant) -> Bool { job.exclusions.contains { $0.contains(fire) } }
}

/// A run that has not ended.
final class ActiveRun {
    /// What holds the run back, or what it is doing.
    enum Phase {
        /// Waits for its turn within its job.
        case waiting
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
    /// Nil for a run of a definition that is not scheduled.
    let entry: JobEntry?
    /// Decides between equals: earlier created, earlier started.
    let sequence: Int
    var phase = Phase.waiting
    var timer: TimerQueue.Owner?
    /// Not started before, for catch-up runs that are spread over time.
    var notBefore: Instant?
    var attempt: Attempt?
    /// Why its process is being ended, once it is.
    var ending: Ending?
    /// The run before, where this one was chained to it, and how many came before that.
    var previous: Run?
    var chainDepth = 0
    var isTouched = false

    enum Ending {
        case cancelled(String)
        case stopping
    }

    init(run: Run, job: Job, entry: JobEntry?, sequence: Int) {
        self.run = run
        self.job = job
        self.entry = entry
        self.sequence = sequence
    }
}
