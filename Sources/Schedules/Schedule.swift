/// When a job fires: a cron expression, an interval, one instant, a calendar event, or the boot of the machine.
///
/// A schedule is the parsed text only. With a zone, an anchor and a window it becomes a `Timetable`, a set of
/// instants that can be asked for its next member:
///
/// ```swift
/// let zone = try zones.zone(named: "America/New_York")
/// let schedule = try Schedule.cron("0 9 * * MON-FRI")
/// let timetable = try Timetable(schedule: schedule, zone: zone, dst: DSTPolicy(), anchor: createdAt)
/// var fire = timetable.next(after: now)          // 09:00 in New York, on the next weekday
/// while let time = fire {
///     print(time.rfc3339(in: timetable.zone))    // 2026-01-26T09:00:00-05:00
///     fire = timetable.next(after: time)
/// }
/// ```
///
/// Sharp edges:
/// - Everything that a person can write is refused with a `ScheduleError`, never a trap; time is linear in the length.
/// - A schedule that can never fire is refused when it is parsed. "Rare" is not "never".
/// - A `once` is made absolute when it is parsed, so it wants the instant of registration and the zone.
/// - A calendar event can carry its own zone, which then counts instead of the job's.
/// - `@every D` is read by `cron` and is an interval; `@reboot` has no instants at all.
public struct Schedule: Sendable, Equatable {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case cron, interval, once, calendar, reboot
    }

    /// What a schedule comes down to.
    enum Rule: Sendable, Equatable {
        case civil(CivilPattern)
        case interval(Interval)
        case once(Instant)
        case reboot
    }

    public let kind: Kind
    /// As written; for an interval of two keys what the keys say, for example "3 minutes".
    public let text: String
    let rule: Rule
    /// The zone that a calendar event carries itself.
    public let zone: TimeZoneRules?
    /// The bytes of `text` that decide the date: what `never_fires` points at.
    let dayField: Range<Int>

    /// Longer texts, in bytes of UTF-8, are refused unread. No schedule of a person comes near it.
    public static let textLimit = 10_000

    init(kind: Kind, text: String, rule: Rule, zone: TimeZoneRules? = nil, dayField: Range<Int> = 0..<0) {
        self.kind = kind
        self.text = text
        self.rule = rule
        self.zone = zone
        self.dayField = dayField
    }

    /// Whether it keeps a rhythm, whatever the clock shows: an interval, and a cron expression or a calendar event
    /// whose minute or hour is not fixed (the wildcard jobs of cron(8)). The others name times of day.
    public var keepsRhythm: Bool {
        switch rule {
        case .civil(let pattern): pattern.isWildcard
        case .interval: true
        case .once, .reboot: false
        }
    }

    /// The instant of a `once`; none for every other kind. With `allowPast` it may lie before the registration.
    public var onceInstant: Instant? {
        if case .once(let instant) = rule { instant } else { nil }
    }
}
