/// A length of time as a bare number, for the doors of other worlds: C, SQL, D-Bus, JSON.
extension Duration {
    /// Whole microseconds, floored, at the limits of `Int64` beyond them.
    public var wholeMicroseconds: Int64 { whole(perSecond: 1_000_000) }

    /// Whole milliseconds, floored, at the limits of `Int64` beyond them.
    public var wholeMilliseconds: Int64 { whole(perSecond: 1_000) }

    /// As a floating-point number of seconds.
    public var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }

    private func whole(perSecond units: Int64) -> Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: units)
        if overflow { return seconds < 0 ? .min : .max }
        let (quotient, remainder) = attoseconds.quotientAndRemainder(dividingBy: 1_000_000_000_000_000_000 / units)
        return saturatingSum(product, remainder < 0 ? quotient - 1 : quotient)
    }
}
