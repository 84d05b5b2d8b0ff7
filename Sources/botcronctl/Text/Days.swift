import Schedules

/// A row of days of a zone: each begins where its date begins, whatever the clock does meanwhile.
struct Days {
    let zone: TimeZoneRules
    /// The first instant of each day, and that of the day after the last.
    let starts: [Instant]

    /// - Parameter first: the first day, so many days after the one that `instant` lies in.
    init(around instant: Instant, from first: Int, count: Int, zone: TimeZoneRules) {
        self.zone = zone
        let today = zone.localDateTime(at: instant)
        starts = (first...first + count).map { offset in
            zone.instant(of: LocalDateTime(year: today.year, month: today.month, day: today.day + offset))
        }
    }

    var indices: Range<Int> { 0..<starts.count - 1 }

    /// The day that an instant lies in; nil where it lies in none of them.
    func index(of instant: Instant) -> Int? {
        guard let first = starts.first, let end = starts.last, first <= instant, instant < end else { return nil }
        var (low, high) = (0, starts.count - 1)
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= instant { low = middle } else { high = middle }
        }
        return low
    }

    func date(_ index: Int) -> LocalDateTime { zone.localDateTime(at: starts[index]) }

    /// `2026-01-23`.
    func text(_ index: Int) -> String { String(starts[index].rfc3339(in: zone).prefix(10)) }

    /// Begun on Mondays: how many days before a day its week began.
    static func daysIntoWeek(of instant: Instant, in zone: TimeZoneRules) -> Int {
        (zone.localDateTime(at: instant).weekday + 6) % 7
    }

    /// `Mon`.
    static func weekday(of local: LocalDateTime) -> String { weekdays[(local.weekday + 6) % 7] }

    static let weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
}
