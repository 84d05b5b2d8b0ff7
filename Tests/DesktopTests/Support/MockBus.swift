import DBus
import Glibc
import TestSupport

@testable import Desktop
@testable import EventLoop

/// A system bus of a test's own, with a loop to turn and services that python-dbusmock plays.
final class MockBus {
    let loop: EventLoop
    let link: BusLink
    private let address: String
    private let bus: PrivateBus
    private let client: Connection
    private var mocks: [TestProgram] = []

    init() throws {
        bus = try PrivateBus()
        address = bus.address
        loop = try EventLoop()
        link = BusLink(systemBus: address, loop: loop)
        client = try Connection(to: .address(address), loop: loop)
    }

    deinit {
        mocks = []
        client.close()
    }

    /// Plays a service: by a template of python-dbusmock, or by `NAME PATH INTERFACE`.
    func mock(_ what: String, _ name: BusName) throws {
        mocks.append(
            try TestProgram(
                ["/bin/sh", "-c", "exec /usr/bin/python3 -m dbusmock --system \(what) >/dev/null 2>&1"],
                environment: TestProgram.plainEnvironment + ["DBUS_SYSTEM_BUS_ADDRESS=" + address]))
        let ask = RemoteCall(
            .bus, "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameHasOwner", [.string(name.text)])
        try loop.turn(until: "\(name) on the bus", lookingEvery: 20_000) { try call(ask) == [.bool(true)] }
    }

    /// The services go away.
    func killMocks() { mocks = [] }

    /// What a mock does as told, by a method of its own.
    @discardableResult
    func tell(
        _ name: BusName, _ path: ObjectPath, _ method: MemberName, _ arguments: DBusValue...
    ) throws -> [DBusValue] {
        try call(RemoteCall(name, path, "org.freedesktop.DBus.Mock", method, arguments))
    }

    private func call(_ call: RemoteCall) throws -> [DBusValue] {
        var result: Result<[DBusValue], ErrorReply>?
        client.call(call) { result = $0 }
        try turn(until: "the reply to \(call.member)") { result != nil }
        return try result?.get() ?? []
    }

    /// Turns until `done`, for 20 s at most; throws naming what was missing.
    func turn(until what: String, _ done: () -> Bool) throws { try loop.turn(until: what, done) }
}

extension ScratchFolder {
    /// Writes a file in place, as the kernel does with its own.
    func write(_ text: String, _ name: String) throws {
        guard let file = fopen("\(path)/\(name)", "we") else { throw TestFailure("cannot write \(name)") }
        fputs(text, file)
        fclose(file)
    }

    func text(_ name: String) -> String { readText("\(path)/\(name)") ?? "" }
}
