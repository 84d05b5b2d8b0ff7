public import DBus

/// Whether a service is on a bus.
public final class ServicePresence {
    /// Nil before the bus has answered.
    public private(set) var isThere: Bool?
    private var peer: Peer?

    public init(_ name: BusName, on link: BusLink) {
        // The peer is this object's own, and goes with it.
        peer = Peer(name, on: link) { [unowned self] in isThere = $0 != nil }
    }
}
