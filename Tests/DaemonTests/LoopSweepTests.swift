import DBus
import Glibc
import JSON
import Testing

/// Rule 3 of the plan: no turn of the loop over 50 ms, whatever the size of what others made. Here: every method that
/// there is, among very many jobs. `get_config`, `GetManagedObjects`, `ListJobs` and more took all their time at once.
@Suite(.ownThread) struct LoopSweepTests {
    private static let interface = "com.aiworkflow.BotCron"
    private static let jobs = Session.path.appending("jobs")

    private static func call(
        _ member: MemberName, _ arguments: DBusValue..., at path: ObjectPath = Session.path,
        in interface: InterfaceName = Session.interface
    ) -> RemoteCall { RemoteCall(Session.name, path, interface, member, arguments, timeoutMSec: nil) }

    /// Text of a config.json with that many jobs, and some that are large or long, or have much to do.
    private static func config(jobs count: Int) -> String {
        let large = String(repeating: "x", count: 100 << 10)
        var jobs = [
            #"""
            {"name": "long", "command": "echo 'ask {\"question\": \"q\", \"choices\": [\"yes\"]}' >&3; exec sleep 1000",
            "overlap_policy": "allow", "on_stop": "kill"}
            """#,
            #"{"name": "quick", "command": ["true"], "overlap_policy": "allow"}"#,
            #"{"name": "minutely", "cron": "* * * * *", "enabled": false, "command": ["sleep", "9"], "on_stop": "kill"}"#,
            #"{"name": "large", "command": ["true", "\#(large)"], "description": "\#(large)", "cron": "0 0 1 1 *"}"#,
        ]
        for index in 0..<count {
            jobs.append(
                #"{"name": "job-\#(index)", "cron": "\#(index % 60) 3 1 1 *", "command": ["true"], "hold_group": "agents"}"#
            )
        }
        return #"{"schedules": {"timezone": "UTC", "jobs": ["# + jobs.joined(separator: ",\n") + "]}}"
    }

    /// What is called of each method, by its full name: so that it has most to do.
    private static func calls(run: String, held: [String], count: Int) -> [String: [RemoteCall]] {
        let last = "job-\(count - 1)"
        let job = jobs.appending("job-7")
        let runs = Session.path.appending("runs")
        let manager: InterfaceName = "com.aiworkflow.BotCron.Manager1"
        let (jobFace, runFace): (InterfaceName, InterfaceName) =
            ("com.aiworkflow.BotCron.Job1", "com.aiworkflow.BotCron.Run1")
        let peer: InterfaceName = "org.freedesktop.DBus.Peer"
        let properties: InterfaceName = "org.freedesktop.DBus.Properties"
        let paths = ["/", Session.path, jobs, runs, job] as [ObjectPath]
        let names = "[" + (0..<min(count, 10_000)).map { "\"job-\($0)\"" }.joined(separator: ",") + "]"
        var table: [String: [RemoteCall]] = [
            "run_job": [call("run_job", "quick")], "run_now": [call("run_now", #"{"command": ["true"]}"#)],
            "get_run": [call("get_run", .string(run)), call("get_run", "none")],
            "wait_run": [call("wait_run", .string(run))],
            "cancel_run": [call("cancel_run", .string(held[0]))],
            "rerun": [call("rerun", .string(run)), call("rerun", "none")],
            "backfill": [", \"dry_run\": true", ""].map {
                let span = #""from": "2026-01-01T00:00:00Z", "to": "2026-01-01T16:39:00Z""#
                return call("backfill", .string(#"{"job": "minutely", \#(span)\#($0)}"#))
            },
            "get_output": [call("get_output", .string(run), .int64(0), .uint32(.max))],
            "get_history": [call("get_history", .int32(.max))],
            "query_history": [
                call("query_history", #"{"limit": 1000}"#),
                call("query_history", .string(#"{"job": "\#(last)", "status": "failed", "trigger": "schedule"}"#)),
            ],
            "questions": [call("questions")], "answer_question": [call("answer_question", .string(held[1]), "yes")],
            "hold_group": [call("hold_group", "none", ""), call("hold_group", "agents", "")],
            "release_group": [call("release_group", "agents")],
            "test_target": [call("test_target", "toast"), call("test_target", "nothing")],
            "list_jobs": [call("list_jobs")],
            "query_jobs": [
                call("query_jobs", "{}"), call("query_jobs", #"{"tag": "none"}"#),
                call("query_jobs", #"{"limit": 1000, "pattern": "*9*9*"}"#),
                call("query_jobs", .string(#"{"limit": 1000, "names": \#(names)}"#)),
            ],
            "get_job": [call("get_job", "large"), call("get_job", "job-x")],
            "toggle_job": [call("toggle_job", .string(last), .bool(false))],
            "pause_job": [call("pause_job", .string(last))], "resume_job": [call("resume_job", .string(last))],
            "skip_job": [call("skip_job", "job-3")],
            "schedule_job": [call("schedule_job", #"{"name": "made", "cron": "0 0 1 1 *", "command": ["true"]}"#)],
            "cancel_job": [call("cancel_job", "made")],
            "explain_job": [
                call("explain_job", "large", ""), call("explain_job", .string(last), "2030-01-01T03:00:00Z"),
            ],
            "preview_schedule": [
                call("preview_schedule", "0 0 29 2 MON", .int32(1000)),
                call("preview_schedule", "* * * * * *", .int32(1000)),
            ],
            "toggle_scheduler": [
                call("toggle_scheduler", .bool(false)), call("toggle_scheduler", .bool(true)),
            ],
            "get_config": [
                call("get_config", "schedules", ""), call("get_config", "schedules", "timezone"),
                call("get_config", "none", ""),
            ],
            "update_config": [call("update_config", "other", "key", "1")], "reload_config": [call("reload_config")],
            "queue_push": [call("queue_push", "q", "[1]"), call("queue_push", "q", "[2]")],
            "queue_pop": [call("queue_pop", "q")], "queue_ack": [call("queue_ack", "q", "1")],
            "queue_peek": [call("queue_peek", "q", .int32(1000))], "queue_list": [call("queue_list")],
            "GetStatus": [call("GetStatus")], "GetStats": [call("GetStats")], "GetMetrics": [call("GetMetrics")],
            "HealthCheck": [call("HealthCheck")], "Ping": [call("Ping")],
            "CallMethod": [
                "list_jobs", "query_jobs", "get_history", "get_state", "write_state", "get_config", "GetStatus",
                "GetMetrics", "HealthCheck",
            ].map { call("CallMethod", .string($0), $0 == "get_config" ? #"["schedules"]"# : "") }
                + ["list", "status", "get_history"].map {
                    call("CallMethod", "manage_scheduler", .string(#"["\#($0)"]"#))
                },
        ]
        table = Dictionary(uniqueKeysWithValues: table.map { ("\(interface).\($0)", $1) })
        let typed: [(InterfaceName, [RemoteCall])] = [
            (
                manager,
                [
                    call("ListJobs", in: manager), call("ListRuns", in: manager),
                    call("GetJob", "large", in: manager), call("GetJob", "job-x", in: manager),
                    call("RunJob", "quick", .properties([]), in: manager),
                    call(
                        "AddJob", .properties([("name", "typed"), ("command", .strings(["true"]))]), in: manager),
                ]
            ),
            (
                jobFace,
                ["Explain", "Disable", "Enable", "Run"].map { call($0, at: job, in: jobFace) }
                    + [call("Remove", at: jobs.appending("typed"), in: jobFace)]
            ),
            (
                runFace,
                [
                    call("Output", .uint64(0), .uint32(.max), at: runs.appending(held[1]), in: runFace),
                    call("Cancel", at: runs.appending(held[1]), in: runFace),
                ]
            ),
            (peer, [call("Ping", in: peer), call("GetMachineId", in: peer)]),
            (
                properties,
                [
                    call("Get", .string(interface), "Stats", in: properties),
                    call("GetAll", .string(interface), in: properties),
                    call("GetAll", .string(manager.text), in: properties),
                    call("GetAll", "", at: jobs.appending("large"), in: properties),
                    call("Set", .string(manager.text), "Enabled", .variant(.bool(false)), in: properties),
                    call("Set", .string(manager.text), "Enabled", .variant(.bool(true)), in: properties),
                ]
            ),
            (
                "org.freedesktop.DBus.Introspectable",
                paths.map { call("Introspect", at: $0, in: "org.freedesktop.DBus.Introspectable") }
            ),
            (
                "org.freedesktop.DBus.ObjectManager",
                [Session.path, "/"].map { call("GetManagedObjects", at: $0, in: "org.freedesktop.DBus.ObjectManager") }
            ),
        ]
        for (interface, calls) in typed {
            for call in calls { table["\(interface).\(call.member)", default: []].append(call) }
        }
        return table
    }

    /// The full names of all methods that an object tells of.
    private func methods(_ session: Session, at path: ObjectPath) throws -> Set<String> {
        let xml = try session.reply(Self.call("Introspect", at: path, in: "org.freedesktop.DBus.Introspectable")).get()
        var names: Set<String> = []
        var interface = ""
        for line in (xml.first?.asString ?? "").split(separator: "\n") {
            let parts = line.split(separator: "\"")
            guard parts.count > 1 else { continue }
            if parts[0].hasSuffix("<interface name=") { interface = String(parts[1]) }
            if parts[0].hasSuffix("<method name=") { names.insert("\(interface).\(parts[1])") }
        }
        return names
    }

    @Test func noMethodHoldsTheLoopAmongManyJobs() throws {
        let count = MeasuredDaemon.many(20_000, long: 100_000)
        let session = try Session(config: Self.config(jobs: count))
        var daemon = try MeasuredDaemon(session)
        let run = try session.json("run_job", "quick").text("execution_id")
        _ = try session.waitForRun(run)
        let held = try (0..<2).map { _ in try session.json("run_job", "long").text("execution_id") }
        try session.look(for: "two questions") { try session.json("questions").arrayValue?.count == 2 }
        try daemon.check("the start and three runs")

        let calls = Self.calls(run: run, held: held, count: count)
        let runObject = Session.path.appending("runs").appending(held[0])
        var known = try methods(session, at: Session.path)
        known.formUnion(try methods(session, at: Self.jobs.appending("large")))
        known.formUnion(try methods(session, at: runObject))
        known.formUnion(try methods(session, at: "/org/freedesktop/LogControl1"))
        // The end of the daemon is the last that is asked for.
        known.remove("\(Self.interface).Shutdown")
        #expect(known.subtracting(calls.keys) == [], "a method without a row in the table")
        #expect(Set(calls.keys).subtracting(known) == [], "a row of a method that there is not")

        // In an order in which what is made is there for what takes it away.
        let last = ["cancel_job", "queue_pop", "queue_peek", "queue_ack", "Remove", "cancel_run", "Cancel"]
        let order = calls.keys.sorted { a, b in
            func place(_ name: String) -> Int { last.firstIndex { name.hasSuffix(".\($0)") } ?? -1 }
            return (place(a), a) < (place(b), b)
        }
        for name in order {
            var isAnswered = false
            for call in calls[name] ?? [] {
                let answer = try session.reply(call)
                switch answer {
                case .success: isAnswered = true
                // What is too much for one answer is refused, and says so; or it is too much for this client to read.
                case .failure(let error) where error.name == .limitsExceeded:
                    isAnswered = true
                    let says = ["query_jobs", "cannot read a body"]
                    #expect(says.contains { error.message.contains($0) }, "\(name): \(error)")
                case .failure: break
                }
                try daemon.check("\(name) \(call.arguments.first.map { "\($0)".prefix(60) } ?? "") at \(call.path)")
            }
            #expect(isAnswered, "\(name) was never answered")
        }
        // Of one change of everything all objects are told, some at a time.
        try session.done("toggle_scheduler", .bool(false))
        try daemon.check("what follows")
        #expect(try session.json("GetStatus")["loop"]?["exempt"]?["start"] != nil)
    }
}
