import DBus
import JSON
import Testing

/// The calls of the reference manual to the letter, by programs that are not ours.
@Suite(.ownThread) struct ReferenceManualTests {
    private let session: Session
    private let daemon: Program

    init() throws {
        session = try Session(jobs: [
            ["name": "daily_standup", "cron": "0 9 * * MON-FRI", "skill": "coffee", "persona": "developer"]
        ])
        daemon = try session.start()
    }

    private func busctl(_ verb: String, _ arguments: String...) throws -> (code: Int32, output: String) {
        let target = ["com.aiworkflow.BotCron", "/com/aiworkflow/BotCron", "com.aiworkflow.BotCron"]
        return try session.run(["busctl", "--user", verb] + target + arguments)
    }

    /// What busctl prints of one string: quoted, `"` and `\` escaped.
    private func jsonPrinted(_ output: String) throws -> JSONValue {
        let text = try #require(output.hasPrefix("s \"") && output.hasSuffix("\"\n") ? output : nil, "\(output)")
        return try JSONValue(parsing: try #require(JSONValue(parsing: String(text.dropFirst(2))).stringValue))
    }

    @Test func runJobAnswersWithTheStartedRun() throws {
        let (code, output) = try busctl("call", "run_job", "s", "daily_standup")
        #expect(code == 0)
        let run = try jsonPrinted(output)
        #expect(run.text("job") == "daily_standup")
        #expect(run.text("status") == "running")
        #expect(run.text("trigger") == "manual")
        #expect(run["error"] == nil)
        try session.signal("JobCompleted", "daily_standup", run.text("execution_id"))
    }

    @Test func toggleJobTakesAWordForABoolean() throws {
        #expect(try busctl("call", "toggle_job", "ss", "daily_standup", "false") == (0, "b true\n"))
        #expect(try session.job("daily_standup")["enabled"] == false)
        #expect(try busctl("call", "toggle_job", "sb", "daily_standup", "true") == (0, "b true\n"))
        #expect(try session.job("daily_standup")["enabled"] == true)
    }

    @Test func getHistoryListsTheNewestFirst() throws {
        let first = try session.runToEnd("daily_standup").text("execution_id")
        let second = try session.runToEnd("daily_standup").text("execution_id")
        let (code, output) = try busctl("call", "get_history", "i", "10")
        #expect(code == 0)
        #expect(try jsonPrinted(output).arrayValue?.map { $0.text("execution_id") } == [second, first])
    }

    @Test func introspectShowsTheInterface() throws {
        let (code, output) = try busctl("introspect")
        #expect(code == 0)
        let lines = output.split(separator: "\n").map { $0.split(separator: " ").prefix(4).joined(separator: " ") }
        for line in [
            ".run_job method s s", ".list_jobs method - s", ".get_history method i s", ".toggle_job method sb b",
            ".toggle_scheduler method b b", ".get_job method s s", ".wait_run method s s", ".GetStatus method - s",
            ".HealthCheck method - s", ".Ping method - s", ".Shutdown method - s", ".Running property b true",
            ".Enabled property b true", ".JobStarted signal ss -", ".JobCompleted signal sss -",
            ".JobFailed signal sss -", ".JobRetrying signal ssuds -", ".JobMissed signal sss -",
            ".SchedulerToggled signal b -", ".JobsChanged signal asasas -", ".StatusChanged signal s -",
            ".Event signal ss -",
        ] {
            #expect(lines.contains(line), "\(line) in \(lines)")
        }
    }

    @Test func monitorShowsTheSignalsWithTheirArguments() throws {
        let monitor = try Program(
            ["busctl", "--user", "monitor", "com.aiworkflow.BotCron"], environment: session.environment,
            on: session.loop)
        try session.wait("busctl monitor ready") { monitor.text.contains("Monitoring") }
        let id = try session.runToEnd("daily_standup").text("execution_id")
        try session.wait("JobCompleted in busctl monitor") {
            monitor.text.contains("Member=Event") && monitor.text.contains("Member=JobCompleted")
        }
        let messages = monitor.text.split(separator: "Type=").map { $0.split(separator: "\n").map(String.init) }
        for (member, type) in [("JobStarted", "\"ss\""), ("JobCompleted", "\"sss\"")] {
            let message = try #require(messages.first { $0.contains { $0.contains("Member=\(member)") } }, "\(member)")
            #expect(message.contains { $0.contains("MESSAGE \(type)") })
            #expect(message.contains { $0.contains("STRING \"daily_standup\"") })
            #expect(message.contains { $0.contains("STRING \"\(id)\"") })
        }
    }

    @Test func dbusSendPrintsTheJSONInOneString() throws {
        let output = try session.run([
            "dbus-send", "--session", "--print-reply", "--dest=com.aiworkflow.BotCron", "/com/aiworkflow/BotCron",
            "com.aiworkflow.BotCron.list_jobs",
        ]).output
        let start = try #require(output.firstRange(of: "string \"")?.upperBound)
        let jobs = try JSONValue(parsing: String(output[start...].dropLast(2)))
        #expect(jobs.arrayValue?.map { $0.text("name") } == ["daily_standup"])
    }

    @Test func gdbusCallsAndIntrospects() throws {
        let target = ["--session", "--dest", "com.aiworkflow.BotCron", "--object-path", "/com/aiworkflow/BotCron"]
        let call = try session.run(["gdbus", "call"] + target + ["--method", "com.aiworkflow.BotCron.Ping"])
        #expect(call == (0, "('pong',)\n"))
        // gdbus introspects, finds the signature, and converts its words by it.
        let toggle = try session.run(
            ["gdbus", "call"] + target + ["--method", "com.aiworkflow.BotCron.toggle_scheduler", "false"])
        #expect(toggle == (0, "(true,)\n"))
        let introspect = try session.run(["gdbus", "introspect"] + target)
        #expect(introspect.code == 0)
        #expect(introspect.output.contains("JobRetrying(s job"))
        #expect(introspect.output.contains("readonly b Enabled = false"))
    }
}
