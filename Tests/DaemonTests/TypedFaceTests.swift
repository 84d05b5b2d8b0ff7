import DBus
import Glibc
import JSON
import TestSupport
import Testing

/// The typed face: objects, properties and their changes, as clients that are not ours see them.
@Suite(.ownThread) struct TypedFaceTests {
    private let session: Session
    private let daemon: Program
    private let objects: Objects

    private static let manager: InterfaceName = "com.aiworkflow.BotCron.Manager1"
    private static let job: InterfaceName = "com.aiworkflow.BotCron.Job1"
    private static let run: InterfaceName = "com.aiworkflow.BotCron.Run1"
    private static let jobs = Session.path.appending("jobs")

    /// What the object manager and the properties of all objects say.
    private final class Objects {
        private(set) var added: [String] = []
        private(set) var removed: [String] = []
        /// Path, interface, values.
        private(set) var changes: [(path: String, interface: String, values: [String: DBusValue])] = []
        private var subscriptions: [Subscription] = []

        init(_ session: Session) throws {
            let manager: InterfaceName = "org.freedesktop.DBus.ObjectManager"
            subscriptions = [
                session.client.subscribe(MatchRule(sender: Session.name, path: Session.path, interface: manager)) {
                    // The subscription ends with its owner.
                    [unowned self] signal in
                    let path = signal.arguments[0].asObjectPath?.text ?? ""
                    if signal.member == "InterfacesAdded" { added.append(path) } else { removed.append(path) }
                },
                session.client.subscribe(
                    MatchRule(
                        sender: Session.name, interface: "org.freedesktop.DBus.Properties", member: "PropertiesChanged")
                ) { [unowned self] signal in  // The subscription ends with its owner.
                    var values: [String: DBusValue] = [:]
                    for entry in signal.arguments[1].asEntries ?? [] {
                        values[entry.key.asString ?? ""] = entry.value.unwrapped
                    }
                    changes.append((signal.path.text, signal.arguments[0].asString ?? "", values))
                },
            ]
            try session.settle()
        }

        func changes(of path: ObjectPath, _ property: String) -> [DBusValue] {
            changes.filter { $0.path == path.text }.compactMap { $0.values[property] }
        }
    }

    init() throws {
        session = try Session(jobs: [
            [
                "name": "daily-1.x", "description": "every day", "cron": "0 9 * * *", "timezone": "Europe/Berlin",
                "command": ["sh", "-c", "echo hello; exit 3"],
            ],
            ["name": "long", "command": ["sh", "-c", "echo begun; sleep 100"]],
            ["name": "bad", "cron": "61 * * * *", "command": ["true"]],
        ])
        daemon = try session.start()
        objects = try Objects(session)
    }

    private func path(_ job: String) -> ObjectPath { Self.jobs.appending(job) }

    private func reply(
        _ path: ObjectPath, _ interface: InterfaceName, _ member: MemberName, _ arguments: [DBusValue] = []
    ) throws -> Result<[DBusValue], ErrorReply> {
        try session.reply(RemoteCall(Session.name, path, interface, member, arguments))
    }

    private func call(
        _ path: ObjectPath, _ interface: InterfaceName, _ member: MemberName, _ arguments: DBusValue...
    ) throws -> [DBusValue] { try reply(path, interface, member, arguments).get() }

    private func get(_ path: ObjectPath, _ interface: InterfaceName, _ name: String) throws -> DBusValue {
        let values = try call(
            path, "org.freedesktop.DBus.Properties", "Get", .string(interface.text), .string(name))
        return try #require(values.first).unwrapped
    }

