public import Schedules

/// One line of a transaction: what an event decided, in the words of the store.
///
/// All changes of an event (better: of a turn of the loop) are one transaction. Each is idempotent: applied twice,
/// the store is as after once.
public enum StoreChange: Sendable, Equatable {
    /// Inserts a run, or replaces the record with the same id.
    case run(Run)
    /// Inserts an attempt, or replaces the one of the same run and number.
    case attempt(Attempt)
    /// Inserts or replaces what is remembered of a job.
    case jobState(JobState)
    /// Inserts or replaces the definition of a job that was created over the bus.
    case definition(job: String, version: Int, json: String, createdAt: Instant)
    case removeDefinition(job: String)
    /// Forgets what is remembered of a job; its runs stay as history.
    case removeJobState(job: String)
    /// Whether the schedules are in force: the user's toggle, which survives a restart. Nil: as config.json says.
    case schedulerOverride(Bool?)
    /// Inserts or replaces the hold of a group.
    case groupHold(GroupHold)
    case removeGroupHold(group: String)
    /// What all jobs together have used up of the budget over all.
    case budgetUse(BudgetUse)
    /// Removes the oldest ended runs of a job beyond `keep`, with their attempts.
    case prune(job: String, keep: Int)
    /// Removes ended runs that ended before an instant, and changes that were made before it to jobs that are gone, at
    /// most `limit` of each.
    case pruneEnded(before: Instant, limit: Int)
    /// Inserts a message, or replaces the one with the same id.
    case message(Message)
    /// Inserts an item of a queue, or replaces the one with the same id.
    case queueItem(QueueItem)
    /// Inserts the record of a change to a job, or replaces the one of the same sequence; the oldest of its job beyond
    /// `JobChange.keptPerJob` go.
    case jobChange(JobChange)
    /// Takes an item off its queue for good.
    case removeQueueItem(id: Int64)
    /// Nobody has any item of a queue any more, but for those named: who took the others is gone.
    case queueItemsReturned(except: Set<Int64>)
}

/// Something that waits in a queue until somebody has dealt with it.
public struct QueueItem: Sendable, Equatable {
    /// Ascending over all queues, and never given out twice.
    public let id: Int64
    public let queue: String
    /// One JSON value.
    public let json: String
    public let pushedAt: Instant
    /// Somebody has taken it, and it comes again then unless it is acknowledged before.
    public var takenUntil: Instant?
    /// How often it was taken.
    public var deliveries = 0

    public init(id: Int64, queue: String, json: String, pushedAt: Instant) {
        self.id = id
        self.queue = queue
        self.json = json
        self.pushedAt = pushedAt
    }
}

/// What a store holds when a daemon starts: all that the core needs to go on where the last one ended.
public struct StoredState: Sendable, Equatable {
    public var schedulerOverride: Bool?
    public var jobs: [JobState] = []
    /// Runs whose status is active: `queued`, `running`, `retrying`.
    public var activeRuns: [Run] = []
    public var groupHolds: [GroupHold] = []
    /// Of the budget over all.
    public var budgetUse = BudgetUse()
    /// Messages that are not settled, in the order in which they were decided.
    public var messages: [Message] = []
    /// The greatest `Run.createdAt` on record: later than now where the clock was ahead and was set back.
    public var latestRunAt: Instant?
    /// The greatest `JobChange.sequence` on record; 0 where there is none.
    public var lastChange: Int64 = 0
    /// Jobs created over the bus.
    public var definitions: [StoredDefinition] = []
    /// What is in the store and could not be read, a sentence each, at most `unreadableMax` of them: rows that no
    /// version writes. The state goes without them, and they stay where they are.
    public var unreadable: [String] = []

    public static let unreadableMax = 20

    public init() {}

    public struct StoredDefinition: Sendable, Equatable {
        public var job: String
        public var version: Int
        public var json: String
        public var createdAt: Instant

        public init(job: String, version: Int, json: String, createdAt: Instant) {
            self.job = job
            self.version = version
            self.json = json
            self.createdAt = createdAt
        }
    }
}
