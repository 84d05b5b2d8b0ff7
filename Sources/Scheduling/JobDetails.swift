public import Schedules

extension Job {
    /// What a definition says beyond its name, its schedules and its action.
    public struct Details: Sendable, Equatable {
        // MARK: Identity

        public var description = ""
        public var tags: [String] = []
        /// A JSON object as text, never interpreted.
        public var metadata = "{}"
        public var owner = ""

        // MARK: When

        public var maxExecutions: Int?
        /// Its interval counts from the end of the last run, not on a grid.
        public var countsFromEnd = false
        /// A job of the bus that is finished removes itself after so long.
        public var deleteAfter: Duration?
        public var jitterMilliseconds: Int64 = 0
        public var exclusions: [Exclusion] = [] { didSet { exclusionSet = ExclusionSet(exclusions) } }
        /// `exclusions`, compiled: what is asked at each fire time.
        public internal(set) var exclusionSet = ExclusionSet()
        /// Runs when another job ends.
        public var after: Chain?
        /// At each interval a command decides whether to run.
        public var poll: Poll?
        /// Says whether a run that is due has something to do; what it prints is the run's standard input.
        public var precheck: Action?
        /// The queue whose items each make a run, and how many one run is given together.
        public var triggerQueue: String?
        public var triggerBatch = 1

        // MARK: What

        public var project = ""
        public var message = ""
        /// Absolute or beginning with `~`; the home folder where empty.
        public var workingDirectory = ""
        /// On top of the environment of the session, by name.
        public var environment: [String: String] = [:]
        /// Lines of `KEY=VALUE`.
        public var environmentFile: String?
        /// Start from a short list of variables in place of the session's environment.
        public var isEnvironmentClean = false
        /// By name: a file, or `secret:` and an attribute.
        public var credentials: [String: String] = [:]
        /// What the process reads; `/dev/null` where none.
        public var standardInput: String?
        public var resources = Resources()
        public var successExitCodes: Set<Int32> = [0]
        /// Per attempt; none where zero.
        public var timeout: Duration = .seconds(300)
        public var killGrace: Duration = .seconds(10)
        /// Without output for so long a run is stalled.
        public var stallTimeout: Duration?
        public var onStall = StallAction.notify
        /// The first and last half of so many bytes of output are kept.
        public var outputLimit = 1 << 20
        /// The output goes to the journal, too.
        public var isOutputJournaled = false

        // MARK: Policies

        public var retry: RetryPolicy?
        /// None: one, and for `allow` no limit.
        public var maxInstances: Int?
        public var catchUp = CatchUpPolicy()
        public var budget = Budget()
        public var conditions = Conditions()
        /// Jobs of one group wait together while it is held.
        public var holdGroup: String?
        public var power = PowerPolicy()
        /// So many failed runs in a row pause the job.
        public var pauseOnFailures: Int?
        /// Runs kept of this job.
        public var historyLimit = 100
        /// A JSON array as text, as clients see it.
        public var notify = "[]"
        /// Whom its runs are told to; nil: as `SchedulerSettings` says.
        public var messages: [MessageRule]?
        /// Messages wait meanwhile; nil: as `SchedulerSettings` says.
        public var quietHours: QuietHours?
        public var onSuccess: [String] = []
        public var onFailure: [String] = []
        /// Queues that the outcome is pushed to.
        public var resultQueue: String?
        public var errorQueue: String?
        public var isTraced = true
        /// What becomes of its runs when the daemon stops.
        public var onStop = StopAction.leave
        /// A run that is still under way after so long is late.
        public var expectWithin: Duration?
        /// Without a success for so long the job is late.
        public var expectEvery: Duration?
        /// Without a success from one of these instants to the next it is late.
        public var expectBy: DailyDeadline?
        /// A URL that is told of each start and end.
        public var heartbeat: String?

        public init() {}
    }

    /// Details that jobs have in common: copied by a job that changes its own.
    ///
    /// `@unchecked`: written only by a job that holds the sole reference.
    @usableFromInline
    final class SharedDetails: @unchecked Sendable, Equatable {
        @usableFromInline var value: Details

        @usableFromInline
        init(_ value: Details) { self.value = value }

        static let standard = SharedDetails(Details())

        // What is asked of every job at a start is asked here: a value of that size is copied to ask it.

        /// Whether a job is late where it does not succeed.
        var expectsSuccess: Bool { value.expectEvery != nil || value.expectBy != nil }

        /// Whether something is to be said or done of a job beside its runs.
        var isAttended: Bool { expectsSuccess || value.deleteAfter != nil }

        /// Whether it follows other jobs, or others follow it.
        var isChained: Bool { value.after != nil || !value.onSuccess.isEmpty || !value.onFailure.isEmpty }

        /// Whether it goes by something beside its schedules.
        var isFollowing: Bool {
            value.after != nil || value.triggerQueue != nil || value.poll != nil || isAttended
        }

        @usableFromInline
        static func == (left: SharedDetails, right: SharedDetails) -> Bool {
            left === right || left.value == right.value
        }
    }
}
