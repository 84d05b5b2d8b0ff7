extension Schedule {
    /// Reads one instant and makes it absolute.
    ///
    /// ```
    /// 2026-12-25T09:00:00Z   2026-12-25T09:00:00+05:30   2026-12-25T09:00   2026-12-25   now
    /// in 2 hours   in P1D   today 18:30   tomorrow 09:00
    /// ```
    ///
    /// - Parameters:
    ///   - registeredAt: what the relative forms count from; cut to the second.
    ///   - zone: of the forms without an offset, and of the days in `in 1d`.
    ///   - allowPast: an instant before the registration is `in_past` without it.
    /// - Returns: a schedule of one instant; `now` and a past one are not after the registration, so whoever asks for
    ///   the next fire takes `onceInstant`.
    public static func once(
        _ text: String, registeredAt: Instant, zone: TimeZoneRules, allowPast: Bool
    ) throws(ScheduleError) -> Schedule {
        let bytes = text.utf8.span
        guard bytes.count <= textLimit else { throw .tooLong("datetime", count: bytes.count) }
        let range = trimmed(bytes)
        guard !range.isEmpty else {
            throw ScheduleError(code: .empty, field: "datetime", value: "", position: 0, sentence: expectedInstant)
        }
        let word = firstWord(bytes, range)
        var instant: Instant
        switch word.count <= 8 ? ScheduleError.string(bytes, word).lowercased() : "" {
        case "now" where word.upperBound == range.upperBound:
            instant = Instant(seconds: registeredAt.seconds)
            return Schedule(kind: .once, text: text, rule: .once(instant))
        case "in" where word.upperBound < range.upperBound:
            var begin = word.upperBound
            while isBlank(bytes[begin]) { begin += 1 }
            let interval = try IntervalParser.parse(bytes, begin..<range.upperBound, field: "datetime")
            let grid = IntervalGrid(interval: interval, anchor: registeredAt.seconds, firstIndex: 1, zone: zone)
            instant = Instant(seconds: grid.fire(1, in: zone))
        case "today" where word.upperBound < range.upperBound:
            instant = try onDay(0, bytes, range, after: word.upperBound, registeredAt: registeredAt, zone: zone)
        case "tomorrow" where word.upperBound < range.upperBound:
            instant = try onDay(1, bytes, range, after: word.upperBound, registeredAt: registeredAt, zone: zone)
        default:
            instant = try Instant.absolute(bytes, range, zone: zone, expected: expectedInstant)
        }
        guard allowPast || instant >= registeredAt else {
            throw ScheduleError(
                .inPast, "datetime", bytes, range,
                "it is \(instant.rfc3339(in: zone)), before the registration at \(registeredAt.rfc3339(in: zone)); "
                    + "\"allow_past\" runs it at once")
        }
        return Schedule(kind: .once, text: text, rule: .once(instant))
    }

    private static let expectedInstant =
        "expected an instant such as 2026-12-25T09:00:00Z, 2026-12-25 09:00, now, in 2 hours or tomorrow 09:00"

    /// `today` and `tomorrow`: a time of day on that date in the zone.
    private static func onDay(
        _ days: Int64, _ text: borrowing Span<UInt8>, _ range: Range<Int>, after word: Int, registeredAt: Instant,
        zone: TimeZoneRules
    ) throws(ScheduleError) -> Instant {
        var begin = word
        while isBlank(text[begin]) { begin += 1 }
        var reader = ShapeReader(position: begin, end: range.upperBound)
        guard let time = TimeShape(text, &reader, hourDigits: 1...2), reader.isAtEnd else {
            throw ScheduleError(.syntax, "datetime", text, range, expectedInstant)
        }
        let (second, nanoseconds) = try time.value(text)
        let today = WallClock.dayNumber(ofWall: zone.localDateTime(at: registeredAt).wallSeconds)
        let wall = (today + days) * WallClock.secondsPerDay + second
        return Instant(seconds: zone.second(ofWall: wall) + (nanoseconds > 0 ? 1 : 0))
    }
}

// MARK: -

extension Instant {
    /// Reads the absolute forms of an instant, as `start_at` and `end_at` have them: with an offset it is that
    /// instant, without one that wall time in `zone`, a date alone its 00:00. A fraction rounds up to the next
    /// second: never early.
    public static func absolute(_ text: String, zone: TimeZoneRules) throws(ScheduleError) -> Instant {
        let expected = "expected an instant such as 2026-12-25T09:00:00Z, 2026-12-25 09:00 or 2026-12-25"
        let bytes = text.utf8.span
        guard bytes.count <= Schedule.textLimit else { throw .tooLong("datetime", count: bytes.count) }
        let range = Schedule.trimmed(bytes)
        guard !range.isEmpty else {
            throw ScheduleError(code: .empty, field: "datetime", value: "", position: 0, sentence: expected)
        }
        return try absolute(bytes, range, zone: zone, expected: expected)
    }

    static func absolute(
        _ text: borrowing Span<UInt8>, _ range: Range<Int>, zone: TimeZoneRules, expected: String
    ) throws(ScheduleError) -> Instant {
        guard let shape = DateTimeShape(text, range) else {
            throw ScheduleError(.syntax, "datetime", text, range, expected)
        }
        let moment = try shape.moment(text)
        let roundedUp: Int64 = moment.nanoseconds > 0 ? 1 : 0
        if let offset = moment.offset { return Instant(seconds: moment.wall - offset + roundedUp) }
        return Instant(seconds: zone.second(ofWall: moment.wall) + roundedUp)
    }
}
