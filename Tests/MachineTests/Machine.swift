import EventLoop
import Glibc
import JSON
import TestSupport

/// A booted machine with the package installed, and a shell of its user; it ends with its object.
///
/// ```swift
/// let machine = try Machine(config: #"{"schedules": {"jobs": []}}"#)
/// try machine.startDaemon()
/// try machine.run("systemctl suspend")
/// ```
///
/// It blocks its thread: these tests run alone, one after the other.
final class Machine {
    /// The package as `make install DESTDIR=` filled it; nil where these tests are not to run.
    static let package = getenv("BOTCRON_MACHINE_PACKAGE").map { String(cString: $0) }
    /// The folder of the kernel that virtual machines boot; nil where no tests are to run on these.
    static let kernel = getenv("BOTCRON_MACHINE_KERNEL").map { String(cString: $0) }

    private let scratch: ScratchFolder
    /// What the machine shares with us, as `/machine`.
    var folder: String { scratch.path }
    private let loop: EventLoop
    /// It says nothing, so its output ends when it does.
    private let script: TestProgram
    private var input: Int32 = -1
    private var output: Int32 = -1
    private var errors: Int32 = -1
    private var count = 0
    /// How many times as long as an ordinary machine this one may take for everything.
    private let slowness: Double

    /// What of a machine is its own.
    enum Kind {
        /// All but the kernel, and so the clock.
        case container
        /// The kernel and the clock, too: emulated. The clock leaps ahead by `leapSeconds` in each suspend.
        case virtual(leapSeconds: Int = 0)
    }

    /// - Parameters:
    ///   - config: the text of config.json.
    ///   - sleepSeconds: how long a suspend lasts.
    ///   - freezes: whether the user's processes stand still in it.
    ///   - rules: more rules for polkit, before its own.
    init(
        config: String, sleepSeconds: Double = 0.5, freezes: Bool = true, rules: String? = nil,
        _ kind: Kind = .container
    ) throws {
        guard let package = Self.package else { throw TestFailure("BOTCRON_MACHINE_PACKAGE names no package") }
        scratch = try ScratchFolder("botcron-machine", mode: 0o777)
        loop = try EventLoop()
        let folder = scratch.path
        var arguments = [Self.boot, folder]
        switch kind {
        case .container: slowness = 1
        case .virtual:
            guard let kernel = Self.kernel else { throw TestFailure("BOTCRON_MACHINE_KERNEL names no kernel") }
            arguments.append(kernel)
            slowness = 10
        }
        guard symlink(package, folder + "/package") == 0 else { throw TestFailure("symlink: errno \(errno)") }
        try Self.write("\(sleepSeconds)", to: folder + "/sleep")
        if !freezes { try Self.write("", to: folder + "/awake") }
        if let rules { try Self.write(rules, to: folder + "/rules") }
        if case .virtual(let leapSeconds) = kind, leapSeconds != 0 {
            try Self.write("\(leapSeconds)", to: folder + "/leap")
        }
        for pipe in ["in", "out", "errors"] {
            guard mkfifo("\(folder)/\(pipe)", 0o666) == 0 else { throw TestFailure("mkfifo \(pipe): errno \(errno)") }
            chmod("\(folder)/\(pipe)", 0o666)
        }
        // Both ends, so that nobody waits for the other to open; what is not read stays.
        input = open(folder + "/in", O_RDWR | O_CLOEXEC)
        output = open(folder + "/out", O_RDWR | O_CLOEXEC | O_NONBLOCK)
        errors = open(folder + "/errors", O_RDWR | O_CLOEXEC | O_NONBLOCK)
        script = try TestProgram(arguments, environment: nil, errors: .inherited)
        try run("mkdir -p ~/.config/aa-workflow; cat > ~/.config/aa-workflow/config.json <<'END'\n\(config)\nEND")
    }

    deinit {
        for descriptor in [input, output, errors] where descriptor >= 0 { close(descriptor) }
        script.send(SIGTERM)
        script.wait()
    }

    // MARK: - Commands

