import Schedules
import Scheduling
import Testing

@Suite struct FiringTests {
    @Test func `a job starts at its fire time and not before`() {
        let rig = Rig([job("a", "0 9 * * *")])
        #expect(rig.armed == at("09:00"))
        rig.advance(to: "08:59:59")
        #expect(rig.launches.isEmpty)
        rig.advance(to: "09:00")
        #expect(rig.started == ["\(id("a", "09:00")) schedule"])
        #expect(rig.launches[0].run.scheduledFor == at("09:00"))
        #expect(rig.launches[0].run.attempt == 1)
        #expect(rig.launches[0].run.coveredCount == 1)
        #expect(rig.armed == at("+1 09:00"))
        #expect(rig.status(id("a", "09:00")) == .running)
    }

    @Test func `an early wake-up is harmless, and arms the same instant again`() {
        let rig = Rig([job("a", "0 9 * * *")])
        #expect(rig.send(.tick) == [.arm(at("09:00"))])
    }

    @Test func `each fire time is run once, and the watermark follows`() {
        let rig = Rig([job("a", "0 * * * *")])
        for hour in 1...5 {
            rig.advance(to: "0\(hour):00")
            rig.end(id("a", "0\(hour):00"))
        }
        #expect(rig.ledger("a") == (1...5).map { "0\($0):00 success" })
        #expect(rig.store.states["a"]?.decidedThrough == at("05:00"))
        #expect(rig.store.states["a"]?.runCount == 5)
        #expect(rig.ticks == 5)
    }

    @Test func `the end of a run is recorded, counted and announced`() {
        let rig = Rig([job("a", "0 9 * * *")])
        rig.advance(to: "09:00")
        rig.advance(to: "09:00:30")
        #expect(rig.store.states["a"]?.lastRunAt == nil, "a run is counted when it has ended")
        rig.end(id("a", "09:00"))
        let state = rig.store.states["a"]
        #expect(state?.lastRunAt == at("09:00"))
        #expect(state?.lastEndedAt == at("09:00:30"))
        #expect(state?.lastDuration == .seconds(30))
        #expect(state?.lastStatus == .success)
        #expect(rig.story(id("a", "09:00")) == ["started", "completed"])
        #expect(rig.store.attempts[id("a", "09:00")]?[1]?.endedAt == at("09:00:30"))
        #expect(rig.scheduler.activeRunCount == 0 && rig.scheduler.runningCount == 0)
    }

    @Test func `an attempt's end that comes twice, or for another attempt, changes nothing`() {
        let rig = Rig([job("a", "0 9 * * *")])
        rig.advance(to: "09:00")
        let outcome = AttemptOutcome(ending: .exited(1), startedAt: at("09:00"), endedAt: at("09:00"))
        #expect(rig.send(.attemptEnded(run: id("a", "09:00"), attempt: 2, outcome)).isEmpty)
        rig.end(id("a", "09:00"))
        #expect(rig.send(.attemptEnded(run: id("a", "09:00"), attempt: 1, outcome)).isEmpty)
        #expect(rig.send(.attemptEnded(run: "cron-x-20260101-000000", attempt: 1, outcome)).isEmpty)
        #expect(rig.status(id("a", "09:00")) == .success)
    }

    @Test func `the thousandth run of one second is named after as few looks at the store as the tenth`() {
        let rig = Rig([job("a", "0 9 * * *")])
        var ids: Set<String> = []
        for number in 1...1_000 {
            let known = rig.store.lookUps
            guard case .run(let run)? = rig.request("a") else {
                Issue.record("no run \(number)")
                return
            }
            #expect(rig.store.lookUps - known <= 24, "run \(number)")
            ids.insert(run.id)
            rig.end(run.id)
        }
        #expect(ids.count == 1_000)
        #expect(rig.store.runs[id("a", "00:00", "-1000")] != nil, "no number is left out")
    }

    @Test func `two runs that would have the same id get suffixes`() {
        let skill = { (job: inout Job) in job.skill = "brew" }
        let rig = Rig([job("a", "0 9 * * *", with: skill), job("b", "0 9 * * *", with: skill)])
        rig.advance(to: "09:00")
        #expect(rig.launches.map(\.run.id) == [id("brew", "09:00"), id("brew", "09:00", "-2")])
        guard case .run(let run)? = rig.request("a", { $0.isForced = true }) else {
            Issue.record("no run")
            return
        }
        #expect(run.id == id("brew", "09:00", "-3"))
    }

    @Test func `an id is free of slashes, in the job's zone`() {
        let rig = Rig([job("a", "0 9 * * *") { $0.skill = "team/brew" }])
        rig.advance(to: "09:00")
        #expect(rig.launches.map(\.run.id) == [id("team-brew", "09:00")])
    }

