/// Reads calendar events, `[weekdays] [date] [time] [zone]`, the grammar of systemd.time(7) less what schedules refuse.
///
/// Stricter than systemd on purpose where it would be surprising: no trailing comma in a list of weekdays, no
/// fraction of a second, no `@epoch`, zones in their own case. Never looser: what is read here systemd reads too. So
/// there are no blanks around it, one space before the zone, one or more between the other parts.
struct CalendarParser: ~Copyable {
    private(set) var seconds: UInt64 = 1
    private(set) var minutes: UInt64 = 1
    private(set) var hours: UInt64 = 1
    private(set) var months: UInt64 = UInt64(CivilPattern.everyMonth)
    private(set) var years = YearSet.all
    private(set) var dayRule = DayRule(days: DayRule.everyDay, weekdays: DayRule.everyWeekday)
    private(set) var isWildcard = false
    /// Where the day stands, or the part that decides the date: what `never_fires` points at.
    private(set) var dayField = 0..<0
    private(set) var zone: TimeZoneRules?
    /// Whether a time of day, or a shorthand, is written.
    private(set) var hasTime = false

    private enum Part: Int {
        case weekdays, date, time, zone
    }

    /// The parts of a calendar event, in their order; the fifth word is surplus.
    mutating func parse(
        _ text: borrowing Span<UInt8>, zones: (String) -> TimeZoneRules?
    ) throws(ScheduleError) -> CivilPattern {
        let end = text.count
        guard Schedule.trimmed(text) == 0..<end else {
            throw ScheduleError(.syntax, "expression", text, 0..<0, "remove the blanks around it")
        }
        var position = 0
        var last: Part?
        while position < end {
            let begin = position
            while position < end, text[position] != UInt8(ascii: " ") { position += 1 }
            let word = begin..<position
            while position < end, text[position] == UInt8(ascii: " ") { position += 1 }
            let part = try Self.part(text, word, after: last)
            switch part {
            case .weekdays:
                if try readShorthand(text, word) {
                    // Only a zone may follow a shorthand.
                    last = .time
                    continue
                }
                try readWeekdays(text, word)
            case .date: try readDate(text, word)
            case .time: try readTime(text, word)
            case .zone:
                // systemd cuts the zone off with one space before it.
                if word.lowerBound >= 2, text[word.lowerBound - 2] == UInt8(ascii: " ") {
                    let surplus = (word.lowerBound - 1)..<(word.lowerBound - 1)
                    throw ScheduleError(.syntax, "expression", text, surplus, "one space stands before the zone")
                }
                let name = ScheduleError.string(text, word)
                // "local" is a word of the key "timezone", no name of a zone.
                guard name != "local", let found = zones(name) else {
                    throw ScheduleError(
                        .badTimezone, "timezone", text, word,
                        "expected UTC or an installed IANA name such as Europe/Berlin")
                }
                zone = found
            }
            last = part
        }
        let pattern = CivilPattern(
            seconds: seconds, minutes: minutes, hours: UInt32(truncatingIfNeeded: hours),
            months: UInt16(truncatingIfNeeded: months), dayRule: dayRule, years: years, isWildcard: isWildcard)
        guard pattern.canMatch else {
            throw ScheduleError(.neverFires, "day", text, dayField, Self.neverSentence(pattern))
        }
        return pattern
    }

    /// Why no date matches. Of a single date with another weekday it is that weekday which helps.
    private static func neverSentence(_ pattern: CivilPattern) -> String {
        let years = (WallClock.firstYear...WallClock.lastYear).filter { pattern.years.contains($0) }
        let months = EnglishList.bits(UInt64(pattern.months))
        let days = EnglishList.bits(UInt64(pattern.dayRule.days)).map { $0 + 1 }
        if years.count == 1, months.count == 1, days.count == 1,
            days[0] <= WallClock.length(ofMonth: months[0], year: years[0])
        {
            let day = WallClock.dayNumber(year: years[0], month: months[0], day: days[0])
            let weekday = LocalDateTime(wallSeconds: day * WallClock.secondsPerDay).weekday
            return "\(days[0]) \(EnglishList.months[months[0] - 1]) \(years[0]) is a \(EnglishList.weekdays[weekday])"
        }
        return "no date from 1970 to 2199 matches"
    }

