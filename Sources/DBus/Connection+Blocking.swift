internal import CDBus
internal import EventLoop

/// What waits with the whole thread, for programs that have nothing else to do: command-line clients, and whoever is
/// about to end. A service blocks nobody, itself least of all.
extension Connection {
    /// Calls somebody's method and waits for the reply, with the whole thread: for command-line clients, never for a
    /// service. What else arrives meanwhile is handed out from the loop afterwards.
    public func callAndWait(_ call: RemoteCall) -> Result<[DBusValue], ErrorReply> {
        guard isOpen else { return .failure(ErrorReply(.disconnected, "not connected to the bus")) }
        let message: Message
        do throws(DBusError) {
            message = try Message(calling: call)
        } catch {
            return .failure(ErrorReply(error))
        }
        var error = CDBus.DBusError()
        dbus_error_init(&error)
        defer {
            dbus_error_free(&error)
            bridge.dispatchSoon()
        }
        let timeout = call.timeoutMSec ?? Int32(BC_DBUS_TIMEOUT_INFINITE)
        guard let reply = dbus_connection_send_with_reply_and_block(raw, message.raw, timeout, &error) else {
            let name = String(lent: error.name).flatMap { ErrorName($0) } ?? .failed
            return .failure(ErrorReply(name, String(lent: error.message) ?? "no reason given"))
        }
        return Message(adopting: reply).result
    }

    /// Waits until everything that was sent is with the bus, at most `timeoutMSec`; false where it is not by then. For
    /// programs that are about to end: it blocks the loop.
    @discardableResult
    public func flush(timeoutMSec: Int32 = 1000) -> Bool {
        let start = EventLoop.Clock.monotonic.nowUSec
        var elapsed: Int32 = 0
        while isOpen, dbus_connection_has_messages_to_send(raw) != 0, elapsed < timeoutMSec {
            // What arrives meanwhile is put aside.
            guard dbus_connection_read_write(raw, timeoutMSec - elapsed) != 0 else { break }
            elapsed = Int32(clamping: (EventLoop.Clock.monotonic.nowUSec - start) / 1000)
        }
        bridge.dispatchSoon()
        return isOpen && dbus_connection_has_messages_to_send(raw) == 0
    }
}
