import Client
import Contract
import JSON
import Schedules

/// Verbs on runs: `run`, `wait`, `cancel`, `history`.
extension Verb {
    static let runJob = Verb(
        "run", "JOB", 1...1, "run a job now, whatever its schedule says",
        details: """
            Prints the execution id of the run. With --wait it prints how the run ended and what it wrote, and exits as
            the job did; where the daemon restarts meanwhile, it goes on waiting. With --as-scheduled --shell it starts
            an interactive shell in place of the job's command, in exactly the environment, folder, limits and scope
            that the job's process has.
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
            Option("--failed", "only runs that did not succeed: failed, timeout, interrupted, missed"),
            Option("--since", value: "T", "only runs since T: an instant, or so long ago: 2h, 7d"),
        ],
        run: showHistory)
}

private let historyRange = 1...InterfaceLimits.historyRuns

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
    var object: JSONObject = ["job": .string(name)]
    if let text = request.options["--inputs"] { object["inputs"] = try inputs(text, request) }
    if request.has("--force") { object["force"] = true }
    let daemon = try context.daemon()
    if request.has("--wait") {
        // Where the answer is lost with a daemon that restarts, the request is made again and leads to the same run.
        object["idempotency_key"] = .string(newKey())
        let subject = RunWait.Subject.request(JSONValue.object(object).compactText)
        return try waitAndReport(subject, timeout: timeout, daemon, context)
    }
    let run = try daemon.json(.runJob, [.text(object.count > 1 ? JSONValue.object(object).compactText : name)])
    context.screen.isJSON ? context.screen.json(run) : context.screen.line(RunText(context).sentence(run))
    return ExitCode.success
}

/// A key that nobody else has: 128 bits of the system's generator.
private func newKey() -> String {
    let bits = [UInt64.random(in: 0...UInt64.max), UInt64.random(in: 0...UInt64.max)]
    return "botcronctl-" + bits.map { String($0, radix: 16) }.joined(separator: "-")
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
    return try waitAndReport(.run(request.arguments[0]), timeout: timeout, context.daemon(), context)
}

private func waitAndReport(
    _ subject: RunWait.Subject, timeout: Double?, _ daemon: Daemon, _ context: Context
) throws(Failure) -> Int32 {
    var wait: RunWait?
    // The wait lives until its end was told.
    defer { withExtendedLifetime(wait) {} }
    let run: JSONValue
    do throws(ClientError) {
        run = try daemon.client.wait { done in
            wait = RunWait(
                subject, of: daemon.client, timeoutSeconds: timeout,
                onAbsence: { context.screen.warn("the daemon has left the bus; waiting for it to be back") },
                then: done)
        }
    } catch {
        throw failure(error, wait?.executionID, timeout)
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

/// What is known of the run, where its end is not.
private func failure(_ error: ClientError, _ id: String?, _ timeout: Double?) -> Failure {
    guard let id else { return Failure(error) }
    switch error {
    case .timedOut:
        return Failure(
            error.exitCode, error.name, "\(id) has not ended within \(timeout ?? Client.answerSeconds) s; it goes on")
    case .lost:
        return Failure(
            error.exitCode, error.name,
            "the daemon left the bus before \(id) had ended, and has not come back within "
                + "\(Int(RunWait.absenceSeconds)) s; the run goes on",
            advice: ["when the daemon is back: botcronctl wait \(id)"])
    default: return Failure(error)
    }
}

private func cancelRun(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let id = request.arguments[0]
    try context.daemon().call(.cancelRun, [.text(id)])
    if context.screen.isJSON {
        context.screen.json(["success": true, "execution_id": .string(id)])
    } else {
        context.screen.line("\(id) is told to end")
    }
    return ExitCode.success
}

// MARK: - history

private func showHistory(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let limit = try request.integer("-n", historyRange, default: InterfaceLimits.historyRunsStandard)
    let name = request.arguments.first
    var filter: JSONObject = ["limit": .number(limit)]
    if let name { filter["job"] = .string(name) }
    if let status = request.options["--status"] {
        guard !request.has("--failed") else { throw request.usage("--failed and --status both say which runs") }
        filter["status"] = .string(status)
    }
    if let since = request.options["--since"] { filter["since"] = .string(instant(ago: since, context)) }
    let daemon = try context.daemon()
    let runs = try runs(daemon, filter, limit, areFailed: request.has("--failed"))
    let isEmpty = runs.isEmpty
    // Runs outlive their job, so the name is looked up only where it leads to nothing: it may be mistyped.
    if isEmpty, let name { try daemon.call(.getJob, [.text(name)]) }
    guard !context.screen.isJSON else {
        context.screen.json(.array(runs))
        return ExitCode.success
    }
    guard !isEmpty else {
        let kind = filter["status"] != nil || filter["since"] != nil || request.has("--failed") ? "such runs" : "runs"
        context.screen.line("No \(kind) on record\(name.map { " of \($0)" } ?? "").")
        return ExitCode.success
    }
    RunText(context).table(of: runs, showsJob: name == nil).print(on: context.screen)
    return ExitCode.success
}

private let failedStatuses: Set = ["failed", "timeout", "interrupted", "missed"]

/// The newest that are wanted, newest first. The daemon knows one status at a time: those of several are picked here.
private func runs(
    _ daemon: Daemon, _ wanted: JSONObject, _ limit: Int, areFailed: Bool
) throws(Failure) -> [JSONValue] {
    var filter = wanted
    if areFailed { filter["limit"] = .number(InterfaceLimits.historyRuns) }
    var found: [JSONValue] = []
    while true {
        let page = try daemon.json(.queryHistory, [.text(JSONValue.object(filter).compactText)])
        let runs = page["runs"]?.arrayValue ?? []
        guard areFailed else { return runs }
        found += runs.filter { failedStatuses.contains($0.text("status")) }
        guard found.count < limit, let cursor = page["next_cursor"], !cursor.isNull, cursor != filter["cursor"] else {
            return Array(found.prefix(limit))
        }
        filter["cursor"] = cursor
    }
}

/// `2h` is two hours ago; what is no length of time is the daemon's to read.
private func instant(ago text: String, _ context: Context) -> String {
    guard let length = try? Schedule.parseDuration(text) else { return text }
    return (context.times.now - length).rfc3339(in: .utc)
}
