/// Arithmetic of the proleptic Gregorian calendar, on two kinds of plain integers.
///
/// - A *day number* counts days since 1970-01-01, which is day 0 and a Thursday.
/// - *Wall seconds* count what a wall clock shows: `day number × 86,400 + second of the day`, no zone in them.
///
/// The conversions are the usual ones on a year that begins in March, so that the leap day comes last.
enum WallClock {
    static let secondsPerDay: Int64 = 86_400
    /// 2199-12-31T23:59:59Z, the last second in which anything fires.
    static let horizonSeconds: Int64 = 7_258_118_399
    static let firstYear = 1970
    static let lastYear = 2199
    /// Stands for "there is none" where a wall second or an instant is expected; no schedule reaches it.
    static let never = Int64.max

    struct Date: Equatable {
        var year: Int
        /// 1…12
        var month: Int
        /// 1…31
        var day: Int
    }

    @inline(__always)
    static func dayNumber(ofWall wall: Int64) -> Int64 {
        let day = wall / secondsPerDay
        return day * secondsPerDay > wall ? day - 1 : day
    }

    /// The day number of a date; a month is 1…12, a day may lie outside its month and then counts on.
    @inline(__always)
    static func dayNumber(year: Int, month: Int, day: Int) -> Int64 {
        let shifted = Int64(month <= 2 ? year - 1 : year)
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let monthFromMarch = Int64(month > 2 ? month - 3 : month + 9)
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + Int64(day) - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    @inline(__always)
    static func date(ofDay dayNumber: Int64) -> Date {
        let shifted = dayNumber + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return Date(year: Int(year), month: Int(month), day: Int(day))
    }

    /// 0 is Sunday.
    @inline(__always)
    static func weekday(ofDay dayNumber: Int64) -> Int {
        let remainder = (dayNumber + 4) % 7
        return Int(remainder < 0 ? remainder + 7 : remainder)
    }

    @inline(__always)
    static func isLeap(_ year: Int) -> Bool {
        year & 3 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    @inline(__always)
    static func length(ofMonth month: Int, year: Int) -> Int {
        if month == 2 { return isLeap(year) ? 29 : 28 }
        return 30 | ((month >> 3) ^ month) & 1
    }
}
