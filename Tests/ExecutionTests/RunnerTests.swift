import EventLoop
import Execution
import Glibc
import Processes
import TestSupport
import Testing

struct RunnerTests {
    // MARK: - Ends

    @Test(
        arguments: [
            ("exit 0", .exited(0)),
            ("exit 1", .exited(1)),
            ("exit 75", .exited(75)),
            ("exit 255", .exited(255)),
            ("kill -TERM $$", .signaled(SIGTERM, coreDumped: false)),
            ("kill -KILL $$", .signaled(SIGKILL, coreDumped: false)),
            ("exec no-such-program 2>&-", .exited(127)),
        ] as [(String, AttemptReport.Ending)])
    func reportsHowTheProcessEnded(script: String, ending: AttemptReport.Ending) throws {
        let report = try Harness().runScript(script)
        #expect(report.ending == ending)
        #expect(!report.isTimedOut)
        #expect(!report.isCancelled)
    }

    @Test func reportsTimesAndUse() throws {
        var before = timespec()
        clock_gettime(CLOCK_REALTIME, &before)
        let report = try Harness().runScript("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; sleep 0.05")
        #expect(report.startedUSec >= Int64(before.tv_sec) * 1_000_000)
        #expect(report.endedUSec - report.startedUSec >= 50_000)
        #expect(report.endedUSec - report.startedUSec < 20_000_000)
        #expect(report.userCPUUSec > 1_000)
        #expect(report.maxRSSKiB > 500)
        #expect(report.cpuUSec == report.userCPUUSec + report.systemCPUUSec)
        #expect(report.memoryPeakBytes == report.maxRSSKiB * 1024)
        let none = try Harness().run(["/nowhere/to/be/found"])
        #expect(none.cpuUSec == nil)
        #expect(none.memoryPeakBytes == nil)
    }

    struct FailedStart: CustomTestStringConvertible {
        let label: String
        let arguments: [String]
        var folder = "/"
        let says: String
        var testDescription: String { label }
    }

    @Test(arguments: [
        FailedStart(
            label: "no such program", arguments: ["no-such-program"],
            says: "cannot start “no-such-program”: no such program in PATH “/usr/bin:/bin”"),
        FailedStart(
            label: "no such folder", arguments: ["/bin/true"], folder: "/nowhere",
            says: "cannot enter the working directory “/nowhere”: no such folder"),
        FailedStart(
            label: "128 KiB in one argument", arguments: ["/bin/true", String(repeating: "x", count: 131_072)],
            says: "argument 1 has 131072 bytes"),
        FailedStart(label: "no program", arguments: [], says: "the argv is empty"),
    ])
    func reportsAStartThatFailed(row: FailedStart) throws {
        let harness = try Harness()
        let attempt = harness.start(row.arguments) { $0.workingDirectory = row.folder }
        #expect(harness.reports.isEmpty, "never from within start")
        #expect(attempt.pid == nil)
        #expect(attempt.isActive)
        #expect(harness.runner.active.count == 1)
        attempt.cancel()
        attempt.kill()
        try harness.wait("the report") { !harness.reports.isEmpty }
        guard case .couldNotStart(let text) = harness.reports[0].ending else {
            Issue.record("it ended as \(harness.reports[0].ending)")
            return
        }
        #expect(text.contains(row.says), "\(text)")
        #expect(harness.reports[0].startedUSec == harness.reports[0].endedUSec)
        #expect(!attempt.isActive)
        #expect(harness.runner.active.isEmpty)
        #expect(try !harness.loop.runOnce(timeoutUSec: 0))
        #expect(harness.reports.count == 1)
    }

    @Test func startsTheNextAttemptFromTheReportOfTheLast() throws {
        let harness = try Harness()
        var endings: [AttemptReport.Ending] = []
        func next(_ number: Int) {
            // Every third cannot start.
            let program = number % 3 == 2 ? "/nowhere" : "/bin/sh"
            let request = harness.request([program, "-c", "exit \(number)"])
            harness.runner.start(request) { report in
                endings.append(report.ending)
                if number < 9 {
                    next(number + 1)
                }
            }
        }
        next(0)
        try harness.wait("the chain to end") { endings.count == 10 }
        #expect(endings[0] == .exited(0))
        #expect(endings[9] == .exited(9))
        #expect(harness.runner.active.isEmpty)
    }

    @Test func runsTwoHundredAtOnce() throws {
        let harness = try Harness()
        var outputs: [Int: String] = [:]
        for number in 0..<200 {
            let request = harness.request(["/bin/sh", "-c", "read line; echo $line; exit \(number % 256)"])
            var waiting = request
            waiting.standardInput = .bytes(Array("line \(number)\n".utf8))
            harness.runner.start(waiting) { report in
                #expect(report.ending == .exited(Int32(number % 256)))
                #expect(outputs[number] == nil, "one report for each")
                outputs[number] = report.text
            }
        }
        #expect(harness.runner.active.count == 200)
        try harness.wait("200 ends") { outputs.count == 200 }
        for number in 0..<200 {
            #expect(outputs[number] == "line \(number)\n")
        }
    }

    @Test func leavesNoFilesOpen() throws {
        let before = ProcessState.openFiles()
        let harness = try Harness()
        var ended = 0
        for number in 0..<1_000 {
            let program = number % 10 == 9 ? "/nowhere" : "/bin/true"
            var request = harness.request([program])
            request.timeout = .seconds(100)
            request.standardInput = number % 2 == 0 ? .none : .bytes([1, 2, 3])
            harness.runner.start(request) { _ in ended += 1 }
            try harness.wait("the end of run \(number)") { ended == number + 1 }
        }
        // One file left open by each run would be a thousand; tests that run beside this one open some hundreds.
        try harness.wait("the files to be closed") { ProcessState.openFiles() < before + 90 }
    }

    // MARK: - Input

    @Test func readsNothingByDefault() throws {
        #expect(try Harness().run(["readlink", "/proc/self/fd/0"]).text == "/dev/null\n")
    }

    @Test(arguments: [0, 5, 65_537, 3_000_000])
    func passesBytesThrough(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let harness = try Harness()
        let report = try harness.run(["cat"]) {
            $0.standardInput = .bytes(bytes)
            $0.outputLimit = 4_000_000
        }
        #expect(report.ending == .exited(0))
        let isSame = harness.kept() == bytes
        #expect(isSame)
        #expect(report.output.droppedCount == 0)
    }

    @Test func doesNotMindInputThatIsNotRead() throws {
        let report = try Harness().runScript("exit 4") {
            $0.standardInput = .bytes([UInt8](repeating: 1, count: 1 << 20))
        }
        #expect(report.ending == .exited(4))
    }
}
