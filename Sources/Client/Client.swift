public import Contract
internal import DBus
public import EventLoop

/// BotCron as a program sees it: calls, signals, and whether the daemon is there. Everything is asynchronous and driven
/// by the loop; `Client+Waiting.swift` has the same for command lines, which have nothing else to do meanwhile.
///
/// ```swift
/// let client = try Client(loop: loop)
/// client.call(.runJob, [.text("nightly")]) { result in … }
/// let signals = client.subscribe { signal in … }
/// let presence = client.watchPresence { presence in … }
/// ```
///
/// Sharp edges:
/// - A call starts the daemon where the bus knows how to, unless it is made with `.never`. The start is a call of its
///   own with an end (`startSeconds`), because a daemon that cannot start never tells the bus.
/// - `close()` it, or drop it: what was asked is then forgotten without a word. A handler that captures the client
///   keeps it alive until it was called.
/// - A lost bus is `onDisconnected`, once, with every pending call answered by `disconnected` before; the object is
///   then of no more use.
public final class Client {
    /// How long an ordinary call may take, in seconds.
    public static let answerSeconds = 25.0
    /// How long a daemon may take to appear, in seconds; a tenth of one is usual. Past it the call is `cannotStart`.
    public static let startSeconds = 10.0

    /// Whether a call may start the daemon.
    public enum Starting: Sendable {
        case ifNeeded
        /// For who only looks: `noDaemon` where none runs.
        case never
    }

    /// How long to wait for an answer.
    public enum Timeout: Sendable {
        /// `Client.answerSeconds`.
        case usual
        case seconds(Double)
        case forever

        /// Nil: as long as it takes, which whole days beyond what the bus can count are as good as.
        var milliseconds: Int32? {
            switch self {
            case .usual: Int32(Client.answerSeconds * 1000)
            case .seconds(let seconds):
                seconds * 1000 < Double(Int32.max - 1) ? Int32(max(0, seconds * 1000).rounded(.up)) : nil
            case .forever: nil
            }
        }
    }

    public typealias Handler = (Result<Answer, ClientError>) -> Void

    public let loop: EventLoop
    /// Called once, with the reason, when the bus is gone; not after `close()`.
    public var onDisconnected: ((String) -> Void)?

    let connection: Connection
    private var start = Start.unknown
    private(set) var watchers: [Int: (Presence) -> Void] = [:]
    private var lastWatcher = 0
    private var ownerChanges: Subscription?
    /// Whether the daemon is there, as far as it was looked for.
    public internal(set) var presence = Presence.unknown

    /// How far the daemon's start has come.
    private enum Start {
        /// It has not been looked for, or went away since.
        case unknown
        /// The bus was asked; these go on with what comes of it.
        case asked([(ClientError?) -> Void])
        case here
    }

    /// Connects; the greeting of the bus is not waited for.
    ///
    /// - Parameter address: the bus; nil: the session's.
    /// - Throws: `noBus`.
    public init(to address: String? = nil, loop: EventLoop) throws(ClientError) {
        self.loop = loop
        do {
            connection = try Connection(to: address.map { .address($0) } ?? .session, loop: loop)
        } catch {
            throw .noBus(reason: "\(error)")
        }
        connection.onDisconnected = { [weak self] reason in
            let handler = self?.onDisconnected
            self?.onDisconnected = nil
            handler?(reason)
        }
    }

    deinit { connection.close() }

    /// Leaves the bus. What was asked is forgotten without a word.
    public func close() {
        watchers = [:]
        ownerChanges = nil
        start = .unknown
        connection.close()
    }

    // MARK: - Calls

    /// Calls a method of the JSON face; `handler` gets the answer, once, and never before this returns.
    @discardableResult
    public func call(
        _ method: MethodName, _ arguments: [Argument] = [], starting: Starting = .ifNeeded, timeout: Timeout = .usual,
        then handler: @escaping Handler
    ) -> ClientCall {
        let call = RemoteCall(
            .daemon, .daemon, .daemon, MemberName(trusted: method.rawValue), arguments.map(\.value),
            startsService: false, timeoutMSec: timeout.milliseconds)
        return send(call, method, starting, handler)
    }

    /// Reads a property of the JSON face.
    @discardableResult
    public func property(
        _ name: String, starting: Starting = .never, then handler: @escaping (Result<Value, ClientError>) -> Void
    ) -> ClientCall {
        let call = RemoteCall(
            .daemon, .daemon, "org.freedesktop.DBus.Properties", "Get",
            [.string(Address.interface), .string(name)], startsService: false,
            timeoutMSec: Timeout.usual.milliseconds)
        return send(call, nil, starting) { result in
            handler(
                result.flatMap { answer in
                    answer[0].map { .success($0) } ?? .failure(answer.unreadable("it holds no value"))
                })
        }
    }

    private func send(
        _ remote: RemoteCall, _ method: MethodName?, _ starting: Starting, _ handler: @escaping Handler
    ) -> ClientCall {
        let call = ClientCall()
        guard case .ifNeeded = starting, !isHere else {
            sendNow(remote, method, call, handler)
            return call
        }
        requireDaemon { [weak self] error in
            guard !call.isCancelled else { return }
            if let error { return handler(.failure(error)) }
            self?.sendNow(remote, method, call, handler)
        }
        return call
    }

