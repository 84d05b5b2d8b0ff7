/// Reads intervals: `30m`, `1 hour 30 minutes`, `every 2 weeks`, `P1M`, `PT1H30M`.
enum IntervalParser {
    /// The units from the largest to the smallest: the order in which they may be written.
    enum Unit: Int {
        case year, month, week, day, hour, minute, second

        /// Adds so many of the unit. Counts are capped far beyond the limits, so nothing overflows.
        func add(_ count: Int64, to interval: inout Interval) {
            switch self {
            case .year: interval.months += count * 12
            case .month: interval.months += count
            case .week: interval.days += count * 7
            case .day: interval.days += count
            case .hour: interval.seconds += count * 3_600
            case .minute: interval.seconds += count * 60
            case .second: interval.seconds += count
            }
        }

        /// Spellings in lower case. A lone capital M has been refused before.
        init?(spelling: String) {
            switch spelling {
            case "s", "sec", "secs", "second", "seconds": self = .second
            case "m", "min", "mins", "minute", "minutes": self = .minute
            case "h", "hr", "hrs", "hour", "hours": self = .hour
            case "d", "day", "days": self = .day
            case "w", "wk", "wks", "week", "weeks": self = .week
            case "mo", "month", "months": self = .month
            case "y", "yr", "yrs", "year", "years": self = .year
            default: return nil
            }
        }
    }

    /// The longest spelling of a unit; anything longer is none.
    private static let longestUnit = 7
    /// A count above this is this: over every limit, and small enough to be multiplied.
    private static let countCap: Int64 = 100_000_000_000

    private static let example = "expected an interval such as 30m, 1h30m, 2 weeks or PT45M"

    /// - Parameters:
    ///   - whole: the bytes of the interval in `text`; positions in errors are those of `text`.
    ///   - field: what errors name as the field; a `once` says `datetime`.
    static func parse(
        _ text: borrowing Span<UInt8>, _ whole: Range<Int>, field: String
    ) throws(ScheduleError) -> Interval {
        var end = whole.upperBound
        while end > whole.lowerBound, isBlank(text[end - 1]) { end -= 1 }
        var begin = whole.lowerBound
        while begin < end, isBlank(text[begin]) { begin += 1 }
        guard begin < end else {
            throw ScheduleError(.empty, field, text, begin == text.count ? 0..<0 : begin..<begin, example)
        }
        if text[begin] == UInt8(ascii: "P") { return try duration(text, begin..<end, field: field) }
        begin = afterEvery(text, begin..<end)
        let interval = try units(text, begin..<end, field: field)
        return try bounded(interval, text, begin..<end, field: field)
    }

