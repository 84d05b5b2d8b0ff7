import DBus
import Glibc
import JSON
import TestSupport
import Testing

/// Messages that leave the machine, from a run to the server that takes them.
@Suite struct WebMessageTests {
    let scratch: ScratchFolder
    let folder: String

    init() throws {
        scratch = try ScratchFolder("botcron-web")
        folder = scratch.path
    }

    private func file(_ name: String, _ text: String, mode: mode_t = 0o600) throws -> String {
        try TestFile.write(text, to: "\(folder)/\(name)", mode: mode)
        return "\(folder)/\(name)"
    }

    private func failing(_ name: String = "told", notify: JSONValue) -> JSONValue {
        ["name": .string(name), "command": "echo '<b> & `co`'; exit 3", "notify": notify]
    }

    private func targets(_ targets: JSONObject) -> JSONObject { ["notifications": ["targets": .object(targets)]] }

    // MARK: - What is sent

    @Test func `a chat is told in words, with blocks for a failure`() throws {
        let server = try TestServer(.web, in: folder)
        let address = try file("slack", "http://127.0.0.1:\(server.port)/ok/T0PSECRET\n")
        let session = try Session(
            jobs: [failing(notify: ["slack"]), ["name": "good", "command": "echo fine", "notify": ["slack"]]],
            ["notifications": ["slack": ["webhook_file": .string(address)]]])
        let daemon = try session.start()
        let run = try session.runToEnd("told").text("execution_id")
        #expect(try session.messagesSettled(run).map { $0.text("state") } == ["sent"])
        _ = try session.messagesSettled(try session.runToEnd("good").text("execution_id"))
        let requests = try server.requests
        #expect(requests.map { $0.text("path") } == ["/ok/T0PSECRET", "/ok/T0PSECRET"])
        let bodies = try requests.map { try JSONValue(parsing: $0.text("body")) }
        #expect(bodies[0].text("text") == "told failed: exited with status 3: &lt;b&gt; &amp; `co`")
        let blocks = try #require(bodies[0]["blocks"]?.arrayValue)
        #expect(blocks.map { $0.text("type") } == ["header", "section", "section", "context"])
        #expect(blocks[2]["text"]?.text("text") == "```\n&lt;b&gt; &amp; 'co'\n```")
        #expect(bodies[1] == ["text": "good succeeded: fine"])
        #expect(requests[0]["headers"]?["webhook-id"] == nil)
        try expectNowhere(["T0PSECRET"], session, daemon)
    }

    @Test func `a web hook is told the run, signed by both secrets`() throws {
        let server = try TestServer(.web, in: folder)
        let secrets = try file("secrets", "whsec_T0PSECRETONE=\n\n  T0PSECRETTWO \n")
        let session = try Session(
            jobs: [failing(notify: ["hook"])],
            targets([
                "hook": [
                    "type": "webhook", "url": .string("http://127.0.0.1:\(server.port)/ok/T0PPATH"),
                    "secret_file": .string(secrets),
                ]
            ]))
        let daemon = try session.start()
        let run = try session.runToEnd("told").text("execution_id")
        let message = try #require(try session.messagesSettled(run).first)
        #expect(message.text("state") == "sent")
        let request = try #require(try server.requests.first)
        let body = try JSONValue(parsing: request.text("body"))
        #expect(body.text("type") == "job.failure" && body["data"]?.text("execution_id") == run)
        #expect(body["data"]?["exit_code"] == 3 && body["message"]?.text("title") == "told failed")
        #expect(body.text("timestamp") == message.text("created_at"))
        #expect(request["headers"]?.text("webhook-id") == message.text("id"))
        let signatures = request["headers"]?.text("webhook-signature").split(separator: " ") ?? []
        #expect(signatures.count == 2 && signatures.allSatisfy { $0.hasPrefix("v1,") && $0.utf8.count == 47 })
        try expectNowhere(["T0PSECRETONE", "T0PSECRETTWO", "T0PPATH"], session, daemon)
    }

