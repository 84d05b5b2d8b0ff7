import JSON
import Schedules
import Scheduling

extension ConfigurationReader {
    /// The text whose change makes a new grid: every schedule as written, `start_at`, and the zone and the DST rule
    /// where the schedule depends on them.
    ///
    /// One line a schedule, so that two definitions that mean the same in different spellings have the same key.
    func scheduleKey(of plan: SchedulePlan, _ window: Window, _ zone: TimeZoneRules) -> String {
        var lines: [String] = []
        for entry in plan.entries {
            let text = entry.count.map { "\($0.value) \(entry.text)" } ?? entry.text
            var line = "\(entry.type.rawValue) \(text)"
            if ZoneNeed.isOnWallClock(entry.type, text) {
                line += " @\(zone.name)"
                if window.dst != DSTPolicy() { line += " \(window.dst.gap.rawValue) \(window.dst.overlap.rawValue)" }
            }
            lines.append(line)
        }
        if let poll = plan.poll { lines.append("poll \(poll.interval.wholeMilliseconds)ms") }
        if let start = window.startAt { lines.append("start_at \(start.value.compactText)") }
        return lines.joined(separator: "\n")
    }
}

/// Whether the instants of a schedule depend on the zone. Asked of the text, because the key is needed before the
/// schedule can be parsed (a relative `once` wants its registration, which hangs on the key).
enum ZoneNeed {
    static func isOnWallClock(_ type: SchedulePlan.EntryType, _ text: String) -> Bool {
        switch type {
        case .cron:
            let every = "@every "
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
