import Configuration
import Contract
import JSON
import Performing
import Schedules
import Scheduling
import Store
import TestSupport
import Testing

@testable import Control
@testable import DBus

enum StoreFault {
    static let full = StoreError(kind: .full, operation: "commit", path: "/nowhere/botcron.db", message: "disk full")
    static let unreadable = StoreError(
        kind: .inputOutput, operation: "read", path: "/nowhere/botcron.db", message: "disk failed")
}

/// What the core says is what the client hears, on each way by which it can be asked.
@Suite struct SettlementTests {
    private let stage: Stage

    init() throws {
        stage = try Stage()
        stage.scheduler.add("daily")
        stage.scheduler.start("daily", id: "run-1")
    }

    /// Each way to ask for something, and the values of a success.
    private var requests: [(call: RemoteCall, reply: Reply, values: [DBusValue]?)] {
        let run = stage.scheduler.active[0]
        let job = Stage.path.appending("jobs").appending("daily")
        let runObject = Stage.path.appending("runs").appending("run-1")
        let (manager, jobFace) = (
            InterfaceName(trusted: Address.managerInterface), InterfaceName(trusted: Address.jobInterface)
        )
        let runFace = InterfaceName(trusted: Address.runInterface)
        let item = QueueItem(id: 7, queue: "q", json: "[1]", pushedAt: .epoch)
        let set: (String, ObjectPath) -> RemoteCall = { [stage] interface, path in
            stage.remote(
                "Set", [.string(interface), .string("Enabled"), .variant(.bool(false))],
                "org.freedesktop.DBus.Properties", at: path)
        }
        return [
            (stage.remote("run_job", [.string("daily")]), .run(run), nil),
            (stage.remote("run_now", [.string(#"{"command": ["true"]}"#)]), .run(run), nil),
            (stage.remote("rerun", [.string("run-1")]), .run(run), nil),
            (
                stage.remote("backfill", [.string(#"{"job": "daily", "from": "2026-01-01T00:00:00Z"}"#)]),
                .backfilled(runs: [], fireTimes: []), [.string(#"{"runs": [], "fire_times": []}"#)]
            ),
            (stage.remote("toggle_job", [.string("daily"), .bool(true)]), .done, [.bool(true)]),
            (stage.remote("pause_job", [.string("daily")]), .done, [.bool(true)]),
            (stage.remote("resume_job", [.string(#"{"job": "daily"}"#)]), .done, [.bool(true)]),
            (
                stage.remote("skip_job", [.string("daily")]), .skipped(fireTime: nil, next: nil),
                [.string(#"{"skipped": null, "next_run": null}"#)]
            ),
            (
                stage.remote("schedule_job", [.string(#"{"name": "x", "command": ["true"]}"#)]),
                .scheduled(job: "x", next: nil), [.string(#"{"job_id": "x", "next_run": null}"#)]
            ),
            (stage.remote("cancel_job", [.string("daily")]), .done, [.bool(true)]),
            (stage.remote("cancel_run", [.string("run-1")]), .done, [.bool(true)]),
            (stage.remote("hold_group", [.string("g"), .string("")]), .done, [.bool(true)]),
            (stage.remote("release_group", [.string("g")]), .done, [.bool(true)]),
            (stage.remote("answer_question", [.string("run-1"), .string("Allow")]), .done, [.bool(true)]),
            (stage.remote("toggle_scheduler", [.bool(false)]), .done, [.bool(true)]),
            (
                stage.remote("queue_push", [.string("q"), .string("[1]")]), .item(item),
                [.string(#"{"queue": "q", "id": "7"}"#)]
            ),
            (stage.remote("queue_pop", [.string("q")]), .item(item), [.string(#"{"id": "7", "item": [1]}"#)]),
            (stage.remote("queue_ack", [.string("q"), .string("7")]), .done, [.string(#"{"queue": "q", "id": "7"}"#)]),
            (stage.remote("Run", [], jobFace, at: job), .run(run), [.objectPath(runObject)]),
            (stage.remote("Enable", [], jobFace, at: job), .done, []),
            (stage.remote("Disable", [], jobFace, at: job), .done, []),
            (stage.remote("Remove", [], jobFace, at: job), .done, []),
            (stage.remote("Cancel", [], runFace, at: runObject), .done, []),
            (
                stage.remote("RunJob", [.string("daily"), .properties([])], manager), .run(run),
                [.objectPath(runObject)]
            ),
            (
                stage.remote(
                    "AddJob", [.properties([("name", .string("daily")), ("command", .strings(["true"]))])], manager),
                .scheduled(job: "daily", next: nil), [.objectPath(job)]
            ),
            (set(Address.managerInterface, Stage.path), .done, []), (set(Address.jobInterface, job), .done, []),
        ]
    }

    /// Each way in which a request can end without success, and the name of the error that says so.
    static let failures: [(settlement: Settlement, name: String)] =
        [
            (.storeFailed(StoreFault.full), ServiceError.storeFailed.name), (.stopping, ServiceError.busy.name),
            (.unknown, ErrorName.noReply.text),
        ] + refusals.map { (.reply(.refused($0.refusal)), $0.name) }

    static let refusals: [(refusal: Refusal, name: String)] = [
        (.jobNotFound("dayly"), ServiceError.jobNotFound.name), (.runNotFound("run-9"), ServiceError.runNotFound.name),
        (.runEnded("run-9", .success), ServiceError.runNotFound.name), (.jobExists("x"), ServiceError.jobExists.name),
        (.notPermitted("x"), ServiceError.notPermitted.name),
        (.olderVersion(job: "x", found: 1, inForce: 2), ServiceError.invalidJob.name),
        (.circle(["x", "y"]), ServiceError.invalidJob.name),
        (.limitExceeded("the budget of the day is used up"), ErrorName.limitsExceeded.text),
        (.keyTaken(run: "run-9", job: "x"), ErrorName.invalidArgs.text),
        (.queueEmpty("q"), ServiceError.queueEmpty.name),
        (.noSuchItem(id: "7", queue: "q"), ErrorName.invalidArgs.text),
        (.groupNotFound("cluade", known: ["claude"]), ErrorName.invalidArgs.text),
        (.noQuestion(run: "run-9"), ErrorName.invalidArgs.text),
        (.noSuchChoice("Maybe", choices: ["Allow", "Deny"]), ErrorName.invalidArgs.text),
        (.stopping, ServiceError.busy.name),
    ]

    /// The declarations say what asks for something: a new method has to be among the rows above.
    @Test func everyWayToAskIsAmongThem() throws {
        let job = Stage.path.appending("jobs").appending("daily")
        let paths = [Stage.path, job, Stage.path.appending("runs").appending("run-1")]
        var declared: Set<String> = []
        for path in paths {
            for interface in try #require(stage.connection.objects.object(at: path)).interfaces {
                for method in interface.methods where method.kind.isRequest {
                    declared.insert("\(interface.name).\(method.name)")
                }
                for property in interface.properties where property.isWritable {
                    declared.insert("\(interface.name).\(property.name)=")
                }
            }
        }
        let rows = requests.map { row -> String in
            guard row.call.member == "Set" else { return "\(row.call.interface?.text ?? "").\(row.call.member)" }
            return "\(row.call.arguments[0].asString ?? "").\(row.call.arguments[1].asString ?? "")="
        }
        // Of the file, of the daemon, of a target, and of the door, whose methods are these once more.
        let others = ["update_config", "reload_config", "Shutdown", "test_target", "CallMethod"].map {
            "\(Address.interface).\($0)"
        }
        #expect(declared == Set(rows).union(others))
    }

    @Test func aSuccessIsAnswered() throws {
        for (call, reply, values) in requests {
            stage.intake.decide = { _ in .reply(reply) }
            let answer = try stage.call(call)
            guard let values else {
                let run = try JSONValue(parsing: answer.get().first?.asString ?? "")
                #expect(run["execution_id"] == "run-1", "\(call.member)")
                continue
            }
            #expect(answer == .success(values), "\(call.member)")
        }
        #expect(stage.intake.asked.count == requests.count)
    }

    @Test(arguments: 0..<SettlementTests.failures.count)
    func everyWayToAskIsRefusedByName(_ index: Int) throws {
        let (settlement, name) = Self.failures[index]
        stage.intake.decide = { _ in settlement }
        for (call, _, _) in requests {
            let error = try #require(try stage.call(call).error, "\(call.member)")
            #expect(error.name.text == name, "\(call.member): \(error)")
            #expect(!error.message.isEmpty)
        }
    }

    @Test(arguments: 0..<SettlementTests.failures.count)
    func theOlderDoorSaysItInItsOwnWay(_ index: Int) throws {
        stage.intake.decide = { _ in Self.failures[index].settlement }
        for (method, arguments) in [
            ("run_job", #"["daily"]"#), ("toggle_job", #"["daily", true]"#), ("toggle_scheduler", "[true]"),
            ("queue_pop", #"["q"]"#), ("manage_scheduler", #"{"operation": "cancel", "job_id": "daily"}"#),
        ] {
            let answered = try stage.call("CallMethod", .string(method), .string(arguments))
            if case .unknown = Self.failures[index].settlement {
                #expect(answered.error?.name == .noReply, "\(method): that it failed is not known")
                continue
            }
            let answer = try JSONValue(parsing: try answered.get().first?.asString ?? "")
            #expect(answer["success"] == false, "\(method)")
            #expect(answer["error"]?.stringValue?.isEmpty == false, "\(method)")
        }
    }

    @Test func theNearestJobIsNamed() throws {
        stage.intake.decide = { _ in .reply(.refused(.jobNotFound("dayly"))) }
        #expect(try stage.call("run_job", .string("dayly")).error?.message.contains("\"daily\"") == true)
    }

    @Test func aJobThatWasRefusedIsNamedWithItsReason() throws {
        stage.settings.refuse(["bad"])
        stage.intake.decide = { _ in .reply(.refused(.jobNotFound("bad"))) }
        let error = try #require(try stage.call("run_job", .string("bad")).error)
        #expect(error.name.text == ServiceError.invalidJob.name)
        #expect(error.message.contains("the reason of bad"))
    }

    @Test func aRunThatEndedIsToldFromOneThatNeverWas() throws {
        let ended = try #require(stage.scheduler.end("run-1"))
        stage.store.runs = [ended]
        stage.intake.decide = { _ in .reply(.refused(.runNotFound("run-1"))) }
        #expect(try stage.call("cancel_run", .string("run-1")).error?.message.contains("has ended") == true)
    }

    /// The record of a run is removed after a while; its key still names it.
    @Test func aKeyAnswersForARunThatIsNotKept() throws {
        let removed = RemovedRun(id: "run-0", job: "daily", status: .failed, endedAt: .epoch)
        stage.intake.decide = { _ in .reply(.removedRun(removed)) }
        let run = try stage.json("run_job", .string(#"{"job": "daily", "idempotency_key": "k"}"#))
        #expect(run["execution_id"] == "run-0")
        #expect(run["status"] == "failed")
        #expect(run["completed_at"] == "1970-01-01T00:00:00+00:00")
        #expect(run["removed"] == true)
        #expect(run["started_at"] == .null)
        guard case .runRequested(let request, _) = stage.intake.asked.last else { throw TestFailure("no request") }
        #expect(request.idempotencyKey == "k")
    }

    @Test func aRefusedDefinitionIsForgottenAndAJobRemoved() throws {
        stage.settings.refusedDefinitions = ["old"]
        _ = try stage.call("cancel_job", .string("old")).get()
        guard case .definitionForgotten("old", _, _) = stage.intake.asked.last else {
            throw TestFailure("not forgotten")
        }
        _ = try stage.call("cancel_job", .string("daily")).get()
        guard case .jobCancelled("daily", _, _, _) = stage.intake.asked.last else { throw TestFailure("not removed") }
    }

    // MARK: - config.json

    @Test func aFileThatIsWrittenIsASuccessWhenItIsDurable() throws {
        stage.intake.isHolding = true
        let update = stage.send(stage.remote("update_config", [.string("a"), .string("b"), .string("[1]")]))
        let reload = stage.send(stage.remote("reload_config"))
        try stage.settle()
        #expect(stage.settings.updates == ["a.b=[1]"])
        #expect(update.result == nil && reload.result == nil)
        stage.intake.release()
        try stage.turn(until: "the answers") { update.result != nil && reload.result != nil }
        #expect(update.error == nil && reload.error == nil)
    }

    @Test func whatSettingsRefuseIsNamed() throws {
        let failures: [(SettingsError, String)] = [
            (
                .configuration(.init(operation: "read", object: "/x", reason: "no", line: 3, column: 4)),
                ServiceError.invalidConfig.name
            ),
            (.argument("section", found: "an empty string", expected: "a name"), ErrorName.invalidArgs.text),
            (.tooLong("value", bytes: 2, bytesMax: 1), ErrorName.limitsExceeded.text),
        ]
        for (failure, name) in failures {
            stage.settings.failure = failure
            let update: [DBusValue] = [.string(""), .string(""), .string("1")]
            #expect(try stage.call(stage.remote("update_config", update)).error?.name.text == name)
            #expect(try stage.call("reload_config").error?.name.text == name)
            #expect(try stage.call("get_config", .string(""), .string("")).error?.name.text == name)
        }
    }
}

/// The one table of named errors.
@Suite struct ErrorTableTests {
    @Test func everyErrorHasANameAnExitCodeAndAMeaning() {
        for error in ServiceError.allCases {
            #expect(ErrorName.isValid(error.name))
            #expect(ServiceError(name: error.name) == error)
            #expect(error.exitCode > 0)
            #expect(!error.meaning.isEmpty)
            #expect(ErrorReply(error, "text").name.text == error.name)
        }
        #expect(Set(ServiceError.allCases.map(\.name)).count == ServiceError.allCases.count)
    }

    @Test func everyRefusalOfTheCoreHasItsOwn() {
        for (refusal, name) in SettlementTests.refusals {
            let reply = ErrorReply(refusal, among: ["daily"])
            #expect(reply.name.text == name)
            // What was asked for is in the text.
            #expect(reply.message.count > 20)
        }
        // One of each: a new refusal does not compile without a row above.
        let rows = Set(SettlementTests.refusals.map { Self.row(of: $0.refusal) })
        #expect(rows == Set(0..<15))
    }

    private static func row(of refusal: Refusal) -> Int {
        switch refusal {
        case .jobNotFound: 0
        case .runNotFound: 1
        case .runEnded: 2
        case .jobExists: 3
        case .notPermitted: 4
        case .olderVersion: 5
        case .limitExceeded: 6
        case .keyTaken: 7
        case .queueEmpty: 8
        case .noSuchItem: 9
        case .stopping: 10
        case .groupNotFound: 11
        case .noQuestion: 12
        case .noSuchChoice: 13
        case .circle: 14
        }
    }
}
