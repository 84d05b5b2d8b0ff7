/// A call that somebody makes to one of our objects: exactly one answer is due, now or whenever it is known.
///
/// Keep the call and answer later where that takes time. Dropped without an answer, the caller gets `Failed` and
/// `Connection.onFault` hears of it; answering twice is our bug.
public final class MethodCall {
    public let connection: Connection
    /// The caller's unique name; nil only where there is no bus in between.
    public var sender: BusName? { caller.sender }
    public let path: ObjectPath
    public let interface: InterfaceName
    public let member: MemberName
    /// Of the declared types; optional ones at the end may be missing.
    public let arguments: [DBusValue]
    /// False where the caller said that it does not want an answer. Answer all the same: nothing is sent then.
    public var expectsReply: Bool { caller.expectsReply }
    public private(set) var isAnswered = false

    private let outputs: [Argument]
    private let caller: Caller

    init(
        from caller: Caller, on connection: Connection, path: ObjectPath, interface: Interface, method: Method,
        arguments: [DBusValue]
    ) {
        self.caller = caller
        self.connection = connection
        self.path = path
        self.interface = interface.name
        self.arguments = arguments
        member = method.name
        outputs = method.outputs
    }

    deinit {
        guard !isAnswered, connection.isOpen else { return }
        sendError(ErrorReply(.failed, "\(interface).\(member) gave no answer"))
        connection.onFault("\(interface).\(member) at \(path) was dropped without an answer")
    }

    /// Answers with values of the declared outputs. Values that are not those are a fault of ours: the caller gets
    /// `Failed` and `Connection.onFault` hears of it.
    public func reply(_ values: [DBusValue] = []) {
        precondition(!isAnswered, "\(interface).\(member) was answered twice")
        isAnswered = true
        guard expectsReply, connection.isOpen else { return }
        do throws(DBusError) {
            try ArgumentCheck.values(values, outputs)
            connection.send(reply: try Message(replyTo: caller, values, areChecked: true), to: caller)
        } catch {
            sendError(ErrorReply(error.kind == .tooLarge ? .limitsExceeded : .failed, "the answer cannot be sent"))
            connection.onFault("the answer of \(interface).\(member) at \(path) cannot be sent: \(error)")
        }
    }

    /// Answers with an error.
    public func fail(_ error: ErrorReply) {
        precondition(!isAnswered, "\(interface).\(member) was answered twice")
        isAnswered = true
        sendError(error)
    }

    /// Runs the handler and answers for what it throws.
    /// The caller has left the bus: nobody waits for an answer any more.
    public func abandon() { isAnswered = true }

    func run(_ handler: (MethodCall) throws -> Void) {
        do {
            try handler(self)
        } catch {
            guard !isAnswered else {
                return connection.onFault("\(interface).\(member) at \(path) answered and then threw: \(error)")
            }
            if let error = error as? ErrorReply {
                return fail(error)
            }
            fail(ErrorReply(.failed, "\(interface).\(member) failed"))
            connection.onFault("\(interface).\(member) at \(path) threw: \(error)")
        }
    }

    private func sendError(_ error: ErrorReply) {
        guard expectsReply, connection.isOpen, let reply = try? Message(replyTo: caller, error: error) else { return }
        connection.send(reply: reply, to: caller)
    }
}
