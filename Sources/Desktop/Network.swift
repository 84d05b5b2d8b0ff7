internal import DBus

/// Whether the machine is online, as NetworkManager says, or systemd-networkd where that knows more: watched as long as
/// this object lives.
public final class Network {
    /// Whether both have answered, or are known to be away.
    public var isKnown: Bool { manager?.isKnown ?? false && networkd?.isKnown ?? false }
    /// Nil where neither can tell.
    public private(set) var isOnline: Bool?
    /// Nil without NetworkManager.
    public private(set) var isMetered: Bool?

    private var manager: RemoteProperties?
    private var networkd: RemoteProperties?
    private var debounce: Debounce?

    /// - Parameter changed: called when it is known, and after each change.
    public init(_ systemBus: BusLink, changed: @escaping () -> Void) {
        // It is this object's own, and calls nobody once it is gone; so are both that are watched.
        debounce = Debounce(systemBus.loop) { [unowned self] in
            read()
            changed()
        }
        // For those two alone.
        let noticed: () -> Void = { [unowned self] in if isKnown { debounce?.changed() } }
        manager = RemoteProperties(
            "org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager", "org.freedesktop.NetworkManager",
            on: systemBus
        ) { noticed() }
        networkd = RemoteProperties(
            "org.freedesktop.network1", "/org/freedesktop/network1", "org.freedesktop.network1.Manager", on: systemBus
        ) { noticed() }
    }

    private func read() {
        // One of them may be there and care for no interface at all: so a yes of either counts.
        let answers = [managerSaysOnline, networkdSaysOnline].compactMap { $0 }
        isOnline = answers.isEmpty ? nil : answers.contains(true)
        isMetered = manager?.values["Metered"]?.asUInt32.map { metered in
            // NMMetered: yes, and a guess that it is.
            metered == 1 || metered == 3
        }
    }

    private var managerSaysOnline: Bool? {
        guard let values = manager?.values, !values.isEmpty else { return nil }
        // NMConnectivityState: 0 is unknown, also where its checks are off; behind a portal nobody is online.
        if let connectivity = values["Connectivity"]?.asUInt32, connectivity != 0 { return connectivity == 4 }
        // NMState: 0 is unknown, 70 is connected to the world.
        guard let state = values["State"]?.asUInt32, state != 0 else { return nil }
        return state >= 70
    }

    private var networkdSaysOnline: Bool? {
        guard let values = networkd?.values else { return nil }
        switch values["OnlineState"]?.asString {
        case "online", "partial": return true
        case "offline": return false
        default: break
        }
        return values["OperationalState"]?.asString.map { $0 == "routable" }
    }
}
