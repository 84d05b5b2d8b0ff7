extension Timetable {
    /// What may surprise about it, in plain English, one sentence each: steps that restart, what two day fields mean,
    /// days that some months lack, and what happens at the DST changes of the year after `after`.
    public func notes(after: Instant) -> [String] {
        let notes: [String] =
            switch schedule.rule {
            case .civil(let pattern):
                stepNotes() + dayNotes(pattern) + hourNotes(pattern) + changeNotes(pattern, after: after)
                    + rareNotes(after: after)
            case .interval(let interval): intervalNotes(interval, after: after)
            case .once(let instant): onceNotes(instant)
            case .reboot:
                ["It has no fire times: it runs once when the daemon first starts after a boot of the machine"]
            }
        return notes + zoneNotes(after: after)
    }

    private func zoneNotes(after: Instant) -> [String] {
        guard case .reboot = schedule.rule else {
            guard EnglishList.hasReversedSign(zone.name) else { return [] }
            let hours = abs(zone.utcOffset(at: after)) / 3_600
            let side = zone.utcOffset(at: after) < 0 ? "behind" : "ahead of"
            return [
                "The sign of \(zone.name) is reversed: it is \(EnglishList.count(Int64(hours), "hour")) \(side) UTC"
            ]
        }
        return []
    }

    // MARK: - Steps

    /// One part of a schedule, as far as a step in it can be surprising.
    private struct Stepped {
        var text: Substring
        var unit: Unit

        enum Unit: String { case second, minute, hour, day, month, weekday }

        /// Its values, from the least, and what begins anew with the least.
        var rule: (least: Int, greatest: Int, within: String) {
            switch unit {
            case .second: (0, 59, "minute")
            case .minute: (0, 59, "hour")
            case .hour: (0, 23, "day")
            case .day: (1, 31, "month")
            case .month: (1, 12, "year")
            case .weekday: (0, 6, "week")
            }
        }

        func words(_ value: Int) -> String {
            switch unit {
            case .month: EnglishList.months[value - 1]
            case .weekday: EnglishList.weekdays[value % 7]
            default: "\(unit.rawValue) \(value)"
            }
        }

        /// Its items that step from a value to the end of the part: `*/7`, `3/7`, and a range that names all values.
        /// A range that ends earlier says itself where it ends.
        var openSteps: [(text: Substring, first: Int, last: Int, step: Int)] {
            text.split(separator: ",").compactMap { item in
                let pieces = item.split(separator: "/", omittingEmptySubsequences: false)
                guard pieces.count == 2, let step = Int(pieces[1]), step > 1 else { return nil }
                // A calendar writes ranges with two dots.
                let ends = pieces[0].split(whereSeparator: { $0 == "-" || $0 == "." })
                let (least, greatest, _) = rule
                func stepped(_ first: Int, to end: Int) -> (Substring, Int, Int, Int) {
                    (item, first, first + (end - first) / step * step, step)
                }
                if pieces[0] == "*" { return stepped(least, to: greatest) }
                guard let first = ends.first.flatMap({ Int($0) }), first >= least, first <= greatest else { return nil }
                guard ends.count == 2 else { return ends.count == 1 ? stepped(first, to: greatest) : nil }
                // `0-7` and `1-7` are weeks too.
                guard let last = Int(ends[1]), last <= greatest || unit == .weekday && last == 7 else { return nil }
                return last - first >= greatest - least ? stepped(first, to: last) : nil
            }
        }
    }

    /// The parts of the text that a step can stand in.
    private func steppedParts() -> [Stepped] {
        let words = schedule.text.split(whereSeparator: { $0 == " " || $0 == "\t" })
        switch schedule.kind {
        case .cron where words.count >= 5:
            let units: [Stepped.Unit] = [.minute, .hour, .day, .month, .weekday]
            return zip(words, words.count == 6 ? [.second] + units : units).map { Stepped(text: $0, unit: $1) }
        case .calendar:
            var parts: [Stepped] = []
            // `*-1/5` and `*-*-1/5`; a day that is counted from the end has a `~`.
            if let date = words.first(where: { $0.contains("-") && !$0.contains(":") && !$0.contains("~") }) {
                let fields = date.split(separator: "-", omittingEmptySubsequences: false)
                parts += zip(fields.reversed(), [Stepped.Unit.day, .month]).map { Stepped(text: $0, unit: $1) }
            }
            if let time = words.first(where: { $0.contains(":") }) {
                let fields = time.split(separator: ":", omittingEmptySubsequences: false)
                parts += zip(fields, [Stepped.Unit.hour, .minute, .second]).map { Stepped(text: $0, unit: $1) }
            }
            return parts
        default: return []
        }
    }

    /// By the values that a step names, however it is spelled.
    private func stepNotes() -> [String] {
        var notes: [String] = []
        for part in steppedParts() {
            let (least, greatest, within) = part.rule
            for (text, first, last, step) in part.openSteps {
                let distance = first + (greatest - least + 1) - last
                // Months differ in length, so a step of days always restarts unevenly.
                guard distance != step || part.unit == .day else { continue }
                if last == first {
                    notes.append(
                        "\(text) names only \(part.words(first)): the step is longer than the rest of the \(within)")
                } else {
                    notes.append(
                        "\(text) restarts with each \(within): after \(part.words(last)) comes \(part.words(first))")
                }
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
        if schedule.kind == .cron, rule.matchesEveryDay, hasDays || hasWeekdays {
            notes.append(
                "Both day fields are restricted, which means OR, and one of them names every day: it fires on every day"
            )
        } else if schedule.kind == .cron, hasDays, hasWeekdays {
            if rule.needsBoth {
                notes.append(
                    "Both the day of the month and the weekday must match, because one of the fields begins with *")
            } else {
                notes.append(
                    "The day of the month or the weekday is enough: both day fields are restricted, which means OR")
            }
        }
        if hasDays, !rule.matchesEveryDay { notes += shortMonthNotes(pattern) }
        return notes
    }

    /// About days that some month of the pattern lacks.
    private func shortMonthNotes(_ pattern: CivilPattern) -> [String] {
        let rule = pattern.dayRule
        let isOnlyDays = rule.daysFromEnd == 0 && !rule.hasLastWorkday && (rule.needsBoth || rule.weekdays == 0)
        guard isOnlyDays, rule.lastWeekdays == 0, rule.nthWeekdays == 0 else { return [] }
        let days = EnglishList.bits(UInt64(rule.days | rule.nearestWorkdays)).map { $0 + 1 }
        let months = EnglishList.bits(UInt64(pattern.months))
        // In a year that is no leap year.
        func isLacking(_ day: Int) -> Bool { months.contains { WallClock.length(ofMonth: $0, year: 2_001) < day } }
        // A step names days, not a date; its own note says what it does.
        guard let day = days.first(where: isLacking), !hasSteppedDay else { return [] }
        let last = schedule.kind == .cron ? "L" : "*-*~01"
        let what = day == days.first ? "is left out" : "leaves it out"
        return ["A month without a day \(day) \(what); the last day of every month is \(last)"]
    }

    private var hasSteppedDay: Bool { steppedParts().contains { $0.unit == .day && $0.text.contains("/") } }

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
        for change in changesOfAYear(after: after) {
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

    private func changesOfAYear(after: Instant) -> [Instant] {
        let end = after + .seconds(366 * 86_400)
        var changes: [Instant] = []
        // Two a year, four around Ramadan; the limit is for zones that are no zones.
        while changes.count < 8, let change = zone.nextTransition(after: changes.last ?? after), change <= end {
            changes.append(change)
        }
        return changes
    }

    private func rareNotes(after: Instant) -> [String] {
        guard let next = next(after: after) else { return [] }
        guard next - after > .seconds(366 * 86_400) else { return [] }
        return ["The next fire time is more than a year away: \(next.rfc3339(in: zone))"]
    }

    // MARK: - Intervals

    private func intervalNotes(_ interval: Interval, after: Instant) -> [String] {
        var notes: [String] = []
        let hasChanges = zone.nextTransition(after: anchor) != nil
        if interval.isElapsed, interval.seconds % 86_400 == 0, hasChanges {
            let days = interval.seconds / 86_400
            let hours = EnglishList.count(interval.seconds / 3_600, "hour")
            notes.append("\(hours) elapse, so the time of day moves with a DST change; \(days)d keeps it")
        }
        let begin = zone.localDateTime(at: anchor)
        if interval.months > 0, interval.days == 0, reachesShorterMonth(interval.months, from: begin) {
            notes.append(
                "It is counted from the \(EnglishList.ordinal(begin.day)): a month without that day has its last day instead"
            )
        }
        return notes + (interval.seconds == 0 ? intervalChangeNotes(after: after) : [])
    }

    /// Whether counting by so many months from that date comes to a month, or a February, without its day.
    private func reachesShorterMonth(_ months: Int64, from begin: LocalDateTime) -> Bool {
        guard begin.day > 28 else { return false }
        return (1...12).contains { index in
            let month = (Int64(begin.month) - 1 + Int64(index) * (months % 12)) % 12 + 1
            return WallClock.length(ofMonth: Int(month), year: 2_001) < begin.day
        }
    }

    /// Fires of an interval of days, weeks or months at the changes of the next year.
    private func intervalChangeNotes(after: Instant) -> [String] {
        let nominal = zone.localDateTime(at: anchor).wallSeconds % WallClock.secondsPerDay
        var notes: [String] = []
        for change in changesOfAYear(after: after) {
            var fire = next(after: change - .seconds(86_400))
            // No interval without an elapsed part is shorter than a day.
            while let found = fire, found <= change + .seconds(86_400) {
                notes += changeNote(of: found, nominal: nominal)
                fire = next(after: found)
            }
        }
        return notes
    }

    // MARK: - One instant

    private func onceNotes(_ instant: Instant) -> [String] {
        let bytes = schedule.text.utf8.span
        let moment = DateTimeShape(bytes, Schedule.trimmed(bytes)).flatMap { try? $0.moment(bytes) }
        // With an offset it is that instant, whatever a clock shows.
        guard moment?.offset == nil, schedule.text.utf8.contains(UInt8(ascii: ":")) else { return [] }
        return changeNote(of: instant, nominal: moment.map { $0.wall % WallClock.secondsPerDay })
    }

    /// What a DST change does to one fire.
    ///
    /// - Parameter nominal: the second of the day that was asked for; nil where that is not known.
    private func changeNote(of fire: Instant, nominal: Int64?) -> [String] {
        let local = zone.localDateTime(at: fire)
        let date = "\(local.year)-\(padded(local.month, 2))-\(padded(local.day, 2))"
        if let nominal, local.wallSeconds % WallClock.secondsPerDay != nominal {
            let time = EnglishList.time(Int(nominal / 3_600), Int(nominal / 60 % 60), Int(nominal % 60))
            return ["On \(date) the clock skips \(time): it fires at \(fire.rfc3339(in: zone)) instead"]
        }
        guard let change = zone.nextTransition(after: fire - .seconds(86_400)) else { return [] }
        let shift = Int64(zone.utcOffset(at: change - .seconds(1)) - zone.utcOffset(at: change))
        guard shift > 0, fire >= change - .seconds(shift), fire < change + .seconds(shift) else { return [] }
        let time = EnglishList.time(local.hour, local.minute, local.second)
        return ["On \(date) the clock shows \(time) twice: it fires the first time only"]
    }
}
