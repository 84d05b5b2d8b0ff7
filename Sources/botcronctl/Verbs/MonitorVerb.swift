import DBus
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
    let seconds = try request.seconds("--for")
    let client = try context.daemon()
    let monitor = Monitor(context, client)
    let (loop, connection) = (client.loop, client.connection)
    var sources: [EventSource] = []
    var subscriptions: [Subscription] = []
    do throws(EventLoopError) {
        for signal in [SIGINT, SIGTERM] { sources.append(try loop.signal(signal) { loop.exit(ExitCode.success) }) }
        if let seconds {
            let timer = try loop.timer(.monotonic) { loop.exit(ExitCode.success) }
            timer.arm(atUSec: loop.now(.monotonic) + UInt64(seconds * 1e6))
            sources.append(timer)
        }
        connection.onDisconnected = { reason in
            context.screen.complain(.noBus("the connection to the bus is lost: \(reason)"))
            loop.exit(ExitCode.unavailable)
        }
        for rule in Monitor.rules { subscriptions.append(connection.subscribe(rule) { monitor.show($0) }) }
        try monitor.start()
        defer {
            // A loop that has ended takes no more work: first the connection, then what hangs on it.
            connection.close()
            withExtendedLifetime((sources, subscriptions)) {}
        }
        return try loop.run()
    } catch {
        throw Failure(ExitCode.failure, "com.aiworkflow.BotCron.Error.Internal", "\(error)")
    }
}

/// Turns signals into lines.
private final class Monitor {
    static let rules = [
        MatchRule(sender: DaemonClient.name, path: DaemonClient.path, interface: DaemonClient.interface),
        MatchRule(
            sender: DaemonClient.name, path: DaemonClient.path, interface: "org.freedesktop.DBus.Properties",
            member: "PropertiesChanged"),
        MatchRule(
            sender: .bus, path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus", member: "NameOwnerChanged",
            firstArgument: DaemonClient.name.text),
    ]

    private let context: Context
    private let client: DaemonClient

    init(_ context: Context, _ client: DaemonClient) {
        self.context = context
        self.client = client
    }

    /// Says what is next, or that the daemon is away.
    func start() throws(EventLoopError) {
        let property = RemoteCall(
            DaemonClient.name, DaemonClient.path, "org.freedesktop.DBus.Properties", "Get",
            [.string(DaemonClient.interface.text), .string("NextRun")], startsService: false)
        client.connection.call(property) { [weak self] result in
            switch result {
            case .success(let values):
                self?.showNext(values.first?.unwrapped.asString ?? "")
            case .failure(let error) where Failure(error).exitCode == ExitCode.unavailable:
                self?.context.screen.warn("no daemon runs on this bus yet; waiting for it")
            case .failure(let error):
                self?.context.screen.complain(Failure(error))
            }
        }
    }

    func show(_ signal: ReceivedSignal) {
        let arguments = signal.arguments
        let texts = arguments.map { $0.asString ?? "" }
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
            let (attempt, delay) = (arguments[safe: 2]?.asUInt32 ?? 0, arguments[safe: 3]?.asDouble ?? 0)
            let wait = TimeText.duration(milliseconds: Int((delay * 1000).rounded()))
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
            let isEnabled = arguments.first?.asBool ?? false
            emit(
                isEnabled ? "resumed" : "paused", "all schedules", .warning, "SchedulerToggled",
                ["enabled": .bool(isEnabled)])
        case "JobsChanged": showChanges(arguments)
        case "StatusChanged":
            emit("status", texts.first ?? "", nil, "StatusChanged", ["status": .string(texts.first ?? "")])
        case "PropertiesChanged":
            if let next = arguments[safe: 1]?["NextRun"]?.asString { showNext(next) }
        case "NameOwnerChanged":
            let isHere = !(texts.last ?? "").isEmpty
            emit(isHere ? "arrived" : "left", "botcrond", nil, "NameOwnerChanged", ["running": .bool(isHere)])
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

    private func showChanges(_ arguments: [DBusValue]) {
        let lists = arguments.map { $0.asArray?.compactMap(\.asString) ?? [] }
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

    /// The longest word, so that what follows stands in a column.
    private static let wordWidth = 9

    private func emit(_ word: String, _ text: String, _ style: Style?, _ signal: String, _ object: JSONObject) {
        let now = context.now
        guard !context.screen.isJSON else {
            let head: JSONObject = ["signal": .string(signal), "time": .string(now.rfc3339(in: context.zone))]
            let members = (Array(head) + Array(object)).map { ($0.key, $0.value) }
            return context.screen.line(JSONValue.object(JSONObject(members)).compactText)
        }
        let padded = word + String(repeating: " ", count: max(0, Self.wordWidth - word.count))
        let shown = style.map { context.screen.styled(padded, $0) } ?? padded
        context.screen.line("\(context.times.clock(now))  \(shown)  \(printable(text))")
    }
}

extension Array {
    /// The element at that place; nil beyond the ends. A signal of another version may have fewer arguments.
    fileprivate subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
