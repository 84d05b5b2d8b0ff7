import CDBus
import CLinux
import DBus
import EventLoop
import Glibc

/// What a call costs through our face of libdbus, beside a bare libdbus service that answers the same.
///
/// `swift run -c release BusBench` starts a private bus and each service in turn, and calls them by one bare client:
/// one at a time (the median, and p99), then 64 in flight (calls per second, and the service's own CPU per call). With
/// the path of a daemon it calls that, too.
@main
struct BusBench {
    static let roundCount = 3
    static let callCount = 5000

    static func main() throws {
        let arguments = CommandLine.arguments
        if arguments.count == 3 {
            return arguments[1] == "ours" ? try serveOurs(arguments[2]) : serveBare(arguments[2])
        }
        let daemon = try Child(["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=1"])
        let address = daemon.readLine()
        print("service  reply      one: p50 µs   p99 µs    64: calls/s   CPU µs/call")
        for round in 0..<roundCount {
            for role in round % 2 == 0 ? ["bare", "ours"] : ["ours", "bare"] {
                let client = BareClient(address)
                let service = try Child([arguments[0], role, address])
                _ = service.readLine()
                for (label, size) in [("4 B", 4), ("4 KiB", 4096)] {
                    measure(role, label, size, client, service)
                }
                service.end()
            }
        }
        if arguments.count == 2 { try measureDaemon(arguments[1], address) }
        daemon.end()
    }

    // MARK: - The daemon itself

    /// Its calls, each beside a bare service that answers as many bytes.
    private static func measureDaemon(_ program: String, _ address: String) throws {
        print("\ndaemon, call                bytes   one: p50 µs   p99 µs   64: calls/s   CPU µs/call")
        for (label, jobs, count) in [("10 jobs", 10, callCount), ("10,000 jobs", 10_000, 50)] {
            let service = try startDaemon(program, address, jobs: jobs)
            defer { service.end() }
            let client = BareClient(address)
            let bare = try Child([CommandLine.arguments[0], "bare", address])
            defer { bare.end() }
            _ = bare.readLine()
            var members = ["list_jobs"]
            if jobs == 10 { members = ["Ping", "list_jobs", "GetStatus"] }
            for member in members {
                let call = BareClient.Call.daemon(member)
                let size = client.call(call)
                for round in 0..<roundCount {
                    let isDaemonFirst = round % 2 == 0
                    for isDaemon in [isDaemonFirst, !isDaemonFirst] {
                        measure(
                            isDaemon ? "\(member), \(label)" : "bare", size, isDaemon ? call : .echo(size), client,
                            isDaemon ? service : bare, count: count)
                    }
                }
            }
        }
    }

    private static func measure(
        _ label: String, _ size: Int, _ call: BareClient.Call, _ client: BareClient, _ service: Child, count: Int
    ) {
        for _ in 0..<max(3, count / 10) { client.call(call) }
        var times = (0..<count).map { _ in
            let start = monotonicNSec()
            client.call(call)
            return Double(monotonicNSec() - start) / 1000
        }
        times.sort()
        let cpuBefore = service.cpuUSec
        let start = monotonicNSec()
        client.callPipelined(call, count: count * 4, inFlight: size > 1 << 20 ? 4 : 64)
        let seconds = Double(monotonicNSec() - start) / 1e9
        let cpu = (service.cpuUSec - cpuBefore) / Double(count * 4)
        print(
            [
                label.padded(24), String(size).padded(10), times[count / 2].rounded1().padded(12),
                times[count * 99 / 100].rounded1().padded(10), String(Int(Double(count * 4) / seconds)).padded(12),
                cpu.rounded1(),
            ].joined(separator: " "))
    }

    private static func startDaemon(_ program: String, _ address: String, jobs: Int) throws -> Child {
        var template = Array("/tmp/botcron-bench.XXXXXX".utf8CString)
        let folder = template.withUnsafeMutableBufferPointer {
            $0.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
        }
        guard let folder, let file = fopen(folder + "/config.json", "w") else {
            throw Child.BenchError.cannotStart(program, errno)
        }
        let list = (0..<jobs).map {
            "{\"name\": \"job\($0)\", \"cron\": \"\($0 % 60) 3 1 1 *\", \"command\": [\"true\"]}"
        }
        fputs("{\"schedules\": {\"timezone\": \"UTC\", \"jobs\": [" + list.joined(separator: ", ") + "]}}", file)
        fclose(file)
        let daemon = try Child([
            program, "--bus", address, "--config", folder + "/config.json", "--state-dir", folder + "/state",
        ])
        let client = BareClient(address)
        while client.call(.daemon("Ping")) != 4 { usleep(20_000) }
        return daemon
    }

