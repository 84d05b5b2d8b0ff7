import Schedules
import Scheduling
import Testing

/// What the scheduler says that it is about to start.
@Suite struct ExpectationTests {
    static func expected(_ rig: Rig, atMost bound: Int = 10) -> [String] {
        rig.scheduler.expectedRuns(atMost: bound).map { "\($0.job.name) \($0.id) \(time($0.due))" }
    }

    @Test func `of all jobs those that are due next, with the ids that their runs will have`() {
        let rig = Rig([job("later", "0 2 * * *"), job("a", "0 1 * * *"), job("b", "0 1 * * *")])
        #expect(Self.expected(rig) == ["a \(id("a", "01:00")) 01:00", "b \(id("b", "01:00")) 01:00"])
        rig.advance(to: "01:00")
        #expect(rig.launches.map(\.run.id) == [id("a", "01:00"), id("b", "01:00")])
        #expect(Self.expected(rig) == ["later \(id("later", "02:00")) 02:00"])
    }

    @Test func `an id that is taken is not promised twice`() {
        let skill = { (job: inout Job) in job.skill = "report" }
        let rig = Rig([job("a", "0 1 * * *", with: skill), job("b", "0 1 * * *", with: skill)])
        let ids = rig.scheduler.expectedRuns(atMost: 10).map(\.id)
        #expect(ids == [id("report", "01:00"), id("report", "01:00", "-2")])
        rig.advance(to: "01:00")
        #expect(rig.launches.map(\.run.id) == ids)
    }

    @Test func `asking changes nothing`() {
        let rig = Rig([job("a", "0 1 * * *")])
        #expect(Self.expected(rig) == Self.expected(rig))
        rig.advance(to: "01:00")
        #expect(rig.launches.map(\.run.id) == [id("a", "01:00")])
    }

    @Test func `no more than is asked for, and than the limits leave room for`() {
        let jobs = (0..<30).map { job("job\($0)", "0 1 * * *") }
        #expect(Rig(jobs).scheduler.expectedRuns(atMost: 8).count == 8)
        #expect(Rig(jobs).scheduler.expectedRuns(atMost: 100).count == 10)
        #expect(Rig(jobs, with: { $0.maxConcurrentRuns = 3 }).scheduler.expectedRuns(atMost: 8).count == 3)
        #expect(Rig(jobs, with: { $0.launchesPerMinute = 2 }).scheduler.expectedRuns(atMost: 8).count == 2)
    }

    @Test func `with its jitter`() throws {
        let rig = Rig([job("a", "0 1 * * *") { $0.jitterMilliseconds = 600_000 }])
        let run = try #require(rig.scheduler.expectedRuns(atMost: 1).first)
        #expect(run.id == id("a", "01:00") && run.due == rig.armed && run.due > at("01:00"))
    }

    struct Row: Sendable, CustomTestStringConvertible {
        var what: String
        var job: @Sendable (inout Job) -> Void = { _ in }
        var event: Event?

        var testDescription: String { what }
    }

    static let rows = [
        Row(what: "with a condition", job: { $0.conditions.needsACPower = true }),
        Row(what: "with its budget used up", job: { $0.budget.runsPerDay = 0 }),
        Row(what: "at an excluded fire time", job: { $0.exclusions = [dayZeroExcluded].compactMap { $0 } }),
        Row(what: "disabled", job: { $0.isEnabled = false }),
        Row(what: "disabled until then", event: .jobToggled(job: "a", isEnabled: false, until: at("01:00"))),
        Row(what: "that is to be skipped", event: .skipRequested(job: "a", ticket: 1)),
        Row(what: "while all is paused", event: .schedulerToggled(false)),
        Row(what: "while the machine sleeps", event: .sleep),
        Row(what: "while the daemon stops", event: .stopping),
        Row(what: "that runs already", event: .runRequested(RunRequest(job: "a"), ticket: 1)),
        Row(what: "whose fire time a client took", event: .runRequested(claim, ticket: 1)),
    ]

    static var dayZeroExcluded: Exclusion? { try? Exclusion("2026-01-05", zone: .utc) { _ in nil } }

    static var claim: RunRequest {
        var request = RunRequest(job: "a")
        request.scheduledFor = at("01:00")
        return request
    }

    @Test(arguments: rows) func `nothing of a job`(_ row: Row) {
        let rig = Rig([job("a", "0 1 * * *", with: row.job)])
        if let event = row.event { rig.send(event) }
        #expect(Self.expected(rig) == [])
    }
}
