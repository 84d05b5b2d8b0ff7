import EventLoop
import Execution
import Glibc
import Processes
import TestSupport
import Testing

/// What can be said of an attempt from what is left of it: the folder, its lock, what its supervisor wrote.
@Suite struct EvidenceTests {
    private let harness: Harness

    init() throws {
        harness = try Harness()
    }

    private var runs: String { harness.folder.path + "/runs" }

    private func finding(_ run: String, _ attempt: Int = 1) throws -> String? {
        try harness.runner.survey([(run, attempt)]).first?.finding.word
    }

    /// What other tests just fork has our locks until it executes its program.
    private func expect(_ wanted: String, of run: String) throws {
        try harness.wait("\(run) to be \(wanted)") { try finding(run) == wanted }
    }

    private func write(_ record: Record, _ name: String, in run: String) throws {
        try harness.folder.write(String(decoding: record.openBytes, as: UTF8.self), to: "runs/\(run).1/\(name)")
    }

    // MARK: - Claims

    @Test func aClaimIsAnEmptyFolderThatTheStartTakes() throws {
        let request = harness.request(["/bin/sh", "-c", "echo ran"])
        try harness.runner.claim(run: request.run, attempt: 1)
        #expect(try Folder(runs + "/run-1.1").names().isEmpty)
        var status = stat()
        try #require(lstat(runs + "/run-1.1", &status) == 0)
        #expect(status.st_mode & 0o777 == 0o700)
        #expect(try finding("run-1") == "not begun")
        var report: AttemptReport?
        harness.runner.start(request) { report = $0 }
        var inode = stat()
        try #require(lstat(runs + "/run-1.1", &inode) == 0 && inode.st_ino == status.st_ino, "it is the same folder")
        try harness.wait("the end") { report != nil }
        #expect(report?.text == "ran\n")
        #expect(try finding("run-1") == "ended")
    }

    /// Whatever an earlier attempt of the same name, or somebody's hand, has left where the folder is to be.
    @Test(arguments: ["files", "folders", "a file", "a link", "a pipe"])
    func aClaimTakesAwayWhatIsInItsWay(obstacle: String) throws {
        let path = runs + "/run-1.1"
        let foreign = harness.folder.path + "/foreign"
        try #require(mkdir(foreign, 0o700) == 0)
        try harness.folder.write("precious", to: "foreign/file")
        switch obstacle {
        case "files", "folders":
            try #require(mkdir(path, 0o700) == 0)
            for name in ["identity", "outcome", "output", "output.7"] {
                try harness.folder.write("old", to: "runs/run-1.1/\(name)")
            }
            guard obstacle == "folders" else { break }
            try #require(mkdir(path + "/credentials", 0o700) == 0 && mkdir(path + "/remarks.new", 0o700) == 0)
            try #require(symlink(foreign, path + "/remarks") == 0)
        case "a file": try harness.folder.write("old", to: "runs/run-1.1")
        case "a link": try #require(symlink(foreign, path) == 0)
        default: try #require(mkfifo(path, 0o600) == 0)
        }
        let report = try harness.runScript("echo ran")
        #expect(report.ending == .exited(0))
        #expect(report.text == "ran\n")
        #expect(access(foreign + "/file", F_OK) == 0, "a link is not followed")
    }

