import Client
import Contract
import JSON
import Schedules

/// Verbs on the scheduler and the daemon: `status`, `reload`, `version`, `help`.
extension Verb {
    static let status = Verb(
        "status", "how the daemon is and what it does",
        details: "Exits with 1 where a check of the daemon's health does not hold. It does not start the daemon.",
        run: showStatus)

    static let reload = Verb("reload", "read config.json again, now", run: reloadConfiguration)

    static let version = Verb("version", "the versions of this program and of the daemon", run: showVersions)

    static let help = Verb("help", "[VERB]", 0...1, "show help", takes: [.verb], run: showHelp)
}

// MARK: - status

private func showStatus(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let daemon = try context.daemon()
    let status = try daemon.json(.getStatus, starting: .never)
    let health = try daemon.json(.healthCheck, starting: .never)
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
    if let since = status.instant("paused_since") {
        facts.add("paused", "\(context.times.absoluteAndRelative(since)) by \(status.text("paused_by"))")
    }
    facts.add("next", next(health, context))
    facts.add("running", status.texts("active_runs").joined(separator: ", "))
    addWaits(status, to: &facts, context)
    facts.add("late", status.texts("late_jobs").joined(separator: ", "), .warning)
    facts.add(
        "runs", "\(status["jobs_executed"]?.intValue ?? 0), of which \(status["jobs_failed"]?.intValue ?? 0) failed")
    facts.add("zone", status.text("timezone"))
    facts.add("mode", status.text("execution_mode"))
    facts.add("configuration", status.text("configuration"))
    addFaults(status, health, to: &facts, context)
    facts.print(on: screen)
    if let runs = status["recent_executions"]?.arrayValue, !runs.isEmpty {
        screen.line("\n\(screen.styled("Last runs", .heading))")
        RunText(context).table(of: runs).print(on: screen)
    }
    return exitCode
}

/// Groups that are held, questions that wait for a person, and what the budget of all jobs has left.
private func addWaits(_ status: JSONValue, to facts: inout Facts, _ context: Context) {
    for hold in status["holds"]?.arrayValue ?? [] {
        let until = hold.instant("until").map { "until \(context.times.absoluteAndRelative($0))" } ?? "until resume"
        let who = hold.text("execution_id").isEmpty ? "" : ", as \(hold.text("execution_id")) said"
        let waiting = hold["waiting"]?.intValue ?? 0
        facts.add(
            "held", "\(hold.text("group")) \(until)\(who)" + (waiting > 0 ? "; runs that wait: \(waiting)" : ""),
            .warning)
    }
    if let count = status["questions"]?.intValue, count > 0 {
        facts.add("questions", "\(count), see: botcronctl questions", .warning)
    }
    guard let budget = status["budget"] else { return }
    func part(_ word: String, _ used: String, _ limit: String) -> String? {
        guard let most = budget[limit], !most.isNull else { return nil }
        return "\(word) \((budget[used] ?? 0).compactText) of \(most.compactText)"
    }
    let parts = [
        part("runs", "runs", "runs_per_day"), part("seconds", "wall_time_seconds", "wall_time_per_day"),
        part("cost", "cost", "cost_per_day"),
    ].compactMap { $0 }
    facts.add("budget today", parts.joined(separator: ", "))
}

/// What is wrong around the daemon, as far as its answers have it: the configuration, its jobs, the store, the clock.
private func addFaults(_ status: JSONValue, _ health: JSONValue, to facts: inout Facts, _ context: Context) {
    facts.add("bad jobs", refusedJobs(status), .bad)
    facts.add("error", configurationError(status, health), .bad)
    facts.add("store", health.text("store_error"), .bad)
    facts.add("clock", clockStep(status, context), .warning)
    facts.add("messages", untoldTargets(health), .warning)
}

/// Why messages wait, or fail; empty where each target can be told. The doctor has it among the daemon's own facts.
private func untoldTargets(_ health: JSONValue) -> String {
    let fact = health["surroundings"]?.arrayValue?.first { $0.text("name") == "message targets" }
    return fact?["serves"] == false ? fact?.text("text") ?? "" : ""
}

