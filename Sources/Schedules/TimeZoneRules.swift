/// The rules of one time zone: its offset from UTC at every instant. Immutable, loaded once, shared by all schedules.
///
/// Mental model: time is cut into *spans* of constant offset. Where the offset grows the wall clock jumps forward and
/// skips nominal time (a *gap*); where it shrinks nominal time is shown twice (an *overlap*).
///
/// The rule after the last transition of the file (RFC 9636, section 3.3) is unrolled to the horizon when the file is
/// read: a few hundred spans, after which a lookup is one index by time and a step or two, without a branch for
/// "beyond the table".
///
/// Sharp edges: equality compares the name and the content, so that a reload can see that tzdata changed on disk. The
/// standard/daylight flag and the abbreviations of the file play no part in schedules and are dropped.
public final class TimeZoneRules: Sendable {
    /// A stretch of constant offset. It ends where the next one starts.
    struct Span: Equatable {
        /// The first second (UTC) of the span; `Int64.min / 2` for the first.
        var start: Int64
        /// Seconds east of UTC.
        var offset: Int64
        /// The greatest wall second, exclusive, that was shown before this span: below it nominal time is shown again.
        var shownBefore: Int64
    }

    public let name: String
    /// Never empty, ascending, neighbours differ in offset.
    let spans: ContiguousArray<Span>
    /// For every 2^`bucketShift` seconds from 1970 on: the span in force when that stretch begins.
    private let buckets: ContiguousArray<UInt16>

    static let bucketShift: Int64 = 23
    static let bucketCount = Int(WallClock.horizonSeconds >> bucketShift) + 2

    /// `spans`: ascending, not empty. Neighbours of equal offset are joined.
    init(name: String, transitions: [(start: Int64, offset: Int64)], initialOffset: Int64) {
        var spans: ContiguousArray<Span> = [Span(start: .min / 2, offset: initialOffset, shownBefore: .min / 2)]
        for transition in transitions {
            let last = spans[spans.count - 1]
            guard transition.offset != last.offset else { continue }
            let shown = max(last.shownBefore, transition.start + last.offset)
            spans.append(Span(start: transition.start, offset: transition.offset, shownBefore: shown))
        }
        var buckets = ContiguousArray<UInt16>()
        buckets.reserveCapacity(Self.bucketCount)
        var index = 0
        for bucket in 0..<Self.bucketCount {
            let begin = Int64(bucket) << Self.bucketShift
            while index + 1 < spans.count, spans[index + 1].start <= begin { index += 1 }
            buckets.append(UInt16(truncatingIfNeeded: index))
        }
        self.name = name
        self.spans = spans
        self.buckets = buckets
    }

    public static let utc = TimeZoneRules(name: "UTC", transitions: [], initialOffset: 0)

    // MARK: - Lookups

    /// The index of the span in force at a second of UTC.
    @inline(__always)
    func spanIndex(at seconds: Int64) -> Int {
        if spans.count == 1 { return 0 }
        guard seconds >= 0 else { return spanIndexBeforeEpoch(seconds) }
        var index = Int(buckets[min(Int(seconds >> Self.bucketShift), Self.bucketCount - 1)])
        while index + 1 < spans.count, spans[index + 1].start <= seconds { index += 1 }
        return index
    }

    private func spanIndexBeforeEpoch(_ seconds: Int64) -> Int {
        var index = Int(buckets[0])
        while index > 0, spans[index].start > seconds { index -= 1 }
        return index
    }

    /// The first second (UTC) after the span; for the last one a second that nothing reaches.
    @inline(__always)
    func end(ofSpan index: Int) -> Int64 {
        index + 1 < spans.count ? spans[index + 1].start : .max / 2
    }

    /// The first second of UTC at which the wall clock shows `wall` or more: the first pass of an overlap, the first
    /// instant after a gap.
    func second(ofWall wall: Int64) -> Int64 {
        // No offset is beyond ±26 h, so the span sought is not before the one in force 26 h earlier.
        var index = spanIndex(at: max(wall, .min / 4) - 26 * 3_600)
        while index > 0, spans[index].shownBefore > wall { index -= 1 }
        while end(ofSpan: index) + spans[index].offset <= wall, index + 1 < spans.count { index += 1 }
        return max(spans[index].start, wall - spans[index].offset)
    }

    /// Seconds east of UTC that are in force at an instant.
    public func utcOffset(at instant: Instant) -> Int {
        Int(spans[spanIndex(at: instant.seconds)].offset)
    }

    public func localDateTime(at instant: Instant) -> LocalDateTime {
        let seconds = instant.seconds
        return LocalDateTime(wallSeconds: seconds + spans[spanIndex(at: seconds)].offset)
    }

    /// The instant of a wall time: in a gap the first instant after it, in an overlap the first pass.
    public func instant(of local: LocalDateTime) -> Instant {
        Instant(seconds: second(ofWall: local.wallSeconds))
    }

    /// The whole-second instant at which the offset changes next after `instant`, none where it never does again
    /// before the horizon.
    public func nextTransition(after instant: Instant) -> Instant? {
        let index = spanIndex(at: instant.seconds) + 1
        return index < spans.count ? Instant(seconds: spans[index].start) : nil
    }
}

extension TimeZoneRules: Equatable {
    public static func == (left: TimeZoneRules, right: TimeZoneRules) -> Bool {
        left === right || (left.name == right.name && left.spans == right.spans)
    }
}
