internal import CDBus
public import EventLoop

/// A connection to a message bus, driven by the event loop: a safe face of libdbus.
///
/// Everything is asynchronous. `init` opens the socket and greets the bus; what is called before the greeting is
/// through goes out in order after it. Objects are exported as values that describe themselves: one declaration drives
/// dispatch, argument checks and introspection.
///
/// ```swift
/// let connection = try Connection(to: .session, loop: loop)
/// let echo = Method("Echo", in: [Argument("text", "s")], out: [Argument("text", "s")]) { call in
///     call.reply(call.arguments)
/// }
/// connection.export(ExportedObject("/org/example", [Interface("org.example.Echo", methods: [echo])]))
/// connection.requestName("org.example.Echo") { result in print(result) }
/// connection.onDisconnected = { reason in loop.exit(1) }
/// ```
///
/// Sharp edges:
/// - `close()` it: exported objects and pending calls are let go there. Handlers that capture the owner of the
///   connection keep it alive until then.
/// - A lost bus is `onDisconnected`, once, with every pending call answered by an error; the object is then of no more
///   use.
/// - Nothing that comes in can stop the process: libdbus checks messages, bodies are read within `MessageReader`'s
///   bounds.
/// - Nothing that goes out can abort libdbus: names are validated types, values are checked first.
public final class Connection {
    /// Bytes that wait in this process because the bus does not read. Past this, signals are dropped, calls fail at
    /// once and replies become a short `LimitsExceeded`; past twice this, replies are dropped too.
    public static let outgoingBytesMax = 32 << 20

    /// The longest body that is sent, roughly, in bytes; the bus's own bound is 128 MiB.
    public static let bodyBytesMax = 32 << 20

    public let loop: EventLoop
    /// Called once, when the bus has given us a unique name.
    public var onConnected: (() -> Void)?
    /// Called once, with the reason, when the bus is gone; not after `close()`.
    public var onDisconnected: ((String) -> Void)?
    /// Called when somebody else got a name that was ours.
    public var onNameLost: ((BusName) -> Void)?
    /// Called with what went wrong on our side and should be looked at: a handler that never answered, a reply or
    /// signal that does not match its declaration. Debug builds stop there unless this is set.
    public var onFault: (String) -> Void = { assertionFailure($0) }
    /// The one door that every call to an object of ours goes through: it lets the call pass, now or later, by calling
    /// `pass` once, with an error to refuse it. Reading properties, introspection and whatever is refused before a
    /// handler has seen it count as reads. `sender` is the caller's unique name. Nil: everything passes at once.
    public var gate: ((_ kind: Method.Kind, _ sender: BusName?, _ pass: @escaping (ErrorReply?) -> Void) -> Void)?
    /// Who spreads an answer that may be long over turns of the loop: calls `step` again and again until it says that
    /// no more follows, or refuses to. Nil: all of it is done at once.
    public var steps: ((_ step: @escaping () -> Bool) throws(ErrorReply) -> Void)?
    /// Our name on the bus, once connected.
    public private(set) var uniqueName: BusName?
    /// False once the bus is gone or `close()` was called.
    public private(set) var isOpen = true
    /// Messages that were not sent because too much was waiting already.
    public private(set) var droppedCount = 0

    var raw: OpaquePointer { bridge.raw }
    let objects = ObjectTree()
    let signals = SignalRouter()
    let bridge: LoopBridge
    private var turnEnd: DeferredSource?
    private var changes = PropertyChanges()
    private var pendingCalls: [Int: PendingCall] = [:]
    private var lastCallID = 0
    private var failedCalls: [(PendingCall, ErrorReply)] = []
    var openCalls = OpenCalls()
    /// What went wrong where nobody's code could be called.
    private var faults: [String] = []

