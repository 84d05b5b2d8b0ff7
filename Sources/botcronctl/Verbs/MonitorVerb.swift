import Client
import Contract
import EventLoop
import Glibc
import JSON
import Schedules

/// `monitor`: each signal of the daemon as one line, as it comes.
extension Verb {
    static let monitor = Verb(
        "monitor", "show what happens, as it happens, until Ctrl-C",
        details: """
            One line for each signal; with --json one object for each. It waits for a daemon that is not there yet, and
            goes on when the daemon restarts.
            """,
        options: [Option("--for", value: "SECONDS", "end after so many seconds")],
        run: monitorSignals)
}

private func monitorSignals(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    try monitor(context, seconds: try request.seconds("--for"))
}

/// Shows signals as lines until somebody ends it.
///
/// - Parameter opening: what is shown before, when nothing is lost any more.
func monitor(
    _ context: Context, seconds: Double?, opening: (Daemon) throws(Failure) -> Void = { _ throws(Failure) in }
) throws(Failure) -> Int32 {
    let daemon = try context.daemon()
    let client = daemon.client
    let monitor = Monitor(context)
    let loop = client.loop
    var sources: [EventSource] = []
    var subscriptions = [client.subscribe { monitor.show($0) }]
    try opening(daemon)
    do throws(EventLoopError) {
        for signal in [SIGINT, SIGTERM] { sources.append(try loop.signal(signal) { loop.exit(ExitCode.success) }) }
        if let seconds {
            let timer = try loop.timer(.monotonic) { loop.exit(ExitCode.success) }
            timer.arm(atUSec: loop.now(.monotonic) + UInt64(seconds * 1e6))
            sources.append(timer)
        }
        client.onDisconnected = { reason in
            let error = ClientError.disconnected(reason: reason)
            context.screen.complain(Failure(error))
            loop.exit(error.exitCode)
        }
        subscriptions.append(client.watchPresence { monitor.show($0, client) })
        defer {
            // A loop that has ended takes no more work: first the connection, then what hangs on it.
            client.close()
            withExtendedLifetime((sources, subscriptions)) {}
        }
        return try loop.run()
    } catch {
        throw .broken("\(error)")
    }
}

/// Turns signals into lines.
private final class Monitor {
    private let context: Context
    /// Whether the daemon was there when last heard of; nil before that.
    private var wasHere: Bool?

    init(_ context: Context) { self.context = context }

    /// First what is next, or that the daemon is away; then each arrival and each end.
    func show(_ presence: Presence, _ client: Client) {
        let isHere = presence.owner != nil
        defer { wasHere = isHere }
        guard wasHere == nil else {
            return emit(isHere ? "arrived" : "left", "botcrond", nil, "NameOwnerChanged", ["running": .bool(isHere)])
        }
        guard isHere else { return context.screen.warn("no daemon runs on this bus yet; waiting for it") }
        client.property("NextRun") { [weak self] result in
            switch result {
            case .success(let value): self?.showNext(value.text ?? "")
            // One that has just left is told as that.
            case .failure(let error) where error.isAbsence: break
            case .failure(let error): self?.context.screen.complain(Failure(error))
            }
        }
    }

