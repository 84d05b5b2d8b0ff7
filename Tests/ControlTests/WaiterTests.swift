import Contract
import JSON
import Scheduling
import TestSupport
import Testing

@testable import Control
@testable import DBus

/// Clients that wait for a run, and what becomes of open calls when the daemon ends.
@Suite struct WaiterTests {
    private let stage: Stage

    init() throws {
        stage = try Stage()
        stage.scheduler.add("daily")
        stage.scheduler.start("daily", id: "run-1")
    }

    private func wait(_ id: String = "run-1", from caller: Connection? = nil) -> Stage.Answer {
        stage.send(stage.remote("wait_run", [.string(id)]), from: caller)
    }

    @Test func whoWaitsHearsOfTheEnd() throws {
        let answers = (0..<3).map { _ in wait() }
        try stage.settle()
        #expect(answers.allSatisfy { $0.result == nil })
        let run = try #require(stage.scheduler.end("run-1", .failed))
        stage.control.tell([.jobFailed(run)]) {}
        try stage.turn(until: "the answers") { answers.allSatisfy { $0.result != nil } }
        for answer in answers {
            let told = try JSONValue(parsing: answer.taken().get().first?.asString ?? "")
            #expect(told["status"] == "failed")
        }
        // Nothing is counted any more: as many as may can wait once more.
        stage.scheduler.start("daily", id: "run-2")
        let more = (0..<Bounds.waitsPerCaller).map { _ in wait("run-2") }
        try stage.settle()
        #expect(more.allSatisfy { $0.result == nil })
    }

    @Test func oneTooManyIsRefusedAndTheOthersWaitOn() throws {
        let answers = (0..<Bounds.waitsPerCaller).map { _ in wait() }
        let refused = wait()
        try stage.turn(until: "the refusal") { refused.result != nil }
        #expect(refused.error?.name == .limitsExceeded)
        #expect(answers.allSatisfy { $0.result == nil })
        let other = wait(from: try stage.connect())
        try stage.settle()
        #expect(other.result == nil)
    }

    @Test func aClientThatLeavesCostsNothing() throws {
        for _ in 0..<3 {
            let other = try stage.connect()
            for _ in 0..<Bounds.waitsPerCaller { _ = wait(from: other) }
            try stage.turn(until: "the calls") { stage.connection.openCallCount == Bounds.waitsPerCaller }
            other.close()
            try stage.turn(until: "the client's end") { stage.connection.openCallCount == 0 }
        }
        let run = try #require(stage.scheduler.end("run-1"))
        stage.control.tell([.jobCompleted(run)]) {}
        #expect(try stage.call("Ping").error == nil)
    }

    /// The daemon aborted at its stop while a client waited: a call that was let go of told an owner that was gone.
    @Test func atAStopEveryOpenCallIsAnswered() throws {
        let waiting = wait()
        try stage.settle()
        stage.intake.isHolding = true
        let held = [
            stage.send(stage.remote("list_jobs")),
            stage.send(stage.remote("toggle_job", [.string("daily"), .bool(true)])),
            stage.send(stage.remote("nothing_of_ours")),
        ]
        let older = ["list_jobs", "toggle_job"].map {
            stage.send(stage.remote("CallMethod", [.string($0), .string(#"["daily", true]"#)]))
        }
        try stage.settle()
        stage.control.stop()
        let all = [waiting] + held + older
        try stage.turn(until: "the answers") { all.allSatisfy { $0.result != nil } }
        #expect(all.dropLast().allSatisfy { $0.error?.name.text == ServiceError.busy.name })
        // It was asked for in the words of the older clients already.
        let answer = try JSONValue(parsing: older[1].taken().get().first?.asString ?? "")
        #expect(answer["success"] == false && answer["error"]?.stringValue?.contains("stopping") == true)
        #expect(waiting.error?.message.contains("wait_run \"run-1\"") == true)
        #expect(waiting.error?.message.contains("the run goes on") == true)
        #expect(stage.connection.openCallCount == 0)
        // What is settled later is nobody's any more.
        stage.intake.release()
        try stage.settle()
    }

    @Test func anOlderClientIsToldInItsOwnWay() throws {
        let call = stage.send(stage.remote("CallMethod", [.string("wait_run"), .string(#"["run-1"]"#)]))
        try stage.settle()
        stage.control.stop()
        try stage.turn(until: "the answer") { call.result != nil }
        let answer = try JSONValue(parsing: call.taken().get().first?.asString ?? "")
        #expect(answer["success"] == false)
        #expect(answer["error"]?.stringValue?.contains("the run goes on") == true)
    }

    @Test func theLossOfTheBusForgetsThem() throws {
        _ = (0..<Bounds.waitsPerCaller).map { _ in wait() }
        try stage.turn(until: "the calls") { stage.connection.openCallCount == Bounds.waitsPerCaller }
        stage.control.busIsLost()
        #expect(stage.connection.openCallCount == 0)
        let run = try #require(stage.scheduler.end("run-1"))
        stage.control.tell([.jobCompleted(run)]) { Issue.record("nobody can be told") }
    }
}

/// Bounds per caller, as values.
@Suite struct CallerBoundsTests {
    @Test func countsAreThoseOfAPlainList() throws {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        var bounds = CallerBounds(each: 5, all: 12)
        var all: [BusName?] = []
        let callers: [BusName?] = [":1.1", ":1.2", ":1.3", nil]
        for _ in 0..<5_000 {
            let caller = callers.randomElement(using: &random) ?? nil
            if Bool.random(using: &random) {
                let own = caller == nil ? 0 : all.count { $0 == caller }
                #expect(bounds.hasRoom(for: caller) == (own < 5 && all.count < 12), "seed \(seed)")
                guard bounds.hasRoom(for: caller) else { continue }
                bounds.add(caller)
                all.append(caller)
            } else if let place = all.indices.randomElement(using: &random) {
                bounds.remove(all[place])
                all.remove(at: place)
            }
            #expect(bounds.total == all.count, "seed \(seed)")
            for caller in callers.compactMap({ $0 }) {
                #expect(bounds.count(of: caller) == all.count { $0 == caller }, "seed \(seed)")
            }
        }
    }

    @Test func aCallerHasRoomAgainWhenItsRunsEnd() throws {
        let scheduler = FakeScheduler()
        scheduler.add("daily")
        let requested = RequestedRuns(scheduler: scheduler)
        for index in 0..<Bounds.runsPerCaller {
            requested.asked(.run(scheduler.start("daily", id: "run-\(index)")), ":1.1")
        }
        #expect(throws: ErrorReply.self) { try requested.admit(":1.1") }
        try requested.admit(":1.2")
        // Once more the same run, of another client: it stays with the first.
        requested.asked(.run(scheduler.active[0]), ":1.2")
        let run = try #require(scheduler.end("run-0"))
        requested.committed([.run(run)])
        try requested.admit(":1.1")
        // One that ended with the commit that made it counts for nobody.
        requested.asked(.run(run), ":1.1")
        try requested.admit(":1.1")
    }
}
