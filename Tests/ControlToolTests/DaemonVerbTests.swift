import Contract
import JSON
import TestSupport
import Testing

@testable import botcronctl

/// The real botcronctl against the real botcrond on a private bus.
@Suite struct DaemonVerbTests {
    private let stage: Stage

    init() throws { stage = try Stage() }

    private func golden(_ name: String, code: Int32 = 0, _ outcome: TestProgram.Outcome) throws {
        #expect(outcome.code == code, "\(outcome)")
        try Golden.expect(Golden.settled(outcome.output, stage) + outcome.errors, name)
    }

    private func json(_ outcome: TestProgram.Outcome) throws -> JSONValue { try JSONValue(parsing: outcome.output) }

    // MARK: - Tables

    @Test func listShowsJobsOfEveryKindAndWhereABadOneIsWrong() throws {
        try golden("list.txt", try stage.control("list"))
        #expect(try stage.control() == stage.control("list"))
    }

    @Test func whySaysHowAJobStandsAndWhatBecomesOfAFireTime() throws {
        #expect(try stage.control("why", "off").output == "the job is disabled\n")
        #expect(try stage.control("why", "bad").output.hasPrefix("unknown_name day_of_week \"FRX\""))
        let fire = try #require(json(stage.control("show", "far", "--json"))["next_run"]?.stringValue)
        #expect(try stage.control("why", "far", "--at", fire).output == "it will be run at \(fire)\n")
        let reasons = try json(stage.control("why", "far", "--at", fire, "--json"))["reasons"]
        #expect(reasons?[0]?["code"] == "will_run")
        #expect(try stage.control("why", "nobody").code == 4)
        #expect(try stage.control("why", "far", "--at", "soon").code == 1)
    }

    @Test func waitingEndsWithZeroExactlyWhereTheRunSucceeded() throws {
        let stage = try Stage(
            """
            {"schedules": {"jobs": [
              {"name": "three", "command": "exit 3", "success_exit_codes": [3]},
              {"name": "zero", "command": "exit 0", "success_exit_codes": [3]}
            ]}}
            """)
        #expect(try stage.control("run", "three", "--wait").code == 0)
        #expect(try stage.control("run", "zero", "--wait").code == 1)
    }

