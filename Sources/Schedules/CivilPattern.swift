/// A cron expression or a calendar event, compiled: which seconds of a wall clock match. Knows nothing of zones.
///
/// One mask per unit of time; a search is a few shifts. Dates are searched month by month with the masks of
/// `DayRule`, so a date that comes once in forty years costs some hundred nanoseconds, not a walk over its days.
struct CivilPattern: Equatable, Sendable, BitwiseCopyable {
    /// Bit s: the second s matches.
    var seconds: UInt64
    /// Bit m: the minute m matches.
    var minutes: UInt64
    /// Bit h: the hour h matches.
    var hours: UInt32
    /// Bit n: the month n matches, 1…12.
    var months: UInt16
    var dayRule: DayRule
    var years: YearSet
    /// Keeps a rhythm over a DST change instead of a time of day.
    var isWildcard: Bool

    /// Every date matches: no search by month.
    let matchesEveryDate: Bool
    /// Which kinds of month are worth a look; a rare date skips decades by them.
    private let kinds: UInt32
    /// The first and the last second of a day that match.
    private let firstSecond: Int32
    private let lastSecond: Int32

    static let everyMonth: UInt16 = 0x1FFE

    /// No mask of the time of day is empty.
    init(
        seconds: UInt64, minutes: UInt64, hours: UInt32, months: UInt16, dayRule: DayRule, years: YearSet = .all,
        isWildcard: Bool
    ) {
        precondition(
            seconds != 0 && minutes != 0 && hours != 0, "a pattern without a time of day: the parser let it pass")
        self.seconds = seconds
        self.minutes = minutes
        self.hours = hours
        self.months = months
        self.dayRule = dayRule
        self.years = years
        self.isWildcard = isWildcard
        kinds = dayRule.kinds
        matchesEveryDate = months == Self.everyMonth && dayRule.matchesEveryDay && years.isAll
        firstSecond = Int32(
            truncatingIfNeeded: hours.trailingZeroBitCount * 3_600 + minutes.trailingZeroBitCount * 60
                + seconds.trailingZeroBitCount)
        lastSecond = Int32(
            truncatingIfNeeded: (31 - hours.leadingZeroBitCount) * 3_600 + (63 - minutes.leadingZeroBitCount) * 60
                + (63 - seconds.leadingZeroBitCount))
    }

    // MARK: - Searching

    /// The least match that is ≥ `wall` and < `limit`, or `never`.
    @inline(__always)
    func next(atOrAfter wall: Int64, below limit: Int64 = WallClock.horizonSeconds + 2 * WallClock.secondsPerDay)
        -> Int64
    {
        guard wall < limit else { return WallClock.never }
        let day = WallClock.dayNumber(ofWall: wall)
        let secondOfDay = Int(truncatingIfNeeded: wall &- day &* WallClock.secondsPerDay)
        let result: Int64
        if matchesEveryDate {
            let second = nextSecond(atOrAfter: secondOfDay)
            result =
                second >= 0
                ? day &* WallClock.secondsPerDay &+ Int64(second)
                : (day &+ 1) &* WallClock.secondsPerDay &+ Int64(firstSecond)
        } else {
            result = nextByDate(day: day, secondOfDay: secondOfDay, limit: limit)
        }
        return result < limit ? result : WallClock.never
    }

    private func nextByDate(day: Int64, secondOfDay: Int, limit: Int64) -> Int64 {
        // A second that is past the last one of its day is looked for from the next day on.
        let second = nextSecond(atOrAfter: secondOfDay)
        let from = second >= 0 ? day : day &+ 1
        let found = nextDate(atOrAfter: from, limit: limit)
        guard found != WallClock.never else { return found }
        let secondOfFound = found == day ? Int64(second) : Int64(firstSecond)
        return found &* WallClock.secondsPerDay &+ secondOfFound
    }

    /// The greatest match that is ≤ `wall` and ≥ `limit`, or `never`.
    func previous(atOrBefore wall: Int64, notBelow limit: Int64) -> Int64 {
        guard wall >= limit else { return WallClock.never }
        let day = WallClock.dayNumber(ofWall: wall)
        let second = previousSecond(atOrBefore: Int(wall - day * WallClock.secondsPerDay))
        let found = previousDate(atOrBefore: second >= 0 ? day : day - 1, limit: limit)
        guard found != WallClock.never else { return found }
        let result = found * WallClock.secondsPerDay + Int64(found == day && second >= 0 ? second : Int(lastSecond))
        return result >= limit ? result : WallClock.never
    }

    func matches(_ wall: Int64) -> Bool {
        next(atOrAfter: wall, below: wall + 1) == wall
    }

    // MARK: - The time of day

