public import DBus
import EventLoop
import Glibc
import JSON
import TestSupport
import Testing

/// A user's session of a test's own: a message bus, a home, a fake `claude` on the path, and us as a client on the bus.
///
/// ```swift
/// let session = try Session(jobs: [["name": "one", "command": ["true"]]])
/// let daemon = try session.start()
/// let run = try session.json("run_job", .string("one"))
/// try session.signal("JobCompleted", "one")
/// ```
///
/// Nothing sleeps: `wait` turns the loop until the condition holds, and throws saying what was missing.
final class Session {
    static let name: BusName = "com.aiworkflow.BotCron"
    static let path: ObjectPath = "/com/aiworkflow/BotCron"
    static let interface: InterfaceName = "com.aiworkflow.BotCron"
    static let secondsDefault = patience

    /// A cron expression of a job that is the next to be due and that no test is to meet: in one to two hours.
    static var soon: JSONValue {
        var (now, parts) = (time(nil), tm())
        gmtime_r(&now, &parts)
        return .string("0 \((parts.tm_hour + 2) % 24) * * *")
    }

    /// What `XDG_RUNTIME_DIR` leads to.
    private let memory: String
    let scratch: ScratchFolder
    let loop: EventLoop
    let address: String
    let client: Connection
    let bus: PrivateBus
    let claude: FakeClaude
    /// Every signal of the daemon's interface, in order.
    private(set) var signals: [Heard] = []
    /// Every `PropertiesChanged` of it: the values.
    private(set) var changes: [[String: DBusValue]] = []
    private(set) var owner: String?

    private var subscriptions: [Subscription] = []
    private var daemons: [Program] = []

    struct Heard: CustomStringConvertible {
        let member: String
        let arguments: [DBusValue]

        /// The argument as text, where it is one.
        subscript(index: Int) -> String {
            arguments.indices.contains(index) ? arguments[index].asString ?? "" : ""
        }

        var description: String { "\(member)\(arguments.map { "\($0)" })" }
    }

    /// `config` is the text of config.json; none for no file.
    init(config: String? = nil) throws {
        scratch = try ScratchFolder("botcron-daemon")
        loop = try EventLoop()
        let root = scratch.path
        for folder in ["home", "config/aa-workflow", "state", "bin", "log"] {
            try TestFile.makeFolder("\(root)/\(folder)")
        }
        // As on a desktop: in memory, where alone secrets may be.
        memory = "/dev/shm/" + (root.split(separator: "/").last.map(String.init) ?? "botcron-daemon")
        try TestFile.makeFolder(memory)
        chmod(memory, 0o700)
        symlink(memory, root + "/runtime")
        claude = try FakeClaude(bin: root + "/bin", log: root + "/log")
        bus = try PrivateBus(environment: ["PATH=/usr/bin:/bin", "XDG_RUNTIME_DIR=" + root + "/runtime"])
        address = bus.address
        client = try Connection(to: .address(address), loop: loop)
        if let config { try TestFile.write(config, to: configFile) }
        try listen()
    }

    convenience init(_ section: JSONObject) throws {
        try self.init(config: Self.config(section))
    }

    convenience init(jobs: [JSONValue], _ section: JSONObject = [:]) throws {
        try self.init(config: Self.config(section, jobs: jobs))
    }

    deinit {
        daemons = []
        client.close()
        // What a daemon that was killed has left behind.
        ProcessState.killAll(withHome: scratch.path + "/home")
        ScratchFolder.remove(memory)
    }

    static func config(_ section: JSONObject = [:], jobs: [JSONValue]? = nil) -> String {
        var section = section
        if section["timezone"] == nil { section["timezone"] = "UTC" }
        if let jobs { section["jobs"] = .array(jobs) }
        return JSONValue.object(["schedules": .object(section)]).prettyText()
    }

    private func listen() throws {
        let client = client
        subscriptions = [
            client.subscribe(MatchRule(sender: Self.name, path: Self.path, interface: Self.interface)) {
                // The subscription ends with the session.
                [unowned self] in signals.append(Heard(member: $0.member.text, arguments: $0.arguments))
            },
            client.subscribe(
                MatchRule(
                    sender: Self.name, path: Self.path, interface: "org.freedesktop.DBus.Properties",
                    member: "PropertiesChanged")
            ) { [unowned self] in  // The subscription ends with the session.
                var values: [String: DBusValue] = [:]
                for entry in $0.arguments[1].asEntries ?? [] {
                    values[entry.key.asString ?? ""] = entry.value.unwrapped
                }
                changes.append(values)
            },
            client.subscribe(
                MatchRule(
                    sender: .bus, path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus",
                    member: "NameOwnerChanged", firstArgument: Self.name.text)
            ) { [unowned self] in  // The subscription ends with the session.
                let new = $0.arguments[2].asString ?? ""
                owner = new.isEmpty ? nil : new
            },
        ]
        try settle()
    }

