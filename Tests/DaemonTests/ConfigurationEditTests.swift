import DBus
import Glibc
import JSON
import TestSupport
import Testing

/// config.json in the daemon's hands, and the mirror beside it.
@Suite(.ownThread) struct ConfigurationEditTests {
    /// Odd on purpose: layout, order, numbers and other programs' sections must stay as they are.
    private static let text = """
        {
            "zebra": {"b": 1.50, "a": [1,2 , 3]},
          "schedules": { "timezone":"UTC",
              "jobs": [ {"name": "one", "cron": "0 9 * * *", "command": ["true"]} ] , "execution_timeout": 60 },
          "dotted": {"x": {"y": null}}
        }

        """

    private let session: Session

    init() throws {
        session = try Session(config: Self.text)
        chmod(session.configFile, 0o640)
        try session.start()
    }

    @Test func getConfigReadsAnySection() throws {
        func get(_ section: String, _ key: String) throws -> JSONValue {
            try session.json("get_config", .string(section), .string(key))
        }
        #expect(try get("schedules", "timezone") == "UTC")
        #expect(try get("zebra", "") == ["b": .number(#require(JSONNumber(text: "1.50"))), "a": [1, 2, 3]])
        #expect(try get("dotted", "x.y") == .null)
        #expect(try get("dotted", "x") == ["y": nil])
        #expect(try get("zebra", "nothing") == .null)
        #expect(try get("nothing", "") == .null)
        #expect(try get("nothing", "x") == .null)
    }

