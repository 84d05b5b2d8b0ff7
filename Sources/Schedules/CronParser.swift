/// Reads cron expressions: five fields, or six with seconds first. One pass over the bytes, no allocation unless it
/// fails.
///
/// The plain items (`*`, `5`, `1-5`, `*/15`, `MON-FRI`) are read in `plainItem`; whatever it does not know goes to
/// `CronParser+Items.swift`, which reads the day items (`L`, `15W`, `MON#2`) and finds out what is wrong with the rest.
///
/// Source: crontab(5) of Debian for the fields, names, steps and the rule of the two day fields.
struct CronParser: ~Copyable {
    var seconds: UInt64 = 1
    var minutes: UInt64 = 0
    var hours: UInt64 = 0
    var months: UInt64 = 0
    var dayRule = DayRule()
    var isWildcard = false
    /// Where the day-of-month field stands: what `never_fires` points at.
    var dayField = 0..<0

    init() {}

    /// The pattern of the fields in `range`, which begins and ends without blanks and is not empty.
    mutating func parse(_ text: borrowing Span<UInt8>, _ range: Range<Int>) throws(ScheduleError) -> CivilPattern {
        var begins = [6 of Int](repeating: 0)
        var ends = [6 of Int](repeating: 0)
        var count = 0
        var position = range.lowerBound
        while position < range.upperBound {
            if isBlank(text[position]) {
                position += 1
                continue
            }
            let begin = position
            while position < range.upperBound, !isBlank(text[position]) { position += 1 }
            if count < 6 {
                begins[count] = begin
                ends[count] = position
            } else if count == 6 {
                throw Self.wrongCount(text, range, surplus: begin)
            }
            count += 1
        }
        guard count >= 5 else { throw Self.wrongCount(text, range, surplus: text.count) }

        var index = 0
        if count == 6 {
            seconds = try numbers(text, begins[0]..<ends[0], .second)
            isWildcard = text[begins[0]] == UInt8(ascii: "*")
            index = 1
        }
        minutes = try numbers(text, begins[index]..<ends[index], .minute)
        hours = try numbers(text, begins[index + 1]..<ends[index + 1], .hour)
        isWildcard =
            isWildcard || text[begins[index]] == UInt8(ascii: "*") || text[begins[index + 1]] == UInt8(ascii: "*")
        dayField = begins[index + 2]..<ends[index + 2]
        let dayOfWeek = begins[index + 4]..<ends[index + 4]
        // Bits 1…31 become 0…30.
        dayRule.days = UInt32(truncatingIfNeeded: try numbers(text, dayField, .dayOfMonth) >> 1)
        months = try numbers(text, begins[index + 3]..<ends[index + 3], .month)
        if count == 6, let year = Self.year(text, dayOfWeek) {
            throw ScheduleError(
                .outOfRange, CronField.dayOfWeek.name, text, dayOfWeek,
                "there is no year field here, and six fields begin with the seconds; use calendar, such as "
                    + "\"\(year)-*-* 09:00\", or end_at")
        }
        dayRule.weekdays = UInt8(truncatingIfNeeded: try numbers(text, dayOfWeek, .dayOfWeek))
        dayRule.needsBoth = Self.isOpen(text[dayField.lowerBound]) || Self.isOpen(text[dayOfWeek.lowerBound])

        let monthMask = UInt16(truncatingIfNeeded: months)
        let pattern = CivilPattern(
            seconds: seconds, minutes: minutes, hours: UInt32(truncatingIfNeeded: hours), months: monthMask,
            dayRule: dayRule, isWildcard: isWildcard)
        guard pattern.canMatch else {
            throw ScheduleError(
                .neverFires, CronField.dayOfMonth.name, text, dayField,
                Self.neverSentence(months: monthMask, dayRule: dayRule))
        }
        return pattern
    }

    /// The year that stands where the weekday should: some crons have a sixth or seventh field for it.
    private static func year(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Int? {
        guard range.count == 4 else { return nil }
        var position = range.lowerBound
        let value = number(text, &position, range.upperBound)
        return position == range.upperBound && (WallClock.firstYear...WallClock.lastYear).contains(value) ? value : nil
    }

    private static func isOpen(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "*") || byte == UInt8(ascii: "?")
    }

    // MARK: - Fields

    /// The mask of one field; day items go to `dayRule`.
    @inline(__always)
    private mutating func numbers(
        _ text: borrowing Span<UInt8>, _ range: Range<Int>, _ field: CronField
    ) throws(ScheduleError) -> UInt64 {
        if range.count == 1 {
            let byte = text[range.lowerBound]
            let isDayField = field == .dayOfMonth || field == .dayOfWeek
            if byte == UInt8(ascii: "*") || (isDayField && byte == UInt8(ascii: "?")) {
                return Self.bits(from: field.least, span: field.size - 1, step: 1, field)
            }
        }
        var mask: UInt64 = 0
        var position = range.lowerBound
        while true {
            let begin = position
            let bits = Self.plainItem(text, &position, range.upperBound, field)
            if bits != 0 {
                mask |= bits
            } else {
                position = begin
                while position < range.upperBound, text[position] != UInt8(ascii: ",") { position += 1 }
                try readDayItem(text, begin..<position, field)
            }
            guard position < range.upperBound else { return mask }
            position += 1
        }
    }

