internal import DBus
internal import Performing
internal import Schedules
internal import Scheduling

/// What `Manager1` shows of itself.
struct ManagerFacts: Equatable {
    var isEnabled: Bool
    var nextRun: Instant?
    var jobCount: Int
    var activeRuns: Int

    func changes(since told: ManagerFacts) -> [MemberName] {
        var names: [MemberName] = []
        if isEnabled != told.isEnabled { names.append("Enabled") }
        if nextRun != told.nextRun { names.append("NextRun") }
        if jobCount != told.jobCount { names.append("JobCount") }
        if activeRuns != told.activeRuns { names.append("ActiveRuns") }
        return names
    }
}

/// What `Job1` shows of a job, as small as it can be to find changes in: there may be a hundred thousand.
struct JobFacts {
    private var isEnabled: Bool
    private var lastStatus: Run.Status?
    private var nextRun: Instant?
    private var lastRun: Instant?
    private var runCount: Int32
    private var failureCount: Int32
    /// Ids of the runs that have their turn.
    private var running: [String]
    /// Keys of conditions.
    private var waitingFor: [String]
    /// Of description, schedule, zone and error, which are long and rarely change: a hash of each.
    private var texts: SIMD4<UInt32>

    init(_ listed: ListedJob, of scheduler: any SchedulerReading) {
        switch listed {
        case .job(let view):
            isEnabled = view.isEnabled
            lastStatus = view.state.lastStatus
            nextRun = view.nextRun
            lastRun = view.state.lastRunAt
            runCount = Int32(clamping: view.state.runCount)
            failureCount = Int32(clamping: view.state.failureCount)
            running = view.running(in: scheduler)
            waitingFor = view.waitingFor(in: scheduler)
        case .refused(let refused):
            isEnabled = JobShape.isEnabled(refused)
            (lastStatus, nextRun, lastRun, running, waitingFor) = (nil, nil, nil, [], [])
            (runCount, failureCount) = (0, 0)
        }
        texts = SIMD4(
            Self.hash(listed.description), Self.hash(listed.schedule), Self.hash(listed.timeZone),
            Self.hash(listed.error))
    }

    /// Of this process, and kept by nobody else.
    private static func hash(_ text: String) -> UInt32 { UInt32(truncatingIfNeeded: text.hashValue) }

    func changes(since told: JobFacts) -> [MemberName] {
        var names: [MemberName] = []
        if isEnabled != told.isEnabled { names.append("Enabled") }
        if nextRun != told.nextRun { names.append("NextRun") }
        if lastRun != told.lastRun { names.append("LastRun") }
        if lastStatus != told.lastStatus { names.append("LastStatus") }
        if runCount != told.runCount { names.append("RunCount") }
        if failureCount != told.failureCount { names.append("FailureCount") }
        if running != told.running { names.append("Running") }
        if waitingFor != told.waitingFor { names.append("WaitingFor") }
        if texts != told.texts {
            let textNames: [MemberName] = ["Description", "Schedule", "TimeZone", "Error"]
            for place in 0..<4 where texts[place] != told.texts[place] { names.append(textNames[place]) }
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

    init(_ run: Run) {
        status = run.status
        startedAt = run.startedAt
        attempt = run.attempt
        progress = run.progress
    }

    func changes(since told: RunFacts) -> [MemberName] {
        var names: [MemberName] = []
        if status != told.status { names.append("Status") }
        if startedAt != told.startedAt { names.append("StartedAt") }
        if attempt != told.attempt { names.append("Attempt") }
        if progress != told.progress { names.append("Progress") }
        return names
    }
}