    @Test func updateConfigChangesOneValueAndNothingElse() throws {
        try session.done("update_config", "schedules", "execution_timeout", "90")
        #expect(TestFile.text(session.configFile) == Self.text.replacing("60 }", with: "90 }"))
        var status = stat()
        #expect(stat(session.configFile, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o640)
        try session.done("update_config", "zebra", "new.deep", "{\"k\": [true]}")
        #expect(try session.json("get_config", "zebra", "new.deep.k") == [true])
        #expect(try session.json("get_config", "zebra", "b").compactText == "1.50")
        #expect(
            ScratchFolder.names(in: session.scratch.path + "/config/aa-workflow").allSatisfy {
                !$0.contains("tmp") && !$0.contains("new")
            })
    }

    @Test func aLinkStaysALinkAndNewKeysFollowTheLayout() throws {
        let session = try Session()
        let real = session.scratch.path + "/home/real.json"
        try TestFile.write("{\n\t\"a\": {\n\t\t\"b\": 1\n\t}\n}\n", to: real, mode: 0o644)
        #expect(symlink(real, session.configFile) == 0)
        try session.start()
        try session.done("update_config", "a", "c", "{\"d\": [1, 2]}")
        #expect(
            TestFile.text(real)
                == "{\n\t\"a\": {\n\t\t\"b\": 1,\n\t\t\"c\": {\n\t\t\t\"d\": [\n\t\t\t\t1,\n\t\t\t\t2\n\t\t\t]\n\t\t}\n\t}\n}\n"
        )
        try session.done("update_config", "other", "", "{\"x\": true}")
        #expect(try JSONValue(parsing: TestFile.text(real))["other"] == ["x": true])
        var status = stat()
        #expect(lstat(session.configFile, &status) == 0)
        #expect(status.st_mode & S_IFMT == S_IFLNK)
        #expect(stat(real, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o644)
    }

    @Test func clientsThatWriteAtOnceLoseNothing() throws {
        var answers = 0
        for number in 0..<50 {
            let arguments: [DBusValue] = ["zebra", .string("k\(number)"), .string("\(number)")]
            session.client.call(
                RemoteCall(Session.name, Session.path, Session.interface, "update_config", arguments)
            ) { result in
                if (try? result.get()) != nil { answers += 1 }
            }
        }
        try session.wait("fifty answers") { answers == 50 }
        let zebra = try session.json("get_config", "zebra", "")
        for number in 0..<50 { #expect(zebra["k\(number)"]?.intValue == number) }
        #expect(try session.json("get_config", "dotted", "x") == ["y": nil])
    }

    @Test func aJobThatIsWrittenIsInForce() throws {
        let jobs: JSONValue = [["name": "two", "cron": "0 10 * * *", "command": ["true"]]]
        try session.done("update_config", "schedules", "jobs", .string(jobs.compactText))
        try session.wait("the written job in force") {
            try session.json("list_jobs").arrayValue?.map { $0.text("name") } == ["two"]
        }
    }

    @Test func aBadChangeIsRefusedAndNothingIsWritten() throws {
        let bad: [(DBusValue, DBusValue, DBusValue)] = [
            ("schedules", "jobs", "5"), ("schedules", "timezone", "\"Mars/Olympus\""),
            ("schedules", "execution_timeout", "\"soon\""),
            ("schedules", "jobs", "[{\"name\": \"x\", \"cron\": \"61 * * * *\", \"command\": [\"true\"]}]"),
        ]
        for (section, key, value) in bad {
            let error = try session.refusal("update_config", section, key, value)
            #expect(error.name == "com.aiworkflow.BotCron.Error.InvalidConfig", "\(key) \(value): \(error)")
        }
        // A section is an object: what is no object cannot be merged into it.
        #expect(try session.refusal("update_config", "zebra", "", "[]").name == .invalidArgs)
        for value in ["", "{", "nope"] as [DBusValue] {
            let error = try session.refusal("update_config", "zebra", "b", value)
            #expect(error.name == .invalidArgs, "\(value): \(error)")
        }
        #expect(TestFile.text(session.configFile) == Self.text)
        #expect(try session.job("one")["error"] == nil)
    }

    @Test func aFileThatDoesNotParseIsNeverOverwritten() throws {
        try TestFile.write("{ broken", to: session.configFile)
        let error = try session.refusal("update_config", "zebra", "b", "2")
        #expect(error.name == "com.aiworkflow.BotCron.Error.InvalidConfig")
        #expect(TestFile.text(session.configFile) == "{ broken")
    }

    @Test func theMirrorFollowsWithinASecondOrSo() throws {
        let path = session.scratch.path + "/config/aa-workflow/cron_state.json"
        try session.runToEnd("one")
        // While it runs it is in the mirror, too.
        try session.look(for: "the end of the run in the mirror") {
            (try? JSONValue(parsing: TestFile.text(path)))?["jobs"]?[0]?["last_status"] == "success"
        }
        let state = try JSONValue(parsing: TestFile.text(path))
        for key in ["enabled", "timezone", "execution_mode", "jobs", "history", "total_history", "updated_at"] {
            #expect(state[key] != nil, "\(key)")
        }
        #expect(state["total_history"] == 1)
        #expect(state["history"]?[0]?["job_name"] == "one")
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
        // The mirror lies beside config.json: writing it is no change of the configuration.
        #expect(!session.signals.contains { $0.member == "JobsChanged" })
    }

    @Test func metricsAreOpenMetricsText() throws {
        try session.runToEnd("one")
        let text = try #require(try session.call("GetMetrics").first?.asString)
        #expect(text.hasSuffix("# EOF\n"))
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            #expect(line.wholeMatch(of: /[a-z_]+(\{[^}]*\})? [0-9.e+-]+/) != nil, "\(line)")
        }
        #expect(text.contains("botcron_"))
    }

    @Test func aStormOfChangesEndsWithTheLast() throws {
        for number in 0..<40 {
            let jobs: [JSONValue] = [["name": .string("n\(number)"), "cron": "0 9 * * *", "command": ["true"]]]
            let isBroken = number % 3 == 1
            try TestFile.write(isBroken ? "{\"schedules\": " : Session.config(jobs: jobs), to: session.configFile)
        }
        try session.wait("the last change") {
            try session.json("list_jobs").arrayValue?.map { $0.text("name") } == ["n39"]
        }
        #expect(try session.json("HealthCheck")["healthy"] == true)
    }
}
