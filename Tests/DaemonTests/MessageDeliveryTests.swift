import DBus
import Glibc
import JSON
import TestSupport
import Testing

/// Messages on their way from a run to where somebody finds them.
@Suite struct MessageDeliveryTests {
    private func lines(_ path: String) -> [String] {
        TestFile.text(path).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    // MARK: - Files

    @Test func `fifty runs that end at once have a section each in the memory file`() throws {
        let folder = "notes/memory"
        let session = try Session(
            jobs: [
                [
                    "name": "noted", "command": "echo 'line ```` one'; seq 30", "max_instances": 50,
                    "overlap_policy": "allow", "notify": ["memory"], "inputs": ["a": "`b`"],
                ]
            ],
            [
                "max_concurrent_executions": 50,
                "notifications": ["memory": ["directory": .string("~/\(folder)")]],
            ])
        try session.start()
        let ids = try (0..<50).map { _ in
            try #require(try session.json("run_job", "noted")["execution_id"]?.stringValue)
        }
        for id in ids { _ = try session.waitForRun(id) }
        for id in ids { #expect(try session.messagesSettled(id).map { $0.text("state") } == ["sent"]) }
        let home = session.scratch.path + "/home/" + folder
        let days = try session.run(["sh", "-c", "cat \(home)/*.md"]).output
        let text = days.split(separator: "\n").map(String.init)
        for id in ids { #expect(text.count { $0 == "- run: \(id)" } == 1, "\(id)") }
        #expect(text.count { $0.hasPrefix("## ") && $0.hasSuffix(" noted: success") } == 50)
        #expect(text.count { $0.hasPrefix("<!-- msg_") } == 50)
        #expect(text.count { $0 == "- inputs: `` {\"a\": \"`b`\"} ``" } == 50)
        // The last 20 lines, in a fence.
        #expect(text.count { $0 == "```text" } == 50 && text.count { $0 == "11" } == 50 && !text.contains("10"))
    }

    @Test func `the toast file has the newest fifty, newest first`() throws {
        let session = try Session(
            jobs: [["name": "told", "command": ["false"], "notify": ["toast"], "overlap_policy": "queue"]])
        let path = session.scratch.path + "/config/aa-workflow/notifications.json"
        try TestFile.write(#"{"kept": 1, "notifications": [{"id": "older"}]}"#, to: path)
        try session.start()
        var ids: [String] = []
        for _ in 0..<52 { ids.append(try session.runToEnd("told").text("execution_id")) }
        _ = try session.messagesSettled(ids[51])
        let file = try JSONValue(parsing: TestFile.text(path))
        let entries = try #require(file["notifications"]?.arrayValue)
        #expect(entries.map { $0.text("execution_id") } == ids.suffix(50).reversed())
        #expect(entries.first?.text("title") == "told failed" && entries.first?.text("type") == "error")
        #expect(file["kept"] == 1)
    }

    // MARK: - What is late

    @Test func `a run that goes on is late, and its job with it, until it has ended`() throws {
        let session = try Session(jobs: [
            [
                "name": "slow", "command": "read line < ~/gate", "expect_within": 1,
                "notify": [["target": "toast", "on": ["late"]]],
            ]
        ])
        #expect(try session.run(["mkfifo", session.scratch.path + "/home/gate"]).code == 0)
        try session.start()
        let run = try session.json("run_job", "slow").text("execution_id")
        #expect(try session.messagesSettled(run).map { $0.text("text") } == ["it is still under way after 1 s"])
        #expect(try session.run(run)["late"] == true)
        #expect(try session.job("slow")["late"] == true)
        #expect(try session.json("GetStats")["late_jobs"] == ["slow"])
        let codes = try session.json("explain_job", "slow", "")["reasons"]?.arrayValue?.map { $0.text("code") }
        #expect(codes?.contains("late_run") == true)
        #expect(try session.run(["sh", "-c", "echo go > \(session.scratch.path)/home/gate"]).code == 0)
        let ended = try session.waitForRun(run)
        #expect(ended["status"] == "success" && ended["late"] == true && ended["unusual"] == false)
        #expect(ended["cpu_seconds"]?.doubleValue != nil && ended["memory_peak_bytes"]?.intValue ?? 0 > 0)
        #expect(try session.job("slow")["late"] == false)
        #expect(try session.json("GetStats")["late_jobs"] == [])
    }

    @Test func `a job without a success is late once, through a restart of the daemon`() throws {
        let session = try Session(
            jobs: [
                [
                    "name": "idle", "command": ["true"], "expect_every": 1,
                    "notify": [["target": "ear", "on": ["late"]]],
                ]
            ],
            [
                "notifications": [
                    "targets": ["ear": ["type": "command", "argv": ["sh", "-c", "cat >> ~/heard; echo >> ~/heard"]]]
                ]
            ])
        let daemon = try session.start()
        let path = session.scratch.path + "/home/heard"
        func heard() -> [String] { TestFile.text(path).split(separator: "\n").map(String.init) }
        try session.look(for: "the message") { !heard().isEmpty }
        #expect(try session.job("idle")["late"] == true)
        #expect(try session.stop(daemon) == 0)
        try session.start()
        #expect(try session.job("idle")["late"] == true)
        // Out of force it is not late a second time, after the success.
        try session.done("toggle_job", "idle", .bool(false))
        _ = try session.runToEnd("idle")
        #expect(try session.job("idle")["late"] == false)
        #expect(Set(heard().compactMap { try? JSONValue(parsing: $0)["message"]?.text("id") }).count == 1)
        let message = try JSONValue(parsing: try #require(heard().first))["message"]
        #expect(message?.text("title") == "idle is late" && message?.text("run") == "")
    }

    // MARK: - Programs

    @Test func `a program gets the message and its run as JSON, and a failure is on record with the reason`() throws {
        let session = try Session(
            jobs: [
                ["name": "good", "command": "echo hello", "notify": [["target": "bell", "on": ["success"]]]],
                ["name": "bad", "command": "exit 3", "notify": ["broken"]],
            ],
            [
                "notifications": [
                    "targets": [
                        "bell": ["type": "command", "argv": ["sh", "-c", "cat > ~/heard"]],
                        "broken": ["type": "command", "argv": ["sh", "-c", "echo no line; exit 7"]],
                    ]
                ]
            ])
        try session.start()
        let run = try session.runToEnd("good").text("execution_id")
        #expect(try session.messagesSettled(run).map { $0.text("state") } == ["sent"])
        let heard = try JSONValue(parsing: TestFile.text(session.scratch.path + "/home/heard"))
        #expect(heard["message"]?.text("on") == "success" && heard["message"]?.text("run") == run)
        #expect(heard["message"]?.text("title") == "good succeeded" && heard["message"]?.text("text") == "hello")
        #expect(heard["run"]?.text("execution_id") == run && heard["run"]?.text("status") == "success")

        let other = try session.runToEnd("bad").text("execution_id")
        var message: JSONValue?
        try session.look(for: "the first sending to have failed") {
            message = try session.run(other)["messages"]?.arrayValue?.first
            return message?["sent"] == 1
        }
        #expect(message?.text("state") == "pending" && message?["next_at"]?.stringValue != nil)
        #expect(message?.text("error") == "sh exited with status 7: no line")
        // The run has failed for itself, and not for its message.
        #expect(try session.run(other).text("error") == "exited with status 3")
    }

    @Test func `a target that nobody has configured fails the message, and not the run`() throws {
        let session = try Session(jobs: [["name": "told", "command": ["false"], "notify": ["slack", "memory"]]])
        try session.start()
        let run = try session.runToEnd("told").text("execution_id")
        let messages = try session.messagesSettled(run)
        #expect(messages.map { $0.text("state") } == ["failed", "failed"])
        #expect(
            messages[0].text("error")
                == "slack: it has no address: schedules.notifications.slack.webhook, or webhook_file beside it, says it"
        )
        #expect(messages[1].text("error").hasPrefix("memory: it has no folder"))
        let facts = try session.json("HealthCheck")["surroundings"]?.arrayValue ?? []
        let targets = facts.first { $0.text("name") == "message targets" }
        #expect(targets?["serves"] == false && targets?.text("text").hasPrefix("told: notify: \"slack\"") == true)
    }

    @Test func `a target can be tried, and what is wrong with it is said`() throws {
        let session = try Session(
            jobs: [],
            [
                "notifications": [
                    "targets": ["broken": ["type": "command", "argv": ["sh", "-c", "exit 7"]]],
                    "memory": ["directory": "~/notes"],
                ]
            ])
        try session.start()
        #expect(try session.json("test_target", "memory") == ["target": "memory", "sent": true])
        #expect(try session.run(["sh", "-c", "cat \(session.scratch.path)/home/notes/*.md"]).output.contains("to try"))
        for (target, error) in [
            ("broken", "sh exited with status 7"), ("pigeon", "pigeon: no target is called so"),
            ("desktop", "no notification server is there, and none has come"),
        ] {
            let answer = try session.json("test_target", .string(target))
            #expect(answer["sent"] == false && answer.text("error") == error, "\(answer)")
        }
    }

    @Test func `a daemon that is killed before a message is sent sends it with the same id`() throws {
        let session = try Session(
            jobs: [["name": "told", "command": ["false"], "notify": ["slow"]]],
            [
                "notifications": [
                    "targets": [
                        "slow": ["type": "command", "argv": ["sh", "-c", "cat >> ~/heard; test -e ~/go || sleep 60"]]
                    ]
                ]
            ])
        let daemon = try session.start()
        let run = try session.runToEnd("told").text("execution_id")
        let heard = session.scratch.path + "/home/heard"
        try session.look(for: "the program to have read the message") { lines(heard).count > 1 }
        let id = try session.run(run)["messages"]?.arrayValue?.first?.text("id") ?? ""
        try session.crash(daemon)
        try TestFile.write("", to: session.scratch.path + "/home/go")
        try session.start()
        let messages = try session.messagesSettled(run)
        #expect(messages.map { $0.text("state") } == ["sent"] && messages.first?.text("id") == id)
        let ids = try lines(heard).filter { !$0.isEmpty }.map {
            try JSONValue(parsing: $0)["message"]?.text("id") ?? ""
        }
        #expect(ids == [id, id])
    }

    // MARK: - The desktop

    /// The notification server that python-dbusmock plays.
    private struct MockServer {
        let program: Program
        let session: Session

        init(_ session: Session, capabilities: String = "actions body body-markup") throws {
            self.session = session
            let parameters = "{\"capabilities\": \"\(capabilities)\"}"
            program = try Program(
                [
                    "/usr/bin/python3", "-m", "dbusmock", "--session", "--template", "notification_daemon", "-p",
                    parameters,
                ],
                environment: session.environment, on: session.loop)
            let ask = RemoteCall(
                .bus, "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameHasOwner",
                ["org.freedesktop.Notifications"])
            try session.look(for: "the server on the bus: \(program.text)") {
                try session.reply(ask).get() == [.bool(true)]
            }
        }

        func tell(_ method: MemberName, _ arguments: DBusValue...) throws -> [DBusValue] {
            try session.reply(
                RemoteCall(
                    "org.freedesktop.Notifications", "/org/freedesktop/Notifications", "org.freedesktop.DBus.Mock",
                    method, arguments)
            ).get()
        }

        /// The arguments of each call so far.
        func shown() throws -> [[DBusValue]] {
            try tell("GetMethodCalls", "Notify").first?.asArray?.compactMap {
                $0.asStructure?.last?.asArray?.map(\.unwrapped)
            } ?? []
        }

        /// The numbers of those that it was to close.
        func closed() throws -> [Int] {
            try tell("GetMethodCalls", "CloseNotification").first?.asArray?.compactMap {
                let number = $0.asStructure?.last?.asArray?.first?.unwrapped
                return number?.asInt32.map { Int($0) } ?? number?.asUInt32.map { Int($0) }
            } ?? []
        }

        func press(_ number: UInt32, _ button: String) throws {
            _ = try tell(
                "EmitSignal", "org.freedesktop.Notifications", "ActionInvoked", "us",
                .array([.variant(.uint32(number)), .variant(.string(button))], element: "v"))
        }
    }

    @Test func `the notification server shows a failure, and its buttons run and pause the job`() throws {
        let session = try Session(
            jobs: [["name": "told", "command": "echo '<b> & co'; exit 1", "notify": ["desktop"]]])
        let server = try MockServer(session)
        let daemon = try session.start()
        let run = try session.runToEnd("told").text("execution_id")
        #expect(try session.messagesSettled(run).map { $0.text("state") } == ["sent"])
        let shown = try #require(try server.shown().last)
        #expect(shown[0].asString == "BotCron" && shown[3].asString == "told failed")
        #expect(shown[4].asString == "exited with status 1: &lt;b&gt; &amp; co")
        #expect(
            shown[5].asArray?.compactMap(\.asString) == [
                "default", "Show log", "run", "Run again", "show", "Show log", "pause", "Pause job",
            ])
        let hints = Dictionary(
            uniqueKeysWithValues: (shown[6].asEntries ?? []).map { ($0.key.asString ?? "", $0.value.unwrapped) })
        #expect(hints["desktop-entry"]?.asString == "com.aiworkflow.BotCron" && hints["urgency"] == .byte(1))
        #expect(hints["sound-name"] == nil && hints["transient"] == nil)

        try server.press(1, "run")
        try session.wait("the run that the button asks for") { session.signals.count { $0.member == "JobFailed" } == 2 }
        try session.look(for: "the second notification") { try server.shown().count == 2 }
        // It takes the place of the first one of its job.
        #expect(try server.shown()[1][1].asUInt32 == 1)

        // Of another daemon, too: the server still shows it.
        try session.crash(daemon)
        try session.start()
        // When it listens is not to be seen.
        try session.look(for: "the job paused") {
            try server.press(1, "pause")
            return try session.job("told")["enabled"] == false
        }
    }

    @Test func `a question has a button for each choice, which answers it, also after a crash of the daemon`() throws {
        let words = #"{\"question\": \"Go on?\", \"choices\": [\"Allow\", \"Deny\"], \"timeout\": \"1h\"}"#
        let script = "echo \"ask \(words)\" >&3; read -r line <&4; echo \"$line\""
        let session = try Session(
            jobs: [["name": "asks", "command": .string(script), "notify": ["desktop"], "overlap_policy": "allow"]])
        let server = try MockServer(session)
        let daemon = try session.start()
        for isCrashed in [false, true] {
            let run = try session.json("run_job", "asks").text("execution_id")
            let count = isCrashed ? 2 : 1
            try session.look(for: "the notification") { try server.shown().count >= count }
            let shown = try #require(try server.shown().last)
            #expect(shown[3].asString == "asks asks" && shown[4].asString?.hasPrefix("Go on?") == true)
            #expect(
                shown[5].asArray?.compactMap(\.asString).prefix(4) == ["answer.1.1.0", "Allow", "answer.1.1.1", "Deny"])
            let hints = (shown[6].asEntries ?? []).map { "\($0.key.asString ?? "") \($0.value.unwrapped)" }
            #expect(hints.contains { $0.hasPrefix("urgency") && $0.contains("2") }, "\(hints)")
            if isCrashed {
                try session.crash(daemon)
                try session.start()
            }
            // When it listens is not to be seen.
            try session.look(for: "the answer") {
                // The one before was taken away when it was answered.
                try server.press(UInt32(count), "answer.1.1.1")
                return try session.run(run)["status"] == "success"
            }
            let question = try session.run(run)["questions"]?[0]
            #expect(question?["choice"] == "Deny" && question?["answered_by"] == "desktop")
        }
    }

    private static func asks(_ more: String) -> JSONValue {
        let words = #"{\"question\": \"Go on?\", \"choices\": [\"Allow\", \"Deny\"], \"timeout\": "#
        let script = "echo \"ask \(words)\\\"\(more)\\\"}\" >&3; read -r line <&4; echo \"$line\""
        return ["name": "asks", "command": .string(script), "notify": ["desktop"]]
    }

    /// By the bus; by nobody in time; by nobody in time while no daemon was there.
    @Test(arguments: [("1h", false), ("1s", false), ("3s", true)])
    func `a question is taken away when it is answered elsewhere or its time is over`(
        timeout: String, isKilled: Bool
    ) throws {
        let session = try Session(jobs: [Self.asks(timeout)])
        let server = try MockServer(session)
        let daemon = try session.start()
        let run = try session.json("run_job", "asks").text("execution_id")
        #expect(try session.messagesSettled(run).map { $0.text("state") } == ["sent"])
        if timeout == "1h" {
            #expect(try server.closed() == [])
            try session.done("answer_question", .string(run), "Allow")
        } else if isKilled {
            try session.crash(daemon)
            #expect(try server.closed() == [])
            try session.loop.turn(forUSec: 3_000_000)
            try session.start()
        }
        try session.look(for: "the notification taken away") { try server.closed() == [1] }
        #expect(try session.waitForRun(run)["status"] == "success")
    }

    @Test func `a question that is over is not shown by a server that comes late`() throws {
        let session = try Session(jobs: [Self.asks("1h")])
        try session.start()
        let run = try session.json("run_job", "asks").text("execution_id")
        try session.look(for: "the question") { try session.json("questions").arrayValue?.isEmpty == false }
        #expect(try session.run(run)["messages"]?[0]?.text("state") == "pending")
        try session.done("answer_question", .string(run), "Allow")
        let message = try #require(try session.messagesSettled(run).first)
        #expect(message.text("state") == "failed" && message.text("error") == "its question is over")
        let server = try MockServer(session)
        _ = try session.json("test_target", "desktop")
        #expect(try server.shown().map { $0[3].asString } == ["BotCron"])
    }

    @Test func `a message waits for a notification server, and one that restarts knows of nothing`() throws {
        let session = try Session(jobs: [["name": "told", "command": ["false"], "notify": ["desktop"]]])
        try session.start()
        let run = try session.runToEnd("told").text("execution_id")
        #expect(try session.run(run)["messages"]?.arrayValue?.map { $0.text("state") } == ["pending"])
        do {
            let server = try MockServer(session, capabilities: "body")
            #expect(try session.messagesSettled(run).map { $0.text("state") } == ["sent"])
            let shown = try #require(try server.shown().last)
            #expect(shown[5].asArray?.isEmpty == true)
        }
        let server = try MockServer(session)
        let other = try session.runToEnd("told").text("execution_id")
        _ = try session.messagesSettled(other)
        #expect(try server.shown().last?[1].asUInt32 == 0)
    }

    @Test(.enabled(if: access("/usr/bin/dunst", X_OK) == 0 && access("/usr/bin/Xvfb", X_OK) == 0, "no dunst and Xvfb"))
    func `dunst shows a failure and a recovery`() throws {
        let session = try Session(jobs: [["name": "told", "command": "test -e ~/well", "notify": ["desktop"]]])
        let screen = try Program(
            ["sh", "-c", "exec Xvfb -displayfd 1 -screen 0 640x480x24 -nolisten tcp 2>/dev/null"],
            environment: session.environment, on: session.loop)
        try session.wait("an X server") { screen.output.contains(UInt8(ascii: "\n")) }
        let display = ":" + screen.text.split(separator: "\n")[0]
        let dunst = try Program(
            ["dunst"], environment: session.environment.merging(["DISPLAY": display]) { $1 }, on: session.loop)
        try session.start()
        let run = try session.runToEnd("told").text("execution_id")
        #expect(try session.messagesSettled(run).map { $0.text("state") } == ["sent"], "\(dunst.text)")
        try TestFile.write("", to: session.scratch.path + "/home/well")
        let other = try session.runToEnd("told").text("execution_id")
        #expect(try session.messagesSettled(other).map { $0.text("on") } == ["recovered"])
        // What dunst shows is in its history when it is closed.
        _ = try session.run(["dunstctl", "close-all"])
        let history = try session.run(["dunstctl", "history"])
        let entries = try JSONValue(parsing: history.output)["data"]?.arrayValue?.first?.arrayValue ?? []
        let summaries = entries.map { $0["summary"]?.text("data") ?? "" }
        #expect(summaries.contains("told works again") || summaries.contains("told failed"), "\(history.output)")
    }
}
