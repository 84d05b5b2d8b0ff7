import Schedules
import Scheduling
import Testing

/// What a run says of itself, and what its supervisor says of its end.
@Suite struct RemarkTests {
    // MARK: - Cost

    @Test func `what runs cost counts against the budget of the day`() {
        let rig = Rig([job("a", "0 * * * *") { $0.budget.costPerDay = 1 }])
        for hour in ["01:00", "02:00"] {
            rig.advance(to: hour)
            rig.end(id("a", hour)) { $0.cost = 0.5 }
        }
        rig.advance(to: "03:00")
        #expect(rig.ledger("a") == ["01:00 success", "02:00 success", "03:00 skipped budget"])
        rig.advance(to: "+1 00:00")
        #expect(rig.status(id("a", "+1 00:00")) == .running, "a new day")
    }

    @Test func `the cost of the day survives a restart`() {
        let rig = Rig([job("a", "0 * * * *") { $0.budget.costPerDay = 1 }])
        rig.advance(to: "01:00")
        rig.end(id("a", "01:00")) { $0.cost = 1.5 }
        rig.restart(at: "01:30")
        rig.advance(to: "02:00")
        #expect(rig.ledger("a") == ["01:00 success", "02:00 skipped budget"])
        #expect(rig.store.states["a"]?.budgetUse.cost == 1.5)
    }

    @Test func `the cost of a run that ended while no daemon was there is counted`() {
        let rig = Rig([job("a", "0 * * * *") { $0.budget.costPerDay = 1 }])
        rig.advance(to: "01:00")
        var outcome = AttemptOutcome(ending: .exited(0), startedAt: at("01:00"), endedAt: at("01:10"))
        outcome.cost = 1
        rig.restart(at: "01:30", evidence: [id("a", "01:00"): .ended(outcome)])
        rig.advance(to: "02:00")
        #expect(rig.ledger("a") == ["01:00 success", "02:00 skipped budget"])
    }

    @Test func `each attempt adds to what the run cost`() {
        let rig = Rig([job("a", "0 9 * * *") { $0.retry = retry(2) }])
        rig.advance(to: "09:00")
        rig.end(id("a", "09:00"), .exited(1)) { $0.cost = 0.25 }
        rig.advance(to: "09:01")
        rig.end(id("a", "09:00")) { $0.cost = 0.5 }
        #expect(rig.run(id("a", "09:00"))?.cost == 0.75)
    }

    @Test(arguments: [-1.0, Double.nan, Double.infinity, -Double.infinity])
    func `a cost that is none counts as nothing`(_ cost: Double) {
        let rig = Rig([job("a", "0 * * * *") { $0.budget.costPerDay = 1 }])
        rig.advance(to: "01:00")
        rig.end(id("a", "01:00")) { $0.cost = cost }
        rig.advance(to: "02:00")
        #expect(rig.status(id("a", "02:00")) == .running)
        #expect(rig.run(id("a", "01:00"))?.cost == 0)
        #expect(rig.store.states["a"]?.budgetUse.cost == 0)
    }

    // MARK: - Progress and result

    @Test func `progress and result are those of the last attempt`() {
        let rig = Rig([job("a", "0 9 * * *") { $0.retry = retry(2) }])
        let run = id("a", "09:00")
        rig.advance(to: "09:00")
        rig.end(run, .exited(1)) {
            $0.progress = 40
            $0.result = #"{"pages": 3}"#
        }
        #expect(rig.run(run)?.progress == 40)
        #expect(rig.run(run)?.result == #"{"pages": 3}"#)
        rig.advance(to: "09:01")
        #expect(rig.run(run)?.progress == nil, "the next attempt begins anew")
        #expect(rig.run(run)?.result == nil)
        rig.end(run) { $0.progress = 1e9 }
        #expect(rig.run(run)?.progress == 100)
    }

    @Test func `a result beyond the bound is not kept`() {
        let rig = Rig([job("a", "0 9 * * *")])
        rig.advance(to: "09:00")
        let long = "\"" + String(repeating: "x", count: Run.resultBytesMax - 1) + "\""
        rig.end(id("a", "09:00")) { $0.result = long }
        #expect(rig.run(id("a", "09:00"))?.result == nil)
        #expect(rig.status(id("a", "09:00")) == .success)
    }

    // MARK: - A retry that the run asks for

    @Test func `a run that asks for its retry waits exactly so long, whatever its policy says`() {
        let policy = retry(3, .seconds(60)) {
            $0.maxDelay = .seconds(120)
            $0.jitter = 0.5
            $0.on = [.type("auth")]
        }
        let rig = Rig([job("a", "0 9 * * *") { $0.retry = policy }])
        rig.advance(to: "09:00")
        rig.end(id("a", "09:00"), .exited(1)) { $0.retryAfter = .seconds(600) }
        #expect(rig.run(id("a", "09:00"))?.retryAt == at("09:10"))
        #expect(rig.armed == at("09:10"))
        rig.advance(to: "09:10")
        rig.end(id("a", "09:00"), .exited(1))
        #expect(rig.status(id("a", "09:00")) == .failed, "asked for once")
    }

