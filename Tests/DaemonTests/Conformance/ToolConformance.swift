import DBus
import Glibc
import JSON
import TestSupport
import Testing

extension ConformanceTests {
    /// What people type: the tools of systemd, of GLib and of the reference implementation.
    @Suite struct Tools {
        private let session: Session

        init() throws {
            session = try Session(jobs: [
                ["name": "nine", "cron": "0 9 * * *", "command": ["true"]], ["name": "quick", "command": ["true"]],
            ])
            try session.start()
        }

        private static let name = Session.name.text
        private static let path = Session.path.text
        private static let face = Session.interface.text

        private func busctl(_ verb: String, _ arguments: String...) throws -> String {
            try session.run(["busctl", "--user", verb, Self.name, Self.path, Self.face] + arguments).output
        }

        @Test func busctlCallsWithTextsForWhatIsNone() throws {
            #expect(try busctl("call", "Ping") == "s \"pong\"\n")
            #expect(try busctl("call", "toggle_job", "ss", "nine", "false") == "b true\n")
            #expect(try session.job("nine")["enabled"] == false)
            #expect(try busctl("call", "toggle_job", "sb", "nine", "true") == "b true\n")
            #expect(try busctl("call", "get_history") == "s \"[]\"\n")
            #expect(try busctl("call", "get_history", "i", "5") == "s \"[]\"\n")
            #expect(try busctl("call", "get_history", "s", "5") == "s \"[]\"\n")
            #expect(try busctl("call", "run_job", "s", "nobody").contains("there is no job \"nobody\""))
        }

        @Test func busctlReadsPropertiesAndTheirTypes() throws {
            let next = try session.job("nine").text("next_run")
            #expect(
                try busctl("get-property", "Running", "Enabled", "NextRun") == "b true\nb true\ns \"\(next)\"\n")
            let text = try session.run(["busctl", "--user", "introspect", Self.name, Self.path]).output
            let rows = text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
            #expect(rows.contains([".Enabled", "property", "b", "true", "emits-change"]))
            #expect(rows.contains([".get_output", "method", "sxu", "ayx", "-"]))
            #expect(rows.contains([".JobRetrying", "signal", "ssuds", "-", "-"]))
            #expect(rows.contains { $0.prefix(3) == [".Uptime", "property", "d"] && $0.last == "-" })
        }

        @Test func busctlShowsTheTree() throws {
            let tree = try session.run(["busctl", "--user", "--list", "tree", Self.name]).output
            #expect(tree.split(separator: "\n").contains("/com/aiworkflow/BotCron/jobs/nine"))
        }

        @Test func gdbusCallsAndIntrospects() throws {
            let target = ["--session", "--dest", Self.name, "--object-path", Self.path]
            let call = try session.run(
                ["gdbus", "call"] + target + ["--method", Self.face + ".toggle_job", "nine", "true"])
            #expect(call.output == "(true,)\n")
            // Its own introspection tells it that the number is an int32.
            let history = try session.run(["gdbus", "call"] + target + ["--method", Self.face + ".get_history", "5"])
            #expect(history.output == "('[]',)\n")
            let text = try session.run(["gdbus", "introspect"] + target)
            #expect(text.code == 0)
            #expect(text.output.contains("toggle_job("))
            #expect(text.output.contains("readonly b Enabled = true;"))
        }

        @Test func dbusSendPrintsTheJSON() throws {
            let sent = try session.run(
                ["dbus-send", "--session", "--print-reply=literal", "--dest=" + Self.name, Self.path]
                    + [Self.face + ".list_jobs"])
            #expect(sent.code == 0)
            let start = try #require(sent.output.firstIndex(of: "["))
            #expect(try JSONValue(parsing: String(sent.output[start...])).each("name") == ["nine", "quick"])
            let refused = try session.run(
                ["dbus-send", "--session", "--print-reply", "--dest=" + Self.name, Self.path]
                    + [Self.face + ".get_job", "string:nobody"])
            #expect(refused.code == 1)
            #expect(refused.output.contains("Error com.aiworkflow.BotCron.Error.JobNotFound"))
        }

        @Test func dbusMonitorSeesTheSignals() throws {
            let monitor = try Program(
                ["dbus-monitor", "--session", "interface='com.aiworkflow.BotCron',type='signal'"],
                environment: session.environment, on: session.loop)
            // It says that it is there by losing the name that it had.
            try session.wait("the monitor") { monitor.text.contains("NameLost") }
            try session.runToEnd("quick")
            try session.wait("the end of the run") {
                monitor.text.contains("member=JobCompleted") && monitor.text.contains("member=Event")
            }
            #expect(
                monitor.text.contains(
                    "path=/com/aiworkflow/BotCron; interface=com.aiworkflow.BotCron; member=JobStarted"))
            monitor.signal(SIGTERM)
            try session.end(monitor)
        }

        /// A reader looks at the mirror; nothing that stands in it comes back.
        @Test func theMirrorIsNeverReadBack() throws {
            let file = session.scratch.path + "/config/aa-workflow/cron_state.json"
            _ = try session.json("CallMethod", "write_state", "")
            try TestFile.write(#"{"enabled": false, "jobs": [{"name": "nine", "enabled": false}]}"#, to: file)
            let reader = open(file, O_RDONLY | O_CLOEXEC)
            defer { close(reader) }
            _ = try session.json("reload_config")
            #expect(try session.property("Enabled") == .bool(true))
            #expect(try session.job("nine")["enabled"] == true)
            _ = try session.json("CallMethod", "write_state", "")
            #expect(try JSONValue(parsing: TestFile.text(file))["enabled"] == true)
            // By rename: whoever has it open goes on reading what it was.
            #expect(TestFile.text("/proc/self/fd/\(reader)").hasPrefix(#"{"enabled": false"#))
        }
    }
}
