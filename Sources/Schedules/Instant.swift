/// A point in wall-clock time: microseconds since 1970-01-01T00:00:00Z, POSIX time, no leap seconds.
///
/// The one wall-time type of the project. Fire times are whole seconds of it; clocks and requests carry fractions.
/// Arithmetic saturates: an instant that comes from a hostile file or a broken clock never traps.
public struct Instant: Hashable, Comparable, Sendable {
    /// Since 1970-01-01T00:00:00Z; negative before it.
    public var microseconds: Int64

    public init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// Saturates at about ±292,000 years.
    public init(seconds: Int64) {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        microseconds = overflow ? (seconds < 0 ? .min : .max) : product
    }

    /// Whole seconds, floored: −0.5 s is second −1.
    public var seconds: Int64 {
        let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return remainder < 0 ? quotient - 1 : quotient
    }

    /// The least whole second that is not before this instant.
    public var secondsRoundedUp: Int64 {
        let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return remainder > 0 ? quotient + 1 : quotient
    }

    public static func < (left: Instant, right: Instant) -> Bool {
        left.microseconds < right.microseconds
    }

    public static func + (instant: Instant, duration: Duration) -> Instant {
        Instant(microseconds: saturatingSum(instant.microseconds, duration.wholeMicroseconds))
    }

    public static func - (instant: Instant, duration: Duration) -> Instant {
        Instant(microseconds: saturatingDifference(instant.microseconds, duration.wholeMicroseconds))
    }

    public static func - (left: Instant, right: Instant) -> Duration {
        .microseconds(saturatingDifference(left.microseconds, right.microseconds))
    }

    /// The end of the domain of every schedule: 2199-12-31T23:59:59Z. Nothing fires after it.
    public static let horizon = Instant(seconds: WallClock.horizonSeconds)
    /// The begin of the domain of every schedule: 1970-01-01T00:00:00Z. Nothing fires before it.
    public static let epoch = Instant(microseconds: 0)
}

// MARK: - Saturating arithmetic

func saturatingSum(_ left: Int64, _ right: Int64) -> Int64 {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? (right < 0 ? .min : .max) : sum
}

private func saturatingDifference(_ left: Int64, _ right: Int64) -> Int64 {
    let (difference, overflow) = left.subtractingReportingOverflow(right)
    return overflow ? (right < 0 ? .max : .min) : difference
}
