import Schedules
import Testing

/// Lengths of time as bare numbers: floored, and at the limits of the number rather than beyond them.
@Suite struct DurationTests {
    struct Row: Sendable {
        var duration: Duration
        var microseconds: Int64
        var milliseconds: Int64
    }

    static let rows = [
        Row(duration: .zero, microseconds: 0, milliseconds: 0),
        Row(duration: .milliseconds(1500), microseconds: 1_500_000, milliseconds: 1500),
        Row(duration: .microseconds(1999), microseconds: 1999, milliseconds: 1),
        Row(duration: .nanoseconds(-1), microseconds: -1, milliseconds: -1),
        Row(duration: .microseconds(-1001), microseconds: -1001, milliseconds: -2),
        Row(duration: .seconds(Int64.max), microseconds: .max, milliseconds: .max),
        Row(duration: .seconds(Int64.min), microseconds: .min, milliseconds: .min),
    ]

    @Test(arguments: rows.indices) func `a duration in whole units`(_ index: Int) {
        let row = Self.rows[index]
        #expect(row.duration.wholeMicroseconds == row.microseconds)
        #expect(row.duration.wholeMilliseconds == row.milliseconds)
    }

    @Test func `a duration in seconds`() {
        #expect(Duration.milliseconds(-250).inSeconds == -0.25)
        #expect(Duration.seconds(Int64.max).inSeconds.isFinite)
    }
}
