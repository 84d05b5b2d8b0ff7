import EventLoop
import Execution
import Glibc
import Processes
import TestSupport
import Testing

/// Runs live on when whoever started them is killed, and the next one takes them over.
struct AdoptionTests {
    /// A process that starts attempts, to be killed.
    private final class Parent {
        private var child: ChildProcess
        private let output: FileDescriptor
        private var text = ""

        init(_ folder: ScratchFolder, _ arguments: [String]) throws {
            let pipe = try Pipe()
            var request = ProcessRequest(
                arguments: [TestPlace.built("run-crash-child"), folder.path + "/runs"] + arguments,
                environment: [:], workingDirectory: "/")
            request.standardOutput = pipe.writeEnd.number
            child = try Spawner.spawn(request)
            output = Self.take(pipe)
        }

        private static func take(_ pipe: consuming Pipe) -> FileDescriptor { pipe.readEnd }

        /// What it has said, once that holds `line`.
        @discardableResult
        func wait(for line: String) throws -> String {
            var buffer = [UInt8](repeating: 0, count: 4096)
            while !text.contains(line) {
                var entry = pollfd(fd: output.number, events: Int16(POLLIN), revents: 0)
                guard poll(&entry, 1, 20_000) > 0 else { throw TestFailure("20 s passed without “\(line)”") }
                guard case .bytes(let count) = buffer.withUnsafeMutableBytes({ output.read(into: $0) }) else {
                    throw TestFailure("the parent ended without “\(line)”")
                }
                text += String(decoding: buffer[..<count], as: UTF8.self)
            }
            return text
        }

        func kill() {
            child.send(SIGKILL, to: .process)
            _ = child.waitForExit()
        }

        /// What it had said when it was killed.
        func rest() -> String {
            var buffer = [UInt8](repeating: 0, count: 4096)
            while case .bytes(let count) = buffer.withUnsafeMutableBytes({ output.read(into: $0) }) {
                text += String(decoding: buffer[..<count], as: UTF8.self)
            }
            return text
        }

        deinit { kill() }
    }

    private func expected(_ count: Int) -> [(run: String, attempt: Int)] { (0..<count).map { ("run-\($0)", 1) } }

