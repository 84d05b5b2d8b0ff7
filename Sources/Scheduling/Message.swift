public import Schedules

/// What a target is sent about a run.
public struct Message: Sendable, Equatable {
    /// Unique for ever, and the same however often it is sent.
    public let id: String
    /// Empty where it gathers what several jobs gave to tell.
    public let job: String
    /// Of fire times that were not run: the newest record of them. Empty where a job is late that has no run.
    public let run: String
    public let occasion: Occasion
    public let target: String
    public let title: String
    public let text: String
    public let createdAt: Instant
    public var state = State.waiting
    /// Why the last sending came to nothing.
    public var fault: String?
    /// How often it was sent, as far as it is known what became of it.
    public var sendings = 0
    /// It is not sent again before.
    public var nextAt: Instant?
    /// The id of the message that tells of it, where several have become one.
    public var gatheredIn: String?

    /// The target of the messages that a job's `heartbeat` is: of each only the newest counts.
    public static let heartbeatTarget = "heartbeat"

    public init(
        id: String, job: String, run: String, occasion: Occasion, target: String, title: String, text: String,
        createdAt: Instant
    ) {
        self.id = id
        self.job = job
        self.run = run
        self.occasion = occasion
        self.target = target
        self.title = title
        self.text = text
        self.createdAt = createdAt
    }

    var isHeartbeat: Bool { target == Self.heartbeatTarget }

    public enum State: String, Sendable, CaseIterable {
        case waiting = "pending"
        case sent, failed
    }

    /// What a message is about; `on` in a definition. In the order in which one of several is chosen for a target.
    public enum Occasion: String, Sendable, CaseIterable {
        /// A run needs a person.
        case asked
        /// The job was taken out of force, or its budget is used up.
        case paused
        /// The first success after failed runs.
        case recovered
        /// The first failed run after a success.
        case firstFailure = "first_failure"
        /// A run has failed for good.
        case failure
        case late
        /// A success whose output differs from that of the last one.
        case changed
        case success
        case stalled
        /// A fire time was not run, or a stretch of them.
        case misfired = "missed"
        case retry, start
    }

    /// A set of occasions.
    public struct Occasions: OptionSet, Sendable {
        public let rawValue: UInt16

        public init(rawValue: UInt16) { self.rawValue = rawValue }

        public init(_ occasions: some Sequence<Occasion>) {
            self.init(rawValue: occasions.reduce(0) { $0 | Self.bit($1) })
        }

        public func contains(_ occasion: Occasion) -> Bool { rawValue & Self.bit(occasion) != 0 }

        private static func bit(_ occasion: Occasion) -> UInt16 {
            1 << UInt16(Occasion.allCases.firstIndex(of: occasion) ?? 0)
        }

        /// What a target is told where nobody says.
        public static let standard = Occasions(
            [.failure, .recovered, .misfired, .paused, .stalled, .late, .asked] as [Occasion])
    }
}

/// Whom a job tells, and what.
public struct MessageRule: Sendable, Equatable {
    public var target: String
    public var on: Message.Occasions

    public init(target: String, on: Message.Occasions) {
        self.target = target
        self.on = on
    }
}

/// What became of a message that was given to its target.
public enum MessageOutcome: Sendable, Equatable {
    case sent
    /// It may be sent again; the text says what is wrong.
    case failed(String)
    /// To send it again would be of no use.
    case refused(String)

    /// Why a question is not told.
    public static let past = "its question is over"
}

/// Times of day in which messages wait, from the first minute to the one that ends them.
public struct QuietHours: Sendable, Equatable {
    /// Minutes since midnight; the same twice is never quiet.
    public var from: Int
    public var until: Int

    public init(from: Int, until: Int) {
        self.from = from
        self.until = until
    }

    /// When the quiet hours end that an instant lies in; nil where it lies in none.
    func end(at now: Instant, in zone: TimeZoneRules) -> Instant? {
        var local = zone.localDateTime(at: now)
        let minute = local.hour * 60 + local.minute
        let isOverMidnight = from > until
        guard isOverMidnight ? minute >= from || minute < until : from <= minute && minute < until else { return nil }
        if isOverMidnight, minute >= from {
            // Noon and a day is within the next day, whatever the clocks do in between.
            (local.hour, local.minute, local.second) = (12, 0, 0)
            local = zone.localDateTime(at: zone.instant(of: local) + .seconds(86_400))
        }
        (local.hour, local.minute, local.second) = (until / 60, until % 60, 0)
        let end = zone.instant(of: local)
        // In the hour that comes twice the end may have been; nothing waits for a day then.
        return end > now ? end : nil
    }
}

/// What messages about a job go by.
public struct JobCourse: Sendable, Equatable {
    /// Failed runs since the last success.
    public var failures = 0
    /// When the first of them ended.
    public var failingSince: Instant?
    /// Of the output of the last success.
    public var outputDigest: Int64?
    /// Why fire times are not run, where that was told and nothing was run since.
    public var toldReason: Run.Reason?

    public init() {}
}
