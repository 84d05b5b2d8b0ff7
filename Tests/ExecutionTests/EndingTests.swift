import EventLoop
import Execution
import Glibc
import Processes
import TestSupport
import Testing

/// Time-outs, cancelling, and what becomes of the rest of the group.
struct EndingTests {
    // MARK: - Time-outs

    @Test func endsAProcessWhoseTimeIsUp() throws {
        let report = try Harness().run(["sleep", "1000"]) { $0.timeout = .milliseconds(50) }
        #expect(report.isTimedOut)
        #expect(!report.isCancelled)
        #expect(report.ending == .signaled(SIGTERM, coreDumped: false))
        #expect(report.endedUSec - report.startedUSec >= 50_000)
        #expect(report.endedUSec - report.startedUSec < 9_000_000, "it did not need the grace")
    }

    @Test func reportsTheStatusOfOneThatEndsInGoodOrder() throws {
        // Started with its handler set: the shell says so before its time is up.
        let harness = try Harness()
        let attempt = harness.sh("trap 'echo tidy; exit 0' TERM; echo up; while :; do sleep 0.01; done") {
            $0.timeout = .seconds(2)
        }
        try harness.waitForOutput(attempt, "up")
        try harness.wait("the end") { !harness.reports.isEmpty }
        #expect(harness.reports[0].isTimedOut)
        #expect(harness.reports[0].ending == .exited(0))
        #expect(harness.reports[0].output.lastLine == "tidy")
    }

    @Test func killsAfterTheGraceWhatIgnoresTerm() throws {
        // Time enough for the shell to set its trap first.
        let report = try Harness().runScript("trap '' TERM; echo up; while :; do sleep 0.01; done") {
            $0.timeout = .seconds(2)
            $0.killGrace = .milliseconds(200)
        }
        #expect(report.isTimedOut)
        #expect(report.ending == .signaled(SIGKILL, coreDumped: false))
        #expect(report.endedUSec - report.startedUSec >= 2_200_000)
    }

    @Test func endsAStoppedProcessWithoutTheGrace() throws {
        let report = try Harness().runScript("kill -STOP $$; exit 9") { $0.timeout = .milliseconds(300) }
        #expect(report.isTimedOut)
        #expect(report.ending == .signaled(SIGTERM, coreDumped: false))
        #expect(report.endedUSec - report.startedUSec < 9_000_000)
    }

    @Test(arguments: [Duration.zero, .seconds(-5), .seconds(Int64.max), .microseconds(Int64.max)])
    func letsItRunWithoutATimeout(timeout: Duration) throws {
        let report = try Harness().runScript("sleep 0.05; exit 3") {
            $0.timeout = timeout
            $0.killGrace = .seconds(Int64.max)
        }
        #expect(report.ending == .exited(3))
        #expect(!report.isTimedOut)
    }

    @Test func doesNotTimeOutWhatEndedBeforeTheLoopCouldLook() throws {
        let harness = try Harness()
        let attempt = harness.sh("exit 5") { $0.timeout = .milliseconds(30) }
        let pid = try attempt.process(harness)
        // The loop is kept busy elsewhere until both the end and the time-out are due.
        let until = harness.loop.uncachedNow + 60_000
        // In short sleeps, because the loop that could wait must not turn.
        while !ProcessState.isGone(pid) || harness.loop.uncachedNow < until { usleep(1000) }
        try harness.wait("the end") { !harness.reports.isEmpty }
        #expect(harness.reports[0].ending == .exited(5))
        #expect(!harness.reports[0].isTimedOut)
    }

    // MARK: - Cancelling

    @Test func cancelsOnce() throws {
        let harness = try Harness()
        let attempt = harness.sh("echo up; sleep 1000")
        try harness.waitForOutput(attempt, "up")
        attempt.cancel()
        attempt.cancel()
        #expect(harness.reports.isEmpty, "never from within cancel")
        try harness.wait("the end") { !harness.reports.isEmpty }
        attempt.cancel()
        attempt.kill()
        #expect(harness.reports[0].isCancelled)
        #expect(!harness.reports[0].isTimedOut)
        #expect(harness.reports[0].ending == .signaled(SIGTERM, coreDumped: false))
        #expect(!attempt.isActive)
        try harness.loop.runOnce(timeoutUSec: 1000)
        #expect(harness.reports.count == 1)
    }

