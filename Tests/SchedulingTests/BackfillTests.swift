import Schedules
import Scheduling
import Testing

/// Runs of fire times that have passed without one.
@Suite struct BackfillTests {
    private func ask(
        _ rig: Rig, _ from: String, _ to: String, of name: String = "a",
        _ change: (inout BackfillRequest) -> Void = { _ in }
    ) -> Reply? {
        var request = BackfillRequest(job: name, from: at(from), through: at(to))
        change(&request)
        return rig.ask { .backfillRequested(request, ticket: $0) }
    }

    /// The fire times of an answer.
    private func fires(_ reply: Reply?) -> [String]? {
        if case .backfilled(_, let fires)? = reply { fires.map(time) } else { nil }
    }

    /// Hourly, down from 00:30 to 04:30, and nothing was caught up.
    private func afterDowntime(_ change: (inout Job) -> Void = { _ in }) -> Rig {
        let rig = Rig([
            job("a", "0 * * * *") {
                $0.catchUp.kind = .none
                change(&$0)
            }
        ])
        rig.advance(to: "00:30")
        rig.restart(at: "04:30")
        return rig
    }

    @Test func `what was missed is run in turn, oldest first, and each has its one record`() {
        let rig = afterDowntime()
        #expect(rig.ledger("a").allSatisfy { $0.hasSuffix("missed down") })
        #expect(fires(ask(rig, "01:00", "03:00")) == ["01:00", "02:00", "03:00"])
        #expect(
            rig.ledger("a").prefix(4) == [
                "01:00 running ×0", "02:00 queued ×0", "03:00 queued ×0", "04:00 missed down",
            ])
        for hour in 1...3 {
            #expect(rig.launches.count == hour)
            rig.end(id("a", "0\(hour):00"))
        }
        #expect(rig.ledger("a").prefix(3) == ["01:00 success ×0", "02:00 success ×0", "03:00 success ×0"])
        #expect(rig.store.violations.isEmpty)
    }

    @Test func `a fire time that has its run, or is to have it, gets no second one`() {
        let rig = afterDowntime()
        #expect(fires(ask(rig, "02:00", "02:00")) == ["02:00"])
        #expect(fires(ask(rig, "00:30", "04:30")) == ["01:00", "03:00", "04:00"])
        #expect(fires(ask(rig, "00:30", "04:30"))?.isEmpty == true)
        #expect(rig.store.violations.isEmpty)
    }

    @Test func `a dry question changes nothing`() {
        let rig = afterDowntime()
        let before = rig.store.runs
        guard case .backfilled(let runs, let fires)? = ask(rig, "01:00", "02:30", { $0.isDry = true }) else {
            Issue.record("it is refused")
            return
        }
        #expect(runs.isEmpty && fires.map(time) == ["01:00", "02:00"])
        #expect(rig.store.runs == before && rig.launches.isEmpty)
    }

    @Test func `what has not come is no part of the span, and what lies before the registration is`() {
        let rig = Rig([job("a", "0 * * * *", registered: "03:30") { $0.catchUp.kind = .none }], at: "04:30")
        #expect(fires(ask(rig, "02:00", "09:00")) == ["02:00", "03:00", "04:00"])
    }

    @Test func `what is excluded stays out`() throws {
        let exclusions = try ["02:00", "03:00"].map { try Exclusion($0, zone: .utc) { _ in nil } }
        let rig = afterDowntime { $0.exclusions = exclusions }
        #expect(fires(ask(rig, "01:00", "04:00")) == ["01:00", "04:00"])
    }

    @Test func `side by side where that is asked for, whatever the job's own policy`() {
        let rig = afterDowntime()
        _ = ask(rig, "01:00", "03:00") { $0.overlap = .allow }
        #expect(rig.launches.map { time($0.run.scheduledFor ?? .epoch) } == ["01:00", "02:00", "03:00"])
    }

    @Test func `all or none: more than fit are refused, with what would fit`() {
        let rig = Rig(
            [
                job("a", "* * * * *") {
                    $0.catchUp.kind = .none
                    $0.catchUp.graceTime = .zero
                }
            ], at: "+3 00:00:30")
        guard case .refused(.limitExceeded(let why))? = ask(rig, "00:00", "+1 00:00") else {
            Issue.record("it is carried out")
            return
        }
        #expect(why.contains("more than 1000 fire times") && why.contains("2026-01-05T16:40:00+00:00"), "\(why)")
        #expect(rig.launches.isEmpty && rig.ledger("a").allSatisfy { $0.contains("missed") })
        #expect(fires(ask(rig, "00:00", "16:39"))?.count == 1000)
        guard case .refused(.limitExceeded)? = ask(rig, "17:00", "17:01") else {
            Issue.record("more than may wait")
            return
        }
        #expect(ask(rig, "00:00", "01:00", of: "x") == .refused(.jobNotFound("x")))
    }

    @Test func `a job whose budget is used up is not run`() {
        let rig = afterDowntime { $0.budget.runsPerDay = 0 }
        guard case .refused(.limitExceeded(let why))? = ask(rig, "01:00", "03:00") else {
            Issue.record("it is run")
            return
        }
        #expect(why.contains("budget"))
    }

    @Test func `all or none: what the budget leaves is no part of a span`() {
        let rig = afterDowntime { $0.budget.runsPerDay = 2 }
        guard case .refused(.limitExceeded)? = ask(rig, "01:00", "03:00") else {
            Issue.record("three are run where two may be")
            return
        }
        #expect(rig.launches.isEmpty)
        #expect(fires(ask(rig, "01:00", "02:00")) == ["01:00", "02:00"])
        guard case .refused(.limitExceeded)? = ask(rig, "03:00", "03:00") else {
            Issue.record("a third is run")
            return
        }
        // Nothing to run needs no budget.
        #expect(fires(ask(rig, "01:00", "02:00"))?.isEmpty == true)
    }

    @Test func `a restart between two of them loses none`() {
        let rig = afterDowntime()
        _ = ask(rig, "01:00", "03:00")
        rig.end(id("a", "01:00"))
        rig.restart(at: "04:31", evidence: [id("a", "02:00"): .held])
        rig.end(id("a", "02:00"))
        rig.end(id("a", "03:00"))
        #expect(rig.ledger("a").prefix(3) == ["01:00 success ×0", "02:00 success ×0", "03:00 success ×0"])
    }

    /// While all is paused a fire time that has passed is not decided yet: it is taken, and not run once more later.
    @Test func `what passes in a pause is run once`() {
        let rig = Rig([job("a", "0 * * * *") { $0.catchUp.kind = .all }])
        rig.advance(to: "00:30")
        _ = rig.ask { .schedulerToggled(false, ticket: $0) }
        rig.advance(to: "03:30")
        #expect(fires(ask(rig, "01:00", "02:00")) == ["01:00", "02:00"])
        rig.end(id("a", "01:00"))
        rig.end(id("a", "02:00"))
        _ = rig.ask { .schedulerToggled(true, ticket: $0) }
        #expect(rig.launches.map { time($0.run.scheduledFor ?? .epoch) } == ["01:00", "02:00", "03:00"])
        #expect(rig.store.violations.isEmpty)
    }
}
