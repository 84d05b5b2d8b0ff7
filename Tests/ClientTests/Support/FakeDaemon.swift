import Client
import Contract
import DBus
import EventLoop
import JSON
import TestSupport

/// A message bus of a test's own, killed with its object, and the loop that client and daemon share.
final class Bus {
    let loop: EventLoop
    private let bus: PrivateBus

    /// - Parameter configuration: the path of a configuration of the bus; nil: that of a session.
    init(configuration: String? = nil) throws {
        loop = try EventLoop()
        bus = try PrivateBus(configuration: configuration)
    }

    var address: String { bus.address }

    /// The bus goes away with everybody on it.
    func end() { bus.kill() }

    func client() throws -> Client { try Client(to: address, loop: loop) }

    /// Turns until `isDone`, for 20 s at most; throws naming what was missing.
    func turn(until what: String, _ isDone: () -> Bool) throws { try loop.turn(until: what, isDone) }
}

/// A daemon that answers as its test says, on the test's own loop.
final class FakeDaemon {
    /// What a test does with a call: answers it, keeps it, or drops it.
    typealias Handler = (MethodCall) -> Void

    private let connection: Connection

    init(on bus: Bus, isEnabled: Bool = true, _ handlers: [MethodName: Handler]) throws {
        connection = try Connection(to: .address(bus.address), loop: bus.loop)
        let methods = handlers.map { name, handler in
            Method(
                MemberName(trusted: name.rawValue), in: Self.inputs(name), out: Self.outputs(name),
                documentation: "Of a test."
            ) { call in handler(call) }
        }
        let signals = [
            SignalDeclaration(
                "JobFailed",
                [DBus.Argument("job", "s"), DBus.Argument("execution_id", "s"), DBus.Argument("error", "s")]),
            SignalDeclaration("JobStarted", [DBus.Argument("job", "s"), DBus.Argument("execution_id", "s")]),
            SignalDeclaration(
                "JobRetrying",
                [DBus.Argument("job", "s"), DBus.Argument("next_attempt", "u"), DBus.Argument("delay_seconds", "d")]),
            SignalDeclaration("JobsChanged", [DBus.Argument("added", "as")]),
        ]
        let version = Property("Version", "s", documentation: "Of a test.") { _ in .string("7") }
        let next = Property("NextRun", "s", documentation: "Of a test.") { _ in .string("") }
        let enabled = Property("Enabled", "b", documentation: "Of a test.") { _ in .bool(isEnabled) }
        let interface = Interface(
            InterfaceName(trusted: Address.interface), documentation: "Of a test.", methods: methods, signals: signals,
            properties: [version, next, enabled])
        connection.export(ExportedObject(ObjectPath(trusted: Address.objectPath), [interface]))
        // Calls that a test drops on purpose are no fault.
        connection.onFault = { _ in }
        var isOwned = false
        // The bus may learn later than we do that the daemon before has left: it is asked again then.
        func claim() {
            connection.requestName(BusName(trusted: Address.busName)) { result in
                isOwned = result == .primaryOwner || result == .alreadyOwner
                if !isOwned { claim() }
            }
        }
        claim()
        try bus.turn(until: "the name of the daemon") { isOwned }
    }

    deinit { leave() }

    /// Goes as one that is killed: without a word to those who wait.
    func leave() { connection.close() }

    func emit(_ member: MemberName, _ arguments: [DBusValue]) {
        connection.emit(
            ObjectPath(trusted: Address.objectPath), InterfaceName(trusted: Address.interface), member, arguments)
    }

    private static func inputs(_ name: MethodName) -> [DBus.Argument] {
        switch name {
        case .ping, .listJobs, .getStats, .getStatus, .healthCheck, .reloadConfig: []
        case .toggleJob: [DBus.Argument("job", "s"), DBus.Argument("enabled", "b")]
        case .explainJob: [DBus.Argument("job", "s"), DBus.Argument("instant", "s")]
        case .getOutput: [DBus.Argument("id", "s"), DBus.Argument("offset", "x"), DBus.Argument("limit", "u")]
        default: [DBus.Argument("text", "s")]
        }
    }

    private static func outputs(_ name: MethodName) -> [DBus.Argument] {
        switch name {
        case .getOutput: [DBus.Argument("bytes", "ay"), DBus.Argument("next_offset", "x")]
        case .toggleJob, .pauseJob, .cancelRun: [DBus.Argument("done", "b")]
        default: [DBus.Argument("answer", "s")]
        }
    }
}

extension MethodCall {
    /// The first argument, a text.
    var firstText: String { arguments.first?.asString ?? "" }

    func reply(json: String) { reply([.string(json)]) }

    func fail(_ error: ServiceError, _ message: String = "as the test says") {
        fail(ErrorReply(ErrorName(trusted: error.name), message))
    }
}
