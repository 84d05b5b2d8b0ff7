import JSON
import Schedules
import Scheduling
import Testing

@testable import Configuration

/// Where messages go, and what is said of targets that cannot be had.
@Suite struct MessageTargetTests {
    @Test func `targets are read, built-in ones and own ones`() throws {
        let configuration = try configuration(
            """
            "notifications": {"memory": {"directory": "~/notes"}, "command": {"argv": ["send", "it"]}, "desktop": {},
            "targets": {"diary": {"type": "memory", "directory": "/diary"}, "bell": {"type": "command", "argv": ["b"]}}}
            """)
        #expect(
            configuration.targets.usable == [
                "desktop": .desktop, "toast": .toast, "memory": .memory(directory: "/home/ada/notes"),
                "command": .command(["send", "it"]), "diary": .memory(directory: "/diary"), "bell": .command(["b"]),
            ])
        #expect(configuration.settings.logTargets == ["memory", "diary"])
        #expect(configuration.settings.fileTargets == ["memory", "diary", "toast"])
        #expect(configuration.warnings == [])
    }

    @Test func `a target that is named and not configured is an error of the job, which runs all the same`() throws {
        let configuration = try configuration(
            """
            "notify": ["slack"], "jobs": [
            {"name": "a", "cron": "0 9 * * *", "command": ["true"], "notify": ["memory", "desktop"]},
            {"name": "b", "cron": "0 9 * * *", "command": ["true"], "notify": ["toast"]}]
            """)
        #expect(configuration.jobs.count == 2)
        #expect(
            configuration.messageFaults.map { "\($0.job ?? "-") \($0.error)" } == [
                "- notify: \"slack\" cannot be told: nothing is sent by slack yet: name another target",
                "a notify: \"memory\" cannot be told: "
                    + "it has no folder: schedules.notifications.memory.directory names one",
            ])
    }

    @Test(arguments: [
        (
            #""memory": {}"#,
            "schedules.notifications.memory.directory: missing; it is the folder of the files"
        ),
        (
            #""memory": {"directory": "notes"}"#,
            #"schedules.notifications.memory.directory: found the string "notes"; "#
                + "expected an absolute path, or one that begins with ~/"
        ),
        (
            #""command": ["a"]"#, "schedules.notifications.command: found an array; expected an object"
        ),
        (
            #""slack": {"webhook": "https://x"}"#,
            "schedules.notifications.slack: nothing is sent by slack yet: name another target"
        ),
        (
            #""targets": {"x": {"type": "toast"}}"#,
            "schedules.notifications.targets.x.type: there is one toast, and it is built in"
        ),
        (
            #""targets": {"memory": {"type": "memory", "directory": "/d"}}"#,
            #"schedules.notifications.targets.memory: "memory" is the name of a target that is built in; "#
                + "take another"
        ),
        (
            #""pigeon": {}"#,
            "schedules.notifications.pigeon: no target is called so; there are desktop, slack, email, memory, "
                + "webhook, command, toast, targets"
        ),
    ])
    func `a target that is wrong is said, and the section stands`(text: String, warning: String) throws {
        let configuration = try configuration("\"notifications\": {\(text)}")
        #expect(configuration.warnings == [warning])
    }

    @Test func `one that is wrong is known to those who name it`() throws {
        let configuration = try configuration(
            """
            "notifications": {"targets": {"diary": {"type": "memory"}}}, "jobs": [
            {"name": "a", "cron": "0 9 * * *", "command": ["true"], "notify": ["diary"]}]
            """)
        #expect(configuration.messageFaults.count == 1 && configuration.refused.isEmpty)
    }

    @Test func `the toast file can be told whatever is told at all`() throws {
        let configuration = try configuration(
            """
            "notifications": {"toast": true}, "jobs": [
            {"name": "a", "cron": "0 9 * * *", "command": ["true"], "notify": ["desktop"]},
            {"name": "b", "cron": "0 9 * * *", "command": ["true"], "notify": []},
            {"name": "c", "cron": "0 9 * * *", "command": ["true"]}]
            """)
        #expect(configuration.jobs.map { $0.messages?.map(\.target) } == [["desktop", "toast"], [], nil])
        #expect(configuration.settings.messages.map(\.target) == ["toast"])
    }

    @Test func `the section's quiet hours are those of its zone`() throws {
        let configuration = try configuration(#""timezone": "Asia/Tokyo", "quiet_hours": "22:00-07:00""#)
        #expect(configuration.settings.quietHours == QuietHours(from: 1_320, until: 420))
        #expect(configuration.settings.zone?.name == "Asia/Tokyo")
        #expect(throws: ConfigurationError.self) {
            _ = try reader().read(document: JSONDocument(bytes: Array(#"{"schedules": {"notify": ["pigeon"]}}"#.utf8)))
        }
    }
}
