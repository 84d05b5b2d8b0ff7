public import Schedules

/// A definition: what to run, when, under which policies.
///
/// A job is a value. What happens to it (its runs, its next fire time, whether a user switched it off) is `JobState`.
/// JSON that the core never interprets (`inputs`, `metadata`, the definition as written) is kept as text, because
/// this room knows no JSON.
public struct Job: Sendable, Equatable {
    // MARK: Identity

    /// Unique; 1–128 of letters, digits, `_ - . :`.
    public var name: String
    /// For people; the name where none was given.
    public var title: String
    public var description = ""
    public var tags: [String] = []
    /// A JSON object as text, never interpreted.
    public var metadata = "{}"
    public var owner = ""
    /// An upsert with a lower version is refused.
    public var version = 1
    public var origin = Origin.config
    /// As the definition says; an override in `JobState` wins over it.
    public var isEnabled = true
    /// The definition as it was written: one JSON object.
    public var definition = "{}"

    // MARK: When

    /// Empty for a job that runs by hand or by a chain only.
    public var schedules: [JobSchedule] = []
    /// What a change of makes a new grid: the schedules' text, their zones and their starts.
    public var scheduleKey = ""
    /// When the job was first seen with this `scheduleKey`: the anchor of intervals and of relative instants.
    public var registeredAt: Instant
    /// The zone that its instants are shown in.
    public var zone: TimeZoneRules
    public var maxExecutions: Int?
    public var jitterMilliseconds: Int64 = 0
    public var exclusions: [Exclusion] = []
    /// Runs when another job ends.
    public var after: Chain?
    /// At each interval a command decides whether to run.
    public var poll: Poll?
    /// The queue whose items each make a run.
    public var triggerQueue: String?

    // MARK: What

    public var action: Action
    /// The name of the runner or mode, as `execution_mode` shows it.
    public var executionMode = ""
    public var skill = ""
    public var persona = ""
    /// A JSON object as text.
    public var inputs = "{}"
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
    /// A JSON object as text: `memory_max`, `cpu_quota`, `tasks_max`, `nice`, `io_class`.
    public var resources = "{}"
    public var successExitCodes: Set<Int32> = [0]
    /// Per attempt; none where zero.
    public var timeout: Duration = .seconds(300)
    public var killGrace: Duration = .seconds(10)
    /// Without output for so long a run is stalled.
    public var stallTimeout: Duration?
    public var onStall = StallAction.notify
    /// The first and last half of so many bytes of output are kept.
    public var outputLimit = 1 << 20

    // MARK: Policies

    public var retry: RetryPolicy?
    public var overlap = OverlapPolicy.skip
    /// None: one, and for `allow` no limit.
    public var maxInstances: Int?
    public var catchUp = CatchUpPolicy()
    /// −20 (first) … 19 (last): who goes first when a limit holds runs back.
    public var priority = 0
    public var budget = Budget()
    public var conditions = Conditions()
    public var power = PowerPolicy()
    /// So many failed runs in a row pause the job.
    public var pauseOnFailures: Int?
    /// Runs kept of this job.
    public var historyLimit = 100
    /// A JSON array as text.
    public var notify = "[]"
    public var onSuccess: [String] = []
    public var onFailure: [String] = []
    /// Queues that the outcome is pushed to.
    public var resultQueue: String?
    public var errorQueue: String?
    public var isTraced = true
    /// What becomes of its runs when the daemon stops.
    public var onStop = StopAction.leave
    /// A success is expected at least so often.
    public var expectEvery: Duration?
    /// A URL that each success is reported to.
    public var heartbeat: String?

    public init(name: String, registeredAt: Instant, zone: TimeZoneRules, action: Action) {
        self.name = name
        self.title = name
        self.registeredAt = registeredAt
        self.zone = zone
        self.action = action
    }

    /// Where a definition came from, which says who may remove it.
    public enum Origin: String, Sendable {
        /// A job of config.json: the file is edited, or the job toggled.
        case config
        /// Created over the bus and kept in the store.
        case bus
    }

    /// What a run executes. Arguments go to the process as they are, never through a shell, but for `shell`.
    public enum Action: Sendable, Equatable {
        /// An argv template with `${…}` to be filled in, each as one argument.
        case runner([String])
        /// An argv as written.
        case command([String])
        /// Text that its author wrote for `/bin/sh -c`.
        case shell(String)
        /// The interpreter's argv template, then a script and its arguments as written.
        case script(interpreter: [String], path: String, arguments: [String])
    }

    /// A command that is asked at each interval: exit 0 is "run", 1 is "not now".
    public struct Poll: Sendable, Equatable {
        public var interval: Duration
        /// A command or text for the shell.
        public var condition: Action
        /// JSON as text; `null` where none was given.
        public var dedupe = "null"

        public init(interval: Duration, condition: Action) {
            self.interval = interval
            self.condition = condition
        }
    }

    public struct Chain: Sendable, Equatable {
        public enum Outcome: String, Sendable, CaseIterable { case success, failure, any }
        public var job: String
        public var on: Outcome

        public init(job: String, on: Outcome) {
            self.job = job
            self.on = on
        }
    }
}

/// One schedule of a job: what it says, and the set of instants that it means.
public struct JobSchedule: Sendable, Equatable {
    /// `cron`, `interval`, `once`, `calendar`, as `schedule_type` shows it.
    public var type: String
    /// The expression as written.
    public var text: String
    public var timetable: Timetable

    public init(type: String, text: String, timetable: Timetable) {
        self.type = type
        self.text = text
        self.timetable = timetable
    }
}

/// A definition that cannot be scheduled, listed with the reason while the others run.
public struct RefusedJob: Sendable, Equatable {
    /// As written, made up from its place (`jobs[3]`) where there is none.
    public var name: String
    public var definition: String
    /// What was asked, what was found, what would be right.
    public var error: String

    public init(name: String, definition: String, error: String) {
        self.name = name
        self.definition = definition
        self.error = error
    }
}
