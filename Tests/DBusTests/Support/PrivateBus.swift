import Glibc
import TestSupport

@testable import DBus
@testable import EventLoop

/// A message bus of a test's own, and a loop to turn while others talk over it.
final class PrivateBus {
    let address: String
    let loop: EventLoop
    private let daemon: TestSupport.PrivateBus

    init() throws {
        daemon = try TestSupport.PrivateBus()
        address = daemon.address
        loop = try EventLoop()
    }

    /// The bus goes away with everybody on it.
    func kill() { daemon.kill() }

    /// The bus stops reading and writing until `resume`.
    func pause() { daemon.pause() }
    func resume() { daemon.resume() }

    /// A connection that has been greeted.
    func connect() throws -> Connection {
        let connection = try Connection(to: .address(address), loop: loop)
        try turn(until: "the greeting") { connection.uniqueName != nil }
        return connection
    }

    /// A connection that owns `name` and has `objects`.
    func serve(_ objects: [ExportedObject], as name: BusName = "org.example.Test") throws -> Connection {
        let connection = try connect()
        for object in objects {
            connection.export(object)
        }
        var result: NameRequestResult?
        connection.requestName(name) { result = $0 }
        try turn(until: "the name") { result != nil }
        guard result == .primaryOwner else { throw TestFailure("the name \(name): \(String(describing: result))") }
        return connection
    }

    /// Turns until `done`, for 20 s at most; throws naming what was missing.
    func turn(until what: String, _ done: () throws -> Bool) throws { try loop.turn(until: what, done) }

    func turnWhileReady() throws { try loop.turnWhileReady() }

    /// Calls and turns until the reply is there.
    func call(_ connection: Connection, _ call: RemoteCall) throws -> Result<[DBusValue], ErrorReply> {
        var result: Result<[DBusValue], ErrorReply>?
        connection.call(call) { result = $0 }
        try turn(until: "the reply to \(call.member)") { result != nil }
        guard let result else { throw TestFailure("no reply") }
        return result
    }

    /// Turns until everything that `connection` sent has been seen by the bus, and what the bus sent before by us.
    func settle(_ connection: Connection) throws {
        _ = try call(connection, RemoteCall(.bus, "/", "org.freedesktop.DBus.Peer", "Ping"))
    }

    /// Starts a program on this bus, what it says on standard error among what it prints.
    func start(_ arguments: [String]) throws -> TestProgram {
        try TestProgram(
            arguments, environment: TestProgram.plainEnvironment + ["DBUS_SESSION_BUS_ADDRESS=" + address],
            errors: .withOutput)
    }

    /// Runs a program on this bus while the loop turns; gives its exit code and what it printed.
    func run(_ arguments: [String]) throws -> (code: Int32, output: String) {
        let process = try start(arguments)
        var bytes: [UInt8] = []
        var isOver = false
        let source = try loop.watch(fd: process.output, .readable) { _ in
            var buffer = [UInt8](repeating: 0, count: 65536)
            let count = read(process.output, &buffer, buffer.count)
            if count > 0 { bytes += buffer.prefix(count) } else { isOver = true }
        }
        try turn(until: "the end of \(arguments)") { isOver }
        source.cancel()
        return (process.wait(), String(decoding: bytes, as: UTF8.self))
    }

    static var monotonicUSec: UInt64 { EventLoop.Clock.monotonic.nowUSec }
}