    private func sendNow(
        _ remote: RemoteCall, _ method: MethodName?, _ call: ClientCall, _ handler: @escaping Handler
    ) {
        let sentAt = EventLoop.Clock.monotonic.nowUSec
        call.remote = connection.call(remote) { [weak self] result in
            switch result {
            case .success(let values):
                handler(.success(Answer(method: method, values: values.map { Value($0) })))
            case .failure(let error):
                let waited = Double(EventLoop.Clock.monotonic.nowUSec - sentAt) / 1e6
                let meaning = ClientError(
                    error, of: method, afterSeconds: waited,
                    timeoutSeconds: remote.timeoutMSec.map { Double($0) / 1000 })
                // The next call looks again, and may start it.
                if meaning.isAbsence { self?.start = .unknown }
                handler(.failure(meaning))
            }
        }
    }

    // MARK: - Starting it

    private var isHere: Bool { if case .here = start { true } else { false } }

    /// Has the bus start the daemon where none runs; those who ask meanwhile wait for the same start.
    private func requireDaemon(_ then: @escaping (ClientError?) -> Void) {
        if case .asked(let waiting) = start {
            start = .asked(waiting + [then])
            return
        }
        start = .asked([then])
        connection.call(.toBus("NameHasOwner", [.string(Address.busName)])) { [weak self] result in
            switch result {
            case .success([.bool(true)]): self?.started(nil)
            case .success: self?.activate()
            case .failure(let error): self?.started(ClientError(startFailed: error))
            }
        }
    }

    private func activate() {
        let call = RemoteCall.toBus(
            "StartServiceByName", [.string(Address.busName), .uint32(0)],
            timeoutMSec: Timeout.seconds(Self.startSeconds).milliseconds)
        connection.call(call) { [weak self] result in
            switch result {
            case .success: self?.started(nil)
            case .failure(let error): self?.started(ClientError(startFailed: error))
            }
        }
    }

    private func started(_ error: ClientError?) {
        guard case .asked(let waiting) = start else { return }
        start = error == nil ? .here : .unknown
        for next in waiting { next(error) }
    }

    // MARK: - Its process

    /// Whose the daemon is, as the bus knows it; none is started.
    public func process(then handler: @escaping (Result<DaemonProcess, ClientError>) -> Void) {
        connection.call(.toBus("GetConnectionCredentials", [.string(Address.busName)])) { result in
            switch result {
            case .success(let values):
                let facts = values.first
                handler(
                    .success(
                        DaemonProcess(user: facts?["UnixUserID"]?.asUInt32, pid: facts?["ProcessID"]?.asUInt32)))
            case .failure(let error):
                handler(
                    .failure(
                        ClientError(
                            error, of: nil, afterSeconds: Self.answerSeconds, timeoutSeconds: Self.answerSeconds)))
            }
        }
    }

    // MARK: - Signals and presence

    /// Calls `handler` for each signal of the JSON face, and for new values of its properties and the manager's, until
    /// the subscription is dropped. It is told nothing twice: `Event`, which says each signal once more, comes as well,
    /// under that name.
    public func subscribe(_ handler: @escaping (DaemonSignal) -> Void) -> ClientSubscription {
        let properties = [Address.interface, Address.managerInterface].map {
            MatchRule(
                sender: .daemon, path: .daemon, interface: "org.freedesktop.DBus.Properties",
                member: "PropertiesChanged", firstArgument: $0)
        }
        let rules = [MatchRule(sender: .daemon, path: .daemon, interface: .daemon)] + properties
        let subscriptions = rules.map { rule in
            connection.subscribe(rule) { signal in
                handler(
                    DaemonSignal(member: signal.member.text, values: signal.arguments.map { Value($0) }))
            }
        }
        return ClientSubscription { for one in subscriptions { one.cancel() } }
    }

    /// Calls `handler` with whether the daemon is there, as soon as that is known, and at each change, until the
    /// subscription is dropped.
    public func watchPresence(_ handler: @escaping (Presence) -> Void) -> ClientSubscription {
        lastWatcher += 1
        let id = lastWatcher
        watchers[id] = handler
        if ownerChanges == nil { lookForOwner() } else if presence != .unknown { handler(presence) }
        return ClientSubscription { [weak self] in self?.watchers[id] = nil }
    }

    /// In this order no change is missed: first the rule, then the question.
    private func lookForOwner() {
        let rule = MatchRule(
            sender: .bus, path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus", member: "NameOwnerChanged",
            firstArgument: Address.busName)
        ownerChanges = connection.subscribe(rule) { [weak self] signal in
            self?.ownerChanged(to: signal.arguments.last?.asString ?? "")
        }
        connection.call(.toBus("GetNameOwner", [.string(Address.busName)])) { [weak self] result in
            switch result {
            case .success(let values): self?.ownerChanged(to: values.first?.asString ?? "")
            // A connection that is lost says nothing of the daemon.
            case .failure(let error) where error.name == .nameHasNoOwner: self?.ownerChanged(to: "")
            case .failure: break
            }
        }
    }

    private func ownerChanged(to owner: String) {
        let now: Presence = owner.isEmpty ? .away : .here(owner: owner)
        guard now != presence else { return }
        presence = now
        if case .away = now, isHere { start = .unknown }
        // A handler may let another one go.
        for id in watchers.keys.sorted() { watchers[id]?(now) }
    }
}