    private static func measure(_ role: String, _ label: String, _ size: Int, _ client: BareClient, _ service: Child) {
        for _ in 0..<500 { client.call(size) }
        var times = (0..<callCount).map { _ in
            let start = monotonicNSec()
            client.call(size)
            return Double(monotonicNSec() - start) / 1000
        }
        times.sort()
        let cpuBefore = service.cpuUSec
        let start = monotonicNSec()
        client.callPipelined(size, count: callCount * 4, inFlight: 64)
        let seconds = Double(monotonicNSec() - start) / 1e9
        let cpu = (service.cpuUSec - cpuBefore) / Double(callCount * 4)
        let rate = Int(Double(callCount * 4) / seconds)
        print(
            [
                role.padded(8), label.padded(8), times[callCount / 2].rounded1().padded(12),
                times[callCount * 99 / 100].rounded1().padded(10), String(rate).padded(12), cpu.rounded1(),
            ].joined(separator: " "))
    }

    // MARK: - Services

    /// `Reply(u size)` answers a text of that size.
    private static func serveOurs(_ address: String) throws {
        let loop = try EventLoop()
        let connection = try Connection(to: .address(address), loop: loop)
        var texts: [UInt32: DBusValue] = [:]
        let reply = Method("Reply", in: [Argument("size", "u")], out: [Argument("text", "s")]) { call in
            let size = call.arguments[0].asUInt32 ?? 0
            let text = texts[size] ?? .string(String(repeating: "x", count: Int(size)))
            texts[size] = text
            call.reply([text])
        }
        connection.export(ExportedObject("/bench", [Interface("org.example.Bench", methods: [reply])]))
        connection.requestName("org.example.Bench") { _ in ready() }
        connection.onDisconnected = { _ in loop.exit(0) }
        _ = try loop.run()
    }

    private static func serveBare(_ address: String) {
        guard let connection = openBare(address) else { return }
        dbus_bus_request_name(connection, "org.example.Bench", 0, nil)
        dbus_connection_add_filter(
            connection,
            { connection, message, _ in
                guard dbus_message_is_method_call(message, "org.example.Bench", "Reply") != 0 else {
                    return DBUS_HANDLER_RESULT_NOT_YET_HANDLED
                }
                var iterator = DBusMessageIter()
                var size: UInt32 = 0
                dbus_message_iter_init(message, &iterator)
                dbus_message_iter_get_basic(&iterator, &size)
                let reply = dbus_message_new_method_return(message)
                dbus_message_iter_init_append(reply, &iterator)
                // One byte more than the text, for the NUL that ends it.
                withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(size) + 1) { buffer in
                    buffer.initialize(repeating: 120)
                    buffer[Int(size)] = 0
                    var text = buffer.baseAddress
                    dbus_message_iter_append_basic(&iterator, Int32(UInt8(ascii: "s")), &text)
                }
                dbus_connection_send(connection, reply, nil)
                dbus_message_unref(reply)
                return DBUS_HANDLER_RESULT_HANDLED
            }, nil, nil)
        ready()
        while dbus_connection_read_write_dispatch(connection, -1) != 0 {}
    }

    private static func ready() {
        _ = write(STDOUT_FILENO, "ready\n", 6)
    }
}

/// A greeted private connection of bare libdbus.
func openBare(_ address: String) -> OpaquePointer? {
    guard let connection = dbus_connection_open_private(address, nil) else { return nil }
    dbus_connection_set_exit_on_disconnect(connection, 0)
    dbus_bus_register(connection, nil)
    return connection
}

/// Calls by bare libdbus.
final class BareClient {
    private let connection: OpaquePointer?
    private var waiting = 0

    init(_ address: String) {
        connection = openBare(address)
    }

    enum Call {
        /// `Reply`, of a text of that size.
        case echo(Int)
        /// A method of the daemon's without arguments.
        case daemon(String)
    }

