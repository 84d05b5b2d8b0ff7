import DBus
import JSON
import Testing

/// What clients send that is not quite, or not at all, what a method takes.
@Suite(.ownThread) struct ArgumentTests {
    private let session: Session

    init() throws {
        session = try Session(jobs: [
            ["name": "daily_standup", "cron": "0 9 * * MON-FRI", "command": ["true"]],
            ["name": "backup", "command": ["true"]],
        ])
        try session.start()
    }

    @Test(arguments: ["true", "1", "yes", "on"])
    func wordsForTrueAreTaken(word: String) throws {
        try session.done("toggle_job", "backup", .bool(false))
        try session.done("toggle_job", "backup", .string(word))
        #expect(try session.job("backup")["enabled"] == true)
    }

    @Test(arguments: ["false", "0", "no", "off"])
    func wordsForFalseAreTaken(word: String) throws {
        try session.done("toggle_job", "backup", .string(word))
        #expect(try session.job("backup")["enabled"] == false)
        try session.done("toggle_scheduler", .string(word))
        #expect(try session.property("Enabled") == .bool(false))
    }

    @Test func wrongArgumentsAreNamedWithWhatCameAndWhatIsExpected() throws {
        /// The words that the text must hold: the argument, what came, what is expected.
        let table: [(MemberName, [DBusValue], [String])] = [
            ("toggle_job", ["backup", "maybe"], ["enabled", "maybe", "true"]),
            ("toggle_job", ["backup", .double(1)], ["enabled", "'d'", "'b'"]),
            ("toggle_job", [.int32(1), .bool(true)], ["job", "'i'", "'s'"]),
            ("toggle_job", ["backup"], ["enabled"]),
            ("toggle_job", ["backup", .bool(true), .bool(true)], ["toggle_job", "sb"]),
            ("toggle_scheduler", [.strings(["a"])], ["enabled", "'as'", "'b'"]),
            ("get_history", ["ten"], ["limit", "ten"]),
            ("get_history", [.bool(true)], ["limit", "'b'", "'i'"]),
            ("run_job", [], ["job"]),
            ("run_job", [.variant("backup")], ["job", "'v'", "'s'"]),
            ("list_jobs", ["x"], ["list_jobs"]),
            ("Ping", [.uint32(1)], ["Ping"]),
            ("preview_schedule", ["* * * * *", "many"], ["count", "many"]),
        ]
        for (member, arguments, words) in table {
            guard case .failure(let error) = try session.reply(member, arguments) else {
                Issue.record("\(member)\(arguments) was not refused")
                continue
            }
            #expect(error.name == .invalidArgs, "\(member)\(arguments): \(error)")
            for word in words {
                let plain = word.filter { $0 != "'" }
                #expect(error.message.contains(plain), "\(member)\(arguments): \(word) in \(error.message)")
            }
        }
        // Nothing of it was done.
        #expect(try session.job("backup")["enabled"] == true)
        #expect(try session.property("Enabled") == .bool(true))
    }

    @Test func anUnknownJobNamesTheNearest() throws {
        let table: [(MemberName, [DBusValue])] = [
            ("run_job", ["daily_standap"]), ("toggle_job", ["daily_standap", .bool(true)]),
            ("get_job", ["daily_standap"]), ("pause_job", ["daily_standap"]), ("resume_job", ["daily_standap"]),
            ("skip_job", ["daily_standap"]), ("cancel_job", ["daily_standap"]),
            ("run_job", ["{\"job\": \"daily_standap\"}"]),
        ]
        for (member, arguments) in table {
            guard case .failure(let error) = try session.reply(member, arguments) else {
                Issue.record("\(member) was not refused")
                continue
            }
            #expect(error.name == "com.aiworkflow.BotCron.Error.JobNotFound", "\(member): \(error)")
            #expect(error.message.contains("daily_standap"), "\(member): \(error)")
            #expect(error.message.contains("daily_standup"), "\(member): \(error)")
        }
    }

