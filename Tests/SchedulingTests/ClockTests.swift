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

    @Test func `set back by up to three hours, what another run stood for is not run either`() {
        let rig = Rig([job("a", "0 * * * *")])
        rig.restart(at: "03:30")
        rig.end(id("a", "03:00"))
        rig.stepClock(by: .seconds(-7200))
        rig.advance(to: "03:59")
        #expect(rig.ledger("a") == ["03:00 catch_up success ×3"])
        rig.advance(to: "04:00")
        #expect(rig.ledger("a").last == "04:00 running")
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
    func `under a clock that was set back a new schedule begins at once only with an instant of the past`(
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
        let times = (isPast ? ["01:30", "02:30"] : []) + ["03:30"]
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

    @Test func `a job registered under a clock of 1970 does not catch up decades`() {
        let rig = Rig([job("a", "0 * * * *", registered: "-20000 00:00") { $0.catchUp.kind = .all }])
        #expect(rig.store.runs.values.filter { $0.trigger == .catchUp }.count <= 25)
    }
}
