public import Schedules

/// A definition: what to run, when, under which policies.
///
/// A job is a value. What happens to it (its runs, its next fire time, whether a user switched it off) is `JobState`.
/// JSON that the core never interprets (`inputs`, `metadata`, the definition as written) is kept as text, because
/// this room knows no JSON.
///
/// Most of its keys are in `Job.Details`, and read and written as if they were its own: `job.retry`. Jobs that leave
/// them as they are share one copy, so that a hundred thousand jobs stay small.
@dynamicMemberLookup
public struct Job: Sendable, Equatable {
    // MARK: Identity

    /// Unique; 1–128 of letters, digits, `_ - . :`.
    public var name: String
    /// For people; the name where none was given.
    public var title: String
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
    /// What a change of makes a new grid: the schedules' text, their zones and their starts. A single instant that is
    /// named by its registration ("in 2 hours") has " from " and the POSIX seconds of `registeredAt` in it.
    public var scheduleKey = ""
    /// When the job was first seen with this `scheduleKey`: the anchor of intervals and of relative instants.
    public var registeredAt: Instant
    /// The zone that its instants are shown in.
    public var zone: TimeZoneRules

    // MARK: What

    public var action: Action
    /// The name of the runner or mode, as `execution_mode` shows it.
    public var executionMode = ""
    public var skill = ""
    public var persona = ""
    /// A JSON object as text.
    public var inputs = "{}"

    // MARK: Policies

    public var overlap = OverlapPolicy.skip
    /// −20 (first) … 19 (last): who goes first when a limit holds runs back.
    public var priority = 0

    /// The rest, which most jobs leave as it is, and then share.
    @usableFromInline var details = SharedDetails.standard

    public init(name: String, registeredAt: Instant, zone: TimeZoneRules, action: Action) {
        self.name = name
        self.title = name
        self.registeredAt = registeredAt
        self.zone = zone
        self.action = action
    }

    /// Inlined, so that a property of the details is read and written as one of the job's own, and no key path is
    /// looked up at run time. A job that is given what it has already goes on sharing it.
    @inlinable public subscript<Value: Equatable>(dynamicMember path: WritableKeyPath<Details, Value>) -> Value {
        get { details.value[keyPath: path] }
        set {
            if details.value[keyPath: path] == newValue { return }
            if !isKnownUniquelyReferenced(&details) { details = SharedDetails(details.value) }
            details.value[keyPath: path] = newValue
        }
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
        /// The same output again within so long makes no run.
        public var dedupe: Duration?

        public init(interval: Duration, condition: Action) {
            self.interval = interval
            self.condition = condition
        }
    }

    public struct Chain: Sendable, Equatable {
        public enum Outcome: String, Sendable, CaseIterable { case success, failure, any }
        /// One at least. Where there are several, all of them have to end so since the last run of the job that
        /// follows.
        public var jobs: [String]
        public var on: Outcome

        public init(jobs: [String], on: Outcome) {
            self.jobs = jobs
            self.on = on
        }

        public init(job: String, on: Outcome) { self.init(jobs: [job], on: on) }
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
