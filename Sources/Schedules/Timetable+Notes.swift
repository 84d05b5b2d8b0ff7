extension Timetable {
    /// What may surprise about it, in plain English, one sentence each: steps that restart, what two day fields mean,
    /// days that some months lack, and what happens at the DST changes of the year after `after`.
    public func notes(after: Instant) -> [String] {
        switch schedule.rule {
        case .civil(let pattern):
            return stepNotes() + dayNotes(pattern) + hourNotes(pattern) + changeNotes(pattern, after: after)
                + rareNotes(after: after)
        case .interval(let interval): return intervalNotes(interval)
        case .once: return []
        case .reboot:
            return ["It has no fire times: it runs once when the daemon first starts after a boot of the machine"]
        }
    }

    // MARK: - Steps

    /// What a step restarts with, for each part of a schedule that can have one.
    private struct Stepped {
        var text: Substring
        var size: Int
        var least: Int
        var unit: String
        var within: String
    }

    /// The parts of the text, as far as a step in them can be surprising.
    private func steppedParts() -> [Stepped] {
        let time = [(60, 0, "second", "minute"), (60, 0, "minute", "hour"), (24, 0, "hour", "day")]
        let dates = [(31, 1, "day", "month"), (12, 1, "month", "year")]
        let words = schedule.text.split(whereSeparator: { $0 == " " || $0 == "\t" })
        switch schedule.kind {
        case .cron where words.count >= 5:
            let rules = (words.count == 6 ? time : Array(time.dropFirst())) + dates
            return zip(words, rules).map { Stepped(text: $0, size: $1.0, least: $1.1, unit: $1.2, within: $1.3) }
        case .calendar:
            guard let word = words.first(where: { $0.contains(":") }) else { return [] }
            let parts = word.split(separator: ":", omittingEmptySubsequences: false)
            let rules = [time[2], time[1], time[0]]
            return zip(parts, rules).map { Stepped(text: $0, size: $1.0, least: $1.1, unit: $1.2, within: $1.3) }
        default: return []
        }
    }

    private func stepNotes() -> [String] {
        var notes: [String] = []
        for part in steppedParts() {
            let pieces = part.text.split(separator: "/", omittingEmptySubsequences: false)
            guard pieces.count == 2, let step = Int(pieces[1]), step > 1 else { continue }
            let first = pieces[0] == "*" ? part.least : Int(pieces[0]) ?? -1
            let greatest = part.least + part.size - 1
            guard first >= part.least, first <= greatest else { continue }
            let last = first + (greatest - first) / step * step
            let distance = first + part.size - last
            // Months differ in length, so a step of days always restarts unevenly.
            guard distance != step || part.unit == "day" else { continue }
            let (text, unit, within) = (part.text, part.unit, part.within)
            if last == first {
                notes.append("\(text) names only \(unit) \(first): the step is longer than the rest of the \(within)")
            } else {
                notes.append("\(text) restarts with each \(within): after \(unit) \(last) comes \(unit) \(first)")
            }
        }
        if schedule.kind == .cron, schedule.text.split(whereSeparator: { $0 == " " || $0 == "\t" }).count == 6 {
            notes.append("There are six fields, so the first one is the seconds")
        }
        return notes
    }

    // MARK: - Days

    private func dayNotes(_ pattern: CivilPattern) -> [String] {
        let rule = pattern.dayRule
        var notes: [String] = []
        let hasDays = rule.days != DayRule.everyDay
        let hasWeekdays = rule.weekdays != DayRule.everyWeekday
        if schedule.kind == .cron, hasDays, hasWeekdays {
            if rule.needsBoth {
                notes.append(
                    "Both the day of the month and the weekday must match, because one of the fields begins with *")
            } else {
                notes.append(
                    "The day of the month or the weekday is enough: both day fields are restricted, which means OR")
            }
        }
        let isOnlyDays = rule.daysFromEnd == 0 && !rule.hasLastWorkday && (rule.needsBoth || rule.weekdays == 0)
        let least = min(rule.days.trailingZeroBitCount, rule.nearestWorkdays.trailingZeroBitCount) + 1
        if hasDays, isOnlyDays, rule.lastWeekdays == 0, rule.nthWeekdays == 0, least > 28, least <= 31 {
            let last = schedule.kind == .cron ? "L" : "*-*~01"
            notes.append("A month without a day \(least) is left out; the last day of every month is \(last)")
        }
        return notes
    }

    private func hourNotes(_ pattern: CivilPattern) -> [String] {
        let isEveryMinute = pattern.minutes.nonzeroBitCount == 60
        guard isEveryMinute, pattern.hours.nonzeroBitCount <= 3, pattern.seconds.nonzeroBitCount == 1 else { return [] }
        let count = 60 * pattern.hours.nonzeroBitCount
        return ["It fires at each minute of its hours, \(count) times a day; minute 0 alone would be once an hour"]
    }

    // MARK: - DST changes

    /// About the changes of the next year, where nominal times of the pattern are skipped or shown twice.
    private func changeNotes(_ pattern: CivilPattern, after: Instant) -> [String] {
        // A rhythm through the whole day goes on as everybody expects.
        if pattern.isWildcard, pattern.hours.nonzeroBitCount == 24 { return [] }
        var notes: [String] = []
        var instant = after
        let end = after + .seconds(366 * 86_400)
        // Two changes a year, four around Ramadan; the limit is for zones that are no zones.
        for _ in 0..<8 {
            guard let change = zone.nextTransition(after: instant), change <= end else { break }
            instant = change
            let wallBefore = change.seconds + Int64(zone.utcOffset(at: change - .seconds(1)))
            let wallAfter = change.seconds + Int64(zone.utcOffset(at: change))
            let match = pattern.next(atOrAfter: min(wallBefore, wallAfter), below: max(wallBefore, wallAfter))
            guard match != WallClock.never else { continue }
            let day = LocalDateTime(wallSeconds: match)
            let date = "\(day.year)-\(padded(day.month, 2))-\(padded(day.day, 2))"
            let nominal = EnglishList.time(day.hour, day.minute, day.second)
            if wallAfter > wallBefore {
                let behavior =
                    pattern.isWildcard || dst.gap == .skip
                    ? "it does not fire for it" : "it fires at \(change.rfc3339(in: zone)) instead"
                notes.append("On \(date) the clock skips \(nominal): \(behavior)")
            } else {
                let fires =
                    pattern.isWildcard || dst.overlap == .both ? "it fires both times" : "it fires the first time only"
                notes.append("On \(date) the clock shows \(nominal) twice: \(fires)")
            }
        }
        return notes
    }

    private func rareNotes(after: Instant) -> [String] {
        guard let next = next(after: after) else { return [] }
        guard next - after > .seconds(366 * 86_400) else { return [] }
        return ["The next fire time is more than a year away: \(next.rfc3339(in: zone))"]
    }

    // MARK: - Intervals

    private func intervalNotes(_ interval: Interval) -> [String] {
        var notes: [String] = []
        let hasChanges = zone.nextTransition(after: anchor) != nil
        if interval.isElapsed, interval.seconds % 86_400 == 0, hasChanges {
            let days = interval.seconds / 86_400
            let hours = EnglishList.count(interval.seconds / 3_600, "hour")
            notes.append("\(hours) elapse, so the time of day moves with a DST change; \(days)d keeps it")
        }
        let day = zone.localDateTime(at: anchor).day
        if interval.months > 0, day > 28 {
            notes.append(
                "It is counted from the \(EnglishList.ordinal(day)): a month without that day has its last day instead")
        }
        return notes
    }
}
