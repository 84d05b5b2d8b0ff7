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

    /// Never the same twice: of 127 random bits.
    mutating func nextMessageID() -> String { "msg_" + nextTraceID() }

    /// 32 lower-case hex digits, not all zero: a trace id of the W3C Trace Context.
    mutating func nextTraceID() -> String {
        let (high, low) = (next() | 1, next())
        return String(unsafeUninitializedCapacity: 32) { text in
            for (index, word) in [high, low].enumerated() {
                for digit in 0..<16 {
                    let value = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * digit)) & 15
                    text[16 * index + digit] = value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
                }
            }
            return 32
        }
    }
}