    private func set(_ path: ObjectPath, _ interface: InterfaceName, _ name: String, _ value: DBusValue) throws {
        #expect(
            try call(
                path, "org.freedesktop.DBus.Properties", "Set", .string(interface.text), .string(name), .variant(value))
                == [])
    }

    private func busctl(_ arguments: String...) throws -> (code: Int32, output: String) {
        try session.run(["busctl", "--user"] + arguments)
    }

    // MARK: - Objects and properties

    @Test func jobsAreObjectsWithPathsThatCanBeReadBack() throws {
        #expect(path("daily-1.x").text == "/com/aiworkflow/BotCron/jobs/daily_2d1_2ex")
        let listed = try #require(try call(Session.path, Self.manager, "ListJobs").first?.asArray)
        #expect(listed == [.objectPath(path("bad")), .objectPath(path("daily-1.x")), .objectPath(path("long"))])
        #expect(try call(Session.path, Self.manager, "GetJob", "long") == [.objectPath(path("long"))])
        guard case .failure(let error) = try reply(Session.path, Self.manager, "GetJob", ["lond"]) else {
            throw TestFailure("there is no such job")
        }
        #expect(error.name == "com.aiworkflow.BotCron.Error.JobNotFound")
        #expect(error.message.contains("\"long\""))
        for path in [path("none"), Session.path.appending("runs").appending("none")] {
            guard case .failure(let error) = try reply(path, Self.job, "Run") else { throw TestFailure("\(path)") }
            #expect(error.name == .unknownObject)
        }
    }

    @Test func aJobsPropertiesAreNative() throws {
        let daily = path("daily-1.x")
        #expect(try get(daily, Self.job, "Name") == "daily-1.x")
        #expect(try get(daily, Self.job, "Description") == "every day")
        #expect(try get(daily, Self.job, "Enabled") == .bool(true))
        #expect(try get(daily, Self.job, "Schedule") == "0 9 * * *")
        #expect(try get(daily, Self.job, "TimeZone") == "Europe/Berlin")
        let next = try #require(try get(daily, Self.job, "NextRun").asUInt64)
        // 09:00 in Berlin, in winter or in summer.
        #expect([8, 7].contains(next / 3_600_000_000 % 24) && next % 3_600_000_000 == 0, "\(next)")
        #expect(try get(daily, Self.job, "LastRun") == .uint64(0))
        #expect(try get(daily, Self.job, "LastStatus") == "")
        #expect(try get(daily, Self.job, "RunCount") == .uint64(0))
        #expect(try get(daily, Self.job, "FailureCount") == .uint64(0))
        #expect(try get(daily, Self.job, "Running") == .objectPaths([]))
        #expect(try get(daily, Self.job, "WaitingFor") == .strings([]))
        #expect(try get(daily, Self.job, "Error") == "")
        let bad = path("bad")
        #expect(try get(bad, Self.job, "Error").asString?.contains("out_of_range minute") == true)
        #expect(try get(bad, Self.job, "Schedule") == "61 * * * *")
        #expect(try get(bad, Self.job, "NextRun") == .uint64(0))
        guard case .failure(let refused) = try reply(bad, Self.job, "Run") else { throw TestFailure("it ran") }
        #expect(refused.name == "com.aiworkflow.BotCron.Error.InvalidJob")
        #expect(try call(bad, Self.job, "Explain").first?.asArray?.first?.asStructure?.first == "invalid")

        #expect(try get(Session.path, Self.manager, "Enabled") == .bool(true))
        #expect(try get(Session.path, Self.manager, "NextRun") == .uint64(next))
        #expect(try get(Session.path, Self.manager, "JobCount") == .uint32(3))
        #expect(try get(Session.path, Self.manager, "RefusedCount") == .uint32(1))
        #expect(try get(bad, Self.job, "Definition").asString?.contains("61 * * * *") == true)
        #expect(try get(Session.path, Self.manager, "ActiveRuns") == .uint32(0))
        #expect(try get(Session.path, Self.manager, "Version").asString?.isEmpty == false)
    }

    @Test func thatAFileGoesBadAndIsMendedIsTold() throws {
        #expect(try get(Session.path, Self.manager, "ConfigurationError") == "")
        let good = TestFile.text(session.configFile)
        try TestFile.write(good + "}", to: session.configFile)
        try session.wait("a word on it") { !objects.changes(of: Session.path, "ConfigurationError").isEmpty }
        let told = try #require(objects.changes(of: Session.path, "ConfigurationError").first?.asString)
        #expect(told.contains("line "), "\(told)")
        #expect(try get(Session.path, Self.manager, "ConfigurationError") == .string(told))
        try TestFile.write(good, to: session.configFile)
        try session.wait("that it is mended") { objects.changes(of: Session.path, "ConfigurationError").last == "" }
    }

    @Test func oneCallGivesEverything() throws {
        let run = try #require(try call(path("long"), Self.job, "Run").first?.asObjectPath)
        for root in [Session.path, "/"] as [ObjectPath] {
            let managed = try call(root, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
            let entries = try #require(managed.first?.asEntries)
            let paths = entries.compactMap { $0.key.asObjectPath }
            #expect([path("bad"), path("daily-1.x"), path("long"), run].allSatisfy { paths.contains($0) }, "\(paths)")
            let daily = try #require(entries.first { $0.key.asObjectPath == path("daily-1.x") })
            #expect(daily.value[Self.job.text]?.asEntries?.count == 18)
        }
    }

    // MARK: - Runs

    @Test func aRunIsAnObjectUntilItHasEnded() throws {
        let run = try #require(try call(path("long"), Self.job, "Run").first?.asObjectPath)
        #expect(run.text.hasPrefix("/com/aiworkflow/BotCron/runs/cron_2dlong_2d"))
        #expect(objects.added == [run.text])
        #expect(try get(run, Self.run, "Job") == .objectPath(path("long")))
        let id = try #require(try get(run, Self.run, "ExecutionId").asString)
        #expect(run.text.hasSuffix(ObjectPath.escape(id)))
        #expect(try get(run, Self.run, "Status") == "running")
        #expect(try get(run, Self.run, "Attempt") == .uint32(1))
        #expect(try get(run, Self.run, "StartedAt").asUInt64 ?? 0 > 0)
        #expect(try get(run, Self.run, "Progress") == .double(0))
        #expect(try get(path("long"), Self.job, "Running") == .objectPaths([run]))
        #expect(try get(Session.path, Self.manager, "ActiveRuns") == .uint32(1))
        #expect(try call(Session.path, Self.manager, "ListRuns") == [.objectPaths([run])])
        try session.look(for: "its output") {
            try call(run, Self.run, "Output", .uint64(0), .uint32(100)) == [.bytes(Array("begun\n".utf8))]
        }
        #expect(try call(run, Self.run, "Output", .uint64(2), .uint32(3)) == [.bytes(Array("gun".utf8))])
        #expect(try call(run, Self.run, "Output", .uint64(.max), .uint32(0)) == [.bytes([])])
        #expect(try call(run, Self.run, "Cancel") == [])
        try session.wait("its object gone") { objects.removed == [run.text] }
        guard case .failure(let error) = try reply(run, Self.run, "Cancel") else { throw TestFailure("it is there") }
        #expect(error.name == .unknownObject)
        #expect(try session.waitForRun(id)["status"] == "cancelled")
        #expect(objects.changes(of: path("long"), "Running") == [.objectPaths([run]), .objectPaths([])])
        #expect(objects.changes(of: path("long"), "RunCount") == [.uint64(1)])
        #expect(objects.changes(of: path("long"), "LastStatus") == ["cancelled"])
        #expect(objects.changes(of: Session.path, "ActiveRuns") == [.uint32(1), .uint32(0)])
    }

    @Test func aRunSaysHowFarItIs() throws {
        let talking: JSONValue = [
            "name": "talks",
            "command": "until [ -e go ]; do sleep 0.02; done; echo progress 40 >&$BOTCRON_CONTEXT_FD; sleep 100",
        ]
        let id = try session.json("run_now", .string(talking.compactText)).text("execution_id")
        let run = Session.path.appending("runs").appending(id)
        #expect(try get(run, Self.run, "Progress") == .double(0))
        try TestFile.write("", to: session.scratch.path + "/home/go")
        try session.wait("its progress") { objects.changes(of: run, "Progress") == [.double(40)] }
        #expect(try get(run, Self.run, "Progress") == .double(40))
        #expect(try call(run, Self.run, "Cancel") == [])
        _ = try session.waitForRun(id)
    }

    @Test func aJobSaysWhatItsLastRunFailedOfAndUntilWhenItIsDisabled() throws {
        let fails: JSONValue = [
            "name": "fails", "command": ["sh", "-c", "echo no such luck >&2; exit 3"], "tags": ["night", "agents"],
        ]
        _ = try session.json("schedule_job", .string(fails.compactText))
        #expect(try get(path("fails"), Self.job, "Tags") == .strings(["night", "agents"]))
        #expect(try get(path("fails"), Self.job, "Definition") == .string(fails.compactText))
        #expect(try get(path("fails"), Self.job, "LastError") == "")
        let run = try session.waitForRun(try session.json("run_job", "fails").text("execution_id"))
        _ = try session.call("Ping")
        let error = run.text("error")
        #expect(!error.isEmpty)
        #expect(try get(path("fails"), Self.job, "LastError") == .string(error))
        #expect(objects.changes(of: path("fails"), "LastError") == [.string(error)])

        #expect(try get(path("fails"), Self.job, "DisabledUntil") == .uint64(0))
        let pause = #"{"job": "fails", "until": "2099-01-01T00:00:00Z", "reason": "quota used up"}"#
        try session.done("pause_job", .string(pause))
        _ = try session.call("Ping")
        #expect(try get(path("fails"), Self.job, "DisabledUntil") == .uint64(4_070_908_800_000_000))
        #expect(objects.changes(of: path("fails"), "DisabledUntil") == [.uint64(4_070_908_800_000_000)])
        #expect(try get(path("fails"), Self.job, "DisabledReason") == "quota used up")
        #expect(objects.changes(of: path("fails"), "DisabledReason") == ["quota used up"])
        try session.done("toggle_job", "fails", .bool(true))
        #expect(try get(path("fails"), Self.job, "DisabledUntil") == .uint64(0))
        #expect(try get(path("fails"), Self.job, "DisabledReason") == "")
    }

    @Test func runJobTakesOptions() throws {
        let options: DBusValue = .properties([
            ("idempotency_key", "k"), ("inputs", .variant(.properties([("n", .int32(5)), ("deep", .strings(["a"]))]))),
            ("scheduled_for", .uint64(1_769_418_000_000_000)), ("force", .bool(true)),
        ])
        let first = try call(Session.path, Self.manager, "RunJob", "daily-1.x", options)
        #expect(first.first?.asObjectPath?.text.hasSuffix("_2d20260126_2d100000") == true, "\(first)")
        #expect(try call(Session.path, Self.manager, "RunJob", "daily-1.x", options) == first)
        for bad in [.properties([("unknown", .bool(true))]), .properties([("force", .bytes([1]))])] as [DBusValue] {
            guard case .failure(let error) = try reply(Session.path, Self.manager, "RunJob", ["long", bad]) else {
                throw TestFailure("\(bad) was taken")
            }
            #expect(error.name == .invalidArgs)
        }
    }

    // MARK: - Jobs come, change and go. A property's change follows the answer, at the end of the turn.

    @Test func addAndRemove() throws {
        let definition: DBusValue = .properties([
            ("name", "made here"), ("cron", "0 5 * * *"), ("command", .strings(["true"])), ("timeout", .uint32(5)),
        ])
        guard case .failure(let error) = try reply(Session.path, Self.manager, "AddJob", [definition]) else {
            throw TestFailure("a name with a blank")
        }
        #expect(error.name == "com.aiworkflow.BotCron.Error.InvalidJob")
        let good: DBusValue = .properties([
            ("name", "made"), ("cron", "0 5 * * *"), ("command", .strings(["true"])), ("timeout", .uint32(5)),
        ])
        #expect(try call(Session.path, Self.manager, "AddJob", good) == [.objectPath(path("made"))])
        #expect(objects.added == [path("made").text])
        _ = try session.call("Ping")
        #expect(objects.changes(of: Session.path, "JobCount") == [.uint32(4)])
        #expect(try session.job("made")["origin"] == "bus")
        _ = try session.json(
            "schedule_job", .string(#"{"name": "made", "cron": "0 6 * * *", "command": ["true"], "description": "d"}"#))
        _ = try session.call("Ping")
        let told = try #require(objects.changes.last { $0.path == path("made").text })
        #expect(Set(told.values.keys) == ["Schedule", "NextRun", "Description", "Definition"])
        #expect(try call(path("made"), Self.job, "Remove") == [])
        #expect(objects.removed == [path("made").text])
        guard case .failure(let refused) = try reply(path("long"), Self.job, "Remove") else {
            throw TestFailure("gone")
        }
        #expect(refused.name == "com.aiworkflow.BotCron.Error.NotPermitted")
    }

    @Test func enabledIsSetAndToldOnce() throws {
        let daily = path("daily-1.x")
        try set(daily, Self.job, "Enabled", .bool(false))
        #expect(try session.job("daily-1.x")["enabled"] == false)
        _ = try session.call("Ping")
        #expect(
            objects.changes.filter { $0.path == daily.text }.map { Set($0.values.keys) } == [["Enabled", "NextRun"]])
        #expect(objects.changes(of: daily, "NextRun") == [.uint64(0)])
        // The same again is no change.
        try set(daily, Self.job, "Enabled", .bool(false))
        #expect(try call(daily, Self.job, "Disable") == [])
        #expect(try call(daily, Self.job, "Enable") == [])
        _ = try session.call("Ping")
        #expect(objects.changes(of: daily, "Enabled") == [.bool(false), .bool(true)])
        try set(Session.path, Self.manager, "Enabled", .bool(false))
        #expect(try session.property("Enabled") == .bool(false))
        try set(Session.path, Self.manager, "Enabled", .bool(true))
        _ = try session.call("Ping")
        #expect(objects.changes(of: Session.path, "Enabled").count == 4)
        #expect(objects.changes(of: daily, "NextRun").map { $0 == .uint64(0) } == [true, false, true, false])
        guard
            case .failure(let error) = try reply(
                daily, "org.freedesktop.DBus.Properties", "Set",
                [.string(Self.job.text), "Name", .variant("other")])
        else { throw TestFailure("the name was set") }
        #expect(error.name == .propertyReadOnly)
    }

    @Test func aReloadTellsWhatIsDifferent() throws {
        try TestFile.write(
            Session.config(jobs: [
                ["name": "long", "command": ["sh", "-c", "echo begun; sleep 100"]],
                ["name": "bad", "cron": "6 * * * *", "command": ["true"]],
                ["name": "new", "cron": "0 7 * * *", "command": ["true"]],
            ]), to: session.configFile)
        _ = try session.json("reload_config")
        #expect(objects.added == [path("new").text])
        #expect(objects.removed == [path("daily-1.x").text])
        _ = try session.call("Ping")
        #expect(objects.changes.filter { $0.path == path("bad").text }.count == 1)
        #expect(objects.changes(of: path("bad"), "Error") == [""])
        #expect(objects.changes(of: path("long"), "NextRun").isEmpty)
    }

    // MARK: - Clients that are not ours

    @Test func busctlShowsEverything() throws {
        let run = try #require(try call(path("long"), Self.job, "Run").first?.asObjectPath)
        let tree = try busctl("--list", "tree", "com.aiworkflow.BotCron").output.split(separator: "\n").map(String.init)
        for path in [Session.path, Self.jobs, path("bad"), path("daily-1.x"), path("long"), run] {
            #expect(tree.contains(path.text), "\(path) in \(tree)")
        }
        let daily = path("daily-1.x").text
        let text = try busctl("introspect", "com.aiworkflow.BotCron", daily).output
        let rows = text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(rows.contains { $0.prefix(4) == [".Enabled", "property", "b", "true"] && $0.last == "writable" })
        #expect(rows.contains { $0.prefix(4) == [".Explain", "method", "-", "a(ss)"] }, "\(text)")
        let job = Self.job.text
        #expect(
            try busctl("get-property", "com.aiworkflow.BotCron", daily, job, "TimeZone").output
                == "s \"Europe/Berlin\"\n")
        #expect(try busctl("set-property", "com.aiworkflow.BotCron", daily, job, "Enabled", "b", "false").code == 0)
        #expect(try session.job("daily-1.x")["enabled"] == false)
        #expect(try busctl("call", "com.aiworkflow.BotCron", run.text, Self.run.text, "Cancel").output == "")
        let gdbus = try session.run(
            ["gdbus", "introspect", "--session", "--recurse", "--dest", "com.aiworkflow.BotCron"]
                + ["--object-path", "/com/aiworkflow/BotCron"])
        #expect(gdbus.code == 0)
        #expect(gdbus.output.contains("interface com.aiworkflow.BotCron.Job1"))
    }

    @Test func aPythonProxyBindsToAJob() throws {
        let script = """
            import asyncio
            from dbus_next.aio import MessageBus
            async def main():
                bus = await MessageBus().connect()
                name = "com.aiworkflow.BotCron"
                async def proxy(path, interface):
                    return bus.get_proxy_object(name, path, await bus.introspect(name, path)).get_interface(interface)
                manager = await proxy("/com/aiworkflow/BotCron", name + ".Manager1")
                paths = await manager.call_list_jobs()
                assert len(paths) == 3, paths
                job = await proxy(await manager.call_get_job("daily-1.x"), name + ".Job1")
                assert await job.get_description() == "every day"
                changed = asyncio.get_running_loop().create_future()
                properties = await proxy("/com/aiworkflow/BotCron/jobs/daily_2d1_2ex", "org.freedesktop.DBus.Properties")
                properties.on_properties_changed(lambda i, values, gone: changed.done() or changed.set_result(values))
                # A call behind the subscription: the bus has it then.
                await properties.call_get_all(name + ".Job1")
                await job.set_enabled(False)
                values = await asyncio.wait_for(changed, 60)
                assert values["Enabled"].value is False, values
                cron = await proxy("/com/aiworkflow/BotCron", name)
                assert await cron.call_ping() == "pong"
                print("fine")
            asyncio.run(main())
            """
        let ran = try session.run(["/usr/bin/python3", "-I", "-c", script])
        #expect(ran.output == "fine\n", "\(ran.output)")
    }

    // MARK: - Many

    @Test func tenThousandJobsCostLittleUntilSomebodyLooks() throws {
        let jobs = (0..<10_000).map { number -> JSONValue in
            ["name": .string("j\(number)"), "cron": .string("\(number % 60) 3 1 1 *"), "command": ["true"]]
        }
        let session = try Session(jobs: jobs)
        try session.start([], [:])
        let listed = try session.reply(RemoteCall(Session.name, Session.path, Self.manager, "ListJobs")).get()
        #expect(listed.first?.asArray?.count == 10_000)
        let managed = try session.run(
            ["busctl", "--user", "--timeout=60", "call", "com.aiworkflow.BotCron", "/com/aiworkflow/BotCron"]
                + ["org.freedesktop.DBus.ObjectManager", "GetManagedObjects"])
        #expect(managed.code == 0)
        #expect(
            managed.output.split(separator: " ").count { $0.hasPrefix("\"/com/aiworkflow/BotCron/jobs/") } == 10_000)
        var told = 0
        let subscription = session.client.subscribe(
            MatchRule(sender: Session.name, interface: "org.freedesktop.DBus.Properties", member: "PropertiesChanged")
        ) { signal in
            if signal.path != Session.path { told += 1 }
        }
        try session.settle()
        // All jobs change at once: each tells it once, and the daemon answers meanwhile.
        try session.done("toggle_scheduler", .bool(false))
        #expect(try session.call("Ping") == ["pong"])
        try session.wait("a word from every job") { told >= 10_000 }
        try session.settle()
        #expect(told == 10_000)
        subscription.cancel()
    }
}

extension DBusValue {
    /// The value of a key, out of a dictionary.
    fileprivate subscript(key: String) -> DBusValue? {
        asEntries?.first { $0.key.asString == key }?.value.unwrapped
    }
}