    /// The values of a plain item; 0 where it is none or has a value that is out of range. Ends at the comma or the
    /// end.
    @inline(__always)
    private static func plainItem(
        _ text: borrowing Span<UInt8>, _ position: inout Int, _ end: Int, _ field: CronField
    ) -> UInt64 {
        guard position < end else { return 0 }
        var first = field.least
        var last = field.greatest
        var isRange = true
        if text[position] == UInt8(ascii: "*") {
            position += 1
        } else {
            first = plainValue(text, &position, end, field)
            guard first >= 0 else { return 0 }
            if position < end, text[position] == UInt8(ascii: "-") {
                position += 1
                last = plainValue(text, &position, end, field)
                guard last >= 0 else { return 0 }
                // Sunday as 7: at the begin it is 0; at the end it is the one after Saturday.
                if first == 7, field == .dayOfWeek {
                    first = 0
                    if last == 7 { last = 0 }
                }
            } else {
                isRange = false
                if first == 7, field == .dayOfWeek { first = 0 }
            }
        }
        var step = 1
        if position < end, text[position] == UInt8(ascii: "/") {
            position += 1
            step = number(text, &position, end)
            guard step >= 1, step <= field.size else { return 0 }
            isRange = true
        }
        guard position == end || text[position] == UInt8(ascii: ",") else { return 0 }
        if !isRange { return 1 &<< UInt64(truncatingIfNeeded: first) }
        let span = last >= first ? last &- first : last &- first &+ field.size
        return bits(from: first, span: span, step: step, field)
    }

    /// A number or a name that is a value of the field, else −1.
    @inline(__always)
    private static func plainValue(
        _ text: borrowing Span<UInt8>, _ position: inout Int, _ end: Int, _ field: CronField
    ) -> Int {
        guard position < end else { return -1 }
        if isDigit(text[position]) {
            let value = number(text, &position, end)
            return value >= field.least && value <= field.greatestWritten ? value : -1
        }
        guard field == .month || field == .dayOfWeek, end - position >= 3, isLetter(text[position]),
            isLetter(text[position + 1]), isLetter(text[position + 2])
        else { return -1 }
        if end - position > 3, isLetter(text[position + 3]) { return -1 }
        let packed = CronField.pack(text[position], text[position + 1], text[position + 2])
        position += 3
        return field.value(ofName: packed)
    }

    /// Digits as a number; anything over 9,999 is 9,999 or more, −1 where there are none.
    @inline(__always)
    static func number(_ text: borrowing Span<UInt8>, _ position: inout Int, _ end: Int) -> Int {
        guard position < end, isDigit(text[position]) else { return -1 }
        var value = 0
        while position < end, isDigit(text[position]) {
            if value < 10_000 { value = value &* 10 &+ Int(text[position] &- UInt8(ascii: "0")) }
            position += 1
        }
        return value
    }

    /// The values `first`, `first + step`, … up to `first + span`, wrapped into the field.
    @inline(__always)
    private static func bits(from first: Int, span: Int, step: Int, _ field: CronField) -> UInt64 {
        if step == 1, first &+ span <= field.greatest {
            return (UInt64(2) &<< UInt64(truncatingIfNeeded: span) &- 1) &<< UInt64(truncatingIfNeeded: first)
        }
        var mask: UInt64 = 0
        var offset = 0
        while offset <= span {
            var value = first &+ offset
            if value > field.greatest { value &-= field.size }
            mask |= 1 &<< UInt64(truncatingIfNeeded: value)
            offset &+= step
        }
        return mask
    }

    // MARK: - Errors

    private static func wrongCount(
        _ text: borrowing Span<UInt8>, _ range: Range<Int>, surplus: Int
    ) -> ScheduleError {
        var count = 0
        var wasBlank = true
        for index in range {
            let blank = isBlank(text[index])
            if wasBlank, !blank { count += 1 }
            wasBlank = blank
        }
        return ScheduleError(
            code: .fieldCount, field: "expression", value: "\(count)", position: ScheduleError.position(text, surplus),
            sentence: "expected 5 fields, or 6 with seconds first")
    }

    /// "no February has a day 30", or the like where the rule is more than one day.
    private static func neverSentence(months: UInt16, dayRule: DayRule) -> String {
        let names = EnglishList.bits(UInt64(months)).map { EnglishList.months[$0 - 1] }
        let days = EnglishList.bits(UInt64(dayRule.days)).map { $0 + 1 }
        let isPlain = dayRule.daysFromEnd == 0 && dayRule.nearestWorkdays == 0 && !dayRule.hasLastWorkday
        let what = days.count == 1 && isPlain ? "a day \(days[0])" : "such a day"
        return "no \(EnglishList.joined(names, "or")) has \(what)"
    }
}
