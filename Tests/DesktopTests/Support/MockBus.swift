import DBus
import Glibc

@testable import Desktop
@testable import EventLoop

struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A program that a test started; killed with its object.
final class TestProgram {
    private let stream: UnsafeMutablePointer<FILE>
    private let pid: pid_t

    /// - Parameter command: for the shell, as one command: the shell becomes it.
    init(_ command: String) throws {
        guard let stream = popen("echo $$; exec \(command) 2>&1", "re") else {
            throw TestFailure("cannot start \(command): errno \(errno)")
        }
        self.stream = stream
        pid = Self.line(stream).flatMap { pid_t($0) } ?? 0
        guard pid > 0 else { throw TestFailure("no process of \(command)") }
    }

    deinit {
        if pid > 0 { kill(pid, SIGKILL) }
        pclose(stream)
    }

    /// Blocks until it has written one.
    func readLine() -> String? { Self.line(stream) }

    private static func line(_ stream: UnsafeMutablePointer<FILE>) -> String? {
        var buffer = [CChar](repeating: 0, count: 65_536)
        guard fgets(&buffer, Int32(buffer.count), stream) != nil else { return nil }
        let bytes = buffer.prefix { $0 != 0 && $0 != CChar(UInt8(ascii: "\n")) }
        return String(decoding: bytes.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// A system bus of a test's own, with a loop to turn and services that python-dbusmock plays.
final class MockBus {
    let loop: EventLoop
    let link: BusLink
    private let address: String
    private let bus: TestProgram
    private let client: Connection
    private var mocks: [TestProgram] = []

    init() throws {
        bus = try TestProgram("dbus-daemon --session --nofork --nopidfile --print-address=1")
        guard let address = bus.readLine() else { throw TestFailure("no message bus") }
        self.address = address
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
                "env DBUS_SYSTEM_BUS_ADDRESS='\(address)' /usr/bin/python3 -m dbusmock --system \(what) >/dev/null"))
        let ask = RemoteCall(
            .bus, "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameHasOwner", [.string(name.text)])
        while try call(ask) != [.bool(true)] { usleep(20_000) }
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

extension EventLoop {
    func turn(until what: String, _ done: () -> Bool) throws {
        let deadline = monotonicUSec + 20_000_000
        while !done() {
            let now = monotonicUSec
            guard now < deadline else { throw TestFailure("20 s passed without: \(what)") }
            try runOnce(timeoutUSec: deadline - now)
        }
    }

    /// Turns for so long, whatever happens.
    func turn(forUSec usec: UInt64) throws {
        let end = monotonicUSec + usec
        while true {
            let now = monotonicUSec
            guard now < end else { return }
            try runOnce(timeoutUSec: end - now)
        }
    }

    private var monotonicUSec: UInt64 { Clock.monotonic.nowUSec }
}

/// A folder that goes with its object.
final class Scratch {
    let path: String

    init() throws {
        var template = Array("/tmp/botcron-desktop-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw TestFailure("no folder below /tmp: errno \(errno)") }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit {
        system("rm -r '\(path)'")
    }

    /// Writes a file in place, as the kernel does with its own.
    func write(_ text: String, _ name: String) throws {
        guard let file = fopen("\(path)/\(name)", "we") else { throw TestFailure("cannot write \(name)") }
        fputs(text, file)
        fclose(file)
    }

    func text(_ name: String) -> String { readText("\(path)/\(name)") ?? "" }
}
