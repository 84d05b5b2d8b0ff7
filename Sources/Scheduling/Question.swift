internal import JSON
public import Schedules

/// What a run asks a person, and what it was told.
public struct Question: Sendable, Equatable {
    public let attempt: Int
    /// Of the questions of its attempt: 1, 2, ….
    public let number: Int
    public let text: String
    public let choices: [String]
    /// What it is told where nobody answers.
    public let standard: String
    public let askedAt: Instant
    public var until: Instant
    /// Nil while it is open, and of one whose run ended before.
    public var answer: Answer?

    public struct Answer: Sendable, Equatable {
        public let choice: String
        /// Who gave it: the name of a program, `desktop`, or `timeout`.
        public let by: String
        public let at: Instant

        public init(choice: String, by: String, at: Instant) {
            self.choice = choice
            self.by = by
            self.at = at
        }
    }

    /// Bytes of its text and of each choice; how many choices; and how long it may stay open. What is beyond is no
    /// question, and its process is told so.
    public static let textBytesMax = 4_096
    public static let choiceBytesMax = 100
    public static let choicesMax = 10
    public static let longestWait: Duration = .seconds(7 * 86_400)
    /// How long it is open where nothing is said.
    public static let standardWait: Duration = .seconds(600)
    /// Questions that are kept of one run, the newest.
    public static let keptPerRun = 20

    public init(
        attempt: Int, number: Int, text: String, choices: [String], standard: String, askedAt: Instant, until: Instant
    ) {
        self.attempt = attempt
        self.number = number
        self.text = text
        self.choices = choices
        self.standard = standard
        self.askedAt = askedAt
        self.until = until
    }

    /// The words of a process: `{"question": "…", "choices": […], "default": "…", "timeout": "10m"}`.
    init(words: String, attempt: Int, number: Int, askedAt: Instant) throws(QuestionError) {
        guard let object = try? JSONValue(parsing: words), object.objectValue != nil else {
            throw QuestionError("a JSON object is what can be asked")
        }
        let text = object["question"]?.stringValue ?? ""
        guard !text.isEmpty, text.utf8.count <= Self.textBytesMax else {
            throw QuestionError("\"question\" is a text of at most \(Self.textBytesMax) bytes")
        }
        let named = object["choices"]?.arrayValue ?? []
        let choices = named.compactMap(\.stringValue)
        let isWhole = choices.count == named.count && Set(choices).count == choices.count
        let isShort = choices.allSatisfy { !$0.isEmpty && $0.utf8.count <= Self.choiceBytesMax && !$0.contains("\n") }
        guard let last = choices.last, choices.count <= Self.choicesMax, isWhole, isShort else {
            throw QuestionError(
                "\"choices\" are 1 to \(Self.choicesMax) different texts of a line, of at most "
                    + "\(Self.choiceBytesMax) bytes each")
        }
        let standard: String
        switch object["default"] {
        case nil, .null?: standard = last
        case let value?:
            guard let choice = value.stringValue, choices.contains(choice) else {
                throw QuestionError("\"default\" is one of the choices")
            }
            standard = choice
        }
        self.init(
            attempt: attempt, number: number, text: text, choices: choices, standard: standard, askedAt: askedAt,
            until: askedAt + (try Self.wait(object["timeout"])))
    }

    private static func wait(_ value: JSONValue?) throws(QuestionError) -> Duration {
        let found: Duration?
        switch value {
        case nil, .null?: return standardWait
        case .string(let text)?: found = try? Schedule.parseDuration(text)
        case let value?: found = value.intValue.map { .seconds($0) }
        }
        guard let found, found > .zero, found <= longestWait else {
            throw QuestionError("\"timeout\" is a duration such as \"10m\", at most 7 days")
        }
        return found
    }
}

/// What a process asked is no question.
struct QuestionError: Error {
    let advice: String

    init(_ advice: String) { self.advice = advice }
}

/// What a process that asked is told: the rest of the line `answer {…}`.
public struct AnswerLine: Sendable, Equatable {
    public let json: String

    init(_ answer: Question.Answer) {
        json = (["choice": .string(answer.choice), "by": .string(answer.by)] as JSONValue).compactText
    }

    init(_ error: QuestionError) { json = (["error": .string(error.advice)] as JSONValue).compactText }
}
