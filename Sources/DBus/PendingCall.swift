internal import CDBus

/// A call that waits for its reply. It goes on waiting when this object is dropped; `cancel()` ends it.
public final class PendingCall {
    private var handler: ((Result<[DBusValue], ErrorReply>) -> Void)?
    /// Its place among the calls of `connection` that wait.
    var id = 0
    weak var connection: Connection?

    init(_ handler: @escaping (Result<[DBusValue], ErrorReply>) -> Void) {
        self.handler = handler
    }

    /// Whether the handler will still be called.
    public var isWaiting: Bool { handler != nil }

    /// Forgets the call: its handler is not called any more, and a reply is ignored.
    public func cancel() {
        handler = nil
        connection?.forget(self)
    }

    func complete(_ result: Result<[DBusValue], ErrorReply>) {
        let handler = handler
        cancel()
        handler?(result)
    }

    /// Hears of the reply from libdbus, whose call this is.
    func listen(to rawPending: OpaquePointer) throws(DBusError) {
        // passRetained is paired with the release in the free callback, which runs when libdbus lets go of the call,
        // answered or not.
        let isSet = dbus_pending_call_set_notify(
            rawPending,
            { rawPending, user in
                guard let rawPending, let user else { return }
                let pending = Unmanaged<PendingCall>.fromOpaque(user).takeUnretainedValue()
                guard let reply = dbus_pending_call_steal_reply(rawPending) else { return }
                let message = Message(adopting: reply)
                if pending.isWaiting {
                    pending.complete(message.result)
                }
            }, Unmanaged.passRetained(self).toOpaque(),
            { user in
                guard let user else { return }
                Unmanaged<PendingCall>.fromOpaque(user).release()
            })
        guard isSet != 0 else {
            Unmanaged.passUnretained(self).release()
            throw .outOfMemory("call")
        }
    }
}
