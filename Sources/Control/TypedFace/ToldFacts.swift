internal import DBus
internal import Performing
internal import Schedules
internal import Scheduling

/// What `Manager1` shows of itself.
struct ManagerFacts: Equatable {
    var isEnabled: Bool
    var nextRun: Instant?
    var jobCount: Int
    var refusedCount: Int
    var activeRuns: Int
    var configurationError: String

    func changes(since told: ManagerFacts) -> [MemberName] {
        var names: [MemberName] = []
        if isEnabled != told.isEnabled { names.append("Enabled") }
        if nextRun != told.nextRun { names.append("NextRun") }
        if jobCount != told.jobCount { names.append("JobCount") }
        if refusedCount != told.refusedCount { names.append("RefusedCount") }
        if activeRuns != told.activeRuns { names.append("ActiveRuns") }
        if configurationError != told.configurationError { names.append("ConfigurationError") }
        return names
    }
}

/// What `Job1` shows of a job, as small as it can be to find changes in: there may be a hundred thousand.
struct JobFacts {
    private var isEnabled: Bool
    private var lastStatus: Run.Status?
    private var nextRun: Instant?
    private var lastRun: Instant?
    private var disabledUntil: Instant?
    private var runCount: Int32
    private var failureCount: Int32
    /// Ids of the runs that have their turn.
    private var running: [String]
    /// Keys of conditions.
    private var waitingFor: [String]
    /// Of what is long and rarely changes: a hash of each, in the order of `textNames`.
    private var texts: SIMD8<UInt32>
    private static let textNames: [MemberName] = [
        "Description", "Schedule", "TimeZone", "Error", "Tags", "Definition", "DisabledReason",
    ]

    init(_ listed: ListedJob, of scheduler: any SchedulerReading) {
        switch listed {
        case .job(let view):
            isEnabled = view.isEnabled
            lastStatus = view.state.lastStatus
            nextRun = view.nextRun
            lastRun = view.state.lastRunAt
            disabledUntil = view.isEnabled ? nil : view.state.pausedUntil
            runCount = Int32(clamping: view.state.runCount)
            failureCount = Int32(clamping: view.state.failureCount)
            running = view.running(in: scheduler)
            waitingFor = view.waitingFor(in: scheduler)
        case .refused(let refused):
            isEnabled = JobShape.isEnabled(refused)
            (lastStatus, nextRun, lastRun, disabledUntil, running, waitingFor) = (nil, nil, nil, nil, [], [])
            (runCount, failureCount) = (0, 0)
        }
        texts = SIMD8(
            Self.hash(listed.description), Self.hash(listed.schedule), Self.hash(listed.timeZone),
            Self.hash(listed.error), Self.hash(listed.tags), Self.hash(listed.definition),
            Self.hash(listed.disabledReason),
            0)
    }

    /// Of this process, and kept by nobody else.
    private static func hash(_ text: some Hashable) -> UInt32 { UInt32(truncatingIfNeeded: text.hashValue) }

    func changes(since told: JobFacts) -> [MemberName] {
        var names: [MemberName] = []
        if isEnabled != told.isEnabled { names.append("Enabled") }
        if nextRun != told.nextRun { names.append("NextRun") }
        if lastRun != told.lastRun { names.append("LastRun") }
        if lastStatus != told.lastStatus { names.append("LastStatus") }
        // What was said of one run says nothing of the next.
        if runCount != told.runCount { names += ["RunCount", "LastError"] }
        if failureCount != told.failureCount { names.append("FailureCount") }
        if disabledUntil != told.disabledUntil { names.append("DisabledUntil") }
        if running != told.running { names.append("Running") }
        if waitingFor != told.waitingFor { names.append("WaitingFor") }
        if texts != told.texts {
            for (place, name) in Self.textNames.enumerated() where texts[place] != told.texts[place] {
                names.append(name)
            }
        }
        return names
    }
}

/// What `Run1` shows of a run.
struct RunFacts {
    private var status: Run.Status
    private var startedAt: Instant?
    private var attempt: Int
    private var progress: Double?
    private var stalledAt: Instant?

    init(_ run: Run) {
        status = run.status
        startedAt = run.startedAt
        attempt = run.attempt
        progress = run.progress
        stalledAt = run.stalledAt
    }

    func changes(since told: RunFacts) -> [MemberName] {
        var names: [MemberName] = []
        if status != told.status { names.append("Status") }
        if startedAt != told.startedAt { names.append("StartedAt") }
        if attempt != told.attempt { names.append("Attempt") }
        if progress != told.progress { names.append("Progress") }
        if stalledAt != told.stalledAt { names.append("StalledAt") }
        return names
    }
}
