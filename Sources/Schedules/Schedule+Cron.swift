extension Schedule {
    /// Reads a cron expression of five or six fields, a nickname, `@every D` (an interval) or `@reboot`.
    ///
    /// ```
    /// minute hour day-of-month month day-of-week            seconds are 0
    /// second minute hour day-of-month month day-of-week     seconds lead
    /// @yearly @annually @monthly @weekly @daily @midnight @hourly @every 90s @reboot
    /// ```
    public static func cron(_ text: String) throws(ScheduleError) -> Schedule {
        let bytes = text.utf8.span
        guard bytes.count <= textLimit else { throw .tooLong("expression", count: bytes.count) }
        let range = trimmed(bytes)
        guard !range.isEmpty else {
            throw ScheduleError(
                code: .empty, field: "expression", value: "", position: 0,
                sentence: "expected 5 fields, or 6 with seconds first, or a nickname such as @daily")
        }
        let first = bytes[range.lowerBound]
        if first == UInt8(ascii: "@") { return try nickname(text, bytes, range) }
        if first == UInt8(ascii: "T") || first == UInt8(ascii: "C") { try refuseZonePrefix(bytes, range) }
        var parser = CronParser()
        let pattern = try parser.parse(bytes, range)
        return Schedule(kind: .cron, text: text, rule: .civil(pattern), dayField: parser.dayField)
    }

    /// The text without the spaces and tabs around it.
    static func trimmed(_ text: borrowing Span<UInt8>) -> Range<Int> {
        var begin = 0
        var end = text.count
        while begin < end, isBlank(text[begin]) { begin += 1 }
        while end > begin, isBlank(text[end - 1]) { end -= 1 }
        return begin..<end
    }

    private static func refuseZonePrefix(
        _ text: borrowing Span<UInt8>, _ range: Range<Int>
    ) throws(ScheduleError) {
        let word = firstWord(text, range)
        let string = ScheduleError.string(text, word)
        guard string.hasPrefix("TZ=") || string.hasPrefix("CRON_TZ=") else { return }
        throw ScheduleError(.unsupported, "expression", text, word, "the zone is the key \"timezone\"")
    }

    static func firstWord(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
        var end = range.lowerBound
        while end < range.upperBound, !isBlank(text[end]) { end += 1 }
        return range.lowerBound..<end
    }

    // MARK: - Nicknames

    private static func nickname(
        _ text: String, _ bytes: borrowing Span<UInt8>, _ range: Range<Int>
    ) throws(ScheduleError) -> Schedule {
        let word = firstWord(bytes, range)
        // The longest nickname has nine letters; whatever is longer is none, and need not be made lower case.
        let name = word.count <= 9 ? ScheduleError.string(bytes, word).lowercased() : ""
        if name == "@every" {
            var begin = word.upperBound
            while begin < range.upperBound, isBlank(bytes[begin]) { begin += 1 }
            let interval = try IntervalParser.parse(bytes, begin..<range.upperBound, field: "interval")
            return Schedule(kind: .interval, text: text, rule: .interval(interval))
        }
        guard word.upperBound == range.upperBound else {
            throw ScheduleError(
                .unknownMacro, "expression", bytes, word, "a nickname stands alone, only @every takes more")
        }
        if name == "@reboot" { return Schedule(kind: .reboot, text: text, rule: .reboot) }
        guard let pattern = pattern(ofNickname: name) else {
            throw ScheduleError(
                .unknownMacro, "expression", bytes, word,
                "expected @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly, @every or @reboot")
        }
        return Schedule(kind: .cron, text: text, rule: .civil(pattern), dayField: word)
    }

    private static func pattern(ofNickname name: String) -> CivilPattern? {
        var hours: UInt32 = 1
        var months = CivilPattern.everyMonth
        var rule = DayRule(days: DayRule.everyDay, weekdays: DayRule.everyWeekday)
        switch name {
        case "@yearly", "@annually":
            rule.days = 1
            months = 1 << 1
        case "@monthly": rule.days = 1
        case "@weekly": rule.weekdays = 1
        case "@daily", "@midnight": break
        case "@hourly": hours = 0xFF_FFFF
        default: return nil
        }
        return CivilPattern(
            seconds: 1, minutes: 1, hours: hours, months: months, dayRule: rule, isWildcard: name == "@hourly")
    }
}
