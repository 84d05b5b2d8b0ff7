import Contract
import EventLoop
import Glibc
import JSON
import Scheduling
import TestSupport

@testable import Control
@testable import DBus

/// Control on a bus of its own, with everything that it needs in the test's hands, and a client of it.
final class Stage {
    let bus: PrivateBus
    let loop: EventLoop
    let intake = FakeIntake()
    let scheduler = FakeScheduler()
    let store = FakeStore()
    let runs = FakeRuns()
    let settings: FakeSettings
    let service = FakeService()
    let control: Control
    private let scratch: ScratchFolder
    var folder: String { scratch.path }
    private(set) var connection: Connection
    let client: Connection

    static let path = ObjectPath(trusted: Address.objectPath)
    static let interface = InterfaceName(trusted: Address.interface)
    static let name = BusName(trusted: Address.busName)

    init() throws {
        bus = try PrivateBus()
        loop = try EventLoop()
        scratch = try ScratchFolder("botcron-control")
        settings = FakeSettings(folder: scratch.path)
        let log = Log(identifier: "control-tests")
        log.target = .null
        control = try Control(
            Control.Needs(
                loop: loop, log: log, intake: intake, scheduler: scheduler, runs: runs, settings: settings,
                machine: FakeMachine(), service: service, store: store))
        let address = BusAddress.address(bus.address)
        connection = try Connection(to: address, loop: loop)
        client = try Connection(to: address, loop: loop)
        try turn(until: "the greetings") { connection.uniqueName != nil && client.uniqueName != nil }
        control.serve(on: connection)
        var isOurs = false
        connection.requestName(Self.name) { isOurs = $0 == .primaryOwner }
        try turn(until: "the name") { isOurs }
        control.begin()
    }

    deinit {
        connection.close()
        client.close()
    }

    func connect() throws -> Connection {
        let other = try Connection(to: .address(bus.address), loop: loop)
        try turn(until: "the greeting") { other.uniqueName != nil }
        return other
    }

    /// Turns until `done`, for 20 s at most; throws naming what was missing.
    func turn(until what: String, _ done: () throws -> Bool) throws {
        try loop.turn(until: what, done)
    }

    /// Everything that was sent so far has been seen by Control, and what Control sent before by the client.
    func settle() throws {
        for connection in [client, self.connection, client] where connection.isOpen {
            var isBack = false
            connection.call(RemoteCall(.bus, "/", "org.freedesktop.DBus.Peer", "Ping")) { _ in isBack = true }
            try turn(until: "the bus") { isBack }
        }
    }

    // MARK: - Calling

    func remote(
        _ member: MemberName, _ arguments: [DBusValue] = [], _ interface: InterfaceName = Stage.interface,
        at path: ObjectPath = Stage.path
    ) -> RemoteCall {
        RemoteCall(Self.name, path, interface, member, arguments, startsService: false, timeoutMSec: nil)
    }

    /// Calls, and gives what came of it when it has.
    func send(_ call: RemoteCall, from caller: Connection? = nil) -> Answer {
        let answer = Answer()
        (caller ?? client).call(call) { answer.result = $0 }
        return answer
    }

    func call(_ call: RemoteCall) throws -> Result<[DBusValue], ErrorReply> {
        let answer = send(call)
        try turn(until: "the answer to \(call.member)") { answer.result != nil }
        return try answer.taken()
    }

    func call(_ member: MemberName, _ arguments: DBusValue...) throws -> Result<[DBusValue], ErrorReply> {
        try call(remote(member, arguments))
    }

    func json(_ member: MemberName, _ arguments: DBusValue...) throws -> JSONValue {
        let values = try call(remote(member, arguments)).get()
        return try JSONValue(parsing: values.first?.asString ?? "")
    }

    /// What came of a call; nil so far.
    final class Answer {
        var result: Result<[DBusValue], ErrorReply>?

        func taken() throws -> Result<[DBusValue], ErrorReply> {
            guard let result else { throw TestFailure("no answer") }
            return result
        }

        var error: ErrorReply? { if case .failure(let error)? = result { error } else { nil } }
    }
}

extension Result where Success == [DBusValue], Failure == ErrorReply {
    var error: ErrorReply? { if case .failure(let error) = self { error } else { nil } }
}
