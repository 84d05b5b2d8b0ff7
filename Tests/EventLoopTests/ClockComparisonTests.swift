import EventLoop
import Testing

@Suite struct ClockComparisonTests {
    private static let second: Int64 = 1_000_000
    private static let hour = 3600 * second
    /// Some day in 2026, an hour after the boot.
    private static let start = ClockComparison.Reading(
        wallUSec: 1_790_000_000 * second, bootUSec: hour, monotonicUSec: hour)

    /// What a time did to the clocks.
    private static func reading(wall: Int64, boot: Int64, monotonic: Int64) -> ClockComparison.Reading {
        ClockComparison.Reading(
            wallUSec: start.wallUSec + wall, bootUSec: start.bootUSec + boot,
            monotonicUSec: start.monotonicUSec + monotonic)
    }

    private struct Row: CustomStringConvertible {
        var description: String
        var wall: Int64
        var boot: Int64
        var monotonic: Int64
        var isSet = false
        /// When something was due, from the start.
        var due: Int64?
        var step: Int64 = 0
        var lost: Int64 = 0
    }

    @Test(arguments: [
        Row(description: "an hour passes", wall: hour, boot: hour, monotonic: hour),
        Row(description: "on time", wall: hour, boot: hour, monotonic: hour, due: hour),
        Row(description: "a busy machine", wall: hour, boot: hour, monotonic: hour, due: hour - 9 * second),
        Row(description: "between readings", wall: hour + 900_000, boot: hour, monotonic: hour - 90_000),
        Row(description: "the kernel slept", wall: 9 * hour, boot: 9 * hour, monotonic: hour, lost: 8 * hour),
        Row(
            description: "it slept, and says that the clock was set", wall: 9 * hour + 2000, boot: 9 * hour,
            monotonic: hour, isSet: true, lost: 8 * hour),
        Row(
            description: "a sleep after which something is late", wall: 9 * hour, boot: 9 * hour, monotonic: hour,
            due: 2 * hour, lost: 8 * hour),
        Row(
            description: "a sleep and a clock that was wrong", wall: 10 * hour, boot: 9 * hour, monotonic: hour,
            isSet: true, step: hour, lost: 8 * hour),
        Row(
            description: "a machine that was paused, or a clock set forward", wall: 9 * hour, boot: hour,
            monotonic: hour, isSet: true, due: 2 * hour, step: 8 * hour, lost: 8 * hour),
        Row(
            description: "the clock put right", wall: hour + 5000, boot: hour, monotonic: hour, isSet: true,
            step: 5000),
        Row(description: "the clock set back", wall: 0, boot: hour, monotonic: hour, isSet: true, step: -hour),
        Row(
            description: "the clock set back, unnoticed so far", wall: 0, boot: hour, monotonic: hour, due: hour,
            step: -hour),
        Row(
            description: "the process was stopped", wall: 3 * hour, boot: 3 * hour, monotonic: 3 * hour, due: hour,
            lost: 2 * hour),
    ])
    private func findings(row: Row) {
        var clocks = ClockComparison(Self.start)
        clocks.arm(dueUSec: row.due.map { Self.start.wallUSec + $0 }, nowUSec: Self.start.wallUSec)
        let later = Self.reading(wall: row.wall, boot: row.boot, monotonic: row.monotonic)
        let finding = clocks.compare(later, isSet: row.isSet)
        #expect(finding?.stepUSec ?? 0 == row.step)
        #expect(finding?.lostUSec ?? 0 == row.lost)
        #expect((finding?.evidence ?? "").isEmpty == (row.lost == 0))
        // Once.
        #expect(clocks.compare(later, isSet: row.isSet) == nil)
    }

    @Test func whatIsOverdueWhenItIsWaitedForIsNotLate() {
        var clocks = ClockComparison(Self.start)
        clocks.arm(dueUSec: Self.start.wallUSec - Self.hour, nowUSec: Self.start.wallUSec)
        #expect(clocks.compare(Self.start) == nil)
    }

    @Test func whatIsNotWaitedForIsNotLate() {
        var clocks = ClockComparison(Self.start)
        clocks.arm(dueUSec: nil, nowUSec: Self.start.wallUSec)
        #expect(clocks.compare(Self.reading(wall: Self.hour, boot: Self.hour, monotonic: Self.hour)) == nil)
    }
}
