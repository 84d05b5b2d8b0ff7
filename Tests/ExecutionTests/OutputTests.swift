import EventLoop
import Execution
import Glibc
import Processes
import TestSupport
import Testing

/// What becomes of the output: kept within its bound, read without hurry, written to its file.
struct OutputTests {
    @Test func keepsStandardOutputAndErrorInOrder() throws {
        let report = try Harness().runScript("echo 1; echo 2 >&2; echo 3; echo 4 >&2")
        #expect(report.text == "1\n2\n3\n4\n")
        #expect(report.output.lastLine == "4")
    }

    @Test func keepsAllThatWasWrittenBeforeTheEnd() throws {
        // As much as a pipe holds, and an end right after it: nothing may be lost between the two.
        for count in [1, 4096, 65_535, 65_536, 200_000] {
            let harness = try Harness()
            _ = try harness.run(["head", "-c", "\(count)", "/dev/zero"])
            #expect(harness.kept().count == count)
        }
    }

    @Test func showsTheOutputWhileItRuns() throws {
        let harness = try Harness()
        let attempt = harness.sh("echo one; sleep 1000")
        try harness.waitForOutput(attempt, "one\n")
        #expect(attempt.isActive)
    }

    @Test func staysSmallAndFairBesideAProcessThatWritesOneGigabyte() throws {
        let harness = try Harness()
        let before = ProcessState.residentKiB()
        let size = 1 << 30
        let writer = harness.sh("printf start; head -c \(size) /dev/zero; printf end") { $0.outputLimit = 1 << 20 }
        var othersEnded = 0
        func another() {
            harness.runner.start(harness.request(["/bin/true"])) { _ in
                othersEnded += 1
                if writer.isActive {
                    another()
                }
            }
        }
        another()
        var largest = 0
        try harness.wait("the end of the writer") {
            largest = max(largest, bytesOnDisk(harness.folder.path + "/runs/\(writer.run).1"))
            return !writer.isActive
        }
        // The last of them holds the harness by its handler: nobody else would reap it, and a zombie that stays keeps
        // the test runner from ever seeing the end of an exit test.
        try harness.wait("the end of the last of the others") { harness.runner.active.isEmpty }
        let output = harness.reports[0].output
        #expect(harness.reports[0].ending == .exited(0))
        #expect(output.totalCount == size + 8)
        #expect(writer.output.everything().count == 1 << 20)
        #expect(output.droppedCount == size + 8 - (1 << 20))
        #expect(output.preview(characters: 5) == "start")
        #expect(output.tail.suffix(4) == Array("\0end".utf8))
        #expect(largest <= 3 << 19 + 8192, "the head, and two pieces for the tail")
        #expect(othersEnded > 2, "others run beside it")
        // Tests beside this one need memory too, under a sanitizer some hundred MiB; spawn-bench measures it alone.
        #expect(ProcessState.residentKiB() - before < 768 << 10)
    }

