import Client
import Contract
import JSON
import Schedules

/// Verbs on runs: `run`, `rerun`, `backfill`, `wait`.
extension Verb {
    static let runJob = Verb(
        "run", "JOB", 1...1, "run a job now, whatever its schedule says",
        details: """
            Prints the execution id of the run. With --wait it prints how the run ended and what it wrote, and exits as
            the job did; where the daemon restarts meanwhile, it goes on waiting. With --follow it prints what the run
            writes as it comes, how it ended on standard error, and exits as the job did; Ctrl-C leaves the run to
            itself. With --as-scheduled --shell it starts an interactive shell in place of the job's command, in exactly
            the environment, folder, limits and scope that the job's process has.
            """,
        options: [
            Option("--wait", "wait for the end of the run, and exit as the job did"),
            Option("--follow", or: "-f", "print what it writes until it ends, and exit as the job did"),
            Option("--input", value: "NAME=VALUE", "an input beside the job's own, or in its place; once for each"),
            Option("--inputs", value: "JSON", "an object that takes the place of all of the job's inputs"),
            Option("--force", "pass limits and the job's budget"),
            Option("--as-scheduled", "as the daemon would run it: said for clarity, every run is"),
            Option("--shell", "a shell in place of the job's command, on this terminal"),
            Option("--timeout", value: "SECONDS", "with --wait: wait no longer; the run goes on"),
        ],
        takes: [.job], run: startRun)

    static let wait = Verb(
        "wait", "RUN", 1...1, "wait for the end of a run, and exit as its job did",
        options: [Option("--timeout", value: "SECONDS", "wait no longer; the run goes on")], takes: [.run],
        run: waitForRun)

    static let rerun = Verb(
        "rerun", "RUN", 1...1, "run the job of a run once more, with the same inputs",
        options: [
            Option("--wait", "wait for the end of the run, and exit as the job did"),
            Option("--follow", or: "-f", "print what it writes until it ends, and exit as the job did"),
        ],
        takes: [.run], run: startAgain)

    static let backfill = Verb(
        "backfill", "JOB", 1...1, "run the fire times of a span that have passed without a run",
        details: """
            botcronctl backfill nightly --from 2026-11-01 --to 2026-11-08 --dry-run

            They run one after the other, oldest first, as many at a time as the job permits; at most 1000. What is
            excluded stays out, and so does what has run. An instant is 2026-11-01, 2026-11-01T09:00, or so long ago:
            2h, 7d.
            """,
        options: [
            Option("--from", value: "T", "the first instant of the span"),
            Option("--to", value: "T", "the last instant of the span (default: now)"),
            Option(
                "--overlap", value: "POLICY", of: .choice(["queue", "allow"]),
                "queue: one after the other (default); allow: side by side"),
            Option("--dry-run", "only say which fire times they would be"),
        ],
        takes: [.job], run: backfillJob)
}

// MARK: - run, wait

private func startRun(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let name = request.arguments[0]
    if request.has("--timeout"), !request.has("--wait") {
        throw request.usage("--timeout needs --wait")
    }
    let timeout = try request.seconds("--timeout")
    if request.has("--shell") {
        let others = ["--wait", "--follow", "--input", "--inputs", "--force"]
        guard !others.contains(where: request.has) else {
            throw request.usage("--shell goes with --as-scheduled alone")
        }
        return try JobShell(context.daemon(), context).run(job: name)
    }
    try requireFollowable(request, context)
    let inputs = try RunInputs(request)
    let daemon = try context.daemon()
    var object: JSONObject = ["job": .string(name)]
    object["inputs"] = try inputs.value(of: name, daemon)
    if request.has("--force") { object["force"] = true }
    if request.has("--wait") {
        // Where the answer is lost with a daemon that restarts, the request is made again and leads to the same run.
        object["idempotency_key"] = .string(newKey())
        let subject = RunWait.Subject.request(JSONValue.object(object).compactText)
        return try waitAndReport(subject, timeout: timeout, daemon, context)
    }
    let run = try daemon.json(.runJob, [.text(object.count > 1 ? JSONValue.object(object).compactText : name)])
    return try request.has("--follow") ? followAndReport(run, daemon, context) : report(run, context)
}

private func report(_ run: JSONValue, _ context: Context) -> Int32 {
    context.screen.isJSON ? context.screen.json(run) : context.screen.sentence(RunText(context).sentence(run))
    return ExitCode.success
}

