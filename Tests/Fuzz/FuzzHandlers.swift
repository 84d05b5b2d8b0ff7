// A libFuzzer target from the message to the answer: every method of Control through its own dispatch, with the rooms
// behind it that the daemon has there, on a thread of its own, with us in place of its bus.
//
// There is no other process: we listen on a socket, greet the daemon as a bus does, and answer its own calls (it gets
// its name; nobody else is there). The store is a file in memory. There is no botcron-run beside this program, so that
// runs fail to start, which is an end like any other.
//
// The first byte of an input chooses a method, the rest are its arguments: texts up to a zero, numbers from the next
// bytes. What comes over the wire in other shapes is what FuzzMessage is for. Every call must be answered within a time
// that no handler needs, with values of the declared types, or by an error that the contract names.

internal import CDBus
internal import Daemon
internal import Glibc

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzHandlers(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    var input = Array(UnsafeBufferPointer(start: data, count: count))[...]
    guard let choice = input.popFirst() else { return 0 }
    var target = methods[Int(choice) % methods.count]
    if target.path.isEmpty { target.path = bus.waitingRun() }
    bus.call(target, &input)
    return 0
}

/// Everything happens on the thread that libFuzzer calls us on; the daemon's own thread shares nothing with it.
nonisolated(unsafe) private let bus = OwnBus()

private struct Target {
    /// Empty for an object of a run that has not ended.
    var path: String
    let interface: String
    let member: String
    let inputs: String
    let outputs: String

    init(_ path: String, _ interface: String, _ member: String, _ inputs: String, _ outputs: String) {
        (self.path, self.interface, self.member, self.inputs, self.outputs) = (path, interface, member, inputs, outputs)
    }
}

private let name = "com.aiworkflow.BotCron"
private let root = "/com/aiworkflow/BotCron"

/// Without `wait_run`, which may be answered later, and `Shutdown`.
private let methods: [Target] = {
    let face: [(String, String, String)] = [
        ("run_job", "s", "s"), ("list_jobs", "", "s"), ("get_history", "i", "s"), ("toggle_scheduler", "b", "b"),
        ("toggle_job", "sb", "b"), ("toggle_job", "ss", "b"), ("get_config", "ss", "s"), ("update_config", "sss", "b"),
        ("schedule_job", "s", "s"), ("cancel_job", "s", "b"), ("pause_job", "s", "b"), ("resume_job", "s", "b"),
        ("skip_job", "s", "s"), ("run_now", "s", "s"), ("get_job", "s", "s"), ("get_run", "s", "s"),
        ("cancel_run", "s", "b"), ("rerun", "s", "s"), ("backfill", "s", "s"), ("get_output", "sxu", "ayx"),
        ("preview_schedule", "si", "s"),
        ("preview_schedule", "ss", "s"), ("explain_job", "ss", "s"), ("reload_config", "", "s"),
        ("query_history", "s", "s"), ("test_target", "s", "s"), ("questions", "", "s"),
        ("answer_question", "ss", "b"), ("hold_group", "ss", "b"), ("release_group", "s", "b"),
        ("queue_push", "ss", "s"), ("queue_pop", "s", "s"),
        ("queue_ack", "ss", "s"),
        ("queue_peek", "si", "s"), ("queue_list", "", "s"), ("GetStatus", "", "s"), ("GetStats", "", "s"),
        ("HealthCheck", "", "s"), ("GetMetrics", "", "s"), ("CallMethod", "ss", "s"),
    ]
    let job = root + "/jobs/daily"
    let properties = "org.freedesktop.DBus.Properties"
    return face.map { Target(root, name, $0.0, $0.1, $0.2) } + [
        Target(root, name + ".Manager1", "AddJob", "a{sv}", "o"),
        Target(root, name + ".Manager1", "RunJob", "sa{sv}", "o"),
        Target(root, name + ".Manager1", "GetJob", "s", "o"), Target(root, name + ".Manager1", "ListJobs", "", "ao"),
        Target(root, name + ".Manager1", "ListRuns", "", "ao"), Target(job, name + ".Job1", "Run", "", "o"),
        Target(job, name + ".Job1", "Enable", "", ""), Target(job, name + ".Job1", "Disable", "", ""),
        Target(job, name + ".Job1", "Explain", "", "a(ss)"), Target(job, properties, "GetAll", "s", "a{sv}"),
        Target(root, properties, "Get", "ss", "v"), Target(job, properties, "Set", "ssv", ""),
        Target(root, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "", "a{oa{sa{sv}}}"),
        Target(root, name, "query_jobs", "s", "s"), Target(root, name, "Ping", "", "s"),
        Target(job, name + ".Job1", "Remove", "", ""),
        Target(root + "/jobs/made", name + ".Job1", "Remove", "", ""),
        Target(root + "/jobs/made", properties, "GetAll", "s", "a{sv}"), Target("", name + ".Run1", "Cancel", "", ""),
        Target("", name + ".Run1", "Output", "tu", "ay"), Target("", properties, "GetAll", "s", "a{sv}"),
        Target(root, properties, "Set", "ssv", ""),
        Target("/org/freedesktop/LogControl1", properties, "Set", "ssv", ""),
    ]
}()

