import JSON
import Schedules

/// Instants and durations for people.
struct TimeText {
    let zone: TimeZoneRules
    let now: Instant

    /// `Fri 2026-01-23 09:00:00 -05:00`, or `… UTC`.
    func absolute(_ instant: Instant) -> String { Self.absolute(instant, in: zone) }

    static func absolute(_ instant: Instant, in zone: TimeZoneRules) -> String {
        // To the second and with the offset, as the bus writes it: 2026-01-23T09:00:00-05:00.
        let text = instant.rfc3339(in: zone)
        let (date, time, offset) = (text.prefix(10), text.dropFirst(11).prefix(8), text.dropFirst(19))
        let weekday = Days.weekday(of: zone.localDateTime(at: instant))
        return "\(weekday) \(date) \(time) \(zone.name.hasSuffix("UTC") ? "UTC" : String(offset))"
    }

    /// `09:00:05`, for what has just happened.
    func clock(_ instant: Instant) -> String { String(instant.rfc3339(in: zone).dropFirst(11).prefix(8)) }

    /// `in 4 min`, `3 h 5 min ago`, `now`.
    func relative(_ instant: Instant) -> String {
        // Both cut to the second, so that what is due in five seconds does not read "in 4 s".
        let seconds = instant.seconds - now.seconds
        if seconds == 0 { return "now" }
        let length = Self.length(seconds: seconds.magnitude)
        return seconds > 0 ? "in \(length)" : "\(length) ago"
    }

    func absoluteAndRelative(_ instant: Instant) -> String { "\(absolute(instant)) (\(relative(instant)))" }

    /// The two largest units that say something: `4 min`, `2 h 5 min`, `3 d`, `2 years`.
    static func length(seconds: UInt64) -> String {
        let (minute, hour, day, year): (UInt64, UInt64, UInt64, UInt64) = (60, 3600, 86_400, 31_557_600)
        switch seconds {
        case ..<minute: return "\(seconds) s"
        case ..<(10 * minute): return pair(seconds, minute, "min", 1, "s")
        case ..<hour: return "\(seconds / minute) min"
        case ..<day: return pair(seconds, hour, "h", minute, "min")
        case ..<(10 * day): return pair(seconds, day, "d", hour, "h")
        case ..<(2 * year): return "\(seconds / day) d"
        default: return "\(seconds / year) years"
        }
    }

    private static func pair(
        _ seconds: UInt64, _ large: UInt64, _ largeUnit: String, _ small: UInt64, _ smallUnit: String
    ) -> String {
        let rest = seconds % large / small
        return "\(seconds / large) \(largeUnit)" + (rest == 0 ? "" : " \(rest) \(smallUnit)")
    }

    /// How long something took: `12 ms`, `1.25 s`, `3 min 5 s`.
    static func duration(milliseconds: Int) -> String {
        if milliseconds < 1000 { return "\(milliseconds) ms" }
        guard milliseconds < 60_000 else { return length(seconds: UInt64(milliseconds / 1000)) }
        let hundredths = milliseconds % 1000 / 10
        return "\(milliseconds / 1000).\(hundredths < 10 ? "0" : "")\(hundredths) s"
    }
}

extension JSONValue {
    /// An instant of a shape; nil where it is null.
    func instant(_ key: String) -> Instant? { self[key]?.stringValue.flatMap { Instant(rfc3339: $0) } }

    /// A text of a shape; empty where it is null.
    func text(_ key: String) -> String { self[key]?.stringValue ?? "" }

    func texts(_ key: String) -> [String] { self[key]?.arrayValue?.compactMap(\.stringValue) ?? [] }
}
