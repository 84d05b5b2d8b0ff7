import Foundation
import TestSupport

enum TestSettings {
    /// A new seed for every run, or the one of BOTCRON_TEST_SEED to see a failure again.
    static let seed: UInt64 = {
        let seed = SeededGenerator.seed()
        print("BOTCRON_TEST_SEED=\(seed)")
        return seed
    }()

    /// BOTCRON_LONG_TESTS=1: every installed zone and every transition instead of a sample.
    static let isLong = ProcessInfo.processInfo.environment["BOTCRON_LONG_TESTS"] == "1"
}
