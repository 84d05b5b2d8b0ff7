import Glibc
import Processes
import TestSupport
import Testing

struct SpawnerTests {
    // MARK: - Ends

    struct EndRow: CustomTestStringConvertible {
        let script: String
        let ending: ProcessExit.Ending
        var testDescription: String { script }
    }

    @Test(arguments: [
        EndRow(script: "exit 0", ending: .exited(0)),
        EndRow(script: "exit 1", ending: .exited(1)),
        EndRow(script: "exit 75", ending: .exited(75)),
        EndRow(script: "exit 126", ending: .exited(126)),
        EndRow(script: "exit 127", ending: .exited(127)),
        EndRow(script: "exit 255", ending: .exited(255)),
        EndRow(script: "kill -HUP $$", ending: .signaled(SIGHUP, coreDumped: false)),
        EndRow(script: "kill -KILL $$", ending: .signaled(SIGKILL, coreDumped: false)),
        EndRow(script: "kill -TERM $$", ending: .signaled(SIGTERM, coreDumped: false)),
        EndRow(script: "kill -PIPE $$", ending: .signaled(SIGPIPE, coreDumped: false)),
        EndRow(script: "ulimit -c 0; kill -SEGV $$", ending: .signaled(SIGSEGV, coreDumped: false)),
    ])
    func reportsHowTheProcessEnded(row: EndRow) throws {
        #expect(try Finished(["/bin/sh", "-c", row.script]).exit.ending == row.ending)
    }

    @Test func reportsWhatTheProcessUsed() throws {
        let exit = try Finished(["/bin/sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"]).exit
        #expect(exit.ending == .exited(0))
        #expect(exit.userCPUUSec > 10_000)
        #expect(exit.systemCPUUSec >= 0)
        #expect(exit.maxRSSKiB > 500)
    }

    // MARK: - What the process gets

    @Test func passesEveryArgumentUnchanged() throws {
        let arguments = [
            "", " ", "a b", "\"quoted\"", "it's", "$HOME", "$(id)", "`id`", "a\nb\n", "\\n", "*", "-n", "--", "%s",
            "ü€😀",
            "\t\r\u{1B}[0m", String(repeating: "x", count: 100 << 10), String(repeating: "é", count: 65_535), "",
        ]
        let finished = try Finished(["printf", "%s\\0"] + arguments)
        #expect(finished.exit.ending == .exited(0))
        let received = finished.output.split(separator: 0, omittingEmptySubsequences: false).dropLast()
        #expect(received.map { String(decoding: $0, as: UTF8.self) } == arguments)
    }

    @Test func passesTheEnvironmentAndNothingElse() throws {
        let environment = [
            "PATH": "/usr/bin:/bin", "EMPTY": "", "LINES_": "a\nb=c", "QUOTES": "'\"$(id)", "é": "ü",
        ]
        let finished = try Finished(["env", "-0"], environment: environment)
        let entries = finished.output.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        #expect(entries == environment.map { "\($0.key)=\($0.value)" }.sorted())
    }

    @Test func runsWithAnEmptyEnvironment() throws {
        let finished = try Finished(["env", "-0"], environment: [:])
        #expect(finished.exit.ending == .exited(0))
        #expect(finished.output.isEmpty)
    }

    @Test func startsInTheWorkingDirectory() throws {
        let folder = try ScratchFolder()
        #expect(try Finished(["/bin/pwd", "-P"], in: folder.path).lines == [folder.path])
    }

    @Test func readsNothingFromStandardInputByDefault() throws {
        #expect(try Finished(["readlink", "/proc/self/fd/0"]).lines == ["/dev/null"])
        #expect(try Finished(["cat"]).output.isEmpty)
    }

    @Test(arguments: [0, 1, 65_536, 3_000_000])
    func readsBytesFromStandardInput(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let input = FileDescriptorBox(try FileDescriptor.holding(bytes))
        let finished = try Finished(["cat"]) { $0.standardInput = input.number }
        #expect(finished.output == bytes)
    }

    @Test func hasNoOpenFilesButTheStandardOnes() throws {
        // Some that are not close-on-exec, as a careless library leaves them.
        let careless = (0..<8).map { _ in open("/dev/null", O_RDONLY) }
        defer {
            for number in careless { close(number) }
        }
        // Asked one by one: listing the folder opens another.
        let numbers = Set(0..<100).union(careless).sorted()
        let script = "for i in $*; do [ -e /proc/$$/fd/$i ] && echo $i; done; true"
        let finished = try Finished(["/bin/sh", "-c", script, "sh"] + numbers.map { "\($0)" })
        #expect(careless.allSatisfy { $0 > 2 })
        #expect(finished.lines == ["0", "1", "2"])
    }

