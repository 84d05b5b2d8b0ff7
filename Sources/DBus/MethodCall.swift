/// A call that somebody makes to one of our objects: exactly one answer is due, now or whenever it is known.
///
/// Keep the call and answer later where that takes time. Dropped without an answer, the caller gets `Failed` and
/// `Connection.onFault` hears of it; answering twice is our bug.
public final class MethodCall {
    public let connection: Connection
    /// The caller's unique name; nil only where there is no bus in between.
    public var sender: BusName? { caller.sender }
    public let path: ObjectPath
    public var interface: InterfaceName { declaration.name }
    public let member: MemberName
    /// The interface of the object that the call is made to.
    public let declaration: Interface
    /// Of the declared types; optional ones at the end may be missing.
    public let arguments: [DBusValue]
    /// False where the caller said that it does not want an answer. Answer all the same: nothing is sent then.
    public var expectsReply: Bool { caller.expectsReply }
    public private(set) var isAnswered = false

    private let outputs: [Argument]
    private let caller: Caller
    /// For a call that one of our handlers made in the name of its own caller.
    private let relay: Relay?

    /// Whom the answer of such a call goes to.
    private struct Relay {
        let outer: MethodCall
        let handler: (Result<[DBusValue], ErrorReply>) -> Void
    }

    init(
        from caller: Caller, on connection: Connection, path: ObjectPath, interface: Interface, method: Method,
        arguments: [DBusValue]
    ) {
        self.caller = caller
        self.connection = connection
        self.path = path
        self.arguments = arguments
        declaration = interface
        member = method.name
        outputs = method.outputs
        relay = nil
    }

    private init(
        in outer: MethodCall, method: Method, arguments: [DBusValue],
        _ handler: @escaping (Result<[DBusValue], ErrorReply>) -> Void
    ) {
        caller = outer.caller
        connection = outer.connection
        path = outer.path
        self.arguments = arguments
        declaration = outer.declaration
        member = method.name
        outputs = method.outputs
        relay = Relay(outer: outer, handler: handler)
    }

    deinit {
        guard !isAnswered, connection.isOpen else { return }
        answer(.failure(ErrorReply(.failed, "\(interface).\(member) gave no answer")))
        connection.onFault("\(interface).\(member) at \(path) was dropped without an answer")
    }

    /// Answers with values of the declared outputs. Values that are not those are a fault of ours: the caller gets
    /// `Failed` and `Connection.onFault` hears of it.
    public func reply(_ values: [DBusValue] = []) {
        precondition(!isAnswered, "\(interface).\(member) was answered twice")
        isAnswered = true
        guard expectsReply || relay != nil, connection.isOpen else { return }
        do throws(DBusError) {
            try ArgumentCheck.values(values, outputs)
            if let relay { return relay.handler(.success(values)) }
            connection.send(reply: try Message(replyTo: caller, values, areChecked: true), to: caller)
        } catch {
            let name: ErrorName = error.kind == .tooLarge ? .limitsExceeded : .failed
            answer(.failure(ErrorReply(name, "the answer cannot be sent")))
            connection.onFault("the answer of \(interface).\(member) at \(path) cannot be sent: \(error)")
        }
    }

    /// Answers with an error.
    public func fail(_ error: ErrorReply) {
        precondition(!isAnswered, "\(interface).\(member) was answered twice")
        isAnswered = true
        answer(.failure(error))
    }

    /// The caller has left the bus: nobody waits for an answer any more.
    public func abandon() {
        isAnswered = true
        if let relay, !relay.outer.isAnswered { relay.outer.abandon() }
    }

    /// Calls another method of the same interface in the name of this caller; `handler` gets its answer, once, now or
    /// whenever it is known. Not called any more once the caller has left.
    ///
    /// - Throws: `UnknownMethod`, or `InvalidArgs` where the arguments are not those of the method.
    public func perform(
        _ member: MemberName, _ arguments: [DBusValue],
        _ handler: @escaping (Result<[DBusValue], ErrorReply>) -> Void
    ) throws(ErrorReply) {
        guard let method = declaration.method(member) else {
            throw ErrorReply(.unknownMethod, "cannot call \(interface).\(member): the interface has no such method")
        }
        let values = try ArgumentCheck.arguments(arguments, for: method, of: declaration)
        MethodCall(in: self, method: method, arguments: values, handler).run(method.handler)
    }

    /// Runs the handler and answers for what it throws.
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

    private func answer(_ result: Result<[DBusValue], ErrorReply>) {
        if let relay { return relay.handler(result) }
        guard expectsReply, connection.isOpen, case .failure(let error) = result,
            let reply = try? Message(replyTo: caller, error: error)
        else { return }
        connection.send(reply: reply, to: caller)
    }
}
