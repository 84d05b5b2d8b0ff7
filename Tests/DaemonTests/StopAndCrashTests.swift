import DBus
import Glibc
import JSON
import TestSupport
import Testing

/// The daemon's ends, good and bad, and what is there afterwards.
@Suite(.ownThread) struct StopAndCrashTests {
    private static let long: JSONValue = [
        "name": "long", "command": ["sh", "-c", "echo $$ > pid; exec sleep 100"], "on_stop": "kill",
    ]
    /// Goes on until there is a file `open`.
    private static let gate: JSONValue = [
        "name": "gate",
        "command": ["sh", "-c", "echo begun; while ! test -e open; do sleep 0.05; done; echo ended; exit 3"],
    ]

    /// The process of the job `long`, once it runs.
    private func processOfLong(_ session: Session) throws -> Int {
        var process: Int?
        try session.look(for: "the process of the run") {
            let text = TestFile.text(session.scratch.path + "/home/pid")
            process = text.hasSuffix("\n") ? Int(text.dropLast()) : nil
            return process != nil
        }
        return try #require(process)
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func aSignalStopsItWithinTwoSecondsWhenNothingRuns(number: Int32) throws {
        let session = try Session(jobs: [["name": "one", "cron": "0 0 * * *", "command": ["true"]]])
        let daemon = try session.start()
        try session.runToEnd("one")
        let begin = ProcessState.monotonicUSec
        #expect(try session.stop(daemon, number) == 0)
        #expect(ProcessState.monotonicUSec - begin < 2_000_000)
        try session.signal("StatusChanged", "stopping")
        // The write-ahead log was folded into the store.
        let names = ScratchFolder.names(in: session.stateFolder)
        #expect(names.contains("botcron.db"))
        #expect(!names.contains("botcron.db-wal"), "\(names)")
    }

    @Test func shutdownStopsItAsASignalDoes() throws {
        let session = try Session(jobs: [Self.long])
        let daemon = try session.start()
        let answer = try session.json("Shutdown")
        #expect(answer["error"] == nil)
        #expect(try session.end(daemon) == 0)
    }

    @Test func aRunThatAStopEndsIsInterrupted() throws {
        let session = try Session(jobs: [Self.long])
        let daemon = try session.start()
        let id = try session.json("run_job", "long").text("execution_id")
        let process = try processOfLong(session)
        #expect(try session.stop(daemon) == 0)
        #expect(ProcessState.isGone(process))
        try session.start()
        let run = try session.run(id)
        #expect(run["status"] == "interrupted")
        #expect(run["success"] == false)
        #expect(run.text("error").isEmpty == false)
        try session.signal("JobFailed", "long", id)
        #expect(session.story(id) == ["JobStarted", "JobFailed"])
        #expect(try session.job("long")["running"] == [])
    }

    @Test func aRunThatWaitsAtAStopIsRunByTheNextDaemon() throws {
        let session = try Session(jobs: [
            ["name": "gate", "command": ["sh", "-c", "test -e open || exec sleep 100"], "on_stop": "kill"]
        ])
        let daemon = try session.start()
        let first = try session.json("run_job", "gate").text("execution_id")
        let second = try session.json("run_job", "gate").text("execution_id")
        try TestFile.write("", to: session.scratch.path + "/home/open")
        try session.stop(daemon)
        try session.start()
        #expect(try session.waitForRun(second)["status"] == "success")
        #expect(try session.run(first)["status"] == "interrupted")
        #expect(session.story(first) == ["JobStarted", "JobFailed"])
        #expect(session.story(second) == ["JobStarted", "JobCompleted"])
    }

    @Test(arguments: [SIGTERM, SIGKILL])
    func aRunGoesOnWithoutItsDaemonAndTheNextTakesItOver(signal: Int32) throws {
        let session = try Session(jobs: [Self.gate, ["name": "daily", "cron": "0 0 * * *", "command": ["true"]]])
        let daemon = try session.start()
        let next = try session.job("daily").text("next_run")
        let id = try session.json("run_job", "gate").text("execution_id")
        try session.signal("JobStarted", "gate", id)
        if signal == SIGKILL { try session.crash(daemon) } else { #expect(try session.stop(daemon) == 0) }
        try session.start()
        #expect(try session.run(id)["status"] == "running")
        #expect(try session.json("run_job", "gate")["status"] == "queued", "its slot is still taken")
        try TestFile.write("", to: session.scratch.path + "/home/open")
        let run = try session.waitForRun(id)
        #expect(run["status"] == "failed")
        #expect(run["exit_code"] == 3)
        #expect(run.text("output_preview") == "begun\nended\n")
        #expect(session.story(id) == ["JobStarted", "JobFailed"])
        #expect(try session.job("daily").text("next_run") == next)
    }

    @Test(arguments: [SIGTERM, SIGKILL])
    func aRunThatEndsWithoutADaemonIsBookedByTheNext(signal: Int32) throws {
        let session = try Session(jobs: [Self.gate])
        let daemon = try session.start()
        let id = try session.json("run_job", "gate").text("execution_id")
        try session.signal("JobStarted", "gate", id)
        if signal == SIGKILL { try session.crash(daemon) } else { #expect(try session.stop(daemon) == 0) }
        let home = session.scratch.path + "/home"
        try TestFile.write("", to: home + "/open")
        try session.look(for: "the outcome") {
            access("\(session.stateFolder)/runs/\(id).1/outcome", F_OK) == 0
        }
        try session.start()
        try session.signal("JobFailed", "gate", id)
        let run = try session.run(id)
        #expect(run["status"] == "failed")
        #expect(run["exit_code"] == 3)
        #expect(run.text("output_preview") == "begun\nended\n")
        #expect(session.story(id) == ["JobStarted", "JobFailed"])
    }

    @Test func aRunThatIsTakenOverCanBeCancelled() throws {
        let session = try Session(jobs: [Self.gate])
        let daemon = try session.start()
        let id = try session.json("run_job", "gate").text("execution_id")
        try session.crash(daemon)
        try session.start()
        try session.done("cancel_run", .string(id))
        #expect(try session.waitForRun(id)["status"] == "cancelled")
    }

    @Test func aRunThatIsToFinishIsWaitedFor() throws {
        let session = try Session(jobs: [
            [
                "name": "finish", "command": ["sh", "-c", "echo > begun; while ! test -e open; do sleep 0.05; done"],
                "on_stop": "finish",
            ]
        ])
        let daemon = try session.start()
        let id = try session.json("run_job", "finish").text("execution_id")
        let home = session.scratch.path + "/home"
        try session.look(for: "the run") { access(home + "/begun", F_OK) == 0 }
        kill(pid_t(daemon.pid), SIGTERM)
        try session.signal("StatusChanged", "stopping")
        try TestFile.write("", to: home + "/open")
        try session.signal("JobCompleted", "finish", id)
        #expect(try session.end(daemon) == 0)
    }

    @Test func aRunWhoseSupervisorIsKilledIsInterruptedAndAnnounced() throws {
        let session = try Session(jobs: [Self.long])
        let daemon = try session.start()
        let id = try session.json("run_job", "long").text("execution_id")
        let process = try processOfLong(session)
        let supervisor = TestFile.text("/proc/\(daemon.pid)/task/\(daemon.pid)/children").split(separator: " ")
            .compactMap { pid_t($0) }
        #expect(supervisor.count == 1)
        for pid in supervisor { kill(pid, SIGKILL) }
        let failed = try session.signal("JobFailed", "long", id)
        #expect(failed[2].isEmpty == false)
        #expect(try session.run(id)["status"] == "interrupted")
        try session.look(for: "the end of the process") { ProcessState.isGone(process) }
        #expect(session.story(id) == ["JobStarted", "JobFailed"])
        // Its slot is free again.
        #expect(try session.json("run_job", "long")["status"] == "running")
    }

    /// Every fire time of two crashes and the time between: none twice, none lost without a run that stands for it.
    @Test func noFireTimeRunsTwiceAndAllAreAccountedFor() throws {
        let session = try Session(jobs: [
            [
                "name": "tick", "cron": "* * * * * *",
                "command": ["sh", "-c", "echo $BOTCRON_SCHEDULED_AT $BOTCRON_MISSED $BOTCRON_SOURCE >> ticks"],
            ]
        ])
        for downSeconds in [0, 3] {
            let daemon = try session.start()
            let before = session.signals.count
            try session.signal("JobCompleted", "tick", after: before)
            try session.signal("JobStarted", "tick", after: session.signals.count)
            try session.crash(daemon)
            // A wait that is the thing measured: fire times pass while nobody is there.
            let up = time(nil) + downSeconds
            try session.look(for: "\(downSeconds) s without a daemon") { time(nil) >= up }
        }
        let daemon = try session.start()
        try session.signal("JobCompleted", "tick", after: session.signals.count)
        try session.signal("JobCompleted", "tick", after: session.signals.count)
        try session.done("toggle_job", "tick", .bool(false))
        try session.wait("all runs over") { try session.job("tick")["running"] == [] }
        try session.stop(daemon)

        let lines = TestFile.text(session.scratch.path + "/home/ticks").split(separator: "\n").map {
            $0.split(separator: " ").map(String.init)
        }
        let fired = lines.compactMap { $0.first.flatMap(FiringTests.seconds) }
        #expect(fired.count == lines.count)
        #expect(Set(fired).count == fired.count, "\(lines)")
        let first = try #require(fired.min())
        let last = try #require(fired.max())
        let covered = lines.compactMap { $0.count > 1 ? Int($0[1]) : nil }.reduce(0, +)
        // A fire time that was claimed when the daemon was killed, and not started, may be missing, one for each crash.
        #expect((last - first - 1...last - first + 1).contains(covered), "\(lines)")
        #expect(lines.contains { (Int($0[1]) ?? 0) > 1 }, "a catch-up run that stands for several: \(lines)")
    }

    @Test func togglesSurviveARestartAndACrash() throws {
        let session = try Session(jobs: [
            ["name": "one", "cron": "0 0 * * *", "command": ["true"]],
            ["name": "off", "cron": "0 0 * * *", "command": ["true"], "enabled": false],
        ])
        let daemon = try session.start()
        try session.done("toggle_job", "one", .bool(false))
        try session.done("toggle_job", "off", .bool(true))
        try session.done("toggle_scheduler", .bool(false))
        try session.crash(daemon)
        let again = try session.start()
        #expect(try session.property("Enabled") == .bool(false))
        #expect(try session.job("one")["enabled"] == false)
        #expect(try session.job("off")["enabled"] == true)
        try session.done("toggle_scheduler", .bool(true))
        try session.stop(again)
        try session.start()
        #expect(try session.property("Enabled") == .bool(true))
        #expect(try session.job("one")["next_run"] == .null)
        #expect(try session.job("off")["next_run"] != .null)
        _ = try session.json("reload_config")
        #expect(try session.job("one")["enabled"] == false)
    }

    @Test func historyAndCountsSurviveARestart() throws {
        let session = try Session(jobs: [["name": "one", "command": ["false"]]])
        let daemon = try session.start()
        let run = try session.runToEnd("one")
        try session.stop(daemon)
        try session.start()
        #expect(try session.history().first?["execution_id"] == run["execution_id"])
        let job = try session.job("one")
        #expect(job["run_count"] == 1)
        #expect(job["failure_count"] == 1)
        #expect(job["last_status"] == "failed")
        #expect(try session.json("GetStatus")["jobs_executed"] == 1)
        // Unique for ever: also in the second of the restart.
        #expect(try session.runToEnd("one")["execution_id"] != run["execution_id"])
    }

    @Test func aRetrySurvivesARestart() throws {
        let session = try Session(jobs: [
            [
                "name": "flaky", "command": ["sh", "-c", "test $BOTCRON_ATTEMPT = 2"],
                "retry": ["max_attempts": 2, "delay_seconds": 1],
            ]
        ])
        let daemon = try session.start()
        let id = try session.json("run_job", "flaky").text("execution_id")
        try session.signal("JobRetrying", "flaky", id)
        try session.crash(daemon)
        try session.start()
        #expect(try session.waitForRun(id)["status"] == "success")
        try session.signal("JobCompleted", "flaky", id)
        #expect(session.story(id) == ["JobStarted", "JobRetrying", "JobCompleted"])
    }
}
