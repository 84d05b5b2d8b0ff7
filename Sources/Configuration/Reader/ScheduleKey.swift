import JSON
import Schedules
import Scheduling

extension ConfigurationReader {
    /// The text whose change makes a new grid: every schedule as written, `start_at`, and the zone and the DST rule
    /// where the schedule depends on them.
    ///
    /// One line a schedule, so that two definitions that mean the same in different spellings have the same key. A
    /// relative `once` has the instant of its registration in it: the same words said again are another instant.
    func scheduleKey(
        of plan: SchedulePlan, _ window: Window, _ zone: TimeZoneRules, registeredAt: Instant
    ) -> String {
        var lines: [String] = []
        for entry in plan.entries {
            let text = trimmed(entry.count.map { "\($0.value) \(entry.text)" } ?? entry.text)
            var line = "\(entry.type.rawValue) \(text)"
            if ZoneNeed.isOnWallClock(entry.type, text) {
                line += " @\(zone.name)"
                if window.dst != DSTPolicy() { line += " \(window.dst.gap.rawValue) \(window.dst.overlap.rawValue)" }
            }
            if entry.type == .once, ZoneNeed.isRelative(text) { line += " from \(registeredAt.seconds)" }
            lines.append(line)
        }
        if let poll = plan.poll { lines.append("poll \(poll.interval.wholeMilliseconds)ms") }
        if window.countsFromEnd { lines.append("from end") }
        if let start = window.startAt { lines.append("start_at \(start.value.compactText)") }
        return lines.joined(separator: "\n")
    }

    /// Blanks around an expression mean nothing.
    private func trimmed(_ text: String) -> String {
        func isBlank(_ byte: UInt8?) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        guard isBlank(text.utf8.first) || isBlank(text.utf8.last) else { return text }
        let start = text.drop { $0 == " " || $0 == "\t" }
        guard let end = start.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return "" }
        return String(start[...end])
    }
}

/// Whether the instants of a schedule depend on the zone. Asked of the text, because the key is needed before the
/// schedule can be parsed (a relative `once` wants its registration, which hangs on the key).
enum ZoneNeed {
    static func isOnWallClock(_ type: SchedulePlan.EntryType, _ text: String) -> Bool {
        switch type {
        case .cron:
            let every = "@every "
            guard text.utf8.first == UInt8(ascii: "@") else { return true }
            return !(text.lowercased().hasPrefix(every) && isElapsed(text.dropFirst(every.count)))
        case .interval:
            return !isElapsed(text[...])
        case .once:
            let lowered = text.lowercased()
            if lowered == "now" { return false }
            if lowered.hasPrefix("in ") { return !isElapsed(text.dropFirst(3)) }
            return !hasOffset(lowered)
        case .calendar:
            return true
        }
    }

    /// Whether a `once` counts from its registration.
    static func isRelative(_ text: String) -> Bool {
        let first = text.lowercased().prefix { $0.isLetter }
        return ["now", "in", "today", "tomorrow"].contains(first)
    }

    /// Whether an interval is made of hours, minutes and seconds only, which elapse alike in every zone.
    static func isElapsed(_ text: Substring) -> Bool {
        let words = text.lowercased().split { !$0.isLetter }
        if words.first == "p" || words.first == "pt" { return words.first == "pt" }
        return words.allSatisfy { elapsedUnits.contains(String($0)) }
    }

    private static let elapsedUnits: Set = [
        "every", "s", "sec", "secs", "second", "seconds", "m", "min", "mins", "minute", "minutes", "h", "hr", "hrs",
        "hour", "hours",
    ]

    /// Whether an instant says its offset: `Z`, or `+` or `-` in what follows the date.
    private static func hasOffset(_ lowered: String) -> Bool {
        let time = lowered.dropFirst("2026-12-25".count)
        return time.contains { $0 == "z" || $0 == "+" || $0 == "-" }
    }
}
