import DBus
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
            ExitCode.usage, "com.aiworkflow.BotCron.Error.Usage", message, advice: ["\(help) shows what is understood"])
    }

    static func noBus(_ reason: String) -> Failure {
        Failure(
            ExitCode.unavailable, "org.freedesktop.DBus.Error.NoServer", reason,
            advice: ["--bus ADDRESS names another bus; dbus-run-session -- COMMAND starts one for a command"])
    }

    static let noDaemon = Failure(
        ExitCode.unavailable, ErrorName.serviceUnknown.text, "no daemon runs on this bus",
        advice: ["start it: systemctl --user start bot-cron.service (or, without systemd: botcrond &)"])

    static func cannotStart(_ reason: String, name: String) -> Failure {
        Failure(
            ExitCode.unavailable, name, "the bus could not start the daemon: \(reason)",
            advice: [
                "see why: systemctl --user status bot-cron.service; is its configuration good? botcronctl validate",
                "when it is mended: systemctl --user start bot-cron.service",
            ])
    }

    static func timedOut(_ message: String) -> Failure {
        Failure(ExitCode.timedOut, ErrorName.noReply.text, message)
    }

    static func unreadableAnswer(_ member: String, _ reason: String) -> Failure {
        Failure(
            ExitCode.failure, "com.aiworkflow.BotCron.Error.BadAnswer",
            "cannot read the answer to \(member): \(reason)",
            advice: ["are botcronctl and the daemon of one version? botcronctl version"])
    }

    /// The failure that an error of the bus or of the daemon means.
    init(_ error: ErrorReply) {
        switch error.name.text {
        case ErrorName.serviceUnknown.text, ErrorName.nameHasNoOwner.text:
            self = .noDaemon
        case ErrorName.disconnected.text:
            self = .noBus("the connection to the bus is lost: \(error.message)")
        case ErrorName.noReply.text:
            self = .timedOut("the daemon did not answer: \(error.message)")
        case ErrorName.unknownMethod.text:
            self.init(
                ExitCode.failure, error.name.text, error.message,
                advice: ["the daemon may be older than this program: botcronctl version"])
        case "com.aiworkflow.BotCron.Error.JobNotFound", "com.aiworkflow.BotCron.Error.RunNotFound":
            self.init(ExitCode.notFound, error.name.text, error.message)
        case let name
        where name.hasPrefix("org.freedesktop.DBus.Error.Spawn") || name.hasPrefix("org.freedesktop.systemd1."):
            self = .cannotStart(error.message, name: name)
        default:
            self.init(ExitCode.failure, error.name.text, error.message)
        }
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