    @Test func `mail goes by a server with TLS and a user, as one that a reader takes apart`() throws {
        let certificates = try TestCertificates(in: folder)
        let server = try TestServer(
            .mail, in: folder, ["tls", certificates.certificate, certificates.key, "login", "me", "T0PSECRET"])
        let session = try Session(
            jobs: [
                ["name": "told", "command": "seq 60; printf '.\\n.é\\377\\n'; exit 1", "notify": ["email"]]
            ],
            [
                "timezone": "Europe/Berlin",
                "notifications": [
                    "email": [
                        "to": ["ada@x.test", "bob@x.test"], "from": "cron@x.test",
                        "smtp": [
                            "url": .string("smtp://localhost:\(server.port)"), "user": "me",
                            "password_file": .string(try file("password", "T0PSECRET\n")),
                            "ca_file": .string(certificates.authority),
                        ],
                    ]
                ],
            ])
        let daemon = try session.start()
        let run = try session.runToEnd("told").text("execution_id")
        let message = try #require(try session.messagesSettled(run).first)
        #expect(message.text("state") == "sent", "\(message)")
        let taken = try #require(try server.requests.first)
        #expect(taken["tls"] == true && taken["to"] == ["ada@x.test", "bob@x.test"])
        let mail = try parsed(taken.text("data"))
        #expect(mail.text("subject") == "told failed" && mail.text("id") == "<\(message.text("id"))@x.test>")
        #expect(mail.text("auto") == "auto-generated" && mail.text("type") == "text/plain utf-8")
        #expect(mail.text("from") == "cron@x.test" && mail.text("to") == "ada@x.test, bob@x.test")
        #expect(mail.text("date").hasSuffix(" +0100") || mail.text("date").hasSuffix(" +0200"))
        #expect(mail["defects"] == 0)
        let lines = mail.text("body").split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(lines.contains("Run:     \(run)") && lines.contains("Status:  failed"))
        // The last 50 lines: two of them are those behind the numbers.
        #expect(!lines.contains("12") && lines.contains("13") && lines.contains("60"))
        #expect(lines.contains(".") && lines.contains(".é\u{FFFD}"))
        try expectNowhere(["T0PSECRET"], session, daemon)
    }

    @Test func `mail goes by a program, and no name makes a header`() throws {
        let session = try Session(
            jobs: [["name": "told", "command": ["false"], "notify": ["post"]]],
            targets([
                "post": ["type": "email", "to": "ada", "sendmail": ["sh", "-c", "cat > ~/mail"]],
                "broken": ["type": "email", "to": "ada", "sendmail": ["false"]],
            ]))
        try session.start()
        let run = try session.runToEnd("told").text("execution_id")
        #expect(try session.messagesSettled(run).map { $0.text("state") } == ["sent"])
        let mail = try parsed(TestFile.text(session.scratch.path + "/home/mail"))
        #expect(mail.text("to") == "ada" && mail.text("from") == "ada" && mail.text("id").hasSuffix("@localhost>"))
        #expect(try session.json("test_target", "broken").text("error") == "false exited with status 1")
    }

    /// As Python's own library reads it.
    private func parsed(_ mail: String) throws -> JSONValue {
        let reader = """
            import email, email.policy, json, sys
            mail = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.default)
            print(json.dumps({
                "subject": mail["Subject"], "id": mail["Message-ID"], "auto": mail["Auto-Submitted"],
                "type": mail.get_content_type() + " " + mail.get_content_charset(),
                "from": mail["From"], "to": mail["To"], "date": mail["Date"],
                "body": mail.get_content().replace("\\r\\n", "\\n"), "defects": len(mail.defects),
            }))
            """
        let done = try TestProgram.run(["/usr/bin/python3", "-c", reader], input: mail)
        #expect(done.code == 0, "\(done.errors)")
        return try JSONValue(parsing: done.output)
    }

    // MARK: - Where it fails

    @Test func `what failed is sent again with its id, and a failure is on record without the address`() throws {
        let server = try TestServer(.web, in: folder)
        let url = "http://127.0.0.1:\(server.port)"
        let session = try Session(
            jobs: [failing(notify: ["once", "nowhere"])],
            targets([
                "once": ["type": "webhook", "url": .string(url + "/first/500/T0PSECRET")],
                "nowhere": ["type": "slack", "webhook": "http://127.0.0.1:1/T0PSECRET"],
            ]))
        let daemon = try session.start()
        let run = try session.runToEnd("told").text("execution_id")
        var messages: [JSONValue] = []
        try session.look(for: "one sent the second time") {
            messages = try session.run(run)["messages"]?.arrayValue ?? []
            return messages.first?["state"] == "sent"
        }
        #expect(messages[0]["sent"] == 2 && messages[1].text("error") == "127.0.0.1: no connection to it")
        let ids = try server.requests.map { $0["headers"]?.text("webhook-id") ?? "" }
        #expect(ids == [messages[0].text("id"), messages[0].text("id")])
        try expectNowhere(["T0PSECRET"], session, daemon)
    }

