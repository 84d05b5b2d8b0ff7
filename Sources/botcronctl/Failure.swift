import Client
import Contract
import JSON

/// Why a command did not do what it was asked: what people read, and what scripts get.
struct Failure: Error {
    var exitCode: Int32
    /// For programs: the name of the bus's error, or one of our own below `com.aiworkflow.BotCron.Error`.
    var name: String
    var message: String
    /// What to do next, one line each.
    var advice: [String] = []
    /// The expression that was refused, to be shown with a caret under the place.
    var refusal: Refusal?

    init(_ exitCode: Int32, _ name: String, _ message: String, advice: [String] = []) {
        self.exitCode = exitCode
        self.name = name
        self.message = message
        self.advice = advice
    }

    static func usage(_ message: String, verb: Verb? = nil) -> Failure {
        let help = verb.map { "botcronctl help \($0.name)" } ?? "botcronctl --help"
        return Failure(
            ExitCode.usage, ProgramError.usage.name, message, advice: ["\(help) shows what is understood"])
    }

    /// This program itself cannot go on.
    static func broken(_ reason: String) -> Failure {
        Failure(ExitCode.failure, ProgramError.internal.name, reason)
    }

    /// What the client met, in the words of the command line.
    init(_ error: ClientError) {
        self.init(error.exitCode, error.name, MethodWords.plain(error.sentence), advice: error.advice)
    }

    var json: JSONValue {
        var object: JSONObject = [
            "error": .string(message), "name": .string(name), "exit_code": .number(exitCode),
        ]
        if let refusal {
            object["code"] = .string(refusal.code)
            object["field"] = .string(refusal.field)
            object["value"] = .string(refusal.value)
            object["position"] = .number(refusal.position)
            object["expression"] = .optional(refusal.expression)
        }
        return .object(object)
    }
}
