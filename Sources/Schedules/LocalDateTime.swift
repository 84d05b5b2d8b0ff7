/// What a wall clock shows, to the second, with no zone attached.
public struct LocalDateTime: Hashable, Sendable {
    public var year: Int
    /// 1…12
    public var month: Int
    /// 1…31
    public var day: Int
    public var hour: Int
    public var minute: Int
    public var second: Int

    /// A day outside its month counts on into the next, an hour of 24 into the next day, and so on.
    public init(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
    }

    /// 0 is Sunday, 6 is Saturday.
    public var weekday: Int {
        WallClock.weekday(ofDay: WallClock.dayNumber(ofWall: wallSeconds))
    }

    init(wallSeconds: Int64) {
        let dayNumber = WallClock.dayNumber(ofWall: wallSeconds)
        let secondOfDay = Int(wallSeconds - dayNumber * WallClock.secondsPerDay)
        let date = WallClock.date(ofDay: dayNumber)
        self.init(
            year: date.year, month: date.month, day: date.day, hour: secondOfDay / 3_600,
            minute: secondOfDay / 60 % 60, second: secondOfDay % 60)
    }

    /// Seconds of the wall clock since it showed 1970-01-01T00:00:00. Fields far outside their range are cut, not
    /// trapped on.
    var wallSeconds: Int64 {
        func cut(_ value: Int) -> Int64 { Int64(min(max(value, -1_000_000), 1_000_000)) }
        let days = WallClock.dayNumber(year: Int(cut(year)), month: min(max(month, 1), 12), day: Int(cut(day)))
        return days * WallClock.secondsPerDay + cut(hour) * 3_600 + cut(minute) * 60 + cut(second)
    }
}