    // MARK: - Waiting

    /// Turns the loop until `condition` holds. It is looked at after each event, and each `every` for what makes none.
    func wait(
        _ what: @autoclosure () -> String, seconds: Double = secondsDefault, everyUSec: UInt64 = 1_000_000,
        until condition: () throws -> Bool
    ) throws {
        let deadline = ProcessState.monotonicUSec + UInt64(seconds * 1_000_000)
        while try !condition() {
            let now = ProcessState.monotonicUSec
            guard now < deadline else {
                throw TestFailure(
                    "\(seconds) s passed without: \(what()). Signals: \(signals.suffix(100)). "
                        + "Daemons: \(daemons.suffix(3).map(\.text))")
            }
            try loop.runOnce(timeoutUSec: min(everyUSec, deadline - now))
        }
    }

    /// As `wait`, for what makes no event here: a file, a process of somebody else.
    func look(for what: String, seconds: Double = secondsDefault, until condition: () throws -> Bool) throws {
        try wait(what, seconds: seconds, everyUSec: 5000, until: condition)
    }

    /// Waits until the daemon has slept for six seconds without a wake-up. What a start, a run or a question leave to
    /// do comes sooner than that, the memory that is given back after five seconds too; how much later a busy machine
    /// lets it be done is not ours to measure, that it ends is.
    func waitForRest(_ daemon: Program) throws {
        let still: UInt64 = 6_000_000
        var switches: Int?
        var since = ProcessState.monotonicUSec
        try wait("six seconds without a wake-up", seconds: 60, everyUSec: 250_000) {
            let now = ProcessState.monotonicUSec
            let count = try #require(ProcessState.status(daemon.pid, "voluntary_ctxt_switches"))
            if count != switches { (switches, since) = (count, now) }
            return now - since >= still
        }
    }

    /// Turns until what was sent before is with us.
    func settle() throws {
        _ = try reply(RemoteCall(.bus, "/", "org.freedesktop.DBus.Peer", "Ping")).get()
    }

    /// The first signal so named whose first arguments are these texts, from the `after`-th signal on.
    @discardableResult
    func signal(
        _ member: String, _ arguments: String..., after: Int = 0, seconds: Double = secondsDefault
    ) throws -> Heard {
        var found: Heard?
        try wait("the signal \(member) \(arguments)", seconds: seconds) {
            found = signals.dropFirst(after).first { heard in
                heard.member == member && arguments.indices.allSatisfy { heard[$0] == arguments[$0] }
            }
            return found != nil
        }
        return try #require(found)
    }

    /// The signals of one run, in order, without `Event`.
    func story(_ executionID: String) -> [String] {
        signals.filter { $0.member != "Event" && $0[1] == executionID }.map(\.member)
    }

    // MARK: - The daemon

    var configFile: String { scratch.path + "/config/aa-workflow/config.json" }
    var systemBusSocket: String { scratch.path + "/runtime/system_bus_socket" }
    var stateFolder: String { scratch.path + "/state/aa-workflow" }

    var environment: [String: String] {
        [
            "PATH": scratch.path + "/bin:/usr/bin:/bin", "HOME": scratch.path + "/home",
            "XDG_CONFIG_HOME": scratch.path + "/config", "XDG_STATE_HOME": scratch.path + "/state",
            "XDG_RUNTIME_DIR": scratch.path + "/runtime", "DBUS_SESSION_BUS_ADDRESS": address, "LC_ALL": "C.UTF-8",
            // A machine of its own, too: without a system bus.
            "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=" + systemBusSocket, "FROM_THE_SESSION": "kept",
            "SWIFT_BACKTRACE": "enable=no",
        ]
    }

    /// The one that was built with the tests, or the one that BOTCRON_DAEMON names: a release, for what takes long.
    static let binary = getenv("BOTCRON_DAEMON").map { String(cString: $0) } ?? TestPlace.built("botcrond")

    /// Starts the daemon and does not wait for anything. A value of nil takes a variable away.
    ///
    /// - Parameter under: a program that starts it in turn, and its arguments.
    func launch(
        _ arguments: [String] = [], _ changes: [String: String?] = [:], isApart: Bool = false, under: [String] = [],
        binary: String = Session.binary
    ) throws -> Program {
        var environment = environment
        for (key, value) in changes { environment[key] = value }
        let place = isApart ? ["unshare", "--mount", "--propagation", "private"] : under
        let daemon = try Program(place + [binary] + arguments, environment: environment, on: loop)
        daemons.append(daemon)
        return daemon
    }