    @Test func `a run that asks for its retry gets no more than max_attempts`() {
        let rig = Rig([job("a", "0 9 * * *") { $0.retry = retry(2) }, job("b", "0 9 * * *")])
        rig.advance(to: "09:00")
        rig.end(id("b", "09:00"), .exited(1)) { $0.retryAfter = .zero }
        #expect(rig.status(id("b", "09:00")) == .failed, "without a retry policy there is none")
        rig.end(id("a", "09:00"), .exited(1)) { $0.retryAfter = .zero }
        rig.advance(to: "09:00")
        #expect(rig.launches.last?.run.attempt == 2)
        rig.end(id("a", "09:00"), .exited(1)) { $0.retryAfter = .zero }
        #expect(rig.status(id("a", "09:00")) == .failed)
    }

    @Test func `a success is not tried again, whatever it asks for`() {
        let rig = Rig([job("a", "0 9 * * *") { $0.retry = retry(3) }])
        rig.advance(to: "09:00")
        rig.end(id("a", "09:00")) { $0.retryAfter = .seconds(60) }
        #expect(rig.status(id("a", "09:00")) == .success)
    }

    @Test func `a wait that a run asked for is as long after a restart`() {
        let policy = retry(3, .seconds(60)) { $0.maxDelay = .seconds(60) }
        let rig = Rig([job("a", "0 9 * * *") { $0.retry = policy }])
        rig.advance(to: "09:00")
        rig.end(id("a", "09:00"), .exited(1)) { $0.retryAfter = .seconds(7200) }
        rig.restart(at: "09:01")
        #expect(rig.armed == at("11:00"))
    }

    @Test(arguments: [Duration.seconds(Int64.max), .seconds(-5)]) func `a wait beyond all measure is bounded`(
        _ wait: Duration
    ) {
        let rig = Rig([job("a", "0 9 * * *") { $0.retry = retry(3) }])
        rig.advance(to: "09:00")
        rig.end(id("a", "09:00"), .exited(1)) { $0.retryAfter = wait }
        #expect(rig.status(id("a", "09:00")) == (wait < .zero ? .running : .retrying))
    }

    // MARK: - Cancelled

    @Test func `a cancel is on record before the process hears of it`() {
        let rig = Rig([job("a", "0 9 * * *") { $0.retry = retry(3) }])
        rig.advance(to: "09:00")
        _ = rig.ask { .cancelRequested(run: id("a", "09:00"), ticket: $0) }
        #expect(rig.run(id("a", "09:00"))?.ending == .cancelled)
        rig.end(id("a", "09:00"), .signaled(15))
        #expect(rig.run(id("a", "09:00"))?.ending == nil)
        #expect(rig.status(id("a", "09:00")) == .cancelled)
    }

    @Test func `a run that was cancelled before a crash and ended after it is cancelled`() {
        let policy = retry(3) { $0.on = [.any, .type("interrupted")] }
        let rig = Rig([job("a", "0 9 * * *") { $0.retry = policy }])
        rig.advance(to: "09:00")
        _ = rig.ask { .cancelRequested(run: id("a", "09:00"), ticket: $0) }
        rig.restart(at: "09:01", evidence: [id("a", "09:00"): .held])
        #expect(rig.stops == [id("a", "09:00"), id("a", "09:00")], "who knows whether the process has heard of it")
        rig.end(id("a", "09:00"), .exited(0))
        #expect(rig.status(id("a", "09:00")) == .cancelled)
        #expect(rig.run(id("a", "09:00"))?.error == "cancelled by request")
    }

    @Test func `a run that was cancelled and vanished with its daemon is cancelled`() {
        let policy = retry(3) { $0.on = [.any, .type("interrupted")] }
        let rig = Rig([job("a", "0 9 * * *") { $0.retry = policy }])
        rig.advance(to: "09:00")
        _ = rig.ask { .cancelRequested(run: id("a", "09:00"), ticket: $0) }
        rig.restart(at: "09:01")
        #expect(rig.status(id("a", "09:00")) == .cancelled)
    }

    @Test func `a run whose supervisor was told to end it is cancelled, and not tried again`() {
        let rig = Rig([job("a", "0 9 * * *") { $0.retry = retry(3) }])
        rig.advance(to: "09:00")
        rig.end(id("a", "09:00"), .exited(0)) { $0.isCancelled = true }
        #expect(rig.status(id("a", "09:00")) == .cancelled)
        #expect(rig.run(id("a", "09:00"))?.error == "cancelled")
        #expect(rig.store.states["a"]?.failuresInARow == 0)
    }

    @Test func `a run that a stopping daemon ends is interrupted, also where the next one books it`() {
        let rig = Rig([job("a", "0 9 * * *") { $0.onStop = .kill }])
        rig.advance(to: "09:00")
        rig.send(.stopping)
        var outcome = AttemptOutcome(ending: .signaled(15), startedAt: at("09:00"), endedAt: at("09:01"))
        outcome.isCancelled = true
        rig.restart(at: "09:02", evidence: [id("a", "09:00"): .ended(outcome)])
        #expect(rig.status(id("a", "09:00")) == .interrupted)
    }
}
