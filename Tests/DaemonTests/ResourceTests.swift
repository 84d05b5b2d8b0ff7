import DBus
import Glibc
import JSON
import TestSupport
import Testing

/// What the daemon costs, left alone and ill-treated.
@Suite(.ownThread) struct ResourceTests {
    /// Jobs that are due in an hour and later.
    private static func laterJobs(_ count: Int) -> [JSONValue] {
        let hour = (time(nil) / 3600 + 2) % 24
        return (0..<count).map {
            ["name": .string("j\($0)"), "cron": .string("\($0 % 60) \(hour) * * *"), "command": ["true"]]
        }
    }

    @Test func anIdleDaemonDoesNotWake() throws {
        let session = try Session(jobs: Self.laterJobs(10))
        let daemon = try session.start(isApart: true)
        try session.runToEnd("j0")
        try session.waitForRest(daemon)
        #expect(ProcessState.status(daemon.pid, "Threads") == 1)
        #expect(try session.call("Ping") == ["pong"])
    }

    @Test func manyRunsLeaveNothingBehind() throws {
        let session = try Session(jobs: [["name": "quick", "command": ["echo", "x"]]])
        let daemon = try session.start()
        func round() throws {
            for _ in 0..<30 { try session.runToEnd("quick") }
        }
        try round()
        let files = ProcessState.openFiles(daemon.pid)
        let memory = try #require(ProcessState.status(daemon.pid, "RssAnon"))
        for _ in 0..<3 { try round() }
        #expect(ProcessState.openFiles(daemon.pid) == files)
        let grown = try #require(ProcessState.status(daemon.pid, "RssAnon")) - memory
        #expect(grown < 1024, "\(grown) KiB")
        let children = TestFile.text("/proc/\(daemon.pid)/task/\(daemon.pid)/children")
        #expect(children.isEmpty, "\(children)")
    }

    @Test func thousandsOfRandomCallsDoNotHarm() throws {
        let session = try Session(jobs: Self.laterJobs(3) + [["name": "quick", "command": ["true"]]])
        let daemon = try session.start()
        var random = RandomCalls()
        func storm(_ count: Int) throws {
            for _ in 0..<count / 50 {
                var answered = 0
                for _ in 0..<50 { session.client.call(random.call()) { _ in answered += 1 } }
                try session.wait("50 answers, seed \(random.seed)") {
                    if let code = daemon.code {
                        throw TestFailure("botcrond ended with \(code), seed \(random.seed): \(daemon.text)")
                    }
                    return answered == 50
                }
            }
        }
        try storm(1000)
        // The first run opens what is then kept open.
        try session.runToEnd("quick")
        try session.settle()
        let files = ProcessState.openFiles(daemon.pid)
        let memory = try #require(ProcessState.status(daemon.pid, "RssAnon"))
        // A million with the long tests.
        try storm(getenv("BOTCRON_LONG_TESTS") == nil ? 3000 : 1_000_000)
        #expect(try session.call("Ping") == ["pong"])
        #expect(daemon.code == nil)
        // Runs that were asked for may still be under way.
        try session.look(for: "the fds closed, seed \(random.seed)") { ProcessState.openFiles(daemon.pid) <= files }
        let grown = try #require(ProcessState.status(daemon.pid, "RssAnon")) - memory
        #expect(grown < 2048, "\(grown) KiB, seed \(random.seed)")
        #expect(try session.runToEnd("quick")["status"] == "success")
        // What is kept of the list of jobs is what each job says.
        for job in try #require(try session.json("list_jobs").arrayValue) where job["error"] == .null {
            let alone = try session.job(job.text("name"))
            for (key, value) in job.objectValue ?? [:] where key != "error" { #expect(alone[key] == value, "\(key)") }
        }
        #expect(try session.stop(daemon) == 0)
    }
}

/// Calls that nobody in their right mind makes; the same for a seed.
private struct RandomCalls {
    private var generator: SeededGenerator

    init() { generator = SeededGenerator(seed: SeededGenerator.seed()) }

    var seed: UInt64 { generator.seed }

