/// The values that a field of a cron expression names, for schedulers that know neither ranges over the end nor
/// steps as we have them.
enum CronValues {
    static let ranges: [ClosedRange<Int>] = [0...59, 0...23, 1...31, 1...12, 0...6]
    private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
    static let weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

    /// - Parameters:
    ///   - field: the place in five fields, from the minute to the day of the week.
    /// - Returns: the values in order; nil where a day is named by something else than its number.
    static func values(_ text: Substring, field: Int) -> [Int]? {
        let range = ranges[field]
        var values: Set<Int> = []
        for item in text.split(separator: ",") {
            let parts = item.split(separator: "/", maxSplits: 1)
            guard let first = parts.first, let step = parts.count > 1 ? Int(parts[1]) : 1, step > 0 else { return nil }
            let ends = first.split(separator: "-", maxSplits: 1)
            guard let begin = ends.first.flatMap({ $0 == "*" || $0 == "?" ? range.lowerBound : value($0, field) })
            else { return nil }
            let isOpen = first == "*" || first == "?" || (parts.count > 1 && ends.count == 1)
            let last = ends.count > 1 ? value(ends[1], field) : begin
            guard let end = isOpen ? range.upperBound : last else { return nil }
            let span = range.count
            // 7 is the Sunday at the end of a range, and the one at the beginning everywhere else.
            let isLastSunday = field == 4 && end == 7
            let from = field == 4 ? begin % 7 : begin
            let length = isLastSunday ? 7 - from : (end - from + span) % span
            for offset in stride(from: 0, through: length, by: step) {
                values.insert((from - range.lowerBound + offset) % span + range.lowerBound)
            }
        }
        return values.isEmpty ? nil : values.sorted()
    }

    private static func value(_ text: Substring, _ field: Int) -> Int? {
        if let number = Int(text) { return number }
        let names = field == 3 ? months : field == 4 ? weekdays : []
        return names.firstIndex(of: text.lowercased()).map { field == 3 ? $0 + 1 : $0 }
    }
}