/// As above, for the doctor: each with what mends it. What is wrong with the store the daemon's own facts say.
func faultFindings(_ status: JSONValue, _ health: JSONValue, _ context: Context) -> [Finding] {
    let faults = [
        Finding("bad jobs", .bad, refusedJobs(status), fix: "botcronctl list --failed; then: botcronctl edit JOB"),
        Finding("error", .bad, configurationError(status, health), fix: "botcronctl validate"),
        Finding("clock step", .note, clockStep(status, context)),
    ]
    return faults.filter { !$0.text.isEmpty }
}

/// The last time that the wall clock was set; empty where it was not.
private func clockStep(_ status: JSONValue, _ context: Context) -> String {
    guard let clock = status["clock"], let at = clock.instant("at"), let seconds = clock["by_seconds"]?.doubleValue
    else { return "" }
    let length = TimeText.length(seconds: UInt64(min(abs(seconds), Request.secondsMax)))
    return "set \(seconds < 0 ? "back" : "forward") by \(length) at \(context.times.absoluteAndRelative(at))"
}

/// Why config.json is not in force: the file, the place in it and a sentence, none of them twice. Older daemons have
/// one text.
private func configurationError(_ status: JSONValue, _ health: JSONValue) -> String {
    guard let error = status["config_error"], error.objectValue != nil else {
        let text = status.text("configuration_error")
        return text.isEmpty ? health.text("configuration_error") : text
    }
    let sentence = error.text("sentence")
    let said = sentence.split(whereSeparator: { " ,:;()'\"".contains($0) }).map(String.init)
    var place = [error.text("file")]
    if let line = error["line"]?.intValue { place += ["line \(line)"] }
    if let column = error["column"]?.intValue { place += ["column \(column)"] }
    let missing = place.filter { part in
        let words = part.split(separator: " ").map(String.init)
        return !said.indices.contains { said[$0...].starts(with: words) }
    }
    return [missing.filter { !$0.isEmpty }.joined(separator: ", "), sentence].filter { !$0.isEmpty }
        .joined(separator: ": ")
}

/// How many jobs are not schedulable, and the first of them by name.
private func refusedJobs(_ status: JSONValue) -> String {
    let names = status["refused_jobs"]?.arrayValue?.map { $0.text("name") } ?? []
    // The daemon names some where there are many.
    let count = status["refused_count"]?.intValue ?? names.count
    guard count > 0 else { return "" }
    let shown = names.prefix(shownNames).joined(separator: ", ") + (count > shownNames ? ", …" : "")
    return "\(count): \(shown); botcronctl list says why"
}

private let shownNames = 5

private func next(_ health: JSONValue, _ context: Context) -> String {
    guard let next = health["next_job"], let instant = next.instant("scheduled") else { return "nothing due" }
    return "\(next.text("name")), \(context.times.absoluteAndRelative(instant))"
}

// MARK: - reload

private func reloadConfiguration(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let daemon = try context.daemon()
    let answer = try daemon.json(.reloadConfig)
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
        let definition = (try? daemon.json(.getJob, [.text(job.text("name"))]))?["definition"]
        screen.problem(job.text("name"), job.text("error"), definition)
    }
    return ExitCode.success
}

// MARK: - version, help

private func showVersions(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    // Without a daemon, or a bus, this program still has a version.
    let daemon = (try? context.daemon().property("Version"))?.text
    if context.screen.isJSON {
        context.screen.json(["botcronctl": .string(botcronVersion), "botcrond": .optional(daemon)])
    } else {
        context.screen.line("botcronctl \(botcronVersion)")
        context.screen.line(daemon.map { "botcrond \($0)" } ?? "botcrond is not running")
    }
    return ExitCode.success
}

private func showHelp(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    guard let name = request.arguments.first else {
        context.screen.line(Line(own: Help.overview))
        return ExitCode.success
    }
    context.screen.line(Line(own: Help.text(of: try Verb.require(name))))
    return ExitCode.success
}
