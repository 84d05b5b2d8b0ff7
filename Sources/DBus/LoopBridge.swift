internal import CDBus
internal import EventLoop

/// Drives one libdbus connection from the event loop: its watches are io sources, its timeouts timers.
///
/// Every message that no pending call waits for goes to `onMessage`. Dispatching happens from the loop only, never
/// inside a callback of libdbus.
final class LoopBridge {
    /// As many fds as the kernel passes at once (SCM_MAX_FD): libdbus leaves the bus on a message with more than this,
    /// so a lower number would let any client throw us off.
    static let messageFDsMax = 253
    /// While messages not yet dispatched hold more fds than this, reading pauses.
    static let receivedFDsMax = 256

    /// A private connection; we hold its one reference.
    let raw: OpaquePointer
    var onMessage: (OpaquePointer) -> Void = { _ in }

    private let loop: EventLoop
    private var watched: [Int32: WatchedFD] = [:]
    private var timers: [OpaquePointer: TimerSource] = [:]
    private var dispatcher: DeferredSource?
    /// Set while libdbus works for us: it will be dispatched afterwards anyway.
    private var isWorking = false
    private var isDetached = false

    /// An fd with the watches that libdbus has on it. It makes two for one socket (reading and writing), and epoll
    /// takes an fd only once.
    private struct WatchedFD {
        var watches: [OpaquePointer] = []
        var source: IOSource
    }

    /// Takes over `raw`, also when it throws.
    init(owning raw: OpaquePointer, loop: EventLoop) throws(DBusError) {
        self.raw = raw
        self.loop = loop
        // Without this, losing the bus would be _exit(1).
        dbus_connection_set_exit_on_disconnect(raw, 0)
        dbus_connection_set_route_peer_messages(raw, 1)
        dbus_connection_set_max_message_unix_fds(raw, Self.messageFDsMax)
        dbus_connection_set_max_received_unix_fds(raw, Self.receivedFDsMax)
        do {
            // The source goes with its owner, this object.
            dispatcher = try loop.deferred { [unowned self] in dispatch() }
        } catch {
            throw DBusError(.cannotConnect, "cannot connect to the bus: \(error)")
        }
        let me = Unmanaged.passUnretained(self).toOpaque()
        let isSet =
            dbus_connection_set_watch_functions(
                raw, { watch, me in LoopBridge.from(me)?.add(watch) ?? 0 },
                { watch, me in LoopBridge.from(me)?.remove(watch) },
                { watch, me in LoopBridge.from(me)?.toggle(watch) }, me, nil) != 0
            && dbus_connection_set_timeout_functions(
                raw, { timeout, me in LoopBridge.from(me)?.add(timeout: timeout) ?? 0 },
                { timeout, me in LoopBridge.from(me)?.remove(timeout: timeout) },
                { timeout, me in LoopBridge.from(me)?.toggle(timeout: timeout) }, me, nil) != 0
            && dbus_connection_add_filter(
                raw,
                { _, message, me in
                    guard let message, let bridge = LoopBridge.from(me) else {
                        return DBUS_HANDLER_RESULT_NOT_YET_HANDLED
                    }
                    bridge.onMessage(message)
                    return DBUS_HANDLER_RESULT_HANDLED
                }, me, nil) != 0
        guard isSet else { throw .outOfMemory("connect to the bus") }
        dbus_connection_set_dispatch_status_function(
            raw,
            { _, status, me in
                guard status == DBUS_DISPATCH_DATA_REMAINS, let bridge = LoopBridge.from(me) else { return }
                bridge.scheduleDispatch()
            }, me, nil)
    }

    deinit {
        detach()
        dbus_connection_unref(raw)
    }

    /// Closes the connection; nothing is called any more.
    func detach() {
        guard !isDetached else { return }
        isDetached = true
        onMessage = { _ in }
        dbus_connection_set_dispatch_status_function(raw, nil, nil, nil)
        dbus_connection_set_watch_functions(raw, nil, nil, nil, nil, nil)
        dbus_connection_set_timeout_functions(raw, nil, nil, nil, nil, nil)
        // The filter stays: it runs only from dispatch(), which is over.
        dbus_connection_close(raw)
        watched = [:]
        timers = [:]
        dispatcher = nil
    }

    /// The bridge behind the pointer that libdbus keeps; alive, because `detach` takes the pointer back.
    private static func from(_ pointer: UnsafeMutableRawPointer?) -> LoopBridge? {
        guard let pointer else { return nil }
        return Unmanaged<LoopBridge>.fromOpaque(pointer).takeUnretainedValue()
    }

    // MARK: - Dispatching