    /// The least matching second of a day ≥ `second` (0…86,399), or −1.
    @inline(__always)
    private func nextSecond(atOrAfter secondOfDay: Int) -> Int {
        let hour = secondOfDay / 3_600
        let minute = secondOfDay / 60 % 60
        let second = secondOfDay % 60
        if hours &>> UInt32(truncatingIfNeeded: hour) & 1 != 0 {
            if minutes &>> UInt64(truncatingIfNeeded: minute) & 1 != 0 {
                let rest = seconds &>> UInt64(truncatingIfNeeded: second)
                if rest != 0 { return secondOfDay &+ rest.trailingZeroBitCount }
            }
            let rest = minutes &>> UInt64(truncatingIfNeeded: minute &+ 1)
            if rest != 0 {
                let next = minute &+ 1 &+ rest.trailingZeroBitCount
                return hour &* 3_600 &+ next &* 60 &+ seconds.trailingZeroBitCount
            }
        }
        let rest = hours &>> UInt32(truncatingIfNeeded: hour &+ 1)
        guard rest != 0 else { return -1 }
        let next = hour &+ 1 &+ rest.trailingZeroBitCount
        return next &* 3_600 &+ minutes.trailingZeroBitCount &* 60 &+ seconds.trailingZeroBitCount
    }

    /// The greatest matching second of a day ≤ `second`, or −1.
    private func previousSecond(atOrBefore secondOfDay: Int) -> Int {
        let hour = secondOfDay / 3_600
        let minute = secondOfDay / 60 % 60
        let second = secondOfDay % 60
        func upTo(_ bit: Int) -> UInt64 { UInt64.max >> UInt64(63 - bit) }
        func highest(_ mask: UInt64) -> Int { 63 - mask.leadingZeroBitCount }
        if hours >> UInt32(hour) & 1 != 0 {
            if minutes >> UInt64(minute) & 1 != 0 {
                let rest = seconds & upTo(second)
                if rest != 0 { return hour * 3_600 + minute * 60 + highest(rest) }
            }
            let rest = minute > 0 ? minutes & upTo(minute - 1) : 0
            if rest != 0 { return hour * 3_600 + highest(rest) * 60 + highest(seconds) }
        }
        let rest = hour > 0 ? UInt64(hours) & upTo(hour - 1) : 0
        guard rest != 0 else { return -1 }
        return highest(rest) * 3_600 + highest(minutes) * 60 + highest(seconds)
    }

    /// How many seconds of a day match.
    private var perDay: Int {
        hours.nonzeroBitCount * minutes.nonzeroBitCount * seconds.nonzeroBitCount
    }

    /// How many seconds of a day match and lie before `secondOfDay` (0…86,400).
    private func countOfDay(before secondOfDay: Int) -> Int {
        if secondOfDay >= 86_400 { return perDay }
        let hour = secondOfDay / 3_600
        let minute = secondOfDay / 60 % 60
        let second = secondOfDay % 60
        func below(_ bit: Int) -> UInt64 { (1 << UInt64(bit)) - 1 }
        let secondCount = seconds.nonzeroBitCount
        var count = (UInt64(hours) & below(hour)).nonzeroBitCount * minutes.nonzeroBitCount * secondCount
        if hours >> UInt32(hour) & 1 != 0 {
            count += (minutes & below(minute)).nonzeroBitCount * secondCount
            if minutes >> UInt64(minute) & 1 != 0 { count += (seconds & below(second)).nonzeroBitCount }
        }
        return count
    }
}

// MARK: - Dates

extension CivilPattern {
    /// The days matched in a month whose 1st is the day number `firstDay`.
    @inline(__always)
    private func mask(year: Int, month: Int, firstDay: Int64) -> UInt32 {
        let length = WallClock.length(ofMonth: month, year: year)
        let firstWeekday = WallClock.weekday(ofDay: firstDay)
        guard kinds &>> DayRule.kind(length: length, firstWeekday: firstWeekday) & 1 != 0 else { return 0 }
        return dayRule.mask(length: length, firstWeekday: firstWeekday)
    }

