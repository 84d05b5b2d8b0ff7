import DBus
import EventLoop
import TestSupport
import Testing

/// A system bus of a test's own, with services on it that python-dbusmock plays.
///
/// ```swift
/// let system = try SystemBus(session)
/// let upower = try system.mock("upower")
/// try system.update(
///     "org.freedesktop.UPower", "/org/freedesktop/UPower", "org.freedesktop.UPower", [("OnBattery", .bool(true))])
/// ```
final class SystemBus {
    private let session: Session
    private let bus: PrivateBus
    private let client: Connection
    private var mocks: [Program] = []

    init(_ session: Session) throws {
        self.session = session
        let address = "unix:path=" + session.systemBusSocket
        bus = try PrivateBus(at: address)
        client = try Connection(to: .address(address), loop: session.loop)
    }

    deinit {
        mocks = []
        client.close()
    }

    /// Plays a service by a template of python-dbusmock, and waits until it is there.
    @discardableResult
    func mock(_ template: String, _ name: BusName) throws -> Program {
        let arguments = ["/usr/bin/python3", "-m", "dbusmock", "--system", "--template", template]
        return try start(arguments, name)
    }

    /// Plays a service with one object and no template.
    @discardableResult
    func mock(_ name: BusName, _ path: ObjectPath, _ interface: InterfaceName) throws -> Program {
        try start(["/usr/bin/python3", "-m", "dbusmock", "--system", name.text, path.text, interface.text], name)
    }

    private func start(_ arguments: [String], _ name: BusName) throws -> Program {
        let mock = try Program(arguments, environment: session.environment, on: session.loop)
        mocks.append(mock)
        try session.look(for: "\(name) on the system bus: \(mock.text)") { try isOwned(name) }
        return mock
    }

    private func isOwned(_ name: BusName) throws -> Bool {
        let call = RemoteCall(
            .bus, "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameHasOwner", [.string(name.text)])
        return try reply(call) == [.bool(true)]
    }

    func reply(_ call: RemoteCall) throws -> [DBusValue] {
        var result: Result<[DBusValue], ErrorReply>?
        client.call(call) { result = $0 }
        try session.wait("the reply to \(call.member) on the system bus") { result != nil }
        return try #require(result).get()
    }

    /// Sets properties of a mock, which tells everybody.
    func update(
        _ name: BusName, _ path: ObjectPath, _ interface: InterfaceName, _ properties: [(String, DBusValue)]
    ) throws {
        _ = try reply(
            RemoteCall(
                name, path, "org.freedesktop.DBus.Mock", "UpdateProperties",
                [.string(interface.text), .properties(properties)]))
    }

    /// Gives a mock properties that it has not.
    func define(
        _ name: BusName, _ path: ObjectPath, _ interface: InterfaceName, _ properties: [(String, DBusValue)]
    ) throws {
        _ = try reply(
            RemoteCall(
                name, path, "org.freedesktop.DBus.Mock", "AddProperties",
                [.string(interface.text), .properties(properties)]))
    }

    /// Adds an object to a mock.
    func add(
        _ path: ObjectPath, _ interface: InterfaceName, _ properties: [(String, DBusValue)], to name: BusName,
        _ root: ObjectPath
    ) throws {
        _ = try reply(
            RemoteCall(
                name, root, "org.freedesktop.DBus.Mock", "AddObject",
                [.string(path.text), .string(interface.text), .properties(properties), .array([], element: "(ssss)")]))
    }
}
