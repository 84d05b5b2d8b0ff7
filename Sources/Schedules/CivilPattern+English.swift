// A pattern in English. Made from the masks, so that cron and calendar events of one meaning read the same.

extension CivilPattern {
    /// More times of day than these are described by their rhythm instead of listed.
    private static let listedTimes = 6

    private static let everyHour: UInt32 = 0xFF_FFFF
    private static let everyMinute: UInt64 = (1 << 60) - 1

    /// Few enough times of day to be named one by one.
    var listsTimes: Bool {
        hours.nonzeroBitCount * minutes.nonzeroBitCount * seconds.nonzeroBitCount <= Self.listedTimes
    }

    /// "at 09:00", "every 15 minutes from 09:00 to 17:59", "at minute 5 of every hour".
    var timeInEnglish: String {
        let hourList = EnglishList.bits(UInt64(hours))
        let minuteList = EnglishList.bits(minutes)
        let secondList = EnglishList.bits(seconds)
        if listsTimes {
            let times = hourList.flatMap { hour in
                minuteList.flatMap { minute in secondList.map { EnglishList.time(hour, minute, $0) } }
            }
            return "at \(EnglishList.joined(times))"
        }
        if secondList.count > 1 {
            let rhythm = Self.rhythm(secondList, size: 60, unit: "second")
            let ofMinutes =
                minutes == Self.everyMinute
                ? "" : " of \(minuteList.count == 1 ? "minute" : "minutes") \(EnglishList.runs(minuteList) { "\($0)" })"
            return rhythm + ofMinutes + hoursInEnglish
        }
        let atSecond = secondList == [0] ? "" : ", at second \(secondList[0])"
        if minuteList == [0] {
            if let step = Self.evenStep(hourList, size: 24) {
                return (step == 1 ? "every hour" : "every \(step) hours") + atSecond
            }
        }
        let minutes = Self.rhythm(minuteList, size: 60, unit: "minute")
        let isEveryHour = hours == Self.everyHour && minutes.hasPrefix("at ")
        return minutes + (isEveryHour ? " of every hour" : hoursInEnglish) + atSecond
    }

    private var hoursInEnglish: String {
        if hours == Self.everyHour { return "" }
        let list = EnglishList.bits(UInt64(hours))
        if let step = Self.evenStep(list, size: 24) { return " of every \(EnglishList.ordinal(step)) hour" }
        // A single run, which may go past midnight where the next day matches as well.
        let starts = list.filter { !list.contains(($0 + 23) % 24) }
        if starts.count == 1, let first = starts.first {
            let last = (first + list.count - 1) % 24
            guard first > last, !matchesEveryDate else { return Self.span(first, last) }
            return Self.span(0, last) + " and" + Self.span(first, 23)
        }
        return " in the hours \(EnglishList.runs(list) { "\($0)" })"
    }

    /// " from 09:00 to 17:59".
    private static func span(_ first: Int, _ last: Int) -> String {
        " from \(padded(first, 2)):00 to \(padded(last, 2)):59"
    }

    /// "every minute", "every 15 minutes", "at minute 5 of every hour", "at minutes 1, 2 and 5".
    private static func rhythm(_ values: [Int], size: Int, unit: String) -> String {
        if let step = evenStep(values, size: size) { return step == 1 ? "every \(unit)" : "every \(step) \(unit)s" }
        if values.count == 1 { return "at \(unit) \(values[0])" }
        return "at \(unit)s \(EnglishList.runs(values) { "\($0)" })"
    }

    /// The step of values that go from 0 evenly around; none for a single value or an uneven list.
    private static func evenStep(_ values: [Int], size: Int) -> Int? {
        guard values.count > 1, values[0] == 0, size % values.count == 0 else { return nil }
        let step = size / values.count
        return values.enumerated().allSatisfy { $1 == $0 * step } ? step : nil
    }

    // MARK: - Dates

    /// "Monday to Friday", "on the 1st and 15th, in March"; empty for every day.
    var dateInEnglish: String {
        var parts: [String] = []
        let days = dayRule.daysInEnglish
        let weekdays = dayRule.weekdaysInEnglish
        if dayRule.matchesEveryDay {
            // Either field is enough, and one of them names every day.
        } else if dayRule.needsBoth {
            if !days.isEmpty, !weekdays.isEmpty {
                parts.append("\(days) where that is \(weekdays)")
            } else {
                parts.append(days + weekdays)
            }
        } else {
            parts.append([days, weekdays].filter { !$0.isEmpty }.joined(separator: " or "))
        }
        if months != Self.everyMonth {
            parts.append("in " + EnglishList.runs(EnglishList.bits(UInt64(months))) { EnglishList.months[$0 - 1] })
        }
        if !years.isAll {
            let list = (WallClock.firstYear...WallClock.lastYear).filter { years.contains($0) }
            parts.append("in " + EnglishList.runs(list) { "\($0)" })
        }
        return parts.filter { !$0.isEmpty }.joined(separator: ", ")
    }
}

extension DayRule {
    /// "on the 1st and the last day"; empty where every day of the month matches.
    fileprivate var daysInEnglish: String {
        if days == Self.everyDay { return "" }
        var words: [String] = []
        let plain = EnglishList.bits(UInt64(days)).map { $0 + 1 }
        if !plain.isEmpty { words.append("the " + EnglishList.runs(plain, EnglishList.ordinal)) }
        for before in EnglishList.bits(UInt64(daysFromEnd)) {
            words.append(
                before == 0
                    ? "the last day of the month" : "the \(EnglishList.ordinal(before + 1)) last day of the month")
        }
        if hasLastWorkday { words.append("the last Monday-to-Friday day of the month") }
        for index in EnglishList.bits(UInt64(nearestWorkdays)) {
            words.append("the Monday-to-Friday day nearest to the \(EnglishList.ordinal(index + 1))")
        }
        return words.isEmpty ? "" : "on \(EnglishList.joined(words))"
    }

    /// "Monday to Friday", "the last Friday of the month"; empty where every weekday matches.
    fileprivate var weekdaysInEnglish: String {
        if weekdays == Self.everyWeekday { return "" }
        var words: [String] = []
        let plain = EnglishList.bits(UInt64(weekdays))
        if !plain.isEmpty { words.append(EnglishList.runs(plain, size: 7) { EnglishList.weekdays[$0] }) }
        for weekday in EnglishList.bits(UInt64(lastWeekdays)) {
            words.append("the last \(EnglishList.weekdays[weekday]) of the month")
        }
        for bit in EnglishList.bits(nthWeekdays) {
            words.append("the \(EnglishList.week(bit / 7 + 1)) \(EnglishList.weekdays[bit % 7]) of the month")
        }
        return EnglishList.joined(words)
    }
}
