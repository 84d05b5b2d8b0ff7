import Glibc
import TestSupport
import Testing

@testable import EventLoop

/// What touches the process as a whole, signals and the environment: each test in a process of its own.
@Suite struct ProcessStateTests {
    @Test func aSignalIsAnEvent() async {
        await #expect(processExitsWith: .success) {
            let loop = try EventLoop()
            var count = 0
            let source = try loop.signal(SIGUSR2) { count += 1 }
            // Sent to this thread: one to the process would go to any thread of the test runner, and end it.
            pthread_kill(pthread_self(), SIGUSR2)
            try loop.turn(until: "the signal") { count == 1 }
            source.cancel()
            let error = #expect(throws: EventLoopError.self) { try loop.signal(1000) {} }
            #expect(error?.code == EINVAL)
        }
    }

    @Test func withoutAServiceManagerNothingIsTold() async {
        await #expect(processExitsWith: .success) {
            unsetenv("NOTIFY_SOCKET")
            #expect(!ServiceManager.isManaged)
            #expect(!ServiceManager.notify("READY=1"))
        }
    }

    @Test func theServiceManagerIsTold() async {
        await #expect(processExitsWith: .success) {
            let socket = try DatagramSocket()
            setenv("NOTIFY_SOCKET", socket.path, 1)
            #expect(ServiceManager.isManaged)
            #expect(ServiceManager.ready())
            #expect(socket.receive() == "READY=1")
            #expect(ServiceManager.status("two\nlines"))
            #expect(socket.receive() == "STATUS=two lines")
        }
    }

    @Test func theWatchdogIsPingedOnlyWhenItWatchesUs() async {
        await #expect(processExitsWith: .success) {
            let socket = try DatagramSocket()
            let idle = try EventLoop()
            #expect(!idle.enableWatchdog())
            setenv("NOTIFY_SOCKET", socket.path, 1)
            setenv("WATCHDOG_USEC", "40000", 1)
            setenv("WATCHDOG_PID", String(getpid() + 1), 1)
            #expect(!idle.enableWatchdog())
            setenv("WATCHDOG_PID", String(getpid()), 1)
            let loop = try EventLoop()
            #expect(loop.enableWatchdog())
            var pings: [String] = []
            try loop.turn(until: "two pings") {
                if let ping = socket.receive() { pings.append(ping) }
                return pings.count == 2
            }
            #expect(pings == ["WATCHDOG=1", "WATCHDOG=1"])
        }
    }

    @Test func theJournalIsChosenOnlyWhenStderrIsIts() async {
        await #expect(processExitsWith: .success) {
            var status = stat()
            fstat(STDERR_FILENO, &status)
            setenv("JOURNAL_STREAM", "\(status.st_dev):\(status.st_ino)", 1)
            #expect(JournalDestination.isStderr)
            for other in ["\(status.st_dev):\(status.st_ino + 1)", "", "x", ":"] {
                setenv("JOURNAL_STREAM", other, 1)
                #expect(!JournalDestination.isStderr, "\(other)")
            }
            unsetenv("JOURNAL_STREAM")
            #expect(!JournalDestination.isStderr)
        }
    }
}
