import DBus
import Glibc
import JSON
import TestSupport
import Testing

/// Clients that ask for too much, and what is left for the others.
@Suite(.ownThread) struct HostileClientTests {
    private let session: Session
    private let daemon: Program

    init() throws {
        session = try Session(jobs: [
            ["name": "long", "command": ["sleep", "1000"], "on_stop": "kill"],
            ["name": "quick", "command": ["true"], "overlap_policy": "allow"],
        ])
        daemon = try session.start()
    }

    private func call(_ member: MemberName, _ arguments: DBusValue...) -> RemoteCall {
        RemoteCall(Session.name, Session.path, Session.interface, member, arguments, timeoutMSec: nil)
    }

    /// A client of its own.
    private func connect() throws -> Connection {
        let client = try Connection(to: .address(session.address), loop: session.loop)
        client.onFault = { _ in }
        return client
    }

    @Test func whoWaitsTooOftenIsRefusedAndOthersAreNot() throws {
        let run = try session.json("run_job", "long").text("execution_id")
        let greedy = try connect()
        var refused = 0
        var answered = 0
        for _ in 0..<300 {
            greedy.call(call("wait_run", .string(run))) { result in
                if case .failure(let error) = result, error.name == .limitsExceeded {
                    refused += 1
                } else {
                    answered += 1
                }
            }
        }
        try session.wait("50 refusals") { refused == 50 }
        #expect(answered == 0)
        var other: Result<[DBusValue], ErrorReply>?
        session.client.call(call("wait_run", .string(run))) { other = $0 }
        #expect(try session.call("Ping") == ["pong"])
        #expect(other == nil)
        try session.done("cancel_run", .string(run))
        try session.wait("all answers") { answered == 250 && other != nil }
        #expect((try? other?.get()) != nil)
        // Its waits are over: it may wait again.
        let second = try session.json("run_job", "long").text("execution_id")
        var again: Result<[DBusValue], ErrorReply>?
        greedy.call(call("wait_run", .string(second))) { again = $0 }
        try session.done("cancel_run", .string(second))
        try session.wait("the answer") { again != nil }
        #expect((try? again?.get()) != nil)
        greedy.close()
    }

    /// 1,000 waits are all that may be pending; 2,000 of clients that are gone must not count.
    @Test func whoIsGoneIsForgotten() throws {
        let run = try session.json("run_job", "long").text("execution_id")
        let files = ProcessState.openFiles(daemon.pid)
        for _ in 0..<20 {
            let rude = try connect()
            for _ in 0..<100 { rude.call(call("wait_run", .string(run))) { _ in } }
            var ponged = false
            rude.call(call("Ping")) { _ in ponged = true }
            try session.wait("a pong") { ponged }
            rude.close()
        }
        var refused = 0
        var answered = 0
        // The bus tells of the last ones that left in its own time.
        for _ in 0..<200 {
            session.client.call(call("wait_run", .string(run))) { result in
                if (try? result.get()) == nil { refused += 1 } else { answered += 1 }
            }
        }
        _ = try session.call("Ping")
        #expect(refused == 0)
        try session.done("cancel_run", .string(run))
        try session.wait("all answers") { answered == 200 }
        #expect(ProcessState.openFiles(daemon.pid) <= files)
        #expect(!daemon.text.contains("fault"), "\(daemon.text)")
    }

    @Test func aFloodOfOneLeavesTheDaemonQuickForOthers() throws {
        let flooding = try connect()
        var answered = 0
        for _ in 0..<5_000 { flooding.call(call("list_jobs")) { _ in answered += 1 } }
        for _ in 0..<20 {
            let start = ProcessState.monotonicUSec
            #expect(try session.call("Ping") == ["pong"])
            let spent = ProcessState.monotonicUSec - start
            #expect(spent < 5_000_000, "\(spent) µs")
        }
        try session.wait("all answers") { answered == 5_000 }
        flooding.close()
    }

    @Test func hundredsOfConnectionsAreServed() throws {
        var clients: [Connection] = []
        var ponged = 0
        for _ in 0..<200 {
            let client = try connect()
            client.call(call("Ping")) { if (try? $0.get()) != nil { ponged += 1 } }
            clients.append(client)
        }
        try session.wait("200 pongs") { ponged == 200 }
        for client in clients { client.close() }
        #expect(try session.call("Ping") == ["pong"])
    }

