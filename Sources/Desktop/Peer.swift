internal import DBus

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

    func begin(_ connection: Connection) {
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

    func end() {
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
