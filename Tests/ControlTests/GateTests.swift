import Contract
import JSON
import Performing
import Schedules
import Scheduling
import Testing

@testable import Control
@testable import DBus

/// No face tells anything before its commit, and every request is answered by what became of it.
///
/// A read that came while changes waited for the disk was answered from them: a client heard of a job that a failing
/// store then took back.
@Suite struct GateTests {
    private let stage: Stage

    init() throws {
        stage = try Stage()
        stage.scheduler.add("daily", next: Instant(seconds: 1_800_000_600))
        stage.scheduler.start("daily", id: "run-1")
    }

    private static let properties: InterfaceName = "org.freedesktop.DBus.Properties"
    private static let manager = InterfaceName(trusted: Address.managerInterface)
    private static let job = InterfaceName(trusted: Address.jobInterface)
    private static let run = InterfaceName(trusted: Address.runInterface)

    /// Everything that tells something, on every face.
    private var reads: [RemoteCall] {
        let job = Stage.path.appending("jobs").appending("daily")
        let run = Stage.path.appending("runs").appending("run-1")
        let text: [(MemberName, [DBusValue])] = [
            ("list_jobs", []), ("query_jobs", [.string("{}")]), ("get_job", [.string("daily")]),
            ("get_run", [.string("run-1")]), ("get_output", [.string("run-1"), .int64(0), .uint32(0)]),
            ("get_history", []), ("query_history", [.string("{}")]),
            ("explain_job", [.string("daily"), .string("")]), ("get_config", [.string("a"), .string("b")]),
            ("queue_peek", [.string("q"), .int32(1)]), ("queue_list", []), ("GetStatus", []), ("GetStats", []),
            ("GetMetrics", []), ("HealthCheck", []), ("get_job", [.string("nobody")]),
            ("CallMethod", [.string("list_jobs"), .string("")]),
            ("CallMethod", [.string("get_state"), .string("")]),
            ("CallMethod", [.string("get_history"), .string("")]),
            ("CallMethod", [.string("manage_scheduler"), .string(#"["list"]"#)]),
        ]
        return text.map { stage.remote($0, $1) } + [
            stage.remote("Get", [.string(Address.interface), .string("NextRun")], Self.properties),
            stage.remote("GetAll", [.string(Address.managerInterface)], Self.properties),
            stage.remote("GetAll", [.string("")], Self.properties, at: job),
            stage.remote("GetAll", [.string("")], Self.properties, at: run),
            stage.remote("GetManagedObjects", [], "org.freedesktop.DBus.ObjectManager"),
            stage.remote("Introspect", [], "org.freedesktop.DBus.Introspectable", at: Stage.path.appending("jobs")),
            stage.remote("ListJobs", [], Self.manager), stage.remote("ListRuns", [], Self.manager),
            stage.remote("GetJob", [.string("daily")], Self.manager), stage.remote("Explain", [], Self.job, at: job),
            stage.remote("Output", [.uint64(0), .uint32(0)], Self.run, at: run),
            // What is not there is told as what is.
            stage.remote("Explain", [], Self.job, at: Stage.path.appending("jobs").appending("fresh")),
        ]
    }

    @Test func everyReadIsAnsweredBehindWhatWaitsForItsCommit() throws {
        stage.intake.isHolding = true
        let answers = reads.map { stage.send($0) }
        try stage.settle()
        #expect(answers.allSatisfy { $0.result == nil })
        #expect(stage.intake.waitingCount == answers.count)
        // What was decided meanwhile is on disk by the time of the answers.
        stage.scheduler.add("fresh")
        stage.intake.release()
        try stage.turn(until: "the answers") { answers.allSatisfy { $0.result != nil } }
        let list = try answers[0].taken().get().first?.asString ?? ""
        #expect(list.contains("fresh"))
        #expect(answers.last?.error == nil, "an object that came with the commit is there")
        let refused = zip(reads, answers).filter { $1.error != nil }.map(\.0.member)
        #expect(refused == ["get_job"])
    }

    @Test func whatARequestIsRefusedForAtOnceIsAnsweredBehindItToo() throws {
        stage.intake.isHolding = true
        let bad = [
            stage.remote("run_job", [.string(#"{"job": "daily", "force": 1}"#)]),
            stage.remote("schedule_job", [.string("{}")]), stage.remote("queue_push", [.string("q"), .string("{")]),
            stage.remote("pause_job", [.string(#"{"job": "daily", "until": "never"}"#)]),
        ]
        let answers = bad.map { stage.send($0) }
        try stage.settle()
        #expect(answers.allSatisfy { $0.result == nil })
        stage.intake.release()
        try stage.turn(until: "the answers") { answers.allSatisfy { $0.result != nil } }
        #expect(answers.allSatisfy { $0.error != nil })
        #expect(stage.intake.asked.isEmpty)
    }

    @Test func whatAClientAsksIsDecidedInItsOrder() throws {
        stage.intake.isHolding = true
        var order: [Int] = []
        for index in 0..<20 {
            let call =
                index % 3 == 0
                ? stage.remote("list_jobs") : stage.remote("toggle_job", [.string("daily"), .bool(index % 2 == 0)])
            stage.client.call(call) { _ in order.append(index) }
        }
        try stage.settle()
        #expect(order.isEmpty)
        stage.intake.release()
        try stage.turn(until: "the answers") { order.count == 20 }
        #expect(order == Array(0..<20))
    }

    /// The job of a request is made by the one before it, which waits for the disk.
    @Test func nothingIsLookedUpBeforeItIsDecided() throws {
        stage.intake.isHolding = true
        stage.intake.decide = { [stage] event in
            switch event {
            case .jobUpserted(let job, _, _):
                stage.scheduler.add(job.name)
                return .reply(.scheduled(job: job.name, next: nil))
            case .jobToggled(let job, _, _, _, _, _):
                return .reply(stage.scheduler.views[job] == nil ? .refused(.jobNotFound(job)) : .done)
            default: return .reply(.done)
            }
        }
        let made = stage.send(
            stage.remote("schedule_job", [.string(#"{"name": "later", "command": ["true"]}"#)]))
        let toggled = stage.send(stage.remote("toggle_job", [.string("later"), .bool(false)]))
        try stage.settle()
        stage.intake.release()
        try stage.turn(until: "the answers") { made.result != nil && toggled.result != nil }
        #expect(made.error == nil)
        #expect(toggled.error == nil)
    }

    @Test func onlyHealthIsAnsweredWhileTheStoreCannotBeRead() throws {
        let fault = StoreFault.unreadable
        stage.scheduler.health.storeFault = fault
        stage.scheduler.health.isStoreReadable = false
        stage.store.fault = fault
        for call in reads where call.member != "HealthCheck" {
            if call.member == "CallMethod" {
                // As every refusal that the older clients hear.
                let answer = try JSONValue(parsing: try stage.call(call).get().first?.asString ?? "")
                #expect(answer["success"] == false && answer["error"]?.stringValue?.contains("botcron.db") == true)
                continue
            }
            #expect(try stage.call(call).error?.name.text == ServiceError.storeFailed.name, "\(call.member)")
        }
        let health = try stage.json("HealthCheck")
        #expect(health["healthy"] == false)
        #expect(health["checks"]?["store_writable"] == false)
        #expect(try stage.call("Ping").error == nil)
        for health in ["HealthCheck", "Ping"] {
            let answer = try stage.json("CallMethod", .string(health), .string(""))
            #expect(answer["success"] == true, "\(health) through the door of the older clients")
        }
    }

    /// It waited for the disk as a read does, and was refused with the reads where nothing could be read.
    @Test func whatOlderClientsAskForIsNotKeptWaitingForTheDisk() throws {
        stage.intake.isHolding = true
        for (method, arguments) in [
            ("cancel_run", #"["run-1"]"#), ("toggle_job", #"["daily", true]"#), ("enable_job", #"["daily"]"#),
            ("manage_scheduler", #"{"operation": "cancel", "job_id": "daily"}"#),
        ] {
            let count = stage.intake.askCount
            _ = stage.send(stage.remote("CallMethod", [.string(method), .string(arguments)]))
            try stage.settle()
            #expect(stage.intake.askCount == count + 1, "\(method)")
        }
    }
}