    @Test func doesNotCancelWhatHasEnded() throws {
        let harness = try Harness()
        let attempt = harness.sh("exit 6")
        let pid = try attempt.process(harness)
        // In short sleeps, because the loop that could wait must not turn.
        while !ProcessState.isGone(pid) { usleep(1000) }
        attempt.cancel()
        try harness.wait("the end") { !harness.reports.isEmpty }
        #expect(harness.reports[0].ending == .exited(6))
        #expect(!harness.reports[0].isCancelled)
    }

    @Test func killsWithoutGrace() throws {
        let harness = try Harness()
        let attempts = (0..<5).map { _ in harness.sh("trap '' TERM; echo up; while :; do sleep 0.01; done") }
        for attempt in attempts {
            try harness.waitForOutput(attempt, "up")
        }
        attempts[0].cancel()
        for attempt in harness.runner.active { attempt.kill() }
        try harness.wait("all ends") { harness.reports.count == 5 }
        for report in harness.reports {
            #expect(report.ending == .signaled(SIGKILL, coreDumped: false))
            #expect(report.isCancelled)
        }
    }

    // MARK: - The group

    @Test func endsTheWholeGroup() throws {
        let harness = try Harness()
        let script = "for i in 1 2 3 4 5; do (sleep 1000 & echo $!; exec sleep 1000) & done; echo $$; wait"
        let attempt = harness.sh(script) {
            $0.timeout = .seconds(3)
            // Longer than anything here waits: it is the TERM that ends them all.
            $0.killGrace = .seconds(1000)
        }
        try harness.wait("the group to be up") { attempt.text.filter { $0 == "\n" }.count == 6 }
        try harness.wait("the end") { !harness.reports.isEmpty }
        let pids = harness.reports[0].text.split(separator: "\n").compactMap { Int32($0) }
        #expect(pids.count == 6)
        for pid in pids {
            try harness.wait("the end of process \(pid)") { ProcessState.isGone(pid) }
        }
        #expect(harness.reports[0].isTimedOut)
    }

