import DBus
import Glibc
import JSON
import TestSupport
import Testing

/// Rule 3 of the plan once more: what somebody else made as large as it can be, or as many, holds no turn of the loop.
@Suite(.ownThread) struct HostileSizeTests {
    /// One thing that is too large, and what is done with it.
    struct Size: CustomTestStringConvertible, Sendable {
        let testDescription: String
        var section: JSONObject = [:]
        var jobs: [JSONValue] = [["name": "one", "command": ["true"], "overlap_policy": "allow"]]
        var prepare: @Sendable (Session) throws -> Void = { _ in }
        let act: @Sendable (Session) throws -> Void
    }

    @Test(arguments: Size.all) func whatIsTooLargeHoldsNoTurn(_ size: Size) throws {
        let session = try Session(jobs: size.jobs, size.section)
        try size.prepare(session)
        var daemon = try MeasuredDaemon(session)
        try daemon.check("the start")
        try size.act(session)
        try daemon.check(size.testDescription)
    }
}

extension Session {
    /// Calls without waiting for each answer in turn; waits for the last.
    ///
    /// - Returns: how many were answered with a value.
    @discardableResult
    fileprivate func flood(_ calls: [RemoteCall], seconds: Double = 60) throws -> Int {
        let other = try Connection(to: .address(address), loop: loop)
        other.onFault = { _ in }
        defer { other.close() }
        var (answered, refused) = (0, 0)
        var rest = calls[...]
        func next() {
            guard let call = rest.popFirst() else { return }
            other.call(call) { result in
                if (try? result.get()) == nil { refused += 1 } else { answered += 1 }
                next()
            }
        }
        for _ in 0..<100 { next() }
        try wait("\(calls.count) answers", seconds: seconds) { answered + refused == calls.count }
        return answered
    }

    fileprivate func repeated(_ count: Int, _ member: MemberName, _ arguments: DBusValue...) -> [RemoteCall] {
        let call = RemoteCall(
            Self.name, Self.path, Self.interface, member, arguments, timeoutMSec: nil)
        return Array(repeating: call, count: count)
    }

    fileprivate func jobsExecuted() throws -> Int { try json("GetStatus")["jobs_executed"]?.intValue ?? 0 }

    fileprivate var folder: String { scratch.path + "/config/aa-workflow" }
}

/// So many dates, each a day of its own.
private func dates(_ count: Int) -> [JSONValue] {
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return (0..<count).map { place in
        .string("\(2027 + place / 336)-\(two(place % 336 / 28 + 1))-\(two(place % 28 + 1))")
    }
}

/// A JSON array of so many bytes, of the smallest values that there are.
private func zeros(_ bytes: Int) -> String { "[" + String(repeating: "0,", count: bytes / 2 - 1) + "0]" }

extension HostileSizeTests.Size {
    typealias Size = HostileSizeTests.Size

    static let all = files + runs + clients

    // MARK: - Files

