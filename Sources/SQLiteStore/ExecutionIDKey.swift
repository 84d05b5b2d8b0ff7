internal import Schedules

/// The number under which the id of a removed run is remembered for ever.
///
/// Ids kept whole take 47 bytes each on disk, the numbers 16 (measured with half a million); the runs themselves take
/// some 500. To keep the highest suffix by base id instead saves nothing: hardly an id has a suffix. Two ids of one
/// date share a number at odds of 1 in 2⁴³ (for 10,000 runs a day: one such pair in 480 years); then a fresh id is
/// taken for a used one and gets a suffix, nothing worse.
///
/// The date in the id stands in front. So the numbers that one step of retention adds lie side by side in the tree,
/// and a step of 1000 writes some 10 pages; bare hashes would lie anywhere in it, up to a page each.
///
/// The numbers are on disk: what this computes must never change.
struct ExecutionIDKey {
    let value: Int64

    init(_ id: String) {
        let date = UInt64(Self.date(in: id) & 0xF_FFFF) << 43
        let hash = FNV1a(id).value
        let folded = (hash ^ (hash >> 43)) & ((1 << 43) - 1)
        // 20 bits of date and 43 of hash: the sign stays clear.
        value = Int64(date | folded)
    }

    /// A number that grows with the `YYYYMMDD` of the last `-YYYYMMDD-HHMMSS`; 0 where there is none.
    private static func date(in id: String) -> Int {
        let parts = id.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        for index in parts.indices.dropLast().reversed() {
            guard parts[index].count == 8, parts[index + 1].count == 6,
                let date = number(parts[index]), number(parts[index + 1]) != nil
            else { continue }
            let (year, month, day) = (date / 10_000, date / 100 % 100, date % 100)
            return (year * 12 + month) * 31 + day
        }
        return 0
    }

    /// The number that at most eight digits make; nil where one of them is none.
    private static func number(_ digits: some Sequence<UInt8>) -> Int? {
        var value = 0
        for digit in digits {
            guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
            value = value * 10 + Int(digit - UInt8(ascii: "0"))
        }
        return value
    }
}
