import Configuration
import Glibc
import JSON
import Schedules
import Testing

@testable import Settings

/// What a client may write to config.json, and what it may not.
@Suite struct ConfigurationEditsTests {
    private func reason(_ stage: Stage, _ section: String, _ key: String, _ value: JSONValue) -> String {
        do {
            try stage.settings.update(section, key, value)
            return ""
        } catch .configuration(let error) {
            return error.description
        } catch {
            return "\(error)"
        }
    }

    /// It wrote a new file with that key alone, and every job was gone.
    @Test(arguments: [true, false]) func aFileThatIsAwayIsNotMadeAnew(_ wasThere: Bool) throws {
        let stage = try Stage()
        if wasThere { try stage.write(stage.jobs("one")) }
        try stage.start()
        unlink(stage.path)
        for (section, key) in [("schedules", "execution_timeout"), ("jira", "x"), ("jira", ""), ("schedules", "")] {
            let text = reason(stage, section, key, key.isEmpty ? [:] : 5)
            #expect(text.contains(stage.path) && text.contains("is away") && text.contains("restore"), "\(text)")
        }
        #expect(access(stage.path, F_OK) != 0)
        #expect(stage.core.jobNames == (wasThere ? ["one"] : []))
        #expect(try stage.value("schedules", "") == nil)
    }

    @Test(arguments: ["{ broken", "", "[1]", "{\"schedules\": {}}x", "\u{0}"])
    func aFileThatDoesNotParseIsNotWritten(_ text: String) throws {
        let stage = try Stage()
        try stage.write(text)
        try stage.start()
        #expect(!reason(stage, "jira", "x", 5).isEmpty)
        #expect(stage.text() == text)
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        var key: String
        var value: JSONValue
        /// What the refusal names.
        var names: String
        var testDescription: String { "\(key)=\(value)" }
    }

    /// `update_config schedules x 1` wrote a key that nobody knows.
    @Test(arguments: [
        Bad(key: "x", value: 1, names: "schedules.x"), Bad(key: "timezon", value: "UTC", names: "\"timezone\""),
        Bad(key: "Jobs", value: [], names: "\"jobs\""), Bad(key: "runner.a", value: [], names: "\"runners\""),
        Bad(key: "", value: ["enabled": true, "enable": true], names: "\"enabled\""),
        Bad(key: "", value: 5, names: "an object"), Bad(key: "jobs", value: 5, names: "array"),
        Bad(key: "default_retry", value: ["max_atempts": 3], names: "max_attempts"),
        Bad(key: "default_retry.max_atempts", value: 3, names: "max_attempts"),
        Bad(key: "runners.mine", value: ["comand": ["x"]], names: "command"),
        Bad(key: "timezone", value: "Mars/Olympus", names: "Mars/Olympus"),
        Bad(key: "execution_timeout", value: "soon", names: "execution_timeout"),
        Bad(key: "jobs", value: [["name": "b", "cron": "61 * * * *", "command": ["true"]]], names: "61"),
        Bad(key: "jobs", value: [["name": "b", "comand": ["true"]]], names: "command"),
    ]) func aChangeThatIsWrongIsRefusedByName(_ bad: Bad) throws {
        let stage = try Stage()
        try stage.write(stage.jobs("one"))
        try stage.start()
        let text = reason(stage, "schedules", bad.key, bad.value)
        #expect(text.contains(bad.names), "\(text)")
        #expect(stage.text() == stage.jobs("one"))
        #expect(stage.core.jobNames == ["one"])
    }

    @Test func aChangeThatIsRightIsWrittenAndInForce() throws {
        let stage = try Stage()
        try stage.write("{\"zebra\": {\"b\": 1.50},\n \"schedules\": {\"x-note\": 1, \"jobs\": []}}")
        try stage.start()
        try stage.settings.update("zebra", "c.d", [1])
        try stage.settings.update("schedules", "x-mine", "free")
        try stage.settings.update(
            "schedules", "", ["timezone": "Europe/Berlin", "jobs": [["name": "n", "command": ["a"]]]])
        #expect(stage.core.jobNames == ["n"])
        #expect(stage.settings.configuration.timezone.name == "Europe/Berlin")
        #expect(
            try stage.value("zebra", "") == [
                "b": .number(#require(JSONNumber(text: "1.50"))), "c": ["d": [1]],
            ])
        #expect(try stage.value("schedules", "x-mine") == "free")
        #expect(stage.text().hasPrefix("{\"zebra\": {\"b\": 1.50"))
    }

    /// Lines of its reason move when something is written above it: it was then taken for newly refused.
    @Test func whatWasRefusedBeforeDoesNotStandInTheWay() throws {
        let stage = try Stage()
        let text = """
            {"schedules": {
              "enabled": true,
              "jobs": [
                {"name": "bad", "cron": "61 * * * *", "command": ["true"]},
                {"name": "one", "command": ["true"]}
              ]
            }}
            """
        try stage.write(text)
        try stage.start()
        try stage.settings.update("schedules", "remediation", ["network": ["true", "x"]])
        #expect(stage.settings.configuration.remediation.count == 1)
        // Neither does one that another program wrote and nobody has read yet.
        try stage.write(stage.text().replacing("\"one\", \"command\"", with: "\"one\", \"comand\""))
        try stage.settings.update("schedules", "execution_timeout", 5)
        #expect(stage.settings.refusedNames == ["bad", "one"])
    }

    /// The section is bad, and the change mends it; or it is about another section.
    @Test func aBadSectionCanBeMended() throws {
        let stage = try Stage()
        try stage.write("{\"schedules\": {\"timezone\": \"Mars\", \"jobs\": []}}")
        try stage.start()
        #expect(stage.settings.configurationFault != nil)
        try stage.settings.update("jira", "", ["a": 1])
        #expect(stage.settings.configurationFault != nil)
        try stage.settings.update("schedules", "timezone", "UTC")
        #expect(stage.settings.configurationFault == nil)
    }
}