    func show(_ signal: DaemonSignal) {
        let texts = signal.values.map { $0.text ?? "" }
        switch signal.member {
        case "JobStarted": line("started", texts, "")
        case "JobCompleted":
            let run = (try? JSONValue(parsing: texts.count > 2 ? texts[2] : "")) ?? .null
            let took = run["duration_ms"]?.intValue.map { "in " + TimeText.duration(milliseconds: $0) } ?? ""
            line(
                "completed", texts, [took, RunText(context).what(run)].filter { !$0.isEmpty }.joined(separator: ", "),
                run, .good)
        case "JobFailed": line("failed", texts, texts.count > 2 ? texts[2] : "", error(texts), .bad)
        case "JobRetrying":
            let (attempt, delay) = (signal[2]?.integer ?? 0, signal[3]?.real ?? 0)
            let wait = TimeText.duration(milliseconds: Int(max(0, min(delay, Request.secondsMax)) * 1000))
            line(
                "retrying", texts, "attempt \(attempt) in \(wait): \(texts.last ?? "")",
                [
                    "next_attempt": .number(attempt), "delay_seconds": .number(delay),
                    "error": .string(texts.last ?? ""),
                ], .warning)
        case "JobMissed":
            let at = texts[safe: 1].flatMap { Instant(rfc3339: $0) }.map { context.times.absolute($0) } ?? ""
            let reason = texts[safe: 2] ?? ""
            emit(
                "missed", "\(texts[safe: 0] ?? "")  \(at)  \(reason)", .warning, "JobMissed",
                [
                    "job": .string(texts[safe: 0] ?? ""), "scheduled_for": .string(texts[safe: 1] ?? ""),
                    "reason": .string(reason),
                ])
        case "SchedulerToggled":
            let isEnabled = signal[0]?.flag ?? false
            emit(
                isEnabled ? "resumed" : "paused", "all schedules", .warning, "SchedulerToggled",
                ["enabled": .bool(isEnabled)])
        case "JobsChanged": showChanges(signal.values)
        case "StatusChanged":
            emit("status", texts.first ?? "", nil, "StatusChanged", ["status": .string(texts.first ?? "")])
        case "QueueChanged":
            let items = signal[1]?.integer ?? 0
            emit(
                "queue", "\(texts.first ?? "")  \(items) items", nil, "QueueChanged",
                ["queue": .string(texts.first ?? ""), "items": .number(items)])
        case "QuestionAsked":
            let question = texts[safe: 1].flatMap { try? JSONValue(parsing: $0) } ?? .null
            emit(
                "asks", "\(texts.first ?? "")  \(question.text("question"))", .warning, "QuestionAsked",
                ["execution_id": .string(texts.first ?? ""), "question": question])
        case "PropertiesChanged":
            if let next = signal[1]?["NextRun"]?.text { showNext(next) }
            if let fault = signal[1]?["ConfigurationError"]?.text { showConfiguration(fault) }
        // `Event` says each of the others once more; what is unknown came after this program.
        default: break
        }
    }

    // MARK: - Lines

    private func error(_ texts: [String]) -> JSONValue { ["error": .string(texts[safe: 2] ?? "")] }

    private func line(
        _ word: String, _ texts: [String], _ rest: String, _ detail: JSONValue = .null, _ style: Style? = nil
    ) {
        let (job, run) = (texts[safe: 0] ?? "", texts[safe: 1] ?? "")
        var object: JSONObject = ["job": .string(job), "execution_id": .string(run)]
        if word == "completed" { object["result"] = detail }
        for (key, value) in word == "completed" ? [:] : detail.objectValue ?? [:] { object[key] = value }
        let signal = "Job" + word.prefix(1).uppercased() + word.dropFirst()
        emit(word, [job, run, rest].filter { !$0.isEmpty }.joined(separator: "  "), style, signal, object)
    }

    private func showChanges(_ values: [Value]) {
        let lists = values.map { $0.texts ?? [] }
        let names = zip(["added", "changed", "removed"], lists)
        let text = names.filter { !$1.isEmpty }.map { "\($0) \($1.joined(separator: ", "))" }.joined(separator: "; ")
        emit(
            "jobs", text, nil, "JobsChanged",
            JSONObject(names.map { ($0, .array($1.map { .string($0) })) }))
    }

    private func showNext(_ text: String) {
        let instant = Instant(rfc3339: text)
        emit(
            "next", instant.map { context.times.absoluteAndRelative($0) } ?? "nothing due", .faint, "PropertiesChanged",
            ["next_run": instant == nil ? .null : .string(text)])
    }

    private func showConfiguration(_ fault: String) {
        emit(
            "config", fault.isEmpty ? "config.json is in force again" : "config.json is not in force: \(fault)",
            fault.isEmpty ? .good : .bad, "PropertiesChanged",
            ["configuration_error": fault.isEmpty ? .null : .string(fault)])
    }

    /// The longest word, so that what follows stands in a column.
    private static let wordWidth = 9

    private func emit(_ word: String, _ text: String, _ style: Style?, _ signal: String, _ object: JSONObject) {
        let now = context.now
        guard !context.screen.isJSON else {
            let head: JSONObject = ["signal": .string(signal), "time": .string(now.rfc3339(in: context.zone))]
            let members = (Array(head) + Array(object)).map { ($0.key, $0.value) }
            return context.screen.compactJSON(.object(JSONObject(members)))
        }
        let padded = word + String(repeating: " ", count: max(0, Self.wordWidth - word.count))
        context.screen.line("\(context.times.clock(now))  \(context.screen.styled("\(padded)", style))  \(text)")
    }
}

extension Array {
    /// The element at that place; nil beyond the ends. A signal of another version may have fewer arguments.
    fileprivate subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
