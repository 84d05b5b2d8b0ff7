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
    /// That its group is to wait, and what it asks a person.
    var hold: (saidAt: Instant, words: String)?
    var question: (number: Int, askedAt: Instant, words: String)?

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
        hold = words["hold"].flatMap { text in Self.dated(text[...]).map { ($0, String($1)) } }
        question = words["ask"].flatMap { text in
            guard let gap = text.firstIndex(of: " "), let number = Int(text[..<gap]),
                let (askedAt, words) = Self.dated(text[gap...].dropFirst())
            else { return nil }
            return (number, askedAt, String(words))
        }
    }

    /// What the supervisor notes with the time: microseconds, and the words.
    private static func dated(_ text: Substring) -> (Instant, Substring)? {
        guard let gap = text.firstIndex(of: " "), let microseconds = Int64(text[..<gap]) else { return nil }
        return (Instant(microseconds: microseconds), text[gap...].drop { $0 == " " })
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