    @Test func anUnknownRunIsSaidSo() throws {
        for member: MemberName in ["get_run", "wait_run", "cancel_run"] {
            let error = try session.refusal(member, "cron-nothing-20260101-000000")
            #expect(error.name == "com.aiworkflow.BotCron.Error.RunNotFound", "\(member)")
            #expect(error.message.contains("cron-nothing-20260101-000000"), "\(member)")
        }
    }

    @Test func runJobRefusesWhatItCannotRead() throws {
        for text in [
            "{", "{\"job\": 5}", "{}", "{\"job\": \"backup\", \"imputs\": {}}", "{\"job\": \"backup\", \"inputs\": []}",
            "{\"job\": \"backup\", \"scheduled_for\": \"soon\"}", "{\"job\": \"backup\", \"force\": \"very\"}",
            "{\"job\": \"backup\", \"idempotency_key\": {}}",
        ] {
            let error = try session.refusal("run_job", .string(text))
            #expect(error.name == .invalidArgs, "\(text): \(error)")
        }
        #expect(try session.history().isEmpty)
    }

    @Test func whatDoesNotExistIsNamed() throws {
        func error(_ path: ObjectPath, _ interface: InterfaceName?, _ member: MemberName) throws -> ErrorReply? {
            guard case .failure(let error) = try session.reply(RemoteCall(Session.name, path, interface, member))
            else { return nil }
            return error
        }
        let method = try #require(try error(Session.path, Session.interface, "no_such_method"))
        #expect(method.name == .unknownMethod)
        #expect(method.message.contains("no_such_method"))
        let interface = try #require(try error(Session.path, "com.example.Nothing", "Ping"))
        #expect(interface.name == .unknownInterface)
        #expect(interface.message.contains("com.example.Nothing"))
        let object = try #require(try error("/com/example", Session.interface, "Ping"))
        #expect(object.name == .unknownObject)
        #expect(object.message.contains("/com/example"))
        #expect(try error(Session.path, nil, "no_such_method")?.name == .unknownMethod)
        // Without an interface the method is looked for in all of them.
        #expect(try error(Session.path, nil, "list_jobs") == nil)
    }

    @Test func propertiesAreReadOnlyAndNamed() throws {
        func ask(_ member: MemberName, _ arguments: DBusValue...) throws -> ErrorReply? {
            let call = RemoteCall(
                Session.name, Session.path, "org.freedesktop.DBus.Properties", member, arguments)
            guard case .failure(let error) = try session.reply(call) else { return nil }
            return error
        }
        let interface = DBusValue.string(Session.interface.text)
        #expect(try ask("Get", interface, "Nothing")?.name == .unknownProperty)
        #expect(try ask("Get", "com.example.Nothing", "Enabled")?.name == .unknownInterface)
        #expect(try ask("Set", interface, "Enabled", .variant(.bool(false)))?.name == .propertyReadOnly)
        #expect(try ask("Set", interface, "Nothing", .variant(.bool(false)))?.name == .unknownProperty)
        #expect(try ask("Get", interface)?.name == .invalidArgs)
        #expect(try session.property("Enabled") == .bool(true))
    }

    @Test func theStandardInterfacesAreOnEveryObjectAndTheRootManagesObjects() throws {
        for path: ObjectPath in ["/", "/com", Session.path] {
            let peer = RemoteCall(Session.name, path, "org.freedesktop.DBus.Peer", "Ping")
            #expect(try session.reply(peer).get() == [], "\(path)")
            let introspect = RemoteCall(Session.name, path, "org.freedesktop.DBus.Introspectable", "Introspect")
            #expect(try session.reply(introspect).get().first?.asString?.contains("<node") == true, "\(path)")
        }
        let managed = RemoteCall(
            Session.name, "/", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
        let objects = try #require(try session.reply(managed).get().first?.asEntries)
        #expect(objects.contains { $0.key.asObjectPath == Session.path })
    }
}
