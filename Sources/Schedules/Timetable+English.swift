extension Timetable: CustomStringConvertible {
    public var description: String { explain() }

    /// What it means, in plain English: "at 09:00, Monday to Friday, New York time".
    public func explain() -> String {
        var parts: [String]
        switch schedule.rule {
        case .civil(let pattern):
            let date = pattern.dateInEnglish
            let days = date.isEmpty && pattern.listsTimes ? "every day" : date
            parts = [pattern.timeInEnglish, days, EnglishList.zone(zone.name)]
        case .interval(let interval):
            parts = [
                "every \(interval.inEnglish)", "counted from \(anchor.rfc3339(in: zone))",
                interval.isElapsed ? "" : EnglishList.zone(zone.name),
            ]
        case .once(let instant): parts = ["once", "at \(instant.rfc3339(in: zone))"]
        case .reboot: parts = ["once after each boot of the machine"]
        }
        if let startAt, schedule.kind != .interval { parts.append("from \(startAt.rfc3339(in: zone)) on") }
        if let endAt { parts.append("until \(endAt.rfc3339(in: zone))") }
        return parts.filter { !$0.isEmpty }.joined(separator: ", ")
    }
}

extension Interval {
    /// "day", "90 seconds", "1 month 2 days 3 hours".
    fileprivate var inEnglish: String {
        var words: [String] = []
        if months % 12 == 0, months > 0 {
            words.append(EnglishList.count(months / 12, "year"))
        } else if months > 0 {
            words.append(EnglishList.count(months, "month"))
        }
        if days % 7 == 0, days > 0 {
            words.append(EnglishList.count(days / 7, "week"))
        } else if days > 0 {
            words.append(EnglishList.count(days, "day"))
        }
        let parts = [(seconds / 3_600, "hour"), (seconds / 60 % 60, "minute"), (seconds % 60, "second")]
        for (count, unit) in parts where count > 0 { words.append(EnglishList.count(count, unit)) }
        let text = words.joined(separator: " ")
        return words.count == 1 && text.hasPrefix("1 ") ? String(text.dropFirst(2)) : text
    }
}
