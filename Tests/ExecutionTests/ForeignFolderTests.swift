import EventLoop
import Execution
import Glibc
import Processes
import TestSupport
import Testing

/// What lies in the folders of runs is foreign: whatever it is, it is read within bounds and without waiting.
@Suite struct ForeignFolderTests {
    private let harness: Harness

    init() throws {
        harness = try Harness()
    }

    private var path: String { harness.folder.path + "/runs/run-1.1" }

    private func write(_ bytes: [UInt8], _ name: String) throws {
        let file = try #require(fopen("\(path)/\(name)", "we"))
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
    }

    /// Everything that is ever read of a folder.
    private func readAll() throws {
        let finding = try harness.runner.survey([("run-1", 1)])[0].finding
        if let report = finding.report {
            _ = report.output.preview(characters: 500)
            _ = report.output.lastLine
            #expect(report.output.bytes.count <= 2 * OutputExcerpt.partBytesMax)
            #expect(report.output.totalCount >= 0 && report.output.droppedCount >= 0)
            _ = report.endedUSec - report.startedUSec + report.userCPUUSec + report.systemCPUUSec
        }
        let output = harness.runner.output(run: "run-1", attempt: 1)
        for offset in [0, 1, 1 << 20, .max - 1, .max, .min] {
            let part = output.read(from: offset, limit: .max)
            #expect(part.bytes.count <= OutputReader.bytesMax && part.nextOffset >= 0)
        }
        #expect(output.read(from: 0, limit: -1).bytes.isEmpty)
        #expect(output.excerpt().bytes.count <= 2 * OutputExcerpt.partBytesMax)
        #expect(output.totalCount >= 0)
        var adopted: AttemptReport?
        let handle = harness.runner.adopt(try harness.runner.survey([("run-1", 1)])[0]) { adopted = $0 }
        _ = handle.remarks
        _ = handle.isStalled
        _ = handle.pid
        try harness.wait("the end of the adopted one") { adopted != nil }
        let kept = harness.runner.attemptsKept()
        while kept.next() != nil {}
    }

    private static let outcome = "exited 1\n0\nstarted 1\n5\nended 1\n6\n"

    /// The first two ended the daemon at every start (SIGILL).
    @Test(arguments: [
        "head 19\n9223372036854775807\nwritten 1\n7\n",
        "head 19\n9223372036854775807\ntail 19\n9223372036854775807\n",
        "head 2\n-1\n", "tail 20\n-9223372036854775808\n", "written 19\n9223372036854775807\ntail 1\n1\n",
        "head 19\n4611686018427387904\ntail 19\n4611686018427387904\nwritten 1\n0\n",
        "started 20\n-9223372036854775808\n", "ended 19\n9223372036854775807\n", "user 2\n-5\n",
        "max-rss 19\n9223372036854775807\n", "head 1\n3\nwritten 1\n2\n",
    ])
    func anOutcomeThatNoSupervisorWritesIsNone(fields: String) throws {
        try harness.runner.claim(run: "run-1", attempt: 1)
        // The first field of a name counts.
        let text = "exited 1\n0\n" + fields + Self.outcome + "end 0\n\n"
        #expect(SupervisorOutcome(parsing: Array(text.utf8)) == nil)
        try write(Array(text.utf8), "outcome")
        try write(Array("abc".utf8), "output")
        try readAll()
        #expect(try harness.runner.survey([("run-1", 1)])[0].finding.report == nil)
    }

    @Test(arguments: [
        "exited 3\n256\n", "exited 2\n-1\n", "signal 1\n0\n", "signal 2\n65\n", "signal 1\nx\nexited 1\nx\n",
    ])
    func noEndingIsMadeUp(fields: String) {
        let outcome = SupervisorOutcome(parsing: Array((fields + "end 0\n\n").utf8))
        #expect(outcome == nil || outcome?.ending == .lost("somebody else took the exit status of its process"))
    }

    @Test(arguments: [
        "output.9223372036854775807", "output.4611686018427387904", "output.-1", "output.+7", "output.007", "output.",
        "output.99999999999999999999", "output.2",
    ])
    func aSegmentAtAnImpossiblePlaceIsNone(name: String) throws {
        try harness.runner.claim(run: "run-1", attempt: 1)
        try write(Array("run 5\nrun-1\nlimit 2\n10\n".utf8), "identity")
        try write(Array("01234".utf8), "output")
        try write(Array("abc".utf8), name)
        try readAll()
        #expect(harness.runner.output(run: "run-1", attempt: 1).excerpt().bytes == Array("01234".utf8))
    }

    /// The outcome says that there was output, and somebody removed it: it was looked for a hundred times at each read.
    @Test(arguments: ["removed", "emptied"])
    func outputThatIsGoneIsLookedForOnce(how: String) throws {
        try harness.runner.claim(run: "run-1", attempt: 1)
        try write(Array(("written 1\n5\ntail 1\n2\n" + Self.outcome + "end 0\n\n").utf8), "outcome")
        if how == "emptied" { try write([], "output") }
        let output = harness.runner.output(run: "run-1", attempt: 1)
        let before = try readCallCount()
        let part = output.read(from: 0, limit: 10)
        // The outcome, and what is read to count.
        #expect(try readCallCount() - before < 20)
        #expect(part.bytes.isEmpty && part.nextOffset == 0)
        #expect(output.totalCount == 5)
    }

    /// The reads of this thread so far, these among them.
    private func readCallCount() throws -> Int {
        let text = FileDescriptor.contents(of: "/proc/thread-self/io", limit: 4096) ?? []
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
        let line = try #require(lines.first { $0.hasPrefix("syscr: ") })
        return try #require(Int(line.dropFirst("syscr: ".count)))
    }

