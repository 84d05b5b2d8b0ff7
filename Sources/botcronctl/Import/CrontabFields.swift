import Schedules

/// The five fields of a crontab's line as a cron expression of ours, with what of it means something else.
///
/// Debian's cron and cronie say what each form means. Where both refuse what we understand (`L`, `5#2`, `3/10`) it is
/// taken, and said. What they leave to chance (`~`) or to a hash of another program's (`H`) becomes a number made of
/// the command, which is the same at every import.
struct CrontabFields {
    private(set) var expression = ""
    private(set) var differences: [String] = []

    /// - Parameter seed: what numbers that are nobody's choice are made of.
    init(_ fields: [Substring], seed: String) throws(ScheduleError) {
        let texts = zip(fields, Field.all).map { text, field in
            text.split(separator: ",", omittingEmptySubsequences: false)
                .map { translate($0, of: field, seed: "\(field.name)|\(seed)") }.joined(separator: ",")
        }
        expression = texts.joined(separator: " ")
        _ = try Schedule.cron(expression)
    }

    private struct Field {
        let name: String
        let range: ClosedRange<Int>
        /// Whose place is their value; the first of months is empty.
        var names: [String] = []
        /// What `H` may become: never a day that some month has not.
        var hashed: ClosedRange<Int>

        init(_ name: String, _ range: ClosedRange<Int>, names: [String] = [], hashed: ClosedRange<Int>? = nil) {
            (self.name, self.range, self.names, self.hashed) = (name, range, names, hashed ?? range)
        }

        static let all = [
            Field("minute", 0...59), Field("hour", 0...23), Field("day of the month", 1...31, hashed: 1...28),
            Field(
                "month", 1...12,
                names: ["", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
            Field("day of the week", 0...6, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
        ]

        func value(of text: some StringProtocol) -> Int? {
            if !text.isEmpty, text.allSatisfy({ $0.isASCII && $0.isNumber }) { return Int(text) }
            return text.isEmpty ? nil : names.firstIndex(of: text.lowercased())
        }
    }

    private mutating func translate(_ item: Substring, of field: Field, seed: String) -> String {
        if item.contains("~") { return random(item, of: field, seed: seed) ?? String(item) }
        if item.hasPrefix("H") { return hashed(item, of: field, seed: seed) ?? String(item) }
        if item.contains(where: { "LlWw#?".contains($0) }), !isName(item, of: field) {
            differences.append("cron refuses \"\(item)\" in the \(field.name); here it means something")
            return String(item)
        }
        let parts = item.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let step = parts.count > 1 ? Int(parts[1]) : nil
        let ends = parts[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        if ends.count == 2, let first = field.value(of: ends[0]), let last = field.value(of: ends[1]), first > last {
            differences.append(
                "Debian's cron takes \"\(item)\", which runs backwards, for nothing; here it goes on past the end")
        } else if ends.count == 1, parts[0] != "*", step != nil {
            differences.append("Debian's cron refuses \"\(item)\"; here it steps on to the end")
        }
        guard let step, step > field.range.count, parts[1].allSatisfy(\.isNumber) else { return String(item) }
        // To cron a step beyond the field leaves the first value, and the star is still a star.
        return parts[0] == "*" ? "*/\(field.range.count)" : String(ends[0])
    }

    private func isName(_ item: Substring, of field: Field) -> Bool {
        item.split { "-/".contains($0) }.allSatisfy { field.value(of: $0) != nil }
    }

    // MARK: - Numbers that nobody chose

    /// `a~b`, `~b`, `a~`, `~`.
    private mutating func random(_ item: Substring, of field: Field, seed: String) -> String? {
        let ends = item.split(separator: "~", maxSplits: 1, omittingEmptySubsequences: false)
        let low = ends[0].isEmpty ? field.range.lowerBound : field.value(of: ends[0])
        let high = ends[1].isEmpty ? field.range.upperBound : field.value(of: ends[1])
        guard let low, let high, low <= high, field.range.contains(low), field.range.contains(high) else { return nil }
        let value = Self.pick(low...high, seed)
        differences.append("\"\(item)\": cronie picks the \(field.name) anew at each start; here it is always \(value)")
        return "\(value)"
    }

    /// `H`, `H/n`, `H(a-b)`, `H(a-b)/n`.
    private mutating func hashed(_ item: Substring, of field: Field, seed: String) -> String? {
        let parts = item.dropFirst().split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        var range = field.hashed
        if let bounds = parts.first, !bounds.isEmpty {
            guard bounds.hasPrefix("("), bounds.hasSuffix(")") else { return nil }
            let ends = bounds.dropFirst().dropLast().split(separator: "-").map { field.value(of: $0) }
            guard ends.count == 2, let low = ends[0], let high = ends[1], low <= high, field.range.contains(low),
                field.range.contains(high)
            else { return nil }
            range = low...high
        }
        guard parts.count > 1 else {
            let value = Self.pick(range, seed)
            differences.append(
                "\"\(item)\": the \(field.name) is \(value), made of the command; Jenkins makes it of its name")
            return "\(value)"
        }
        guard let step = Int(parts[1]), step > 0 else { return nil }
        let first = Self.pick(range.lowerBound...range.lowerBound + min(step, range.count) - 1, seed)
        differences.append(
            "\"\(item)\": the \(field.name) begins at \(first), made of the command; Jenkins makes it of its name")
        return step > range.count ? "\(first)" : "\(first)-\(range.upperBound)/\(step)"
    }

    private static func pick(_ range: ClosedRange<Int>, _ seed: String) -> Int {
        let hash = FNV1a(seed).value
        return range.lowerBound + Int((hash ^ (hash >> 32)) % UInt64(range.count))
    }
}
