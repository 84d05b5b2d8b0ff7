import Glibc

/// SplitMix64 (Steele, Lea, Flood 2014): the same seed, the same values, on every machine.
///
/// A test says with what it found by which seed it found it: `"\(random)"` is `seed 2026`.
public struct SeededGenerator: RandomNumberGenerator, CustomStringConvertible {
    /// What the state grows by each time: 2^64 divided by the golden ratio.
    public static let step: UInt64 = 0x9e37_79b9_7f4a_7c15

    public let seed: UInt64
    @usableFromInline var state: UInt64

    public init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    public var description: String { "seed \(seed)" }

    @inlinable public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }

    /// A fresh one for each run of the tests, or the one in `BOTCRON_TEST_SEED`, to repeat a failure.
    public static func seed() -> UInt64 {
        if let text = getenv("BOTCRON_TEST_SEED"), let seed = UInt64(String(cString: text)) { return seed }
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }
}
