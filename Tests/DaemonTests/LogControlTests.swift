import DBus
import JSON
import Testing

/// What the daemon says, changed while it runs.
@Suite(.ownThread) struct LogControlTests {
    private func busctl(_ session: Session, _ verb: String, _ arguments: String...) throws -> String {
        try session.run(
            ["busctl", "--user", verb, "com.aiworkflow.BotCron", "/org/freedesktop/LogControl1"]
                + ["org.freedesktop.LogControl1"] + arguments
        ).output
    }

    @Test func theLevelAndTheTargetAreSet() throws {
        let session = try Session(jobs: [["name": "quick", "command": ["true"]]])
        let daemon = try session.start()
        #expect(try busctl(session, "get-property", "LogLevel", "LogTarget") == "s \"info\"\ns \"auto\"\n")
        #expect(try busctl(session, "get-property", "SyslogIdentifier") == "s \"botcrond\"\n")
        for level in ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug", "err"] {
            #expect(try busctl(session, "set-property", "LogLevel", "s", level) == "")
            #expect(try busctl(session, "get-property", "LogLevel") == "s \"\(level)\"\n")
        }
        try session.runToEnd("quick")
        #expect(!daemon.text.contains("run completed"))
        _ = try busctl(session, "set-property", "LogLevel", "s", "info")
        try session.runToEnd("quick")
        try session.look(for: "a line") { daemon.text.contains("run completed") }
        _ = try busctl(session, "set-property", "LogTarget", "s", "null")
        let length = daemon.text.count
        try session.runToEnd("quick")
        #expect(daemon.text.count == length)
        _ = try busctl(session, "set-property", "LogTarget", "s", "console")
        try session.runToEnd("quick")
        try session.look(for: "a line more") { daemon.text.count > length }
        #expect(try busctl(session, "set-property", "LogLevel", "s", "loud").contains("emerg, alert"))
        #expect(try busctl(session, "set-property", "LogTarget", "s", "printer").contains("journal"))
        #expect(try busctl(session, "set-property", "SyslogIdentifier", "s", "x").contains("read-only"))
    }

    @Test func verboseIsTheLevelDebug() throws {
        let session = try Session(jobs: [])
        try session.start(["--verbose"])
        #expect(try busctl(session, "get-property", "LogLevel") == "s \"debug\"\n")
    }
}