    /// Where the units begin: after the word "every" and its blanks, if it is there.
    private static func afterEvery(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Int {
        let word = Schedule.firstWord(text, range)
        guard word.count == 5, word.upperBound < range.upperBound,
            ScheduleError.string(text, word).lowercased() == "every"
        else { return range.lowerBound }
        var position = word.upperBound
        while position < range.upperBound, isBlank(text[position]) { position += 1 }
        return position
    }

    private static func bounded(
        _ interval: Interval, _ text: borrowing Span<UInt8>, _ range: Range<Int>, field: String
    ) throws(ScheduleError) -> Interval {
        if interval.isZero { throw ScheduleError(.tooSmall, field, text, range, "an interval is at least 1 second") }
        if interval.isTooLarge {
            throw ScheduleError(.tooLarge, field, text, range, "an interval is at most 100 years")
        }
        return interval
    }

    // MARK: - Units

    private static func units(
        _ text: borrowing Span<UInt8>, _ range: Range<Int>, field: String
    ) throws(ScheduleError) -> Interval {
        var interval = Interval()
        var lastUnit: Unit?
        var position = range.lowerBound
        while position < range.upperBound {
            let numberBegin = position
            let count = count(text, &position, range.upperBound)
            guard let count else {
                throw ScheduleError(.syntax, field, text, word(text, position, range.upperBound), example)
            }
            let number = numberBegin..<position
            skipBlanks(text, &position, range.upperBound)
            let unitBegin = position
            while position < range.upperBound, isUnitByte(text[position]) { position += 1 }
            if position == unitBegin {
                guard position == range.upperBound || isDigit(text[position]) else {
                    throw ScheduleError(
                        .syntax, field, text, word(text, position, range.upperBound),
                        "expected a unit after the whole number; write 1h30m, not 1.5h")
                }
                throw ScheduleError(
                    .missingUnit, field, text, number, "expected a unit after the number, such as s, m, h or d")
            }
            let unitRange = unitBegin..<position
            let unit = try unit(text, unitRange, field: field)
            if let lastUnit, unit.rawValue <= lastUnit.rawValue {
                throw ScheduleError(
                    .unitOrder, field, text, unitRange, "units go from the largest to the smallest, each once: 1h30m")
            }
            lastUnit = unit
            unit.add(count, to: &interval)
            skipBlanks(text, &position, range.upperBound)
        }
        return interval
    }

    private static func unit(
        _ text: borrowing Span<UInt8>, _ range: Range<Int>, field: String
    ) throws(ScheduleError) -> Unit {
        if range.count == 1, text[range.lowerBound] == UInt8(ascii: "M") {
            var number = range.lowerBound
            while number > 0, isBlank(text[number - 1]) { number -= 1 }
            var begin = number
            while begin > 0, isDigit(text[begin - 1]) { begin -= 1 }
            let count = ScheduleError.string(text, max(begin, number - 12)..<number)
            throw ScheduleError(.ambiguousUnit, field, text, range, "write \"\(count) min\" or \"\(count) mo\"")
        }
        let spelling = range.count <= longestUnit ? ScheduleError.string(text, range).lowercased() : ""
        guard let unit = Unit(spelling: spelling) else {
            throw ScheduleError(
                .badUnit, field, text, range, "expected seconds, minutes, hours, days, weeks, months or years")
        }
        return unit
    }

    /// Whole digits, capped; none where there is no digit.
    private static func count(_ text: borrowing Span<UInt8>, _ position: inout Int, _ end: Int) -> Int64? {
        guard position < end, isDigit(text[position]) else { return nil }
        var value: Int64 = 0
        while position < end, isDigit(text[position]) {
            value = min(value * 10 + Int64(text[position] - UInt8(ascii: "0")), countCap)
            position += 1
        }
        return value
    }

    private static func skipBlanks(_ text: borrowing Span<UInt8>, _ position: inout Int, _ end: Int) {
        while position < end, isBlank(text[position]) { position += 1 }
    }

    /// Letters, and every byte of a scalar that is not ASCII: `5µs` has a bad unit, not a bad number.
    private static func isUnitByte(_ byte: UInt8) -> Bool {
        isLetter(byte) || byte >= 0x80
    }

    /// From `begin` up to the next blank.
    private static func word(_ text: borrowing Span<UInt8>, _ begin: Int, _ limit: Int) -> Range<Int> {
        var end = begin
        while end < limit, !isBlank(text[end]) { end += 1 }
        return begin..<end
    }

    // MARK: - ISO 8601

    /// `PnW` or `P nY nM nD T nH nM nS`, in upper case and whole numbers, at least one part, and one after a T.
    private static func duration(
        _ text: borrowing Span<UInt8>, _ range: Range<Int>, field: String
    ) throws(ScheduleError) -> Interval {
        var interval = Interval()
        var position = range.lowerBound + 1
        var isTime = false
        var lastUnit: Unit?
        var isWellFormed = position < range.upperBound
        while position < range.upperBound, isWellFormed {
            if !isTime, text[position] == UInt8(ascii: "T"), lastUnit != .week {
                isTime = true
                position += 1
                isWellFormed = position < range.upperBound
                continue
            }
            guard let count = count(text, &position, range.upperBound), position < range.upperBound,
                let unit = isoUnit(text[position], isTime: isTime), lastUnit != .week,
                unit == .week ? lastUnit == nil : unit.rawValue > (lastUnit?.rawValue ?? -1)
            else {
                isWellFormed = false
                break
            }
            position += 1
            lastUnit = unit
            unit.add(count, to: &interval)
        }
        guard isWellFormed, lastUnit != nil else {
            throw ScheduleError(
                .syntax, field, text, range, "expected a duration such as P1M, P1DT12H or PT45M, in whole numbers")
        }
        return try bounded(interval, text, range, field: field)
    }

    private static func isoUnit(_ byte: UInt8, isTime: Bool) -> Unit? {
        switch (byte, isTime) {
        case (UInt8(ascii: "Y"), false): .year
        case (UInt8(ascii: "M"), false): .month
        case (UInt8(ascii: "W"), false): .week
        case (UInt8(ascii: "D"), false): .day
        case (UInt8(ascii: "H"), true): .hour
        case (UInt8(ascii: "M"), true): .minute
        case (UInt8(ascii: "S"), true): .second
        default: nil
        }
    }
}
