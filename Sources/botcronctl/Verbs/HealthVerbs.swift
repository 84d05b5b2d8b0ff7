import Client
import Contract
import JSON

/// `health` and `metrics`: for scripts that watch the daemon.
extension Verb {
    static let health = Verb(
        "health", "whether the daemon is well, check by check",
        details: "Exits with 1 where a check does not hold. It does not start the daemon.", run: showHealth)

    static let metrics = Verb(
        "metrics", "figures of the daemon, as OpenMetrics text",
        details: "It does not start the daemon.", run: showMetrics)
}

private func showHealth(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let health = try context.daemon().json(.healthCheck, starting: .never)
    let isHealthy = health["healthy"]?.boolValue ?? false
    let exitCode = isHealthy ? ExitCode.success : ExitCode.failure
    let screen = context.screen
    guard !screen.isJSON else {
        screen.json(health)
        return exitCode
    }
    var facts = Facts()
    facts.add("health", isHealthy ? "healthy" : "unhealthy", isHealthy ? .good : .bad)
    for (name, holds) in health["checks"]?.objectValue ?? [:] {
        let isFine = holds.boolValue ?? false
        facts.add(
            name.split(separator: "_").joined(separator: " "), isFine ? "holds" : "does not hold", isFine ? nil : .bad)
    }
    facts.add("message", health.text("message"), isHealthy ? nil : .bad)
    facts.print(on: screen)
    return exitCode
}

private func showMetrics(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let answer = try context.daemon().call(.getMetrics, starting: .never)
    guard let text = answer[0]?.text else {
        throw Failure(ClientError.unreadableAnswer(.getMetrics, reason: "it is no text"))
    }
    let screen = context.screen
    if screen.isJSON { screen.json(["metrics": .string(text)]) } else { screen.bytes(Array(text.utf8)) }
    return ExitCode.success
}
