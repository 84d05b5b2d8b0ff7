public import Schedules

/// What holds now, for those who show it.
extension Scheduler {
    /// A job with all that a client may see of it.
    public struct JobView: Sendable {
        public var job: Job
        public var state: JobState
        public var isEnabled: Bool
        public var isFinished: Bool
        /// Nil where nothing will start it: disabled, finished, or all schedules paused.
        public var nextRun: Instant?
        /// Ids of the runs that have not ended, oldest first.
        public var active: [String]
    }

    public var jobCount: Int { jobs.count }
    public var jobNames: [String] { jobs.keys.sorted() }
    public var activeRunCount: Int { runs.count }

    public func job(named name: String) -> JobView? {
        guard let entry = jobs[name] else { return nil }
        return JobView(
            job: entry.job, state: entry.state, isEnabled: entry.isEnabled, isFinished: entry.isFinished,
            nextRun: isEnabled ? entry.nextRun : nil,
            active: (entry.occupying + entry.waiting).sorted { $0.sequence < $1.sequence }.map(\.run.id))
    }

    /// A run that has not ended.
    public func activeRun(id: String) -> Run? { runs[id]?.run }

    public var activeRuns: [Run] { runs.values.sorted { $0.sequence < $1.sequence }.map(\.run) }

    /// The earliest of what the jobs are to run next, and its job; nil while all schedules are paused. Takes no search.
    public var nextRun: (job: String, at: Instant)? {
        guard isEnabled, let place = calendar.first, let at = calendar.next, let entry = places[Int(place)] else {
            return nil
        }
        return (entry.job.name, at)
    }

    /// What the reader of the configuration needs to keep grids where they are: by job, the schedule's key and when
    /// it was first seen.
    public var registrations: [String: (scheduleKey: String, registeredAt: Instant)] {
        jobs.mapValues { ($0.state.scheduleKey, $0.state.registeredAt) }
    }
}