private let errors: Set<String> = Set(
    [
        "JobNotFound", "RunNotFound", "JobExists", "InvalidJob", "InvalidSchedule", "InvalidConfig", "QueueEmpty",
        "NotPermitted",
    ].map { name + ".Error." + $0 }
        + [
            "InvalidArgs", "UnknownMethod", "UnknownInterface", "UnknownObject", "UnknownProperty", "PropertyReadOnly",
            "LimitsExceeded",
        ].map { "org.freedesktop.DBus.Error." + $0 })

/// Ends the program: libFuzzer takes that for a finding, and keeps the input.
private func giveUp(_ reason: String) -> Never {
    // Nothing goes on behind a finding, and nothing can be undone by whoever called us.
    fatalError(reason)
}

// MARK: - A bus with one program on it

private final class OwnBus {
    private let folder: String
    private var server: OpaquePointer?
    private var watch: OpaquePointer?
    private var connection: OpaquePointer?
    private var callCount = 0

    init() {
        // The daemon waits for these itself, on its thread.
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGCHLD, SIGTERM, SIGHUP, SIGPIPE] { sigaddset(&signals, signal) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        dbus_threads_init_default()
        // In memory, and removed by whoever says where it is to be.
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/dev/shm"
        var template = Array("\(parent)/botcron-fuzz-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
        }
        guard let made else { giveUp("no folder in \(parent): errno \(errno)") }
        folder = made
        write(config, to: folder + "/config.json")
        let address = listen()
        startDaemon(address)
        while connection == nil { accept() }
        // Until it has its name, it does nothing that would have to be committed.
        while send(Target(root, name, "toggle_scheduler", "b", "b"), { append(&$0, "b", dbus_bool_t(1)) }) == nil {}
    }

    private func listen() -> String {
        server = dbus_server_listen("unix:dir=" + folder, nil)
        guard let server, let address = dbus_server_get_address(server) else { giveUp("cannot listen") }
        defer { dbus_free(address) }
        // Unretained: this is a global.
        let me = Unmanaged.passUnretained(self).toOpaque()
        dbus_server_set_watch_functions(
            server,
            { watch, me in
                OwnBus.from(me)?.watch = watch
                return 1
            }, { _, _ in }, { _, _ in }, me, nil)
        dbus_server_set_new_connection_function(
            server,
            { _, connection, me in
                guard let connection else { return }
                OwnBus.from(me)?.greet(dbus_connection_ref(connection))
            }, me, nil)
        return String(cString: address)
    }

    private func accept() {
        var ready = pollfd(fd: dbus_watch_get_unix_fd(watch), events: Int16(POLLIN), revents: 0)
        poll(&ready, 1, -1)
        dbus_watch_handle(watch, DBUS_WATCH_READABLE.rawValue)
    }

    private func greet(_ connection: OpaquePointer) {
        self.connection = connection
        dbus_connection_set_exit_on_disconnect(connection, 0)
        dbus_connection_add_filter(
            connection,
            { connection, message, _ in
                if dbus_message_get_type(message) == DBUS_MESSAGE_TYPE_METHOD_CALL {
                    OwnBus.answer(message, on: connection)
                }
                return DBUS_HANDLER_RESULT_HANDLED
            }, nil, nil)
    }

    /// A call that the daemon makes to the bus, or to somebody who is not there.
    private static func answer(_ call: OpaquePointer?, on connection: OpaquePointer?) {
        let member = dbus_message_get_member(call).map { String(cString: $0) }
        let reply: OpaquePointer?
        switch member {
        case "Hello":
            reply = dbus_message_new_method_return(call)
            appendText(":1.1", to: reply)
        case "RequestName":
            reply = dbus_message_new_method_return(call)
            var iterator = DBusMessageIter()
            dbus_message_iter_init_append(reply, &iterator)
            append(&iterator, "u", UInt32(DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER))
        case "AddMatch", "RemoveMatch":
            reply = dbus_message_new_method_return(call)
        default:
            reply = dbus_message_new_error(call, "org.freedesktop.DBus.Error.NameHasNoOwner", "nobody else is here")
        }
        dbus_message_set_sender(reply, "org.freedesktop.DBus")
        dbus_connection_send(connection, reply, nil)
        dbus_message_unref(reply)
    }

