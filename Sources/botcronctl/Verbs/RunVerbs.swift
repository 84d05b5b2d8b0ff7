import DBus
import JSON

/// Verbs on runs: `run`, `wait`, `cancel`, `history`.
extension Verb {
    static let runJob = Verb(
        "run", "JOB", 1...1, "run a job now, whatever its schedule says",
        details: """
            Prints the execution id of the run. With --wait it prints how the run ended and what it wrote, and exits as
            the job did. With --as-scheduled --shell it starts an interactive shell in place of the job's command, in
            exactly the environment, folder, limits and scope that the job's process has.
            """,
        options: [
            Option("--wait", "wait for the end of the run, and exit as the job did"),
            Option("--inputs", value: "JSON", "an object that takes the place of the job's inputs"),
            Option("--force", "pass limits and the job's budget"),
            Option("--as-scheduled", "as the daemon would run it: said for clarity, every run is"),
            Option("--shell", "a shell in place of the job's command, on this terminal"),
            Option("--timeout", value: "SECONDS", "with --wait: wait no longer; the run goes on"),
        ],
        run: startRun)

    static let wait = Verb(
        "wait", "RUN", 1...1, "wait for the end of a run, and exit as its job did",
        options: [Option("--timeout", value: "SECONDS", "wait no longer; the run goes on")], run: waitForRun)

    static let cancel = Verb(
        "cancel", "RUN", 1...1, "end a run: TERM, then KILL, to its whole process tree", run: cancelRun)

    static let history = Verb(
        "history", "[JOB]", 0...1, "what ran, and what did not run and why; newest first",
        options: [
            Option("-n", or: "--limit", value: "N", "at most N runs, up to 1000 (default: 20)"),
            Option("--status", value: "STATUS", "only runs of this status: success, failed, timeout, missed, …"),
        ],
        run: showHistory)
}

/// Runs that one answer of the history holds.
private let historyRange = 1...1000
private let historyStandard = 20

// MARK: - run, wait, cancel

private func startRun(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let name = request.arguments[0]
    if request.has("--timeout"), !request.has("--wait") {
        throw request.usage("--timeout needs --wait")
    }
    let timeout = try request.seconds("--timeout")
    if request.has("--shell") {
        guard !request.has("--wait"), !request.has("--inputs"), !request.has("--force") else {
            throw request.usage("--shell goes with --as-scheduled alone")
        }
        return try JobShell(context.daemon(), context).run(job: name)
    }
    var argument = name
    if request.has("--force") || request.has("--inputs") {
        var object: JSONObject = ["job": .string(name)]
        if let text = request.options["--inputs"] { object["inputs"] = try inputs(text, request) }
        if request.has("--force") { object["force"] = true }
        argument = JSONValue.object(object).compactText
    }
    let client = try context.daemon()
    let run = try client.json("run_job", [.string(argument)])
    guard request.has("--wait") else {
        context.screen.isJSON ? context.screen.json(run) : context.screen.line(RunText(context).sentence(run))
        return ExitCode.success
    }
    return try waitAndReport(run.text("execution_id"), timeout: timeout, client, context)
}

private func inputs(_ text: String, _ request: Request) throws(Failure) -> JSONValue {
    let value: JSONValue
    do {
        value = try JSONValue(parsing: text)
    } catch {
        throw request.usage("--inputs: \(error.description)")
    }
    guard value.objectValue != nil else {
        throw request.usage("--inputs: found \(value.kind.rawValue), expected a JSON object such as {\"days\": 5}")
    }
    return value
}

private func waitForRun(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let timeout = try request.seconds("--timeout")
    return try waitAndReport(request.arguments[0], timeout: timeout, context.daemon(), context)
}

private func waitAndReport(
    _ id: String, timeout: Double?, _ client: DaemonClient, _ context: Context
) throws(Failure) -> Int32 {
    let run: JSONValue
    do {
        run = try client.json(
            "wait_run", [.string(id)], isStarting: false, timeout: timeout.map { .seconds($0) } ?? .forever)
    } catch  where error.exitCode == ExitCode.timedOut {
        throw .timedOut("\(id) has not ended within \(timeout ?? 0) s; it goes on")
    }
    if context.screen.isJSON {
        context.screen.json(run)
    } else {
        let text = RunText(context)
        context.screen.line(text.sentence(run))
        for line in text.output(run) { context.screen.line(line) }
    }
    return RunText.exitCode(run)
}

private func cancelRun(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let id = request.arguments[0]
    try context.daemon().call("cancel_run", [.string(id)])
    if context.screen.isJSON {
        context.screen.json(["success": true, "execution_id": .string(id)])
    } else {
        context.screen.line("\(printable(id)) is told to end")
    }
    return ExitCode.success
}

// MARK: - history

private func showHistory(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let limit = try request.integer("-n", historyRange, default: historyStandard)
    let name = request.arguments.first
    var filter: JSONObject = ["limit": .number(limit)]
    if let name { filter["job"] = .string(name) }
    if let status = request.options["--status"] { filter["status"] = .string(status) }
    let client = try context.daemon()
    let runs = try client.json("query_history", [.string(JSONValue.object(filter).compactText)])["runs"] ?? .array([])
    let isEmpty = runs.arrayValue?.isEmpty ?? true
    // Runs outlive their job, so the name is looked up only where it leads to nothing: it may be mistyped.
    if isEmpty, let name { try client.call("get_job", [.string(name)]) }
    guard !context.screen.isJSON else {
        context.screen.json(runs)
        return ExitCode.success
    }
    guard !isEmpty else {
        context.screen.line("No runs on record\(name.map { " of \(printable($0))" } ?? "").")
        return ExitCode.success
    }
    RunText(context).table(of: runs.arrayValue ?? []).print(on: context.screen)
    return ExitCode.success
}
