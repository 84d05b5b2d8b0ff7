public import Schedules
public import Scheduling

/// Which runs to list, newest first by `Run.createdAt`.
///
/// The filters hold together. A page takes microseconds whatever the size of the store, but for status and trigger
/// together: there it takes time in proportion to the records that one of the two lets through and the other does not
/// (with the trigger schedule: of the status; else: of the trigger). Several statuses cost as much as each of them.
public struct HistoryQuery: Sendable, Equatable {
    public var job: String?
    /// Those of these statuses, each named once; all where it is empty.
    public var statuses: [Run.Status]
    public var trigger: Run.Trigger?
    /// Created at or after.
    public var since: Instant?
    /// Created before.
    public var until: Instant?
    /// Runs in the page; zero and less mean `limitDefault`, more than `limitMax` is cut to it.
    public var limit: Int
    /// Where the page before ended.
    public var cursor: HistoryCursor?

    public static let limitDefault = 20
    public static let limitMax = 1000

    public init(
        job: String? = nil, status: Run.Status? = nil, trigger: Run.Trigger? = nil, since: Instant? = nil,
        until: Instant? = nil, limit: Int = limitDefault, cursor: HistoryCursor? = nil
    ) {
        self.job = job
        statuses = status.map { [$0] } ?? []
        self.trigger = trigger
        self.since = since
        self.until = until
        self.limit = limit
        self.cursor = cursor
    }

    /// The limit that is in force.
    public var effectiveLimit: Int { limit <= 0 ? Self.limitDefault : min(limit, Self.limitMax) }
}

/// The place of a run in the history: a page after it begins with the next older one, however many were added since.
public struct HistoryCursor: Sendable, Equatable {
    public let createdAtMicroseconds: Int64
    /// Tells apart runs that were created in the same microsecond.
    public let sequence: Int64

    public init(createdAtMicroseconds: Int64, sequence: Int64) {
        self.createdAtMicroseconds = createdAtMicroseconds
        self.sequence = sequence
    }

    /// Takes up a `text` that went through a client; nil where it is none of ours.
    public init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let created = Int64(parts[0]), let sequence = Int64(parts[1]) else { return nil }
        self.init(createdAtMicroseconds: created, sequence: sequence)
    }

    /// For clients to hand back; what it says is no business of theirs.
    public var text: String { "\(createdAtMicroseconds).\(sequence)" }
}

public struct HistoryPage: Sendable, Equatable {
    public var runs: [Run]
    /// Nil on the last page.
    public var next: HistoryCursor?

    public init(runs: [Run], next: HistoryCursor?) {
        self.runs = runs
        self.next = next
    }
}
