import Schedules
import Scheduling
import Testing

/// The budget over all jobs.
@Suite struct BudgetTests {
    private func rig(_ jobs: [Job], _ change: @escaping (inout Budget) -> Void) -> Rig {
        Rig(jobs) {
            change(&$0.budget)
            $0.zone = .utc
        }
    }

    @Test func `runs of all jobs together`() {
        let rig = rig([job("a", "0 * * * *"), job("b", "30 * * * *")]) { $0.runsPerDay = 3 }
        for (name, time) in [("b", "00:30"), ("a", "01:00"), ("b", "01:30")] {
            rig.advance(to: time)
            rig.end(id(name, time))
        }
        rig.advance(to: "02:30")
        #expect(rig.ledger("a") == ["01:00 success", "02:00 skipped budget"])
        #expect(rig.ledger("b") == ["00:30 success", "01:30 success", "02:30 skipped budget"])
        rig.advance(to: "+1 00:00")
        #expect(rig.status(id("a", "+1 00:00")) == .running, "a new day")
    }

    @Test func `cost and time of all jobs together, over a restart`() {
        let rig = rig([job("a", "0 * * * *"), job("b", "30 * * * *")]) { $0.costPerDay = 2 }
        rig.advance(to: "00:30")
        rig.end(id("b", "00:30")) { $0.cost = 1 }
        rig.advance(to: "01:00")
        rig.end(id("a", "01:00")) { $0.cost = 1 }
        #expect(rig.store.budgetUse.cost == 2 && rig.store.budgetUse.runs == 2)
        rig.restart(at: "01:10")
        rig.advance(to: "02:00")
        #expect(rig.ledger("a") == ["01:00 success", "02:00 skipped budget"])
        #expect(rig.ledger("b") == ["00:30 success", "01:30 skipped budget"])
        let other = self.rig([job("a", "0 * * * *"), job("b", "30 * * * *")]) { $0.wallTimePerDay = .seconds(60) }
        other.advance(to: "00:30")
        other.advance(to: "00:31")
        other.end(id("b", "00:30"))
        other.advance(to: "01:00")
        #expect(other.ledger("a") == ["01:00 skipped budget"])
    }

    @Test func `a definition that is run once spends it, too, and what is forced passes`() {
        let rig = rig([job("a")]) { $0.runsPerDay = 2 }
        let once = job("once")
        guard case .run(let run)? = rig.ask({ .runOnce(once, RunRequest(job: "once"), ticket: $0) }),
            case .run(let asked)? = rig.request("a")
        else {
            Issue.record("refused")
            return
        }
        rig.end(run.id)
        rig.end(asked.id)
        guard case .refused(.limitExceeded(let why))? = rig.request("a") else {
            Issue.record("not refused")
            return
        }
        #expect(why.contains("the budget of all jobs for today is used up"))
        guard case .run? = rig.request("a", { $0.isForced = true }) else {
            Issue.record("force is refused")
            return
        }
    }

    @Test func `next is the first fire time that will run`() {
        let rig = Rig([
            job("a", "0 * * * *") { $0.budget.runsPerDay = 1 }, job("b", "0 * * * *") { $0.budget.runsPerDay = 0 },
        ])
        rig.advance(to: "01:00")
        rig.end(id("a", "01:00"))
        #expect(rig.scheduler.job(named: "a")?.nextRun == at("+1 00:00"))
        #expect(rig.scheduler.job(named: "b")?.nextRun == nil)
        let all = self.rig([job("a", "0 * * * *"), job("b", "30 * * * *")]) { $0.runsPerDay = 1 }
        all.advance(to: "01:00")
        #expect(all.scheduler.job(named: "b")?.nextRun == at("+1 00:30"))
        #expect(all.scheduler.explain("a", at: at("05:00"), now: all.now).first == .budgetUsedUp(.all))
    }

    /// In the simulator it was never due again.
    @Test func `next of an interval that counts from the end is after the day, too`() {
        let delayed = intervalJob("a", "50m") {
            $0.budget.runsPerDay = 1
            $0.countsFromEnd = true
        }
        let rig = Rig([delayed])
        rig.advance(to: "00:50")
        rig.end(id("a", "00:50"))
        #expect(rig.scheduler.job(named: "a")?.nextRun == at("+1 00:10"))
        rig.advance(to: "+1 00:10")
        #expect(rig.status(id("a", "+1 00:10")) == .running)
    }

    /// However a run ends that never started, it is not waited for any more.
    @Test func `what waits counts until it starts or is gone`() {
        let rig = rig([job("a"), job("b") { $0.conditions.needsACPower = true }]) { $0.runsPerDay = 3 }
        func ask(_ name: String) -> Run? { if case .run(let run)? = rig.request(name) { run } else { nil } }
        let running = ask("a")
        let queued = ask("a")
        let conditional = ask("b")
        #expect(running?.status == .running && queued?.status == .queued && conditional?.status == .queued)
        #expect(ask("a") == nil, "three of three")
        for run in [queued, conditional] {
            #expect(rig.ask { .cancelRequested(run: run?.id ?? "", ticket: $0) } == .done)
        }
        #expect(ask("a") != nil && ask("a") != nil && ask("a") == nil)
        rig.restart(at: "00:05", evidence: [running?.id ?? "": .notBegun])
        #expect(ask("a") == nil, "the same runs, one of which begins now")
    }

    @Test func `one message a day tells of it`() {
        let told = [MessageRule(target: "desktop", on: .standard)]
        let rig = rig([job("a", "*/5 * * * *") { $0.messages = told }]) { $0.runsPerDay = 1 }
        rig.advance(to: "00:05")
        rig.end(id("a", "00:05"))
        rig.advance(to: "23:59")
        #expect(rig.sendings.map(\.occasion) == [.paused])
    }

    @Test(arguments: [
        "", "1 2 3", "x 1 1 1", "1 -1 1 1", "1 1 -1 1", "1 1 1 nan", "1 1 1 -1", "1 1 1 inf", "1 1 1 1 1",
    ])
    func `a foreign record is none`(record: String) { #expect(BudgetUse(record: record) == nil) }

    @Test func `a record reads back`() {
        var use = BudgetUse()
        #expect(use.record == nil)
        (use.day, use.runs, use.wallTime, use.cost) = (at("00:00"), 7, .milliseconds(1_500), 0.1 + 0.2)
        #expect(use.record.flatMap(BudgetUse.init(record:)) == use)
    }
}
