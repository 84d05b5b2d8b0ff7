/// The name that a mistyped one was probably meant to be.
public enum NearestName {
    /// Longer names are compared by their beginning only, so that a hostile key costs no more than a long honest one.
    static let comparedLengthMax = 64

    /// The candidate with the least edit distance to `name`, the first one of several; nil where there are none.
    public static func nearest(to name: String, among candidates: some Sequence<String>) -> String? {
        let name = folded(name)
        var best: (name: String, distance: Int)?
        for candidate in candidates {
            let other = folded(candidate)
            // No less than this lies between them: of ten thousand names most are not worth more of a look.
            if let best, abs(name.count - other.count) >= best.distance { continue }
            let distance = editDistance(name, other)
            if best.map({ distance < $0.distance }) ?? true { best = (candidate, distance) }
        }
        return best?.name
    }

    /// The nearest name, where it is near enough to have been meant: a third of the letters differ at most. `remove` is
    /// not `resume`.
    public static func near(to name: String, among candidates: some Sequence<String>) -> String? {
        guard let best = nearest(to: name, among: candidates) else { return nil }
        let (typed, found) = (folded(name), folded(best))
        return editDistance(typed, found) <= max(1, min(typed.count, found.count) / 3) ? best : nil
    }

    /// Whether one is most likely the other, mistyped: two changes apart at most.
    static func isNear(_ name: String, _ other: String) -> Bool { editDistance(folded(name), folded(other)) <= 2 }

    /// Insertions, deletions, replacements and swaps of neighbours that lead from one name to the other
    /// (optimal string alignment).
    static func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        if left.isEmpty || right.isEmpty { return max(left.count, right.count) }
        var twoBack = [Int](repeating: 0, count: right.count + 1)
        var back = Array(0...right.count)
        for row in 1...left.count {
            var current = [Int](repeating: row, count: right.count + 1)
            for column in 1...right.count {
                let replaced = back[column - 1] + (left[row - 1] == right[column - 1] ? 0 : 1)
                var least = min(replaced, back[column] + 1, current[column - 1] + 1)
                if row > 1, column > 1, left[row - 1] == right[column - 2], left[row - 2] == right[column - 1] {
                    least = min(least, twoBack[column - 2] + 1)
                }
                current[column] = least
            }
            (twoBack, back) = (back, current)
        }
        return back[right.count]
    }

    /// Case, `-` and `_` are what people mix up most: they count as no difference.
    private static func folded(_ name: String) -> [UInt8] {
        name.utf8.prefix(comparedLengthMax).map { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
            case UInt8(ascii: "-"): UInt8(ascii: "_")
            default: byte
            }
        }
    }
}
