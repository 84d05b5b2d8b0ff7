/// A period: calendar months and days that move the wall clock, and seconds that elapse.
struct Interval: Equatable, Sendable, BitwiseCopyable {
    /// Months, years counted as twelve.
    var months: Int64 = 0
    /// Days, weeks counted as seven.
    var days: Int64 = 0
    /// Exact seconds: seconds, minutes, hours.
    var seconds: Int64 = 0

    /// Each part is at most 100 years.
    static let monthsLimit: Int64 = 1_200
    static let daysLimit: Int64 = 36_525
    static let secondsLimit: Int64 = 3_155_760_000

    var isZero: Bool { months == 0 && days == 0 && seconds == 0 }

    var isTooLarge: Bool {
        months > Self.monthsLimit || days > Self.daysLimit || seconds > Self.secondsLimit
    }

    var isElapsed: Bool { months == 0 && days == 0 }
}
