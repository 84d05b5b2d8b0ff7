public import Schedules
public import Scheduling

/// The section `schedules` of config.json, understood: jobs that can run, jobs that cannot with the reason, and what
/// holds for all of them.
///
/// The room reads what is on disk and turns it into values; nothing in it runs, waits or remembers.
///
/// ```swift
/// let path = ConfigurationFile.defaultPath(environment: environment)
/// guard case .bytes(let bytes) = try ConfigurationFile.load(path: path) else { … }      // absent: no jobs
/// let document = try ConfigurationFile.parse(bytes, path: path)
/// let reader = ConfigurationReader(zones: zones, home: home, now: now, registration: store.registration)
/// let configuration = try reader.read(document: document)
/// schedule(configuration.jobs)
/// for refused in configuration.refused { warn("\(refused.name): \(refused.error)") }
/// let job = try reader.readJob(value, origin: .bus, in: configuration, madeUpName: "job-1a2b3c4d", isNew: true)
/// ```
///
/// Sharp edges:
/// - A refused job never stops the others; only trouble with the section itself throws.
/// - `registration` must be what the store remembers: without it every start would move the anchor of intervals and
///   take relative instants (`in 2 hours`) anew.
/// - `null` counts as "not given", as the interface itself writes it.
public struct Configuration: Sendable, Equatable {
    /// Whether the schedules are in force; `state.json` and the store may override it.
    public var isEnabled = true
    /// The zone of jobs that name none.
    public var timezone: TimeZoneRules
    /// The mode of jobs with a skill that name none.
    public var executionMode = Runners.claudeCLI
    public var settings = SchedulerSettings()
    /// Argv templates by name: the built-in ones, and those of the file laid over them.
    public var runners = Runners.builtIn
    /// Runners of the file that are not what a runner must be: jobs that choose one are refused with this reason.
    public var runnerFaults: [String: String] = [:]
    public var retryDefaults = RetryDefaults()
    /// Per attempt, for jobs that say nothing; none where zero.
    public var executionTimeout: Duration = .seconds(300)
    public var isTracedByDefault = true
    /// Whether a `once` in the past runs at once in place of being refused.
    public var allowsPastEvents = false
    /// What every process of a job finds in its environment, beside the session's own.
    public var surroundings = CommonEnvironment()
    /// Own patterns of failure types, in the order in which they are tried; see `FailureClassifier`.
    public var failurePatterns: [FailureClassifier.Patterns] = []
    /// Failure type → the argv of a remedy that may run before the retry.
    public var remediation: [String: [String]] = [:]
    /// The settings of the targets of messages: a JSON object as text.
    public var notifications = "{}"
    public var targets = MessageTargets()
    /// What is called for as long as the daemon lives; nil: nothing.
    public var heartbeat: Heartbeat?
    /// How long a stopping daemon waits for runs of `on_stop: finish`.
    public var stopTimeout: Duration = .seconds(90)

    /// In the order of the file.
    public var jobs: [Job] = []
    /// In the order of the file.
    public var refused: [RefusedJob] = []
    /// What was ignored: unknown keys of the section, runners that are broken.
    public var warnings: [String] = []
    /// Whether there was a file to be read.
    public var isWritten = true

    public init(timezone: TimeZoneRules) {
        self.timezone = timezone
    }

    public var defaultRetry: RetryPolicy? { retryDefaults.policy }

    public var failureClassifier: FailureClassifier { FailureClassifier(own: failurePatterns) }
}

/// What a job's `retry` is laid over.
public struct RetryDefaults: Sendable, Equatable {
    public var policy: RetryPolicy?
    /// Whether it is written in the older spelling, in which `max_attempts` counts the retries after the first try.
    public var countsRetries = false

    public init() {}
}

/// What the store remembers of a job's schedule, so that a restart moves no grid.
public struct Registration: Sendable, Equatable {
    /// `Job.scheduleKey` of then.
    public var scheduleKey: String
    public var registeredAt: Instant

    public init(scheduleKey: String, registeredAt: Instant) {
        self.scheduleKey = scheduleKey
        self.registeredAt = registeredAt
    }
}
