public import Schedules

/// What a store gives back lies within these, whatever its file says: another program, or a failing disk, may have
/// written there. Who reads a store can add to its numbers, and print its instants.
public enum StoreBounds {
    /// Instants are clamped to the years 1 to 9999.
    public static let instants = Instant(seconds: -62_135_596_800)...Instant(microseconds: 253_402_300_799_999_999)
    /// Durations are clamped to ten thousand years, either way; in microseconds.
    public static let durationMicroseconds: ClosedRange<Int64> = -315_576_000_000_000_000...315_576_000_000_000_000
    /// Counts (of runs, attempts, deliveries) are clamped to this range.
    public static let counts = 0...1_000_000_000_000_000
    /// A longer text is not stored (the commit fails), and cut to this where it is there all the same.
    public static let textBytesMax = 64 << 20
    /// Idempotency keys, and fire times taken by hand, whose runs were removed. Beyond it the oldest go before their
    /// time, and are counted (`StoreStatistics.keysDropped`). A million take some 250 MB.
    public static let usedKeysMax = 1_000_000
}
