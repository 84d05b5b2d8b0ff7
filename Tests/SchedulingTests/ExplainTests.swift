import Schedules
import Scheduling
import Testing

@Suite struct ExplainTests {
    private func codes(_ rig: Rig, _ job: String = "a", at text: String? = nil) -> [String] {
        let instant = text.map { at($0) }
        let records = rig.store.order.compactMap { rig.run($0) }
        return rig.scheduler.explain(job, at: instant, records: records, now: rig.now).map(\.code)
    }

    @Test func `what a job is doing, and what comes next`() {
        let rig = Rig([job("a", "0 * * * *") { ($0.overlap, $0.retry) = (.queue, retry(2)) }])
        #expect(codes(rig) == ["next"])
        rig.advance(to: "01:00")
        #expect(codes(rig) == ["running", "next"])
        rig.advance(to: "02:00")
        #expect(codes(rig) == ["running", "waiting", "next"])
        rig.end(id("a", "01:00"), .exited(1))
        #expect(codes(rig) == ["retrying", "waiting", "next"])
    }

    @Test func `a job that runs at boot says so, and a delay that is running is told as what is due`() {
        let rig = Rig([
            job("boot", "@reboot"), job("jittered", "0 * * * *") { $0.jitterMilliseconds = 900_000 },
        ])
        rig.end(id("boot", "00:00"))
        #expect(codes(rig, "boot") == ["at_boot"])
        #expect(codes(rig, "jittered") == ["next", "jitter"])
        guard let due = rig.armed else {
            Issue.record("nothing is waited for")
            return
        }
        rig.advance(to: due - .milliseconds(1))
        #expect(codes(rig, "jittered") == ["jitter"], "the fire time has passed")
        #expect(rig.scheduler.job(named: "jittered")?.nextDue == due)
    }

    @Test func `how its last run failed`() {
        let rig = Rig([job("a", "0 * * * *")])
        rig.advance(to: "01:00")
        rig.end(id("a", "01:00"), .exited(3)) { $0.lastLine = "no such host" }
        #expect(codes(rig) == ["next", "last_failed"])
        let run = rig.run(id("a", "01:00"))
        let reasons = rig.scheduler.explain("a", at: nil, records: [run].compactMap { $0 }, now: rig.now)
        #expect(
            reasons.last?.sentence(in: .utc)
                == "its last run, \(id("a", "01:00")), ended at 2026-01-05T01:00:00+00:00: failed, "
                + (run?.error ?? "nothing is said"))
        #expect(run?.error?.contains("no such host") == true)
        rig.advance(to: "02:00")
        #expect(codes(rig) == ["running", "next", "last_failed"])
        rig.end(id("a", "02:00"))
        #expect(codes(rig) == ["next"])
    }

    @Test func `why a job is not running`() {
        let rig = Rig([
            job("a", "0 * * * *"), job("b"), job("c", "0 * * * *") { $0.pauseOnFailures = 1 },
            job("d", "0 1 * * *") { $0.maxExecutions = 1 }, onceJob("e", "01:00"),
            job("f", "0 * * * *") { $0.budget.runsPerDay = 0 },
        ]) { $0.maxConcurrentRuns = 3 }
        #expect(codes(rig, "x") == ["unknown_job"])
        #expect(codes(rig, "b") == ["no_schedule"])
        #expect(codes(rig, "f") == ["budget"])
        rig.advance(to: "01:00")
        #expect(codes(rig, "e") == ["limited", "never_again"])
        rig.end(id("c", "01:00"), .exited(1))
        #expect(codes(rig, "c") == ["paused_after_failures", "last_failed"])
        #expect(codes(rig, "d") == ["running", "finished"])
        rig.send(.jobToggled(job: "a", isEnabled: false, until: at("05:00")))
        rig.send(.schedulerToggled(false))
        #expect(codes(rig) == ["running", "all_paused", "disabled"])
        rig.send(.sleep)
        rig.send(.stopping)
        #expect(codes(rig) == ["running", "stopping", "all_paused", "asleep", "disabled"])
    }

    @Test func `what became of an instant, and what will`() {
        let rig = Rig([
            job("a", "0 * * * *") { $0.exclusions = (try? [Exclusion("06:00", zone: .utc, zones: { _ in nil })]) ?? [] }
        ])
        rig.advance(to: "01:00")
        rig.end(id("a", "01:00"))
        rig.restart(at: "04:30")
        rig.advance(to: "05:00")
        #expect(codes(rig, at: "01:00") == ["ran"])
        #expect(codes(rig, at: "02:00") == ["covered"])
        #expect(codes(rig, at: "05:00") == ["not_run"])
        #expect(codes(rig, at: "05:10") == ["no_fire_time"])
        #expect(codes(rig, at: "06:00") == ["will_be_excluded"])
        #expect(codes(rig, at: "07:00") == ["will_run"])
        #expect(codes(rig, at: "-1 23:00") == ["before_registration"])
        _ = rig.ask { .skipRequested(job: "a", ticket: $0) }
        #expect(codes(rig, at: "07:00") == ["will_be_skipped"])
        _ = rig.request("a") { $0.scheduledFor = at("09:00") }
        #expect(codes(rig, at: "09:00") == ["ran"])
        #expect(rig.scheduler.explain("a", at: at("01:00"), now: rig.now).map(\.code) == ["forgotten"])
    }

    @Test func `what passes while nothing is decided`() {
        let rig = Rig([job("a", "0 * * * *") { $0.jitterMilliseconds = 60_000 }])
        #expect(codes(rig, at: "01:00").first == "will_run")
        rig.send(.schedulerToggled(false))
        rig.advance(to: "01:30")
        #expect(codes(rig, at: "01:00") == ["all_paused", "jitter", "undecided"])
        rig.send(.schedulerToggled(true))
        rig.sleep(to: "02:30")
        #expect(codes(rig, at: "02:00").first == "held_after_wake")
    }

    @Test func `every reason has a sentence`() {
        let rig = Rig([job("a", "0 * * * *")])
        rig.restart(at: "03:30")
        let reasons = rig.scheduler.explain("a", at: at("02:00"), now: rig.now)
        #expect(reasons.map { $0.sentence(in: .utc) } == ["cron-a-20260105-030000 ran for it and 2 others"])
        #expect(
            Explanation.disabled(until: at("05:00")).sentence(in: .utc)
                == "the job is disabled until 2026-01-05T05:00:00+00:00")
    }
}

