public import Schedules

/// A run that will most likely start at the next instant that is waited for.
public struct ExpectedRun: Sendable, Equatable {
    /// The id that it will have.
    public var id: String
    public var job: Job
    /// When: the armed instant.
    public var due: Instant
}

/// What is about to happen, for those who can prepare for it.
extension Scheduler {
    /// The first attempts that a tick at the armed instant would start, if nothing else happened before: of fire times
    /// that are on time and held back by nothing.
    ///
    /// Nothing is decided here, and nothing changes. What it says may turn out otherwise, and what it does not say may
    /// start all the same.
    public func expectedRuns(atMost bound: Int) -> [ExpectedRun] {
        guard isFiring, let due = timers.next, ready.first() == nil else { return [] }
        var room = min(bound, settings.maxConcurrentRuns - runningCount)
        if let rate = settings.launchesPerMinute { room = min(room, rate - recentLaunches.count) }
        guard room > 0 else { return [] }
        var expected: [ExpectedRun] = []
        var ids: Set<String> = []
        for number in timers.earliest(atMost: room) {
            guard case .job(let entry) = owners[Int(number)], let fire = entry.nextFire,
                isExpected(entry, fire, due, more: expected.count + 1)
            else { continue }
            let id = freeID(entry.job, at: fire, besides: ids)
            ids.insert(id)
            expected.append(ExpectedRun(id: id, job: entry.job, due: due))
        }
        return expected
    }

    /// - Parameter more: how many runs there are with it, which one budget may have to do for.
    private func isExpected(_ entry: JobEntry, _ fire: Instant, _ due: Instant, more: Int) -> Bool {
        entry.isEnabled && entry.nextRun == fire && entry.dueInstant(of: fire) == due && entry.waitsUntil == nil
            && entry.hasRoom && entry.waiting.isEmpty
            && entry.job.details.value.conditions.isEmpty && entry.job.details.value.precheck == nil
            && entry.state.reopenedThrough == nil && fire > entry.state.registeredAt
            && !isBudgetUsedUp(entry, by: more, now: due) && groupHold(on: entry.job) == nil
    }
}
