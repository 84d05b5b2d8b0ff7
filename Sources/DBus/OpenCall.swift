/// The answer that is due to a call: exactly one, on every path.
///
/// It comes to be with the call, before anybody has looked at what is called, and whoever is to answer holds it. Where
/// the last of them lets go of it without a word the caller gets `Failed`; where the connection is closed, or its owner
/// ends, it is answered on behalf of them all (`OpenCalls.answerAll`). It holds the connection, so that there always is
/// one to answer by, and calls nobody's code from its `deinit`: what is wrong on our side is told in the next turn.
final class OpenCall {
    /// Whom the answer goes to.
    enum Destination {
        /// The caller, over the bus.
        case bus(Caller)
        /// One of our own handlers, which called a method in the name of its caller.
        case relay(outer: OpenCall, handler: (Result<[DBusValue], ErrorReply>) -> Void)
    }

    enum State {
        case open
        /// By whoever was to answer.
        case answered
        /// Nobody waits any more, or it was answered on behalf of whoever was to: what they say later is not sent.
        case closed
    }

    let connection: Connection
    let caller: Caller
    /// What is called, for people; once it is known.
    var label = "a call"
    private(set) var state = State.open
    private let destination: Destination
    private let id: Int

    init(from caller: Caller, on connection: Connection) {
        self.connection = connection
        self.caller = caller
        destination = .bus(caller)
        id = connection.openCalls.nextID()
        connection.openCalls.add(self, id)
    }

    init(in outer: OpenCall, _ handler: @escaping (Result<[DBusValue], ErrorReply>) -> Void) {
        connection = outer.connection
        caller = outer.caller
        destination = .relay(outer: outer, handler: handler)
        id = connection.openCalls.nextID()
        connection.openCalls.add(self, id)
    }

    deinit {
        guard state == .open else { return }
        connection.openCalls.remove(id)
        // A call within another lets go of that one too, which then says so.
        guard case .bus(let caller) = destination, connection.isOpen else { return }
        Self.send(.failure(ErrorReply(.failed, "\(label) gave no answer")), to: caller, on: connection)
        connection.report(fault: "\(label) was dropped without an answer")
    }

    var expectsAnswer: Bool {
        switch destination {
        case .bus(let caller): caller.expectsReply
        case .relay: true
        }
    }

    /// Takes the answer. What comes after the call was closed is dropped; a second answer is our bug.
    ///
    /// - Returns: whether it is to be delivered.
    func take() -> Bool {
        switch state {
        case .open:
            state = .answered
            connection.openCalls.remove(id)
            return true
        case .closed: return false
        case .answered: preconditionFailure("\(label) was answered twice")
        }
    }

    /// Delivers the answer that was taken: values that have been checked, or an error.
    func deliver(_ result: Result<[DBusValue], ErrorReply>) throws(DBusError) {
        switch destination {
        case .relay(_, let handler): handler(result)
        case .bus(let caller):
            guard caller.expectsReply, connection.isOpen else { return }
            switch result {
            case .success(let values):
                connection.send(reply: try Message(replyTo: caller, values, areChecked: true), to: caller)
            case .failure: Self.send(result, to: caller, on: connection)
            }
        }
    }

    /// As above, an answer that is a message already.
    func deliver(_ reply: Message) {
        switch destination {
        case .relay(_, let handler): handler(reply.result)
        case .bus(let caller):
            guard caller.expectsReply, connection.isOpen else { return }
            connection.send(reply: reply, to: caller)
        }
    }

    /// Answers on behalf of whoever was to.
    func close(with error: ErrorReply) {
        guard state == .open else { return }
        state = .closed
        connection.openCalls.remove(id)
        switch destination {
        case .relay(_, let handler): handler(.failure(error))
        case .bus(let caller): Self.send(.failure(error), to: caller, on: connection)
        }
    }

    /// The caller has left the bus: nobody waits for an answer any more.
    func abandon() {
        guard state == .open else { return }
        state = .closed
        connection.openCalls.remove(id)
        if case .relay(let outer, _) = destination { outer.abandon() }
    }

    private static func send(_ result: Result<[DBusValue], ErrorReply>, to caller: Caller, on connection: Connection) {
        guard caller.expectsReply, connection.isOpen, case .failure(let error) = result,
            let reply = try? Message(replyTo: caller, error: error)
        else { return }
        connection.send(reply: reply, to: caller)
    }
}

/// The calls of a connection that are not answered yet, in the order in which they came.
struct OpenCalls {
    private struct Entry {
        /// Whoever is to answer holds the call; that it is let go of is what tells that nobody will.
        weak var call: OpenCall?
    }

    private var entries: [Int: Entry] = [:]
    private var lastID = 0

    var count: Int { entries.count }

    mutating func nextID() -> Int {
        lastID += 1
        return lastID
    }

    mutating func add(_ call: OpenCall, _ id: Int) { entries[id] = Entry(call: call) }
    mutating func remove(_ id: Int) { entries[id] = nil }

    /// Newest first: a call within another is answered before that one, and so in its words.
    var all: [OpenCall] { entries.sorted { $0.key > $1.key }.compactMap(\.value.call) }
}
