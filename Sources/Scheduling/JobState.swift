public import Schedules

/// What happened to a job so far: everything that must survive a restart and is not in its definition.
public struct JobState: Sendable, Equatable {
    public let job: String
    /// The `Job.scheduleKey` that `registeredAt` and `decidedThrough` belong to.
    public var scheduleKey: String
    public var registeredAt: Instant
    /// Every fire time up to here has its recorded outcome; the next one is the first after it.
    ///
    /// This one instant is what makes each fire time decided exactly once, across crashes and steps of the clock.
    public var decidedThrough: Instant
    /// A user's word on `enabled`, which wins over the definition.
    public var isEnabledOverride: Bool?
    /// Whether the job had fire times when this was written: enabled, by definition or override, and not finished.
    /// Where it comes to have them while no daemon runs, it has had none before.
    public var wasEnabled = true
    /// Runs started for the schedule, on time or as catch-up: what `max_executions` counts.
    public var executions = 0
    public var runCount = 0
    public var failureCount = 0
    /// Failed runs since the last success, or since the job was enabled again.
    public var failuresInARow = 0
    /// The start of the last run that ended.
    public var lastRunAt: Instant?
    public var lastEndedAt: Instant?
    public var lastDuration: Duration?
    public var lastStatus: Run.Status?
    /// Fire times after `decidedThrough` that a client has already taken for a run of its own, ascending.
    public var claimed: [Instant] = []
    private var boxedCourse = BoxedCourse.none
    private var boxedExpectation = BoxedExpectation.none
    private var boxedProgress = BoxedProgress.none
    private var boxedBudgetUse = BoxedBudgetUse.none
    private var boxedPolls = BoxedPolls.none
    private var boxedExceptions = BoxedExceptions.none

    public init(job: String, scheduleKey: String, registeredAt: Instant, decidedThrough: Instant) {
        self.job = job
        self.scheduleKey = scheduleKey
        self.registeredAt = registeredAt
        self.decidedThrough = decidedThrough
    }
}

extension JobState {
    /// One word of memory for the many jobs that nobody is told of.
    private indirect enum BoxedCourse: Sendable, Equatable {
        case none
        case some(JobCourse)
    }

    /// What messages about the job go by.
    public var course: JobCourse {
        get { if case .some(let course) = boxedCourse { course } else { JobCourse() } }
        set { boxedCourse = newValue == JobCourse() ? .none : .some(newValue) }
    }

    /// The same for those of which nothing is expected.
    private indirect enum BoxedExpectation: Sendable, Equatable {
        case none
        case some(JobExpectation)
    }

    /// What is known of the successes that are expected of the job.
    public var expectation: JobExpectation {
        get { if case .some(let known) = boxedExpectation { known } else { JobExpectation() } }
        set { boxedExpectation = newValue == JobExpectation() ? .none : .some(newValue) }
    }

    /// The same for those that go by the clock alone.
    private indirect enum BoxedProgress: Sendable, Equatable {
        case none
        case some(JobProgress)
    }

    /// What has come about of what the job waits for beside the clock.
    public var progress: JobProgress {
        get { if case .some(let known) = boxedProgress { known } else { JobProgress() } }
        set { boxedProgress = newValue == JobProgress() ? .none : .some(newValue) }
    }

    /// The same for those without a budget of their own.
    private indirect enum BoxedBudgetUse: Sendable, Equatable {
        case none
        case some(BudgetUse)
    }

    public var budgetUse: BudgetUse {
        get { if case .some(let use) = boxedBudgetUse { use } else { BudgetUse() } }
        set { boxedBudgetUse = newValue == BudgetUse() ? .none : .some(newValue) }
    }

    /// The same for those without a poll.
    private indirect enum BoxedPolls: Sendable, Equatable {
        case none
        case some(JobPolls)
    }

    private var polling: JobPolls {
        get { if case .some(let polls) = boxedPolls { polls } else { JobPolls() } }
        set { boxedPolls = newValue == JobPolls() ? .none : .some(newValue) }
    }

    /// How often its poll was asked, when last, and how often in a row that failed.
    public var polls: Int {
        get { polling.count }
        set { polling.count = newValue }
    }

    public var lastPollAt: Instant? {
        get { polling.lastAt }
        set { polling.lastAt = newValue }
    }

    public var pollFailures: Int {
        get { polling.failures }
        set { polling.failures = newValue }
    }

    /// Of what it found last: a hash, and when.
    public var pollHash: UInt64? {
        get { polling.hash }
        set { polling.hash = newValue }
    }

