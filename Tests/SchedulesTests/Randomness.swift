import Foundation

/// SplitMix64: small, and the same for a seed everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

enum TestSettings {
    /// A new seed for every run, or the one of BOTCRON_TEST_SEED to see a failure again.
    static let seed: UInt64 = {
        let seed =
            ProcessInfo.processInfo.environment["BOTCRON_TEST_SEED"].flatMap { UInt64($0) }
            ?? UInt64.random(in: 1...999_999_999)
        print("BOTCRON_TEST_SEED=\(seed)")
        return seed
    }()

    /// BOTCRON_LONG_TESTS=1: every installed zone and every transition instead of a sample.
    static let isLong = ProcessInfo.processInfo.environment["BOTCRON_LONG_TESTS"] == "1"
}
