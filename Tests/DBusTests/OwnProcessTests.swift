import Glibc
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
            try bus.turnWhileReady()
            #expect(count() == before)
            withExtendedLifetime(service) {}
        }
    }
}