    /// `wait_run` is left out: it may wait for good. `Shutdown` does what it says.
    private static let members: [MemberName] = [
        "run_job", "list_jobs", "get_history", "toggle_scheduler", "toggle_job", "schedule_job", "cancel_job",
        "pause_job", "resume_job", "skip_job", "run_now", "get_job", "get_run", "cancel_run", "preview_schedule",
        "reload_config", "query_history", "GetStatus", "GetStats", "HealthCheck", "Ping", "get_config",
        "update_config", "get_output", "explain_job", "CallMethod", "Introspect", "Get", "GetAll", "Set", "x", "_",
        "GetMetrics", "queue_pop", "queue_push", "GetManagedObjects", "GetMachineId", "queue_ack", "queue_peek",
        "queue_list", "ListJobs", "GetJob", "AddJob", "RunJob", "ListRuns", "Run", "Enable", "Disable", "Remove",
        "Explain", "Cancel", "Output",
    ]
    private static let interfaces: [InterfaceName?] = [
        Session.interface, Session.interface, Session.interface, nil, "org.freedesktop.DBus.Properties",
        "org.freedesktop.DBus.Peer", "a.b", "com.aiworkflow.BotCron.Manager1", "com.aiworkflow.BotCron.Job1",
        "com.aiworkflow.BotCron.Run1", "org.freedesktop.LogControl1", "org.freedesktop.DBus.ObjectManager",
    ]
    private static let paths: [ObjectPath] = [
        Session.path, Session.path, Session.path, "/", "/com", "/x/y_1", "/com/aiworkflow/BotCron/jobs",
        "/com/aiworkflow/BotCron/jobs/j0", "/com/aiworkflow/BotCron/jobs/quick", "/com/aiworkflow/BotCron/jobs/_",
        "/com/aiworkflow/BotCron/runs/none", "/org/freedesktop/LogControl1",
    ]
    private static let texts = [
        "", "j0", "j1", "quick", "{}", "[]", "null", "{\"job\": \"quick\"}",
        "{\"job\": \"quick\", \"inputs\": {\"a\": 1}}",
        "* * * * *", "0 0 30 2 *", "@reboot", "{\"cron\": \"* * * * *\", \"command\": [\"true\"]}", "🤷\u{301}",
        "{\"interval\": \"1s\"}", "{\"limit\": 1e400}", "{\"cursor\": \"zzz\", \"limit\": -1}", "%s%n",
        "../../etc/passwd",
        "{\"name\": \"h\", \"command\": [\"true\"], \"cron\": \"0 0 1 1 *\"}", "{\"job\": \"j0\", \"until\": \"x\"}",
        "true",
        "com.aiworkflow.BotCron", "Enabled", "-9223372036854775809", "{\"a\":{\"a\":{\"a\":[[[[[[]]]]]]}}}",
        "2026-01-01T00:00:00Z", "{\"job\": \"quick\", \"scheduled_for\": \"9999-99-99\"}", "h", "schedules",
        "{\"cron\": \"* * * * * *\", \"after\": \"2199-12-31T23:59:59Z\"}", "cron-quick-20260101-000000",
        "{\"interval\": \"99y\", \"created_at\": \"1970-01-01T00:00:00Z\"}", "manage_scheduler", "run_job", "list_jobs",
        "com.aiworkflow.BotCron.Job1", "LogLevel", "emerg", "[\"quick\", false]", "{\"operation\": \"list\"}",
    ]

    mutating func call() -> RemoteCall {
        let member = pick(Self.members)
        let count = Int.random(in: 0...3, using: &generator)
        let arguments = (0..<count).map { _ in value(depth: 0) }
        return RemoteCall(Session.name, pick(Self.paths), pick(Self.interfaces), member, arguments)
    }

    private mutating func pick<T>(_ items: [T]) -> T {
        items[Int.random(in: 0..<items.count, using: &generator)]
    }

    private mutating func text() -> String {
        switch Int.random(in: 0..<12, using: &generator) {
        case 0: String(repeating: "[", count: Int.random(in: 1...5000, using: &generator))
        case 1: String((0..<20).map { _ in Character(Unicode.Scalar(UInt8.random(in: 1...127, using: &generator))) })
        default: pick(Self.texts)
        }
    }

    private mutating func value(depth: Int) -> DBusValue {
        switch Int.random(in: 0..<(depth > 3 ? 11 : 17), using: &generator) {
        case 0...3: .string(text())
        case 4: .int32(pick([0, 1, -1, .max, .min, 20, 1000]))
        case 5: .bool(Bool.random(using: &generator))
        case 6: .double(pick([0, -0.0, .nan, .infinity, 1e308]))
        case 7: .uint64(.max)
        case 8: .byte(255)
        case 9: .objectPath(pick(Self.paths))
        case 10: .signature("a{sv}")
        case 11: .variant(value(depth: depth + 1))
        case 12: .structure([value(depth: depth + 1), value(depth: depth + 1)])
        case 13: .strings((0..<3).map { _ in text() })
        case 14: .properties([("a", value(depth: depth + 1)), ("", .bool(true))])
        case 15: .bytes([0, 255, 10])
        default: .array([], element: "(sa{sv})")
        }
    }
}
