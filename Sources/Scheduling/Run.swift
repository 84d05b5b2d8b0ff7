public import Schedules

/// One execution of a job for one fire time or one request; or, where it was not executed, the record of why.
public struct Run: Sendable, Equatable {
    /// `cron-<skill or job>-<YYYYMMDD>-<HHMMSS>`, with `-2`, `-3`, … where that was taken: unique for ever.
    public let id: String
    public let job: String
    /// The job's skill when the run was created: history outlives definitions.
    public var skill: String
    public let trigger: Trigger
    /// The instant that the schedule (or the request) names.
    public let scheduledFor: Instant?
    /// When the run was created.
    public let createdAt: Instant
    public var status: Status
    /// The number of the current or last attempt; 0 before the first.
    public var attempt = 0
    /// The boot of the machine in which that attempt was claimed; nil before the first.
    public var bootID: String?
    /// When the first attempt started.
    public var startedAt: Instant?
    public var endedAt: Instant?
    /// When the next attempt is due, while `retrying`, and the whole of that wait.
    public var retryAt: Instant?
    public var retryDelay: Duration?
    /// Why its process is being ended, once that is decided: on record before the process hears of it.
    public var ending: Ending?
    /// How the last attempt ended.
    public var exit: Exit?
    public var error: String?
    public var reason: Reason?
    public var failureType: String?
    /// What its job wants of a run and could not be had, and why: it ran all the same.
    public var caveat: String?
    /// The first `outputPreviewLimit` characters of the output.
    public var outputPreview: String?
    /// What all attempts together said that they cost, in a unit of their own.
    public var cost = 0.0
    /// What the current or last attempt said of how far it is, in per cent.
    public var progress: Double?
    /// What the last attempt gave as its result: JSON as text, `resultBytesMax` at most.
    public var result: String?
    /// 32 lower-case hex digits; nil where the job is not traced.
    public var traceID: String?
    /// How many fire times this record stands for: 1 on time, 0 by hand, more for a catch-up.
    public var coveredCount = 1
    /// The oldest fire time that the record stands for, where that is more than one.
    public var coveredSince: Instant?
    public var idempotencyKey: String?
    /// Inputs of the request in place of the job's: a JSON object as text.
    public var inputs: String?
    /// Started whatever the limits say.
    public var isForced = false
    /// Definition of a job that is run once without being scheduled: one JSON object.
    public var definition: String?
    /// The id of the run that this one follows, for a chained one.
    public var previous: String?
    /// What it has asked a person, oldest first: `Question.keptPerRun` at most.
    public var questions: [Question] = []
    /// Items of a queue that are its own until it ends.
    public var queueItems: [Int64] = []
    /// What its process reads in place of what its job says, until it ends: text.
    public var standardInput: String?
    /// The processor time of all attempts together, and what one of them had in memory at most; nil where no process
    /// came to be, or nothing is known of it.
    public var cpuTime: Duration?
    public var memoryPeakBytes: Int64?
    /// It took far longer than its job mostly does.
    public var isUnusual = false
    /// When it is late, where it is still under way then; and that it was.
    public var lateAt: Instant?
    public var isLate = false
    /// Since when the current or last attempt has written nothing for its job's patience, and went on all the same.
    public var stalledAt: Instant?

    public static let outputPreviewLimit = 500
    /// Beyond it nothing is added to what a run had to do without.
    public static let caveatBytesMax = 2_000
    /// A longer result is not kept: half of a JSON text is none.
    public static let resultBytesMax = 65_536

    public init(
        id: String, job: String, skill: String, trigger: Trigger, scheduledFor: Instant?, createdAt: Instant,
        status: Status
    ) {
        self.id = id
        self.job = job
        self.skill = skill
        self.trigger = trigger
        self.scheduledFor = scheduledFor
        self.createdAt = createdAt
        self.status = status
    }

    /// Why a run exists.
    public enum Trigger: String, Sendable, CaseIterable {
        case schedule
        case catchUp = "catch_up"
        case manual, chain, queue, poll
    }

    public enum Status: String, Sendable, CaseIterable {
        /// Recorded, and waiting for a limit, its turn, or its conditions.
        case queued
        /// An attempt's process is there, or is about to be.
        case running
        /// Between two attempts.
        case retrying
        case success, failed, timeout, cancelled
        /// Its daemon or its machine went away while it ran.
        case interrupted
        /// A fire time that a policy decided not to run.
        case skipped
        /// A fire time that passed while nothing could run.
        case missed