    private static let files: [Size] = [
        Size(testDescription: "config.json of 16 MiB") { session in
            let accents = String(repeating: "é", count: 2 << 20)
            try TestFile.write(
                #"{"a": {"zeros": \#(zeros(11 << 20)), "text": "\#(accents)"}, "#
                    + Session.config(jobs: [["name": "one", "command": ["true"]]]).dropFirst(), to: session.configFile)
        } act: { session in
            #expect(try session.refusal("get_config", "a", "").name == .limitsExceeded)
            #expect(try session.json("get_config", "a", "text").stringValue?.utf8.count == 4 << 20)
            #expect(try session.json("get_config", "schedules", "timezone") == "UTC")
            #expect(try session.json("get_config", "a", "none") == .null)
            #expect(try session.json("CallMethod", "get_config", #"["a", "text"]"#)["success"] == true)
            // Nothing has changed: that is found out without reading it.
            _ = try session.json("reload_config")
        },
        Size(testDescription: "a reload of very many jobs") { session in
            let count = MeasuredDaemon.many(5_000)
            let jobs = (0..<count).map { JSONValue.object(["name": .string("job-\($0)"), "command": ["true"]]) }
            try TestFile.write(Session.config(jobs: jobs), to: session.configFile)
            #expect(try session.json("reload_config")["added"]?.arrayValue?.count == count)
            _ = try session.json("query_jobs", "{}")
            let exempt = try session.json("GetStatus")["loop"]?["exempt"]
            #expect(exempt?["reload"]?["count"]?.intValue ?? 0 > 0, "it is exempt, and said to be")
        },
        Size(testDescription: "state.json with very many overrides") { session in
            try TestFile.write(stateFile(isEnabled: false), to: session.folder + "/state.json")
        } act: { session in
            for isEnabled in [false, true] { try session.done("toggle_job", "one", .bool(isEnabled)) }
            try TestFile.write(stateFile(isEnabled: true), to: session.folder + "/state.json")
            for isEnabled in [false, true] { try session.done("toggle_job", "one", .bool(isEnabled)) }
        },
        Size(testDescription: "an older history of one name") { session in
            let entries = (0..<MeasuredDaemon.many(10_000)).map { _ -> JSONValue in
                [
                    "job_name": "one", "skill": "coffee", "timestamp": "2026-01-26T09:00:07.250000", "success": true,
                    "output_preview": .string(String(repeating: "x", count: 500)), "session_name": "cron-coffee",
                ]
            }
            try TestFile.write(
                JSONValue.object(["executions": .array(entries)]).compactText, to: session.folder + "/cron_history.json"
            )
        } act: { session in
            try session.wait("all is taken over", everyUSec: 100_000) {
                try session.jobsExecuted() >= MeasuredDaemon.many(10_000)
            }
            for filter in [#"{"limit": 1000}"#, #"{"limit": 1000, "status": "success", "trigger": "manual"}"#] {
                _ = try session.json("query_history", .string(filter))
            }
            #expect(try !session.history(1_000).isEmpty)
            _ = try session.json("CallMethod", "get_history", "1000")
            _ = try session.json("CallMethod", "query_history", #"{"limit": 1000}"#)
        },
        Size(
            testDescription: "large files of an environment and of a secret",
            jobs: [
                [
                    "name": "one", "command": ["true"], "environment_file": "~/environment",
                    "credentials": ["key": "~/secret"],
                ]
            ]
        ) { session in
            let home = session.scratch.path + "/home/"
            let line = "=" + String(repeating: "x", count: 1_000) + "\n"
            try TestFile.write((0..<800).map { "NAME_\($0)" + line }.joined(), to: home + "environment")
            try TestFile.write(String(repeating: "s", count: 1 << 20), to: home + "secret")
        } act: { session in
            for _ in 0..<3 { try session.runToEnd("one") }
        },
    ]

    private static func stateFile(isEnabled: Bool) -> String {
        let jobs = (0..<MeasuredDaemon.many(5_500)).map { #""other-\#($0)": {"enabled": \#(isEnabled)}"# }
        return #"{"version": 1, "jobs": {"# + jobs.joined(separator: ",\n") + "}}"
    }

    // MARK: - Runs

    private static let runs: [Size] = [
        Size(
            testDescription: "an output of hundreds of MB",
            jobs: [
                [
                    "name": "one", "command": ["head", "-c", .string("\(MeasuredDaemon.many(200))M"), "/dev/zero"],
                    "output_limit": .number(1 << 30),
                ]
            ]
        ) { session in
            let run = try session.json("run_job", "one").text("execution_id")
            try session.signal("JobCompleted", "one", run)
            for offset in [0, 1 << 20, 100 << 20] as [Int64] {
                _ = try session.call("get_output", .string(run), .int64(offset), .uint32(.max))
            }
        },
        Size(
            testDescription: "8,000 dates that are left out, each second",
            jobs: [
                ["name": "one", "command": ["true"], "interval": "1s", "exclude": .array(dates(8_000))]
            ]
        ) { session in
            try session.signal("JobCompleted", "one")
            try session.signal("JobCompleted", "one", after: session.signals.count)
            let schedule: JSONValue = ["cron": "0 0 * * *", "exclude": .array(dates(8_000))]
            _ = try session.json("preview_schedule", .string(schedule.compactText), .int32(1000))
            _ = try session.json("explain_job", "one", "")
            _ = try session.job("one")
            _ = try session.json("list_jobs")
        },
        Size(
            testDescription: "a process that says very much of itself",
            jobs: [
                [
                    "name": "one",
                    "command": .string(
                        "i=0; while [ $i -lt \(MeasuredDaemon.many(20_000)) ]; do i=$((i+1)); "
                            + "echo progress $((i%100)) >&$BOTCRON_CONTEXT_FD; done"),
                ]
            ]
        ) { session in
            let run = try session.json("run_job", "one").text("execution_id")
            try session.wait("its end") {
                session.signals.contains { $0[1] == run && $0.member != "JobStarted" }
            }
        },
        Size(
            testDescription: "an attempt that cannot start, again and again",
            jobs: [
                [
                    "name": "one", "command": ["/no/such/program"],
                    "retry": ["max_attempts": 10, "delay_seconds": 0, "retry_on": ["any"]],
                ]
            ]
        ) { session in
            try session.runToEnd("one")
        },
        Size(
            testDescription: "hundreds of runs that end at once",
            section: ["max_concurrent_executions": .number(MeasuredDaemon.many(300, long: 1_000))],
            jobs: [["name": "one", "command": "read line < ~/gate", "overlap_policy": "allow"]]
        ) { session in
            let count = MeasuredDaemon.many(300, long: 1_000)
            let gate = session.scratch.path + "/home/gate"
            #expect(mkfifo(gate, 0o600) == 0)
            let asked = try session.flood(session.repeated(count, "run_job", "one"))
            #expect(asked == count)
            try session.wait("they are all at the gate") {
                session.signals.count { $0.member == "JobStarted" } == count
            }
            // Whoever has it open when the last writer goes reads its end; those who come later wait for the next.
            try session.wait("they have all ended", everyUSec: 50_000) {
                let writer = open(gate, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
                if writer >= 0 { close(writer) }
                return session.signals.count { $0.member == "JobCompleted" || $0.member == "JobFailed" } == count
            }
        },
    ]

    // MARK: - Clients

    private static let clients: [Size] = [
        Size(testDescription: "a queue of many large items") { session in
            let item = zeros(60 << 10)
            try session.flood(session.repeated(MeasuredDaemon.many(500), "queue_push", "q", .string(item)))
            let items = try #require(try session.json("queue_peek", "q", .int32(1000)).arrayValue)
            #expect(!items.isEmpty && items[0]["item"]?.compactBytes.count ?? 0 > 60 << 10)
            #expect(try session.json("CallMethod", "queue_peek", #"["q", 1000]"#)["success"] == true)
            _ = try session.json("queue_list")
            try session.flood(session.repeated(20, "queue_pop", "q"))
        },
        Size(testDescription: "a flood of calls") { session in
            let count = MeasuredDaemon.many(2_000)
            for member in ["Ping", "list_jobs", "GetStatus", "run_job"] as [MemberName] {
                let calls =
                    member == "run_job"
                    ? session.repeated(count / 10, member, "one") : session.repeated(count, member)
                let answered = try session.flood(calls)
                #expect(answered == calls.count, "\(member)")
            }
        },
        Size(testDescription: "arguments as large as they may be, and larger") { session in
            let text = String(repeating: "x", count: 4 << 20 - 100)
            let texts = [
                zeros(4 << 20 - 100), "\"\(text)\"", #"{"name": "\#(text)"}"#, #"{"job": \#(zeros(3 << 20))}"#,
                String(repeating: "[", count: 4 << 20 - 100), String(repeating: "{\"a\":", count: 800_000), text,
                zeros(90_000), #"{"names": [\#((0..<40_000).map { "\"n\($0)\"" }.joined(separator: ","))]}"#,
            ]
            for text in texts {
                var calls: [RemoteCall] = []
                for member in [
                    "run_job", "run_now", "get_run", "cancel_run", "query_history", "query_jobs", "get_job",
                    "pause_job", "schedule_job",
                ] as [MemberName] { calls += session.repeated(1, member, .string(text)) }
                for member in ["explain_job", "get_config", "CallMethod", "queue_push", "queue_ack"] as [MemberName] {
                    calls += session.repeated(1, member, "GetStatus", .string(text))
                    calls += session.repeated(1, member, .string(text), "[]")
                }
                calls += session.repeated(1, "preview_schedule", .string(text), .int32(1000))
                calls += session.repeated(1, "CallMethod", "schedule_job", .string(text))
                calls += session.repeated(1, "CallMethod", "manage_scheduler", .string(text))
                try session.flood(calls)
            }
        },
    ]
}
