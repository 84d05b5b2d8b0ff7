import Schedules
import Scheduling
import Testing

/// A clock that is set: see the rules in `Scheduler+Clock.swift`.
@Suite struct ClockTests {
    @Test func `set back by an hour, what ran does not run again`() {
        let rig = Rig([job("a", "0 * * * *")])
        rig.advance(to: "02:00")
        rig.end(id("a", "01:00"))
        rig.stepClock(by: .seconds(-3600))
        rig.advance(to: "02:59")
        #expect(rig.store.states["a"]?.decidedThrough == at("02:00"))
        let launches = rig.launches.count
        rig.advance(to: "03:00")
        #expect(rig.launches.count == launches + 1)
    }

    @Test func `set back by up to three hours, a time of day that another run stood for is not run either`() {
        let rig = Rig([job("a", "0 1-4 * * *")])
        rig.restart(at: "03:30")
        rig.end(id("a", "03:00"))
        rig.stepClock(by: .seconds(-7200))
        rig.advance(to: "03:59")
        #expect(rig.ledger("a") == ["03:00 catch_up success ×3"])
        rig.advance(to: "04:00")
        #expect(rig.ledger("a").last == "04:00 running")
    }

    /// One run of 01:00 to 03:00 silenced 02:30 of the schedule that came after it.
    @Test func `set back, a run of other schedules stands for nothing of those of now`() {
        let rig = Rig([job("a", "0 1-4 * * *")])
        rig.restart(at: "03:30")
        rig.end(id("a", "03:00"))
        rig.reload([job("a", "30 1-4 * * *", registered: "03:30")])
        rig.stepClock(by: .seconds(-7200))
        rig.advance(to: "02:31")
        #expect(rig.ledger("a") == ["02:30 running", "03:00 catch_up success ×3"])
    }

    @Test func `set back, a rhythm goes on at once, and only what has a record is not run again`() {
        let rig = Rig([job("a", "0 * * * *")])
        rig.restart(at: "03:30")
        rig.end(id("a", "03:00"))
        rig.stepClock(by: .seconds(-7200))
        #expect(rig.scheduler.nextRun?.at == at("02:00"))
        rig.advance(to: "02:00")
        rig.end(id("a", "02:00"))
        #expect(rig.scheduler.nextRun?.at == at("04:00"), "03:00 has its record")
        rig.advance(to: "03:59")
        #expect(rig.ledger("a") == ["02:00 success", "03:00 catch_up success ×3"])
    }

    @Test func `set forward by ten years, one catch-up run stands for what was leapt over`() {
        let rig = Rig([job("a", "0 * * * *"), job("b", "0 * * * *") { $0.catchUp.kind = .all }])
        rig.advance(to: "00:30")
        rig.stepClock(by: .seconds(86_400 * 3650))
        #expect(rig.launches.filter { $0.job.name == "a" }.count == 1)
        #expect(rig.store.runs.values.filter { $0.job == "b" && $0.trigger == .catchUp }.count <= 24)
    }

    /// What the daemon makes of a wall clock that jumps ahead: it may be a virtual machine that was paused.
    @Test func `a leap of fifty years that is taken for a sleep is held, and caught up by one run`() {
        let rig = Rig([job("a", "0 * * * *"), job("b", "0 * * * *") { $0.catchUp.kind = .all }])
        rig.advance(to: "00:30")
        rig.send(.sleep)
        rig.stepClock(by: .seconds(86_400 * 18_262))
        rig.send(.wake)
        #expect(rig.launches.isEmpty)
        let woke = rig.now
        rig.advance(to: woke + .seconds(9))
        #expect(rig.launches.isEmpty)
        rig.advance(to: woke + .seconds(80))
        #expect(rig.launches.filter { $0.job.name == "a" }.count == 1)
        #expect(rig.launches.allSatisfy { $0.run.startedAt.map { $0 - woke >= .seconds(10) } ?? false })
        #expect(rig.store.runs.values.filter { $0.job == "b" && $0.trigger == .catchUp }.count <= 25)
    }