    @Test func takesOverWhatGoesOnAndBooksWhatHasEnded() throws {
        let folder = try ScratchFolder()
        let gate = folder.path + "/gate"
        let wait = "while [ ! -e \(gate) ]; do sleep 0.01; done"
        let parent = try Parent(
            folder,
            [
                "echo begun; \(wait); echo ended; exit 3", "echo short; exit 4", "\(wait); kill -SEGV $$",
                "trap '' TERM; echo stubborn; \(wait)",
            ])
        try parent.wait(for: "started")
        parent.kill()
        let harness = try Harness(folder: folder)
        try harness.wait("the short one to end") { access(folder.path + "/runs/run-1.1/outcome", F_OK) == 0 }
        let survivors = try harness.runner.survey(expected(4) + [("run-9", 1), ("run-0", 2)])
        #expect(survivors.map(\.run) == ["run-0", "run-1", "run-2", "run-3", "run-9", "run-0"])
        #expect(survivors.map(\.finding.word) == ["held", "ended", "held", "held", "gone", "gone"])

        guard case .ended(let short) = survivors[1].finding else { return }
        #expect(short.ending == .exited(4))
        #expect(short.text == "short\n")

        var reports: [String: AttemptReport] = ["run-1": short]
        let handles = survivors.filter { $0.finding.word == "held" }.map { survivor in
            harness.runner.adopt(survivor) { report in
                #expect(reports[survivor.run] == nil, "one report for each")
                reports[survivor.run] = report
            }
        }
        #expect(reports.count == 1, "never from within adopt")
        #expect(harness.runner.active.count == 3)
        try harness.waitForOutput(handles[0], "begun")

        try harness.waitForOutput(handles[2], "stubborn")
        handles[2].cancel()
        try harness.wait("the end of the cancelled one") { reports["run-3"] != nil }
        #expect(reports["run-3"]?.isCancelled == true)
        #expect(reports["run-3"]?.ending == .signaled(SIGKILL, coreDumped: false), "after the grace")

        close(open(gate, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600))
        try harness.wait("the ends of the others") { reports.count == 4 }
        #expect(reports["run-0"]?.ending == .exited(3))
        #expect(reports["run-0"]?.text == "begun\nended\n")
        guard case .signaled(SIGSEGV, _) = reports["run-2"]?.ending else {
            Issue.record("run-2 ended as \(String(describing: reports["run-2"]?.ending))")
            return
        }
        #expect(harness.runner.active.isEmpty)
        for report in reports.values { #expect(report.endedUSec >= report.startedUSec && report.startedUSec > 0) }
    }

    /// Killed at any instruction: of each attempt that was started there is one end and all of its output, and of the
    /// one that was just being started either that or nothing.
    @Test(arguments: 0..<12 as Range<UInt64>)
    func losesNothingWheneverTheParentIsKilled(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let folder = try ScratchFolder()
        let scripts = [
            "-", "echo $RUN; exit 3", "echo $RUN; sleep 0.05; exit 3", "echo $RUN >> \(folder.path)/log; exit 3",
        ]
        let parent = try Parent(folder, scripts)
        try parent.wait(for: "\(random.next() % 4)\n")
        // A moment that nobody chose: what it falls into is what is tested.
        usleep(useconds_t(random.next() % 20_000))
        parent.kill()
        let numbers = parent.rest().split(separator: "\n", omittingEmptySubsequences: true).compactMap { Int($0) }
        let last = try #require(numbers.last)

        let harness = try Harness(folder: folder)
        let survivors = try harness.runner.survey(expected(last + 1))
        var reports: [String: AttemptReport] = [:]
        var foundCount = 0
        for survivor in survivors {
            switch survivor.finding {
            case .held: harness.runner.adopt(survivor) { reports[survivor.run] = $0 }
            case .ended(let report): reports[survivor.run] = report
            case .begun, .notBegun, .gone:
                // The last one may not have been started.
                #expect(survivor.run == "run-\(last)", "seed \(seed)")
                continue
            }
            foundCount += 1
        }
        try harness.wait("all ends, seed \(seed)") { reports.count == foundCount }
        for (run, report) in reports {
            #expect(report.ending == .exited(3), "seed \(seed), \(run)")
            if !report.text.isEmpty { #expect(report.text == run + "\n", "seed \(seed)") }
        }
        // Those that were not found have run nothing.
        let log = FileDescriptor.contents(of: folder.path + "/log", limit: 1 << 20) ?? []
        for line in String(decoding: log, as: UTF8.self).split(separator: "\n") {
            #expect(reports[String(line)] != nil, "seed \(seed): \(line) ran and was lost")
        }
    }

    // MARK: - Supervisors that are killed

    private func supervisor(of run: String, _ harness: Harness) throws -> Int32 {
        try #require(knownSupervisor(of: run, harness))
    }

    /// nil until it has said who it is.
    private func knownSupervisor(of run: String, _ harness: Harness) -> Int32? {
        let path = harness.folder.path + "/runs/\(run).1/identity"
        let bytes = FileDescriptor.contents(of: path, limit: 4096) ?? []
        return ProcessIdentity(Record(parsing: bytes), prefix: "supervisor")?.pid
    }

    @Test func endsTheProcessOfASupervisorThatIsKilled() throws {
        let harness = try Harness()
        let attempt = harness.sh("echo $$; (setsid sleep 1000 & echo $!; wait) & sleep 1000")
        try harness.wait("both lines") { attempt.text.filter { $0 == "\n" }.count == 2 }
        let pids = attempt.text.split(separator: "\n").compactMap { Int32($0) }
        Glibc.kill(try supervisor(of: attempt.run, harness), SIGKILL)
        try harness.wait("the report") { !harness.reports.isEmpty }
        #expect(
            harness.reports[0].ending
                == .lost("it ran, and how it ended is not known: its supervisor was killed by signal 9"))
        #expect(harness.reports[0].text == attempt.text)
        for pid in pids { try harness.wait("the end of process \(pid)") { ProcessState.isGone(pid) } }
    }

    /// Killed in the moments around the start of its process, also before it has written down who that is.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func leavesNothingBehindWheneverASupervisorIsKilled(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let harness = try Harness()
        let log = harness.folder.path + "/log"
        let attempt = harness.sh("echo $$ >> \(log); setsid sleep 1000 & echo $! >> \(log); sleep 1000")
        var supervisorPid: Int32?
        try harness.wait("the supervisor") {
            supervisorPid = knownSupervisor(of: attempt.run, harness)
            return supervisorPid != nil
        }
        // A moment that nobody chose: what it falls into is what is tested.
        usleep(useconds_t(random.next() % 3000))
        Glibc.kill(try #require(supervisorPid), SIGKILL)
        try harness.wait("the report, seed \(seed)") { !harness.reports.isEmpty }
        if case .couldNotStart = harness.reports[0].ending {
            #expect(access(log, F_OK) != 0, "seed \(seed): it is said not to have begun")
        } else {
            #expect(harness.reports[0].isLost, "seed \(seed)")
        }
        let text = String(decoding: FileDescriptor.contents(of: log, limit: 100) ?? [], as: UTF8.self)
        for pid in text.split(separator: "\n").compactMap({ Int32($0) }) {
            try harness.wait("the end of \(pid), seed \(seed)") { ProcessState.isGone(pid) }
        }
    }

    @Test func endsWhatASupervisorLeftThatDiedWithItsParent() throws {
        let folder = try ScratchFolder()
        let parent = try Parent(folder, ["echo $$; sleep 1000"])
        try parent.wait(for: "started")
        let harness = try Harness(folder: folder)
        let output = harness.runner.output(run: "run-0", attempt: 1)
        try harness.wait("the process") { output.totalCount > 0 }
        parent.kill()
        Glibc.kill(try supervisor(of: "run-0", harness), SIGKILL)
        let pid = try #require(Int32(String(decoding: output.everything(), as: UTF8.self).dropLast()))
        try harness.wait("the supervisor to be gone") {
            try harness.runner.survey(expected(1)).first?.finding.word == "begun"
        }
        try harness.wait("the end of its process") { ProcessState.isGone(pid) }
    }

    @Test func doesNotTakeAStrangerForItsOwn() throws {
        let harness = try Harness()
        let stranger = harness.sh("echo up; sleep 1000")
        try harness.waitForOutput(stranger, "up")
        // A folder from before a restart of the machine, whose numbers others have now.
        let folder = harness.folder.path + "/runs/old.1"
        try #require(mkdir(folder, 0o700) == 0)
        let pid = try stranger.process(harness)
        let now = try #require(ProcessIdentity(of: pid))
        for identity in [
            ProcessIdentity(pid: pid, startTicks: now.startTicks, bootID: "an earlier boot"),
            ProcessIdentity(pid: pid, startTicks: now.startTicks - 1, bootID: now.bootID),
        ] {
            var record = Record()
            record.add("run", "old")
            identity.add(to: &record, prefix: "supervisor")
            identity.add(to: &record, prefix: "process")
            let file = try #require(fopen(folder + "/identity", "we"))
            fwrite(record.openBytes, 1, record.openBytes.count, file)
            fclose(file)
            #expect(try harness.runner.survey([("old", 1)]).first?.finding.word == "begun")
            #expect(!ProcessState.isGone(pid))
        }
    }

    @Test func takesAnOutcomeThatWasCutShortForNone() throws {
        let harness = try Harness()
        _ = try harness.runScript("exit 3")
        let path = harness.folder.path + "/runs/run-1.1/outcome"
        #expect(try harness.runner.survey([("run-1", 1)]).first?.finding.report?.ending == .exited(3))
        truncate(path, 40)
        // Tests run side by side: what another one just forks has our lock until it executes its program.
        try harness.wait("the lock to be free") {
            try harness.runner.survey([("run-1", 1)]).first?.finding.word == "begun"
        }
    }
}
