import Schedules

/// Runs that took far longer than their job mostly does.
extension Scheduler {
    /// So many of the last successes are looked at, and so many there must be.
    private static var comparedRuns: (atMost: Int, atLeast: Int) { (50, 10) }
    /// A run is unusual that took longer than so often their 95th percentile.
    private static var unusualFactor: Int { 3 }
    /// What takes less time than this is on record as unusual, and told to nobody: on a busy machine it is mere noise.
    private static var worthTelling: Duration { .seconds(1) }

    /// Notes on the record of a run that has just ended whether it took unusually long.
    ///
    /// The successes are asked for at each end: to have them at hand for all jobs would take more memory than the rest
    /// of the job, and the store finds them by an index.
    func compare(_ active: ActiveRun) {
        guard let entry = active.entry, active.run.status != .cancelled, let start = active.run.startedAt,
            let end = active.run.endedAt,
            entry.state.runCount - entry.state.failureCount >= Self.comparedRuns.atLeast
        else { return }
        let fresh = uncommittedRecords.reversed().compactMap { run in
            run.job == entry.job.name && run.status == .success ? run.duration : nil
        }
        let kept = register.successDurations(ofJob: entry.job.name, limit: Self.comparedRuns.atMost)
        guard let usual = Self.usual((fresh + kept).prefix(Self.comparedRuns.atMost)) else { return }
        active.run.isUnusual = end - start > usual * Self.unusualFactor
        if active.run.isUnusual, end - start >= Self.worthTelling { active.usual = usual }
    }

    /// The 95th percentile, by the nearest rank; nil where there are too few.
    static func usual(_ durations: some Collection<Duration>) -> Duration? {
        guard durations.count >= comparedRuns.atLeast else { return nil }
        return durations.sorted()[(durations.count * 95 + 99) / 100 - 1]
    }
}

extension Run {
    fileprivate var duration: Duration? { startedAt.flatMap { start in endedAt.map { max(.zero, $0 - start) } } }
}
