import CDBus
import DBus
import EventLoop
import Glibc

/// What is measured beside each other: services on which `Reply(u size)` answers a text of that size. One on sd-bus is
/// `peers/echo-sd-bus.c`.
enum Services {
    static func serveOurs(_ address: String) throws {
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

    static func serveBare(_ address: String) {
        guard let connection = openBare(address) else { return }
        dbus_bus_request_name(connection, "org.example.Bench", 0, nil)
        answer(on: connection)
        ready()
        while dbus_connection_read_write_dispatch(connection, -1) != 0 {}
    }

    /// As `serveBare`, without a bus in between. It says where it listens.
    static func servePeers() {
        let server = PeerServer()
        guard let address = server.listen() else { return }
        say(address)
        while true {
            let connection = server.accept()
            answer(on: connection)
            while dbus_connection_read_write_dispatch(connection, -1) != 0 {}
            dbus_connection_unref(connection)
        }
    }

    private static func answer(on connection: OpaquePointer) {
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
    }

    private static func ready() { say("ready") }

    private static func say(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = write(STDOUT_FILENO, bytes, bytes.count)
    }
}

/// Where connections of bare libdbus arrive, one after the other.
private final class PeerServer {
    private var server: OpaquePointer?
    private var watch: OpaquePointer?
    private var arrived: OpaquePointer?

    func listen() -> String? {
        server = dbus_server_listen("unix:tmpdir=/tmp", nil)
        guard let server else { return nil }
        // Unretained: this lives as long as the process.
        let me = Unmanaged.passUnretained(self).toOpaque()
        dbus_server_set_watch_functions(
            server,
            { watch, me in
                PeerServer.from(me)?.watch = watch
                return 1
            }, { _, _ in }, { _, _ in }, me, nil)
        dbus_server_set_new_connection_function(
            server,
            { _, connection, me in
                guard let connection else { return }
                PeerServer.from(me)?.arrived = dbus_connection_ref(connection)
            }, me, nil)
        return dbus_server_get_address(server).map { String(cString: $0) }
    }

    /// Waits for the next one, and hands its reference out.
    func accept() -> OpaquePointer {
        while true {
            if let connection = arrived {
                arrived = nil
                dbus_connection_set_exit_on_disconnect(connection, 0)
                return connection
            }
            var ready = pollfd(fd: dbus_watch_get_unix_fd(watch), events: Int16(POLLIN), revents: 0)
            poll(&ready, 1, -1)
            dbus_watch_handle(watch, DBUS_WATCH_READABLE.rawValue)
        }
    }

    private static func from(_ pointer: UnsafeMutableRawPointer?) -> PeerServer? {
        pointer.map { Unmanaged<PeerServer>.fromOpaque($0).takeUnretainedValue() }
    }
}
