import DBus
import EventLoop
import Glibc
import JSON
import TestSupport
import Testing

/// Everything that may be wrong around the daemon, and what it says and does then.
@Suite(.ownThread) struct BadInputTests {
    private static let good: JSONValue = ["name": "good", "cron": "0 0 * * *", "command": ["true"]]

    @Test func withoutAConfigFileItStartsWithoutJobsAndSaysWhereItLooked() throws {
        let session = try Session()
        let daemon = try session.start()
        #expect(try session.json("list_jobs") == [])
        #expect(daemon.text.contains(session.configFile), "\(daemon.text)")
        #expect(try session.json("HealthCheck")["healthy"] == true)
        // A file that comes later is taken up.
        try TestFile.write(Session.config(jobs: [Self.good]), to: session.configFile)
        try session.signal("JobsChanged")
        #expect(try session.job("good")["error"] == nil)
    }

    @Test func withoutTheFolderOfItTheFileIsTakenUpAllTheSame() throws {
        let session = try Session()
        rmdir(session.scratch.path + "/config/aa-workflow")
        rmdir(session.scratch.path + "/config")
        let daemon = try session.start()
        #expect(try session.json("list_jobs") == [])
        #expect(daemon.text.contains(session.configFile), "\(daemon.text)")
        try TestFile.makeFolder(session.scratch.path + "/config/aa-workflow")
        try TestFile.write(Session.config(jobs: [Self.good]), to: session.configFile)
        try session.signal("JobsChanged")
        #expect(try session.job("good")["error"] == nil)
    }

    @Test(arguments: [
        ("{\n  \"schedules\": {\"jobs\": [,]}\n}", 2, 26), ("", 1, 1), ("{\"a\": 1}\n}", 2, 1),
        ("{\n\"schedules\": {}", 2, 16),
    ])
    func jsonThatDoesNotParseKeepsNoDaemonFromStarting(text: String, line: Int, column: Int) throws {
        let session = try Session(config: text)
        let daemon = try session.start()
        #expect(daemon.text.contains(session.configFile), "\(daemon.text)")
        #expect(Self.names(daemon.text, line, column), "\(line):\(column) in \(daemon.text)")
        let health = try session.json("HealthCheck")
        #expect(health["healthy"] == false)
        #expect(Self.names(health.text("message"), line, column), "\(health)")
        let fault = try session.json("GetStatus")["config_error"]
        #expect(fault?["line"] == .number(line) && fault?["column"] == .number(column), "\(fault ?? .null)")
        // Mended, it is taken up without anybody's doing.
        try TestFile.write(Session.config(jobs: [Self.good]), to: session.configFile)
        try session.signal("JobsChanged")
        #expect(try session.json("HealthCheck")["healthy"] == true)
    }

    /// A typo in config.json left no scheduler at all after the next login.
    @Test func aTypoDoesNotOutliveTheNextLogin() throws {
        let session = try Session(jobs: [Self.good])
        let first = try session.start()
        try session.wait("the good section is kept") { try session.json("HealthCheck")["healthy"] == true }
        #expect(try session.stop(first) == 0)
        try TestFile.write("{\"schedules\": {\"jobs\": [{]}", to: session.configFile)
        try session.start()
        #expect(try session.json("list_jobs").arrayValue?.map { $0.text("name") } == ["good"])
        #expect(try session.json("HealthCheck")["healthy"] == false)
    }

    @Test func jsonThatDoesNotParseChangesNothingOnReload() throws {
        let session = try Session(jobs: [Self.good])
        try session.start()
        let broken = "{\n  \"schedules\": {\"jobs\": [,]}\n}"
        try TestFile.write(broken, to: session.configFile)
        let error = try session.refusal("reload_config")
        #expect(error.name == "com.aiworkflow.BotCron.Error.InvalidConfig")
        #expect(Self.names(error.message, 2, 26), "\(error)")
        #expect(try session.json("list_jobs").arrayValue?.map { $0.text("name") } == ["good"])
        let health = try session.json("HealthCheck")
        #expect(health["checks"]?["config_valid"] == false)
        #expect(health["healthy"] == false)
        #expect(Self.names(health.compactText, 2, 26), "\(health)")
        #expect(try session.runToEnd("good")["status"] == "success")
        #expect(TestFile.text(session.configFile) == broken)

        try TestFile.write(
            Session.config(jobs: [Self.good, ["name": "new", "command": ["true"]]]), to: session.configFile)
        try session.signal("JobsChanged")
        #expect(try session.json("HealthCheck")["checks"]?["config_valid"] == true)
        #expect(try session.json("list_jobs").arrayValue?.count == 2)
    }