    /// What a word is, by the characters that only one part has.
    private static func part(
        _ text: borrowing Span<UInt8>, _ word: Range<Int>, after last: Part?
    ) throws(ScheduleError) -> Part {
        let first = text[word.lowerBound]
        if first == UInt8(ascii: "@") {
            throw ScheduleError(.unsupported, "expression", text, word, "one instant is a \"once\"")
        }
        var hasColon = false
        var hasDash = false
        for index in word {
            hasColon = hasColon || text[index] == UInt8(ascii: ":")
            hasDash = hasDash || text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "~")
        }
        let part: Part
        if last == nil {
            if isLetter(first) { return .weekdays }
            if !hasColon, !hasDash {
                throw ScheduleError(
                    .syntax, "expression", text, word,
                    "expected weekdays, a date such as *-*-01 or a time such as 09:00")
            }
            part = hasColon ? .time : .date
        } else if isLetter(first) {
            part = .zone
        } else {
            part = hasColon ? .time : .date
        }
        if let last, part.rawValue <= last.rawValue {
            throw ScheduleError(
                .syntax, "expression", text, word, "expected at most weekdays, a date, a time and a zone")
        }
        return part
    }

    // MARK: - Shorthands

    private mutating func readShorthand(
        _ text: borrowing Span<UInt8>, _ word: Range<Int>
    ) throws(ScheduleError) -> Bool {
        guard word.count <= 12 else { return false }
        let first: UInt64 = 1 << 1
        switch ScheduleError.string(text, word).lowercased() {
        case "minutely":
            hours = 0xFF_FFFF
            minutes = (1 << 60) - 1
        case "hourly": hours = 0xFF_FFFF
        case "daily": break
        case "weekly": dayRule.weekdays = 1 << 1
        case "monthly": dayRule.days = 1
        case "quarterly":
            dayRule.days = 1
            months = first | 1 << 4 | 1 << 7 | 1 << 10
        case "semiannually":
            dayRule.days = 1
            months = first | 1 << 7
        case "yearly", "annually":
            dayRule.days = 1
            months = first
        default: return false
        }
        isWildcard = hours != 1
        hasTime = true
        dayField = word
        return true
    }

    // MARK: - Weekdays

    private mutating func readWeekdays(_ text: borrowing Span<UInt8>, _ word: Range<Int>) throws(ScheduleError) {
        var mask: UInt8 = 0
        var begin = word.lowerBound
        while true {
            var end = begin
            while end < word.upperBound, text[end] != UInt8(ascii: ",") { end += 1 }
            mask |= try weekdayItem(text, begin..<end)
            guard end < word.upperBound else { break }
            begin = end + 1
        }
        dayRule.weekdays = mask
        dayField = word
    }

    /// `Mon`, `Monday`, `Mon..Fri` or `Mon-Fri`.
    private func weekdayItem(_ text: borrowing Span<UInt8>, _ item: Range<Int>) throws(ScheduleError) -> UInt8 {
        let syntax = "expected Mon, Tuesday, Mon..Fri or Sat,Sun"
        var position = item.lowerBound
        let firstRange = letters(text, &position, item.upperBound)
        guard !firstRange.isEmpty else { throw ScheduleError(.syntax, "weekday", text, item, syntax) }
        var secondRange: Range<Int>?
        if position < item.upperBound {
            if text[position] == UInt8(ascii: "-") {
                position += 1
            } else if item.upperBound - position >= 2, text[position] == UInt8(ascii: "."),
                text[position + 1] == UInt8(ascii: ".")
            {
                position += 2
            } else {
                throw ScheduleError(.syntax, "weekday", text, item, syntax)
            }
            let found = letters(text, &position, item.upperBound)
            guard !found.isEmpty, position == item.upperBound else {
                throw ScheduleError(.syntax, "weekday", text, item, syntax)
            }
            secondRange = found
        }
        let first = try weekday(text, firstRange)
        let last = try secondRange.map { range throws(ScheduleError) in try weekday(text, range) } ?? first
        guard first <= last else {
            let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
            let days = (Array(names[first...]) + names[...last]).joined(separator: ",")
            throw ScheduleError(.syntax, "weekday", text, item, "write \(days)")
        }
        // Monday is 0 here and 1 in the mask, Sunday 6 here and 0 there.
        var mask: UInt8 = 0
        for day in first...last { mask |= 1 << UInt8((day + 1) % 7) }
        return mask
    }

    private func letters(_ text: borrowing Span<UInt8>, _ position: inout Int, _ end: Int) -> Range<Int> {
        let begin = position
        while position < end, isLetter(text[position]) { position += 1 }
        return begin..<position
    }

    /// 0 is Monday.
    private func weekday(_ text: borrowing Span<UInt8>, _ range: Range<Int>) throws(ScheduleError) -> Int {
        let names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
        let name = range.count <= 9 ? ScheduleError.string(text, range).lowercased() : ""
        guard let index = names.firstIndex(where: { $0 == name || (name.utf8.count == 3 && $0.hasPrefix(name)) }) else {
            throw ScheduleError(
                .unknownName, "weekday", text, range, "expected a weekday such as Mon, or a shorthand such as daily")
        }
        return index
    }

    // MARK: - Date

    private mutating func readDate(_ text: borrowing Span<UInt8>, _ word: Range<Int>) throws(ScheduleError) {
        var separators: [Int] = []
        for index in word where text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "~") {
            separators.append(index)
            if separators.count > 2 { break }
        }
        guard let lastSeparator = separators.last, separators.count <= 2,
            separators.count == 1 || text[separators[0]] == UInt8(ascii: "-")
        else {
            throw ScheduleError(.syntax, "date", text, word, "expected a date such as *-*-01, 12-25 or *-02~01")
        }
        let isTilde = text[lastSeparator] == UInt8(ascii: "~")
        var begin = word.lowerBound
        if separators.count == 2 {
            try readYears(text, begin..<separators[0])
            begin = separators[0] + 1
        }
        let dayBegin = lastSeparator + 1
        months = try CalendarComponent.month.mask(text, begin..<(dayBegin - 1)) ?? UInt64(CivilPattern.everyMonth)
        dayField = dayBegin..<word.upperBound
        let component = isTilde ? CalendarComponent.dayFromEnd : CalendarComponent.day
        if let days = try component.mask(text, dayField) {
            dayRule.days = isTilde ? 0 : UInt32(truncatingIfNeeded: days >> 1)
            // Bit p, the p-th last day, is p−1 days before the last.
            dayRule.daysFromEnd = isTilde ? UInt32(truncatingIfNeeded: days >> 1) : 0
        }
    }

    private mutating func readYears(_ text: borrowing Span<UInt8>, _ range: Range<Int>) throws(ScheduleError) {
        if range.count == 1, text[range.lowerBound] == UInt8(ascii: "*") { return }
        years = .none
        var found = YearSet.none
        try CalendarComponent.year.forEachValue(text, range) { found.insert($0) }
        years = found
    }

    // MARK: - Time

    private mutating func readTime(_ text: borrowing Span<UInt8>, _ word: Range<Int>) throws(ScheduleError) {
        var colons: [Int] = []
        for index in word where text[index] == UInt8(ascii: ":") {
            colons.append(index)
            if colons.count > 2 { break }
        }
        guard colons.count <= 2 else {
            throw ScheduleError(.syntax, "time", text, word, "expected a time such as 09:00 or 09:00:30")
        }
        hasTime = true
        let minuteEnd = colons.count == 2 ? colons[1] : word.upperBound
        hours = try timeMask(text, word.lowerBound..<colons[0], .hour)
        minutes = try timeMask(text, (colons[0] + 1)..<minuteEnd, .minute)
        if colons.count == 2 { seconds = try timeMask(text, (minuteEnd + 1)..<word.upperBound, .second) }
    }

    private mutating func timeMask(
        _ text: borrowing Span<UInt8>, _ range: Range<Int>, _ component: CalendarComponent
    ) throws(ScheduleError) -> UInt64 {
        guard let mask = try component.mask(text, range) else {
            isWildcard = true
            return component == .hour ? 0xFF_FFFF : (1 << 60) - 1
        }
        isWildcard = isWildcard || component.hasOpenRepetition(text, range)
        return mask
    }
}
