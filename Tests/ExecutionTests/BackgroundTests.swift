import EventLoop
import Execution
import Glibc
import Processes
import TestSupport
import Testing

/// Processes that a job leaves behind: they may go on and write, as under cron.
///
/// One died of SIGPIPE at its first word after the end of the run.
@Suite struct BackgroundTests {
    private let harness: Harness

    init() throws {
        harness = try Harness()
    }

    private var go: String { harness.folder.path + "/go" }
    private var done: String { harness.folder.path + "/done" }

    /// Starts `words` in the background, to be written when the run has ended, and then a file that says so.
    private func leave(_ words: String, by script: String = "") -> String {
        "(trap '' HUP; while [ ! -e \(go) ]; do sleep 0.01; done; \(words) && : > \(done)) & \(script) echo before"
    }

    private func drains(of run: String) throws -> [Int32] {
        try Folder("/proc").names().compactMap { Int32($0) }.filter { pid in
            let bytes = FileDescriptor.contents(of: "/proc/\(pid)/cmdline", limit: 4096) ?? []
            let words = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            return words.count > 1 && words[0].hasSuffix("/botcron-run") && words[1] == run
        }
    }

    /// More than a pipe holds, so that somebody must read it; to its output, its errors, its context socket.
    @Test(arguments: ["head -c 1000000 /dev/zero", "head -c 300000 /dev/zero >&2", "yes cost 1 | head -c 2000000 >&3"])
    func whatIsLeftBehindMayWrite(words: String) throws {
        let run = "background-\(getpid())-\(words.utf8.count)"
        let report = try harness.runScript(leave(words)) {
            $0.run = run
            $0.context = "{}"
        }
        #expect(report.ending == .exited(0))
        #expect(report.text == "before\n")
        #expect(try !drains(of: run).isEmpty, "somebody reads")
        try harness.folder.write("", to: "go")
        try harness.wait("the end of the words") { access(done, F_OK) == 0 }
        // What came after the end is not the run's.
        let output = harness.runner.output(run: run, attempt: 1)
        #expect(output.everything() == Array("before\n".utf8))
        #expect(output.totalCount == 7)
        // Whoever read goes with the last who writes.
        try harness.wait("the reader's end") { try drains(of: run).allSatisfy { ProcessState.isGone($0) } }
    }

    @Test func whoeverReadsHoldsNothingOfTheRun() throws {
        let run = "background-\(getpid())-held"
        let attempt = harness.sh(leave("echo word")) { $0.run = run }
        let supervisor = try #require(attempt.supervisorPID)
        try harness.wait("the end") { !harness.reports.isEmpty }
        let drain = try #require(try drains(of: run).first { $0 != supervisor })
        // The folder is free at once, and may go.
        try harness.wait("the lock to be free") { harness.runner.removeOutput(run: run, attempt: 1) }
        // The lock is free before it has let go of the rest.
        try harness.wait("the rest to be free") {
            Set(try Folder("/proc/\(drain)/fd").names()) == ["0", "1", "2", "3"]
        }
        #expect(getsid(drain) == drain)
        #expect(try harness.runner.survey([(run, 1)]).first?.finding.word == "gone")
        #expect(!ProcessState.isGone(drain), "a search for supervisors does not take it for one")
        try harness.folder.write("", to: "go")
        try harness.wait("the reader's end") { ProcessState.isGone(drain) }
        #expect(access(done, F_OK) == 0)
    }

    @Test func withoutAnybodyLeftBehindNobodyStays() throws {
        let run = "background-\(getpid())-none"
        for script in [
            "echo a", "sleep 0.05 & echo a; wait", "exec >&- 2>&-; exit 3", "sleep 1000 >/dev/null 2>&1 3>&- & echo $!",
        ] {
            let report = try harness.runScript(script) {
                $0.run = run
                $0.context = "{}"
            }
            try harness.wait("nobody, after \(script)") { try drains(of: run).isEmpty }
            if let left = Int32(report.text.dropLast()) { Glibc.kill(left, SIGKILL) }
        }
    }
}