    @Test func hasNoSignalBlockedOrIgnored() throws {
        var blocked = sigset_t()
        var before = sigset_t()
        sigemptyset(&blocked)
        sigaddset(&blocked, SIGUSR1)
        sigaddset(&blocked, SIGTERM)
        pthread_sigmask(SIG_BLOCK, &blocked, &before)
        // Of the whole process, but nobody minds: the default is to ignore it as well.
        signal(SIGWINCH, SIG_IGN)
        defer {
            pthread_sigmask(SIG_SETMASK, &before, nil)
            signal(SIGWINCH, SIG_DFL)
        }
        let finished = try Finished(["grep", "-E", "^Sig(Blk|Ign|Cgt):", "/proc/self/status"])
        let sets = finished.lines.map { $0.split(separator: "\t").map(String.init) }
        #expect(sets.map { $0[0] } == ["SigBlk:", "SigIgn:", "SigCgt:"])
        #expect(sets[0][1] == "0000000000000000")
        #expect(sets[1][1] == "0000000000000000")
    }

    @Test(arguments: [true, false])
    func leadsItsOwnGroup(startsSession: Bool) throws {
        // Fields of stat: pid (comm) state ppid pgrp session tty.
        let finished = try Finished(["/bin/sh", "-c", "echo $$; exec cat /proc/$$/stat"]) {
            $0.startsSession = startsSession
        }
        let pid = try #require(finished.lines.first.flatMap { Int32($0) })
        let fields = finished.lines[1].split(separator: " ")
        #expect(Int32(fields[4]) == pid)
        #expect(Int32(fields[5]) == (startsSession ? pid : getsid(0)))
        if startsSession {
            #expect(fields[6] == "0", "a session of its own has no terminal")
        }
    }

    @Test func keepsStandardOutputAndErrorApart() throws {
        let pipe = try Pipe()
        let errors = FileDescriptorBox(pipe.readEnd)
        let writer = FileDescriptorBox(pipe.writeEnd)
        let output = try Pipe()
        let outputs = FileDescriptorBox(output.readEnd)
        do {
            var request = ProcessRequest(
                arguments: ["/bin/sh", "-c", "echo out; echo err >&2"], environment: [:], workingDirectory: "/")
            let outputWriter = FileDescriptorBox(output.writeEnd)
            request.standardOutput = outputWriter.number
            request.standardError = writer.number
            let child = try Child(request)
            #expect(child.waitForExit().ending == .exited(0))
        }
        var buffer = [UInt8](repeating: 0, count: 64)
        #expect(outputs.read(into: &buffer) == .bytes(4))
        #expect(outputs.readableByteCount == 0)
        #expect(errors.readableByteCount == 4)
        #expect(errors.read(into: &buffer) == .bytes(4))
        #expect(errors.read(into: &buffer) == .wouldBlock)
    }

    // MARK: - Where the program is

    @Test func looksUpTheProgramInThePathOfTheRequest() throws {
        let folder = try ScratchFolder()
        try folder.file("tool-of-the-job", "#!/bin/sh\necho found")
        let rows = [
            ("\(folder.path)", "/"), ("/nowhere:\(folder.path)", "/"), (".", folder.path), ("", folder.path),
            ("/nowhere:", folder.path), (":/nowhere", folder.path),
        ]
        for (path, workingDirectory) in rows {
            let finished = try Finished(["tool-of-the-job"], environment: ["PATH": path], in: workingDirectory)
            #expect(finished.text == "found\n", "PATH \(path) in \(workingDirectory)")
        }
        #expect(try Finished(["./tool-of-the-job"], environment: [:], in: folder.path).text == "found\n")
    }

    @Test func passesOverWhatIsNotExecutable() throws {
        let first = try ScratchFolder()
        let second = try ScratchFolder()
        try first.file("tool", "#!/bin/sh\necho first", mode: 0o644)
        try second.file("tool", "#!/bin/sh\necho second")
        let finished = try Finished(["tool"], environment: ["PATH": "\(first.path):\(second.path)"])
        #expect(finished.text == "second\n")
    }

    // MARK: - Signals

    @Test func signalsTheWholeGroup() throws {
        let request = ProcessRequest(
            arguments: ["/bin/sh", "-c", "sleep 1000 & sleep 1000 & echo up; wait"],
            environment: ["PATH": "/bin:/usr/bin"],
            workingDirectory: "/")
        let (child, output) = try Finished.start(request)
        try waitUntilReadable(output.number, 10, "the group to be up")
        #expect(child.peekExit() == nil)
        #expect(child.send(0, to: .group))
        #expect(child.send(SIGKILL, to: .group))
        // The output ends only when all three are gone.
        #expect(try readToEnd(output) == Array("up\n".utf8))
        #expect(child.waitForExit().ending == .signaled(SIGKILL, coreDumped: false))
    }

    @Test func signalsNobodyAfterTheProcessIsReaped() throws {
        let request = ProcessRequest(arguments: ["/bin/sleep", "1000"], environment: [:], workingDirectory: "/")
        let (child, _) = try Finished.start(request)
        #expect(child.reap() == nil)
        #expect(child.send(SIGTERM, to: .process))
        try waitUntilReadable(child.pidfd, 10, "the end of the process")
        #expect(child.peekExit()?.ending == .signaled(SIGTERM, coreDumped: false))
        #expect(child.send(0, to: .group), "an ended leader keeps the id of its group")
        #expect(child.reap()?.ending == .signaled(SIGTERM, coreDumped: false))
        #expect(child.isReaped)
        #expect(!child.send(0, to: .process))
        #expect(!child.send(0, to: .group))
        #expect(child.reap()?.ending == .lost)
    }
}