    @Test func killsAfterTheGraceWhatACancelledProcessLeftBehind() throws {
        let harness = try Harness()
        let attempt = harness.sh("(trap '' TERM; echo $$ up; exec sleep 1000) & echo $!; wait") {
            $0.killGrace = .milliseconds(400)
        }
        try harness.wait("both lines") { attempt.text.filter { $0 == "\n" }.count == 2 }
        let leader = try attempt.process(harness)
        let left = try #require(
            attempt.text.split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }.first { $0 != leader })
        attempt.cancel()
        try harness.wait("the end of the leader") { ProcessState.isGone(leader) }
        #expect(harness.reports.isEmpty, "it has ended when all of it has")
        try harness.wait("the report") { !harness.reports.isEmpty }
        let report = harness.reports[0]
        #expect(report.ending == .signaled(SIGTERM, coreDumped: false))
        #expect(report.isCancelled)
        #expect(report.endedUSec - report.startedUSec >= 400_000)
        #expect(ProcessState.isGone(left))
        #expect(harness.runner.active.isEmpty)
    }

    /// One that made a session of its own, orphaned too: it is in no group of ours, and below nobody but the
    /// supervisor.
    static let escape = "setsid sh -c 'trap \"\" TERM; echo $$ escaped; exec sleep 1000' & wait $!"

    @Test func endsThoseWhoEscapedFromTheGroup() throws {
        let harness = try Harness()
        let attempt = harness.sh("(\(Self.escape)) & sleep 1000 & echo $! sleeps; wait") {
            $0.timeout = .seconds(2)
            $0.killGrace = .milliseconds(200)
        }
        try harness.waitForOutput(attempt, "escaped")
        let pids = attempt.text.split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }
        #expect(pids.count == 2)
        try harness.wait("the end") { !harness.reports.isEmpty }
        #expect(harness.reports[0].isTimedOut)
        for pid in pids { #expect(ProcessState.isGone(pid)) }
    }

    @Test func asksThoseOutsideTheGroupToo() throws {
        let harness = try Harness()
        let attempt = harness.sh(
            "setsid sh -c 'trap \"echo asked; exit\" TERM; echo up; while :; do sleep 0.01; done' & wait"
        ) {
            // Longer than the test: the TERM must do.
            $0.killGrace = .seconds(1000)
        }
        try harness.waitForOutput(attempt, "up")
        attempt.cancel()
        try harness.wait("the end") { !harness.reports.isEmpty }
        // The shell may say that what it waited for was terminated.
        #expect(harness.reports[0].text.contains("asked\n"), "\(harness.reports[0])")
    }

    @Test func sendsTermOnlyOnce() throws {
        let harness = try Harness()
        let script = "trap 'echo term' TERM; echo up; i=0; while [ $i -lt 30 ]; do sleep 0.01; i=$((i+1)); done; exit 3"
        let attempt = harness.sh(script) { $0.killGrace = .seconds(1000) }
        try harness.waitForOutput(attempt, "up")
        attempt.cancel()
        try harness.wait("the end") { !harness.reports.isEmpty }
        // The shell may say that what it waited for was terminated, too.
        #expect(harness.reports[0].text.split(separator: "\n").filter { $0 == "term" }.count == 1)
        #expect(harness.reports[0].ending == .exited(3))
    }

    // MARK: - Stalls

    @Test func endsAProcessThatSaysNothingForTooLong() throws {
        let report = try Harness().runScript("for i in 1 2 3 4; do echo $i; sleep 0.2; done; sleep 1000") {
            $0.stallTimeout = .milliseconds(1000)
            $0.timeout = .seconds(1000)
        }
        #expect(report.isStalled)
        #expect(!report.isTimedOut)
        #expect(report.text == "1\n2\n3\n4\n")
        #expect(report.endedUSec - report.startedUSec >= 1_600_000)
    }

    @Test func doesNotWaitForAGrandchildThatHoldsTheOutput() throws {
        let report = try Harness().runScript("sleep 1000 & echo $!") { $0.timeout = .seconds(15) }
        #expect(report.ending == .exited(0))
        #expect(!report.isTimedOut)
        let left = try #require(Int32(report.text.dropLast()))
        #expect(!ProcessState.isGone(left), "after an ordinary exit the others are left alone")
        #expect(Glibc.kill(left, SIGKILL) == 0)
    }

    @Test func doesNotWaitForAGrandchildThatWritesForEver() throws {
        let harness = try Harness()
        let file = harness.folder.path + "/pid"
        let report = try harness.runScript("echo first; yes & echo $! > \(file); exit 7") { $0.timeout = .seconds(15) }
        #expect(report.ending == .exited(7))
        #expect(!report.isTimedOut)
        #expect(report.text.hasPrefix("first\n"))
        let bytes = FileDescriptor.contents(of: file, limit: 100) ?? []
        let left = try #require(Int32(String(decoding: bytes, as: UTF8.self).dropLast()))
        #expect(Glibc.kill(left, SIGKILL) == 0, "it goes on")
    }

    @Test func endsAProcessThatKeepsForking() throws {
        let harness = try Harness()
        let attempt = harness.sh("while :; do sleep 1000 & sleep 0.001; done") {
            $0.timeout = .milliseconds(200)
            $0.killGrace = .milliseconds(100)
        }
        let pid = try attempt.process(harness)
        try harness.wait("the end") { !harness.reports.isEmpty }
        #expect(harness.reports[0].isTimedOut)
        try harness.wait("the group to be gone") { membersOfGroup(pid).isEmpty }
    }

    private func membersOfGroup(_ group: Int32) -> [Int32] {
        guard let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        var members: [Int32] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if let pid = Int32(name), getpgid(pid) == group, !ProcessState.isGone(pid) {
                members.append(pid)
            }
        }
        return members
    }
}
