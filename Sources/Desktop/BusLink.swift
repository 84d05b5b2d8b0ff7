public import DBus
public import EventLoop
internal import Glibc

/// A message bus that may be absent, come late, or restart: it is connected to whenever it is there.
///
/// ```swift
/// let link = BusLink(.system, loop: loop)
/// let power = Power(link) { print(power.isOnBattery) }
/// link.connect()
/// ```
///
/// Sharp edges:
/// - That the bus is away is a state, not an error: `onChange` says so once, and whoever watches a peer on it hears that
///   the peer is away.
/// - A bus without a socket is waited for without a wake-up; one that is there and refuses is tried again, ever later.
public final class BusLink {
    /// The bus has been lost or cannot be reached: one sentence for the log, once.
    public var onChange: (String) -> Void = { _ in }

    let loop: EventLoop
    private let address: BusAddress?
    /// The file of the bus's socket; nil where the address names none.
    private let socket: String?
    /// Greeted, and not lost since.
    private(set) var connection: Connection?
    private var opening: Connection?
    private var peers: [WeakPeer] = []
    /// Tells when the socket may have come.
    private var socketWatch: FileWatch?
    private var retryTimer: TimerSource?
    private var retryDelayUSec = Retry.firstUSec
    /// The last sentence told.
    private var told = ""

    /// How long a bus that is there and could not be reached is left alone.
    private enum Retry {
        static let firstUSec: UInt64 = 1_000_000
        static let longestUSec: UInt64 = 300_000_000
    }

    private struct WeakPeer { weak var peer: Peer? }

    /// The system bus.
    ///
    /// - Parameter address: another one in tests.
    public init(systemBus address: String? = nil, loop: EventLoop) {
        self.loop = loop
        let address = address ?? "unix:path=/run/dbus/system_bus_socket"
        self.address = .address(address)
        let path = "unix:path="
        socket = address.hasPrefix(path) ? String(address.dropFirst(path.count).prefix { $0 != "," && $0 != ";" }) : nil
    }

    /// A bus that somebody else has connected to, and cares for.
    public init(_ connection: Connection) {
        loop = connection.loop
        address = nil
        socket = nil
        self.connection = connection
    }

    /// Connects, now and whenever the bus was lost.
    public func connect() {
        guard let address, connection == nil else { return }
        do {
            let opening = try Connection(to: address, loop: loop)
            self.opening = opening
            opening.onFault = { [unowned self] in onChange("a fault on the system bus: \($0)") }
            opening.onConnected = { [unowned self] in connected() }
            opening.onDisconnected = { [unowned self] in lost("the system bus is lost: \($0)") }
        } catch {
            lost("the system bus cannot be reached, so a sleep of the machine is found out only afterwards: \(error)")
        }
    }

    /// Tells a peer about the bus from now on.
    func add(_ peer: Peer) {
        peers.removeAll { $0.peer == nil }
        peers.append(WeakPeer(peer: peer))
        if let connection { peer.begin(connection) }
    }

    private func connected() {
        connection = opening
        opening = nil
        retryDelayUSec = Retry.firstUSec
        told = ""
        guard let connection else { return }
        for entry in peers { entry.peer?.begin(connection) }
    }

    private func lost(_ reason: String) {
        opening?.close()
        connection?.close()
        opening = nil
        connection = nil
        if reason != told { onChange(reason) }
        told = reason
        for entry in peers { entry.peer?.end() }
        connectLater()
    }

    private func connectLater() {
        if let socket, access(socket, F_OK) != 0 {
            socketWatch = try? FileWatch(socket, on: loop) { [unowned self] in
                guard access(socket, F_OK) == 0 else { return }
                socketWatch = nil
                connect()
            }
            if socketWatch != nil, access(socket, F_OK) != 0 { return }
            // It cannot be watched, or has come meanwhile.
            socketWatch = nil
        }
        if retryTimer == nil {
            retryTimer = try? loop.timer(.monotonic, accuracyUSec: 1_000_000) { [unowned self] in connect() }
        }
        retryTimer?.arm(atUSec: loop.now(.monotonic) + retryDelayUSec)
        retryDelayUSec = min(retryDelayUSec * 2, Retry.longestUSec)
    }
}

