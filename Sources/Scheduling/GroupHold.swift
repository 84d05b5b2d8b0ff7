public import Schedules

/// A hold group that starts nothing for a while: an agent's quota is used up, or a user wants it so.
public struct GroupHold: Sendable, Equatable {
    public let group: String
    /// Nil: until a client ends it.
    public var until: Instant?
    /// `until` was named as a time from then on ("45m"), and moves with a clock that is set; a time of day stands.
    public var isRelative = false
    /// When it was asked for.
    public let since: Instant
    /// The run whose process asked for it; nil where a client did.
    public var run: String?
    /// A client has ended it before its time. It stays on record until then: what a process had said is not heard again
    /// when its words are read once more.
    public var isReleased = false

    public init(group: String, until: Instant?, since: Instant, run: String? = nil) {
        self.group = group
        self.until = until
        self.since = since
        self.run = run
    }

    /// The words of a process: `17:00` is the next such time of its job's day, `45m` so long from when it was said.
    ///
    /// - Throws: a sentence that says what would be right.
    init(words: String, group: String, saidAt: Instant, run: String, zone: TimeZoneRules) throws(HoldError) {
        self.init(group: group, until: nil, since: saidAt, run: run)
        if let time = Self.timeOfDay(words) {
            until = Self.next(time, after: saidAt, in: zone)
            return
        }
        let duration: Duration
        do {
            duration = try Schedule.parseDuration(words)
        } catch {
            throw HoldError("a time of day such as 17:00, or a duration such as 45m, is what can be said there")
        }
        guard duration > .zero, duration <= Scheduler.Limits.longestHold else {
            throw HoldError("it is longer than nothing, and at most 7 days")
        }
        (until, isRelative) = (saidAt + duration, true)
    }

    private static func timeOfDay(_ words: String) -> (hour: Int, minute: Int)? {
        let parts = words.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, (1...2).contains(parts[0].utf8.count), parts[1].utf8.count == 2,
            words.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: ":")).contains($0) }),
            let hour = Int(parts[0]), let minute = Int(parts[1]), hour < 24, minute < 60
        else { return nil }
        return (hour, minute)
    }

    private static func next(
        _ time: (hour: Int, minute: Int), after instant: Instant, in zone: TimeZoneRules
    ) -> Instant {
        var local = zone.localDateTime(at: instant)
        (local.hour, local.minute, local.second) = (time.hour, time.minute, 0)
        let today = zone.instant(of: local)
        guard today <= instant else { return today }
        // Noon and a day is within the next day, whatever the clocks do in between.
        (local.hour, local.minute) = (12, 0)
        var tomorrow = zone.localDateTime(at: zone.instant(of: local) + .seconds(86_400))
        (tomorrow.hour, tomorrow.minute, tomorrow.second) = (time.hour, time.minute, 0)
        return zone.instant(of: tomorrow)
    }
}

/// What a process said of a hold cannot be meant.
struct HoldError: Error {
    let advice: String

    init(_ advice: String) { self.advice = advice }
}
