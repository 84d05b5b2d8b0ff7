import Schedules

extension Scheduler {
    /// Bounds of the core, each with what happens at it.
    public enum Limits {
        /// Runs of one job that wait for their turn. Beyond it a fire time is skipped with the reason `limit`, and a
        /// request is refused with `limitExceeded`.
        public static let waitingRunsPerJob = 1_000
        /// Active runs of all jobs. Beyond it, as above.
        public static let activeRuns = 100_000
        /// Fire times that are looked at one by one when a job has exclusions. Of a longer stretch the older ones are
        /// recorded together, as missed, without asking whether one was excluded.
        public static let individualFireTimes = 10_000
        /// Runs that follow one another by chains. Beyond it the chain ends, with a record of why: it is most likely a
        /// circle.
        public static let chainLength = 100
        /// Jobs of which one waits for all before it runs. A definition that names more is refused.
        public static let jobsBefore = 100
        /// Fire times of one job that clients have taken for runs of their own before they came. Beyond it such a
        /// request is refused with `limitExceeded`.
        public static let claimedFireTimes = 100
        /// Fire times in the span of a backfill, those that have a run included. Beyond it the request is refused with
        /// `limitExceeded`.
        public static let backfilledFireTimes = 1_000
        /// Fire times with a record, made under a clock that was ahead, that are passed over in the search for the next
        /// run of a job. Of a longer row the one at the bound is named, though it will not run.
        public static let recordsPassedOver = 100
        /// Jobs that are looked at for what runs next of all, where a budget is used up. What comes before the one that
        /// is named, of a job beyond, is not.
        static let comparedNextRuns = 100
        /// Schedules whose parsed form is kept to be shared by jobs that have the same. Others have their own.
        public static let prototypes = 4_096
        /// Ended runs that one commit of the clean-up removes.
        public static let cleanupStep = 1_000
        /// Items of one queue, those that are taken included. Beyond this and each of the next three bounds a push is
        /// refused with `limitExceeded`.
        public static let itemsPerQueue = 10_000
        /// The length of one item's JSON, in bytes.
        public static let queueItemBytes = 64 << 10
        /// Queues that have items.
        public static let queues = 100
        /// Runs that are started for items of queues in one turn; more follow in the next.
        public static let queueRunsPerTurn = 25
        /// Items that one turn moves to the dead letters; more are found in the next.
        public static let buriedPerTurn = 100
        /// Items that one run is given together. A definition that asks for more is refused.
        public static let queueBatch = 100
        /// The length of all items together, in bytes.
        public static let queueBytes = 256 << 20
        /// Groups that are held, or were released before their time. Beyond it a further hold has no effect, and a
        /// request for one is refused with `limitExceeded`.
        public static let groupHolds = 100
        /// How long a process may hold its group. A longer time has no effect, and is a remark of its run.
        public static let longestHold: Duration = .seconds(7 * 86_400)
        /// Jobs of a group on whose record a hold is put; with more of them it is on that of the first ones by name.
        static let recordedHolds = 100
        /// Messages that are not settled. Beyond it the oldest give way, those of successes first.
        public static let waitingMessages = 10_000
    }
}
