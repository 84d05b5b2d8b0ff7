import EventLoop
import Execution
import Glibc
import Processes
import TestSupport
import Testing

/// Limits of the machine that are reached, and attempts that try to bring it down.
struct HardshipTests {
    /// Whether `program` may mount a file system of its own here, in a namespace that ends with it.
    private static let canMount: Bool = {
        let request = ProcessRequest(
            arguments: ["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], environment: Harness.path,
            workingDirectory: "/")
        guard var child = try? Spawner.spawn(request) else { return false }
        return child.waitForExit().ending == .exited(0)
    }()

    /// The outcome of an attempt whose folder is on a disk of 200 KiB. By its bound the disk is full at the first half
    /// of the output, at the last, or only when the last is put behind the first at the end.
    @Test(.enabled(if: canMount, "mounting is not allowed here"), arguments: [1 << 20, 300_000, 120_000])
    func recordsHowItEndedOnAFullDisk(bound: Int) throws {
        let folder = try ScratchFolder()
        let disk = folder.path + "/disk"
        try #require(mkdir(disk, 0o700) == 0)
        // A daemon of its own in a namespace of its own; what it leaves on the small disk is shown at the end.
        let crashChild = TestPlace.built("run-crash-child")
        let script = """
            mount -t tmpfs -o size=200k none \(disk) && mkdir \(disk)/runs || exit 9
            \(crashChild) \(disk)/runs 'head -c 1000000 /dev/zero; exit 3' >/dev/null & parent=$!
            i=0; while [ ! -e \(disk)/runs/run-0.1/outcome ] && [ $i -lt 1000 ]; do sleep 0.02; i=$((i+1)); done
            cat \(disk)/runs/run-0.1/outcome; wc -c < \(disk)/runs/run-0.1/output >&2
            kill -9 $parent
            """
        let pipe = try Pipe()
        var request = ProcessRequest(
            arguments: ["unshare", "-m", "/bin/sh", "-c", script], environment: Harness.path, workingDirectory: "/")
        request.environment["OUTPUT_LIMIT"] = String(bound)
        request.standardOutput = pipe.writeEnd.number
        var child = try Spawner.spawn(request)
        _ = child.waitForExit()
        var buffer = [UInt8](repeating: 0, count: 4096)
        guard case .bytes(let count) = buffer.withUnsafeMutableBytes({ pipe.readEnd.read(into: $0) }) else {
            Issue.record("there is no outcome")
            return
        }
        let outcome = try #require(SupervisorOutcome(Record(parsing: Array(buffer[..<count]))))
        #expect(outcome.ending == .exited(3), "the process never notices")
        #expect(outcome.outputCount == 1_000_000)
        #expect(outcome.headCount > 0 && outcome.headCount < 200_000)
        #expect(outcome.tailCount == 0)
        let error = outcome.outputError ?? ""
        #expect(error.contains("No space left on device"), "\(outcome)")
        #expect(error.contains("after the first \(outcome.headCount) bytes is not kept"), "\(error)")
    }

    @Test func endsAForkBombWithItsEscapees() throws {
        let harness = try Harness()
        // Each generation leaves the session of the one before, up to a bound of its own.
        let script = """
            bomb() { [ $1 -gt 0 ] || exec sleep 1000; setsid sh -c "$2" bomb $(($1-1)) "$2" & setsid sh -c "$2" bomb $(($1-1)) "$2" & wait; }
            bomb 6 'trap "" TERM; echo $$; [ $1 -gt 0 ] || exec sleep 1000; setsid sh -c "$2" bomb $(($1-1)) "$2" & setsid sh -c "$2" bomb $(($1-1)) "$2" & wait'
            """
        let attempt = harness.sh(script) { $0.killGrace = .milliseconds(100) }
        try harness.wait("the processes") { attempt.text.filter { $0 == "\n" }.count == 126 }
        let pids = attempt.text.split(separator: "\n").compactMap { Int32($0) }
        attempt.cancel()
        try harness.wait("the end") { !harness.reports.isEmpty }
        #expect(harness.reports[0].isCancelled)
        #expect(pids.filter { !ProcessState.isGone($0) }.isEmpty)
    }

    @Test func killsWhatForksOnAndOn() throws {
        let harness = try Harness()
        // A chain of processes, each of which starts the next and goes: nobody is there for long.
        let attempt = harness.sh(
            "trap '' TERM; chain='setsid sh -c \"$0\" \"$0\" &'; echo up; setsid sh -c \"$chain\" \"$chain\"; sleep 1000"
        ) {
            $0.killGrace = .milliseconds(100)
        }
        try harness.waitForOutput(attempt, "up")
        attempt.cancel()
        try harness.wait("the end") { !harness.reports.isEmpty }
        #expect(harness.reports[0].isCancelled)
        #expect(harness.reports[0].ending == .signaled(SIGKILL, coreDumped: false))
    }

    /// Whether a user without rights, whom limits bind, can run the programs of the tests.
    private static let canBeSomebodyElse: Bool = {
        let program = TestPlace.built("run-crash-child")
        let request = ProcessRequest(
            arguments: ["setpriv", "--reuid=61234", "--clear-groups", "test", "-x", program], environment: Harness.path,
            workingDirectory: "/")
        guard var child = try? Spawner.spawn(request) else { return false }
        return child.waitForExit().ending == .exited(0)
    }()

    @Test(.enabled(if: canBeSomebodyElse, "only root may become somebody else"))
    func recordsThatNoProcessCouldBe() throws {
        let harness = try Harness()
        let folder = harness.folder.path + "/runs"
        for path in [harness.folder.path, folder] { try #require(chown(path, 61234, 61234) == 0) }
        // Enough for the one that starts it and for the supervisor, and not for the process.
        let request = ProcessRequest(
            arguments: [
                "setpriv", "--reuid=61234", "--clear-groups", "prlimit", "--nproc=2",
                TestPlace.built("run-crash-child"), folder, "exit 0",
            ], environment: Harness.path, workingDirectory: "/")
        var parent = try Spawner.spawn(request)
        defer {
            parent.send(SIGKILL, to: .process)
            _ = parent.waitForExit()
        }
        try harness.wait("the outcome") { access(folder + "/run-0.1/outcome", F_OK) == 0 }
        let bytes = FileDescriptor.contents(of: folder + "/run-0.1/outcome", limit: 1 << 16) ?? []
        guard case .shortOfResources(let text) = SupervisorOutcome(parsing: bytes)?.ending else {
            Issue.record("\(String(decoding: bytes, as: UTF8.self))")
            return
        }
        #expect(text.contains("raise the limit of processes"), "\(text)")
    }

    // MARK: - What the process says of itself

    @Test func tellsTheProcessItsContextAndHearsItsRemarks() throws {
        let report = try Harness().runScript(
            "cat <&3; printf 'progress 20\\r\\n' >&3; echo unknown 1 >&3; echo 'progress 40' >&3; echo 'result {\"a\": 1}' >&3; echo cost 0.12 >&3"
        ) {
            $0.context = "{\"inputs\":\"\(String(repeating: "x", count: 500_000))\"}"
        }
        #expect(report.output.totalCount == 500_014)
        #expect(report.output.tail.last == 10)
        #expect(report.remarks == ["progress": "40", "result": "{\"a\": 1}", "cost": "0.12"])
    }

    @Test func hearsNothingWhereTheProcessDoesNotCare() throws {
        let harness = try Harness()
        let report = try harness.runScript("exec 3>&-; sleep 0.1; echo $BOTCRON_CONTEXT_FD; exit 2") {
            $0.context = String(repeating: "x", count: 5_000_000)
        }
        #expect(report.ending == .exited(2))
        #expect(report.text == "3\n")
        #expect(report.remarks.isEmpty)
        let without = try harness.runScript("echo \"${BOTCRON_CONTEXT_FD-none}\"; ls /proc/self/fd | wc -l")
        #expect(without.text == "none\n4\n")
    }

    @Test func ignoresLinesWithoutEnd() throws {
        let report = try Harness().runScript(
            "head -c 200000 /dev/zero | tr '\\0' x >&3; echo >&3; echo progress 1 >&3; printf 'cost 9' >&3"
        ) {
            $0.context = "{}"
        }
        #expect(report.remarks == ["progress": "1"])
    }

    @Test func givesCredentialsAsFilesForAsLongAsItRuns() throws {
        let harness = try Harness()
        let attempt = harness.sh(
            "cd $CREDENTIALS_DIRECTORY; pwd; stat -c '%n %a' . *; cat token; echo up; while [ -e token ] && ! [ -e \(harness.folder.path)/go ]; do sleep 0.02; done"
        ) {
            $0.credentials = ["token": .contents(Array("secret".utf8)), "empty": .contents([])]
        }
        try harness.waitForOutput(attempt, "up")
        let lines = attempt.text.split(separator: "\n").map(String.init)
        #expect(lines.dropFirst() == [". 700", "empty 400", "token 400", "secretup"])
        close(open(harness.folder.path + "/go", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600))
        try harness.wait("the end") { !harness.reports.isEmpty }
        #expect(access(lines[0], F_OK) != 0)
        // Nowhere else either.
        for name in ["identity", "outcome"] {
            let bytes = FileDescriptor.contents(of: harness.folder.path + "/runs/run-1.1/" + name, limit: 1 << 20) ?? []
            #expect(!String(decoding: bytes, as: UTF8.self).contains("secret"))
        }
    }
}