    /// Of each fire time the register was asked, and history keeps a hundred runs: what was older ran again.
    @Test(arguments: [false, true])
    func `a clock that falls back far and is set right runs nothing again, though few records are kept`(
        isRestarted: Bool
    ) {
        let rig = Rig([
            job("a", "0 * * * *") {
                $0.catchUp.kind = .all
                $0.historyLimit = 3
            }
        ])
        for hour in 1...20 {
            let time = (hour < 10 ? "0" : "") + "\(hour):00"
            rig.advance(to: time)
            rig.end(id("a", time))
        }
        rig.store.keep(3)
        let launches = rig.launches.count
        rig.stepClock(by: .seconds(-15 * 3600))
        if isRestarted { rig.restart(at: "05:01") }
        rig.stepClock(by: .seconds(15 * 3600))
        rig.advance(to: "20:59")
        #expect(rig.launches.count == launches)
        rig.advance(to: "21:00")
        #expect(rig.launches.last?.run.id == id("a", "21:00"))
    }

    /// It was `down`, although the daemon ran all the time.
    @Test func `what the clock leapt over is on record as asleep, however young the daemon is`() {
        let rig = Rig([job("a", "0 * * * *") { $0.catchUp.kind = .none }])
        rig.advance(to: "00:15")
        rig.stepClock(by: .seconds(3 * 3600))
        #expect(rig.ledger("a") == ["01:00 missed asleep", "02:00 missed asleep", "03:00 missed asleep"])
    }

    @Test func `a pause of all schedules lasts while the clock leaps`() {
        let rig = Rig([job("a", "0 * * * *") { $0.catchUp.kind = .none }])
        rig.advance(to: "00:15")
        rig.send(.schedulerToggled(false))
        rig.stepClock(by: .seconds(2 * 3600))
        rig.send(.schedulerToggled(true))
        #expect(rig.ledger("a") == ["01:00 missed paused", "02:00 missed paused"])
    }