    public var pollFoundAt: Instant? {
        get { polling.foundAt }
        set { polling.foundAt = newValue }
    }

    /// The same for those that go by their definition alone.
    private indirect enum BoxedExceptions: Sendable, Equatable {
        case none
        case some(JobExceptions)
    }

    private var exceptions: JobExceptions {
        get { if case .some(let known) = boxedExceptions { known } else { JobExceptions() } }
        set { boxedExceptions = newValue == JobExceptions() ? .none : .some(newValue) }
    }

    /// The fire time that is not to be run, at a user's wish.
    public var skippedFireTime: Instant? {
        get { exceptions.skippedFireTime }
        set { exceptions.skippedFireTime = newValue }
    }

    /// When a job that a user disabled for a while is enabled again.
    public var pausedUntil: Instant? {
        get { exceptions.pausedUntil }
        set { exceptions.pausedUntil = newValue }
    }

    /// Why the job was disabled, where that was said; nil while it is enabled.
    public var disabledReason: String? {
        get { exceptions.disabledReason }
        set { exceptions.disabledReason = newValue }
    }

    /// The boot under which an `@reboot` job last fired.
    public var firedBootID: String? {
        get { exceptions.firedBootID }
        set { exceptions.firedBootID = newValue }
    }

    /// Up to here fire times after `decidedThrough` may have a record already, made under a clock that was ahead: of
    /// each the register is asked.
    public var reopenedThrough: Instant? {
        get { exceptions.reopenedThrough }
        set { exceptions.reopenedThrough = newValue }
    }

    /// What stays of a job that was removed: fire times ahead that clients have taken.
    static func orphan(of job: String, claimed: [Instant]) -> JobState {
        var state = JobState(job: job, scheduleKey: "", registeredAt: .epoch, decidedThrough: .epoch)
        state.claimed = claimed
        return state
    }

    var isOrphan: Bool { scheduleKey.isEmpty && registeredAt == .epoch && !claimed.isEmpty }
}

/// How a job stands with what is expected of it.
public struct JobExpectation: Sendable, Equatable {
    /// The last success; or since when one is awaited, where that is later.
    public var since: Instant?
    /// When `expect_every` was over without a success, where that was told.
    public var overdueAt: Instant?
    /// The last instant of `expect_by` that came without a success, where that was told.
    public var toldBy: Instant?

    public init() {}

    /// Since when the job is late; nil while it is not.
    public var lateSince: Instant? {
        guard let overdueAt, let toldBy else { return overdueAt ?? toldBy }
        return min(overdueAt, toldBy)
    }
}

/// What has come about of what a job waits for beside the clock.
public struct JobProgress: Sendable, Equatable {
    /// What an interval from the end of the last run counts from: that end, or when it was decided that a fire time has
    /// no run.
    public var countsFrom: Instant?
    /// Of several jobs that it runs after, those that have ended so since its own last run; sorted.
    public var endedBefore: [String] = []

    public init() {}
}

/// What is known of a job's poll.
private struct JobPolls: Sendable, Equatable {
    var count = 0
    var lastAt: Instant?
    var failures = 0
    var hash: UInt64?
    var foundAt: Instant?
}

/// What a user, a boot or a clock brought about in a job besides its runs.
private struct JobExceptions: Sendable, Equatable {
    var skippedFireTime: Instant?
    var pausedUntil: Instant?
    var disabledReason: String?
    var firedBootID: String?
    var reopenedThrough: Instant?
}

/// What a job used up of its budget, in one day of its zone.
public struct BudgetUse: Sendable, Equatable {
    /// The first instant of the day that the rest is about.
    public var day: Instant?
    public var runs = 0
    public var wallTime: Duration = .zero
    public var cost = 0.0

    public init() {}
    /// As the store keeps that of all jobs; nil where nothing was used up.
    public var record: String? { day.map { "\($0.microseconds) \(runs) \(wallTime.wholeMicroseconds) \(cost)" } }

    /// - Returns: nil where it is no record: a row may be anybody's.
    public init?(record: String) {
        let parts = record.split(separator: " ")
        guard parts.count == 4, let day = Int64(parts[0]), let runs = Int(parts[1]), let wallTime = Int64(parts[2]),
            let cost = Double(parts[3]), runs >= 0, wallTime >= 0, cost.isFinite, cost >= 0
        else { return nil }
        self.day = min(max(.epoch, Instant(microseconds: day)), .horizon)
        self.runs = min(runs, 1 << 31)
        self.wallTime = .microseconds(min(wallTime, 1 << 50))
        self.cost = cost
    }
}