    /// Hands out what has arrived, until nothing is left: at most what one read brought, about 2 KiB or one message.
    /// Where that is many calls that take their time, the rest is for the next turn.
    private func dispatch() {
        guard !isDetached, !isWorking else { return }
        isWorking = true
        // A handler may drop the connection that is calling it.
        dbus_connection_ref(raw)
        defer {
            isWorking = false
            dbus_connection_unref(raw)
        }
        while !isDetached, dbus_connection_dispatch(raw) == DBUS_DISPATCH_DATA_REMAINS {
            guard loop.meter.turnUSec < TurnMeter.turnUSecMany else {
                dispatcher?.schedule()
                break
            }
        }
    }

    private func scheduleDispatch() {
        if !isWorking {
            dispatcher?.schedule()
        }
    }

    /// What libdbus put aside while somebody waited for one reply is handed out from the loop.
    func dispatchSoon() {
        if !isDetached, dbus_connection_get_dispatch_status(raw) == DBUS_DISPATCH_DATA_REMAINS {
            dispatcher?.schedule()
        }
    }

    // MARK: - Watches

    private func add(_ watch: OpaquePointer?) -> dbus_bool_t {
        guard let watch else { return 0 }
        let fd = dbus_watch_get_unix_fd(watch)
        if watched[fd] == nil {
            // A failure here is "no memory" to libdbus, which then gives the connection up.
            let source = try? loop.watch(fd: fd, []) { [unowned self] events in handle(events, on: fd) }
            guard let source else { return 0 }
            watched[fd] = WatchedFD(source: source)
        }
        watched[fd]?.watches.append(watch)
        updateMask(of: fd)
        return 1
    }

    private func remove(_ watch: OpaquePointer?) {
        guard let watch else { return }
        let fd = dbus_watch_get_unix_fd(watch)
        watched[fd]?.watches.removeAll { $0 == watch }
        if watched[fd]?.watches.isEmpty == true {
            watched[fd] = nil
        } else {
            updateMask(of: fd)
        }
    }

    private func toggle(_ watch: OpaquePointer?) {
        guard let watch else { return }
        updateMask(of: dbus_watch_get_unix_fd(watch))
    }

    private func updateMask(of fd: Int32) {
        guard let entry = watched[fd] else { return }
        var mask: IOEvents = []
        for watch in entry.watches where dbus_watch_get_enabled(watch) != 0 {
            let flags = dbus_watch_get_flags(watch)
            if flags & DBUS_WATCH_READABLE.rawValue != 0 { mask.insert(.readable) }
            if flags & DBUS_WATCH_WRITABLE.rawValue != 0 { mask.insert(.writable) }
        }
        entry.source.modify(mask)
    }

    private func handle(_ events: IOEvents, on fd: Int32) {
        var flags: UInt32 = 0
        if events.contains(.readable) { flags |= DBUS_WATCH_READABLE.rawValue }
        if events.contains(.writable) { flags |= DBUS_WATCH_WRITABLE.rawValue }
        if events.contains(.hangup) { flags |= DBUS_WATCH_HANGUP.rawValue }
        if events.contains(.error) { flags |= DBUS_WATCH_ERROR.rawValue }
        let wasWorking = isWorking
        isWorking = true
        dbus_connection_ref(raw)
        // One watch may remove the other: look again before each.
        for watch in watched[fd]?.watches ?? [] where watched[fd]?.watches.contains(watch) == true {
            guard dbus_watch_get_enabled(watch) != 0 else { continue }
            let wanted = dbus_watch_get_flags(watch) | DBUS_WATCH_HANGUP.rawValue | DBUS_WATCH_ERROR.rawValue
            if flags & wanted != 0 {
                dbus_watch_handle(watch, flags & wanted)
            }
        }
        isWorking = wasWorking
        dispatch()
        dbus_connection_unref(raw)
    }

    // MARK: - Timeouts

    private func add(timeout: OpaquePointer?) -> dbus_bool_t {
        guard let timeout else { return 0 }
        // The source goes with its owner, this object.
        let timer = try? loop.timer(.monotonic, accuracyUSec: 100_000) { [unowned self] in
            // libdbus's timeouts go on until they are removed.
            arm(timeout)
            dbus_timeout_handle(timeout)
            dispatch()
        }
        guard let timer else { return 0 }
        timers[timeout] = timer
        arm(timeout)
        return 1
    }

    private func remove(timeout: OpaquePointer?) {
        guard let timeout else { return }
        timers[timeout] = nil
    }

    private func toggle(timeout: OpaquePointer?) {
        guard let timeout else { return }
        arm(timeout)
    }

    private func arm(_ timeout: OpaquePointer) {
        guard dbus_timeout_get_enabled(timeout) != 0 else { return timers[timeout]?.disarm() ?? () }
        let interval = UInt64(max(0, dbus_timeout_get_interval(timeout)))
        timers[timeout]?.arm(atUSec: EventLoop.Clock.monotonic.nowUSec + interval * 1000)
    }
}
