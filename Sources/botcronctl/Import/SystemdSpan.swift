/// A length of time as systemd writes it: `1h 30min`, `90`, `1.5h`, `2 weeks`.
///
/// Whatever the unit, it is elapsed time: a day is 24 hours, a month 30.44 days and a year 365.25.
///
/// Source: systemd.time(7).
struct SystemdSpan: Equatable {
    var microseconds: Int64

    private static let second: Int64 = 1_000_000
    private static let units: [(names: Set<String>, microseconds: Int64)] = [
        (["usec", "us", "µs", "μs"], 1), (["msec", "ms"], 1000), (["seconds", "second", "sec", "s", ""], second),
        (["minutes", "minute", "min", "m"], 60 * second), (["hours", "hour", "hr", "h"], 3_600 * second),
        (["days", "day", "d"], 86_400 * second), (["weeks", "week", "w"], 604_800 * second),
        (["months", "month", "M"], 2_629_800 * second), (["years", "year", "y"], 31_557_600 * second),
    ]

    /// Nil where it is none, or none that ends.
    init?(_ text: String) {
        var rest = text[...].trimmed
        guard !rest.isEmpty else { return nil }
        var total = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            guard let number = Double(digits), digits.first != "." else { return nil }
            rest = rest[digits.endIndex...].trimmed
            let word = rest.prefix { $0.isLetter }
            rest = rest[word.endIndex...].trimmed
            guard let unit = Self.units.first(where: { $0.names.contains(String(word)) }) else { return nil }
            total += number * Double(unit.microseconds)
        }
        // A hundred years, as far as intervals go.
        guard total <= 3_155_760_000 * Double(Self.second) else { return nil }
        microseconds = Int64(total.rounded())
    }

    /// As an interval of elapsed time or a duration, in whole seconds and never less: `36h`, `90m`, `1h30m`.
    var text: String {
        let seconds = (microseconds + Self.second - 1) / Self.second
        let parts = [(seconds / 3_600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")].filter { $0.0 > 0 }
        return parts.isEmpty ? "0s" : parts.map { "\($0.0)\($0.1)" }.joined()
    }
}