    @Test func `a clock that stood behind the record at the start is put right, and before that the daemon was down`() {
        let rig = Rig([job("a", "0 */4 * * *") { $0.catchUp.kind = .none }])
        for time in ["04:00", "08:00"] {
            rig.advance(to: time)
            rig.end(id("a", time))
        }
        // Off from 08:00 on; at half past three a boot by a clock that stands at one; an hour later it is set right.
        rig.restart(at: "01:00")
        rig.advance(to: "02:00")
        rig.stepClock(by: .seconds(14 * 3600 + 1800))
        #expect(
            rig.ledger("a") == ["04:00 success", "08:00 success", "12:00 missed down", "16:00 missed asleep"])
    }

    @Test func `a clock that was years ahead does not silence a job`() {
        let rig = Rig([job("a", "0 * * * *")])
        rig.advance(to: "00:30")
        rig.stepClock(by: .seconds(86_400 * 3650))
        for launch in rig.launches { rig.end(launch.run.id) }
        rig.stepClock(by: .seconds(-86_400 * 3650))
        rig.advance(to: "01:00")
        #expect(rig.launches.last?.run.scheduledFor == at("01:00"))
        #expect(rig.scheduler.nextRun?.at == at("02:00"))
    }

    @Test func `a clock that was years ahead while another daemon ran does not silence a job`() {
        let rig = Rig([job("a", "0 * * * *")])
        rig.restart(at: "+3650 00:30")
        for launch in rig.launches { rig.end(launch.run.id) }
        rig.restart(at: "00:40")
        rig.advance(to: "01:00")
        #expect(rig.launches.last?.run.scheduledFor == at("01:00"))
    }

    @Test func `what has a record from a clock that was ahead is not run again`() {
        let rig = Rig([job("a", "0 * * * *")])
        rig.advance(to: "00:30")
        rig.stepClock(by: .seconds(5 * 3600))
        rig.end(id("a", "05:00"))
        rig.advance(to: "06:00")
        rig.end(id("a", "06:00"))
        rig.stepClock(by: .seconds(-5 * 3600))
        rig.advance(to: "07:30")
        let records = [
            "02:00 running", "03:00 skipped overlap", "04:00 skipped overlap", "05:00 catch_up success ×5",
            "06:00 success",
            "07:00 skipped overlap",
        ]
        #expect(rig.ledger("a") == records)
    }

    @Test func `a job that is made anew under a clock that was set back does not run what has a record`() {
        let rig = Rig([job("a", "0 * * * *")])
        rig.advance(to: "05:00")
        rig.end(id("a", "01:00"))
        rig.restart(at: "03:30", jobs: [])
        #expect(rig.store.states.isEmpty)
        rig.restart(at: "03:31", jobs: [job("a", "0 * * * *", registered: "03:31")])
        rig.advance(to: "06:00")
        #expect(rig.launches.map(\.run.id) == [id("a", "01:00"), id("a", "06:00")])
    }

    @Test(arguments: [true, false])
    func `under a clock that was set back a new schedule begins at once, and runs nothing that has a record`(
        isPast: Bool
    ) {
        let rig = Rig([job("a", "0 * * * *")])
        for time in ["01:00", "02:00", "03:00"] {
            rig.advance(to: time)
            rig.end(id("a", time))
        }
        rig.stepClock(by: .seconds(-3600))
        let changed = job("a", "0,30 * * * *", registered: "02:00") { job in
            guard isPast else { return }
            job.schedules += onceJob("a", "01:30", registered: "02:00").schedules
            job.scheduleKey += "|once 01:30"
        }
        rig.reload([changed])
        let times = (isPast ? ["01:30"] : []) + ["02:30", "03:30"]
        for time in times {
            rig.advance(to: max(rig.now, at(time)))
            rig.end(id("a", time))
        }
        // 03:00 has its record from before.
        #expect(rig.launches.map(\.run.id) == (["01:00", "02:00", "03:00"] + times).map { id("a", $0) })
    }

    @Test func `a retry that was due in the far future of a wrong clock is not waited for`() {
        let rig = Rig([job("a", "0 * * * *") { $0.retry = retry(2, .seconds(600)) }])
        rig.restart(at: "+3650 00:00")
        rig.end(rig.launches[0].run.id, .exited(1))
        rig.restart(at: "00:10")
        rig.advance(to: "01:10")
        #expect(rig.launches.count >= 2)
    }

    @Test func `the holds after a wake-up move with the clock`() {
        let rig = Rig([job("a", "0 * * * *")])
        rig.sleep(to: "01:30")
        rig.stepClock(by: .seconds(-600))
        rig.advance(to: "01:20:10")
        #expect(rig.launches.count == 1)
    }

    // MARK: - A clock that was ahead

    struct Ahead: Sendable, CustomTestStringConvertible {
        var by: Duration
        var isRestarted: Bool
        var testDescription: String { "\(by), \(isRestarted ? "found at a start" : "told")" }
    }

    static let ahead: [Ahead] = [Duration.seconds(7200), .seconds(5 * 86_400), .seconds(20 * 365 * 86_400)].flatMap {
        [Ahead(by: $0, isRestarted: false), Ahead(by: $0, isRestarted: true)]
    }

    /// The clock is put right to `00:00`, from so much later.
    private func putRight(_ jobs: [Job], _ ahead: Ahead, before act: (Rig) -> Void = { _ in }) -> Rig {
        let rig = Rig(jobs, at: dayZero + ahead.by)
        act(rig)
        if ahead.isRestarted { rig.restart(at: "00:00") } else { rig.stepClock(by: dayZero - rig.now) }
        return rig
    }

    /// A dead hardware clock: jobs were silent until the instant at which they had been first seen.
    @Test(arguments: ahead) func `jobs that were first seen by a clock that was ahead fire at their next instant`(
        _ ahead: Ahead
    ) {
        let seen = dayZero + ahead.by
        let jobs = [
            job("hourly", "0 * * * *", registeredAt: seen), job("daily", "30 4 * * *", registeredAt: seen),
            intervalJob("interval", "90m", registeredAt: seen), relativeJob("once", "in 2 hours", registeredAt: seen),
        ]
        let rig = putRight(jobs, ahead)
        for job in jobs { #expect(rig.store.states[job.name]?.registeredAt == dayZero, "on record: \(job.name)") }
        let effects = ["hourly": "01:00", "daily": "04:30", "interval": "01:30", "once": "02:00"]
        for (name, time) in effects.sorted(by: { $0.key < $1.key }) {
            #expect(rig.scheduler.job(named: name)?.nextRun == at(time), "\(name)")
            let why = rig.scheduler.explain(name, at: nil, now: rig.now).map(\.code)
            #expect(why.contains("clock_set_back"), "\(name): \(why)")
        }
        rig.advance(to: "04:30")
        for (name, time) in effects { #expect(rig.run(id(name, time)) != nil, "\(name) at \(time)") }
        // What the reader of the configuration makes of the registration on record is what is in force.
        let again = intervalJob("interval", "90m", registeredAt: dayZero)
        #expect(rig.scheduler.job(named: "interval")?.job.schedules == again.schedules)
        let once = rig.scheduler.job(named: "once")
        #expect(once?.state.scheduleKey == "once in 2 hours from \(dayZero.seconds)")
        #expect(once?.job.scheduleKey == once?.state.scheduleKey)
    }

    @Test func `a single instant that a clock that was ahead has run already does not come again`() {
        let seen = at("+5 00:00")
        let rig = Rig([relativeJob("once", "in 2 hours", registeredAt: seen)], at: seen)
        rig.advance(to: "+5 02:00")
        rig.end(id("once", "+5 02:00"))
        rig.stepClock(by: .seconds(-5 * 86_400))
        rig.advance(to: "+6 00:00")
        #expect(rig.launches.count == 1)
    }

    @Test func `however often the daemon starts after the clock was put right, a single instant does not come again`() {
        let seen = at("+5 00:00")
        let rig = Rig([relativeJob("once", "in 2 hours", registeredAt: seen)], at: seen)
        rig.advance(to: "+5 02:00")
        rig.end(id("once", "+5 02:00"))
        rig.stepClock(by: .seconds(-5 * 86_400))
        for start in ["03:00", "04:00", "09:00"] { rig.restart(at: start) }
        rig.advance(to: "+6 00:00")
        #expect(rig.launches.count == 1)
    }

    /// The registration of a single instant that is over stays ahead, and each start took it for another step.
    @Test func `however often the daemon starts after the clock was put right, a pause is moved once`() {
        let seen = at("+5 00:00")
        let rig = Rig(
            [relativeJob("once", "in 2 hours", registeredAt: seen), job("paused", "0 * * * *", registeredAt: seen)],
            at: seen)
        rig.advance(to: "+5 02:00")
        for launch in rig.launches { rig.end(launch.run.id) }
        rig.send(.jobToggled(job: "paused", isEnabled: false, until: rig.now + .seconds(20 * 3600)))
        rig.stepClock(by: .seconds(-5 * 86_400))
        let until = at("22:00")
        #expect(rig.store.states["paused"]?.pausedUntil == until)
        for start in ["03:00", "04:00", "09:00"] {
            rig.restart(at: start)
            #expect(rig.store.states["paused"]?.pausedUntil == until, "after the start at \(start)")
        }
        #expect(rig.launches.filter { $0.job.name == "paused" && $0.run.scheduledFor ?? seen < until }.isEmpty)
    }

    @Test(arguments: ahead)
    func `a pause, a skip and a retry that a clock that was ahead has left silence nothing for long`(
        _ ahead: Ahead
    ) {
        let jobs = [
            job("paused", "0 * * * *") { $0.overlap = .allow }, job("skipped", "0 * * * *") { $0.overlap = .allow },
            job("retried") { $0.retry = retry(2, .seconds(600)) },
        ]
        let rig = putRight(jobs, ahead) { rig in
            let until = rig.now + .seconds(3600)
            rig.send(.jobToggled(job: "paused", isEnabled: false, until: until))
            _ = rig.ask { .skipRequested(job: "skipped", ticket: $0) }
            _ = rig.request("retried")
            rig.end(rig.launches.last { $0.job.name == "retried" }?.run.id ?? "", .exited(1))
        }
        // Up to the trusted step an instant that somebody named stands.
        let isTrusted = ahead.by <= .seconds(3 * 3600)
        rig.advance(to: isTrusted ? "05:00" : "03:00")
        let now = rig.now
        for name in ["paused", "skipped"] {
            #expect(rig.launches.contains { $0.job.name == name && $0.run.scheduledFor == now }, "\(name)")
        }
        #expect(rig.launches.filter { $0.job.name == "retried" }.count == 2)
    }

    @Test func `a job that was enabled by a clock that was ahead does not wait for it`() {
        let rig = Rig([job("a", "0 9 * * *")], at: "08:00")
        rig.stepClock(by: .seconds(7200))
        for launch in rig.launches { rig.end(launch.run.id) }
        rig.reload([job("a", "0 9 * * *") { $0.isEnabled = false }, job("b", "0 9 * * *") { $0.isEnabled = false }])
        rig.reload([job("a", "0 9 * * *"), job("b", "0 9 * * *")])
        #expect(rig.store.states["b"]?.decidedThrough == at("10:00"))
        rig.stepClock(by: .seconds(-7200))
        rig.advance(to: "09:00")
        #expect(rig.launches.map(\.run.id) == [id("a", "09:00"), id("b", "09:00")], "b has not run, a has")
    }

    @Test func `the budget of a day that a clock that was ahead has used up is not that of today`() {
        let rig = Rig([job("a", "0 * * * *", registered: "+5 00:30") { $0.budget.runsPerDay = 1 }], at: "+5 00:30")
        rig.advance(to: "+5 01:00")
        rig.end(id("a", "+5 01:00"))
        rig.stepClock(by: .seconds(-5 * 86_400))
        rig.advance(to: "02:00")
        #expect(rig.status(id("a", "02:00")) == .running)
    }

    // MARK: - Ahead for a moment

    /// They were silent for two hours.
    @Test(arguments: [false, true])
    func `set ahead by two hours for a moment, a rhythm goes on at once, a time of day does not come twice`(
        isRestarted: Bool
    ) {
        let jobs = [
            job("second", "* * * * * *") { $0.overlap = .allow }, job("minute", "*/5 * * * *") { $0.overlap = .allow },
            intervalJob("interval", "3s") { $0.overlap = .allow }, job("daily", "0 9 * * *"),
            job("mixed", "5 9 * * *", "*/10 * * * *") { $0.overlap = .allow },
        ]
        let rig = Rig(jobs, at: "08:00") { $0.maxConcurrentRuns = 1_000_000 }
        rig.stepClock(by: .seconds(7200))
        rig.advance(to: "10:00:01")
        #expect(rig.launches.filter { $0.job.name == "daily" }.count == 1)
        rig.stepClock(by: .seconds(-7200))
        if isRestarted { rig.restart(at: "08:00:01") }
        func launched(_ name: String, from: String, through: String) -> Int {
            rig.launches.count { launch in
                launch.job.name == name && launch.run.scheduledFor.map { at(from) < $0 && $0 <= at(through) } ?? false
            }
        }
        rig.advance(to: "08:10:01")
        #expect(launched("second", from: "08:00:01", through: "08:10:01") == 600)
        #expect(launched("interval", from: "08:00:01", through: "08:10:01") == 200)
        #expect(launched("minute", from: "08:00:01", through: "08:10:01") == 2)
        #expect(launched("mixed", from: "08:00:01", through: "08:10:01") == 1)
        let why = rig.scheduler.explain("second", at: nil, now: rig.now)
        #expect(why.contains { if case .clockSetBack(_, _, .goesOn) = $0 { true } else { false } })
        #expect(rig.scheduler.job(named: "daily")?.nextRun == at("+1 09:00"), "the next is the next that will run")
        let daily = rig.scheduler.explain("daily", at: nil, now: rig.now)
        #expect(daily.contains { if case .clockSetBack(_, _, .notTwice) = $0 { true } else { false } })
        for name in ["second", "interval"] { rig.send(.jobToggled(job: name, isEnabled: false, until: nil)) }
        rig.advance(to: "09:05:01")
        #expect(rig.launches.filter { $0.job.name == "daily" }.count == 1)
        #expect(rig.run(id("mixed", "09:00")) != nil)
        #expect(rig.run(id("mixed", "09:05")) == nil, "the run of 10:00 stood for it")
    }

    @Test func `what runs too often for its history is held all the same, where it is a time of day`() {
        let rig = Rig([job("a", "0-59 9 * * *") { ($0.historyLimit, $0.overlap) = (3, .allow) }], at: "08:59") {
            $0.maxConcurrentRuns = 1000
        }
        rig.advance(to: "09:30")
        for launch in rig.launches { rig.end(launch.run.id) }
        rig.store.keep(3)
        let launches = rig.launches.count
        rig.stepClock(by: .seconds(-1200))
        rig.advance(to: "09:30")
        #expect(rig.launches.count == launches)
        rig.advance(to: "09:31")
        #expect(rig.launches.count == launches + 1)
    }

    /// A day and more ahead for a moment: what had expired was on record, and silenced the job until it was over.
    @Test(arguments: [1, 2, 5]) func `what a clock that was ahead has missed comes after all`(_ days: Int) {
        let jobs = [
            job("hourly", "0 * * * *") { $0.overlap = .allow }, job("daily", "30 4 * * *"),
            job("none", "0 * * * *") { ($0.catchUp.kind, $0.overlap) = (.none, .allow) },
        ]
        let rig = Rig(jobs) { $0.maxConcurrentRuns = 1000 }
        rig.advance(to: "00:30")
        rig.stepClock(by: .seconds(days * 86_400))
        for launch in rig.launches { rig.end(launch.run.id) }
        let launches = rig.launches.count
        rig.stepClock(by: .seconds(-days * 86_400))
        #expect(rig.scheduler.job(named: "none")?.nextRun == at("01:00"))
        rig.advance(to: "06:00")
        func ran(_ name: String) -> Int { rig.launches.dropFirst(launches).count { $0.job.name == name } }
        #expect(ran("hourly") == 6 && ran("none") == 6)
        #expect(ran("daily") == (days == 1 ? 0 : 1), "the catch-up run of one day was for this very time")
        #expect(rig.store.runs.values.count { $0.job == "none" && $0.scheduledFor == at("03:00") } == 1, "one record")
    }

    @Test func `a step back of a moment costs nothing`() {
        let rig = Rig([job("a", "* * * * *") { $0.overlap = .allow }])
        rig.advance(to: "00:05")
        rig.stepClock(by: .milliseconds(-5))
        rig.advance(to: "00:10")
        #expect(rig.launches.count == 10)
        #expect(rig.store.states["a"]?.reopenedThrough == nil)
    }

    @Test func `a job registered under a clock of 1970 does not catch up decades`() {
        let rig = Rig([job("a", "0 * * * *", registered: "-20000 00:00") { $0.catchUp.kind = .all }])
        #expect(rig.store.runs.values.filter { $0.trigger == .catchUp }.count <= 25)
    }
}