    @Test func `410 turns a target off, over a restart too, until a test reaches it or it is configured anew`() throws {
        let server = try TestServer(.web, in: folder)
        let url = "http://127.0.0.1:\(server.port)"
        func section(_ path: String) -> JSONObject {
            targets(["hook": ["type": "webhook", "url": .string(url + path)]])
        }
        let jobs = [failing(notify: ["hook"])]
        let session = try Session(jobs: jobs, section("/first/410/T0PSECRET"))
        var daemon = try session.start()
        func told() throws -> JSONValue {
            try #require(try session.messagesSettled(try session.runToEnd("told").text("execution_id")).first)
        }
        let first = try told()
        #expect(first.text("state") == "failed" && first["sent"] == 1)
        #expect(
            first.text("error") == "127.0.0.1 answered 410: there is nothing at that address any more; hook is off, "
                + "until its configuration is another or botcronctl notify test hook reaches it")
        try session.stop(daemon)
        daemon = try session.start()
        let second = try told()
        #expect(second.text("state") == "failed" && second.text("error").hasPrefix("hook is off since 20"))
        #expect(try server.requests.count == 1)
        #expect(try targetFact(session).text("text").hasPrefix("hook is off since 20"))
        #expect(try session.json("test_target", "hook") == ["target": "hook", "sent": true])
        #expect(try told().text("state") == "sent")
        #expect(try targetFact(session)["serves"] == true)

