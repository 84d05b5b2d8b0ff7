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
                "- notify: \"slack\" cannot be told: it has no address: schedules.notifications.slack.webhook, "
                    + "or webhook_file beside it, says it",
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

    // MARK: - Targets that leave the machine

    @Test func `web hooks and mail are read, and no description shows an address`() throws {
        let configuration = try configuration(
            """
            "notifications": {"slack": {"webhook": "https://h.test/T0P", "ca_file": "/ca"},
            "webhook": {"url": "http://h.test/T0P", "secret_file": "~/s"},
            "email": {"to": "a@x.test", "sendmail": ["sendmail", "-t"]},
            "targets": {"chat": {"type": "slack", "webhook_file": "~/hook"},
            "post": {"type": "email", "to": ["a@x.test", "b"], "from": "c@x.test", "smtp": {"url": "smtps://m.test",
            "user": "u", "password_file": "~/p"}},
            "plain": {"type": "email", "to": "a", "smtp": {"url": "smtp://127.0.0.1:25", "tls": "none"}},
            "open": {"type": "email", "to": "a", "smtp": {"url": "smtp://m.test", "tls": "none", "insecure": true}}}}
            """)
        #expect(configuration.warnings == [])
        var slack = WebHook(.text(Secret("https://h.test/T0P")))
        slack.certificates = "/ca"
        var hook = WebHook(.text(Secret("http://h.test/T0P")))
        hook.secretFile = "/home/ada/s"
        var server = MailServer(url: "smtps://m.test")
        (server.user, server.passwordFile) = ("u", "/home/ada/p")
        let usable = configuration.targets.usable
        #expect(usable["slack"] == .slack(slack) && usable["webhook"] == .webhook(hook))
        #expect(
            usable["email"] == .email(Mailbox(to: ["a@x.test"], from: "a@x.test", way: .program(["sendmail", "-t"]))))
        #expect(usable["chat"] == .slack(WebHook(.file("/home/ada/hook"))))
        #expect(usable["post"] == .email(Mailbox(to: ["a@x.test", "b"], from: "c@x.test", way: .server(server))))
        for name in ["plain", "open"] {
            guard case .email(let mailbox)? = usable[name], case .server(let server) = mailbox.way else {
                Issue.record("\(name): \(String(describing: usable[name]))")
                continue
            }
            #expect(!server.needsTLS)
        }
        var dumped = "\(usable) \(String(reflecting: usable))"
        dump(usable, to: &dumped)
        #expect(!dumped.contains("T0P"))
    }

    @Test(arguments: [
        (#""slack": {"webhook": "T0P"}"#, "slack.webhook: expected a URL that begins with https:// or http://"),
        (#""slack": {"webhook": ["T0P"]}"#, "slack.webhook: expected a URL that begins with https:// or http://"),
        (
            #""slack": {"webhook": "https:///T0P"}"#,
            "slack.webhook: expected a URL that begins with https:// or http://, with a host and without blanks"
        ),
        (
            #""slack": {"webhook": "***"}"#,
            "slack.webhook: three stars stand for an address that is not shown; write the address itself"
        ),
        (
            #""webhook": {"url": "https://h", "secret_file": "T0P"}"#,
            "webhook.secret_file: expected the path of a file, an absolute one, or one that begins with ~/"
        ),
        (#""slack": {}"#, "slack.webhook: missing; it is the address that is called"),
        (
            #""slack": {"webhook": "https://h", "webhook_file": "/f"}"#,
            "slack.webhook_file: says the same as webhook; give one of them"
        ),
        (#""webhook": {"secret_file": "/s"}"#, "webhook.url: missing; it is the address that is called"),
        (
            #""webhook": {"url": "https://h", "argv": ["a"]}"#,
            "webhook.argv: unknown key; did you mean \"url\"?"
        ),
        (#""email": {"sendmail": ["a"]}"#, "email.to: missing; it is whom mail goes to"),
        (
            #""email": {"to": "a@x"}"#,
            "email.smtp: missing; it is the server that mail is given to, or sendmail a program"
        ),
        (
            #""email": {"to": "a@x\r\nBcc: b", "sendmail": ["a"]}"#,
            #"email.to: found the string "a@x\r\nBcc: b"; expected a bare mail address, such as ada@example.org"#
        ),
        (
            #""email": {"to": "a@x", "smtp": {"url": "smtp://u:T0P@h"}}"#,
            "email.smtp.url: names a user: that is what user and password_file are for"
        ),
        (
            #""email": {"to": "a@x", "smtp": {"url": "smtp://h", "user": "u"}}"#,
            "email.smtp.user: needs password_file, a file that holds the password"
        ),
        (
            #""email": {"to": "a@x", "smtp": {"url": "smtp://127.0.0.1.x", "tls": "none"}}"#,
            "email.smtp.tls: mail and password would cross the network in the clear; if that is meant, say "
                + "insecure: true"
        ),
        (
            #""email": {"to": "a@x", "smtp": {"url": "smtps://localhost", "tls": "none"}}"#,
            "email.smtp.tls: contradicts smtps://, which is TLS"
        ),
        (
            #""email": {"to": "a@x", "smtp": {"url": "smtp://h", "password": "T0P"}}"#,
            "email.smtp.password: unknown key; did you mean \"password_file\"?"
        ),
    ])
    func `what is wrong with them is said without the secret`(text: String, warning: String) throws {
        let configuration = try configuration("\"notifications\": {\(text)}")
        #expect(configuration.warnings == ["schedules.notifications." + warning])
        #expect(configuration.targets.withheld == (text.contains("***") ? ["slack"] : []))
    }

    @Test func `own targets of a chat are told of successes, too`() throws {
        let configuration = try configuration(
            """
            "notifications": {"targets": {"chat": {"type": "slack", "webhook_file": "/h"},
            "hook": {"type": "webhook", "url": "https://h"}, "later": {"type": "slack", "webhook": "***"}}},
            "jobs": [{"name": "a", "command": ["true"], "notify": ["chat", "hook", "slack", "later"]}]
            """)
        let told = configuration.jobs[0].messages?.filter { $0.on.contains(.success) }.map(\.target)
        #expect(told == ["chat", "slack", "later"])
    }

    @Test func `the daemon's own heartbeat`() throws {
        let heartbeat = try configuration(#""heartbeat": {"url": "https://h.test/1", "every": "10m"}"#).heartbeat
        #expect(heartbeat?.url == "https://h.test/1" && heartbeat?.every == .seconds(600))
        #expect(try configuration(#""heartbeat": {"url": "https://h.test/1"}"#).heartbeat?.every == .seconds(300))
        for text in [#"{"url": "ftp://h"}"#, "{}", #"{"url": "https://h", "every": 9}"#] {
            #expect(throws: ConfigurationError.self) { try configuration("\"heartbeat\": \(text)") }
        }
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