/// A service on a bus, by its well-known name: it may be absent, come late, or restart. It is never started for this.
final class Peer {
    let name: BusName
    /// The connection to reach it by; nil while it is away.
    private(set) var connection: Connection?
    private let changed: (Connection?) -> Void
    private var ownerChanges: Subscription?

    /// - Parameter changed: called when it comes (or is another one than before), and with nil when it goes or is found
    ///   to be away.
    init(_ name: BusName, on link: BusLink, changed: @escaping (Connection?) -> Void) {
        self.name = name
        self.changed = changed
        link.add(self)
    }

    fileprivate func begin(_ connection: Connection) {
        let rule = MatchRule(
            sender: .bus, path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus", member: "NameOwnerChanged",
            firstArgument: name.text)
        ownerChanges = connection.subscribe(rule) { [weak self, weak connection] signal in
            let isThere = signal.arguments.last?.asString != ""
            self?.update(isThere ? connection : nil)
        }
        let ask = RemoteCall(
            .bus, "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameHasOwner", [.string(name.text)])
        connection.call(ask) { [weak self, weak connection] result in
            guard let self, self.connection == nil else { return }
            let isThere = (try? result.get())?.first?.asBool ?? false
            update(isThere ? connection : nil)
        }
    }

    fileprivate func end() {
        ownerChanges = nil
        update(nil)
    }

    private func update(_ connection: Connection?) {
        self.connection = connection
        changed(connection)
    }

    /// Calls a method of it, and never starts it for that; nothing happens while it is away.
    func call(
        _ path: ObjectPath, _ interface: InterfaceName, _ member: MemberName, _ arguments: [DBusValue] = [],
        _ handler: @escaping (Result<[DBusValue], ErrorReply>) -> Void
    ) {
        connection?.call(RemoteCall(name, path, interface, member, arguments, startsService: false), handler)
    }
}

/// Properties of an object of a peer, kept up to date while the peer is there.
final class RemoteProperties {
    /// Empty while the peer is away.
    private(set) var values: [String: DBusValue] = [:]
    private let path: ObjectPath
    private let interface: InterfaceName
    private let changed: () -> Void
    private var peer: Peer?
    private var changes: Subscription?

    private static let properties: InterfaceName = "org.freedesktop.DBus.Properties"

    init(
        _ name: BusName, _ path: ObjectPath, _ interface: InterfaceName, on link: BusLink,
        changed: @escaping () -> Void
    ) {
        self.path = path
        self.interface = interface
        self.changed = changed
        peer = Peer(name, on: link) { [weak self] in self?.peerChanged($0) }
    }

    private func peerChanged(_ connection: Connection?) {
        guard let connection, let name = peer?.name else {
            changes = nil
            guard !values.isEmpty else { return }
            values = [:]
            return changed()
        }
        let rule = MatchRule(
            sender: name, path: path, interface: Self.properties, member: "PropertiesChanged",
            firstArgument: interface.text)
        changes = connection.subscribe(rule) { [weak self] in self?.take($0.arguments) }
        readAll()
    }

    private func take(_ arguments: [DBusValue]) {
        guard arguments.count == 3 else { return }
        merge(arguments[1])
        // Some say only that a value is no longer what it was.
        if arguments[2].asArray?.isEmpty == false { readAll() }
    }

    private func readAll() {
        peer?.call(path, Self.properties, "GetAll", [.string(interface.text)]) { [weak self] result in
            if case .success(let values) = result, let all = values.first { self?.merge(all) }
        }
    }

    private func merge(_ new: DBusValue) {
        var isNew = false
        for entry in new.asEntries ?? [] {
            guard let name = entry.key.asString, values[name] != entry.value.unwrapped else { continue }
            values[name] = entry.value.unwrapped
            isNew = true
        }
        if isNew { changed() }
    }
}
