/// A `CivilPattern` in a zone, under the one rule for DST changes: which instants it names.
///
/// Time is walked span by span (see `TimeZoneRules`). In every span the wall clock runs evenly, so a search in it is
/// one of the pattern. What is left is the borders:
///
/// - a *wildcard* pattern fires whenever the wall clock matches, so on both passes of an overlap and never for a gap;
/// - a *fixed* one fires where nominal time is shown for the first time, and at the first instant after a gap that
///   skipped a match; its two options change either.
///
/// All instants are seconds of UTC.
struct CivilRule: Equatable, Sendable, BitwiseCopyable {
    var pattern: CivilPattern
    /// Both passes of an overlap fire.
    var firesAgainInOverlap: Bool
    /// A match that a gap skips fires at its end.
    var firesAfterGap: Bool

    init(pattern: CivilPattern, dst: DSTPolicy) {
        self.pattern = pattern
        firesAgainInOverlap = pattern.isWildcard || dst.overlap == .both
        firesAfterGap = !pattern.isWildcard && dst.gap == .runAfter
    }

    /// The least member ≥ `begin`, or `never`.
    @inline(__always)
    func next(atOrAfter begin: Int64, in zone: TimeZoneRules) -> Int64 {
        var index = zone.spanIndex(at: begin)
        let span = zone.spans[index]
        if begin == span.start, firesAtStart(ofSpan: index, in: zone) { return begin }
        var wall = begin &+ span.offset
        if !firesAgainInOverlap { wall = max(wall, span.shownBefore) }
        let match = pattern.next(atOrAfter: wall)
        guard match != WallClock.never else { return match }
        if match &- span.offset < zone.end(ofSpan: index) { return match &- span.offset }
        return next(match, searchedFrom: wall, afterSpan: &index, in: zone)
    }

    /// Goes on from span to span with the least match from the wall second `searchedFrom` on, which is not before the
    /// end of the span `index`. So an overlap between the two holds no match, and decades of them cost a comparison
    /// each.
    @inline(never)
    private func next(
        _ firstMatch: Int64, searchedFrom begin: Int64, afterSpan index: inout Int, in zone: TimeZoneRules
    ) -> Int64 {
        var match = firstMatch
        var begin = begin
        while match != WallClock.never {
            let end = zone.end(ofSpan: index)
            if match - zone.spans[index].offset < end { return match - zone.spans[index].offset }
            let wallBefore = end + zone.spans[index].offset
            index += 1
            guard index < zone.spans.count else { break }
            let wallAfter = end + zone.spans[index].offset
            if wallAfter > wallBefore, match < wallAfter {
                if firesAfterGap { return end }
                match = pattern.next(atOrAfter: wallAfter)
                begin = wallAfter
            } else if wallAfter < wallBefore, wallAfter < begin, firesAgainInOverlap {
                begin = wallAfter
                let again = pattern.next(atOrAfter: wallAfter, below: wallBefore)
                if again != WallClock.never { match = again }
            }
        }
        return WallClock.never
    }

    /// The greatest member ≤ `end` and ≥ `limit`, or `never`.
    func previous(atOrBefore end: Int64, notBelow limit: Int64, in zone: TimeZoneRules) -> Int64 {
        var index = zone.spanIndex(at: end)
        var last = end
        while true {
            let span = zone.spans[index]
            let lowest = max(activeBegin(ofSpan: index, in: zone), limit + span.offset)
            let match = pattern.previous(atOrBefore: last + span.offset, notBelow: lowest)
            if match != WallClock.never { return match - span.offset }
            guard span.start >= limit else { return WallClock.never }
            if firesAtStart(ofSpan: index, in: zone) { return span.start }
            guard index > 0 else { return WallClock.never }
            last = span.start - 1
            index -= 1
        }
    }

    /// How many members lie in `begin ... end`.
    func count(from begin: Int64, through end: Int64, in zone: TimeZoneRules) -> Int {
        guard begin <= end else { return 0 }
        var count = 0
        var index = zone.spanIndex(at: begin)
        while true {
            let span = zone.spans[index]
            let first = max(begin, span.start)
            let last = min(end, zone.end(ofSpan: index) - 1)
            let active = activeBegin(ofSpan: index, in: zone)
            count += pattern.count(from: max(first + span.offset, active), below: last + span.offset + 1)
            if first == span.start, firesAtStart(ofSpan: index, in: zone) {
                let isCounted = first + span.offset >= active && pattern.matches(first + span.offset)
                if !isCounted { count += 1 }
            }
            guard last < end else { return count }
            index += 1
        }
    }

    /// The first wall second of a span that can fire by showing itself.
    private func activeBegin(ofSpan index: Int, in zone: TimeZoneRules) -> Int64 {
        let span = zone.spans[index]
        return firesAgainInOverlap ? span.start + span.offset : max(span.start + span.offset, span.shownBefore)
    }

    /// Whether a span begins after a gap that skipped a match which fires now.
    private func firesAtStart(ofSpan index: Int, in zone: TimeZoneRules) -> Bool {
        guard firesAfterGap, index > 0 else { return false }
        let span = zone.spans[index]
        let wallAfter = span.start + span.offset
        let wallBefore = span.start + zone.spans[index - 1].offset
        let gapBegin = firesAgainInOverlap ? wallBefore : max(wallBefore, span.shownBefore)
        guard gapBegin < wallAfter else { return false }
        return pattern.next(atOrAfter: gapBegin, below: wallAfter) != WallClock.never
    }
}
