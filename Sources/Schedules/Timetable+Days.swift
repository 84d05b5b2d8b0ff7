extension Timetable {
    /// What the timetable does on a day of UTC, as a number: on two days with the same number it has the same members,
    /// counted from the begin of the day. Nil where the day is like no other: the zone changes its offset on it, or the
    /// window begins or ends.
    ///
    /// Most schedules do few different things, so that what holds for a stretch of years can be found by looking at one
    /// day of each kind.
    ///
    /// - Parameter day: counted from 1970-01-01.
    public func pattern(ofDay day: Int64) -> Int64? {
        let begin = day * WallClock.secondsPerDay
        let end = begin + WallClock.secondsPerDay
        guard earliest <= begin, end - 1 <= latest else { return nil }
        switch plan {
        case .civil(let rule): return rule.pattern(from: begin, below: end, in: zone)
        case .interval(let grid) where grid.interval.isElapsed:
            // Its phase.
            return begin > grid.anchor ? (begin - grid.anchor) % grid.interval.seconds : nil
        case .interval, .once:
            // One member at most, where it is; two are no pattern.
            guard let first = next(after: Instant(seconds: begin - 1)), first.seconds < end else { return -1 }
            if let second = next(after: first), second.seconds < end { return nil }
            return first.seconds - begin
        case .nothing: return -1
        }
    }
}

extension CivilRule {
    /// The offset, and which of the two dates match that the wall clock shows meanwhile.
    fileprivate func pattern(from begin: Int64, below end: Int64, in zone: TimeZoneRules) -> Int64? {
        let index = zone.spanIndex(at: begin)
        let span = zone.spans[index]
        // The first second of a span can fire for a gap before it.
        guard span.start < begin, end <= zone.end(ofSpan: index) else { return nil }
        let wall = begin + span.offset
        guard firesAgainInOverlap || wall >= span.shownBefore else { return nil }
        let date = WallClock.dayNumber(ofWall: wall)
        let matches: Int64 = (pattern.matchesDate(date) ? 1 : 0) + (pattern.matchesDate(date + 1) ? 2 : 0)
        return span.offset * 4 + matches
    }
}
