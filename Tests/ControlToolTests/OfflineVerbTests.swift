import JSON
import TestSupport
import Testing

/// `next` and `validate`: no daemon, no bus.
@Suite struct OfflineVerbTests {
    private func run(_ arguments: String..., zone: String = "UTC") throws -> TestProgram.Outcome {
        try TestProgram(
            [TestPlace.built("botcronctl")] + arguments, environment: ["PATH=/usr/bin", "TZ=\(zone)"]
        ).finish()
    }

    /// The nights around which expressions surprise.
    @Test(arguments: [
        ("weekdays", ["0 9 * * MON-FRI", "--tz", "America/New_York", "--after", "2026-01-23T12:00"]),
        ("gap", ["30 2 * * *", "--tz", "America/New_York", "--after", "2026-03-06", "-n", "3"]),
        ("overlap", ["*/30 1 * * *", "--tz", "America/New_York", "--after", "2026-10-31T12:00", "-n", "4"]),
        ("restart", ["*/7 * * * *", "--tz", "UTC", "--after", "2026-01-01T00:40", "-n", "4"]),
        ("either-day", ["0 0 13 * FRI", "--tz", "UTC", "--after", "2026-01-01", "-n", "3"]),
        ("seconds", ["0 */5 * * * *", "--tz", "UTC", "--after", "2026-01-01", "-n", "2"]),
        ("rare", ["0 0 29 2 */7", "--tz", "UTC", "--after", "2026-01-01", "-n", "2"]),
        ("interval", ["90m", "--type", "interval", "--tz", "UTC", "--after", "2026-01-01", "-n", "2"]),
        ("calendar", ["Mon..Fri 09:00", "--type", "calendar", "--tz", "UTC", "--after", "2026-01-01", "-n", "2"]),
        ("once", ["2026-12-25", "--type", "once", "--tz", "Europe/Berlin", "--after", "2026-01-01"]),
        ("reboot", ["@reboot"]),
    ])
    func nextExplainsAndLists(_ name: String, _ arguments: [String]) throws {
        let outcome = try TestProgram(
            [TestPlace.built("botcronctl"), "next"] + arguments, environment: ["PATH=/usr/bin", "TZ=UTC"]
        ).finish()
        #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome)")
        try Golden.expect(outcome.output, "next-\(name).txt")
    }

    @Test func nextAsJSONIsWhatPreviewScheduleAnswers() throws {
        let outcome = try run(
            "next", "30 2 * * *", "--tz", "America/New_York", "--after", "2026-03-06", "-n", "3", "--json")
        #expect(
            try JSONValue(parsing: outcome.output)
                == ["2026-03-06T02:30:00-05:00", "2026-03-07T02:30:00-05:00", "2026-03-08T03:00:00-04:00"])
    }

    @Test func fieldsNeedNoQuotesWhereTheShellLeavesThemAlone() throws {
        #expect(try run("next", "0", "9", "1", "1", "0", "--json") == run("next", "0 9 1 1 0", "--json"))
    }

    @Test(arguments: [
        "61 * * * *", "0 9 * * MON-FRX", "*/90 * * * *", "0 0 30 2 *", "1,,2 * * * *", "* * * *", "0 0 L-31 * *",
        "TZ=UTC 0 9 * * *", "90m", "Mon..Fri 09:00", "@dayly", "", "ä * * * *",
    ])
    func aBadExpressionIsShownWithCarets(_ expression: String) throws {
        let outcome = try run("next", expression)
        #expect(outcome.code == 1 && outcome.output.isEmpty)
        let lines = outcome.errors.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(lines[1] == "  " + expression)
        let carets = lines[2].dropFirst(2)
        #expect(!carets.isEmpty && carets.allSatisfy { $0 == " " || $0 == "^" } && carets.last == "^")
    }

    @Test func badExpressionsReadAsTheyAlwaysDid() throws {
        var text = ""
        for expression in ["61 * * * *", "0 9 * * MON-FRX", "90m", "0 0 30 2 *"] {
            text += try run("next", expression).errors + run("next", expression, "--json").output
        }
        try Golden.expect(text, "next-errors.txt")
    }

    // MARK: - simulate

    private static let night = """
        {"schedules": {"timezone": "UTC", "wake_spread": 0, "jobs": [
          {"name": "hourly", "cron": "0 * * * *", "command": ["true"]},
          {"name": "lost", "cron": "30 2 * * *", "command": ["true"], "catchup_policy": "none"},
          {"name": "each", "cron": "0 3,4 * * *", "command": ["true"], "catchup_policy": "all"},
          {"name": "never", "command": ["true"]}
        ]}}
        """

    @Test func simulateTellsWhatANightOfSleepDoes() throws {
        let stage = try Stage(nil)
        try stage.write(Self.night, to: "night.json")
        let arguments = ["--from", "2026-03-06T20:30", "--to", "2026-03-07T09:30", "--asleep", "22:45-07:00"]
        for (more, name) in [([], "simulate.txt"), (["--all"], "simulate-all.txt")] {
            let program = try TestProgram(
                [TestPlace.built("botcronctl"), "simulate", "--config", stage.path("night.json")] + arguments + more,
                environment: ["PATH=/usr/bin", "TZ=UTC"])
            let outcome = try program.finish()
            #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome)")
            try Golden.expect(outcome.output, name)
        }
    }

    @Test(arguments: ["25:00-07:00", "23:00", "23:00-23:00", "9-17", ""])
    func aNightThatIsNoneIsRefused(_ night: String) throws {
        let outcome = try run("simulate", "--asleep", night)
        #expect(outcome.code == 64 && outcome.errors.contains("expected two times such as 23:00-07:00"), "\(outcome)")
    }

    // MARK: - validate

    @Test func validateFindsEveryBadJob() throws {
        let stage = try Stage(nil)
        try stage.write(
            """
            {"schedules": {"timezone": "UTC", "frequency": 3, "jobs": [
              {"name": "good", "cron": "@daily", "command": ["true"]},
              {"name": "typo", "crno": "@daily", "command": ["true"]},
              {"name": "twice", "schedules": [{"cron": "@daily"}, {"cron": "0 24 * * *"}], "command": ["true"]},
              {"name": "good", "cron": "@daily", "command": ["true"]}
            ]}}
            """, to: "bad.json")
        let outcome = try stage.control("validate", stage.path("bad.json"))
        #expect(outcome.code == 1 && outcome.errors.isEmpty)
        try Golden.expect(Golden.settled(outcome.output, stage), "validate.txt")
        let object = try JSONValue(parsing: try stage.control("validate", stage.path("bad.json"), "--json").output)
        #expect(object["valid"] == false && object["jobs"] == 1)
        #expect(object["invalid"]?.arrayValue?.map { $0["name"]?.stringValue } == ["typo", "twice", "good"])
    }

    @Test func validateOfNoJSONNamesThePlace() throws {
        let stage = try Stage(nil)
        try stage.write("{\"schedules\": {\n  \"jobs\": [,]}}", to: "broken.json")
        let outcome = try stage.control("validate", stage.path("broken.json"))
        #expect(outcome.code == 1 && outcome.errors.contains("line 2, column 12"), "\(outcome)")
        #expect(try stage.control("validate", stage.path("none.json")).errors.contains("there is no such file"))
    }

    @Test func theExampleIsGood() throws {
        let outcome = try run("validate", TestPlace.package + "/Sources/Share/config.json")
        #expect(outcome.code == 0 && outcome.output.hasPrefix("4 jobs good, in "), "\(outcome)")
    }
}
