public import Schedules

/// What happens when a run is due while `maxInstances` of its job are active.
public enum OverlapPolicy: String, Sendable, CaseIterable {
    /// The fire time is not run, and recorded so.
    case skip
    /// The run waits for its turn.
    case queue
    /// One waits; more are skipped.
    case queueOne = "queue_one"
    /// It runs beside the others, up to `maxInstances` where given.
    case allow
    /// The active one is cancelled and ends first.
    case replace
}

/// What happens to fire times that could not run within their grace time: after sleep, downtime or a pause.
public struct CatchUpPolicy: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        /// None is run.
        case none
        /// One run stands for all of them.
        case latest
        /// Each is run, one after the other.
        case all
        /// Each is run, spread over time.
        case spread
    }

    public var kind = Kind.latest
    /// Older misfires are recorded as missed and not run.
    public var window: Duration = .seconds(86_400)
    /// At most so many catch-up runs of `all` or `spread`; the rest are recorded as missed.
    public var limit = 100
    /// Later than this is a misfire; up to it a fire time runs late.
    public var graceTime: Duration = .seconds(300)

    public init() {}
}

/// How much of a job is run in a day of its zone; beyond it fire times are skipped with the reason `budget`.
public struct Budget: Sendable, Equatable {
    public var runsPerDay: Int?
    public var wallTimePerDay: Duration?
    /// In the unit in which the runs themselves report their cost.
    public var costPerDay: Double?

    public init() {}

    public var isUnlimited: Bool { runsPerDay == nil && wallTimePerDay == nil && costPerDay == nil }
}

/// What happens to a run without output for `stallTimeout`.
public enum StallAction: String, Sendable, CaseIterable { case notify, kill, retry }

/// What happens to a job's active runs when the daemon stops.
public enum StopAction: String, Sendable, CaseIterable { case leave, finish, kill }

/// How a job and the sleep of the machine deal with each other.
public struct PowerPolicy: Sendable, Equatable {
    public enum SleepAction: String, Sendable, CaseIterable {
        /// They go on after it.
        case `continue`
        /// Their processes are ended, and they are on record as interrupted: tried again where `retry_on` names that.
        case stop
        /// The sleep is held off until they have ended, as far as the rights allow.
        case wait
    }

    /// The machine does not go to sleep while it runs.
    public var keepsAwake = false
    /// The machine is woken for its fire times.
    public var wakesSystem = false
    /// The machine goes back to sleep after it was woken for it, and nobody used it meanwhile.
    public var sleepsAgain = false
    /// What becomes of its runs when the machine goes to sleep.
    public var onSleep = SleepAction.continue

    public init() {}
}

/// What holds for all jobs together: the rest of the section `schedules`.
public struct SchedulerSettings: Sendable, Equatable {
    /// The rest wait, by priority and then by fire time.
    public var maxConcurrentRuns = 10
    /// Of all jobs together, in a day of `zone`.
    public var budget = Budget()
    /// Starts in a minute at most; the rest wait.
    public var launchesPerMinute: Int?
    /// After a wake-up nothing is caught up before this has passed.
    public var wakeSettle: Duration = .seconds(10)
    /// Catch-up runs of different jobs are spread over it.
    public var wakeSpread: Duration = .seconds(60)
    public var retentionDays = 30
    public var isCleanupEnabled = true
    public var cleanupInterval: Duration = .seconds(86_400)
    /// Whom the runs of jobs are told to that say nothing of it.
    public var messages: [MessageRule] = []
    public var quietHours: QuietHours?
    /// Quiet hours of messages that belong to no job are times of day here, and the budget of all jobs has its days.
    public var zone: TimeZoneRules?
    /// Targets that are files: as many messages go there as there are.
    public var fileTargets: Set<String> = ["memory", "toast"]
    /// Of them, those where each message has its place, and several never become one.
    public var logTargets: Set<String> = ["memory"]

    public init() {}
}
