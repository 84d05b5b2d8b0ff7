import Contract
import JSON
import TestSupport
import Testing

@testable import botcronctl

/// Runs that are followed, made again, or made late; jobs that are paused by name and by tag; what comes next.
@Suite struct AgainVerbTests {
    private static let configuration = """
        {"schedules": {"timezone": "UTC", "jobs": [
          {"name": "talks", "command": "echo one; sleep 0.4; echo two; exit 3", "tags": ["loud"]},
          {"name": "asks", "inputs": {"days": "5", "who": "all"}, "command": "cat $BOTCRON_CONTEXT_FILE"},
          {"name": "leap", "cron": "0 0 29 2 *", "command": "echo $BOTCRON_SCHEDULED_AT", "tags": ["loud", "rare"]},
          {"name": "rhythm", "interval": "2h", "command": ["true"]},
          {"name": "off", "cron": "@daily", "enabled": false, "command": ["true"]},
          {"name": "bad", "cron": "61 * * * *", "command": ["true"]}
        ]}}
        """

    private let stage: Stage

    init() throws { stage = try Stage(Self.configuration) }

    private func json(_ outcome: TestProgram.Outcome) throws -> JSONValue { try JSONValue(parsing: outcome.output) }

    // MARK: - Following

    @Test func aRunThatIsFollowedGivesItsOutputAloneAndItsExitCode() throws {
        let outcome = try stage.control("run", "talks", "--follow")
        #expect(outcome.code == 3)
        #expect(outcome.output == "one\ntwo\n")
        #expect(outcome.errors.contains(": failed in ") && outcome.errors.contains("exit"), "\(outcome)")
        #expect(try stage.control("run", "talks", "-f", "--wait").code == ExitCode.usage)
        #expect(try stage.control("run", "talks", "--follow", "--json").code == ExitCode.usage)
    }

    @Test func anInputIsLaidOverThoseOfTheJob() throws {
        _ = try stage.control("run", "asks", "--wait", "--input", "days=7", "--input", "more=a=b")
        let run = try #require(json(stage.control("history", "asks", "-n1", "--json"))[0])
        #expect(run["status"] == "success", "\(run)")
        let kept = try stage.shell("sqlite3 \(stage.path("state"))/botcron.db 'SELECT inputs FROM run'")
        #expect(try JSONValue(parsing: kept.output) == ["days": "7", "who": "all", "more": "a=b"])
        #expect(try stage.control("run", "asks", "--input", "days=7", "--inputs", "{}").code == ExitCode.usage)
        #expect(try stage.control("run", "asks", "--input", "=7").code == ExitCode.usage)
    }

    // MARK: - Again, and late