    private func bytesOnDisk(_ folder: String) -> Int {
        guard let directory = opendir(folder) else { return 0 }
        defer { closedir(directory) }
        var bytes = 0
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            var status = stat()
            if name.hasPrefix("out"), lstat("\(folder)/\(name)", &status) == 0 { bytes += Int(status.st_size) }
        }
        return bytes
    }

    @Test func passesBinaryOutputThrough() throws {
        var state: UInt64 = 42
        let bytes = (0..<300_000).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
        let harness = try Harness()
        let report = try harness.run(["cat"]) { $0.standardInput = .bytes(bytes) }
        let isSame = harness.kept() == bytes
        #expect(isSame)
        #expect(report.output.preview(characters: 500).unicodeScalars.count == 500)
    }

    @Test func livesWithAProcessThatClosesItsOutput() throws {
        let harness = try Harness()
        let report = try harness.runScript("echo last words; exec >&- 2>&-; sleep 0.3; exit 3")
        #expect(report.ending == .exited(3))
        #expect(report.text == "last words\n")
        // A closed pipe that is still watched would turn the loop without end.
        #expect(harness.loop.iterationCount < 200)
    }

    // MARK: - The files

    @Test func leavesOneFileBehindForItsOwnerOnly() throws {
        let harness = try Harness()
        _ = try harness.runScript("printf 0123456789abcdef") { $0.outputLimit = 8 }
        let folder = harness.folder.path + "/runs/run-1.1"
        #expect(TestFile.bytes(folder + "/output") == Array("0123cdef".utf8))
        #expect(try mode(folder + "/output") == 0o600)
        #expect(try mode(folder) == 0o700)
        #expect(try mode(harness.folder.path + "/runs") == 0o700)
        #expect(ScratchFolder.names(in: folder) == ["identity", "outcome", "output"])
        harness.runner.removeOutput(run: "run-1", attempt: 1)
        #expect(access(folder, F_OK) != 0)
        #expect(harness.runner.output(run: "run-1", attempt: 1).read(from: 0, limit: 10).bytes.isEmpty)
    }

    @Test func writesNoFileWhereNothingWasWritten() throws {
        let harness = try Harness()
        _ = try harness.run(["/bin/true"])
        #expect(ScratchFolder.names(in: harness.folder.path + "/runs/run-1.1") == ["identity", "outcome"])
    }

    @Test func startsNothingWhereItsOutcomeCouldNotBeRecorded() throws {
        let loop = try EventLoop()
        let runner = try Runner(loop: loop, folder: "/proc/self/nowhere")
        var report: AttemptReport?
        let request = AttemptRequest(
            run: "x", attempt: 1, arguments: ["/bin/true"], environment: [:], workingDirectory: "/")
        runner.start(request) { report = $0 }
        while report == nil { try loop.runOnce(timeoutUSec: nil) }
        guard case .couldNotStart(let text) = report?.ending else {
            Issue.record("it ended as \(String(describing: report?.ending))")
            return
        }
        #expect(text.contains("cannot make the folder “/proc/self/nowhere/x.1”"), "\(text)")
    }

    @Test func saysWhereItsSupervisorShouldBe() throws {
        let loop = try EventLoop()
        let folder = try ScratchFolder()
        let runner = try Runner(loop: loop, folder: folder.path + "/runs", supervisor: "/nowhere/botcron-run")
        var report: AttemptReport?
        let request = AttemptRequest(
            run: "x", attempt: 1, arguments: ["/bin/true"], environment: [:], workingDirectory: "/")
        runner.start(request) { report = $0 }
        while report == nil { try loop.runOnce(timeoutUSec: nil) }
        guard case .couldNotStart(let text) = report?.ending else {
            Issue.record("it ended as \(String(describing: report?.ending))")
            return
        }
        #expect(text.contains("/nowhere/botcron-run"), "\(text)")
    }

    @Test func readsFromAnyOffset() throws {
        let harness = try Harness()
        _ = try harness.runScript("printf 0123456789abcdef") { $0.outputLimit = 8 }
        let reader = harness.runner.output(run: "run-1", attempt: 1)
        let rows: [(Int, Int, Int, String)] = [
            (0, 100, 0, "0123"), (2, 1, 2, "2"), (3, 100, 3, "3"), (4, 100, 12, "cdef"), (9, 2, 12, "cd"),
            (14, 100, 14, "ef"),
            (16, 100, 16, ""), (99, 1, 99, ""), (-5, 2, 0, "01"),
        ]
        for (offset, limit, found, text) in rows {
            let part = reader.read(from: offset, limit: limit)
            #expect(part.bytes == Array(text.utf8), "from \(offset)")
            #expect(part.offset == found, "from \(offset)")
        }
        #expect(reader.totalCount == 16)
    }

    /// The recorder against one that keeps everything; read while it is written, and after.
    @Test(arguments: 0..<60 as Range<UInt64>)
    func keepsTheFirstAndTheLastBytes(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let folder = try ScratchFolder()
        let limit = random.next() % 2 == 0 ? Int(random.next() % 64) : Int(random.next() % 400_000)
        var identity = Record()
        identity.add("limit", Int64(limit))
        try write(identity.openBytes, to: folder.path + "/identity")
        let number = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        try #require(number >= 0)
        defer { close(number) }
        var recorder = OutputRecorder(folder: number, limit: limit)
        let reader = OutputReader(folder: folder.path)
        var all: [UInt8] = []
        let head = limit - limit / 2
        for _ in 0..<(random.next() % 30) {
            let size = random.next() % 3 == 0 ? random.next() % 65_537 : random.next() % 50
            let chunk = (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            chunk.withUnsafeBytes { recorder.append($0) }
            all += chunk
            // Where no tail is kept nobody can tell from the files how much more was written.
            guard limit > 1 else { continue }
            let live = KeptOutput(reader)
            // Not the arrays: a failure would print them.
            let isPrefix = live.head == Array(all.prefix(live.gap == 0 ? all.count : head))
            let isSuffix = live.tail == Array(all.suffix(live.tail.count))
            #expect(isPrefix && isSuffix && reader.totalCount == all.count, "seed \(seed)")
            #expect(live.bytes.count >= min(limit, all.count), "seed \(seed)")
            #expect(reader.excerpt() == live.excerpt, "seed \(seed)")
        }
        recorder.finish()
        let failure = recorder.failure
        #expect(failure == nil)
        var outcome = SupervisorOutcome(ending: .exited(0))
        outcome.outputCount = Int64(recorder.totalCount)
        outcome.headCount = Int64(recorder.headCount)
        outcome.tailCount = Int64(recorder.tailCount)
        try write(outcome.record.bytes, to: folder.path + "/outcome")
        recorder.discardSegments()
        let kept = KeptOutput(reader)
        let wanted = Array(all.prefix(head)) + Array(all.dropFirst(head).suffix(limit / 2))
        let isKept = kept.bytes == wanted
        #expect(isKept && reader.totalCount == all.count, "seed \(seed)")
        #expect(reader.excerpt() == kept.excerpt, "seed \(seed)")
        #expect(reader.excerpt().droppedCount == all.count - wanted.count, "seed \(seed)")
        #expect(folder.names().allSatisfy { !$0.hasPrefix("output.") })
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        let file = try #require(fopen(path, "we"))
        defer { fclose(file) }
        try #require(fwrite(bytes, 1, bytes.count, file) == bytes.count)
    }

    private func mode(_ path: String) throws -> mode_t {
        var status = stat()
        try #require(stat(path, &status) == 0)
        return status.st_mode & 0o7777
    }
}

extension ScratchFolder {
    func write(_ text: String, to name: String) throws {
        let file = try #require(fopen("\(path)/\(name)", "we"))
        fputs(text, file)
        fclose(file)
    }
}