    /// Opens a connection of its own and starts the greeting. Connecting to a socket does not wait; a bus that does not
    /// answer the greeting shows by `onDisconnected`.
    public init(to address: BusAddress, loop: EventLoop) throws(DBusError) {
        let text = try address.resolved()
        var error = CDBus.DBusError()
        dbus_error_init(&error)
        defer { dbus_error_free(&error) }
        guard let raw = dbus_connection_open_private(text, &error) else {
            let reason = String(lent: error.message) ?? "no reason given"
            throw DBusError(
                .cannotConnect,
                "cannot connect to the bus at '\(text)': \(reason); needed is the address of a running bus")
        }
        self.loop = loop
        bridge = try LoopBridge(owning: raw, loop: loop)
        // The bridge is this object's own.
        bridge.onMessage = { [unowned self] message in receive(Message(retaining: message)) }
        do {
            // The source goes with its owner, this object.
            turnEnd = try loop.deferred { [unowned self] in endTurn() }
        } catch {
            throw DBusError(.cannotConnect, "cannot connect to the bus at '\(text)': \(error)")
        }
        // What the bus answers is heard through the bridge, which goes with this object.
        call(.toBus("Hello")) { [unowned self] in greeted($0) }
    }

    deinit {
        bridge.detach()
    }

    /// Leaves the bus: names, objects, subscriptions and pending calls are let go without a word to their handlers;
    /// calls of others that are not answered yet are answered with `NoReply`.
    public func close() {
        answerOpenCalls(with: ErrorReply(.noReply, "the service has left the bus"))
        isOpen = false
        gate = nil
        steps = nil
        onConnected = nil
        onDisconnected = nil
        onNameLost = nil
        turnEnd?.cancel()
        failedCalls = []
        for pending in pendingCalls.values {
            pending.cancel()
        }
        objects.removeAll()
        signals.removeAll()
        bridge.detach()
    }

    /// Tells `onFault` in the next turn of the loop, unless the connection is closed by then.
    func report(fault: String) {
        faults.append(fault)
        turnEnd?.schedule()
    }

    // MARK: - Coming in

    private func greeted(_ result: Result<[DBusValue], ErrorReply>) {
        switch result {
        case .success(let values):
            uniqueName = values.first?.asString.flatMap { BusName($0) }
            let handler = onConnected
            onConnected = nil
            handler?()
        case .failure(let error):
            disconnected(error.description)
        }
    }

    private func receive(_ message: Message) {
        switch message.kind {
        case .methodCall:
            dispatch(message)
        case .signal where message.sender == nil && message.interface == "org.freedesktop.DBus.Local":
            disconnected("the bus closed the connection")
        case .signal:
            signals.dispatch(message, on: self)
        case .methodReturn, .error, nil:
            // Nobody asked.
            break
        }
    }

    private func disconnected(_ reason: String) {
        guard isOpen else { return }
        isOpen = false
        let handler = onDisconnected
        onDisconnected = nil
        // libdbus leaves calls without a time-out unanswered.
        for (_, pending) in pendingCalls.sorted(by: { $0.key < $1.key }) {
            pending.complete(.failure(ErrorReply(.disconnected, "no answer came before the bus was gone: \(reason)")))
        }
        handler?(reason)
    }

    // MARK: - Going out

    /// Calls somebody's method; `handler` gets the reply, once, and never before this returns.
    @discardableResult
    public func call(
        _ call: RemoteCall, _ handler: @escaping (Result<[DBusValue], ErrorReply>) -> Void
    ) -> PendingCall {
        let pending = PendingCall(handler)
        do throws(DBusError) {
            try send(try Message(calling: call), pending, timeoutMSec: call.timeoutMSec)
        } catch {
            failedCalls.append((pending, ErrorReply(error)))
            turnEnd?.schedule()
        }
        return pending
    }

