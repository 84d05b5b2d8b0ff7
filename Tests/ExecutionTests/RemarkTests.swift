import Execution
import Glibc
import TestSupport
import Testing

/// What a process says of itself while it runs.
@Suite struct RemarkTests {
    private let harness: Harness

    init() throws {
        harness = try Harness()
    }

    private func talking(_ script: String) -> AttemptHandle {
        harness.sh(script) {
            $0.context = "{}"
            $0.environment["GO"] = harness.folder.path + "/go"
        }
    }

    private static let waitForGo = "while [ ! -e $GO ]; do sleep 0.02; done; "

    @Test func itIsHeardWhileItRuns() throws {
        let attempt = talking("echo progress 40 >&3; " + Self.waitForGo + "echo progress 90 >&3")
        var heard: [String] = []
        attempt.onRemark = { heard.append(attempt.remarks["progress"] ?? "-") }
        try harness.wait("the first remark") { attempt.remarks["progress"] == "40" }
        #expect(harness.reports.isEmpty)
        try harness.folder.write("", to: "go")
        try harness.wait("its end") { !harness.reports.isEmpty }
        #expect(harness.reports.first?.remarks == ["progress": "90"])
        #expect(heard.first == nil || heard.first == "40")
    }

    /// On other systems a line ends in two characters; Swift takes the two for one.
    @Test func aLineMayEndAsOnOtherSystems() throws {
        let attempt = talking("printf 'progress 40\\r\\ncost 1\\r\\n' >&3; " + Self.waitForGo)
        try harness.wait("the remarks") { attempt.remarks == ["progress": "40", "cost": "1"] }
        try harness.folder.write("", to: "go")
        try harness.wait("its end") { !harness.reports.isEmpty }
        #expect(harness.reports.first?.remarks == ["progress": "40", "cost": "1"])
    }

    /// What a process said before it ended counts, however late the supervisor looks: here more waits than it reads in
    /// a turn.
    @Test func itsLastWordIsHeardBehindAllThatWaits() throws {
        let attempt = talking(
            "echo up; \(Self.waitForGo) head -c 150000 /dev/zero | tr '\\0' x >&3; echo >&3; echo 'result {}' >&3")
        let supervisor = try #require(attempt.supervisorPID)
        try harness.waitForOutput(attempt, "up")
        kill(supervisor, SIGSTOP)
        try harness.folder.write("", to: "go")
        try harness.wait("the process to end") { attempt.pid.map { ProcessState.isGone($0) } ?? false }
        kill(supervisor, SIGCONT)
        try harness.wait("its end") { !harness.reports.isEmpty }
        #expect(harness.reports.first?.remarks == ["result": "{}"])
    }

    /// However much it says, whoever listens is told some times a second, and of the last.
    @Test func aProcessThatTalksOnAndOnIsHeardNowAndThen() throws {
        let attempt = talking("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo progress $i; done >&3; sleep 0.3")
        var count = 0
        attempt.onRemark = { count += 1 }
        try harness.wait("its end") { !harness.reports.isEmpty }
        let report = try #require(harness.reports.first)
        #expect(report.remarks == ["progress": "20000"])
        #expect(count > 0 && Int64(count) <= 2 + (report.endedUSec - report.startedUSec) / 100_000)
    }

    @Test func whoeverListensIsToldOnce() throws {
        let attempt = talking(Self.waitForGo + "echo cost 0.5 >&3; sleep 0.2; echo cost 0.5 >&3; sleep 0.2")
        var count = 0
        attempt.onRemark = { count += 1 }
        try harness.folder.write("", to: "go")
        try harness.wait("its end") { !harness.reports.isEmpty }
        #expect(count == 1)
        #expect(harness.reports.first?.remarks == ["cost": "0.5"])
    }

    @Test func anAdoptedRunGoesOnTalking() throws {
        let attempt = talking("echo progress 10 >&3; " + Self.waitForGo + "echo progress 20 >&3; sleep 100")
        try harness.wait("the first remark") { attempt.remarks["progress"] == "10" }
        let next = try Harness(folder: harness.folder)
        let survivor = try #require(try next.runner.survey([(attempt.run, 1)]).first)
        let adopted = next.runner.adopt(survivor) { _ in }
        #expect(adopted.remarks == ["progress": "10"])
        var isTold = false
        adopted.onRemark = { isTold = true }
        try harness.folder.write("", to: "go")
        try next.wait("the second remark") { isTold }
        #expect(adopted.remarks == ["progress": "20"])
    }
}
