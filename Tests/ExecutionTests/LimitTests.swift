import Execution
import Glibc
import Processes
import TestSupport
import Testing

/// What a process may use where no scope limits it.
@Suite struct LimitTests {
    private let harness: Harness

    init() throws {
        harness = try Harness()
    }

    private func limited(_ script: String, _ change: (inout ResourceLimits) -> Void) throws -> AttemptReport {
        try harness.runScript(script) { change(&$0.limits) }
    }

    /// They were set when the process had begun: in 1 of 34 runs it began with the old ones, and so did what it started
    /// by then.
    @Test func theyAreThereBeforeTheFirstInstruction() throws {
        let nice = min(19, getpriority(Int32(PRIO_PROCESS.rawValue), 0) + 5)
        var texts: [String: Int] = [:]
        var endCount = 0
        for _ in 0..<200 {
            var request = harness.request(["/bin/sh", "-c", "ulimit -d; ulimit -u; nice"])
            request.limits.nice = Int32(nice)
            request.limits.memoryMax = 64 << 20
            harness.runner.start(request) { report in
                texts[report.text.split(separator: "\n").joined(separator: " "), default: 0] += 1
                endCount += 1
            }
        }
        try harness.wait("200 ends") { endCount == 200 }
        #expect(texts.count == 1, "\(texts)")
        #expect(texts.keys.first?.hasPrefix("65536 ") == true && texts.keys.first?.hasSuffix(" \(nice)") == true)
    }

    /// As without limits: a start that fails is an error with its reason, and leaves no process.
    @Test(arguments: [
        ("/nowhere/program", "no such file"), ("/etc/passwd", "not executable"), ("no-such", "no such program in PATH"),
    ])
    func aLimitedStartThatFailsSaysWhy(row: (program: String, says: String)) throws {
        let report = try harness.run([row.program]) { $0.limits.nice = 19 }
        guard case .couldNotStart(let reason) = report.ending else {
            Issue.record("it ended as \(report.ending)")
            return
        }
        #expect(reason.contains(row.says), "\(reason)")
    }

    @Test func whatCannotBeSetIsSaidAndTheRunGoesOn() throws {
        let report = try limited("echo ran; ulimit -n") {
            $0.memoryMax = .max
            $0.tasksMax = .max
            $0.nice = 19
        }
        #expect(report.text.hasPrefix("ran\n"))
        #expect(report.limitsError?.contains("could not be set") != false)
    }

    /// What any process of ours gets, one with limits gets as well.
    @Test func itBeginsAsEveryOther() throws {
        let script =
            "for i in 0 1 2 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$i ] && echo $i; done; "
            + "grep -E '^Sig(Blk|Ign)' /proc/self/status; cut -d' ' -f5,6,7 /proc/$$/stat | sed s/$$/own/g; pwd"
        let plain = try harness.runScript(script) { $0.context = "{}" }
        let limited = try harness.runScript(script) {
            $0.context = "{}"
            $0.limits.memoryMax = 1 << 30
        }
        #expect(plain.text == limited.text)
        #expect(limited.text.contains("own own 0"), "\(limited.text)")
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
