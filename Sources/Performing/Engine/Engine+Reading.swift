internal import EventLoop
public import Schedules
public import Scheduling
internal import Store

/// What holds now, for those who answer: whichever core is in force.
extension Engine: SchedulerReading {
    public var now: Instant { Instant(microseconds: Int64(loop.now(.realtime))) }
    public var status: SchedulerStatus { scheduler.status }
    public var isEnabled: Bool { scheduler.isEnabled }
    public var jobCount: Int { scheduler.jobCount }
    public var jobNames: [String] { scheduler.jobNames }
    public func job(named name: String) -> Scheduler.JobView? { scheduler.job(named: name) }
    public func forEachJob(_ body: (Scheduler.JobGlance) -> Void) { scheduler.forEachJob(body) }
    public func definition(of name: String) -> Job? { scheduler.definition(of: name) }
    public var nextRun: (job: String, at: Instant)? { scheduler.nextRun }
    public func soonest(_ limit: Int) -> [String] { scheduler.soonest(limit) }
    public var lateJobs: [String] { scheduler.lateJobs }
    public var activeRunCount: Int { scheduler.activeRunCount }
    public var activeRuns: [Run] { scheduler.activeRuns }
    public func activeRun(id: String) -> Run? { scheduler.activeRun(id: id) }
    public var groupHolds: [GroupHold] { scheduler.groupHolds }
    public var runsByGroup: [String: Int] { scheduler.runsByGroup }
    public func groupHold(ofRun id: String) -> GroupHold? { scheduler.groupHold(ofRun: id) }
    public var askingRuns: [Run] { scheduler.askingRuns }
    public var budgetUse: BudgetUse? {
        scheduler.settings.budget.isUnlimited ? nil : scheduler.budgetUse(at: now)
    }
    public func budgetUse(ofJob name: String) -> BudgetUse? { scheduler.budgetUse(ofJob: name, at: now) }
    public func unmetConditions(ofRun id: String) -> (unmet: [Condition], until: Instant?)? {
        scheduler.unmetConditions(ofRun: id)
    }
    public func explain(_ job: String, at instant: Instant?, records: [Run]) -> [Explanation] {
        scheduler.explain(job, at: instant, records: records, now: now)
    }
    public func registration(of job: String) -> (scheduleKey: String, registeredAt: Instant)? {
        scheduler.registration(of: job)
    }
    public var queues: [QueueTotals] { scheduler.queues }
    public func queueItems(_ queue: String, limit: Int, bytesMax: Int) -> [QueueItem] {
        scheduler.queueItems(queue, limit: limit, bytesMax: bytesMax, now: now)
    }

    public var health: EngineHealth {
        var health = EngineHealth()
        switch phase {
        case .preparing, .working: break
        case .holding(let holding): health.storeFault = holding.error
        case .refusing(let refusing):
            health.storeFault = refusing.error
            health.isStoreReadable = refusing.isReadable
        }
        let meter = loop.meter
        health.turns = meter.turns
        health.busyMillisecondsMax = Double(meter.busyUSecMax) / 1000
        health.lateMillisecondsMax = Double(meter.lateUSecMax) / 1000
        health.lateMillisecondsP99 = Double(meter.lateUSecP99) / 1000
        health.exempt = meter.exempt.mapValues { ($0.count, Double($0.usecMax) / 1000) }
        return health
    }

}

extension Engine: RunExpecting {
    public func expectedRuns(atMost bound: Int) -> [ExpectedRun] {
        guard case .working = phase else { return [] }
        return scheduler.expectedRuns(atMost: bound)
    }
}
