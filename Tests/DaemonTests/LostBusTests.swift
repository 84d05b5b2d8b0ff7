import DBus
import EventLoop
import Glibc
import JSON
import TestSupport
import Testing

/// A daemon that nobody would start again, whose bus goes away and comes back.
@Suite(.ownThread) struct LostBusTests {
    private let session: Session
    private let daemon: Program
    /// Without the id of the bus: the next one has another.
    private let address: String

    init() throws {
        session = try Session(jobs: [
            ["name": "tick", "interval": "1s", "command": "echo >> ticks"],
            ["name": "quick", "command": ["true"]],
        ])
        address = String(session.address.split(separator: ",").first ?? "")
        daemon = try session.start(["--bus", address])
    }

    private func ticks() -> Int { TestFile.text(session.scratch.path + "/home/ticks").utf8.count }

    private func wait(_ what: String, until condition: () throws -> Bool) throws {
        let deadline = ProcessState.monotonicUSec + 40_000_000
        while try !condition() {
            guard ProcessState.monotonicUSec < deadline else {
                throw TestFailure("40 s without \(what): \(daemon.text)")
            }
            try session.loop.runOnce(timeoutUSec: 20_000)
        }
    }

    private func startBus() throws -> PrivateBus {
        unlink(String(address.dropFirst("unix:path=".count)))
        return try PrivateBus(
            at: address, environment: ["PATH=/usr/bin:/bin", "XDG_RUNTIME_DIR=" + session.scratch.path + "/runtime"])
    }

    private func busctl(_ arguments: String...) throws -> (code: Int32, output: String) {
        let program = try Program(
            ["busctl", "--address=" + address] + arguments, environment: session.environment, on: session.loop)
        try wait("the end of busctl") { program.code != nil }
        return (program.code ?? -1, program.text)
    }

    private func isServed() throws -> Bool {
        try busctl("call", "com.aiworkflow.BotCron", "/com/aiworkflow/BotCron", "com.aiworkflow.BotCron", "Ping").code
            == 0
    }

    @Test func keepsItsScheduleAndComesBack() throws {
        session.bus.kill()
        try wait("a word on it") { daemon.text.contains("the connection to the bus is lost") }
        let before = ticks()
        try wait("runs without a bus") { ticks() >= before + 2 }
        #expect(daemon.code == nil)
        let bus = try startBus()
        try wait("the name") { try isServed() }
        #expect(daemon.text.contains("the name on the bus is ours again"))
        let tree = try busctl("--list", "tree", "com.aiworkflow.BotCron").output
        #expect(tree.contains("/com/aiworkflow/BotCron/jobs/quick"))
        // And once more.
        bus.kill()
        let next = try startBus()
        try wait("the name") { try isServed() }
        daemon.signal(SIGTERM)
        try wait("the end") { daemon.code != nil }
        #expect(daemon.code == 0)
        _ = next
    }

    @Test func takesItsNameWhenTheOtherOneIsGone() throws {
        session.bus.kill()
        try wait("a word on it") { daemon.text.contains("the connection to the bus is lost") }
        // Somebody is quicker: the daemon stands still.
        daemon.signal(SIGSTOP)
        let script = """
            import dbus, dbus.bus, sys, time
            bus = dbus.bus.BusConnection(sys.argv[1])
            print(bus.request_name("com.aiworkflow.BotCron", dbus.bus.NAME_FLAG_DO_NOT_QUEUE), flush=True)
            time.sleep(1000)
            """
        let bus = try startBus()
        let other = try Program(
            ["/usr/bin/python3", "-I", "-c", script, address], environment: session.environment, on: session.loop)
        try wait("an answer") { other.text.contains("\n") }
        #expect(other.text == "1\n")
        daemon.signal(SIGCONT)
        try wait("a word on it") { daemon.text.contains("cannot take the name") }
        #expect(daemon.text.contains("process \(other.pid)"))
        #expect(daemon.code == nil)
        other.signal(SIGKILL)
        try wait("the name") { try isServed() }
        _ = bus
    }

    @Test func stopsWithoutABus() throws {
        session.bus.kill()
        try wait("a word on it") { daemon.text.contains("the connection to the bus is lost") }
        daemon.signal(SIGTERM)
        try wait("the end") { daemon.code != nil }
        #expect(daemon.code == 0)
    }
}