    @Test func aStringOf100MiBDoesNotHurt() throws {
        let script = """
            import dbus, sys
            bus = dbus.SessionBus()
            huge = "x" * (100 << 20)
            for method, signature, arguments in [
                ("get_job", "s", (huge,)), ("run_job", "s", (huge,)), ("CallMethod", "ss", ("get_job", huge)),
                ("CallMethod", "ss", (huge, "")), ("Ping", "s", (huge,)), ("schedule_job", "s", (huge,)),
            ]:
                try:
                    answer = bus.call_blocking("com.aiworkflow.BotCron", "/com/aiworkflow/BotCron",
                        "com.aiworkflow.BotCron", method, signature, arguments, timeout=100)
                    print(method, answer[:60])
                except dbus.DBusException as error:
                    print(method, error.get_dbus_name(), len(error.get_dbus_message()))
            """
        let memory = try #require(ProcessState.status(daemon.pid, "RssAnon"))
        let sender = try Program(
            ["/usr/bin/python3", "-I", "-c", script], environment: session.environment, on: session.loop)
        var slowest: UInt64 = 0
        while sender.code == nil {
            let start = ProcessState.monotonicUSec
            #expect(try session.call("Ping") == ["pong"])
            slowest = max(slowest, ProcessState.monotonicUSec - start)
        }
        let lines = sender.text.split(separator: "\n")
        #expect(lines.count == 6, "\(sender.text)")
        for line in lines {
            #expect(line.contains("LimitsExceeded") || line.contains("InvalidArgs"), "\(line)")
        }
        #expect(slowest < 10_000_000, "\(slowest) µs")
        let grown = try #require(ProcessState.status(daemon.pid, "RssAnon")) - memory
        #expect(grown < 20 << 10, "\(grown) KiB")
        #expect(daemon.code == nil)
    }

    @Test func textsBeyondTheirBoundsAreRefused() throws {
        let large = String(repeating: " ", count: 5 << 20)
        for (member, arguments) in [
            ("schedule_job", [.string("{" + large + "}")]), ("run_job", [.string("{" + large + "}")]),
            ("query_history", [.string("{" + large + "}")]), ("update_config", ["a", "b", .string(large + "1")]),
        ] as [(MemberName, [DBusValue])] {
            guard case .failure(let error) = try session.reply(member, arguments) else {
                Issue.record("\(member) took 5 MiB")
                continue
            }
            #expect(error.name == .limitsExceeded, "\(member): \(error)")
        }
        let answer = try session.json("CallMethod", "get_job", .string(large))
        #expect(answer["success"] == true || answer["error"] != nil)
        let key = JSONValue.object(["job": "quick", "idempotency_key": .string(String(repeating: "k", count: 2_000))])
        #expect(try session.refusal("run_job", .string(key.compactText)).name == .limitsExceeded)
        // What an error quotes of it is short.
        let unknown = try session.refusal("get_job", .string(String(repeating: "n", count: 1 << 20)))
        #expect(unknown.message.utf8.count < 10_000)
    }

    @Test func aBurstOfAThousandRunsLosesNoSignalAndKeepsTheOrder() throws {
        let count = 1_000
        var ids: [String] = []
        for _ in 0..<count {
            session.client.call(call("run_job", "quick")) { result in
                let text = (try? result.get())?.first?.asString ?? ""
                ids.append((try? JSONValue(parsing: text))?.text("execution_id") ?? "\(result)")
            }
        }
        try session.wait("every end", seconds: 300) {
            session.signals.count { $0.member == "JobCompleted" || $0.member == "JobFailed" } == count
        }
        #expect(Set(ids).count == count)
        var starts: [String: Int] = [:]
        var ends: [String: Int] = [:]
        var events: [String: Int] = [:]
        try session.settle()
        for (place, signal) in session.signals.enumerated() {
            switch signal.member {
            case "JobStarted":
                #expect(starts[signal[1]] == nil)
                starts[signal[1]] = place
            case "JobCompleted":
                #expect(ends[signal[1]] == nil)
                ends[signal[1]] = place
            case "Event": events[signal[0], default: 0] += 1
            default: break
            }
        }
        for id in ids { #expect((starts[id] ?? .max) < (ends[id] ?? .min), "\(id)") }
        // In the order of the requests, which is that of the answers.
        #expect(ids.compactMap { starts[$0] } == starts.values.sorted())
        #expect(events == ["JobStarted": count, "JobCompleted": count])
    }
}
