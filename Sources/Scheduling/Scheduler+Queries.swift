public import Schedules

/// What holds now, for those who show it: of runs only those that are in the store by now.
extension Scheduler {
    /// A job with all that a client may see of it.
    public struct JobView: Sendable {
        public var job: Job
        public var state: JobState
        public var isEnabled: Bool
        public var isFinished: Bool
        /// Nil where nothing will start it: disabled, finished, or all schedules paused.
        public var nextRun: Instant?
        /// When that is due: after its jitter.
        public var nextDue: Instant?
        /// Ids of the runs that have not ended, oldest first.
        public var active: [String]
        /// Since when it, or a run of it, is late; nil while neither is.
        public var lateSince: Instant?

        public var glance: JobGlance {
            JobGlance(
                name: job.name, isEnabled: isEnabled, nextRun: nextRun, active: active, lastStatus: state.lastStatus,
                lastRunAt: state.lastRunAt, runCount: state.runCount, failureCount: state.failureCount,
                pausedUntil: state.pausedUntil, disabledReason: state.disabledReason, description: job.description,
                tags: job.tags, schedule: job.schedules.first?.text, zone: job.zone.name, definition: job.definition)
        }
    }

    /// What changes of a job are found by: the part of a view that costs little.
    public struct JobGlance: Sendable {
        public let name: String
        public let isEnabled: Bool
        /// As in a view, and so the rest.
        public let nextRun: Instant?
        public let active: [String]
        public let lastStatus: Run.Status?
        public let lastRunAt: Instant?
        public let runCount: Int
        public let failureCount: Int
        public let pausedUntil: Instant?
        public let disabledReason: String?
        public let description: String
        public let tags: [String]
        /// The text of the first.
        public let schedule: String?
        public let zone: String
        public let definition: String
    }

    public var jobCount: Int { jobs.count }
    public var activeRunCount: Int {
        uncommittedIDs.isEmpty ? runs.count : runs.keys.count { !uncommittedIDs.contains($0) }
    }

    public func job(named name: String) -> JobView? {
        guard let entry = jobs[name] else { return nil }
        let next = isEnabled ? nextWithinBudget(entry) : nil
        return JobView(
            job: entry.job, state: entry.state, isEnabled: entry.isEnabled, isFinished: entry.isFinished,
            nextRun: next, nextDue: next.map { entry.dueInstant(of: $0) }, active: active(of: entry),
            lateSince: lateSince(entry))
    }

    private func active(of entry: JobEntry) -> [String] {
        // Most jobs have none, whenever they are asked for.
        entry.isIdle ? [] : recorded(entry.occupying + entry.waiting).map(\.run.id)
    }

    /// A glance at every job, in no order: to find a hundred thousand by their names, and to copy all of each, takes
    /// longer than to look at them.
    public func forEachJob(_ body: (JobGlance) -> Void) {
        for entry in entries {
            let details = entry.job.details
            body(
                JobGlance(
                    name: entry.job.name, isEnabled: entry.isEnabled,
                    nextRun: isEnabled ? nextWithinBudget(entry) : nil, active: active(of: entry),
                    lastStatus: entry.state.lastStatus, lastRunAt: entry.state.lastRunAt,
                    runCount: entry.state.runCount, failureCount: entry.state.failureCount,
                    pausedUntil: entry.state.pausedUntil, disabledReason: entry.state.disabledReason,
                    description: details.value.description, tags: details.value.tags,
                    schedule: entry.job.schedules.first?.text, zone: entry.job.zone.name,
                    definition: entry.job.definition))
        }
    }

    /// A job's definition alone: a view of it costs by its runs that have not ended.
    public func definition(of name: String) -> Job? { jobs[name]?.job }

    private func recorded(_ active: some Collection<ActiveRun>) -> [ActiveRun] {
        active.filter { !uncommittedIDs.contains($0.run.id) }.sorted { $0.sequence < $1.sequence }
    }

    /// A run that has not ended.
    public func activeRun(id: String) -> Run? { uncommittedIDs.contains(id) ? nil : runs[id]?.run }

    /// Oldest first.
    public var activeRuns: [Run] { recorded(runs.values).map(\.run) }

    /// The earliest of what the jobs are to run next, and its job; nil while all schedules are paused. Takes no search,
    /// but where the budget of that one is used up: then it is the earliest of those that come soonest.
    public var nextRun: (job: String, at: Instant)? {
        guard isEnabled, let place = calendar.first, let at = calendar.next, let entry = places[Int(place)] else {
            return nil
        }
        guard isBudgetUsedUp(entry, now: at) else { return (entry.job.name, at) }
        return calendar.soonest(Limits.comparedNextRuns).compactMap { places[Int($0)] }
            .compactMap { entry in nextWithinBudget(entry).map { (entry.job.name, $0) } }
            .min { ($0.1, $0.0) < ($1.1, $1.0) }
    }

    /// Names of the jobs that have a fire time to come, soonest first, at most so many.
    public func soonest(_ limit: Int) -> [String] {
        calendar.soonest(limit).compactMap { places[Int($0)]?.job.name }
    }

    /// What the reader of the configuration needs to keep the grid of a job where it is: the schedule's key and when it
    /// was first seen.
    public func registration(of job: String) -> (scheduleKey: String, registeredAt: Instant)? {
        jobs[job].map { ($0.state.scheduleKey, $0.state.registeredAt) }
    }
}
