/// A call that somebody makes to one of our objects: exactly one answer is due, now or whenever it is known.
///
/// Keep the call and answer later where that takes time. Dropped without an answer, the caller gets `Failed` and
/// `Connection.onFault` hears of it; answering twice is our bug. Once the call was answered on our behalf
/// (`Connection.answerOpenCalls`), or abandoned, an answer is dropped.
public final class MethodCall {
    /// The caller's unique name; nil only where there is no bus in between.
    public var sender: BusName? { open.caller.sender }
    public let path: ObjectPath
    public var interface: InterfaceName { declaration.name }
    public let member: MemberName
    /// The interface of the object that the call is made to.
    public let declaration: Interface
    /// Of the declared types; optional ones at the end may be missing.
    public let arguments: [DBusValue]
    /// False where the caller said that it does not want an answer. Answer all the same: nothing is sent then.
    public var expectsReply: Bool { open.caller.expectsReply }
    /// Whether an answer is no longer due: it was given, or nobody waits for it any more.
    public var isAnswered: Bool { open.state != .open }
    public var connection: Connection { open.connection }

    private let outputs: [Argument]
    private let open: OpenCall

    init(_ open: OpenCall, path: ObjectPath, interface: Interface, method: Method, arguments: [DBusValue]) {
        self.open = open
        self.path = path
        self.arguments = arguments
        declaration = interface
        member = method.name
        outputs = method.outputs
        open.label = "\(interface.name).\(method.name)"
    }

    /// Answers with values of the declared outputs. Values that are not those are a fault of ours: the caller gets
    /// `Failed` and `Connection.onFault` hears of it.
    public func reply(_ values: [DBusValue] = []) {
        guard open.take(), open.expectsAnswer, connection.isOpen else { return }
        do throws(DBusError) {
            try ArgumentCheck.values(values, outputs)
            try open.deliver(.success(values))
        } catch {
            let name: ErrorName = error.kind == .tooLarge ? .limitsExceeded : .failed
            try? open.deliver(.failure(ErrorReply(name, "the answer cannot be sent")))
            connection.onFault("the answer of \(interface).\(member) at \(path) cannot be sent: \(error)")
        }
    }

    /// An answer of the one declared output, to be written piece by piece.
    func makeArrayReply() throws(DBusError) -> ArrayReply {
        guard let output = outputs.first, outputs.count == 1 else {
            preconditionFailure("\(interface).\(member) is declared with \(outputs.count) outputs; an array is one")
        }
        return try ArrayReply(to: open.caller, output)
    }

    /// Answers with a message that is written.
    func send(_ reply: Message) { if open.take() { open.deliver(reply) } }

    /// Answers with an error.
    public func fail(_ error: ErrorReply) {
        guard open.take() else { return }
        try? open.deliver(.failure(error))
    }

    /// Answers with an error once nothing that the caller may not know of stands behind it: through the gate of the
    /// connection, as a read is.
    public func failInOrder(_ error: ErrorReply) {
        connection.pass(.read, from: sender) { [self] refusal in if !isAnswered { fail(refusal ?? error) } }
    }

    /// Goes through the gate of the connection once more: for a handler of several things, which are of several kinds.
    /// `run` is not called where no answer is due any more, and gets an error where the gate refuses.
    public func pass(as kind: Method.Kind, _ run: @escaping (ErrorReply?) -> Void) {
        connection.pass(kind, from: sender) { [self] refusal in if !isAnswered { run(refusal) } }
    }

    /// The caller has left the bus: nobody waits for an answer any more.
    public func abandon() { open.abandon() }

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
        let call = MethodCall(
            OpenCall(in: open, handler), path: path, interface: declaration, method: method, arguments: values)
        connection.pass(method.kind, from: sender) { refusal in
            guard !call.isAnswered else { return }
            if let refusal { call.fail(refusal) } else { call.run(method) }
        }
    }

    /// Runs the handler and answers for what it throws.
    func run(_ method: Method) {
        do {
            try method.handler(self)
        } catch {
            guard !isAnswered else {
                return connection.onFault("\(interface).\(member) at \(path) answered and then threw: \(error)")
            }
            var reply = error as? ErrorReply
            if reply == nil {
                reply = ErrorReply(.failed, "\(interface).\(member) failed")
                connection.onFault("\(interface).\(member) at \(path) threw: \(error)")
            }
            guard let reply else { return }
            // A read stands behind everything before it already.
            if method.kind.isRequest { failInOrder(reply) } else { fail(reply) }
        }
    }
}