    /// Starts the daemon and waits until it owns its name.
    @discardableResult
    ///
    /// - Parameter isApart: it sees mounts of its own, so that those of other tests are no news to it.
    func start(
        _ arguments: [String] = [], _ changes: [String: String?] = [:], isApart: Bool = false,
        binary: String = Session.binary
    ) throws -> Program {
        let daemon = try launch(arguments, changes, isApart: isApart, binary: binary)
        try wait("the name owned") {
            if let code = daemon.code { throw TestFailure("botcrond ended with \(code): \(daemon.text)") }
            return owner != nil
        }
        // What it does on its way there is done before it answers anybody.
        _ = try call("Ping")
        return daemon
    }

    /// Waits for the end; gives the exit code.
    @discardableResult
    func end(_ program: Program, seconds: Double = secondsDefault) throws -> Int32 {
        try wait("the end of process \(program.pid), which said \(program.text)", seconds: seconds) {
            program.code != nil
        }
        return program.code ?? 0
    }

    /// Ends the daemon in good order; the exit code.
    @discardableResult
    func stop(_ daemon: Program, _ number: Int32 = SIGTERM) throws -> Int32 {
        daemon.signal(number)
        let code = try end(daemon)
        try settle()
        return code
    }

    /// Ends the daemon as a crash does.
    func crash(_ daemon: Program) throws {
        daemon.signal(SIGKILL)
        try end(daemon)
        try wait("the name free") { owner == nil }
    }

    /// Runs a program that is not ours in this session to its end.
    func run(_ arguments: [String], _ changes: [String: String] = [:]) throws -> (code: Int32, output: String) {
        let program = try Program(arguments, environment: environment.merging(changes) { $1 }, on: loop)
        try wait("the end of \(arguments)") { program.code != nil }
        return (program.code ?? -1, program.text)
    }

    // MARK: - Calls

    func reply(
        _ call: RemoteCall, seconds: Double = secondsDefault
    ) throws -> Result<[DBusValue], ErrorReply> {
        var result: Result<[DBusValue], ErrorReply>?
        client.call(call) { result = $0 }
        try wait("the reply to \(call.member)", seconds: seconds) { result != nil }
        return try #require(result)
    }

    func reply(_ member: MemberName, _ arguments: [DBusValue]) throws -> Result<[DBusValue], ErrorReply> {
        try reply(RemoteCall(Self.name, Self.path, Self.interface, member, arguments))
    }

    func call(_ member: MemberName, _ arguments: DBusValue...) throws -> [DBusValue] {
        try reply(member, arguments).get()
    }

    /// The answer, a string that holds JSON.
    func json(_ member: MemberName, _ arguments: DBusValue...) throws -> JSONValue {
        let values = try reply(member, arguments).get()
        guard values.count == 1, let text = values[0].asString else {
            throw TestFailure("\(member) answered \(values) where one string should be")
        }
        return try JSONValue(parsing: text)
    }

    /// The answer, which must be a lone true.
    func done(_ member: MemberName, _ arguments: DBusValue...) throws {
        #expect(try reply(member, arguments).get() == [.bool(true)], "\(member)")
    }

    /// The error of a call that must be refused.
    func refusal(_ member: MemberName, _ arguments: DBusValue...) throws -> ErrorReply {
        switch try reply(member, arguments) {
        case .failure(let error): return error
        case .success(let values): throw TestFailure("\(member)\(arguments) was not refused: \(values)")
        }
    }

    func property(_ name: String) throws -> DBusValue {
        let call = RemoteCall(
            Self.name, Self.path, "org.freedesktop.DBus.Properties", "Get",
            [.string(Self.interface.text), .string(name)])
        return try #require(try reply(call).get().first).unwrapped
    }

    /// The run so named, as `get_run` has it.
    func run(_ executionID: String) throws -> JSONValue { try json("get_run", .string(executionID)) }

    func job(_ name: String) throws -> JSONValue { try json("get_job", .string(name)) }

    func history(_ limit: Int32 = 100) throws -> [JSONValue] {
        try #require(try json("get_history", .int32(limit)).arrayValue)
    }

    /// Starts the job and waits for the end; the run as it then is.
    @discardableResult
    func runToEnd(_ request: JSONValue) throws -> JSONValue {
        let text = request.stringValue ?? request.compactText
        let id = try #require(try json("run_job", .string(text))["execution_id"]?.stringValue)
        return try waitForRun(id)
    }

    func waitForRun(_ executionID: String) throws -> JSONValue { try json("wait_run", .string(executionID)) }
}

extension JSONValue {
    /// The text of a member; empty where it is none.
    func text(_ key: String) -> String { self[key]?.stringValue ?? "" }
}

/// A literal is a string on the bus, which most arguments are.
extension DBusValue: ExpressibleByStringLiteral {
    public init(stringLiteral text: String) { self = .string(text) }
}