        /// Whether the run still occupies its job.
        public var isActive: Bool { self == .queued || self == .running || self == .retrying }
        /// Whether a process of it came to an end that counts as no success.
        public var isFailure: Bool {
            self == .failed || self == .timeout || self == .cancelled || self == .interrupted
        }
        /// Whether it stands for a process at all.
        public var isExecuted: Bool { self != .skipped && self != .missed }
    }

    /// Why a fire time was not run.
    public enum Reason: String, Sendable, CaseIterable {
        case overlap, condition, excluded, budget, asleep, down, paused, expired, limit, user
        /// Its precheck found none.
        case nothingToDo = "nothing_to_do"
        /// The daemon was there, and could not write its store.
        case store
    }

    /// Why a process is being ended before its time.
    public enum Ending: String, Sendable, CaseIterable {
        /// A client, a newer run or the removal of its job wanted it, as `error` says: never tried again.
        case cancelled
        /// The daemon stops, and the job says `on_stop: kill`, or `finish` and took too long.
        case stopping
        /// The machine goes to sleep, and the job says `on_sleep: stop`.
        case sleeping
        /// A condition has ended, as `error` says, and the job says `conditions_lost: stop`.
        case conditionLost = "condition_lost"
    }

    /// How a process ended.
    public enum Exit: Sendable, Equatable {
        case code(Int32)
        case signal(Int32)
    }
}

/// What became of one attempt, as those who ran the process report it.
public struct AttemptOutcome: Sendable, Equatable {
    public enum Ending: Sendable, Equatable {
        case exited(Int32)
        case signaled(Int32)
        /// No process came to be: the text says what was tried and what is wrong.
        case couldNotStart(String)
        /// It ran, and how it ended is not known. The text says what became of it or of its record, to be read after
        /// "interrupted: "; nil where its supervisor was killed.
        case lost(String?)
    }

    public var ending: Ending
    public var isTimedOut = false
    /// It wrote nothing for too long, and was ended for it.
    public var isStalled = false
    /// It was still running when its supervisor was told to end it. Where the core knows of no such wish it is booked
    /// as cancelled, and not tried again.
    public var isCancelled = false
    public var startedAt: Instant
    public var endedAt: Instant
    /// The first `Run.outputPreviewLimit` characters.
    public var outputPreview: String?
    /// Bytes that the process wrote, and how many of them were not kept.
    public var outputBytes: Int64 = 0
    public var outputDropped: Int64 = 0
    /// The failure type by the patterns on its output; nil where none matched.
    public var failureType: String?
    /// Whether the remedy that ran before the attempt succeeded; nil where none did run.
    public var remedySucceeded: Bool?
    /// The last line that the process wrote, as the reason that people read.
    public var lastLine: String?
    /// What the attempt says that it cost, in a unit of its own. Anything but a finite number above 0 counts as 0.
    public var cost = 0.0
    /// The attempt failed and asks for another one after exactly so long, whatever `retry_on` says, within
    /// `max_attempts`.
    public var retryAfter: Duration?
    /// What the attempt said of how far it came, in per cent.
    public var progress: Double?
    /// What it gave as its result: JSON as text.
    public var result: String?
    /// Tells one output from another; nil where it is not known.
    public var outputDigest: Int64?
    /// As `Run` has them, of this attempt.
    public var cpuTime: Duration?
    public var memoryPeakBytes: Int64?

    public init(ending: Ending, startedAt: Instant, endedAt: Instant) {
        self.ending = ending
        self.startedAt = startedAt
        self.endedAt = endedAt
    }
}

/// The record of one attempt: one process of a run.
public struct Attempt: Sendable, Equatable {
    public let run: String
    /// 1, 2, …
    public let number: Int
    public var startedAt: Instant
    public var endedAt: Instant?
    public var exit: Run.Exit?
    public var error: String?
    public var failureType: String?
    /// As `AttemptOutcome` has it.
    public var remedySucceeded: Bool?

    public init(run: String, number: Int, startedAt: Instant) {
        self.run = run
        self.number = number
        self.startedAt = startedAt
    }
}
