import JSON
import Schedules

/// A schedule that was refused: what, where, and the expression with a caret under the place.
struct Refusal: Sendable {
    var code: String
    var field: String
    var value: String
    /// In Unicode scalars, from 0.
    var position: Int
    var sentence: String
    /// The text that the position counts in; nil where it is not at hand.
    var expression: String?

    init(_ error: ScheduleError, expression: String) {
        code = error.code.rawValue
        field = error.field
        value = error.value
        position = error.position
        sentence = error.sentence
        self.expression = expression
    }

    /// Reads what the bus and the configuration say: `CODE FIELD "VALUE" at POSITION: sentence`, at the end perhaps
    /// `(KEY, line L, column C)`, whose key leads to the expression in the definition. Nil for any other text.
    init?(_ text: String, definition: JSONValue?) {
        let words = text.split(separator: " ", maxSplits: 2)
        guard words.count == 3, ScheduleError.Code(rawValue: String(words[0])) != nil, words[2].first == "\"" else {
            return nil
        }
        // The value may hold anything, the sentence nothing that looks like this mark: the last one counts.
        var mark: (end: Substring.Index, digits: Substring, rest: Substring)?
        var from = words[2].dropFirst()
        while let quote = from.firstIndex(of: "\"") {
            let behind = from[from.index(after: quote)...]
            if behind.hasPrefix(" at ") {
                let digits = behind.dropFirst(4).prefix { $0.isASCII && $0.isNumber }
                let rest = behind[digits.endIndex...]
                if !digits.isEmpty, rest.hasPrefix(": ") { mark = (quote, digits, rest.dropFirst(2)) }
            }
            from = behind
        }
        guard let mark, let position = Int(mark.digits) else { return nil }
        code = String(words[0])
        field = String(words[1])
        value = String(words[2].dropFirst()[..<mark.end])
        self.position = position
        sentence = String(mark.rest)
        expression = definition.flatMap { Self.expression(in: $0, text: sentence) }
    }

    /// Follows the key in the last pair of parentheses: `cron`, `schedule.value`, `schedules[1].cron`.
    private static func expression(in definition: JSONValue, text: String) -> String? {
        guard text.last == ")", let open = text.lastIndex(of: "(") else { return nil }
        let path = text[text.index(after: open)...].dropLast().prefix { $0 != "," }
        var value: JSONValue? = definition
        for step in path.split(separator: ".") {
            let parts = step.split(separator: "[")
            guard let name = parts.first else { return nil }
            value = value?[String(name)]
            for index in parts.dropFirst() { value = Int(index.dropLast()).flatMap { value?[$0] } }
        }
        return value?.stringValue
    }

    /// Longer expressions are shown without a caret: it would stand on another line of the terminal.
    private static let shownMax = 200

    /// The expression, and carets under what is wrong with it.
    var lines: [String] {
        guard let expression, expression.unicodeScalars.count <= Self.shownMax else { return [] }
        let scalars = Array(expression.unicodeScalars)
        let place = min(max(0, position), scalars.count)
        let length = scalars[place...].starts(with: value.unicodeScalars) ? max(1, value.unicodeScalars.count) : 1
        return [
            printable(expression), String(repeating: " ", count: place) + String(repeating: "^", count: length),
        ]
    }
}