    private static func from(_ pointer: UnsafeMutableRawPointer?) -> OwnBus? {
        pointer.map { Unmanaged<OwnBus>.fromOpaque($0).takeUnretainedValue() }
    }

    // MARK: - The daemon

    private func startDaemon(_ address: String) {
        var options = DaemonOptions()
        options.busAddress = address
        options.configurationPath = folder + "/config.json"
        options.statePath = folder + "/state"
        let environment = [
            "HOME": folder, "XDG_RUNTIME_DIR": folder, "PATH": "/nowhere",
            "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=\(folder)/none",
        ]
        let start = Start(options: options, environment: environment)
        var thread = pthread_t()
        // passRetained is paired with takeRetainedValue on the thread.
        let code = pthread_create(
            &thread, nil,
            { start in
                guard let start else { return nil }
                let taken = Unmanaged<Start>.fromOpaque(start).takeRetainedValue()
                guard let daemon = try? Daemon(options: taken.options, environment: taken.environment) else {
                    giveUp("the daemon does not start")
                }
                giveUp("the daemon ended with \(daemon.run())")
            }, Unmanaged.passRetained(start).toOpaque())
        precondition(code == 0, "no thread")
    }

    private final class Start {
        let options: DaemonOptions
        let environment: [String: String]

        init(options: DaemonOptions, environment: [String: String]) {
            self.options = options
            self.environment = environment
        }
    }

    // MARK: - Calls

    /// A run that waits for its retry, which no run survives here but by waiting.
    func waitingRun() -> String {
        for _ in 0..<2 {
            if let run = ask(Target(root, name + ".Manager1", "ListRuns", "", "ao"), nil, firstPath) { return run }
            _ = ask(Target(root, name, "run_job", "s", "s"), "patient") { _ in }
        }
        return root + "/runs/none"
    }

    private func ask<Answer>(_ target: Target, _ text: String?, _ read: (OpaquePointer) -> Answer?) -> Answer? {
        let reply = send(target) { iterator in if let text { appendText(text, &iterator) } }
        guard let reply else { giveUp("\(target.member) was not answered") }
        defer { dbus_message_unref(reply) }
        return read(reply)
    }

    func call(_ target: Target, _ input: inout ArraySlice<UInt8>) {
        callCount += 1
        // What one input changes the next finds; now and then all begins anew, in what matters.
        if callCount % 1000 == 0 { write(config, to: folder + "/config.json") }
        let reply = send(target) { iterator in
            var types = Array(target.inputs.utf8)[...]
            while !types.isEmpty { appendArgument(&types, &input, &iterator) }
        }
        guard let reply else { giveUp("\(target.member) was not answered") }
        defer { dbus_message_unref(reply) }
        if dbus_message_get_type(reply) == DBUS_MESSAGE_TYPE_ERROR {
            let error = dbus_message_get_error_name(reply).map { String(cString: $0) } ?? ""
            precondition(errors.contains(error), "\(target.member) was refused with \(error)")
        } else {
            let outputs = dbus_message_get_signature(reply).map { String(cString: $0) } ?? ""
            precondition(outputs == target.outputs, "\(target.member) answered '\(outputs)'")
        }
    }

    /// The answer, which is the caller's to free; nil where none came in time.
    private func send(_ target: Target, _ arguments: (inout DBusMessageIter) -> Void) -> OpaquePointer? {
        guard let call = dbus_message_new_method_call(name, target.path, target.interface, target.member) else {
            giveUp("cannot make a call of \(target.member)")
        }
        defer { dbus_message_unref(call) }
        dbus_message_set_sender(call, ":1.2")
        var iterator = DBusMessageIter()
        dbus_message_iter_init_append(call, &iterator)
        arguments(&iterator)
        var pending: OpaquePointer?
        dbus_connection_send_with_reply(connection, call, &pending, Int32(BC_DBUS_TIMEOUT_INFINITE))
        guard let pending else { giveUp("the daemon has left") }
        defer { dbus_pending_call_unref(pending) }
        for _ in 0..<1000 {
            if dbus_pending_call_get_completed(pending) != 0 { return dbus_pending_call_steal_reply(pending) }
            dbus_connection_read_write_dispatch(connection, 10)
        }
        return nil
    }
}

private let config = """
    {"slack": {"x": 1}, "schedules": {"timezone": "UTC", "jobs": [
        {"name": "daily", "cron": "0 9 * * *", "command": ["true"]},
        {"name": "quick", "command": ["true"], "overlap_policy": "allow"},
        {"name": "patient", "command": ["true"], "retry": {"max_attempts": 3, "delay_seconds": 3600}}
    ]}}
    """