    private static func names(_ text: String, _ line: Int, _ column: Int) -> Bool {
        text.contains("line \(line), column \(column)") || text.contains(":\(line):\(column)")
    }

    @Test func aBadJobIsListedWithItsErrorAndTheOthersRun() throws {
        /// What is wrong with the job, and what its error must name.
        let table: [(JSONValue, [String])] = [
            (["cron": "0 9 * * *", "timezone": "Mars/Olympus", "command": ["true"]], ["timezone", "Mars/Olympus"]),
            (["cron": "0 9 * * MON-FRX", "command": ["true"]], ["unknown_name day_of_week \"FRX\" at 12"]),
            (["cron": "0 0 30 2 *", "command": ["true"]], ["never_fires day_of_month \"30\" at 4"]),
            (["cron": "0 9 * * *"], ["command", "skill"]),
            (["cron": "0 9 * * *", "command": []], ["command"]),
            (["cron": "0 9 * * *", "comand": ["true"]], ["comand", "command"]),
            (["cron": 5, "command": ["true"]], ["cron"]),
            (["cron": "0 9 * * *", "interval": "5m", "command": ["true"]], ["cron", "interval"]),
            (["cron": "0 9 * * *", "skill": "x", "command": ["true"]], ["skill", "command"]),
            (["cron": "0 9 * * *", "skill": "x", "execution_mode": "telepathy"], ["telepathy"]),
            (["command": ["true"], "timeout_seconds": "soon"], ["timeout_seconds", "soon"]),
            (["command": ["true"], "retry": ["max_attempts": -1]], ["max_attempts"]),
            (["command": ["true"], "enabled": "perhaps"], ["enabled"]),
        ]
        var jobs = [Self.good]
        for (index, row) in table.enumerated() {
            var job = row.0.objectValue ?? [:]
            job["name"] = .string("bad\(index)")
            jobs.append(.object(job))
        }
        let session = try Session(jobs: jobs)
        let daemon = try session.start()
        for (index, row) in table.enumerated() {
            let job = try session.job("bad\(index)")
            for word in row.1 { #expect(job.text("error").contains(word), "\(row.0): \(word) in \(job.text("error"))") }
            #expect(job["next_run"] == .null, "\(row.0)")
            let refused = try session.refusal("run_job", .string("bad\(index)"))
            #expect(refused.name == "com.aiworkflow.BotCron.Error.InvalidJob", "\(row.0): \(refused)")
            #expect(daemon.text.contains("bad\(index)"), "\(row.0)")
        }
        #expect(try session.job("good")["error"] == nil)
        #expect(try session.runToEnd("good")["status"] == "success")
        #expect(try session.json("list_jobs").arrayValue?.count == table.count + 1)
    }

    @Test func ofTwoJobsOfOneNameTheFirstStandsAndTheOtherIsListed() throws {
        let session = try Session(jobs: [
            ["name": "twin", "command": ["echo", "first"]], Self.good,
            ["name": "twin", "command": ["echo", "second"]],
        ])
        try session.start()
        let jobs = try #require(try session.json("list_jobs").arrayValue).filter { $0.text("name") == "twin" }
        #expect(jobs.count == 2)
        #expect(jobs.filter { $0["error"] == .null }.count == 1)
        #expect(jobs.contains { $0.text("error").contains("twin") })
        #expect(try session.runToEnd("twin")["output_preview"] == "first\n")
    }

    @Test func ajobWithoutANameOrThatIsNoObjectIsListed() throws {
        let session = try Session(jobs: [Self.good, ["command": ["true"]], 5, ["name": "a b", "command": ["true"]]])
        try session.start()
        let jobs = try #require(try session.json("list_jobs").arrayValue)
        #expect(jobs.count == 4)
        #expect(jobs.filter { $0["error"] == .null }.map { $0.text("name") } == ["good"])
        #expect(jobs.contains { $0.text("error").contains("title") }, "\(jobs)")
    }

    @Test func aMissingProgramFailsTheRunWithTheReason() throws {
        let session = try Session(jobs: [
            ["name": "none", "command": ["no-such-program-anywhere"]],
            ["name": "folder", "command": ["true"], "working_directory": "/no/such/folder"],
        ])
        try session.start()
        let run = try session.runToEnd("none")
        #expect(run["status"] == "failed")
        #expect(run.text("error").contains("no-such-program-anywhere"))
        let other = try session.runToEnd("folder")
        #expect(other["status"] == "failed")
        #expect(other.text("error").contains("/no/such/folder"))
    }

    @Test func aStateFolderThatCannotBeWrittenIsNamed() throws {
        let session = try Session(jobs: [Self.good])
        let file = session.scratch.path + "/file"
        try TestFile.write("", to: file)
        for folder in [file + "/below", "/proc/no/such"] {
            let daemon = try session.launch(["--state-dir", folder])
            #expect(try session.end(daemon) == 73, "\(folder)")
            #expect(daemon.text.contains(folder), "\(daemon.text)")
        }
        let daemon = try session.launch([], ["XDG_STATE_HOME": file])
        #expect(try session.end(daemon) == 73)
        #expect(daemon.text.contains(file + "/aa-workflow"), "\(daemon.text)")
    }

    @Test func aStoreThatIsNoDatabaseIsNamed() throws {
        let session = try Session(jobs: [Self.good])
        try TestFile.makeFolder(session.stateFolder)
        try TestFile.makeFolder(session.stateFolder + "/botcron.db")
        let daemon = try session.launch()
        #expect(try session.end(daemon) == 73)
        #expect(daemon.text.contains(session.stateFolder + "/botcron.db"), "\(daemon.text)")
    }

    @Test func aSecondDaemonOnTheBusSaysWhoOwnsTheName() throws {
        let session = try Session(jobs: [Self.good])
        let first = try session.start()
        let second = try session.launch(["--state-dir", session.scratch.path + "/other"])
        #expect(try session.end(second) == 69)
        #expect(second.text.contains("com.aiworkflow.BotCron"), "\(second.text)")
        #expect(second.text.contains("\(first.pid)"), "\(second.text)")
        #expect(first.code == nil)
        #expect(try session.call("Ping") == ["pong"])
    }

    @Test func aSecondDaemonWithTheSameStateFolderIsRefused() throws {
        let session = try Session(jobs: [Self.good])
        let first = try session.start()
        let elsewhere = try Session()
        let second = try session.launch([], ["DBUS_SESSION_BUS_ADDRESS": elsewhere.address])
        #expect(try session.end(second) == 69)
        #expect(second.text.contains(session.stateFolder), "\(second.text)")
        #expect(first.code == nil)
        try elsewhere.settle()
        #expect(elsewhere.signals.isEmpty)
    }

    @Test func withoutABusItSaysHowToGetOne() throws {
        let session = try Session(jobs: [Self.good])
        for address in [nil, "unix:path=/no/such/socket", "", "nonsense"] as [String?] {
            let daemon = try session.launch([], ["DBUS_SESSION_BUS_ADDRESS": address])
            #expect(try session.end(daemon) == 69, "\(address ?? "no address"): \(daemon.text)")
            #expect(daemon.text.contains("dbus-run-session"), "\(address ?? "no address"): \(daemon.text)")
            if let address, !address.isEmpty { #expect(daemon.text.contains(address)) }
        }
        let daemon = try session.launch(["--bus", "unix:path=/no/such/socket"])
        #expect(try session.end(daemon) == 69)
    }

    @Test func theBusMayBeNamedAndTheHomeMayBeMissing() throws {
        let session = try Session(jobs: [["name": "where", "command": ["pwd"]]])
        try session.start(
            ["--bus", session.address], ["DBUS_SESSION_BUS_ADDRESS": nil, "HOME": nil, "XDG_RUNTIME_DIR": nil])
        #expect(try session.runToEnd("where")["status"] == "success")
    }

    @Test func aBusThatGoesAwayEndsAServiceThatIsStartedAnew() throws {
        let session = try Session(jobs: [["name": "long", "command": ["sh", "-c", "echo $$ > pid; exec sleep 100"]]])
        let daemon = try session.start([], ["NOTIFY_SOCKET": session.scratch.path + "/nobody"])
        _ = try session.json("run_job", "long")
        var process: Int?
        try session.look(for: "the process of the run") {
            let text = TestFile.text(session.scratch.path + "/home/pid")
            process = text.hasSuffix("\n") ? Int(text.dropLast()) : nil
            return process != nil
        }
        session.bus.kill()
        let deadline = ProcessState.monotonicUSec + 20_000_000
        while daemon.code == nil, ProcessState.monotonicUSec < deadline {
            try session.loop.runOnce(timeoutUSec: 100_000)
        }
        // So that the service manager starts it anew on the next bus.
        #expect(daemon.code == 69, "\(daemon.text)")
        // Its supervisor keeps it for the next one.
        #expect(!ProcessState.isGone(try #require(process)))
        let next = try Session(config: TestFile.text(session.configFile))
        try next.start(["--state-dir", session.stateFolder])
        let run = try #require(try next.history().first)
        #expect(run["status"] == "running")
        try next.done("cancel_run", .string(run.text("execution_id")))
        #expect(try next.waitForRun(run.text("execution_id"))["status"] == "cancelled")
    }
}
