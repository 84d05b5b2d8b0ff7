import DBus
import JSON

/// Verbs on the scheduler and the daemon: `status`, `doctor`, `pause`, `resume`, `reload`, `version`, `help`.
extension Verb {
    static let status = Verb(
        "status", "how the daemon is and what it does",
        details: "Exits with 1 where a check of the daemon's health does not hold. It does not start the daemon.",
        run: showStatus)

    static let doctor = Verb(
        "doctor", "what the daemon sees around it, and what that keeps it from",
        details: "Exits with 1 where a check of the daemon's health does not hold. It does not start the daemon.",
        run: showSurroundings)

    static let pause = Verb("pause", "pause all schedules; runs go on, and jobs can be run by hand", run: pauseAll)

    static let resume = Verb("resume", "resume all schedules", run: resumeAll)

    static let reload = Verb("reload", "read config.json again, now", run: reloadConfiguration)

    static let version = Verb("version", "the versions of this program and of the daemon", run: showVersions)

    static let help = Verb("help", "[VERB]", 0...1, "show help", run: showHelp)
}

// MARK: - doctor

private func showSurroundings(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let health = try context.daemon().json("HealthCheck", isStarting: false)
    let exitCode = health["healthy"]?.boolValue ?? false ? ExitCode.success : ExitCode.failure
    let surroundings = health["surroundings"]?.arrayValue ?? []
    guard !context.screen.isJSON else {
        context.screen.json(.array(surroundings))
        return exitCode
    }
    var facts = Facts()
    for one in surroundings {
        facts.add(one.text("name"), one.text("text"), one["serves"]?.boolValue ?? false ? .good : .bad)
    }
    for check in health["checks"]?.objectValue?.filter({ $0.value.boolValue == false }).map(\.key) ?? [] {
        facts.add("check", "\(check) does not hold", .bad)
    }
    facts.print(on: context.screen)
    return exitCode
}

// MARK: - status

private func showStatus(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let client = try context.daemon()
    let status = try client.json("GetStatus", isStarting: false)
    let health = try client.json("HealthCheck", isStarting: false)
    let isHealthy = health["healthy"]?.boolValue ?? false
    let exitCode = isHealthy ? ExitCode.success : ExitCode.failure
    let screen = context.screen
    guard !screen.isJSON else {
        screen.json(status)
        return exitCode
    }
    var facts = Facts()
    let failing = health["checks"]?.objectValue?.filter { $0.value.boolValue == false }.map(\.key) ?? []
    facts.add(
        "botcrond",
        "\(status.text("version")), \(status.text("status")), "
            + (isHealthy ? "healthy" : "unhealthy: \(failing.joined(separator: ", "))"), isHealthy ? .good : .bad)
    facts.add("up", TimeText.length(seconds: UInt64(max(0, status["uptime"]?.doubleValue ?? 0))))
    facts.add(
        "jobs", "\(status["job_count"]?.intValue ?? 0)" + (status["enabled"]?.boolValue == false ? ", all paused" : ""))
    facts.add("next", next(health, context))
    facts.add("running", status.texts("active_runs").joined(separator: ", "))
    facts.add(
        "runs", "\(status["jobs_executed"]?.intValue ?? 0), of which \(status["jobs_failed"]?.intValue ?? 0) failed")
    facts.add("zone", status.text("timezone"))
    facts.add("mode", status.text("execution_mode"))
    facts.add("configuration", status.text("configuration"))
    facts.add("error", status.text("configuration_error"), .bad)
    facts.add("store", health.text("store_error"), .bad)
    facts.print(on: screen)
    if let runs = status["recent_executions"]?.arrayValue, !runs.isEmpty {
        screen.line("\n" + screen.styled("Last runs", .heading))
        RunText(context).table(of: runs).print(on: screen)
    }
    return exitCode
}

private func next(_ health: JSONValue, _ context: Context) -> String {
    guard let next = health["next_job"], let instant = next.instant("scheduled") else { return "nothing due" }
    return "\(next.text("name")), \(context.times.absoluteAndRelative(instant))"
}

// MARK: - pause, resume, reload

private func pauseAll(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    try toggleAll(isEnabled: false, context)
}

private func resumeAll(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    try toggleAll(isEnabled: true, context)
}

private func toggleAll(isEnabled: Bool, _ context: Context) throws(Failure) -> Int32 {
    try context.daemon().call("toggle_scheduler", [.bool(isEnabled)])
    if context.screen.isJSON {
        context.screen.json(["success": true, "enabled": .bool(isEnabled)])
    } else {
        context.screen.line(isEnabled ? "all schedules are in force" : "all schedules are paused")
    }
    return ExitCode.success
}

private func reloadConfiguration(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let client = try context.daemon()
    let answer = try client.json("reload_config")
    let screen = context.screen
    guard !screen.isJSON else {
        screen.json(answer)
        return ExitCode.success
    }
    var facts = Facts()
    for key in ["added", "changed", "removed"] {
        facts.add(key, answer.texts(key).joined(separator: ", "))
    }
    if facts.isEmpty { screen.line("nothing has changed") }
    facts.print(on: screen)
    for job in answer["invalid"]?.arrayValue ?? [] {
        let definition = (try? client.json("get_job", [.string(job.text("name"))]))?["definition"]
        for line in problemLines(job.text("name"), job.text("error"), definition, screen) { screen.line(line) }
    }
    return ExitCode.success
}

// MARK: - version, help

private func showVersions(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    // Without a daemon, or a bus, this program still has a version.
    let daemon = (try? context.daemon().property("Version"))?.asString
    if context.screen.isJSON {
        context.screen.json(["botcronctl": .string(controlVersion), "botcrond": .optional(daemon)])
    } else {
        context.screen.line("botcronctl \(controlVersion)")
        context.screen.line(daemon.map { "botcrond \(printable($0))" } ?? "botcrond is not running")
    }
    return ExitCode.success
}

private func showHelp(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    guard let name = request.arguments.first else {
        context.screen.line(Help.overview)
        return ExitCode.success
    }
    context.screen.line(Help.text(of: try Verb.require(name)))
    return ExitCode.success
}
