import JSON
import Schedules

/// What is known of the daemon, its jobs and their runs, as far as it was read.
struct TopFacts: Equatable {
    /// Whether what is known is of now.
    enum Link: Equatable {
        /// Nothing was heard yet.
        case unknown
        case live
        /// No daemon is on the bus.
        case away(since: Instant)
        /// It is there, or the bus was, and something went wrong.
        case broken(String, since: Instant)
    }

    var link = Link.unknown
    /// In the word of the bus: `running`, `paused`, `sleeping`, `stopping`.
    var status = ""
    var areSchedulesInForce = true
    var version = ""
    /// Why config.json is not in force; empty where it is.
    var configurationFault = ""
    var storeFault = ""
    private(set) var jobs: [String: JobFacts] = [:]
    /// By name.
    private(set) var names: [String] = []
    /// Runs that have not ended, by their id, as far as they were asked for.
    var runs: [String: RunFacts] = [:]
    /// The last runs of jobs, newest first, as far as they were asked for.
    var strips: [String: [RunFacts]] = [:]
    /// Jobs out of force because they failed too often, as far as that was asked.
    var pausedByFailures: [String: String] = [:]

    mutating func replaceJobs(_ all: [JobFacts]) {
        jobs = Dictionary(all.map { ($0.name, $0) }) { _, last in last }
        names = jobs.keys.sorted()
        strips = strips.filter { jobs[$0.key] != nil }
        forgetEndedRuns()
    }

    /// - Parameter asked: the names that were asked for: who is not among the found is gone.
    mutating func update(_ found: [JobFacts], of asked: Set<String>) {
        let known = Set(found.map(\.name))
        var isSetNew = false
        for name in asked where !known.contains(name) {
            isSetNew = jobs.removeValue(forKey: name) != nil || isSetNew
            strips[name] = nil
        }
        for job in found { isSetNew = jobs.updateValue(job, forKey: job.name) == nil || isSetNew }
        if isSetNew { names = jobs.keys.sorted() }
        forgetEndedRuns()
    }

    /// A run that its job no longer names has ended.
    private mutating func forgetEndedRuns() {
        guard !runs.isEmpty else { return }
        let running = Set(jobs.values.flatMap(\.running))
        runs = runs.filter { running.contains($0.key) }
    }
}

/// A job, as `query_jobs` has it.
struct JobFacts: Equatable {
    var name: String
    var title = ""
    var schedule = ""
    var zone = ""
    var isEnabled = true
    var hasSchedule = true
    /// Why it cannot be scheduled; empty where it can.
    var error = ""
    var nextRun: Instant?
    var lastRun: Instant?
    var lastStatus = ""
    var lastMilliseconds: Int?
    var running: [String] = []
    var waitingFor: [String] = []
    var tags: [String] = []

    var isFailed: Bool { ["failed", "timeout", "interrupted"].contains(lastStatus) }
}

/// A run, as `get_run` and `query_history` have it.
struct RunFacts: Equatable {
    var id: String
    var job = ""
    var status: String
    var startedAt: Instant?
    var milliseconds: Int?
    var attempt = 1
    /// In percent, as the run itself says.
    var progress: Double?
    /// How it ended, in words.
    var what = ""
    /// It has written nothing for too long, and goes on or was ended for it.
    var isStalled = false

    /// No job has more; what is read is anybody's number.
    private static let attemptMax = 1_000_000
}

// MARK: - From the bus

extension JobFacts {
    init?(_ job: JSONValue) {
        guard let name = job["name"]?.stringValue else { return nil }
        self.name = name
        title = job.text("title")
        let type = job.text("schedule_type")
        let text = type.isEmpty ? job.text("cron") : job.text("schedule")
        schedule = type.isEmpty || type == "cron" ? text : "\(type) \(text)"
        hasSchedule = !schedule.isEmpty
        zone = job.text("timezone")
        isEnabled = job["enabled"]?.boolValue ?? true
        error = job.text("error")
        nextRun = job.instant("next_run")
        lastRun = job.instant("last_run")
        lastStatus = job.text("last_status")
        lastMilliseconds = job["last_duration_ms"]?.intValue
        running = job.texts("running")
        waitingFor = job.texts("waiting_for")
        tags = job.texts("tags")
    }
}

extension RunFacts {
    init?(_ run: JSONValue, _ text: RunText) {
        guard let id = run["execution_id"]?.stringValue else { return nil }
        self.id = id
        job = run.text("job")
        status = run.text("status")
        startedAt = run.instant("started_at")
        milliseconds = run["duration_ms"]?.intValue
        attempt = min(max(1, run["attempt"]?.intValue ?? 1), Self.attemptMax)
        progress = run["progress"]?.doubleValue
        isStalled = run.instant("stalled_at") != nil || run.text("failure_type") == "stalled"
        what = text.what(run)
    }
}
