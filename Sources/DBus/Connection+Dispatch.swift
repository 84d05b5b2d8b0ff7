extension Connection {
    /// Answers every call that is not answered yet, in place of whoever was to; what they answer later is dropped.
    public func answerOpenCalls(with error: ErrorReply) {
        for call in openCalls.all { call.close(with: error) }
    }

    /// Calls to objects of ours that are not answered yet.
    public var openCallCount: Int { openCalls.count }

    /// Runs what answers a call of that kind, when the gate lets it; with an error where it is refused.
    func pass(_ kind: Method.Kind, from sender: BusName?, _ run: @escaping (ErrorReply?) -> Void) {
        if let gate { gate(kind, sender, run) } else { run(nil) }
    }

    /// Hands a call to the method that it names, through the gate.
    ///
    /// A call that waits for the gate is looked up once more then: which objects there are is told as a read is. Its
    /// message is kept meanwhile, and with it comes a bound: libdbus stops reading while the messages that it gave out
    /// add up to 63 MiB.
    func dispatch(_ message: Message) {
        let open = OpenCall(from: Caller(of: message), on: self)
        let target = target(of: message)
        var kind = Method.Kind.read
        if case .success(let found) = target { kind = found.method.kind }
        var isWaiting = false
        pass(kind, from: open.caller.sender) { [self] refusal in
            guard open.state == .open else { return }
            if let refusal { return refuse(open, refusal) }
            switch isWaiting ? self.target(of: message) : target {
            case .success(let found): call(found, message, open)
            case .failure(let error): refuse(open, error)
            }
        }
        isWaiting = true
    }

    private typealias Target = (path: ObjectPath, interface: Interface, method: Method)

    private func target(of message: Message) -> Result<Target, ErrorReply> {
        do throws(ErrorReply) {
            return .success(try objects.target(of: message))
        } catch {
            return .failure(error)
        }
    }

    private func call(_ target: Target, _ message: Message, _ open: OpenCall) {
        do throws(ErrorReply) {
            let arguments = try ArgumentCheck.arguments(of: message, for: target.method, of: target.interface)
            MethodCall(
                open, path: target.path, interface: target.interface, method: target.method, arguments: arguments
            ).run(target.method)
        } catch {
            refuse(open, error)
        }
    }

    private func refuse(_ open: OpenCall, _ error: ErrorReply) {
        guard open.take() else { return }
        try? open.deliver(.failure(error))
    }
}