    @Test(arguments: [Int64.max, .min, -1, 0, 1 << 62])
    func aBoundMayBeAnything(limit: Int64) throws {
        try harness.runner.claim(run: "run-1", attempt: 1)
        var identity = Record()
        identity.add("run", "run-1")
        identity.add("limit", limit)
        try write(identity.openBytes, "identity")
        try write(Array("01234".utf8), "output")
        try readAll()
    }

    private static let names = ["identity", "outcome", "remarks", "output", "output.5", "outcome.new", "remarks.new"]

    /// A pipe called `remarks` held the daemon for good.
    @Test(arguments: names, ["a pipe", "a link", "a link to nothing", "a folder", "a device", "2 GiB", "a socket"])
    func whateverHasTheNameOfAFileKeepsNobodyWaiting(name: String, thing: String) throws {
        _ = try harness.runScript("echo words")
        let file = "\(path)/\(name)"
        unlink(file)
        switch thing {
        case "a pipe": try #require(mkfifo(file, 0o600) == 0)
        case "a link": try #require(symlink("/etc/passwd", file) == 0)
        case "a link to nothing": try #require(symlink("/nowhere", file) == 0)
        case "a folder": try #require(mkdir(file, 0o700) == 0)
        case "a device": try #require(symlink("/dev/zero", file) == 0)
        case "2 GiB":
            try write([], name)
            try #require(truncate(file, 2 << 30) == 0)
        default:
            let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(number) }
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: file.utf8.prefix(107)) }
            _ = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        }
        try readAll()
        try harness.wait("the folder to go") { harness.runner.removeOutput(run: "run-1", attempt: 1) }
        #expect(access(path, F_OK) != 0)
    }

    /// The sweep removes what it is told of; a name that is not its own must not lead it to another.
    @Test func whatAFolderSaysOfItselfLeadsNowhereElse() throws {
        for name in ["x~1.1", "run.+5", "run.007", "a.-1", "..1", "x~y.9223372036854775807", "x.99999999999999999999"] {
            let folder = harness.folder.path + "/runs/" + name
            try #require(mkdir(folder, 0o700) == 0)
            let file = try #require(fopen(folder + "/identity", "we"))
            fputs("run 5\nother\n", file)
            fclose(file)
        }
        let kept = harness.runner.attemptsKept()
        while let (run, attempt) = kept.next() {
            let name = RunFolder.name(run: run, attempt: attempt)
            #expect(access(harness.folder.path + "/runs/" + name, F_OK) == 0, "\(run) \(attempt)")
        }
    }

    /// Folders of any files with any bytes, half of them made of what belongs there.
    @Test(arguments: 0..<150 as Range<UInt64>)
    func anyFolderIsReadWithoutHarm(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        try harness.runner.claim(run: "run-1", attempt: 1)
        let words = [
            "run", "attempt", "limit", "begun", "supervisor-pid", "supervisor-start", "supervisor-boot", "process-pid",
            "process-start", "process-boot", "scope", "exited", "signal", "core", "failure", "shortage", "lost",
            "started", "ended", "user", "system", "max-rss", "written", "head", "tail", "remark", "value", "end",
        ]
        let numbers: [Int64] = [0, 1, -1, 2, 7, 64, 255, 256, 65_536, 1 << 31, 1 << 61, 1 << 62, .max, .min]
        for name in Self.names + ["output.0", "output.70000"] where random.next() % 3 != 0 {
            var bytes: [UInt8] = []
            if name.hasPrefix("out") && name != "outcome" || random.next() % 4 == 0 {
                bytes = (0..<(random.next() % 70_000)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            } else {
                var record = Record()
                for _ in 0..<(random.next() % 20) {
                    let word = words[Int(random.next() % UInt64(words.count))]
                    // No number of a process: whoever has it is a stranger.
                    guard !word.hasSuffix("pid") else { continue }
                    record.add(word, numbers[Int(random.next() % UInt64(numbers.count))])
                }
                bytes = random.next() % 2 == 0 ? record.bytes : record.openBytes
                if random.next() % 3 == 0, !bytes.isEmpty {
                    bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
                }
            }
            try write(bytes, name)
        }
        do {
            try readAll()
        } catch {
            Issue.record("seed \(seed): \(error)")
        }
    }

    /// 1 GiB of kept output made a report of 2.9 GB, which took 24 s.
    @Test func aReportDoesNotGrowWithTheOutput() throws {
        let size = 1 << 30
        try harness.runner.claim(run: "run-1", attempt: 1)
        try write(Array("the first line\n".utf8), "output")
        try #require(truncate(path + "/output", off_t(size)) == 0)
        let file = try #require(fopen(path + "/output", "ae"))
        fputs("\nthe last line\n", file)
        fclose(file)
        var outcome = SupervisorOutcome(ending: .exited(0))
        outcome.headCount = Int64(size) + 15
        outcome.outputCount = outcome.headCount
        try write(outcome.record.bytes, "outcome")
        let before = processorUSec()
        let report = try #require(try harness.runner.survey([("run-1", 1)])[0].finding.report)
        #expect(report.output.preview(characters: 14) == "the first line")
        #expect(report.output.lastLine == "the last line")
        #expect(report.output.totalCount == size + 15 && report.output.droppedCount == 0)
        #expect(report.output.bytes.count == 2 * OutputExcerpt.partBytesMax)
        #expect(processorUSec() - before < 50_000, "of processor time of this thread")
        #expect(harness.runner.output(run: "run-1", attempt: 1).read(from: 5, limit: .max).bytes.count == 1 << 20)
    }

    private func processorUSec() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}
