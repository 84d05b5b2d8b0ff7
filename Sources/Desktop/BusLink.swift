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
/// - That the bus is away is a state, not an error: `onChange` says so once, and whoever watches a peer on it hears
///   that the peer is away.
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

    /// The bus that somebody else cares for was lost, or there is another connection to it.
    public func move(to connection: Connection?) {
        if self.connection != nil {
            self.connection = nil
            for entry in peers { entry.peer?.end() }
        }
        self.connection = connection
        guard let connection else { return }
        for entry in peers { entry.peer?.begin(connection) }
    }

    /// Connects, now and whenever the bus was lost.
    public func connect() {
        guard let address, connection == nil else { return }
        do {
            let opening = try Connection(to: address, loop: loop)
            self.opening = opening
            // Peers hold the connection too, and may do so for longer.
            opening.onFault = { [weak self] in self?.onChange("a fault on the system bus: \($0)") }
            opening.onConnected = { [weak self] in self?.connected() }
            opening.onDisconnected = { [weak self] in self?.lost("the system bus is lost: \($0)") }
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

    /// Whether it is not even being connected to: whoever asks for a peer now need not wait for an answer.
    var isAway: Bool { connection == nil && opening == nil }

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
            // The watch is this object's own, and goes with it.
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
            // The timer, too.
            retryTimer = try? loop.timer(.monotonic, accuracyUSec: 1_000_000) { [unowned self] in connect() }
        }
        retryTimer?.arm(atUSec: loop.now(.monotonic) + retryDelayUSec)
        retryDelayUSec = min(retryDelayUSec * 2, Retry.longestUSec)
    }
}
