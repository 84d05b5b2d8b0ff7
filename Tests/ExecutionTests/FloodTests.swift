import EventLoop
import Execution
import Glibc
import Processes
import TestSupport
import Testing

/// Whatever a process keeps its supervisor busy with, its time is up when it is up, and a cancel is heard.
///
/// Nine writers on the context socket kept a supervisor reading for ever: a job that had switched off its own time-out.
@Suite(.serialized) struct FloodTests {
    /// What writes, signals or forks without end; each by several processes at once.
    private static let floods: [(name: String, script: String)] = [
        ("the context socket", "yes 'progress 1' >&3"),
        ("the context socket, never twice the same", "i=0; while :; do i=$((i+1)); echo progress $i; done >&3"),
        ("the context socket, no end of a line", "cat /dev/zero >&3"),
        ("the output", "yes"),
        ("orphans", "while :; do (true &) ; done"),
        ("signals", "while :; do kill -CHLD $SUPERVISOR; kill -USR2 $SUPERVISOR; kill -HUP $SUPERVISOR; done"),
    ]

    private static func script(_ flood: String) -> String {
        "trap '' TERM; SUPERVISOR=$PPID; for i in 1 2 3 4 5 6 7 8 9; do (\(flood)) & done; \(flood)"
    }

    @Test(arguments: floods.indices)
    func itsTimeIsUpAllTheSame(index: Int) throws {
        let flood = Self.floods[index]
        // Ten of them on two cores, and other tests: that it ends is the promise, not when the machine gets to it.
        let report = try Harness().run(["/bin/sh", "-c", Self.script(flood.script)]) {
            $0.timeout = .seconds(1)
            $0.killGrace = .milliseconds(200)
            $0.context = "{}"
        }
        #expect(report.isTimedOut, "\(flood.name): \(report.ending)")
        #expect(report.ending == .signaled(SIGKILL, coreDumped: false), "\(flood.name)")
    }

    @Test(arguments: floods.indices)
    func aCancelIsHeardAllTheSame(index: Int) throws {
        let flood = Self.floods[index]
        let harness = try Harness()
        let attempt = harness.sh("touch \(harness.folder.path)/up; " + Self.script(flood.script)) {
            $0.killGrace = .milliseconds(200)
            $0.context = "{}"
        }
        try harness.wait("the flood") { access(harness.folder.path + "/up", F_OK) == 0 }
        attempt.cancel()
        try harness.wait("the end, with \(flood.name)") { !harness.reports.isEmpty }
        #expect(harness.reports[0].isCancelled, "\(flood.name)")
    }

    /// What waits to be read was written in time, however late the supervisor looks.
    @Test func oneThatWritesDoesNotStall() throws {
        let harness = try Harness()
        let attempt = harness.sh("for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.1; done; exit 4") {
            $0.stallTimeout = .milliseconds(600)
        }
        let supervisor = try #require(attempt.supervisorPID)
        try harness.waitForOutput(attempt, "1\n")
        kill(supervisor, SIGSTOP)
        try harness.wait("the process to end") {
            guard let pid = attempt.pid else { return false }
            return ProcessState.isGone(pid)
        }
        kill(supervisor, SIGCONT)
        try harness.wait("the end") { !harness.reports.isEmpty }
        #expect(!harness.reports[0].isStalled)
        #expect(harness.reports[0].ending == .exited(4))
        #expect(harness.reports[0].text == "1\n2\n3\n4\n5\n6\n7\n8\n")
    }

    /// A secret service that does not answer is asked for a minute; a cancel does not wait for that.
    @Test func aCancelIsHeardWhileASecretIsAwaited() throws {
        let harness = try Harness()
        try #require(mkdir(harness.folder.path + "/bin", 0o700) == 0)
        try harness.folder.write(
            "#!/bin/sh\n: > \(harness.folder.path)/asked\nexec sleep 1000\n", to: "bin/secret-tool")
        chmod(harness.folder.path + "/bin/secret-tool", 0o700)
        let attempt = harness.sh("echo ran") {
            $0.credentials = ["token": .secret(["botcron", "token"])]
            $0.environment["PATH"] = harness.folder.path + "/bin:/usr/bin:/bin"
        }
        try harness.wait("the question") { access(harness.folder.path + "/asked", F_OK) == 0 }
        attempt.cancel()
        try harness.wait("the end") { !harness.reports.isEmpty }
        #expect(harness.reports[0].isCancelled)
        #expect(harness.reports[0].text.isEmpty)
    }
}
