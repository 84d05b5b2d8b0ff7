internal import JSON
internal import Schedules

/// Questions as the store keeps them with their run: a JSON array.
extension Question {
    /// Nil where there is none.
    public static func record(of questions: [Question]) -> String? {
        guard !questions.isEmpty else { return nil }
        return JSONValue.array(
            questions.map { question in
                var object: JSONObject = [
                    "attempt": .number(question.attempt), "number": .number(question.number),
                    "text": .string(question.text), "choices": .array(question.choices.map { .string($0) }),
                    "default": .string(question.standard), "asked_at_us": .number(question.askedAt.microseconds),
                    "until_us": .number(question.until.microseconds),
                ]
                if let answer = question.answer {
                    object["choice"] = .string(answer.choice)
                    object["by"] = .string(answer.by)
                    object["at_us"] = .number(answer.at.microseconds)
                }
                return .object(object)
            }
        ).compactText
    }

    /// What of a record reads; a row may be anybody's.
    public static func read(_ record: String) -> [Question] {
        guard let array = (try? JSONValue(parsing: record))?.arrayValue else { return [] }
        return array.suffix(keptPerRun).compactMap { value in
            func instant(_ key: String) -> Instant? {
                value[key]?.intValue.map { min(max(.epoch, Instant(microseconds: Int64($0))), .horizon) }
            }
            guard let attempt = value["attempt"]?.intValue, let number = value["number"]?.intValue,
                let text = value["text"]?.stringValue, let standard = value["default"]?.stringValue,
                let askedAt = instant("asked_at_us"), let until = instant("until_us")
            else { return nil }
            let choices = (value["choices"]?.arrayValue ?? []).compactMap(\.stringValue)
            var question = Question(
                attempt: attempt, number: number, text: text, choices: choices, standard: standard, askedAt: askedAt,
                until: until)
            if let choice = value["choice"]?.stringValue, let at = instant("at_us") {
                question.answer = Answer(choice: choice, by: value["by"]?.stringValue ?? "", at: at)
            }
            return question
        }
    }
}
