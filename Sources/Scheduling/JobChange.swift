public import Schedules

/// A change to a job that is on record: what was done, when, by whom, and why where that was said.
public struct JobChange: Sendable, Equatable {
    public enum What: String, Sendable, CaseIterable {
        /// It was defined, over the bus or in a file that was read anew.
        case created
        /// Another definition came in place of the one before.
        case replaced
        case removed
        case enabled
        case disabled
        /// Its next fire time is not to be run.
        case skipped
        /// Its hold group keeps it waiting.
        case held
        /// Its hold group does not any more.
        case released
        /// All schedules are out of force.
        case paused
        /// All schedules are in force again.
        case resumed
    }

    /// Ascending over all jobs.
    public let sequence: Int64
    /// Empty where it concerns all schedules: no job has that name.
    public let job: String
    public let at: Instant
    public let what: What
    public let author: ChangeAuthor
    /// Of a job that is disabled or held: when that ends by itself. Of a skip: the fire time that is left out.
    public var until: Instant?
    public var reason: String?

    public init(sequence: Int64, job: String, at: Instant, what: What, author: ChangeAuthor) {
        self.sequence = sequence
        self.job = job
        self.at = at
        self.what = what
        self.author = author
    }

    /// Changes of one job that are kept; with each further one the oldest goes.
    public static let keptPerJob = 20
    /// The longest reason that is taken, in bytes.
    public static let reasonBytesMax = 500
}

/// Who has made a change.
public enum ChangeAuthor: Sendable, Hashable {
    /// A client on the bus, as its process was when it asked: the process's name, and its program where that is known.
    case process(name: String, executable: String?)
    /// A client on the bus that had left before it could be asked; its unique name there.
    case gone(String)
    /// Whoever wrote this file.
    case file(String)
    /// The daemon by itself: a pause is over, too many runs have failed.
    case daemon
    /// It was not said.
    case unknown

    /// Whoever wrote the definitions that were read anew.
    static let configuration = Self.file("config.json")
}

extension Scheduler {
    /// Puts a change on record, in the transaction of what it tells of.
    func record(
        _ what: JobChange.What, of job: String, by author: ChangeAuthor, until: Instant? = nil, reason: String? = nil,
        now: Instant
    ) {
        changeSequence += 1
        var change = JobChange(sequence: changeSequence, job: job, at: now, what: what, author: author)
        change.until = until
        change.reason = reason
        turn.changes.append(.jobChange(change))
    }
}
