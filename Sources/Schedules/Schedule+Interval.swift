extension Schedule {
    /// Reads an interval: `30m`, `every 2 hours`, `1h30m`, `2 weeks`, `P1M`. Seconds, minutes and hours elapse; days,
    /// weeks, months and years move the wall clock and keep the time of day.
    public static func interval(_ text: String) throws(ScheduleError) -> Schedule {
        let bytes = text.utf8.span
        guard bytes.count <= textLimit else { throw .tooLong("interval", count: bytes.count) }
        let interval = try IntervalParser.parse(bytes, trimmed(bytes), field: "interval")
        return Schedule(kind: .interval, text: text, rule: .interval(interval))
    }

    /// An interval as two keys: `type` is "seconds" … "years" or the singular, in any case; `value` counts them.
    public static func interval(type: String, value: Int) throws(ScheduleError) -> Schedule {
        guard type.utf8.count <= textLimit else { throw .tooLong("interval_type", count: type.utf8.count) }
        let spelling = type.lowercased()
        let names = ["second", "minute", "hour", "day", "week", "month", "year"]
        let singular = spelling.hasSuffix("s") ? String(spelling.dropLast()) : spelling
        guard names.contains(singular), let unit = IntervalParser.Unit(spelling: singular) else {
            throw ScheduleError(
                code: .badUnit, field: "interval_type", value: type, position: 0,
                sentence: "expected seconds, minutes, hours, days, weeks, months or years")
        }
        guard value >= 1 else {
            throw ScheduleError(
                code: .tooSmall, field: "interval_value", value: "\(value)", position: 0, sentence: "expected 1 or more"
            )
        }
        var interval = Interval()
        // Over every limit already; more would only overflow.
        unit.add(Int64(min(value, 100_000_000_000)), to: &interval)
        guard !interval.isTooLarge else {
            throw ScheduleError(
                code: .tooLarge, field: "interval_value", value: "\(value)", position: 0,
                sentence: "an interval is at most 100 years")
        }
        return Schedule(
            kind: .interval, text: "\(value) \(singular)\(value == 1 ? "" : "s")", rule: .interval(interval))
    }

    /// Reads a length of time as the keys of a job have it: section 4's spellings, where a day is 24 hours and a week
    /// seven of them. Months and years have no length and are refused; zero is allowed.
    public static func parseDuration(_ text: String) throws(ScheduleError) -> Duration {
        let bytes = text.utf8.span
        guard bytes.count <= textLimit else { throw .tooLong("interval", count: bytes.count) }
        let range = trimmed(bytes)
        let interval: Interval
        do {
            interval = try IntervalParser.parse(bytes, range, field: "interval")
        } catch  where error.code == .tooSmall {
            return .zero
        }
        guard interval.months == 0 else {
            throw ScheduleError(
                .badUnit, "interval", bytes, range,
                "months and years have no fixed length here; write days, such as 30d")
        }
        return .seconds(interval.days * WallClock.secondsPerDay + interval.seconds)
    }
}