    /// Runs a script in the user's session; what it prints, errors among it.
    ///
    /// - Throws: where it fails, or does not end in time.
    @discardableResult
    func run(_ text: String, seconds: Double = patience) throws -> String {
        count += 1
        let seconds = seconds * slowness
        let mark = "end-of-\(count):"
        try Self.send("(\(text)\n) </dev/null 2>&1\nprintf '\\n\(mark)%d\\n' $?\n", to: input)
        let deadline = Self.now + seconds
        var bytes: [UInt8] = []
        while true {
            let all = String(decoding: bytes, as: UTF8.self)
            if let end = all.range(of: "\n" + mark), all.hasSuffix("\n") {
                let printed = String(all[..<end.lowerBound])
                let status = all[end.upperBound...].dropLast()
                guard status == "0" else { throw TestFailure("'\(text)' ended with \(status): \(printed)") }
                return printed
            }
            guard Self.now < deadline else {
                throw TestFailure("'\(text)' did not end within \(seconds) s: \(all)\(read(errors)) \(console)")
            }
            var entries = [
                pollfd(fd: output, events: Int16(POLLIN), revents: 0),
                pollfd(fd: script.output, events: 0, revents: 0),
            ]
            poll(&entries, nfds_t(entries.count), 100)
            bytes += read(output).utf8
            if entries[1].revents != 0 {
                throw TestFailure("the machine is gone, in '\(text)': \(all)\(read(errors)) \(console)")
            }
        }
    }

    /// Waits until `condition` holds; the time it took, in seconds.
    @discardableResult
    func wait(_ what: String, seconds: Double = patience, until condition: () throws -> Bool) throws -> Double {
        let start = Self.now
        let seconds = seconds * slowness
        while try !condition() {
            guard Self.now < start + seconds else {
                throw TestFailure("\(seconds) s passed without: \(what). \(try journal())")
            }
            try loop.turn(forUSec: 20_000)
        }
        return Self.now - start
    }

    /// How long `body` takes, in seconds.
    func clock(_ body: () throws -> Void) rethrows -> Double {
        let start = Self.now
        try body()
        return Self.now - start
    }

    /// What `botcronctl --json` answers.
    func ctl(_ arguments: String) throws -> JSONValue {
        try JSONValue(parsing: try run("botcronctl --json \(arguments)"))
    }

    /// What the daemon says that it does; nil where it does not answer.
    var status: String? { (try? ctl("status"))?["status"]?.stringValue }

    /// The locks that logind lists as ours: what they are on, and their mode.
    func locks() throws -> [String] {
        let answer = try run(
            "busctl call --json=short org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager "
                + "ListInhibitors")
        let all = try JSONValue(parsing: answer)["data"]?.arrayValue?.first?.arrayValue ?? []
        return all.compactMap { $0.arrayValue }.filter { $0[1] == "BotCron" }.map {
            "\($0[3].stringValue ?? "") \($0[0].stringValue ?? "")"
        }.sorted()
    }

    func startDaemon() throws {
        try run("systemctl --user start bot-cron.service")
        try wait("both locks held") { try locks() == Self.delayLocks }
    }

    static let delayLocks = ["delay shutdown", "delay sleep"]

    /// Suspends, and waits until the machine is awake, the daemon knows, and holds its locks again.
    func suspend() throws {
        let count = lines("woke").count
        try run("systemctl suspend")
        try wait("the machine awake") { lines("woke").count > count }
        try wait("the daemon awake") { status.map { $0 != "sleeping" } ?? false }
        try wait("both locks held again") { try locks() == Self.delayLocks }
    }

    /// Sets the wall clock, to what date(1) understands: of a virtual machine.
    func setClock(_ time: String) throws { try run("sudo date --utc --set '\(time)'") }

    /// What its wall clock shows, in seconds since 1970.
    var wallClock: Int { get throws { Int(try run("date +%s").dropLast()) ?? 0 } }

