internal import DBus

/// Properties of an object of a peer, kept up to date while the peer is there.
final class RemoteProperties {
    /// Empty while the peer is away.
    private(set) var values: [String: DBusValue] = [:]
    /// Whether the peer has answered, or is known to be away.
    private(set) var isKnown: Bool
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
        isKnown = link.isAway
        peer = Peer(name, on: link) { [weak self] in self?.peerChanged($0) }
    }

    private func peerChanged(_ connection: Connection?) {
        guard let connection, let name = peer?.name else {
            changes = nil
            guard !isKnown || !values.isEmpty else { return }
            values = [:]
            return tell()
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
            self?.merge((try? result.get())?.first)
        }
    }

    private func merge(_ new: DBusValue?) {
        var isNew = !isKnown
        for entry in new?.asEntries ?? [] {
            guard let name = entry.key.asString, values[name] != entry.value.unwrapped else { continue }
            values[name] = entry.value.unwrapped
            isNew = true
        }
        if isNew { tell() }
    }

    private func tell() {
        isKnown = true
        changed()
    }
}
