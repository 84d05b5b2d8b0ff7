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
    private var runCount: Int32
    private var failureCount: Int32
    private var nextRun: Instant
    private var lastRun: Instant
    private var disabledUntil: Instant
    /// Nil of a job without active runs: of most.
    private var activity: Activity?
    private var texts: Texts

    /// In place of an instant that is not there.
    private static let never = Instant(microseconds: .min)

    /// Ids of the runs that have their turn, and keys of conditions.
    private final class Activity {
        let running: [String]
        let waitingFor: [String]

        init(running: [String], waitingFor: [String]) {
            self.running = running
            self.waitingFor = waitingFor
        }
    }

    /// Of what is long and rarely changes: a hash of each.
    private struct Texts: Equatable {
        var description: UInt32
        var schedule: UInt32
        var timeZone: UInt32
        var error: UInt32
        var tags: UInt32
        var definition: UInt32
        var disabledReason: UInt32

        func changes(since told: Texts) -> [MemberName] {
            var names: [MemberName] = []
            if description != told.description { names.append("Description") }
            if schedule != told.schedule { names.append("Schedule") }
            if timeZone != told.timeZone { names.append("TimeZone") }
            if error != told.error { names.append("Error") }
            if tags != told.tags { names.append("Tags") }
            if definition != told.definition { names.append("Definition") }
            if disabledReason != told.disabledReason { names.append("DisabledReason") }
            return names
        }
    }

    init(_ listed: ListedJob, of scheduler: any SchedulerReading) {
        switch listed {
        case .job(let view): self.init(view.glance, of: scheduler)
        case .refused(let refused): self.init(refused, listed)
        }
    }

    init(_ job: Scheduler.JobGlance, of scheduler: any SchedulerReading) {
        isEnabled = job.isEnabled
        lastStatus = job.lastStatus
        nextRun = job.nextRun ?? Self.never
        lastRun = job.lastRunAt ?? Self.never
        disabledUntil = job.isEnabled ? Self.never : job.pausedUntil ?? Self.never
        runCount = Int32(clamping: job.runCount)
        failureCount = Int32(clamping: job.failureCount)
        if !job.active.isEmpty {
            activity = Activity(running: job.running(in: scheduler), waitingFor: job.waitingFor(in: scheduler))
        }
        texts = Texts(
            description: Self.hash(job.description), schedule: Self.hash(job.schedule ?? ""),
            timeZone: Self.hash(job.zone), error: Self.hash(""), tags: Self.hash(job.tags),
            definition: Self.hash(job.definition),
            disabledReason: Self.hash(job.isEnabled ? "" : job.disabledReason ?? ""))
    }

    private init(_ refused: RefusedJob, _ listed: ListedJob) {
        isEnabled = JobShape.isEnabled(refused)
        (nextRun, lastRun, disabledUntil) = (Self.never, Self.never, Self.never)
        (runCount, failureCount) = (0, 0)
        texts = Texts(
            description: Self.hash(listed.description), schedule: Self.hash(listed.schedule),
            timeZone: Self.hash(listed.timeZone), error: Self.hash(listed.error), tags: Self.hash(listed.tags),
            definition: Self.hash(listed.definition), disabledReason: Self.hash(listed.disabledReason))
    }

    /// Of this process, and kept by nobody else.
    private static func hash(_ text: String) -> UInt32 {
        text.isEmpty ? 0 : UInt32(truncatingIfNeeded: text.hashValue)
    }

    private static func hash(_ texts: [String]) -> UInt32 {
        texts.isEmpty ? 0 : UInt32(truncatingIfNeeded: texts.hashValue)
    }

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
        if (activity?.running ?? []) != (told.activity?.running ?? []) { names.append("Running") }
        if (activity?.waitingFor ?? []) != (told.activity?.waitingFor ?? []) { names.append("WaitingFor") }
        return texts == told.texts ? names : names + texts.changes(since: told.texts)
    }
}

/// What was told of each job. The facts stand in a row of their own: a table has room for twice as many as it holds.
struct ToldJobs {
    private var places: [String: Int32] = [:]
    private var facts: ContiguousArray<JobFacts> = []
    private var free: [Int32] = []

    var names: some Collection<String> { places.keys }

    init() {}

    init(reserving count: Int) {
        places.reserveCapacity(count)
        facts.reserveCapacity(count)
    }

    func has(_ name: String) -> Bool { places[name] != nil }

    /// - Returns: what was told before; nil where nothing was.
    mutating func update(_ name: String, _ new: JobFacts) -> JobFacts? {
        if let place = places[name] {
            defer { facts[Int(place)] = new }
            return facts[Int(place)]
        }
        insert(name, new)
        return nil
    }

    /// Of a job of which nothing was told.
    mutating func insert(_ name: String, _ new: JobFacts) {
        if let place = free.popLast() {
            facts[Int(place)] = new
            places[name] = place
        } else {
            places[name] = Int32(facts.count)
            facts.append(new)
        }
    }

    /// - Returns: whether something was told of it.
    mutating func remove(_ name: String) -> Bool {
        guard let place = places.removeValue(forKey: name) else { return false }
        free.append(place)
        return true
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
