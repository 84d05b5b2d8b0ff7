import Schedules

/// The rule of DST changes as the contract puts it in words, and nothing clever: the wall clock is scanned second by
/// second over real time. Written apart from the code under test; it shares the offsets of the zone with it, no more.
///
/// - A wildcard schedule fires at every instant whose wall clock matches.
/// - A fixed one fires at an instant whose wall clock matches and has not been shown before, and at the end of a gap
///   that skipped a match.
struct Oracle {
    var expression: OracleExpression
    var zone: TimeZoneRules
    var dst = DSTPolicy()

    /// All fires in `begin ... end` (seconds of UTC), by a scan in steps of `step` seconds. A step of 60 needs fires
    /// on whole minutes and offsets in whole minutes. The scan begins `lead` seconds earlier, to know what was shown
    /// before; that is longer than any change.
    func fires(from begin: Int64, through end: Int64, step: Int64 = 1, lead: Int64) -> [Int64] {
        var fires: [Int64] = []
        var time = begin - lead
        time -= ((time % step) + step) % step
        var wall = time + offset(at: time)
        var greatestShown = wall
        time += step
        while time <= end {
            let before = wall
            wall = time + offset(at: time)
            var isDue = false
            if expression.isWildcard {
                isDue = expression.matches(wall)
            } else {
                let isFirstPass = wall > greatestShown
                if expression.matches(wall), isFirstPass || dst.overlap == .both { isDue = true }
                if wall > before + step, dst.gap == .runAfter {
                    // A gap: the wall clock went from `before` to `wall` and skipped what is between.
                    var skipped = before + step
                    while skipped < wall, !isDue {
                        if skipped > greatestShown || dst.overlap == .both, expression.matches(skipped) { isDue = true }
                        skipped += step
                    }
                }
            }
            if isDue, time >= begin { fires.append(time) }
            greatestShown = max(greatestShown, wall)
            time += step
        }
        return fires
    }

    private func offset(at second: Int64) -> Int64 {
        Int64(zone.utcOffset(at: Instant(seconds: second)))
    }
}

/// A cron expression as sets, matched by looking at every field of the wall clock. Made by the test, which also
/// writes it down as text for the parser.
struct OracleExpression {
    var text: String
    var seconds: Set<Int>
    var minutes: Set<Int>
    var hours: Set<Int>
    var months: Set<Int>
    /// Year, month, day and weekday (0 is Sunday) of a date.
    var matchesDay: (_ year: Int, _ month: Int, _ day: Int, _ weekday: Int) -> Bool
    var isWildcard: Bool

    func matches(_ wall: Int64) -> Bool {
        let second = Int(((wall % 86_400) + 86_400) % 86_400)
        guard seconds.contains(second % 60), minutes.contains(second / 60 % 60), hours.contains(second / 3_600) else {
            return false
        }
        let (year, month, day, weekday) = OracleCalendar.date(ofWall: wall)
        return months.contains(month) && matchesDay(year, month, day, weekday)
    }
}

/// The Gregorian calendar by counting, year by year and month by month.
enum OracleCalendar {
    static func isLeap(_ year: Int) -> Bool {
        year % 400 == 0 || (year % 4 == 0 && year % 100 != 0)
    }

    static func length(_ month: Int, _ year: Int) -> Int {
        [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }

    /// For 1969 and later.
    static func date(ofWall wall: Int64) -> (year: Int, month: Int, day: Int, weekday: Int) {
        var days = Int(wall >= 0 ? wall / 86_400 : (wall - 86_399) / 86_400)
        let weekday = ((days + 4) % 7 + 7) % 7
        days += 365
        var year = 1969
        while days >= (isLeap(year) ? 366 : 365) {
            days -= isLeap(year) ? 366 : 365
            year += 1
        }
        var month = 1
        while days >= length(month, year) {
            days -= length(month, year)
            month += 1
        }
        return (year, month, days + 1, weekday)
    }
}
