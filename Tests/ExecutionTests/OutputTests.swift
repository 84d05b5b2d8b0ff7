import EventLoop
import Execution
import Glibc
import Processes
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
            let report = try Harness().run(["head", "-c", "\(count)", "/dev/zero"])
            #expect(report.output.keptBytes.count == count)
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
        let before = residentKiB()
        let size = 1 << 30
        let writer = harness.sh("printf start; head -c \(size) /dev/zero; printf end") { $0.outputLimit = 1 << 20 }
        var largestTurn = 0
        var othersEnded = 0
        let quick = AttemptRequest(arguments: ["/bin/true"], environment: [:], workingDirectory: "/")
        func another() {
            harness.runner.start(quick) { _ in
                othersEnded += 1
                if writer.isActive {
                    another()
                }
            }
        }
        another()
        try harness.wait("the end of the writer", seconds: 60) {
            let before = writer.output.totalCount
            _ = try? harness.loop.runOnce(timeoutUSec: 10_000)
            largestTurn = max(largestTurn, writer.output.totalCount - before)
            return !harness.reports.isEmpty
        }
        // The last of them holds the harness by its handler: nobody else would reap it, and a zombie that stays keeps the
        // test runner from ever seeing the end of an exit test.
        try harness.wait("the end of the last of the others") { harness.runner.active.isEmpty }
        let output = harness.reports[0].output
        #expect(harness.reports[0].ending == .exited(0))
        #expect(output.totalCount == size + 8)
        #expect(output.keptBytes.count == 1 << 20)
        #expect(output.droppedCount == size + 8 - (1 << 20))
        #expect(output.preview(characters: 5) == "start")
        #expect(output.tail.suffix(4) == Array("\0end".utf8))
        #expect(largestTurn <= 3 * (1 << 16), "one read a turn, and what the pipe held at the end")
        #expect(othersEnded > 10, "others run beside it")
        // Tests beside this one need memory too, under a sanitizer some hundred MiB; spawn-bench measures it alone.
        #expect(residentKiB() - before < 768 << 10)
    }

    @Test func passesBinaryOutputThrough() throws {
        var state: UInt64 = 42
        let bytes = (0..<300_000).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
        let report = try Harness().run(["cat"]) { $0.standardInput = .bytes(bytes) }
        #expect(report.output.keptBytes == bytes)
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

    // MARK: - The file

    @Test func writesTheKeptBytesToTheFileOfTheAttempt() throws {
        let folder = try ScratchFolder()
        let path = "\(folder.path)/runs/cron-x-20260101-120000.1.out"
        let report = try Harness().runScript("printf 0123456789abcdef") {
            $0.outputLimit = 8
            $0.outputPath = path
        }
        #expect(report.outputFileError == nil)
        #expect(try contents(path) == Array("0123cdef".utf8))
        #expect(try mode(path) == 0o600)
        #expect(try mode("\(folder.path)/runs") == 0o700)
        #expect(access(path + ".part", F_OK) != 0)
    }

    @Test func writesNoFileWhereNothingWasWritten() throws {
        let folder = try ScratchFolder()
        let path = "\(folder.path)/runs/quiet.out"
        #expect(try Harness().run(["/bin/true"]) { $0.outputPath = path }.outputFileError == nil)
        #expect(access(path, F_OK) != 0)
    }

    @Test func reportsTheEndEvenWhereTheFileCannotBeWritten() throws {
        let report = try Harness().runScript("echo hello; exit 2") { $0.outputPath = "/nowhere/runs/x.out" }
        #expect(report.ending == .exited(2))
        #expect(report.text == "hello\n")
        let error = try #require(report.outputFileError)
        #expect(
            error.contains("cannot write 6 bytes of output to “/nowhere/runs/x.out.part”: No such file"), "\(error)")
        let full = try Harness().runScript("echo hello") { $0.outputPath = "/proc/self/x.out" }
        #expect(full.outputFileError != nil)
    }

    @Test func doesNotFollowALinkInPlaceOfTheFile() throws {
        let folder = try ScratchFolder()
        let victim = "\(folder.path)/victim"
        close(open(victim, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644))
        symlink(victim, "\(folder.path)/x.out.part")
        let report = try Harness().runScript("echo hello") { $0.outputPath = "\(folder.path)/x.out" }
        #expect(report.outputFileError != nil)
        #expect(try contents(victim).isEmpty)
    }

    private func contents(_ path: String) throws -> [UInt8] {
        let file = try #require(fopen(path, "re"))
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        return Array(bytes[..<fread(&bytes, 1, bytes.count, file)])
    }

    private func mode(_ path: String) throws -> mode_t {
        var status = stat()
        try #require(stat(path, &status) == 0)
        return status.st_mode & 0o7777
    }
}

/// A folder that goes away, with all in it, when its object does.
final class ScratchFolder {
    let path: String

    init() throws {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? P_tmpdir
        var template = Array("\(parent)/botcron-execution-XXXXXX".utf8CString)
        path = try #require(mkdtemp(&template).map { String(cString: $0) })
    }

    deinit {
        let request = ProcessRequest(arguments: ["/bin/rm", "-rf", path], environment: [:], workingDirectory: "/")
        guard var child = try? Spawner.spawn(request) else { return }
        _ = child.waitForExit()
    }
}
