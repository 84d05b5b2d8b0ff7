import Schedules

/// When a failed attempt is followed by another one of the same run.
public struct RetryPolicy: Sendable, Equatable {
    public enum Backoff: Sendable, Equatable {
        /// Each delay is the one before times the multiplier.
        case exponential(multiplier: Double)
        /// Each delay is the one before plus the first.
        case linear
    }

    /// Counts every attempt: 3 means one try and two retries.
    public var maxAttempts = 3
    public var delay: Duration = .seconds(60)
    public var backoff = Backoff.exponential(multiplier: 2)
    public var maxDelay: Duration = .seconds(3600)
    /// A share of the delay, 0…1, by which it is lengthened or shortened at random.
    public var jitter = 0.0
    /// Which failures are worth another attempt; empty means any but `interrupted`.
    public var on: [FailureMatch] = []

    public init() {}

    /// The wait before attempt `attempt` (2, 3, …): `min(maxDelay, delay × multiplier^(attempt−2)) × (1 ± jitter)`.
    ///
    /// - Parameter random: in −1…1; scaled by `jitter`.
    public func delay(beforeAttempt attempt: Int, random: Double) -> Duration {
        precondition(attempt >= 2, "the first attempt has no delay")
        let first = delay.inSeconds
        // Without a delay there is none to grow; and 0 × ∞ is no number.
        guard first > 0 else { return .zero }
        let raw =
            switch backoff {
            case .exponential(let multiplier): first * power(multiplier, attempt - 2)
            case .linear: first * Double(attempt - 1)
            }
        // A delay beyond the cap, infinite ones included, is the cap.
        let capped = raw < maxDelay.inSeconds ? raw : maxDelay.inSeconds
        let milliseconds = capped * (1 + jitter * random) * 1000
        // To the nearest: `rounded()` would want the C library's mathematics.
        return .milliseconds(Int64(max(0, min(milliseconds, Self.longestMilliseconds)) + 0.5))
    }

    /// No wait is longer than this.
    var longestDelay: Duration {
        .milliseconds(Int64(min(maxDelay.inSeconds * (1 + jitter) * 1000, Self.longestMilliseconds)))
    }

    /// A hundred years: keeps a delay within what an instant can hold, whatever was configured or asked for.
    static var longestWait: Duration { .milliseconds(Int64(longestMilliseconds)) }
    private static let longestMilliseconds = 3_155_760_000_000.0

    /// By squares, so that the millionth attempt costs no more than the twentieth. Beyond all measure it is infinite.
    private func power(_ base: Double, _ exponent: Int) -> Double {
        var (result, square, rest) = (1.0, base, exponent)
        while rest > 0 {
            if rest & 1 == 1 { result *= square }
            rest >>= 1
            if rest > 0 { square *= square }
        }
        return result
    }
}

/// One entry of `retry_on`.
public enum FailureMatch: Sendable, Equatable {
    case any
    /// A failure type: `auth`, `network`, `timeout`, `interrupted`, `unknown`, or one of `failure_patterns`.
    case type(String)
    /// An inclusive range of exit codes.
    case exit(Int32, Int32)
    case signal(Int32)
}
