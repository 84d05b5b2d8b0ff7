import CDBus
import Glibc

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

    /// - Parameter isBus: false where a service listens there itself.
    init(_ address: String, isBus: Bool = true) {
        connection = isBus ? openBare(address) : dbus_connection_open_private(address, nil)
    }

    enum Call {
        /// `Reply`, of a text of that size.
        case echo(Int)
        /// A method of the daemon's, without arguments or with a number.
        case daemon(String, Int32? = nil)
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

    func close() { dbus_connection_close(connection) }

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
            guard case .daemon(let member, let argument) = call else { return nil }
            let name = "com.aiworkflow.BotCron"
            let message = dbus_message_new_method_call(name, "/com/aiworkflow/BotCron", name, member)
            if var argument {
                var iterator = DBusMessageIter()
                dbus_message_iter_init_append(message, &iterator)
                dbus_message_iter_append_basic(&iterator, Int32(UInt8(ascii: "i")), &argument)
            }
            return message
        }
        let message = dbus_message_new_method_call("org.example.Bench", "/bench", "org.example.Bench", "Reply")
        var iterator = DBusMessageIter()
        var number = UInt32(size)
        dbus_message_iter_init_append(message, &iterator)
        dbus_message_iter_append_basic(&iterator, Int32(UInt8(ascii: "u")), &number)
        return message
    }
}
