import Schedules
import Scheduling
import Testing

/// What happens to the fire times of an hourly job while its first run, of 01:00, goes on.
@Suite struct OverlapTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var policy: OverlapPolicy
        var maxInstances: Int?
        /// After 05:00, with the run of 01:00 still there.
        var during: [String]
        /// After that run has ended, at 05:30.
        var after: [String]

        var testDescription: String { "\(policy.rawValue) \(maxInstances.map { "max \($0)" } ?? "")" }
    }

    static let rows = [
        Row(
            policy: .skip,
            during: ["01:00 running", "02:00 skipped overlap", "03:00 skipped overlap", "04:00 skipped overlap"],
            after: ["01:00 success", "02:00 skipped overlap", "03:00 skipped overlap", "04:00 skipped overlap"]),
        Row(
            policy: .skip, maxInstances: 3,
            during: ["01:00 running", "02:00 running", "03:00 running", "04:00 skipped overlap"],
            after: ["01:00 success", "02:00 running", "03:00 running", "04:00 skipped overlap"]),
        Row(
            policy: .queue, during: ["01:00 running", "02:00 queued", "03:00 queued", "04:00 queued"],
            after: ["01:00 success", "02:00 running", "03:00 queued", "04:00 queued"]),
        Row(
            policy: .queue, maxInstances: 2,
            during: ["01:00 running", "02:00 running", "03:00 queued", "04:00 queued"],
            after: ["01:00 success", "02:00 running", "03:00 running", "04:00 queued"]),
        Row(
            policy: .queueOne,
            during: ["01:00 running", "02:00 queued", "03:00 skipped overlap", "04:00 skipped overlap"],
            after: ["01:00 success", "02:00 running", "03:00 skipped overlap", "04:00 skipped overlap"]),
        Row(
            policy: .allow, during: ["01:00 running", "02:00 running", "03:00 running", "04:00 running"],
            after: ["01:00 success", "02:00 running", "03:00 running", "04:00 running"]),
        Row(
            policy: .allow, maxInstances: 2,
            during: ["01:00 running", "02:00 running", "03:00 skipped overlap", "04:00 skipped overlap"],
            after: ["01:00 success", "02:00 running", "03:00 skipped overlap", "04:00 skipped overlap"]),
        Row(
            policy: .replace, during: ["01:00 running", "02:00 cancelled", "03:00 cancelled", "04:00 queued"],
            after: ["01:00 cancelled", "02:00 cancelled", "03:00 cancelled", "04:00 running"]),
    ]

    @Test func `a fire time that is refused has the id that its run was to have`() {
        let rig = Rig([job("a", "0 * * * *")])
        rig.advance(to: "02:30")
        #expect(rig.store.order == [id("a", "01:00"), id("a", "02:00")])
        #expect(rig.run(id("a", "02:00"))?.reason == .overlap)
    }

    @Test(arguments: rows) func `fire times while a run goes on`(_ row: Row) {
        let rig = Rig([
            job("a", "0 * * * *") {
                $0.overlap = row.policy
                $0.maxInstances = row.maxInstances
            }
        ])
        rig.advance(to: "04:30")
        #expect(rig.ledger("a") == row.during)
        rig.end(id("a", "01:00"))
        #expect(rig.ledger("a") == row.after)
    }

    @Test func `replace ends the active run first, and starts the newest after it`() {
        let rig = Rig([job("a", "0 * * * *") { $0.overlap = .replace }])
        rig.advance(to: "03:00")
        #expect(rig.stops == [id("a", "01:00")], "one stop, however many fire times pass")
        #expect(rig.launches.count == 1)
        rig.end(id("a", "01:00"), .signaled(15))
        #expect(rig.launches.map(\.run.id) == [id("a", "01:00"), id("a", "03:00")])
        #expect(rig.story(id("a", "01:00")) == ["started", "failed: replaced by \(id("a", "02:00"))"])
        #expect(rig.story(id("a", "02:00")) == ["started", "failed: replaced by \(id("a", "03:00"))"])
    }

    @Test func `a run between two attempts still counts as active`() {
        let rig = Rig([job("a", "0 * * * *") { $0.retry = retry(2, .seconds(5400)) { $0.maxDelay = .seconds(7200) } }])
        rig.advance(to: "01:00")
        rig.end(id("a", "01:00"), .exited(1))
        rig.advance(to: "02:00")
        #expect(rig.ledger("a") == ["01:00 retrying", "02:00 skipped overlap"])
        rig.advance(to: "02:30")
        #expect(rig.launches.count == 2)
    }

    @Test func `a run by hand waits under skip`() {
        let rig = Rig([job("a", "0 * * * *")])
        rig.advance(to: "01:00")
        guard case .run(let run)? = rig.request("a") else {
            Issue.record("no run")
            return
        }
        #expect(run.status == .queued)
        rig.end(id("a", "01:00"))
        #expect(rig.launches.last?.run.id == run.id)
    }
}
