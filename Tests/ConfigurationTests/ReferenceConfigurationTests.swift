import JSON
import Schedules
import Scheduling
import Testing

@testable import Configuration

/// The reference input of the project: a configuration as its users have it.
@Suite struct ReferenceConfigurationTests {
    private func reference() throws -> Configuration {
        try reader().read(document: JSONDocument(bytes: fixture("config.json")))
    }

    private func referenceJob(_ name: String) throws -> Job {
        try #require(try reference().jobs.first { $0.name == name })
    }

    @Test func everyJobIsThereInTheOrderOfTheFile() throws {
        let configuration = try reference()
        #expect(configuration.refused == [])
        #expect(configuration.warnings == [])
        #expect(configuration.isEnabled)
        #expect(configuration.timezone.name == "America/New_York")
        #expect(
            configuration.jobs.map(\.name) == [
                "daily_standup", "morning_pr_review", "weekly_summary", "env_health", "nightly_tests",
                "hello_world_test", "important_job", "sprint_check", "slop_fix", "every_five_minutes_with_seconds",
                "backup",
            ])
        #expect(configuration.jobs.filter { !$0.isEnabled }.map(\.name) == ["slop_fix"])
        #expect(configuration.jobs.allSatisfy { $0.origin == .config })
    }

    /// Worked out by hand for Friday 2026-03-06, 07:00 in New York, whose clocks skip 02:00–03:00 on Sunday the 8th.
    @Test(arguments: [
        ("daily_standup", ["2026-03-06T09:00:00-05:00", "2026-03-09T09:00:00-04:00", "2026-03-10T09:00:00-04:00"]),
        ("morning_pr_review", ["2026-03-06T09:00:00-05:00", "2026-03-09T09:00:00-04:00", "2026-03-10T09:00:00-04:00"]),
        ("weekly_summary", ["2026-03-06T17:00:00-05:00", "2026-03-13T17:00:00-04:00", "2026-03-20T17:00:00-04:00"]),
        ("env_health", ["2026-03-06T08:00:00-05:00", "2026-03-06T12:00:00-05:00", "2026-03-06T16:00:00-05:00"]),
        ("nightly_tests", ["2026-03-07T02:00:00-05:00", "2026-03-08T03:00:00-04:00", "2026-03-09T02:00:00-04:00"]),
        ("hello_world_test", ["2026-03-06T15:00:00-05:00", "2026-03-07T15:00:00-05:00", "2026-03-08T15:00:00-04:00"]),
        ("important_job", ["2026-03-06T10:00:00-05:00", "2026-03-07T10:00:00-05:00", "2026-03-08T10:00:00-04:00"]),
        ("sprint_check", ["2026-03-06T09:00:00-05:00", "2026-03-06T09:30:00-05:00", "2026-03-06T10:00:00-05:00"]),
        ("slop_fix", ["2026-03-09T06:00:00-04:00", "2026-03-16T06:00:00-04:00", "2026-03-23T06:00:00-04:00"]),
        (
            "every_five_minutes_with_seconds",
            ["2026-03-06T12:05:00+00:00", "2026-03-06T12:10:00+00:00", "2026-03-06T12:15:00+00:00"]
        ),
        ("backup", ["2026-03-07T02:30:00+01:00", "2026-03-08T02:30:00+01:00", "2026-03-09T02:30:00+01:00"]),
    ])
    func itsFireTimesAreThoseOfTheRules(name: String, expected: [String]) throws {
        #expect(try fires(referenceJob(name)) == expected)
    }

    @Test func retriesFollowTheSpellingOfTheirObject() throws {
        let configuration = try reference()
        // Two retries after the first try, in the older spelling.
        #expect(configuration.defaultRetry?.maxAttempts == 3)
        #expect(configuration.defaultRetry?.delay == .seconds(30))
        #expect(configuration.defaultRetry?.maxDelay == .seconds(300))
        #expect(configuration.defaultRetry?.on == [.type("auth"), .type("network")])
        // Names no delay: the spelling of the default goes on.
        #expect(try referenceJob("nightly_tests").retry?.maxAttempts == 2)
        #expect(try referenceJob("nightly_tests").retry?.delay == .seconds(30))
        // Names `delay_seconds`: every attempt counts; the rest is the default's.
        let important = try #require(try referenceJob("important_job").retry)
        #expect(important.maxAttempts == 3)
        #expect(important.delay == .seconds(60))
        #expect(important.backoff == .exponential(multiplier: 2))
        #expect(important.maxDelay == .seconds(300))
        #expect(important.on == [.type("auth"), .type("network")])
    }

    @Test func actionsAreWhatTheDefinitionsSay() throws {
        let standup = try referenceJob("daily_standup")
        #expect(standup.executionMode == "claude_cli")
        #expect(standup.skill == "coffee")
        #expect(standup.persona == "developer")
        #expect(standup.notify == #"["slack"]"#)
        #expect(standup.description == "Morning stand-up on weekdays")
        #expect(try referenceJob("nightly_tests").timeout == .seconds(1800))
        let script = try referenceJob("every_five_minutes_with_seconds")
        #expect(
            script.action
                == .script(interpreter: ["python3"], path: "/home/ada/bin/ping.py", arguments: ["--quiet"]))
        #expect(script.executionMode == "python_script")
        let backup = try referenceJob("backup")
        #expect(backup.action == .command(["/usr/bin/env", "true"]))
        #expect(backup.executionMode == "command")
        #expect(backup.environment == ["KEEP": "7"])
        #expect(backup.zone.name == "Europe/Berlin")
    }

    @Test func aSkillBecomesTheArgvThatPeopleKnow() throws {
        let standup = try referenceJob("daily_standup")
        let variables = RunVariables(
            job: standup, .init(executionID: "cron-coffee-20260306-090000", scheduledAt: "", attempt: 1))
        #expect(
            try RunCommand(standup.action, variables).argv == [
                "claude", "--print", "--skill", "coffee", "--session", "cron-coffee-20260306-090000", "--persona",
                "developer", "--inputs", "{}",
            ])
    }

    @Test func inputsStayData() throws {
        let important = try referenceJob("important_job")
        let variables = RunVariables(job: important, .init(executionID: "e", scheduledAt: "", attempt: 1))
        let argv = try RunCommand(important.action, variables).argv
        // No persona: it is left out with its flag.
        #expect(argv.count == 8)
        let inputs = try JSONValue(parsing: #require(argv.last))
        #expect(inputs["note"]?.stringValue == #"quotes ' and " and $(touch /tmp/no) stay data"#)
    }
}