@Suite struct SimulationAPITests {
    @Test func `a night of sleep is caught up in the morning`() {
        let jobs = [job("hourly", "0 * * * *"), job("strict", "30 2 * * *") { $0.catchUp.kind = .none }]
        let outcomes = Simulation(jobs: jobs, settings: SchedulerSettings()).run(
            from: at("22:30"), to: at("+1 07:10"), asleep: [.init(from: at("23:30"), until: at("+1 06:30"))])
        let lines = outcomes.map { "\($0.job) \($0.fireTime.map(time) ?? "-") at \(time($0.at)): \($0.fate)" }
        #expect(
            lines == [
                "hourly 23:00 at 23:00: run",
                "strict +1 02:30 at +1 06:30: missed(Scheduling.Run.Reason.asleep, covering: 1)",
                "hourly +1 06:00 at +1 06:30:10: catchUp(covering: 7)", "hourly +1 07:00 at +1 07:00: run",
            ])
    }

    @Test func `slow runs overlap`() {
        var simulation = Simulation(jobs: [job("a", "0 * * * *")], settings: SchedulerSettings())
        simulation.runLength = .seconds(5400)
        let fates = simulation.run(from: at("00:30"), to: at("04:30")).map(\.fate)
        #expect(fates == [.run, .missed(.overlap, covering: 1), .run, .missed(.overlap, covering: 1)])
    }

    @Test func `a paused configuration runs nothing`() {
        let simulation = Simulation(jobs: [job("a", "0 * * * *")], settings: SchedulerSettings(), isEnabled: false)
        #expect(simulation.run(from: at("00:30"), to: at("04:30")).isEmpty)
    }

    /// `why` promised each of them.
    @Test func `fire times beyond the budget of the day are not said to be run`() {
        let rig = Rig([job("a", "0 * * * *") { $0.budget.runsPerDay = 1 }])
        rig.advance(to: "01:00")
        rig.end(id("a", "01:00"))
        let scheduler = rig.scheduler
        #expect(scheduler.explain("a", at: nil, now: rig.now) == [.budgetUsedUp(.job)])
        #expect(scheduler.explain("a", at: at("05:00"), now: rig.now) == [.budgetUsedUp(.job)])
        let tomorrow = at("05:00") + .seconds(86_400)
        #expect(scheduler.explain("a", at: tomorrow, now: rig.now) == [.willRun(tomorrow)])
    }

    @Test func `a job that follows another one says so`() {
        let rig = Rig([
            job("a"), job("b") { $0.after = .init(job: "a", on: .any) },
            job("c") { $0.after = .init(job: "a", on: .failure) },
        ])
        let sentences = ["b", "c"].map { name in
            rig.scheduler.explain(name, at: nil, now: rig.now).map { $0.sentence(in: .utc) }
        }
        #expect(sentences == [["it runs after a has ended"], ["it runs after a ends with failure"]])
    }
}
