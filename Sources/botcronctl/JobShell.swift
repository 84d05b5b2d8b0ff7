import DBus
import EventLoop
import Glibc
import JSON

/// A shell in exactly the surroundings that a job's process has: the daemon starts it in place of the job's command,
/// with the job's environment, folder, credentials, limits and scope, on a terminal that this program makes for it.
///
/// What is typed here goes to that terminal, and what it prints comes here. The run is on record as one by hand of the
/// job's name; it has no time-out, is not tried again, and tells nobody.
final class JobShell {
    private let client: DaemonClient
    private let context: Context
    private let terminal: Int32
    /// Held open, so that the terminal lasts until the shell has it.
    private let otherEnd: Int32
    private var sources: [EventSource] = []
    private var keyboard: IOSource?
    private var endTimer: TimerSource?
    private var saved: termios?

    /// Keys of a definition that say when it runs, what, and what follows: none of them is for a shell.
    private static let otherKeys: Set<String> = [
        "cron", "cron_expr", "interval", "once", "calendar", "on_calendar", "poll", "after", "trigger", "schedules",
        "schedule", "schedule_type", "schedule_time", "value", "recurring", "interval_type", "interval_value",
        "poll_interval", "condition", "start_at", "end_at", "max_executions", "jitter", "jitter_ms", "jitter_seconds",
        "allow_past", "allow_past_events", "exclude", "dst", "skill", "message", "script", "args", "command",
        "execution_mode", "agentool_name", "function_name", "workflow_id", "stdin", "enabled", "paused", "status",
        "retry", "conditions", "conditions_timeout", "conditions_action", "notify", "on_success", "on_failure",
        "result_queue", "error_queue", "heartbeat", "expect_every", "timeout", "timeout_seconds", "stall_timeout",
        "on_stall", "overlap_policy", "on_sleep", "success_exit_codes",
    ]

    /// Makes the new terminal the shell's own; setsid(1) waits for it.
    private static let command =
        #"exec setsid --ctty --wait "${SHELL:-/bin/sh}" -i < "$0" > "$0" 2>&1"#

    init(_ client: DaemonClient, _ context: Context) throws(Failure) {
        self.client = client
        self.context = context
        terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var number: UInt32 = 0
        var isLocked: Int32 = 0
        guard terminal >= 0, ioctl(terminal, Self.unlock, &isLocked) == 0, ioctl(terminal, Self.askNumber, &number) == 0
        else {
            throw Self.failure("cannot make a terminal: \(String(cString: strerror(errno)))")
        }
        path = "/dev/pts/\(number)"
        otherEnd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC)
        copySize()
    }

    private let path: String

    /// `TIOCSPTLCK` and `TIOCGPTN`, which Swift does not import: glibc's ptsname(3) is not in its module either.
    private static let unlock: UInt = 0x4004_5431
    private static let askNumber: UInt = 0x8004_5430

    deinit {
        restore()
        close(terminal)
        if otherEnd >= 0 { close(otherEnd) }
    }

    private static func failure(_ message: String) -> Failure {
        Failure(ExitCode.failure, "com.aiworkflow.BotCron.Error.Internal", message)
    }

    /// - Returns: what the shell exited with.
    func run(job name: String) throws(Failure) -> Int32 {
        let definition = try client.json("get_job", [.string(name)])["definition"]?.objectValue ?? [:]
        var shell = JSONObject()
        for (key, value) in definition where !Self.otherKeys.contains(key) { shell[key] = value }
        shell["name"] = .string(name)
        shell["command"] = ["/bin/sh", "-c", .string(Self.command), .string(path)]
        shell["timeout"] = 0
        shell["retry"] = false
        shell["kill_grace"] = 1
        let run = try client.json("run_now", [.string(JSONValue.object(shell).compactText)])
        return try relay(run.text("execution_id"))
    }

    // MARK: - Here and there

    private func relay(_ id: String) throws(Failure) -> Int32 {
        let (loop, connection) = (client.loop, client.connection)
        var ended: JSONValue?
        let wait = RemoteCall(
            DaemonClient.name, DaemonClient.path, DaemonClient.interface, "wait_run", [.string(id)],
            startsService: false, timeoutMSec: nil)
        connection.call(wait) { result in
            if case .success(let values) = result, let text = values.first?.asString {
                ended = try? JSONValue(parsing: text)
            }
            loop.exit(0)
        }
        makeRaw()
        defer { restore() }
        do throws(EventLoopError) {
            sources.append(try loop.watch(fd: terminal, .readable) { [unowned self] _ in showSome() })
            // A file or /dev/null cannot be waited for, and is not typed.
            keyboard = try? loop.watch(fd: STDIN_FILENO, .readable) { [unowned self] _ in typeSome() }
            if keyboard == nil { typeAll() }
            sources.append(try loop.signal(SIGWINCH) { [unowned self] in copySize() })
            for number in [SIGTERM, SIGHUP] { sources.append(try loop.signal(number) { loop.exit(1) }) }
            _ = try loop.run()
        } catch {
            throw Self.failure("\(error)")
        }
        showSome()
        guard let ended else {
            try client.call("cancel_run", [.string(id)], isStarting: false)
            throw Self.failure("the shell was left")
        }
        return RunText.exitCode(ended)
    }

    private func showSome() {
        var entry = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        while poll(&entry, 1, 0) > 0, entry.revents & Int16(POLLIN) != 0 {
            let count = read(terminal, &buffer, buffer.count)
            guard count > 0 else { return }
            context.screen.bytes(Array(buffer[..<count]))
        }
    }

    private func typeSome() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(STDIN_FILENO, &buffer, buffer.count)
        guard count > 0 else { return endInput() }
        type(buffer[..<count])
    }

    private func typeAll() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = read(STDIN_FILENO, &buffer, buffer.count), count > 0 { type(buffer[..<count]) }
        endInput()
    }

    private func type(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(terminal, $0.baseAddress, $0.count) }
            guard count > 0 || errno == EINTR else { return }
            rest = rest.dropFirst(max(0, count))
        }
    }

    /// Nobody types any more: as Ctrl-D says it. Again and again, because a shell that is just setting up its terminal
    /// loses it, and what runs in the shell takes it for its own.
    private func endInput() {
        keyboard = nil
        endTimer = endTimer ?? (try? client.loop.timer(.monotonic) { [unowned self] in endInput() })
        type([4])
        endTimer?.arm(atUSec: client.loop.now(.monotonic) + Self.endIntervalUSec)
    }

    private static let endIntervalUSec: UInt64 = 200_000

    // MARK: - The terminal here

    private func copySize() {
        var size = winsize()
        guard ioctl(STDIN_FILENO, UInt(TIOCGWINSZ), &size) == 0 else { return }
        _ = ioctl(terminal, UInt(TIOCSWINSZ), &size)
    }

    /// Every key goes to the shell as it is, Ctrl-C too.
    private func makeRaw() {
        var state = termios()
        guard tcgetattr(STDIN_FILENO, &state) == 0 else { return }
        saved = state
        cfmakeraw(&state)
        tcsetattr(STDIN_FILENO, TCSANOW, &state)
    }

    private func restore() {
        guard var state = saved else { return }
        saved = nil
        tcsetattr(STDIN_FILENO, TCSADRAIN, &state)
    }
}
