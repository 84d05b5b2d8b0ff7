import Client
import Contract
import EventLoop
import Glibc
import JSON

/// A shell in exactly the surroundings that a job's process has: the daemon starts it in place of the job's command,
/// with the job's environment, folder, credentials, limits and scope, on a terminal that this program makes for it.
///
/// What is typed here goes to that terminal, and what it prints comes here. The run is on record as one by hand of the
/// job's name; it has no time-out, is not tried again, and tells nobody.
final class JobShell {
    private let daemon: Daemon
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
        "allow_past", "allow_past_events", "exclude", "interval_from", "delete_after", "conditions_lost", "dst",
        "skill", "message", "script", "args", "command",
        "execution_mode", "agentool_name", "function_name", "workflow_id", "stdin", "enabled", "paused", "status",
        "retry", "conditions", "conditions_timeout", "conditions_action", "notify", "quiet_hours", "on_success",
        "on_failure", "result_queue", "error_queue", "heartbeat", "expect_every", "expect_within", "expect_by",
        "timeout", "timeout_seconds", "stall_timeout", "on_stall", "overlap_policy", "on_sleep", "success_exit_codes",
    ]

    /// What runs in place of the job's command. Every attempt leads a session that has no terminal; the first one that
    /// it opens becomes its own, without a word and without a privilege. (setsid(1) with `--ctty` would make another
    /// session and take the terminal from this one, which is only for root.)
    private static let command = #"exec "${SHELL:-/bin/sh}" -i < "$0" > "$0" 2>&1"#

    /// - Throws: where this machine gives no terminal; nothing is booked then.
    init(_ daemon: Daemon, _ context: Context) throws(Failure) {
        self.daemon = daemon
        self.context = context
        terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var number: UInt32 = 0
        var isLocked: Int32 = 0
        guard terminal >= 0, ioctl(terminal, Self.unlock, &isLocked) == 0, ioctl(terminal, Self.askNumber, &number) == 0
        else {
            throw .broken("cannot make a terminal: \(String(cString: strerror(errno)))")
        }
        path = "/dev/pts/\(number)"
        otherEnd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard otherEnd >= 0 else {
            let reason = String(cString: strerror(errno))
            close(terminal)
            throw .broken("cannot open the terminal \(path): \(reason); needed is /dev/pts as this program sees it")
        }
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

    /// - Returns: what the shell exited with.
    func run(job name: String) throws(Failure) -> Int32 {
        let job = try daemon.json(.getJob, [.text(name)])
        try requireSharedTerminal()
        let definition = job["definition"]?.objectValue ?? [:]
        var shell = JSONObject()
        for (key, value) in definition where !Self.otherKeys.contains(key) { shell[key] = value }
        shell["name"] = .string(name)
        shell["command"] = ["/bin/sh", "-c", .string(Self.command), .string(path)]
        shell["timeout"] = 0
        shell["retry"] = false
        shell["kill_grace"] = 1
        let run = try daemon.json(.runNow, [.text(JSONValue.object(shell).compactText)])
        return try relay(run.text("execution_id"))
    }

    // MARK: - Here and there

    private func relay(_ id: String) throws(Failure) -> Int32 {
        let client = daemon.client
        var wait: RunWait?
        var leave: () -> Void = {}
        makeRaw()
        defer {
            restore()
            withExtendedLifetime(wait) {}
        }
        do throws(EventLoopError) {
            let loop = client.loop
            // The source goes with its owner, this object.
            sources.append(try loop.watch(fd: terminal, .readable) { [unowned self] _ in showSome() })
            // A file or /dev/null cannot be waited for, and is not typed.
            keyboard = try? loop.watch(fd: STDIN_FILENO, .readable) { [unowned self] _ in typeSome() }
            if keyboard == nil { typeAll() }
            // The source goes with its owner, this object.
            sources.append(try loop.signal(SIGWINCH) { [unowned self] in copySize() })
            for number in [SIGTERM, SIGHUP] { sources.append(try loop.signal(number) { leave() }) }
        } catch {
            throw .broken("\(error)")
        }
        let ended: JSONValue?
        do throws(ClientError) {
            ended = try client.wait { done in
                leave = { done(.success(nil)) }
                wait = RunWait(.run(id), of: client, timeoutSeconds: nil, onAbsence: {}, then: { done($0.map { $0 }) })
            }
        } catch {
            throw Failure(error)
        }
        showSome()
        guard let ended else {
            // This program is told to end: so is the shell.
            try daemon.call(.cancelRun, [.text(id)], starting: .never)
            throw .broken("the shell was left")
        }
        return RunText.exitCode(ended)
    }

    // MARK: - Whether it can work

    /// A terminal is its user's, and stands in the file system of who made it: a daemon of another user or with another
    /// `/dev/pts` (in a container, or this program in one) would start a shell that ends at once, and book it.
    private func requireSharedTerminal() throws(Failure) {
        let process: DaemonProcess
        do {
            process = try daemon.client.process()
        } catch {
            throw Failure(error)
        }
        guard process.user == nil || process.user == geteuid() else {
            throw .broken(
                "the daemon runs as user \(process.user ?? 0), this program as user \(geteuid()): "
                    + "a shell there cannot open a terminal of here; run botcronctl as that user")
        }
        guard let pid = process.pid else { return }
        var (here, there) = (stat(), stat())
        guard stat(path, &here) == 0 else { return }
        if stat("/proc/\(pid)/root\(path)", &there) == 0 {
            guard here.st_dev != there.st_dev || here.st_ino != there.st_ino else { return }
        } else if errno != ENOENT {
            // It may not be looked at, which says nothing.
            return
        }
        throw .broken(
            "the daemon does not see the terminal \(path): it has another /dev/pts; run botcronctl where the daemon runs"
        )
    }

    // MARK: - Keys and screen

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
        // The source goes with its owner, this object.
        endTimer = endTimer ?? (try? daemon.client.loop.timer(.monotonic) { [unowned self] in endInput() })
        type([4])
        endTimer?.arm(atUSec: daemon.client.loop.now(.monotonic) + Self.endIntervalUSec)
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