/// The first of the paths that an answer holds.
private func firstPath(in reply: OpaquePointer) -> String? {
    var (iterator, element) = (DBusMessageIter(), DBusMessageIter())
    guard dbus_message_iter_init(reply, &iterator) != 0,
        dbus_message_iter_get_arg_type(&iterator) == Int32(UInt8(ascii: "a"))
    else { return nil }
    dbus_message_iter_recurse(&iterator, &element)
    guard dbus_message_iter_get_arg_type(&element) == Int32(UInt8(ascii: "o")) else { return nil }
    var path: UnsafePointer<CChar>?
    dbus_message_iter_get_basic(&element, &path)
    return path.map { String(cString: $0) }
}

// MARK: - Arguments

/// One argument of the type at the beginning.
private func appendArgument(
    _ types: inout ArraySlice<UInt8>, _ input: inout ArraySlice<UInt8>, _ iterator: inout DBusMessageIter
) {
    switch types.popFirst() {
    case UInt8(ascii: "s"): appendText(text(&input), &iterator)
    case UInt8(ascii: "b"): append(&iterator, "b", dbus_bool_t(number(&input) & 1))
    case UInt8(ascii: "i"): append(&iterator, "i", Int32(truncatingIfNeeded: number(&input)))
    case UInt8(ascii: "u"): append(&iterator, "u", UInt32(truncatingIfNeeded: number(&input)))
    case UInt8(ascii: "t"): append(&iterator, "t", number(&input))
    case UInt8(ascii: "x"): append(&iterator, "x", Int64(bitPattern: number(&input)))
    case UInt8(ascii: "v"): appendVariant(&input, &iterator)
    case UInt8(ascii: "a"):
        // a{sv}, the only array that a method takes.
        types = types.dropFirst(4)
        var (array, entry) = (DBusMessageIter(), DBusMessageIter())
        dbus_message_iter_open_container(&iterator, Int32(UInt8(ascii: "a")), "{sv}", &array)
        while !input.isEmpty {
            let key = text(&input)
            if key.isEmpty { break }
            dbus_message_iter_open_container(&array, Int32(UInt8(ascii: "e")), nil, &entry)
            appendText(key, &entry)
            appendVariant(&input, &entry)
            dbus_message_iter_close_container(&array, &entry)
        }
        dbus_message_iter_close_container(&iterator, &array)
    default: giveUp("a type that no method takes")
    }
}

private func appendVariant(_ input: inout ArraySlice<UInt8>, _ iterator: inout DBusMessageIter) {
    let types = ["s", "b", "i", "u", "x", "as", "a{sv}", "t"]
    let type = types[Int(input.popFirst() ?? 0) % types.count]
    var content = DBusMessageIter()
    dbus_message_iter_open_container(&iterator, Int32(UInt8(ascii: "v")), type, &content)
    if type == "as" {
        var array = DBusMessageIter()
        dbus_message_iter_open_container(&content, Int32(UInt8(ascii: "a")), "s", &array)
        for _ in 0..<(input.popFirst() ?? 0) % 4 { appendText(text(&input), &array) }
        dbus_message_iter_close_container(&content, &array)
    } else {
        var rest = Array(type.utf8)[...]
        appendArgument(&rest, &input, &content)
    }
    dbus_message_iter_close_container(&iterator, &content)
}

/// Up to a zero; what is no UTF-8 is mended, since libdbus would not send it.
private func text(_ input: inout ArraySlice<UInt8>) -> String {
    let bytes = input.prefix { $0 != 0 }
    input = input.dropFirst(bytes.count + 1)
    return String(decoding: bytes, as: UTF8.self)
}

/// From up to eight bytes.
private func number(_ input: inout ArraySlice<UInt8>) -> UInt64 {
    let bytes = input.prefix(8)
    input = input.dropFirst(8)
    return bytes.reduce(0) { $0 << 8 | UInt64($1) }
}

private func appendText(_ text: String, to message: OpaquePointer?) {
    var iterator = DBusMessageIter()
    dbus_message_iter_init_append(message, &iterator)
    appendText(text, &iterator)
}

private func appendText(_ text: String, _ iterator: inout DBusMessageIter) {
    text.withCString { pointer in
        var pointer: UnsafePointer<CChar>? = pointer
        dbus_message_iter_append_basic(&iterator, Int32(UInt8(ascii: "s")), &pointer)
    }
}

private func append<Number: BitwiseCopyable>(
    _ iterator: inout DBusMessageIter, _ type: Unicode.Scalar, _ number: Number
) {
    var number = number
    dbus_message_iter_append_basic(&iterator, Int32(type.value), &number)
}

private func write(_ text: String, to path: String) {
    guard let file = fopen(path, "w") else { giveUp("cannot write \(path): errno \(errno)") }
    fputs(text, file)
    fclose(file)
}
