public import Schedules

/// What the core asks of the committed past: which execution ids are taken, and which fire times have their record.
///
/// It is part of the state, not of the world: the same store gives the same answers. A scheduler remembers by itself
/// what it created since the last commit.
public protocol ExecutionRegister: AnyObject {
    /// Whether a run has ever had this id.
    func isTaken(executionID: String) -> Bool

    /// Whether there is a record of this fire time, of a run or of why there was none: the one that
    /// `StoreChange.run` would make again with the triggers schedule, catch-up and manual.
    ///
    /// Asked only where the watermark cannot know: after a clock was set back, and for instants before the registration
    /// of their job.
    func isDecided(job: String, fireTime: Instant) -> Bool

    /// The earliest fire time after an instant that has a record, where there are `count` records of the job at least:
    /// so many are kept, and what is earlier may have had its own. Nil where there are fewer, or none after it.
    ///
    /// Asked only after a clock was set back, or one that had fallen back was set right.
    func firstKept(job: String, after instant: Instant, ofAtLeast count: Int) -> Instant?

    /// From when to when the runs stand that may stand for this fire time, too: `coveredSince` ≤ it < `scheduledFor`,
    /// among the runs that stand for a process (no record of why there was none). Of very many, some.
    ///
    /// Asked only after a clock was set back, for times of day.
    func spans(ofJob job: String, over fireTime: Instant) -> [Range<Instant>]

    /// The run that was asked for with this key, for as long as keys are kept.
    func earlierRun(idempotencyKey: String) -> EarlierRun?

    /// The run of a fire time, among the triggers schedule, catch-up and manual.
    func earlierRun(job: String, scheduledFor: Instant) -> EarlierRun?

    /// The record of a run that is kept.
    func recordedRun(id: String) -> Run?

    /// How long the last successes of a job took, from the first start to the end; newest first, `limit` at most.
    func successDurations(ofJob job: String, limit: Int) -> [Duration]

    // MARK: Queues

    /// Every queue that has items, by name.
    func queues() -> [QueueTotals]

    /// The greatest id that an item ever had; 0 before the first.
    func lastQueueItemID() -> Int64

    /// Items of a queue that nobody has at this instant, oldest first.
    func queueItems(_ queue: String, notTakenAt now: Instant, limit: Int, bytesMax: Int) -> [QueueItem]

    func queueItem(id: Int64) -> QueueItem?

    /// The earliest instant after `now` at which an item of the queue that somebody has comes again.
    func nextQueueReturn(_ queue: String, after now: Instant) -> Instant?
}

/// A run that an earlier request has made.
public enum EarlierRun: Sendable, Equatable {
    case kept(Run)
    /// Its record was removed; what its key names is still known.
    case removed(RemovedRun)
}

/// What stays of a run that was asked for with a key, when its record has been removed.
public struct RemovedRun: Sendable, Equatable {
    public var id: String
    public var job: String
    public var status: Run.Status
    public var endedAt: Instant?

    public init(id: String, job: String, status: Run.Status, endedAt: Instant?) {
        self.id = id
        self.job = job
        self.status = status
        self.endedAt = endedAt
    }
}

/// What a queue holds.
public struct QueueTotals: Sendable, Equatable {
    public var queue: String
    public var items: Int
    /// What all its items take together.
    public var bytes: Int

    public init(queue: String, items: Int = 0, bytes: Int = 0) {
        self.queue = queue
        self.items = items
        self.bytes = bytes
    }
}

extension ExecutionRegister {
    /// For a register that keeps no fire times.
    public func isDecided(job: String, fireTime: Instant) -> Bool { false }
    public func firstKept(job: String, after instant: Instant, ofAtLeast count: Int) -> Instant? { nil }
    public func spans(ofJob job: String, over fireTime: Instant) -> [Range<Instant>] { [] }
    public func earlierRun(idempotencyKey: String) -> EarlierRun? { nil }
    public func earlierRun(job: String, scheduledFor: Instant) -> EarlierRun? { nil }
    public func recordedRun(id: String) -> Run? { nil }
    public func successDurations(ofJob job: String, limit: Int) -> [Duration] { [] }
    public func queues() -> [QueueTotals] { [] }
    public func lastQueueItemID() -> Int64 { 0 }
    public func queueItems(_ queue: String, notTakenAt now: Instant, limit: Int, bytesMax: Int) -> [QueueItem] { [] }
    public func queueItem(id: Int64) -> QueueItem? { nil }
    public func nextQueueReturn(_ queue: String, after now: Instant) -> Instant? { nil }
}
