import CLinux
import Glibc
import TestSupport
import Testing

@testable import DBus

/// Tests that need a process of their own. The suite holds no loop: an async test may change its thread.
@Suite struct OwnProcessTests {
    @Test func replyingTwiceIsOurBug() async {
        await #expect(processExitsWith: .failure) {
            let bus = try PrivateBus()
            let example = ExampleObject()
            let service = try bus.serve([example.exported])
            let client = try bus.connect()
            client.call(RemoteCall("org.example.Test", ExampleObject.path, nil, "Keep")) { _ in }
            try bus.turn(until: "the call") { example.kept.count == 1 }
            example.kept[0].reply([.string("once")])
            // Reaching here and not the end is what the test is about.
            guard service.isOpen else { return }
            bus.kill()
            example.kept[0].reply([.string("twice")])
            example.kept = []
        }
    }

    /// A daemon aborted at its stop while a client waited: the call that it kept was let go of after it was gone
    /// itself, and told a handler of faults that spoke of it as if it was there.
    @Test func aCallMayOutliveWhoeverWasToAnswerIt() async {
        await #expect(processExitsWith: .success) {
            final class Owner {
                let connection: Connection
                var kept: [MethodCall] = []
                var faults = 0

                init(_ connection: Connection) {
                    self.connection = connection
                    // The connection is this object's own.
                    connection.onFault = { [unowned self] _ in faults += 1 }
                }
            }
            for isClosed in [false, true] {
                let bus = try PrivateBus()
                var owner: Owner? = Owner(try bus.serve([]))
                let method = Method("Keep") { [weak owner] in owner?.kept.append($0) }
                owner?.connection.export(ExportedObject("/owner", [Interface("org.example.Owner", methods: [method])]))
                let client = try bus.connect()
                var answers = 0
                for _ in 0..<3 {
                    client.call(RemoteCall("org.example.Test", "/owner", nil, "Keep")) { _ in answers += 1 }
                }
                try bus.turn(until: "the calls") { owner?.kept.count == 3 }
                // One call outlives them all.
                var last = owner?.kept.last
                if isClosed { owner?.connection.close() }
                owner = nil
                last?.fail(ErrorReply(.failed, "late"))
                // With it goes the connection, and what was still to be told to its owner.
                last = nil
                try bus.turn(until: "the answers") { answers == 3 }
            }
        }
    }

    /// Nobody else opens fds meanwhile.
    @Test func noFDIsLeftBehind() async {
        await #expect(processExitsWith: .success) {
            let bus = try PrivateBus()
            let example = ExampleObject()
            let service = try bus.serve([example.exported])
            let client = try bus.connect()
            func count() -> Int { (0..<1024).count { fcntl(Int32($0), F_GETFD) >= 0 } }
            func send(_ member: MemberName, _ values: [DBusValue]) throws -> Result<[DBusValue], ErrorReply> {
                try bus.call(client, RemoteCall("org.example.Test", ExampleObject.path, nil, member, values))
            }
            _ = try send("Echo", [.string("warm")])
            let before = count()
            for _ in 0..<50 {
                let fds = (0..<10).map { _ in DBusValue.unixFD(UnixFD(owning: open("/dev/null", O_RDONLY | O_CLOEXEC)))
                }
                // Refused unread, and taken as a variant and given back.
                guard case .failure = try send("Echo", fds) else { throw TestFailure("an answer") }
                guard case .success(let values) = try send("EchoVariant", [.variant(fds[0])]),
                    let fd = values.first?.unwrapped.asUnixFD?.take()
                else { throw TestFailure("no fd") }
                #expect(fcntl(fd, F_GETFD) == FD_CLOEXEC)
                close(fd)
                let other = try bus.connect()
                other.close()
            }
            // The last of them are closed when the bus says that their connection is gone.
            try bus.loop.turn(until: "\(count()) fds, before \(before)", lookingEvery: 10_000) { count() == before }
            withExtendedLifetime(service) {}
        }
    }

    /// The bus itself may refuse so many fds, and leave out the sender; we must stay either way.
    @Test func aMessageWithManyFDsDoesNotThrowUsOffTheBus() async {
        await #expect(processExitsWith: .success) {
            let bus = try PrivateBus()
            let service = try bus.serve([ExampleObject().exported])
            for count in [16, 17, 100, 253] {
                let client = try bus.connect()
                let fds = (0..<count).map { _ in
                    DBusValue.unixFD(UnixFD(owning: open("/dev/null", O_RDONLY | O_CLOEXEC)))
                }
                let call = RemoteCall(
                    "org.example.Test", ExampleObject.path, nil, "EchoVariant", [.variant(.array(fds, element: "h"))])
                _ = try bus.call(client, call)
                client.close()
            }
            let client = try bus.connect()
            let call = RemoteCall("org.example.Test", ExampleObject.path, nil, "Echo", [.string("here")])
            #expect(try bus.call(client, call) == .success([.string("here")]))
            #expect(service.isOpen)
        }
    }

    @Test func memoryStaysFlat() async {
        await #expect(processExitsWith: .success) {
            let bus = try PrivateBus()
            let example = ExampleObject()
            let service = try bus.serve([example.exported])
            service.onFault = { _ in }
            var values = RandomValues(random: SeededGenerator(seed: 5))
            let members: [MemberName] = [
                "EchoVariant", "Echo", "Drop", "Refuse", "Keep", "None", "GetAll", "Introspect",
            ]
            /// Calls of every kind, each answered; then the client leaves.
            func round() throws {
                let client = try bus.connect()
                let watch = service.watch(peer: try #require(client.uniqueName)) {}
                var waiting = 0
                for index in 0..<1000 {
                    let call = RemoteCall(
                        "org.example.Test", ExampleObject.path, nil, members[index % members.count],
                        index % 16 < 8 ? [.variant(values.value())] : [])
                    waiting += 1
                    client.call(call) { _ in waiting -= 1 }
                    if index % 100 == 99 {
                        try bus.turn(until: "the calls") { waiting == example.kept.count }
                        for call in example.kept { call.reply([.string("late")]) }
                        example.kept = []
                    }
                }
                service.propertiesChanged(ExampleObject.path, ExampleObject.name, ["Level"])
                try bus.turn(until: "the answers") { waiting == 0 }
                watch.cancel()
                client.close()
                try bus.settle(service)
            }
            for _ in 0..<3 { try round() }
            let before = Int(mallinfo2().uordblks)
            for _ in 0..<20 { try round() }
            let growth = Int(mallinfo2().uordblks) - before
            // malloc's cache per thread counts as used and fills slowly, to some 250 kB (without it, by GLIBC_TUNABLES,
            // the growth is nil). A leak of the smallest object in each of the 20,000 calls would be 640 kB.
            #expect(growth < 400_000, "20,000 calls left \(growth) bytes behind")
        }
    }
}