    /// Sends a signal from `path`, to everybody who asked for it or to one peer. False where it was not sent: not
    /// connected, too much waiting, or it does not match what the object there declares (`onFault` says so).
    @discardableResult
    public func emit(
        _ path: ObjectPath, _ interface: InterfaceName, _ member: MemberName, _ arguments: [DBusValue],
        to destination: BusName? = nil
    ) -> Bool {
        guard isOpen else { return false }
        guard outgoingBytes < Self.outgoingBytesMax else {
            droppedCount += 1
            return false
        }
        do throws(DBusError) {
            try objects.checkSignal(path, interface, member, arguments)
            return send(try Message(signal: member, of: interface, from: path, to: destination, arguments))
        } catch {
            onFault("signal \(interface).\(member) from \(path) was not sent: \(error)")
            return false
        }
    }

    /// Bytes that wait to be taken by the bus.
    public var outgoingBytes: Int { isOpen ? dbus_connection_get_outgoing_size(raw) : 0 }

    @discardableResult
    func send(_ message: Message) -> Bool {
        isOpen && dbus_connection_send(raw, message.raw, nil) != 0
    }

    /// Sends the answer to a call; a short error in place of one that would make too much wait.
    func send(reply message: Message, to caller: Caller) {
        let waiting = outgoingBytes
        guard waiting >= Self.outgoingBytesMax else {
            send(message)
            return
        }
        droppedCount += 1
        let error = ErrorReply(.limitsExceeded, "cannot reply: \(waiting) bytes wait for the bus to take them")
        if waiting < 2 * Self.outgoingBytesMax, let short = try? Message(replyTo: caller, error: error) {
            send(short)
        }
    }

    private func send(_ message: Message, _ pending: PendingCall, timeoutMSec: Int32?) throws(DBusError) {
        guard isOpen else { throw DBusError(.disconnected, "cannot call: not connected to the bus") }
        guard outgoingBytes < Self.outgoingBytesMax else {
            droppedCount += 1
            throw DBusError(.tooLarge, "cannot call: \(outgoingBytes) bytes wait for the bus to take them")
        }
        var rawPending: OpaquePointer?
        let timeout = timeoutMSec ?? Int32(BC_DBUS_TIMEOUT_INFINITE)
        guard dbus_connection_send_with_reply(raw, message.raw, &rawPending, timeout) != 0 else {
            throw .outOfMemory("call")
        }
        guard let rawPending else { throw DBusError(.disconnected, "cannot call: the bus is gone") }
        // Our reference goes; the connection's own keeps the call until it is complete.
        defer { dbus_pending_call_unref(rawPending) }
        try pending.listen(to: rawPending)
        lastCallID += 1
        pending.id = lastCallID
        pending.connection = self
        pendingCalls[lastCallID] = pending
    }

    func forget(_ pending: PendingCall) {
        pendingCalls[pending.id] = nil
    }

    // MARK: - The end of the turn

    /// Says that properties of an exported object have new values. Within a loop turn the changes of one interface make
    /// one `PropertiesChanged`, with the values as they are at the end of it.
    public func propertiesChanged(_ path: ObjectPath, _ interface: InterfaceName, _ names: [MemberName]) {
        guard isOpen else { return }
        changes.add(path, interface, names)
        turnEnd?.schedule()
    }

    private func endTurn() {
        for fault in faults.take() { onFault(fault) }
        for (pending, error) in failedCalls.take() {
            pending.complete(.failure(error))
        }
        let changed = changes.take()
        guard !changed.isEmpty else { return }
        // Values are told as to somebody who asks for them.
        pass(.read, from: nil) { [weak self] refusal in if refusal == nil { self?.tell(changed) } }
    }

    private func tell(_ changes: [PropertyChanges.Change]) {
        for change in changes {
            guard let values = objects.changedValues(change, fault: onFault) else { continue }
            emit(change.path, "org.freedesktop.DBus.Properties", "PropertiesChanged", values)
        }
    }
}

extension Array {
    /// All elements, leaving none.
    fileprivate mutating func take() -> [Element] {
        defer { self = [] }
        return self
    }
}