// MARK: - Following

private func requireFollowable(_ request: Request, _ context: Context) throws(Failure) {
    guard request.has("--follow") else { return }
    if request.has("--wait") { throw request.usage("--follow waits, too: one of --wait and --follow is enough") }
    if context.screen.isJSON {
        throw request.usage("--follow prints what the run writes; with --json use --wait")
    }
}

/// What the run writes goes to stdout alone; what is said of it goes to stderr.
private func followAndReport(_ run: JSONValue, _ daemon: Daemon, _ context: Context) throws(Failure) -> Int32 {
    let id = run.text("execution_id")
    if context.screen.isTerminal {
        let awaited = run.text("waiting_for").isEmpty ? "its turn" : run.text("waiting_for")
        let state = run.text("status") == "queued" ? "waits for \(awaited)" : "is started"
        context.screen.warn("\(id) \(state); Ctrl-C leaves it to itself")
    }
    let ended: JSONValue
    do throws(Failure) {
        ended = try follow(id, daemon, context)
    } catch {
        var failure = error
        failure.advice = ["the run goes on: botcronctl logs --follow \(id)"]
        throw failure
    }
    context.screen.warn(RunText(context).sentence(ended))
    return RunText.exitCode(ended)
}

// MARK: - rerun, backfill

private func startAgain(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    try requireFollowable(request, context)
    let daemon = try context.daemon()
    let run = try daemon.json(.rerun, [.text(request.arguments[0])])
    if request.has("--wait") {
        return try waitAndReport(.run(run.text("execution_id")), timeout: nil, daemon, context)
    }
    return try request.has("--follow") ? followAndReport(run, daemon, context) : report(run, context)
}

private func backfillJob(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let name = request.arguments[0]
    guard let from = request.options["--from"] else { throw request.usage("backfill needs --from T") }
    var object: JSONObject = ["job": .string(name), "from": .string(instant(ago: from, context))]
    if let to = request.options["--to"] { object["to"] = .string(instant(ago: to, context)) }
    if let policy = request.options["--overlap"] { object["overlap_policy"] = .string(policy) }
    let isDry = request.has("--dry-run")
    if isDry { object["dry_run"] = true }
    let answer = try context.daemon().json(.backfill, [.text(JSONValue.object(object).compactText)])
    let screen = context.screen
    guard !screen.isJSON else {
        screen.json(answer)
        return ExitCode.success
    }
    let fires = answer["fire_times"]?.arrayValue ?? []
    guard !fires.isEmpty else {
        screen.sentence("\(name) has no fire time there without a run")
        return ExitCode.success
    }
    if isDry {
        for fire in fires { screen.line(Line(foreign: fire.stringValue ?? "")) }
        screen.sentence("\(fires.count) runs; without --dry-run they are made")
    } else {
        screen.sentence(
            "\(fires.count) runs of \(name) are made, oldest fire time first; see: botcronctl history \(name)")
    }
    return ExitCode.success
}

/// A key that nobody else has: 128 bits of the system's generator.
private func newKey() -> String {
    let bits = [UInt64.random(in: 0...UInt64.max), UInt64.random(in: 0...UInt64.max)]
    return "botcronctl-" + bits.map { String($0, radix: 16) }.joined(separator: "-")
}

/// What a command line says of a run's inputs.
private enum RunInputs {
    /// Those of the job.
    case unchanged
    case whole(JSONValue)
    /// Laid over those of the job.
    case some([(name: String, value: String)])

    init(_ request: Request) throws(Failure) {
        if let pairs = try request.pairs("--input") {
            guard !request.has("--inputs") else { throw request.usage("--inputs says all of them, and --input some") }
            self = .some(pairs)
        } else if let text = request.options["--inputs"] {
            self = .whole(try Self.object(text, request))
        } else {
            self = .unchanged
        }
    }

    private static func object(_ text: String, _ request: Request) throws(Failure) -> JSONValue {
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

    /// In place of the job's; nil where it keeps those.
    func value(of job: String, _ daemon: Daemon) throws(Failure) -> JSONValue? {
        switch self {
        case .unchanged: return nil
        case .whole(let value): return value
        case .some(let pairs):
            var inputs = try daemon.json(.getJob, [.text(job)])["inputs"]?.objectValue ?? [:]
            for (name, value) in pairs { inputs[name] = .string(value) }
            return .object(inputs)
        }
    }
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
        context.screen.sentence(text.sentence(run))
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
