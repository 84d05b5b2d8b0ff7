import Configuration
import JSON
import Scheduling

/// What `state.json` says: the overrides of `enabled`, as they were last written or read.
struct Overrides: Equatable {
    var scheduler: Bool?
    var jobs: [String: Bool] = [:]

    init() {}

    init(_ file: StateFile) {
        scheduler = file.isSchedulerEnabled
        jobs = file.isJobEnabled
    }

    // MARK: - As the note that the store keeps

    init(text: String) {
        guard let value = try? JSONValue(parsing: text) else { return }
        scheduler = value["scheduler"]?.boolValue
        for (name, value) in value["jobs"]?.objectValue ?? [:] { jobs[name] = value.boolValue }
    }

    var text: String {
        let jobs = jobs.sorted { $0.key < $1.key }.map { ($0.key, JSONValue.bool($0.value)) }
        let value: JSONValue = [
            "scheduler": scheduler.map { .bool($0) } ?? .null, "jobs": .object(JSONObject(jobs)),
        ]
        return value.compactText
    }

    // MARK: - At the start

    /// Names of jobs of which `other` says something else.
    func changes(to other: Overrides) -> [String] {
        Set(jobs.keys).union(other.jobs.keys).filter { jobs[$0] != other.jobs[$0] }.sorted()
    }

    /// Puts what was changed in the file since `last` in place of what the store holds.
    ///
    /// - Parameter definitions: every job; of those without a state one begins.
    func apply(since last: Overrides, to stored: inout StoredState, _ definitions: [Job]) {
        if scheduler != last.scheduler { stored.schedulerOverride = scheduler }
        let changed = last.changes(to: self)
        // Two tables of all names take a while to make.
        guard !changed.isEmpty else { return }
        let places = Dictionary(
            stored.jobs.enumerated().map { ($1.job, $0) }, uniquingKeysWith: { first, _ in first })
        let byName = Dictionary(definitions.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        for name in changed {
            if let place = places[name] {
                stored.jobs[place].isEnabledOverride = jobs[name]
                stored.jobs[place].pausedUntil = nil
                stored.jobs[place].disabledReason = nil
            } else if let job = byName[name], let isEnabled = jobs[name] {
                // A key of its own: to the core its schedule is a new one, as that of any job without a state.
                var state = JobState(
                    job: name, scheduleKey: "", registeredAt: job.registeredAt, decidedThrough: job.registeredAt)
                state.isEnabledOverride = isEnabled
                stored.jobs.append(state)
            }
        }
    }
}