    func call(_ size: Int) { call(.echo(size)) }

    func callPipelined(_ size: Int, count: Int, inFlight: Int) {
        callPipelined(.echo(size), count: count, inFlight: inFlight)
    }

    /// - Returns: the bytes of the text in the reply; −1 for an error.
    @discardableResult
    func call(_ call: Call) -> Int {
        let message = makeCall(call)
        let reply = dbus_connection_send_with_reply_and_block(connection, message, 60_000, nil)
        dbus_message_unref(message)
        guard let reply else { return -1 }
        defer { dbus_message_unref(reply) }
        var iterator = DBusMessageIter()
        var text: UnsafePointer<CChar>?
        guard dbus_message_iter_init(reply, &iterator) != 0,
            dbus_message_iter_get_arg_type(&iterator) == Int32(UInt8(ascii: "s"))
        else { return -1 }
        dbus_message_iter_get_basic(&iterator, &text)
        return text.map { strlen($0) } ?? -1
    }

    func callPipelined(_ call: Call, count: Int, inFlight: Int) {
        let me = Unmanaged.passUnretained(self).toOpaque()
        var sent = 0
        while sent < count || waiting > 0 {
            while sent < count, waiting < inFlight {
                let message = makeCall(call)
                var pending: OpaquePointer?
                dbus_connection_send_with_reply(connection, message, &pending, 60_000)
                dbus_message_unref(message)
                dbus_pending_call_set_notify(
                    pending,
                    { pending, me in
                        dbus_message_unref(dbus_pending_call_steal_reply(pending))
                        guard let me else { return }
                        Unmanaged<BareClient>.fromOpaque(me).takeUnretainedValue().waiting -= 1
                    }, me, nil)
                dbus_pending_call_unref(pending)
                sent += 1
                waiting += 1
            }
            dbus_connection_read_write_dispatch(connection, -1)
        }
    }

    private func makeCall(_ call: Call) -> OpaquePointer? {
        guard case .echo(let size) = call else {
            guard case .daemon(let member) = call else { return nil }
            let name = "com.aiworkflow.BotCron"
            return dbus_message_new_method_call(name, "/com/aiworkflow/BotCron", name, member)
        }
        let message = dbus_message_new_method_call("org.example.Bench", "/bench", "org.example.Bench", "Reply")
        var iterator = DBusMessageIter()
        var number = UInt32(size)
        dbus_message_iter_init_append(message, &iterator)
        dbus_message_iter_append_basic(&iterator, Int32(UInt8(ascii: "u")), &number)
        return message
    }
}

/// A child process with its stdout on a pipe.
final class Child {
    private var pid: pid_t = 0
    private let output: Int32

    init(_ arguments: [String]) throws {
        var ends: [Int32] = [-1, -1]
        pipe2(&ends, O_CLOEXEC)
        output = ends[0]
        defer { close(ends[1]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        let argv = arguments.map { strdup($0) } + [nil]
        defer { for text in argv { free(text) } }
        let code = posix_spawnp(&pid, arguments[0], &actions, nil, argv, environ)
        guard code == 0 else { throw BenchError.cannotStart(arguments[0], code) }
    }

    enum BenchError: Error {
        case cannotStart(String, Int32)
    }

    func readLine() -> String {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while read(output, &byte, 1) == 1, byte != UInt8(ascii: "\n") { line.append(byte) }
        return String(decoding: line, as: UTF8.self)
    }

    func end() {
        kill(pid, SIGTERM)
        waitpid(pid, nil, 0)
        close(output)
    }

    /// User and system time so far, in µs, to the resolution of the scheduler's accounting.
    var cpuUSec: Double {
        let fd = open("/proc/\(pid)/schedstat", O_RDONLY | O_CLOEXEC)
        defer { close(fd) }
        var buffer = [UInt8](repeating: 0, count: 128)
        let count = max(0, read(fd, &buffer, buffer.count))
        let first = String(decoding: buffer.prefix(count), as: UTF8.self).split(separator: " ").first ?? "0"
        return (Double(first) ?? 0) / 1000
    }
}

func monotonicNSec() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

extension String {
    func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}

extension Double {
    /// One digit after the point.
    func rounded1() -> String {
        let scaled = Int((self * 10).rounded())
        return "\(scaled / 10).\(scaled % 10)"
    }
}
