/// A small repeatable source of random bits (SplitMix64, Steele, Lea and Flood 2014).
///
/// Good for trace ids and for the jitter of retries; not for secrets.
struct RandomSource: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }

    /// In −1…1.
    mutating func nextSigned() -> Double { Double(Int64(bitPattern: next()) >> 10) / Double(1 << 53) }

    /// 32 lower-case hex digits, not all zero: a trace id of the W3C Trace Context.
    mutating func nextTraceID() -> String {
        let (high, low) = (next() | 1, next())
        var text = ""
        text.reserveCapacity(32)
        for word in [high, low] {
            let digits = String(word, radix: 16)
            text += String(repeating: "0", count: 16 - digits.count) + digits
        }
        return text
    }
}