    @Test func aClaimSaysWhyItCannotBe() throws {
        try #require(rmdir(runs) == 0)
        try harness.folder.write("", to: "runs")
        #expect {
            try harness.runner.claim(run: "run-1", attempt: 1)
        } throws: { error in
            "\(error)".contains("cannot make the folder") && "\(error)".contains("Not a directory")
        }
    }

    @Test func aThousandClaimsAreOneCallEach() throws {
        for number in 0..<1000 { try harness.runner.claim(run: "crowd-\(number)", attempt: 1) }
        let found = try harness.runner.survey((0..<1000).map { ("crowd-\($0)", 1) })
        #expect(found.count == 1000)
        #expect(found.allSatisfy { $0.finding.word == "not begun" })
    }

    @Test func theRunsFolderComesBackWhereSomebodyRemovedIt() throws {
        try #require(rmdir(runs) == 0)
        #expect(try harness.runScript("echo ran").text == "ran\n")
        let isRemoved = Folder(runs).remove()
        #expect(isRemoved)
        try harness.runner.claim(run: "run-9", attempt: 1)
        #expect(try finding("run-9") == "not begun")
    }

    // MARK: - Findings

    @Test func oneWhoseSupervisorNeverWentPastItsGateHasNotBegun() throws {
        let held = harness.hold(harness.request([]))
        try expect("held", of: "run-1")
        kill(try #require(held.supervisorPID), SIGKILL)
        try harness.wait("its end") { !harness.reports.isEmpty }
        try expect("not begun", of: "run-1")
        // The folder serves the same attempt again.
        var again = harness.request(["/bin/sh", "-c", "echo ran"])
        again.run = "run-1"
        var report: AttemptReport?
        harness.runner.start(again) { report = $0 }
        try harness.wait("the end") { report != nil }
        #expect(report?.text == "ran\n")
    }

    @Test func whatBegunMeansStandsInTheIdentityAlone() throws {
        for (run, fields, wanted) in [
            ("claimed", [], "not begun"), ("named", ["run"], "not begun"), ("begun", ["run", "begun"], "begun"),
        ] as [(String, [String], String)] {
            try harness.runner.claim(run: run, attempt: 1)
            var record = Record()
            for field in fields { field == "begun" ? record.add(field, where: true) : record.add(field, run) }
            if !fields.isEmpty { try write(record, "identity", in: run) }
            #expect(try finding(run) == wanted)
        }
    }

    @Test func aSupervisorWritesThatItBeginsBeforeItsProcessIs() throws {
        let attempt = harness.sh("cat \(runs)/run-1.1/identity; sleep 1000")
        try harness.waitForOutput(attempt, "supervisor-pid")
        #expect(attempt.text.contains("begun 1\n1\n"), "\(attempt.text)")
    }

    /// Where it cannot be written down that the job began, the job does not begin: nobody could tell later.
    @Test func nothingBeginsWhereThatCannotBeRecorded() throws {
        let mark = harness.folder.path + "/mark"
        var request = harness.request([])
        let held = harness.hold(request)
        // The folder goes while the supervisor waits at its gate.
        try #require(Folder(runs + "/run-1.1").remove())
        request.arguments = ["/usr/bin/touch", mark]
        held.proceed(with: request)
        try harness.wait("the end") { !harness.reports.isEmpty }
        guard case .couldNotStart(let reason) = harness.reports[0].ending else {
            Issue.record("it ended as \(harness.reports[0].ending)")
            return
        }
        #expect(reason.contains("could not begin its work: it exited with status 71"), "\(reason)")
        #expect(access(mark, F_OK) != 0)
    }

    /// `rm -rf` of the run folders while a job runs: it ended well, its supervisor could not record that, and the run
    /// was told as one that had never started, and started again.
    @Test(arguments: ["exit 0", "exit 3", "kill -9 $$"])
    func oneThatRanIsLostWhenItsFolderIsGone(ending: String) throws {
        let attempt = harness.sh("echo up; read line < \(harness.folder.path)/gate; \(ending)")
        try #require(mkfifo(harness.folder.path + "/gate", 0o600) == 0)
        try harness.waitForOutput(attempt, "up")
        try #require(Folder(runs).remove())
        try harness.folder.write("go\n", to: "gate")
        try harness.wait("the end") { !harness.reports.isEmpty }
        #expect(
            harness.reports[0].ending
                == .lost("it ran, and how it ended could not be recorded: its folder is gone"))
        #expect(try finding("run-1") == "gone")
    }

    @Test func theSupervisorOfAFolderThatIsGoneIsFoundAndEnded() throws {
        let attempt = harness.sh("echo $$; setsid sleep 1000 & echo $!; wait")
        try harness.wait("both lines") { attempt.text.filter { $0 == "\n" }.count == 2 }
        let pids = attempt.text.split(separator: "\n").compactMap { Int32($0) }
        let supervisor = try #require(attempt.supervisorPID)
        // One with the same run elsewhere is another daemon's.
        let other = try Harness()
        let stranger = other.sh("echo up; sleep 1000")
        try other.waitForOutput(stranger, "up")
        try #require(Folder(runs + "/run-1.1").remove())
        let next = try Harness(folder: harness.folder)
        #expect(try next.runner.survey([("run-1", 1)]).first?.finding.word == "gone")
        for pid in pids + [supervisor] { try harness.wait("the end of \(pid)") { ProcessState.isGone(pid) } }
        let strangerPID = try #require(stranger.supervisorPID)
        #expect(stranger.isActive && !ProcessState.isGone(strangerPID))
        try harness.wait("its report") { !harness.reports.isEmpty }
        #expect(harness.reports[0].isLost)
    }

    /// Only the lock's file is gone: what looks like a claim is an attempt at work.
    @Test func aSupervisorWhoseIdentityIsGoneIsFoundToo() throws {
        let attempt = harness.sh("echo $$; sleep 1000")
        try harness.waitForOutput(attempt, "\n")
        let pid = try attempt.process(harness)
        unlink(runs + "/run-1.1/identity")
        #expect(try Harness(folder: harness.folder).runner.survey([("run-1", 1)]).first?.finding.word == "begun")
        try harness.wait("the end of its process") { ProcessState.isGone(pid) }
    }

    // MARK: - The table of exits

    /// A supervisor that exits as each row says, and what is made of it. It writes down that it has begun, or not.
    @Test(
        arguments: [
            (SupervisorExit.recorded, "lost", "lost"), (.noRequest, "could not start", "could not start"),
            (.notBegun, "could not start", "could not start"), (.unrecorded, "lost", "lost"),
            (.shortOfResources, "short", "short"), (nil, "could not start", "lost"),
        ] as [(SupervisorExit?, String, String)])
    func everyExitHasOneMeaning(row: (exit: SupervisorExit?, unbegun: String, begun: String)) throws {
        for (hasBegun, wanted) in [(false, row.unbegun), (true, row.begun)] {
            for ending in row.exit.map({ ["exit \($0.rawValue)"] }) ?? ["exit 1", "exit 200", "kill -KILL $$"] {
                let begun = hasBegun ? "printf 'begun 1\\n1\\n' >> identity;" : ""
                try harness.folder.write("#!/bin/sh\n\(begun) \(ending)\n", to: "supervisor")
                chmod(harness.folder.path + "/supervisor", 0o700)
                let other = try Harness(supervisor: harness.folder.path + "/supervisor")
                let report = try other.run(["/bin/true"])
                let found =
                    switch report.ending {
                    case .lost: "lost"
                    case .couldNotStart: "could not start"
                    case .shortOfResources: "short"
                    default: "\(report.ending)"
                    }
                #expect(found == wanted, "\(ending), begun: \(hasBegun): \(report.ending)")
            }
        }
    }

    @Test func noTwoExitsAreOne() {
        #expect(Set(SupervisorExit.allCases.map(\.rawValue)).count == 5)
        #expect(!SupervisorExit.allCases.contains { $0.rawValue == 1 }, "any program may exit so")
    }

    // MARK: - Living folders

    @Test func aFolderThatIsHeldIsNeverRemoved() throws {
        let attempt = harness.sh("echo up; sleep 1000")
        try harness.waitForOutput(attempt, "up")
        #expect(!harness.runner.removeOutput(run: "run-1", attempt: 1))
        #expect(throws: ExecutionError.self) { try harness.runner.claim(run: "run-1", attempt: 1) }
        // Nor by a start of the same name.
        var report: AttemptReport?
        var again = harness.request(["/bin/true"])
        again.run = "run-1"
        harness.runner.start(again) { report = $0 }
        try harness.wait("the second one's end") { report != nil }
        guard case .couldNotStart(let reason) = report?.ending else {
            Issue.record("\(String(describing: report))")
            return
        }
        #expect(reason.contains("the supervisor of an attempt holds it"), "\(reason)")
        #expect(try finding("run-1") == "held")
        attempt.kill()
        try harness.wait("its end") { !harness.reports.isEmpty }
        #expect(harness.reports[0].isCancelled)
        try harness.wait("the lock to be free") { harness.runner.removeOutput(run: "run-1", attempt: 1) }
        #expect(try finding("run-1") == "gone")
    }

    /// A crash of the daemon doubled a condition's command: the old one still ran, and its folder was deleted under it.
    @Test func aLeftoverIsEndedBeforeAnotherOfItsName() throws {
        let errand = harness.sh("trap 'echo asked; exit' TERM; echo up; while :; do sleep 0.01; done")
        try harness.waitForOutput(errand, "up")
        let next = try Harness(folder: harness.folder)
        var isOver = false
        next.runner.endLeftover(run: "run-1", attempt: 1) { isOver = true }
        #expect(!isOver, "never from within")
        try next.wait("its end") { isOver }
        try harness.wait("the report") { !harness.reports.isEmpty }
        #expect(harness.reports[0].isCancelled)
        #expect(harness.reports[0].text.contains("asked"))
        // The next of its name has the folder.
        #expect(try next.runScript("echo next").text == "next\n")
    }

    @Test(arguments: ["none", "claimed", "ended"])
    func whereNothingIsLeftItIsOverAtOnce(what: String) throws {
        if what == "claimed" { try harness.runner.claim(run: "run-1", attempt: 1) }
        if what == "ended" { _ = try harness.run(["/bin/true"]) }
        var overCount = 0
        harness.runner.endLeftover(run: "run-1", attempt: 1) { overCount += 1 }
        #expect(overCount == 0)
        try harness.wait("that it is over") { overCount > 0 }
        try harness.loop.runOnce(timeoutUSec: 1000)
        #expect(overCount == 1)
        #expect(harness.runner.active.isEmpty)
    }
}
