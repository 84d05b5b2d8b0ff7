import JSON
import Performing
import Schedules
import Scheduling
import TestSupport
import Testing

@testable import Control
@testable import DBus

/// A hundred thousand jobs: every answer is bounded, and none is made in one step.
///
/// `list_jobs` of so many said "the answer cannot be sent" after seconds in which nobody else was answered.
@Suite struct ManyJobsTests {
    private let stage: Stage
    private static let count = 100_000

    init() throws {
        stage = try Stage()
        for index in 0..<Self.count {
            stage.scheduler.add("job-\(index)", next: Instant(seconds: Int64(1_900_000_000 - index)))
        }
    }

    @Test func aListOfAllIsRefusedAtOnceAndPagesAreNamed() throws {
        for call in [
            stage.remote("list_jobs"), stage.remote("CallMethod", [.string("list_jobs"), .string("")]),
            stage.remote("CallMethod", [.string("manage_scheduler"), .string(#"["list"]"#)]),
        ] {
            let answer = try stage.call(call)
            let text = try answer.error?.message ?? answer.get().first?.asString ?? ""
            #expect(text.contains("query_jobs"))
            #expect(answer.error == nil || answer.error?.name == .limitsExceeded)
        }
        #expect(stage.control.stepCount == 0)
    }

    /// Somebody else's call is answered while a filter that nothing fulfils goes over every job.
    @Test func aWalkOverAllIsMadeInSteps() throws {
        let query = stage.send(stage.remote("query_jobs", [.string(#"{"tag": "none"}"#)]))
        let other = stage.send(stage.remote("Ping"))
        try stage.turn(until: "the other answer") { other.result != nil }
        #expect(query.result == nil)
        try stage.turn(until: "the page") { query.result != nil }
        #expect(stage.control.stepCount == Self.count / Steps.jobsPerStep + 1)
    }

    /// No step reads what is not durable, and everything that came before it is answered before it.
    @Test func aWalkWaitsForWhatIsDecidedMeanwhile() throws {
        let query = stage.send(stage.remote("query_jobs", [.string(#"{"tag": "none"}"#)]))
        let first = stage.send(stage.remote("Ping"))
        try stage.turn(until: "the first steps") { first.result != nil }
        stage.intake.isHolding = true
        let steps = stage.control.stepCount
        try stage.settle()
        #expect(stage.control.stepCount == steps)
        #expect(query.result == nil)
        stage.intake.release()
        try stage.turn(until: "the page") { query.result != nil }
    }

    @Test func statusAndMirrorHoldTheFirstAndSayHowManyAreLeftOut() throws {
        let jobs = try #require(try stage.json("GetStatus")["jobs"]?.arrayValue)
        #expect(jobs.count == Bounds.statusJobs)
        #expect(jobs.first?["name"] == "job-99999")
        #expect(try stage.json("GetStats")["jobs_omitted"] == .number(Self.count - Bounds.statusJobs))
        let state = try stage.json("CallMethod", .string("get_state"), .string(""))["state"]
        #expect(state?["jobs"]?.arrayValue?.count == Bounds.statusJobs)
        #expect(state?["jobs_omitted"] == .number(Self.count - Bounds.statusJobs))
    }

    @Test func figuresAreMadeInStepsAndBounded() throws {
        let text = try stage.call("GetMetrics").get().first?.asString ?? ""
        #expect(stage.control.stepCount == Bounds.measuredJobs / Steps.jobsPerStep)
        #expect(text.contains("botcron_jobs_unmeasured \(Self.count - Bounds.measuredJobs)\n"))
        #expect(text.split(separator: "\n").count { $0.hasPrefix("botcron_job_runs_total{") } == Bounds.measuredJobs)
        #expect(text.hasSuffix("# EOF\n"))
    }

    @Test func namesAreSortedOnce() throws {
        _ = try stage.call("query_jobs", .string("{}")).get()
        let sorted = stage.scheduler.sortCount
        for index in 0..<20 {
            stage.scheduler.add("new-\(index)")
            stage.control.tell([.jobsChanged(added: ["new-\(index)"], changed: [], removed: [])]) {}
            let page = try stage.json("query_jobs", .string(#"{"pattern": "new-*", "names": ["new-\#(index)"]}"#))
            #expect(page["jobs"]?.arrayValue?.count == 1)
        }
        #expect(stage.scheduler.sortCount == sorted)
    }

    @Test func aMistypedNameIsNamedAmongMany() throws {
        stage.intake.decide = { _ in .reply(.refused(.jobNotFound("job-5000x"))) }
        #expect(try stage.call("run_job", .string("job-5000x")).error?.message.contains("\"job-5000") == true)
    }
}

/// Lists that are as long as they may be, and one job longer.
@Suite struct ListBoundTests {
    @Test func aListThatIsTooLongIsRefusedWithoutHavingBeenMade() throws {
        let stage = try Stage()
        let large = "\"" + String(repeating: "x", count: 1 << 20) + "\""
        for index in 0..<40 { stage.scheduler.add("job-\(index)") { $0.job.inputs = large } }
        for call in [
            stage.remote("list_jobs"), stage.remote("CallMethod", [.string("list_jobs"), .string("")]),
        ] {
            let answer = try stage.call(call)
            let text = try answer.error?.message ?? answer.get().first?.asString ?? ""
            #expect(text.contains("query_jobs"), "\(call.member)")
        }
        // The first ones alone can be sent.
        for index in 7..<40 { stage.scheduler.views["job-\(index)"] = nil }
        #expect(try stage.json("list_jobs").arrayValue?.count == 7)
    }

    @Test func whatWaitsForAStepIsBounded() throws {
        let stage = try Stage()
        for index in 0..<(Steps.jobsPerStep * 2) { stage.scheduler.add("job-\(index)") }
        let answers = (0...Steps.waitingMax).map { _ in
            stage.send(stage.remote("query_jobs", [.string(#"{"tag": "none"}"#)]))
        }
        try stage.turn(until: "the answers") { answers.allSatisfy { $0.result != nil } }
        #expect(answers.allSatisfy { $0.error == nil || $0.error?.name == .limitsExceeded })
        #expect(answers.contains { $0.error == nil })
    }

    /// Jobs by their next fire time, those without one last, by name.
    @Test func olderClientsHaveThemInTheOrderOfTime() throws {
        let stage = try Stage()
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        for index in 0..<200 {
            let next = Bool.random(using: &random) ? Instant(seconds: Int64.random(in: 0..<50, using: &random)) : nil
            stage.scheduler.add("job-\(index)", next: next)
        }
        stage.settings.refuse(["bad", "job-7"])
        let jobs = try #require(
            try stage.json("CallMethod", .string("list_jobs"), .string("{}"))["jobs"]?.arrayValue)
        #expect(jobs.count == 202)
        let keys = jobs.map { ($0["next_run"]?.stringValue ?? "9", $0["name"]?.stringValue ?? "") }
        for (first, second) in zip(keys, keys.dropFirst()) { #expect(first <= second, "seed \(seed)") }
        let few = try stage.json("CallMethod", .string("list_jobs"), .string(#"{"limit": 5}"#))["jobs"]?.arrayValue
        #expect(few.map(Array.init) == Array(jobs.prefix(5)))
    }
}
