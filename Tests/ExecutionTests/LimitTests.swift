import Execution
import Glibc
import Processes
import Testing

/// What a process may use where no scope limits it.
@Suite struct LimitTests {
    private let harness: Harness

    init() throws {
        harness = try Harness()
    }

    /// The limits are set while the process begins: it looks at them a moment later.
    private func limited(_ script: String, _ change: (inout ResourceLimits) -> Void) throws -> AttemptReport {
        try harness.runScript("sleep 0.3; " + script) { change(&$0.limits) }
    }

    @Test func memoryIsLimitedForEachProcess() throws {
        let report = try limited("grep 'Max data size' /proc/self/limits") { $0.memoryMax = 64 << 20 }
        #expect(report.text.split(separator: " ").filter { $0 == "67108864" }.count == 2, "\(report.text)")
        #expect(report.limitsError == nil)
    }

    @Test func beyondItsMemoryAProcessFails() throws {
        let report = try limited("exec python3 -c 'x = bytearray(300 << 20)'") { $0.memoryMax = 64 << 20 }
        #expect(report.ending == .exited(1))
        #expect(report.text.contains("MemoryError"), "\(report.text)")
    }

    @Test func tasksAreCountedOnTopOfWhatTheUserRuns() throws {
        let report = try limited("grep 'Max processes' /proc/self/limits") { $0.tasksMax = 20 }
        let words = report.text.split(separator: " ")
        let count = try #require(words.count > 3 ? Int(words[2]) : nil, "\(report.text)")
        #expect(count > 20 && count < 1_000_000)
        #expect(words[2] == words[3])
    }

    @Test func itGivesWayToOthers() throws {
        let before = getpriority(Int32(PRIO_PROCESS.rawValue), 0)
        let report = try limited("nice; sh -c nice; ionice") {
            $0.nice = Int32(min(19, before + 7))
            $0.ioClass = .idle
        }
        #expect(report.text == "\(min(19, before + 7))\n\(min(19, before + 7))\nidle\n")
        #expect(getpriority(Int32(PRIO_PROCESS.rawValue), 0) == before)
    }

    @Test func withoutLimitsNothingIsSet() throws {
        let report = try limited("nice; ionice") { _ in }
        #expect(report.text == "\(getpriority(Int32(PRIO_PROCESS.rawValue), 0))\nnone: prio 0\n")
    }
}