    /// The first matching day number ≥ `day`. The search ends once it is beyond `limit` (wall seconds); what it
    /// returns then is some day beyond the limit, or `never`.
    @inline(__always)
    private func nextDate(atOrAfter day: Int64, limit: Int64) -> Int64 {
        if matchesEveryDate { return day }
        let date = WallClock.date(ofDay: day)
        var year = date.year
        var month = date.month
        var firstDay = day &- Int64(date.day &- 1)
        if months &>> UInt16(truncatingIfNeeded: month) & 1 != 0, years.contains(year) {
            let rest = mask(year: year, month: month, firstDay: firstDay) &>> UInt32(truncatingIfNeeded: date.day &- 1)
            if rest != 0 { return day &+ Int64(rest.trailingZeroBitCount) }
        }
        while true {
            let later = months &>> UInt16(truncatingIfNeeded: month &+ 1)
            if later != 0 {
                month = month &+ 1 &+ later.trailingZeroBitCount
            } else {
                year = years.next(after: year)
                month = months.trailingZeroBitCount
            }
            guard year <= WallClock.lastYear &+ 1, month <= 12 else { return WallClock.never }
            if !years.contains(year) {
                month = 12
                continue
            }
            firstDay = WallClock.dayNumber(year: year, month: month, day: 1)
            guard firstDay &* WallClock.secondsPerDay < limit else { return WallClock.never }
            let mask = mask(year: year, month: month, firstDay: firstDay)
            if mask != 0 { return firstDay &+ Int64(mask.trailingZeroBitCount) }
        }
    }

    /// The last matching day number ≤ `day`. The search ends once it is below `limit` (wall seconds).
    private func previousDate(atOrBefore day: Int64, limit: Int64) -> Int64 {
        if matchesEveryDate { return day }
        let date = WallClock.date(ofDay: day)
        var year = date.year
        var month = date.month
        let firstDay = day - Int64(date.day - 1)
        if months >> UInt16(month) & 1 != 0, years.contains(year) {
            let upToDay = UInt32.max >> UInt32(32 - date.day)
            let rest = mask(year: year, month: month, firstDay: firstDay) & upToDay
            if rest != 0 { return firstDay + Int64(31 - rest.leadingZeroBitCount) }
        }
        while true {
            let earlier = months & (UInt16(1) << UInt16(month) - 1)
            if earlier != 0 {
                month = 15 - earlier.leadingZeroBitCount
            } else {
                year -= 1
                guard year >= WallClock.firstYear - 1 else { return WallClock.never }
                month = 15 - months.leadingZeroBitCount
            }
            let firstDay = WallClock.dayNumber(year: year, month: month, day: 1)
            guard (firstDay + 31) * WallClock.secondsPerDay > limit else { return WallClock.never }
            guard years.contains(year) else { continue }
            let mask = mask(year: year, month: month, firstDay: firstDay)
            if mask != 0 { return firstDay + Int64(31 - mask.leadingZeroBitCount) }
        }
    }

    // MARK: - Counting

    /// How many wall seconds in `begin ..< end` match. By month, not by match: ten years cost about a microsecond.
    func count(from begin: Int64, below end: Int64) -> Int {
        guard begin < end else { return 0 }
        let firstDay = WallClock.dayNumber(ofWall: begin)
        let lastDay = WallClock.dayNumber(ofWall: end)
        let beginSecond = Int(begin - firstDay * WallClock.secondsPerDay)
        let endSecond = Int(end - lastDay * WallClock.secondsPerDay)
        // Whole days from the first on, less what lies before the begin, more what lies before the end on its own day.
        var count = dateCount(from: firstDay, below: lastDay) * perDay
        if beginSecond > 0, dateCount(from: firstDay, below: firstDay + 1) == 1 {
            count -= countOfDay(before: beginSecond)
        }
        if endSecond > 0, dateCount(from: lastDay, below: lastDay + 1) == 1 { count += countOfDay(before: endSecond) }
        return count
    }

    /// Whether the date with a day number matches.
    func matchesDate(_ day: Int64) -> Bool { dateCount(from: day, below: day + 1) == 1 }

    /// How many day numbers in `begin ..< end` match.
    private func dateCount(from begin: Int64, below end: Int64) -> Int {
        if matchesEveryDate { return Int(end - begin) }
        guard begin < end else { return 0 }
        let date = WallClock.date(ofDay: begin)
        var year = date.year
        var month = date.month
        var firstDay = begin - Int64(date.day - 1)
        var count = 0
        while firstDay < end {
            let length = WallClock.length(ofMonth: month, year: year)
            if months >> UInt16(month) & 1 != 0, years.contains(year) {
                var mask = mask(year: year, month: month, firstDay: firstDay)
                if firstDay < begin { mask &= UInt32.max << UInt32(begin - firstDay) }
                if end - firstDay < 31 { mask &= UInt32(1) << UInt32(end - firstDay) - 1 }
                count += mask.nonzeroBitCount
            }
            firstDay += Int64(length)
            month += 1
            if month > 12 {
                month = 1
                year += 1
            }
        }
        return count
    }

    /// Whether any date within the domain matches.
    var canMatch: Bool {
        guard years.isAll else {
            let begin = WallClock.dayNumber(year: WallClock.firstYear, month: 1, day: 1)
            return nextDate(atOrAfter: begin, limit: WallClock.horizonSeconds + 1) != WallClock.never
        }
        return DayRule.canMatch(kinds: kinds, inMonths: months)
    }
}
