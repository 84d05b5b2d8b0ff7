public import Schedules
public import Scheduling
public import Store

/// What holds now, as values: what answers are made of. Read it from within `Intake.whenDurable`: then it is on disk.
public protocol SchedulerReading: AnyObject {
    var now: Instant { get }
    var status: SchedulerStatus { get }
    var isEnabled: Bool { get }
    var jobCount: Int { get }
    /// Sorted.
    var jobNames: [String] { get }
    func job(named name: String) -> Scheduler.JobView?
    /// A glance at every job, in no order.
    func forEachJob(_ body: (Scheduler.JobGlance) -> Void)
    /// A job's definition alone, which costs nothing.
    func definition(of name: String) -> Job?
    var nextRun: (job: String, at: Instant)? { get }
    /// Names of the jobs that have a fire time to come, soonest first, at most so many.
    func soonest(_ limit: Int) -> [String]
    /// Names of jobs that are late, or have a run that is; sorted.
    var lateJobs: [String] { get }
    var activeRunCount: Int { get }
    /// Oldest first.
    var activeRuns: [Run] { get }
    func activeRun(id: String) -> Run?
    func unmetConditions(ofRun id: String) -> (unmet: [Condition], until: Instant?)?
    /// Groups that are held, by name.
    var groupHolds: [GroupHold] { get }
    /// How many runs wait for each of them.
    var runsByGroup: [String: Int] { get }
    /// The hold that a run waits for.
    func groupHold(ofRun id: String) -> GroupHold?
    /// Runs that wait for a person, oldest question first.
    var askingRuns: [Run] { get }
    /// What all jobs together have used up today, where there is a budget over all.
    var budgetUse: BudgetUse? { get }
    /// The same of a job's own budget.
    func budgetUse(ofJob name: String) -> BudgetUse?
    func explain(_ job: String, at instant: Instant?, records: [Run]) -> [Explanation]
    /// The key of a job's schedule, and when that was first seen.
    func registration(of job: String) -> (scheduleKey: String, registeredAt: Instant)?
    /// Every queue that has items, by name.
    var queues: [QueueTotals] { get }
    /// Items that nobody has, oldest first.
    func queueItems(_ queue: String, limit: Int, bytesMax: Int) -> [QueueItem]
    /// The last time that the wall clock was set, by how much; nil where it was not, under this daemon.
    var clockStep: ClockStep? { get }
    var health: EngineHealth { get }
}

/// A wall clock that was set.
public struct ClockStep: Sendable, Equatable {
    /// By the clock as it was after it.
    public var at: Instant
    public var by: Duration

    public init(at: Instant, by: Duration) {
        self.at = at
        self.by = by
    }
}

/// How the engine does.
public struct EngineHealth: Sendable {
    /// Why the store cannot be written; nil while it can.
    public var storeFault: StoreError?
    /// Whether it can at least be read: else nothing but health is answered.
    public var isStoreReadable = true
    public var turns = 0
    /// The processor time of the longest turn, in ms.
    public var busyMillisecondsMax = 0.0
    /// The wall time of turns without their commit's sync, in ms: the longest, and what 99 of 100 stay below.
    public var lateMillisecondsMax = 0.0
    public var lateMillisecondsP99 = 0.0
    /// By name, what may take longer: how often it came, and the longest in ms.
    public var exempt: [String: (count: Int, millisecondsMax: Double)] = [:]

    public init() {}
}
