import Client
import Contract
import JSON

/// `config`: what config.json says, and changes of single values that leave the rest of the file as it is.
extension Verb {
    static let config = Verb(
        "config", "get|set|path …", 1...4, "values of config.json: get, set; where it lies",
        details: """
            botcronctl config path
            botcronctl config get schedules timezone
            botcronctl config set schedules max_concurrent_executions 4

            A key may be dotted: default_retry.max_attempts. A value is JSON, or else a text.
            """,
        takes: [.choice(["get", "set", "path"])], run: workConfiguration)
}

private func workConfiguration(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let words = request.arguments
    let (screen, daemon) = (context.screen, try context.daemon())
    switch (words[0], words.count) {
    case ("path", 1):
        let path = try daemon.json(.getStats).text("configuration")
        screen.isJSON ? screen.json(["configuration": .string(path)]) : screen.line("\(path)")
    case ("get", 2), ("get", 3):
        let value = try daemon.json(.getConfig, [.text(words[1]), .text(words.count > 2 ? words[2] : "")])
        guard !value.isNull || screen.isJSON else {
            throw Failure(
                ExitCode.notFound, ServiceError.invalidConfig.name,
                "config.json has nothing under \(words.dropFirst().joined(separator: " "))",
                advice: ["where it lies: botcronctl config path"])
        }
        // A text for a script, without the quotes of JSON.
        if !screen.isJSON, let text = value.stringValue {
            screen.line(Line(foreign: text, keepingLines: true))
        } else {
            screen.json(value)
        }
    case ("set", 4):
        let value = (try? JSONValue(parsing: words[3])) ?? .string(words[3])
        try daemon.call(.updateConfig, [.text(words[1]), .text(words[2]), .text(value.compactText)])
        screen.isJSON
            ? screen.json(["success": true]) : screen.line("\(words[1]) \(words[2]) is \(value.compactText)")
    case ("get", _): throw request.usage("config get takes SECTION [KEY]")
    case ("set", _): throw request.usage("config set takes SECTION KEY VALUE")
    case ("path", _): throw request.usage("config path takes nothing")
    default: throw request.usage("config does not know \"\(words[0])\": get, set, path")
    }
    return ExitCode.success
}