        for (path, state) in [("/status/410", "failed"), ("/ok", "sent")] {
            try TestFile.write(Session.config(section(path), jobs: jobs), to: session.configFile)
            _ = try session.json("reload_config")
            #expect(try told().text("state") == state)
        }
        try expectNowhere(["T0PSECRET"], session, daemon)
    }

    private func targetFact(_ session: Session) throws -> JSONValue {
        let facts = try session.json("HealthCheck")["surroundings"]?.arrayValue ?? []
        return try #require(facts.first { $0.text("name") == "message targets" })
    }

    @Test func `files of secrets that others can read are not used`() throws {
        let open = try file("open", "http://127.0.0.1:1/T0PSECRET", mode: 0o644)
        let empty = try file("empty", "\n")
        let session = try Session(
            jobs: [],
            targets([
                "open": ["type": "slack", "webhook_file": .string(open)],
                "empty": ["type": "webhook", "url": "http://127.0.0.1:1/", "secret_file": .string(empty)],
                "none": [
                    "type": "email", "to": "a@x.test",
                    "smtp": ["url": "smtp://127.0.0.1:1", "user": "me", "password_file": .string(folder + "/none")],
                ],
            ]))
        let daemon = try session.start()
        for (target, found) in [
            ("open", "others may read or write it"), ("empty", "it is empty"), ("none", "No such file"),
        ] {
            let error = try session.json("test_target", .string(target)).text("error")
            #expect(error.hasPrefix("cannot use the file \"\(folder)/\(target)\": \(found)"), "\(error)")
        }
        try expectNowhere(["T0PSECRET"], session, daemon)
    }

    // MARK: - Secrets

    @Test func `the bus is not told of secrets, and does not take the stars for them`() throws {
        let section: JSONObject = [
            "notifications": [
                "slack": ["webhook": "https://x.test/T0PSECRET"], "webhook": ["url": "https://x.test/T0PSECRET"],
                "email": ["to": "a@x.test", "smtp": ["url": "smtp://x.test", "password": "T0PSECRET"]],
                "targets": ["own": ["type": "webhook", "url": "https://x.test/T0PSECRET", "secret_file": "/s"]],
            ]
        ]
        let session = try Session(jobs: [], section)
        let daemon = try session.start()
        for key in [
            "", "notifications", "notifications.slack", "notifications.slack.webhook", "notifications.targets.own",
            "notifications.targets.own.url", "notifications.email",
        ] {
            let text = try #require(try session.call("get_config", "schedules", .string(key)).first?.asString)
            #expect(!text.contains("T0PSECRET") && text.contains("***"), "\(key): \(text)")
        }
        #expect(try session.json("get_config", "schedules", "notifications.targets.own.secret_file") == "/s")
        #expect(try session.json("get_config", "schedules", "notifications.email.smtp.url") == "smtp://x.test")
        let older = try session.call("CallMethod", "get_config", #"["schedules", "notifications"]"#)
        #expect(older.first?.asString?.contains("T0PSECRET") == false && older.first?.asString?.contains("***") == true)
        let own = try session.json("get_config", "schedules", "notifications.targets")
        let refusal = try session.refusal(
            "update_config", "schedules", "notifications.targets", .string(own.compactText))
        #expect(refusal.message.contains("three stars stand for an address that is not shown"))
        #expect(TestFile.text(session.configFile).contains("T0PSECRET"))
        try session.done("update_config", "schedules", "notifications.targets.own.secret_file", "\"/t\"")
        try expectNowhere(["T0PSECRET"], session, daemon)
    }

    @Test func `while a message is under way no process shows what is secret, and the next daemon sends it again`()
        throws
    {
        let server = try TestServer(.web, in: folder)
        let session = try Session(
            jobs: [failing(notify: ["hook"])],
            targets([
                "hook": [
                    "type": "webhook", "url": .string("http://127.0.0.1:\(server.port)/never/T0PPATH"),
                    "secret_file": .string(try file("secret", "T0PSECRET")),
                ]
            ]))
        let daemon = try session.start()
        _ = try session.runToEnd("told")
        try session.look(for: "the server called") { try server.requests.count == 1 }
        let children = TestFile.text("/proc/\(daemon.pid)/task/\(daemon.pid)/children").split(separator: " ")
        #expect(children.contains { TestFile.text("/proc/\($0)/cmdline").contains("botcron-send") })
        try expectNowhere(["T0PPATH", "T0PSECRET"], session, daemon)
        try session.crash(daemon)
        try session.start()
        try session.look(for: "the server called again") { try server.requests.count == 2 }
        let ids = try server.requests.compactMap { $0["headers"]?.text("webhook-id") }
        #expect(ids.count == 2 && ids[0] == ids[1])
    }

    @Test func `a daemon that starts with the last good section keeps a message until the file is good`() throws {
        let server = try TestServer(.web, in: folder)
        let session = try Session(
            jobs: [failing(notify: ["slack"])],
            ["notifications": ["slack": ["webhook": .string("http://127.0.0.1:\(server.port)/ok/T0PSECRET")]]])
        let good = TestFile.text(session.configFile)
        var daemon = try session.start()
        _ = try session.messagesSettled(try session.runToEnd("told").text("execution_id"))
        try session.stop(daemon)
        try TestFile.write("{", to: session.configFile)
        daemon = try session.start()
        let run = try session.runToEnd("told").text("execution_id")
        #expect(
            try session.json("test_target", "slack").text("error")
                == "slack: waits for a good config.json, which alone has its address")
        #expect(try session.run(run)["messages"]?.arrayValue?.map { $0.text("state") } == ["pending"])
        #expect(try targetFact(session).text("text").hasPrefix("slack waits for a good config.json"))
        let status = try session.run([TestPlace.built("botcronctl"), "status"])
        #expect(status.output.contains("slack waits for a good config.json, which alone has its address"))
        #expect(try server.requests.count == 1)
        try TestFile.write(good, to: session.configFile)
        #expect(try session.messagesSettled(run).map { $0.text("state") } == ["sent"])
        #expect(try server.requests.count == 2)
        try expectNowhere(["T0PSECRET"], session, daemon)
    }

    /// In no argument and no environment of a process of the session, in no file but those that hold them, and in
    /// nothing that the daemon said, in its log or on the bus.
    private func expectNowhere(_ secrets: [String], _ session: Session, _ daemon: Program) throws {
        let root = session.scratch.path
        let said = daemon.text + session.signals.map(\.description).joined()
        // The processes are those that have the home of this session.
        let search = """
            cd /proc; for pid in [0-9]*; do
                tr '\\0' '\\n' < $pid/environ 2>/dev/null | grep -qxF "HOME=\(root)/home" || continue
                grep -aqF -e "$1" $pid/cmdline $pid/environ && echo "process $pid"
            done
            grep -raF -e "$1" --exclude=config.json \(root)/config \(root)/state \(root)/runtime/ \(root)/log
            true
            """
        for secret in secrets {
            #expect(!said.contains(secret), "the daemon says \(secret)")
            // In the environment of the search itself there is none of it.
            let found = try TestProgram.run(["/bin/sh", "-c", search, "sh", secret])
            #expect(found.output.isEmpty, "\(secret): \(found.output)")
        }
    }
}

extension Session {
    /// The messages of a run, when each has been sent or has failed.
    func messagesSettled(_ run: String) throws -> [JSONValue] {
        var messages: [JSONValue] = []
        try look(for: "the messages of \(run) settled") {
            messages = try self.run(run)["messages"]?.arrayValue ?? []
            return !messages.isEmpty && messages.allSatisfy { $0.text("state") != "pending" }
        }
        return messages
    }
}
