internal import DBus

/// Where the daemon can be heard: the connection that serves its objects now, if there is one.
///
/// The connection holds the handlers, and with them the parts that speak through here: `close` unties that.
final class Outlet {
    private(set) var connection: Connection?

    func open(on connection: Connection) { self.connection = connection }
    func close() { connection = nil }

    /// Bytes that wait for the bus to take them.
    var waitingBytes: Int { connection?.outgoingBytes ?? 0 }

    func emit(_ member: MemberName, _ arguments: [DBusValue]) {
        connection?.emit(Place.root, Place.interface, member, arguments)
    }

    func changed(_ names: [MemberName], of interface: InterfaceName, at path: ObjectPath) {
        guard !names.isEmpty else { return }
        connection?.propertiesChanged(path, interface, names)
    }
}
