import CDBus
import CLinux
import DBus
import EventLoop
import Glibc

/// What a call costs through our face of libdbus, beside a bare libdbus service that answers the same.
///
/// `swift run -c release BusBench` starts a private bus and each service in turn, and calls them by one bare client:
/// one at a time (the median, and p99), then 64 in flight (calls per second, and the service's own CPU per call).
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
        daemon.end()
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

/// Calls `Reply` by bare libdbus.
final class BareClient {
    private let connection: OpaquePointer?
    private var waiting = 0

    init(_ address: String) {
        connection = openBare(address)
    }

    func call(_ size: Int) {
        let message = makeCall(size)
        let reply = dbus_connection_send_with_reply_and_block(connection, message, 10_000, nil)
        dbus_message_unref(message)
        dbus_message_unref(reply)
    }

    func callPipelined(_ size: Int, count: Int, inFlight: Int) {
        let me = Unmanaged.passUnretained(self).toOpaque()
        var sent = 0
        while sent < count || waiting > 0 {
            while sent < count, waiting < inFlight {
                let message = makeCall(size)
                var pending: OpaquePointer?
                dbus_connection_send_with_reply(connection, message, &pending, 10_000)
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

    private func makeCall(_ size: Int) -> OpaquePointer? {
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