    @Test func aRunIsMadeAgainWithItsInputs() throws {
        _ = try stage.control("run", "asks", "--wait", "--inputs", #"{"only": 1}"#)
        let first = try #require(json(stage.control("history", "asks", "--json"))[0]).text("execution_id")
        let again = try json(stage.control("rerun", first, "--wait", "--json"))
        #expect(again.text("execution_id") != first && again["status"] == "success", "\(again)")
        let kept = try stage.shell("sqlite3 \(stage.path("state"))/botcron.db 'SELECT inputs FROM run'")
        #expect(kept.output == "{\"only\": 1}\n{\"only\": 1}\n")
        let missing = try stage.control("rerun", "cron-nothing-20200101-000000")
        #expect(missing.code == ExitCode.notFound, "\(missing)")
    }

    @Test func aDefinitionThatWasRunOnceIsRunAgain() throws {
        let call = try stage.shell(
            "busctl --user --json=short call com.aiworkflow.BotCron /com/aiworkflow/BotCron com.aiworkflow.BotCron "
                + #"run_now s '{"name": "single", "command": ["true"]}'"#)
        let answer = try JSONValue(parsing: call.output)["data"]?[0]?.stringValue ?? ""
        let run = try JSONValue(parsing: answer).text("execution_id")
        #expect(try stage.control("wait", run).code == 0)
        #expect(try stage.control("rerun", run, "--wait").code == 0)
        #expect(try json(stage.control("history", "single", "--json")).arrayValue?.count == 2)
    }

    @Test func fireTimesThatHavePassedAreRunAndOnlyOnce() throws {
        let span = ["backfill", "leap", "--from", "2015-01-01", "--to", "2024-12-31"]
        let dry = try stage.control(span + ["--dry-run"])
        #expect(
            dry.output == """
                2016-02-29T00:00:00+00:00
                2020-02-29T00:00:00+00:00
                2024-02-29T00:00:00+00:00
                3 runs; without --dry-run they are made

                """ || dry.output.contains("2016-02-29T00:00:00Z"), "\(dry)")
        #expect(try json(stage.control("history", "leap", "--json")) == [])
        let made = try json(stage.control(span + ["--json"]))
        #expect(made["runs"]?.arrayValue?.map { $0.text("scheduled_for").prefix(4) } == ["2016", "2020", "2024"])
        #expect(made["fire_times"]?.arrayValue?.count == 3)
        for run in made["runs"]?.arrayValue ?? [] {
            #expect(try stage.control("wait", run.text("execution_id")).code == 0)
        }
        #expect(try stage.control(span).output == "leap has no fire time there without a run\n")
        #expect(try stage.control("backfill", "leap").code == ExitCode.usage)
        #expect(try stage.control("backfill", "leap", "--from", "2020-01-01", "--overlap", "skip").code == 1)
        #expect(try stage.control("backfill", "leap", "--from", "2020-01-01", "--to", "2019-01-01").code == 1)
        #expect(try stage.control("backfill", "nobody", "--from", "2020-01-01").code == ExitCode.notFound)
    }

    // MARK: - Pausing some

    @Test func jobsArePausedByNameAndByTag() throws {
        #expect(try stage.control("pause", "--tag", "loud").output == "leap is paused\ntalks is paused\n")
        #expect(try json(stage.control("show", "leap", "--json"))["enabled"] == false)
        #expect(try json(stage.control("status", "--json"))["enabled"] == true)
        #expect(try stage.control("resume", "leap", "--tag", "loud").output == "leap is in force\ntalks is in force\n")
        #expect(try json(stage.control("show", "leap", "--json"))["enabled"] == true)
        // One that is mistyped changes nothing.
        #expect(try stage.control("pause", "leap", "laep").code == ExitCode.notFound)
        #expect(try json(stage.control("show", "leap", "--json"))["enabled"] == true)
        #expect(try stage.control("pause", "--tag", "nobody").code == ExitCode.notFound)
        #expect(try stage.control("pause", "--until", "tomorrow").code == ExitCode.usage)
        #expect(try stage.control("pause", "leap", "--until", "tomorrow").output.hasPrefix("leap is paused until 2"))
    }

    @Test func tagsAreGivenAndTaken() throws {
        #expect(try stage.control("tag", "leap", "x", "rare").output == "leap has the tags loud, rare, x\n")
        #expect(try stage.control("tag", "leap", "loud", "--remove").output == "leap has the tags rare, x\n")
        #expect(try stage.control("list", "--tag", "x", "--json").output.contains("\"leap\""))
        // The rest of the file is as it was.
        let file = try stage.shell("cat \(stage.path("config.json"))").output
        #expect(file.contains(#"{"name": "rhythm", "interval": "2h", "command": ["true"]},"#), "\(file)")
        #expect(try stage.control("add", "made", "--", "true").code == 0)
        #expect(try stage.control("tag", "made", "new").output == "made has the tags new\n")
        #expect(try stage.control("tag", "made", "new", "--remove").output == "made has no tags\n")
    }

    // MARK: - The first screen of the README

    @Test func anAgentIsToldAMessageByTheRunnerThatWasSet() throws {
        let runner = #"{"command": ["printf", "told: %s\\n", "${message}"]}"#
        #expect(try stage.control("config", "set", "schedules", "runners.message", runner).code == 0)
        let added = try stage.control(
            "add", "standup", "--cron", "0 9 * * MON-FRI", "--project", "/tmp", "--message", "Write 'it' down; $HOME")
        #expect(added.code == 0, "\(added)")
        let outcome = try stage.control("run", "standup", "--follow")
        #expect(outcome.code == 0 && outcome.output == "told: Write 'it' down; $HOME\n", "\(outcome)")
    }

    @Test func theExamplesByTaskAreTaken() throws {
        let text = try TestFile.ownText(TestPlace.package + "/README.md")
        let lines = text.split(separator: "\n").drop { $0 != "## By task" }.prefix { $0 != "### Beside others" }
        let commands = lines.filter { $0.hasPrefix("botcronctl add ") || $0.hasSuffix(" | botcronctl add --json -") }
        #expect(commands.count >= 6, "\(commands)")
        let folder = TestPlace.built("botcronctl").split(separator: "/").dropLast().joined(separator: "/")
        for command in commands {
            let outcome = try stage.shell("PATH=/\(folder):$PATH\n\(command)\n")
            #expect(outcome.code == 0, "\(command): \(outcome)")
        }
        #expect(try stage.control("list").output.contains("backup"))
    }

    // MARK: - What comes next

    @Test func nextOfAJobBeginsWithWhatTheDaemonSays() throws {
        for name in ["leap", "rhythm"] {
            let job = try json(stage.control("show", name, "--json"))
            let fires = try json(stage.control("next", name, "-n3", "--json"))
            #expect(fires.arrayValue?.count == 3)
            #expect(fires[0] == job["next_run"], "\(name)")
        }
        // A runner that only the daemon knows, and an instant that counts from when it was added.
        #expect(
            try stage.control("config", "set", "schedules", "runners.mine", #"{"command": ["echo", "${skill}"]}"#).code
                == 0)
        #expect(try stage.control("add", "agent", "--cron", "@yearly", "--skill", "x", "--mode", "mine").code == 0)
        #expect(try stage.control("add", "later", "--at", "in 90 minutes", "--", "true").code == 0)
        for (name, count) in [("agent", 3), ("later", 1)] {
            let next = try json(stage.control("show", name, "--json"))["next_run"]
            let fires = try json(stage.control("next", name, "-n3", "--json"))
            #expect(fires.arrayValue?.count == count && fires[0] == next, "\(name): \(fires)")
        }
        #expect(try stage.control("calendar", "--json").output.contains("\"later\""))
        let leap = try stage.control("next", "leap", "-n2").output
        #expect(leap.hasPrefix("leap: at 00:00, on the 29th, in February"), "\(leap)")
        #expect(try stage.control("next", "off").output.contains("no next fire time; see why: botcronctl why off"))
        #expect(try stage.control("next", "bad").code == 1)
        #expect(try stage.control("next", "nobody").errors.contains("looks like no schedule"))
    }
}
