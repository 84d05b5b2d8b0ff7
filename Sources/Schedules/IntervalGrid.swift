/// The fire times of an interval: fire k = anchor + k × interval, always from the anchor, never from the fire before.
///
/// Of fire k first the months move (the day cut to the month's end), then the days, then the wall time becomes an
/// instant, then the elapsed part is added. Fire 0 is the anchor itself. All instants are seconds of UTC.
struct IntervalGrid: Equatable, Sendable, BitwiseCopyable {
    let interval: Interval
    let anchor: Int64
    /// 0 where the anchor itself is a fire, else 1.
    let firstIndex: Int64

    private let anchorDate: (year: Int64, month: Int64, day: Int64)
    private let anchorDay: Int64
    private let anchorSecondOfDay: Int64
    /// The mean length in seconds, for a first guess at k.
    private let meanLength: Int64

    /// - Parameter anchor: cut to the domain of schedules.
    init(interval: Interval, anchor: Int64, firstIndex: Int64, zone: TimeZoneRules) {
        precondition(!interval.isZero, "an interval of nothing: the parser let it pass")
        self.interval = interval
        self.anchor = min(max(anchor, 0), WallClock.horizonSeconds + 1)
        self.firstIndex = firstIndex
        let wall = self.anchor + zone.spans[zone.spanIndex(at: self.anchor)].offset
        anchorDay = WallClock.dayNumber(ofWall: wall)
        anchorSecondOfDay = wall - anchorDay * WallClock.secondsPerDay
        let date = WallClock.date(ofDay: anchorDay)
        anchorDate = (Int64(date.year), Int64(date.month), Int64(date.day))
        // A month is 2,629,746 s in the mean of 400 years.
        meanLength = interval.months * 2_629_746 + interval.days * WallClock.secondsPerDay + interval.seconds
    }

    static func == (left: IntervalGrid, right: IntervalGrid) -> Bool {
        left.interval == right.interval && left.anchor == right.anchor && left.firstIndex == right.firstIndex
            && left.anchorSecondOfDay == right.anchorSecondOfDay
    }

    /// Fire k. Grows with k; two may fall together where a zone skips a whole day.
    func fire(_ index: Int64, in zone: TimeZoneRules) -> Int64 {
        if index == 0 || interval.isElapsed { return anchor + index * interval.seconds }
        var day = anchorDay
        if interval.months != 0 {
            let month = anchorDate.month - 1 + index * interval.months
            let year = Int(anchorDate.year + month / 12)
            let monthOfYear = Int(month % 12) + 1
            let length = WallClock.length(ofMonth: monthOfYear, year: year)
            day = WallClock.dayNumber(year: year, month: monthOfYear, day: min(Int(anchorDate.day), length))
        }
        day += index * interval.days
        let wall = day * WallClock.secondsPerDay + anchorSecondOfDay
        return zone.second(ofWall: wall) + index * interval.seconds
    }

    /// The least k whose fire is ≥ `begin`. Computed, not counted up to: a guess by the mean length, which is wrong
    /// by the few days that months and offsets differ, so by two steps at most.
    private func index(atOrAfter begin: Int64, in zone: TimeZoneRules) -> Int64 {
        guard begin > anchor else { return firstIndex }
        let distance = begin - anchor
        if interval.isElapsed { return max(firstIndex, (distance + interval.seconds - 1) / interval.seconds) }
        var index = max(firstIndex, distance / meanLength)
        while index > firstIndex, fire(index - 1, in: zone) >= begin { index -= 1 }
        while fire(index, in: zone) < begin { index += 1 }
        return index
    }

    func next(atOrAfter begin: Int64, in zone: TimeZoneRules) -> Int64 {
        fire(index(atOrAfter: begin, in: zone), in: zone)
    }

    func previous(atOrBefore end: Int64, in zone: TimeZoneRules) -> Int64 {
        let index = index(atOrAfter: end + 1, in: zone) - 1
        return index >= firstIndex ? fire(index, in: zone) : WallClock.never
    }

    /// How many different instants of `begin ... end` are fires.
    func count(from begin: Int64, through end: Int64, in zone: TimeZoneRules) -> Int {
        guard begin <= end else { return 0 }
        let first = index(atOrAfter: begin, in: zone)
        let afterLast = index(atOrAfter: end + 1, in: zone)
        guard afterLast > first else { return 0 }
        return Int(afterLast - first) - repeats(from: begin, through: end, in: zone)
    }

    /// How many fires of `begin ... end` fall on the instant of the one before: at the end of a gap of a day or more
    /// all that it skipped come together.
    private func repeats(from begin: Int64, through end: Int64, in zone: TimeZoneRules) -> Int {
        guard !interval.isElapsed, interval.seconds == 0 else { return 0 }
        var repeats: Int64 = 0
        var index = zone.spanIndex(at: begin)
        while index < zone.spans.count, zone.spans[index].start <= end {
            let span = zone.spans[index]
            if index > 0, span.start >= begin, span.offset - zone.spans[index - 1].offset >= WallClock.secondsPerDay {
                let first = self.index(atOrAfter: span.start, in: zone)
                let afterLast = self.index(atOrAfter: span.start + 1, in: zone)
                repeats += max(0, afterLast - first - 1)
            }
            index += 1
        }
        return Int(repeats)
    }
}