    /// Starts a job; the id of its run.
    func start(_ job: String) throws -> String {
        let text = try run("botcronctl --json run \(job)")
        return try JSONValue(parsing: text)["execution_id"]?.stringValue ?? text
    }

    /// What the daemon has on record of a job, newest first.
    func history(_ job: String) throws -> [JSONValue] { try ctl("history \(job) -n 1000").arrayValue ?? [] }

    func runRecord(_ id: String) throws -> JSONValue { try call("get_run", "s \(id)") }

    /// The answer of one of the daemon's methods, as JSON; its arguments as busctl(1) has them.
    func call(_ method: String, _ arguments: String) throws -> JSONValue {
        let call = "busctl --user --json=short call com.aiworkflow.BotCron /com/aiworkflow/BotCron "
        let answer = try JSONValue(parsing: try run(call + "com.aiworkflow.BotCron \(method) \(arguments)"))
        return try JSONValue(parsing: answer["data"]?.arrayValue?.first?.stringValue ?? "null")
    }

    func daemonPID() throws -> String { try run("systemctl --user show -P MainPID bot-cron.service") }

    // MARK: - What is written into the shared folder

    /// One line of a job that runs `echo $BOTCRON_SCHEDULED_AT $BOTCRON_SOURCE $BOTCRON_MISSED $(date +%s.%N)`.
    struct Note {
        /// Its fire time, as the second of the hour.
        var scheduledFor: Int
        var source: String
        var missed: Int
        /// When it started, in seconds since 1970.
        var start: Double
    }

    func runs(_ job: String) -> [Note] {
        lines(job).compactMap { line in
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 4, let missed = Int(words[2]), let start = Double(words[3]) else { return nil }
            let time = words[0].split { !$0.isNumber }.compactMap { Int($0) }
            guard time.count >= 6 else { return nil }
            return Note(
                scheduledFor: (time[2] * 24 + time[3]) * 3600 + time[4] * 60 + time[5], source: words[1],
                missed: missed, start: start)
        }
    }

    /// Notes when logind announces a sleep and its end, from outside of what is frozen.
    func listenForSleep() throws {
        try run(
            """
            sudo systemd-run --quiet --unit=listen -p StandardOutput=append:/machine/signals \
                stdbuf -oL dbus-monitor --system --profile "type='signal',member='PrepareForSleep'"
            until grep -q NameAcquired /machine/signals; do sleep 0.05; done
            """)
    }

    /// When a sleep was announced; when it began; when it ended; in seconds since 1970.
    var sleepTold: [Double] {
        let instants = lines("signals").filter { $0.contains("PrepareForSleep") }.compactMap {
            Double($0.split { $0 == " " || $0 == "\t" }[1])
        }
        return instants.indices.filter { $0 % 2 == 0 }.map { instants[$0] }
    }
    var slept: [Double] { lines("slept").compactMap { Double($0) } }
    var woke: [Double] { lines("woke").compactMap { Double($0) } }

    /// The log of the daemon, and of logind.
    func journal() throws -> String {
        try run(
            "sudo journalctl --sync; sudo journalctl -o short-precise --no-pager -n 60 _COMM=botcrond + _COMM=systemd-logind"
        )
    }

    /// Lines of a file that the machine shares with us.
    func lines(_ name: String) -> [String] {
        let file = open("\(folder)/\(name)", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        return read(file).split(separator: "\n").map(String.init)
    }

    // MARK: - Below

    private static let boot = #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/boot"

    static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private var console: String { lines("console").joined(separator: "\n") }

    private static func write(_ text: String, to path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw TestFailure("cannot write \(path): errno \(errno)") }
        defer { close(file) }
        try send(text, to: file)
    }

    private static func send(_ text: String, to file: Int32) throws {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            guard count > 0 else { throw TestFailure("cannot write to the machine: errno \(errno)") }
            bytes = bytes.dropFirst(count)
        }
    }

    private func read(_ file: Int32) -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(file, &buffer, buffer.count)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }
}

extension String {
    /// Where `text` begins first, and ends.
    fileprivate func range(of text: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