    @Test func doctorSaysWhatIsAroundTheDaemon() throws {
        let outcome = try stage.control("doctor")
        // One of the jobs is refused.
        #expect(outcome.code == 1, "\(outcome)")
        #expect(outcome.output.contains("logind  is away"), "\(outcome)")
        let all = try json(stage.control("doctor", "--json")).arrayValue ?? []
        let names = Set(all.map { $0.text("name") })
        #expect(
            names.isSuperset(of: [
                "configuration", "store", "logind", "user manager", "wake-up alarms", "notification server",
                "message targets",
            ]))
        #expect(all.first { $0.text("name") == "store" }?["serves"] == true)
    }

    @Test func columnsAreAligned() throws {
        let lines = try stage.control("list").output.split(separator: "\n").map(Array.init)
        let header = try #require(lines.first)
        for word in ["NEXT", "LAST", "SCHEDULE"] {
            let column = try #require(header.indices.first { header[$0...].starts(with: word) })
            for line in lines[1...7] where line.count > column {
                #expect(line[column - 1] == " " && line[column - 2] == " ", "\(String(line))")
            }
        }
    }

    @Test func jobsAreListedByPatternAndByTag() throws {
        func names(_ arguments: String...) throws -> [String] {
            try json(stage.control(["list", "--json"] + arguments)).arrayValue?.map { $0.text("name") } ?? []
        }
        #expect(try names("f*") == ["fails", "far"])
        #expect(try names("standup") == ["standup"])
        #expect(try names("--tag", "none") == [])
        #expect(try stage.control("list", "x*").output == "No job is like that; botcronctl list shows all.\n")
        #expect(try names("--failed") == ["bad"], "what is refused")
    }

    @Test func nothingIsColouredOrCutInAPipe() throws {
        let outcome = try stage.control("list", environment: ["TERM=xterm", "COLUMNS=20"])
        #expect(!outcome.output.contains("\u{1B}"))
        #expect(outcome.output.contains("0 9 * * MON-FRX"))
    }

    @Test func listAndHistoryAsJSONAreWhatTheBusSays() throws {
        let jobs = try json(stage.control("list", "--json"))
        #expect(
            jobs.arrayValue?.map { $0.text("name") } == ["bad", "fails", "far", "greet", "off", "sleeper", "standup"])
        try golden("list.json", try stage.control("list", "--json"))
        #expect(try json(stage.control("history", "--json")) == [])
    }

    @Test func showTellsDefinitionStateAndLastRuns() throws {
        #expect(try stage.control("run", "fails", "--wait").code == 3)
        try golden("show.txt", try stage.control("show", "fails"))
        try golden("show-bad.txt", try stage.control("show", "bad"))
    }

    @Test func statusTellsHowItIs() throws {
        #expect(try stage.control("run", "greet", "--wait").code == 0)
        try golden("status.txt", code: 1, try stage.control("status"))
        #expect(try json(stage.control("status", "--json"))["jobs_executed"]?.intValue == 1)
    }

    @Test func timesAreLocalOrUTC() throws {
        let local = try stage.control("list", environment: ["TZ=Asia/Tokyo"])
        #expect(local.output.contains("Fri 2190-01-01 09:00:00 +09:00"))
        let utc = try stage.control("list", "--utc", environment: ["TZ=Asia/Tokyo"])
        #expect(utc.output.contains("Fri 2190-01-01 00:00:00 UTC"))
    }

    // MARK: - Runs

    @Test func aRunThatIsWaitedForPassesItsExitCodeAndItsOutput() throws {
        try golden("run-fails.txt", code: 3, try stage.control("run", "fails", "--wait"))
        try golden("run-greet.txt", try stage.control("run", "greet", "--wait"))
        try golden("history.txt", try stage.control("history"))
        try golden("history-of-job.json", try stage.control("history", "greet", "-n", "1", "--json"))
        #expect(try stage.control("history", "--status", "failed", "--json").output.contains("cron-fails"))
        #expect(try !stage.control("history", "--status", "failed", "--json").output.contains("cron-greet"))
        func jobs(_ arguments: String...) throws -> [String] {
            try json(stage.control(["history", "--json"] + arguments)).arrayValue?.map { $0.text("job") } ?? []
        }
        #expect(try jobs("--failed") == ["fails"])
        #expect(try jobs("--failed", "--since", "1h") == ["fails"])
        #expect(try jobs("--since", "2h") == ["greet", "fails"])
        #expect(try jobs("--since", "2099-01-01") == [])
        #expect(try jobs("greet", "--failed") == [])
        #expect(try stage.control("history", "--failed", "--status", "success").code == 64)
        #expect(
            try json(stage.control("list", "--failed", "--json")).arrayValue?.map { $0.text("name") } == [
                "bad", "fails",
            ])
    }

    @Test func inputsReachTheRun() throws {
        let outcome = try stage.control("run", "greet", "--inputs", #"{"days": 5}"#, "--json")
        #expect(outcome.code == 0, "\(outcome)")
        let id = try json(outcome).text("execution_id")
        #expect(try stage.control("wait", id).code == 0)
    }

    @Test func waitingEndsWithATimeoutAndCancelEndsTheRun() throws {
        let id = try json(stage.control("run", "sleeper", "--json")).text("execution_id")
        let late = try stage.control("wait", id, "--timeout", "0.2")
        #expect(late.code == 124 && late.errors == "botcronctl: \(id) has not ended within 0.2 s; it goes on\n")
        #expect(try stage.control("cancel", id).output == "\(id) is told to end\n")
        #expect(try stage.control("wait", id).output.hasPrefix("\(id): cancelled"))
        let again = try stage.control("cancel", id)
        #expect(again.code == 4 && again.errors.contains("has ended already"))
    }

    /// Who waits is attached again by the next daemon, whatever became of the run; who asks while nobody is there hears
    /// that at once.
    @Test func whoWaitsIsToldOfTheRunByTheNextDaemon() throws {
        let id = try json(stage.control("run", "sleeper", "--json")).text("execution_id")
        let waiting = try stage.start("wait", id)
        try stage.stopDaemon()
        #expect(try stage.control("wait", id).code == 69)
        try stage.startDaemon()
        // It is refused where it has ended with the daemon.
        _ = try stage.control("cancel", id)
        let outcome = try waiting.finish()
        #expect(outcome.code == 69 || outcome.output.hasPrefix("\(id): "), "\(outcome)")
    }

    // MARK: - Toggles

    @Test func togglesSayWhatIsSo() throws {
        #expect(try stage.control("disable", "standup").output == "standup is disabled\n")
        #expect(try json(stage.control("show", "standup", "--json"))["enabled"] == false)
        #expect(try stage.control("enable", "standup").output.hasPrefix("standup is enabled, next: "))
        #expect(
            try json(stage.control("enable", "standup", "--json")) == [
                "success": true, "job": "standup", "enabled": true,
            ])
        #expect(!(try stage.control("list").output.contains("paused")))
        #expect(try stage.control("pause").output == "all schedules are paused\n")
        #expect(try stage.control("status").output.contains(", all paused"))
        #expect(try stage.control("list").output.contains("All schedules are paused"))
        #expect(try stage.control("resume").output == "all schedules are in force\n")
        #expect(
            try stage.control("disable", "standup", "--until", "2199-01-01").output
                == "standup is disabled until 2199-01-01\n")
        #expect(try stage.control("disable", "standup", "--until", "soon").code == 64)
        #expect(
            try stage.control("disable", "standup", "--until", "in 1 hour").output
                .hasPrefix("standup is disabled until "))
    }

    @Test func skipLeavesOneFireTimeOut() throws {
        let first = try json(stage.control("show", "standup", "--json")).text("next_run")
        let answer = try json(stage.control("skip", "standup", "--json"))
        #expect(answer.text("skipped") == first && answer.text("next_run") > first)
        let nothing = try stage.control("skip", "greet")
        #expect(nothing.code == 1 && nothing.errors.contains("nothing to skip"), "\(nothing)")
    }

    @Test func reloadTellsWhatIsDifferent() throws {
        #expect(try stage.control("reload").output.hasPrefix("nothing has changed\n\nbad: unknown_name"))
        try stage.write(#"{"schedules": {"jobs": [{"name": "new", "command": ["true"]}]}}"#, to: "config.json")
        // The file is watched, too: the daemon may have been faster.
        #expect(try stage.control("reload").code == 0)
        #expect(try json(stage.control("list", "--json")).arrayValue?.map { $0.text("name") } == ["new"])
        try stage.write("{", to: "config.json")
        let refused = try stage.control("reload")
        #expect(refused.code == 1 && refused.errors.contains("line 1, column 2"), "\(refused)")
        #expect(try stage.control("list").output.contains("new"))
    }

    // MARK: - Refusals

    @Test(arguments: [["run"], ["show"], ["enable"], ["disable"], ["skip"], ["history"]])
    func anUnknownJobIsExitCode4AndNamesTheNearest(_ verb: [String]) throws {
        let outcome = try stage.control(verb[0], "standpu")
        #expect(outcome.code == 4 && outcome.output.isEmpty)
        #expect(outcome.errors.contains("\"standpu\"; the nearest is \"standup\""), "\(outcome)")
        let object = try json(stage.control(verb[0], "standpu", "--json"))
        #expect(object.text("name") == "com.aiworkflow.BotCron.Error.JobNotFound")
        #expect(object["exit_code"] == 4 && !object.text("error").isEmpty)
    }

    @Test(arguments: [["wait"], ["cancel"]])
    func anUnknownRunIsExitCode4(_ verb: [String]) throws {
        #expect(try stage.control(verb[0], "cron-none-20260101-000000").code == 4)
    }

    @Test func theVersionOfTheDaemonIsShown() throws {
        #expect(try stage.control("version").output == "botcronctl \(botcronVersion)\nbotcrond \(botcronVersion)\n")
    }
}