    @Test func `a job with several schedules fires at the union of them, once where they meet`() {
        let rig = Rig([job("a", "0 9 * * *", "0 9,12 * * *")])
        rig.advance(to: "09:00")
        rig.end(id("a", "09:00"))
        rig.advance(to: "13:00")
        #expect(rig.ledger("a") == ["09:00 success", "12:00 running"])
    }

    @Test func `after max_executions the job is finished`() {
        let rig = Rig([job("a", "0 * * * *") { $0.maxExecutions = 2 }])
        for hour in 1...2 {
            rig.advance(to: "0\(hour):00")
            rig.end(id("a", "0\(hour):00"))
        }
        #expect(rig.armed == nil)
        #expect(rig.scheduler.job(named: "a")?.isFinished == true)
        #expect(rig.scheduler.job(named: "a")?.nextRun == nil)
        rig.advance(to: "09:00")
        #expect(rig.launches.count == 2)
    }

    @Test func `jitter delays the start and not the fire time`() {
        let rig = Rig([job("a", "0 9 * * *") { $0.jitterMilliseconds = 600_000 }])
        let delay = Jitter.delayMilliseconds(
            jobName: "a", fire: at("09:00"), nextFire: at("+1 09:00"), jitterMilliseconds: 600_000)
        #expect(delay > 0)
        #expect(rig.armed == at("09:00") + .milliseconds(delay))
        rig.advance(to: "09:15")
        #expect(rig.launches.map(\.run.scheduledFor) == [at("09:00")])
        #expect(rig.launches.map(\.run.startedAt) == [at("09:00") + .milliseconds(delay)])
    }

    @Test func `a job that is disabled before its jitter has passed is not run`() {
        let rig = Rig([job("a", "0 9 * * *") { $0.jitterMilliseconds = 600_000 }])
        rig.advance(to: "09:00")
        rig.send(.jobToggled(job: "a", isEnabled: false, until: nil))
        #expect(rig.ledger("a").isEmpty)
    }

    @Test func `excluded fire times are recorded and not run`() throws {
        let christmas = try Exclusion("2026-01-06", zone: .utc, zones: { _ in nil })
        let rig = Rig([job("a", "0 9 * * *") { $0.exclusions = [christmas] }])
        rig.advance(to: "09:00")
        rig.end(id("a", "09:00"))
        rig.advance(to: "+2 10:00")
        #expect(rig.ledger("a") == ["09:00 success", "+1 09:00 skipped excluded", "+2 09:00 running"])
        #expect(rig.story(id("a", "+1 09:00")) == ["missed: excluded"])
    }

    @Test func `a once fires once`() {
        let rig = Rig([onceJob("a", "09:00")])
        #expect(rig.armed == at("09:00"))
        rig.advance(to: "+3 00:00")
        #expect(rig.ledger("a") == ["09:00 running"])
        #expect(rig.ticks == 1)
    }

    @Test func `a once that lies in the past runs at once`() {
        let rig = Rig([onceJob("a", "09:00", registered: "10:00")], at: "10:00")
        #expect(rig.ledger("a") == ["09:00 running"])
        rig.end(id("a", "09:00"))
        rig.restart(at: "11:00")
        rig.advance(to: "+3 00:00")
        #expect(rig.launches.count == 1)
    }

    @Test func `a job at boot starts once for each boot`() throws {
        let boot = job("a") { job in
            guard let schedule = try? Schedule.cron("@reboot"),
                let timetable = try? Timetable(schedule: schedule, zone: .utc, anchor: job.registeredAt)
            else {
                Issue.record("no timetable")
                return
            }
            job.schedules = [JobSchedule(type: "cron", text: "@reboot", timetable: timetable)]
            job.scheduleKey = "@reboot"
        }
        let rig = Rig([boot])
        #expect(rig.launches.count == 1)
        rig.end(rig.launches[0].run.id)
        rig.restart(at: "01:00")
        #expect(rig.launches.count == 1, "a restart is no boot")
        rig.restart(at: "02:00", bootID: "boot-2")
        #expect(rig.launches.count == 2)
    }

    @Test func `what is decided is in one commit before anything is visible`() {
        let rig = Rig([job("a", "0 9 * * *")])
        rig.advance(to: "08:00")
        let effects = rig.scheduler.handle(.tick, at: at("09:00"))
        guard effects.count == 4, case .commit(let changes) = effects[0], case .start(let launch) = effects[1],
            case .arm(at("+1 09:00")) = effects[2], case .announce(.jobStarted(let run)) = effects[3]
        else {
            Issue.record("\(effects)")
            return
        }
        #expect(launch.run == run)
        #expect(changes.contains(.run(run)))
        #expect(changes.contains { if case .attempt(let attempt) = $0 { attempt.number == 1 } else { false } })
        #expect(
            changes.contains {
                if case .jobState(let state) = $0 { state.decidedThrough == at("09:00") } else { false }
            })
    }
}
