import JSON
import Schedules
import Scheduling

/// What a run has said of itself on its context socket, read: words that make no sense are as good as not said.
struct Remarks {
    /// In per cent, 0 to 100.
    var progress: Double?
    /// In a unit of the run's own, not below 0.
    var cost: Double?
    var retryAfter: Duration?
    /// JSON as text; what is not JSON becomes a string of it.
    var result: String?

    init(_ words: [String: String]) {
        progress = words["progress"].flatMap(Self.number).map { min(100, $0) }
        cost = words["cost"].flatMap(Self.number)
        retryAfter = words["retry-after"].flatMap { text in
            if let seconds = Self.number(text) { return .milliseconds(Int64(min(seconds, Self.secondsMax) * 1000)) }
            return try? Schedule.parseDuration(text)
        }
        result = words["result"].map { text in
            ((try? JSONValue(parsing: text)) ?? .string(text)).compactText
        }
    }

    /// A hundred years.
    private static let secondsMax = 3_155_760_000.0

    /// `40`, `0.12`, `40%`.
    private static func number(_ text: String) -> Double? {
        let digits = text.hasSuffix("%") ? text.dropLast() : text[...]
        guard let number = Double(digits), number.isFinite, number >= 0 else { return nil }
        return number
    }
}
