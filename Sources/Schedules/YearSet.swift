/// A set of the years 1970…2199: a bit for each.
struct YearSet: Equatable, Sendable, BitwiseCopyable {
    private var words: (UInt64, UInt64, UInt64, UInt64)
    private(set) var isAll: Bool

    static let all = YearSet(words: (.max, .max, .max, .max), isAll: true)
    static let none = YearSet(words: (0, 0, 0, 0), isAll: false)

    /// Years outside 1970…2199 are not stored.
    mutating func insert(_ year: Int) {
        let index = year - WallClock.firstYear
        guard index >= 0, year <= WallClock.lastYear else { return }
        let bit = UInt64(1) << UInt64(index & 63)
        switch index >> 6 {
        case 0: words.0 |= bit
        case 1: words.1 |= bit
        case 2: words.2 |= bit
        default: words.3 |= bit
        }
    }

    /// All years, even beyond 1970…2199, are in `all`.
    @inline(__always)
    func contains(_ year: Int) -> Bool {
        isAll || containsListed(year)
    }

    private func containsListed(_ year: Int) -> Bool {
        let index = year - WallClock.firstYear
        guard index >= 0, year <= WallClock.lastYear else { return false }
        let word =
            switch index >> 6 {
            case 0: words.0
            case 1: words.1
            case 2: words.2
            default: words.3
            }
        return word >> UInt64(index & 63) & 1 != 0
    }

    /// The least year of the set after `year`; one beyond the domain where there is none.
    @inline(__always)
    func next(after year: Int) -> Int {
        if isAll { return year &+ 1 }
        var candidate = max(year + 1, WallClock.firstYear)
        while candidate <= WallClock.lastYear, !containsListed(candidate) { candidate += 1 }
        return candidate <= WallClock.lastYear ? candidate : WallClock.lastYear + 2
    }

    static func == (left: YearSet, right: YearSet) -> Bool {
        left.words == right.words && left.isAll == right.isAll
    }
}
