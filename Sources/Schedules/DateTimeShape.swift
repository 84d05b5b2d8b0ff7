/// Where the parts of `2026-12-25T09:00:00.5+05:30` stand in a text: the form first, the values afterwards, so that a
/// text of the right form with a wrong number is told which number.
struct DateTimeShape {
    var year: Range<Int>
    var month: Range<Int>
    var day: Range<Int>
    var time: TimeShape?
    /// Empty for a Z.
    var offset: (sign: Int64, hours: Range<Int>, minutes: Range<Int>)?

    /// What a text says: wall seconds, the fraction of the second, and seconds east of UTC where it names an offset.
    struct Moment {
        var wall: Int64
        var nanoseconds: Int64
        var offset: Int64?
    }

    /// The whole range must be of the form `YYYY-MM-DD` or `YYYY-MM-DD(T|t| )HH:MM[:SS[.fraction]][Z|z|±HH[[:]MM]]`.
    init?(_ text: borrowing Span<UInt8>, _ range: Range<Int>) {
        var reader = ShapeReader(position: range.lowerBound, end: range.upperBound)
        guard let year = reader.digits(text, 4...4), reader.skip(text, "-"), let month = reader.digits(text, 2...2),
            reader.skip(text, "-"), let day = reader.digits(text, 2...2)
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
        if reader.isAtEnd { return }
        guard reader.skip(text, "T") || reader.skip(text, "t") || reader.skip(text, " "),
            let time = TimeShape(text, &reader, hourDigits: 2...2)
        else { return nil }
        self.time = time
        if reader.isAtEnd { return }
        if reader.skip(text, "Z") || reader.skip(text, "z") {
            offset = (1, 0..<0, 0..<0)
        } else {
            let isWest = reader.skip(text, "-")
            guard isWest || reader.skip(text, "+"), let hours = reader.twoDigits(text) else { return nil }
            var minutes = 0..<0
            if !reader.isAtEnd {
                _ = reader.skip(text, ":")
                guard let found = reader.twoDigits(text) else { return nil }
                minutes = found
            }
            offset = (isWest ? -1 : 1, hours, minutes)
        }
        if !reader.isAtEnd { return nil }
    }

    func moment(_ text: borrowing Span<UInt8>) throws(ScheduleError) -> Moment {
        let year = try shapeValue(text, year, WallClock.firstYear...WallClock.lastYear, "year")
        let month = try shapeValue(text, month, 1...12, "month")
        let day = try shapeValue(text, day, 1...WallClock.length(ofMonth: month, year: year), "day")
        var moment = Moment(
            wall: WallClock.dayNumber(year: year, month: month, day: day) * WallClock.secondsPerDay, nanoseconds: 0)
        if let time {
            let (second, nanoseconds) = try time.value(text)
            moment.wall += second
            moment.nanoseconds = nanoseconds
        }
        if let offset {
            var seconds: Int64 = 0
            if !offset.hours.isEmpty { seconds = try Int64(shapeValue(text, offset.hours, 0...23, "offset")) * 3_600 }
            if !offset.minutes.isEmpty { seconds += try Int64(shapeValue(text, offset.minutes, 0...59, "offset")) * 60 }
            moment.offset = offset.sign * seconds
        }
        return moment
    }
}

// MARK: -

/// Where the parts of `09:00[:00[.5]]` stand.
struct TimeShape {
    var hour: Range<Int>
    var minute: Range<Int>
    var second: Range<Int>?
    var fraction: Range<Int>?

    init?(_ text: borrowing Span<UInt8>, _ reader: inout ShapeReader, hourDigits: ClosedRange<Int>) {
        guard let hour = reader.digits(text, hourDigits), reader.skip(text, ":"),
            let minute = reader.digits(text, 2...2)
        else { return nil }
        self.hour = hour
        self.minute = minute
        guard reader.skip(text, ":") else { return }
        guard let second = reader.digits(text, 2...2) else { return nil }
        self.second = second
        guard reader.skip(text, ".") else { return }
        guard let fraction = reader.digits(text, 1...9) else { return nil }
        self.fraction = fraction
    }

    /// The second of the day and the nanoseconds after it.
    func value(_ text: borrowing Span<UInt8>) throws(ScheduleError) -> (second: Int64, nanoseconds: Int64) {
        var seconds = try shapeValue(text, hour, 0...23, "hour") * 3_600
        seconds += try shapeValue(text, minute, 0...59, "minute") * 60
        if let second { seconds += try shapeValue(text, second, 0...59, "second") }
        var nanoseconds = 0
        if let fraction {
            for offset in 0..<9 {
                let digit = offset < fraction.count ? Int(text[fraction.lowerBound + offset] - UInt8(ascii: "0")) : 0
                nanoseconds = nanoseconds * 10 + digit
            }
        }
        return (Int64(seconds), Int64(nanoseconds))
    }
}

/// Walks over digits and single characters.
struct ShapeReader {
    var position: Int
    var end: Int

    var isAtEnd: Bool { position == end }

    mutating func skip(_ text: borrowing Span<UInt8>, _ character: Unicode.Scalar) -> Bool {
        guard position < end, text[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    /// A run of digits, as long as it goes, of an allowed length.
    mutating func digits(_ text: borrowing Span<UInt8>, _ length: ClosedRange<Int>) -> Range<Int>? {
        let begin = position
        while position < end, isDigit(text[position]) { position += 1 }
        return length.contains(position - begin) ? begin..<position : nil
    }
}

extension ShapeReader {
    /// Two digits, whatever follows.
    mutating func twoDigits(_ text: borrowing Span<UInt8>) -> Range<Int>? {
        guard end - position >= 2, isDigit(text[position]), isDigit(text[position + 1]) else { return nil }
        position += 2
        return (position - 2)..<position
    }
}

/// Digits as a number within `range`; else `out_of_range` of `field`.
private func shapeValue(
    _ text: borrowing Span<UInt8>, _ digits: Range<Int>, _ range: ClosedRange<Int>, _ field: String
) throws(ScheduleError) -> Int {
    var position = digits.lowerBound
    let value = CronParser.number(text, &position, digits.upperBound)
    guard range.contains(value) else {
        throw ScheduleError(
            .outOfRange, field, text, digits,
            "expected \(padded(range.lowerBound, 2))–\(padded(range.upperBound, 2))")
    }
    return value
}
