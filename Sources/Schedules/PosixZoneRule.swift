/// The rule in the footer of a TZif file, in the notation of the variable TZ of POSIX, with the wider hours that RFC
/// 9636 allows: `EST5EDT,M3.2.0,M11.1.0`, `<+1030>-10:30<+11>-11,M10.1.0,M4.1.0`, `IST-2IDT,M3.4.4/26,M10.5.0`,
/// `UTC0`.
struct PosixZoneRule {
    /// The day of a year on which a change happens.
    enum Day {
        /// 1…365, February 29 is never counted.
        case julian(Int)
        /// 0…365, February 29 is counted.
        case zeroBased(Int)
        /// Month, week 1…5 (5: the last), weekday with 0 = Sunday.
        case monthWeekDay(Int, Int, Int)
    }

    struct Change {
        var day: Day
        /// Seconds of wall time after 00:00 of that day; negative or beyond 24 h is allowed.
        var time: Int64
    }

    /// A footer longer than this is refused; the longest of tzdata has 40 bytes.
    static let textLimit = 128

    private(set) var standardOffset: Int64
    private(set) var daylight: (offset: Int64, begin: Change, end: Change)?

    /// The changes after `last` up to the year after the horizon, ascending. Without daylight time there are none:
    /// RFC 9636 has the rule agree with the last transition listed, so it says something new only where nothing is
    /// listed.
    func transitions(after last: Int64) -> [(start: Int64, offset: Int64)] {
        guard let daylight else {
            return last == .min ? [(-(1 << 56), standardOffset)] : []
        }
        let lastYear = last < -(1 << 40) ? 1800 : LocalDateTime(wallSeconds: last).year
        var changes: [(start: Int64, offset: Int64)] = []
        for year in max(lastYear - 1, 1800)...max(WallClock.lastYear + 2, lastYear + 1) {
            let begin = Self.wallSeconds(of: daylight.begin, year: year) - standardOffset
            let end = Self.wallSeconds(of: daylight.end, year: year) - daylight.offset
            changes.append((begin, daylight.offset))
            changes.append((end, standardOffset))
        }
        // Where daylight time lasts all year, its end and its next begin fall on one instant: the begin counts.
        changes.sort {
            ($0.start, $0.offset == daylight.offset ? 1 : 0) < ($1.start, $1.offset == daylight.offset ? 1 : 0)
        }
        return changes.filter { $0.start > last }
    }

    private static func wallSeconds(of change: Change, year: Int) -> Int64 {
        let day: Int64
        switch change.day {
        case .julian(let count):
            let leapDay = WallClock.isLeap(year) && count > 59 ? 1 : 0
            day = WallClock.dayNumber(year: year, month: 1, day: count + leapDay)
        case .zeroBased(let count):
            day = WallClock.dayNumber(year: year, month: 1, day: count + 1)
        case .monthWeekDay(let month, let week, let weekday):
            let first = WallClock.dayNumber(year: year, month: month, day: 1)
            let firstMatch = (weekday - WallClock.weekday(ofDay: first) + 7) % 7
            let length = WallClock.length(ofMonth: month, year: year)
            var offset = firstMatch + (week - 1) * 7
            if offset >= length { offset -= 7 }
            day = first + Int64(offset)
        }
        return day * WallClock.secondsPerDay + change.time
    }
}

// MARK: - Parsing

extension PosixZoneRule {
    init?(_ bytes: [UInt8]) {
        var reader = Reader(bytes: bytes)
        guard reader.skipName(), let west = reader.time(hoursLimit: 25) else { return nil }
        standardOffset = -west
        guard !reader.isAtEnd else { return }
        guard reader.skipName() else { return nil }
        var daylightOffset = standardOffset + 3_600
        if !reader.isAt(",") {
            guard let west = reader.time(hoursLimit: 25) else { return nil }
            daylightOffset = -west
        }
        guard reader.skip(","), let begin = reader.change(), reader.skip(","), let end = reader.change(), reader.isAtEnd
        else { return nil }
        daylight = (daylightOffset, begin, end)
    }

    /// As libc reads the variable TZ: abbreviations have three characters at least, and daylight time without a rule of
    /// its own begins and ends as in the United States.
    init?(variable bytes: [UInt8]) {
        var reader = Reader(bytes: bytes)
        guard let standard = reader.nameLength(), standard >= Self.nameLengthMin,
            reader.time(hoursLimit: 24) != nil
        else { return nil }
        var rule = bytes
        if !reader.isAtEnd {
            guard let daylight = reader.nameLength(), daylight >= Self.nameLengthMin,
                reader.isAtEnd || reader.isAt(",") || reader.time(hoursLimit: 24) != nil
            else { return nil }
            if reader.isAtEnd { rule += Array(",M3.2.0,M11.1.0".utf8) }
        }
        self.init(rule)
    }

    private static let nameLengthMin = 3

    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        var isAtEnd: Bool { position == bytes.count }

        func isAt(_ character: Unicode.Scalar) -> Bool {
            position < bytes.count && bytes[position] == UInt8(ascii: character)
        }

        mutating func skip(_ character: Unicode.Scalar) -> Bool {
            guard isAt(character) else { return false }
            position += 1
            return true
        }

        /// An abbreviation: letters, or anything between angle brackets.
        mutating func skipName() -> Bool {
            if skip("<") {
                while !isAtEnd, !isAt(">") { position += 1 }
                return skip(">")
            }
            let begin = position
            while position < bytes.count, isLetter(bytes[position]) { position += 1 }
            return position > begin
        }

        /// As `skipName`: how long it is, without angle brackets.
        mutating func nameLength() -> Int? {
            let begin = position
            let isQuoted = isAt("<")
            guard skipName() else { return nil }
            return position - begin - (isQuoted ? 2 : 0)
        }

        /// At most four digits: no rule has more.
        mutating func number(_ range: ClosedRange<Int>) -> Int? {
            let begin = position
            var value = 0
            while position < bytes.count, isDigit(bytes[position]), position - begin < 4 {
                value = value * 10 + Int(bytes[position] - UInt8(ascii: "0"))
                position += 1
            }
            return position > begin && range.contains(value) ? value : nil
        }

        /// `[+-]hh[:mm[:ss]]` as seconds.
        mutating func time(hoursLimit: Int) -> Int64? {
            let isNegative = skip("-")
            if !isNegative { _ = skip("+") }
            guard let hours = number(0...hoursLimit) else { return nil }
            var seconds = Int64(hours) * 3_600
            if skip(":") {
                guard let minutes = number(0...59) else { return nil }
                seconds += Int64(minutes) * 60
                if skip(":") {
                    guard let more = number(0...59) else { return nil }
                    seconds += Int64(more)
                }
            }
            return isNegative ? -seconds : seconds
        }

        mutating func change() -> Change? {
            let day: Day
            if skip("M") {
                guard let month = number(1...12), skip("."), let week = number(1...5), skip("."),
                    let weekday = number(0...6)
                else { return nil }
                day = .monthWeekDay(month, week, weekday)
            } else if skip("J") {
                guard let count = number(1...365) else { return nil }
                day = .julian(count)
            } else {
                guard let count = number(0...365) else { return nil }
                day = .zeroBased(count)
            }
            guard skip("/") else { return Change(day: day, time: 2 * 3_600) }
            guard let time = time(hoursLimit: 167) else { return nil }
            return Change(day: day, time: time)
        }
    }
}
