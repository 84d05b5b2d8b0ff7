import DBus
import EventLoop
import Glibc
import JSON
import TestSupport
import Testing

/// What a service manager hears of the daemon.
@Suite(.ownThread) struct ServiceManagerTests {
    @Test func readyIsSaidWhenTheNameIsOwnedAndStoppingBeforeTheEnd() throws {
        let session = try Session(jobs: [["name": "one", "cron": "0 0 * * *", "command": ["true"]]])
        let manager = try NotifySocket(session.scratch.path + "/notify", on: session.loop)
        let daemon = try session.launch([], ["NOTIFY_SOCKET": manager.path])
        try session.wait("READY=1") { manager.lines.contains("READY=1") }
        let owner = try session.reply(
            RemoteCall(
                .bus, "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetNameOwner", [.string(Session.name.text)]))
        #expect((try? owner.get()) != nil)
        #expect(ScratchFolder.names(in: session.stateFolder).contains("botcron.db"))
        #expect(manager.lines.contains { $0.hasPrefix("STATUS=") })
        #expect(!manager.lines.contains("STOPPING=1"))
        #expect(!manager.lines.contains("WATCHDOG=1"))
        daemon.signal(SIGTERM)
        #expect(try session.end(daemon) == 0)
        try session.wait("STOPPING=1") { manager.lines.contains("STOPPING=1") }
    }

    @Test func whoCannotOwnTheNameIsNeverReady() throws {
        let session = try Session(jobs: [])
        try session.start()
        let manager = try NotifySocket(session.scratch.path + "/notify", on: session.loop)
        let second = try session.launch(
            ["--state-dir", session.scratch.path + "/other"], ["NOTIFY_SOCKET": manager.path])
        #expect(try session.end(second) == 69)
        try session.settle()
        #expect(!manager.lines.contains("READY=1"))
    }

    @Test func theWatchdogIsFed() throws {
        let session = try Session(jobs: [])
        let manager = try NotifySocket(session.scratch.path + "/notify", on: session.loop)
        _ = try session.launch([], ["NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "600000"])
        try session.wait("three pings") { manager.lines.filter { $0 == "WATCHDOG=1" }.count >= 3 }
    }

    @Test func theStatusSaysWhatIsActiveWhatIsNextAndWhetherItIsPaused() throws {
        let session = try Session(jobs: [["name": "one", "cron": "0 0 * * *", "command": ["sleep", "100"]]])
        let manager = try NotifySocket(session.scratch.path + "/notify", on: session.loop)
        try session.start([], ["NOTIFY_SOCKET": manager.path])
        func wait(_ text: String) throws {
            try session.wait("STATUS with \(text)") {
                manager.lines.last { $0.hasPrefix("STATUS=") }?.contains(text) ?? false
            }
        }
        try wait(session.job("one").text("next_run"))
        _ = try session.json("run_job", "one")
        try wait("1 active")
        try session.done("toggle_scheduler", .bool(false))
        try wait("paused")
    }

    /// Without a system bus nothing is tried again and again: an idle daemon does not wake.
    @Test func aSystemBusThatComesLateIsFound() throws {
        let session = try Session(jobs: [])
        let daemon = try session.start()
        try session.wait("the lack of the system bus told") { daemon.text.contains("system bus cannot be reached") }
        let bus = try PrivateBus(at: "unix:path=" + session.systemBusSocket)
        try session.wait("the system bus found") { daemon.text.contains("logind is away") }
        bus.kill()
        try session.wait("the loss told") { daemon.text.contains("system bus is lost") }
        #expect(try session.json("HealthCheck")["healthy"] == true)
    }

    @Test func reloadingIsSaidOnSighup() throws {
        let session = try Session(jobs: [["name": "one", "command": ["true"]]])
        let manager = try NotifySocket(session.scratch.path + "/notify", on: session.loop)
        let daemon = try session.start([], ["NOTIFY_SOCKET": manager.path])
        try session.wait("READY=1") { manager.lines.contains("READY=1") }
        try TestFile.write(Session.config(jobs: []), to: session.configFile)
        daemon.signal(SIGHUP)
        try session.signal("JobsChanged")
        #expect(daemon.code == nil)
    }
}

/// A service manager's end of `$NOTIFY_SOCKET`.
private final class NotifySocket {
    let path: String
    /// Every line of every message, in order.
    private(set) var lines: [String] = []

    private let fd: Int32
    private var source: EventSource?

    init(_ path: String, on loop: EventLoop) throws {
        self.path = path
        fd = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(fd, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard code == 0 else { throw TestFailure("cannot bind \(path): errno \(errno)") }
        // `deinit` cancels the source.
        source = try loop.watch(fd: fd, .readable) { [unowned self] _ in
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = recv(fd, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            lines += String(decoding: buffer.prefix(count), as: UTF8.self).split(separator: "\n").map(String.init)
        }
    }

    deinit {
        source?.cancel()
        close(fd)
    }
}
