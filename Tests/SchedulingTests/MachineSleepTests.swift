import Schedules
import Scheduling
import Testing

/// What runs want of the machine.
@Suite struct MachineSleepTests {
    @Test(arguments: [true, false]) func `a run holds off the machine's sleep as long as it has a process`(
        _ keeps: Bool
    ) {
        let rig = Rig([
            job("a", "0 9 * * *") {
                $0.power.keepsAwake = keeps
                if !keeps { $0.power.onSleep = .wait }
                $0.retry = retry(2)
            }
        ])
        let run = id("a", "09:00")
        #expect(rig.awake.isEmpty)
        rig.advance(to: "09:00")
        #expect(rig.awake == [run])
        rig.end(run, .exited(1))
        #expect(rig.awake.isEmpty, "between two attempts the machine may sleep")
        rig.advance(to: "09:01")
        #expect(rig.awake == [run])
        rig.restart(at: "09:02", evidence: [run: .held])
        #expect(rig.awake == [run])
        rig.end(run)
        #expect(rig.awake.isEmpty)
    }

    @Test func `a run that vanished with its daemon holds off nothing`() {
        let rig = Rig([job("a", "0 9 * * *") { $0.power.keepsAwake = true }])
        rig.advance(to: "09:00")
        rig.restart(at: "09:02")
        #expect(rig.awake == [])
    }

    @Test func `what is to stop for the sleep is interrupted, and tried again where that is wanted`() {
        let rig = Rig([
            job("a", "0 9 * * *") {
                $0.power.onSleep = .stop
                $0.retry = retry(2) { $0.on = [.type("interrupted")] }
            },
            job("b", "0 9 * * *") {
                $0.power.onSleep = .stop
                $0.retry = retry(2)
            },
            job("c", "0 9 * * *"),
        ])
        rig.advance(to: "09:00")
        rig.send(.sleep)
        #expect(rig.stops == [id("a", "09:00"), id("b", "09:00")])
        #expect(rig.run(id("a", "09:00"))?.ending == .sleeping)
        rig.end(id("a", "09:00"), .signaled(15)) { $0.isCancelled = true }
        rig.end(id("b", "09:00"), .exited(0))
        #expect(rig.status(id("a", "09:00")) == .retrying)
        #expect(rig.status(id("b", "09:00")) == .interrupted)
        #expect(
            rig.run(id("b", "09:00"))?.error
                == "interrupted: the machine went to sleep while the run was under way")
        rig.advance(to: "09:05")
        #expect(rig.launches.count == 3, "nothing starts while it sleeps")
        rig.send(.wake)
        #expect(rig.launches.last?.run.attempt == 2)
    }

    // MARK: - Waking up

    @Test func `the machine is woken for the next run of a job that wants it`() {
        let rig = Rig([
            job("a", "0 9,12 * * *") { $0.power.wakesSystem = true }, job("b", "0 8 * * *"),
            job("c", "0 10 * * *") {
                $0.power.wakesSystem = true
                $0.isEnabled = false
            },
        ])
        #expect(rig.wakeUp == at("09:00"))
        rig.send(.jobToggled(job: "c", isEnabled: true, until: nil))
        rig.advance(to: "09:00")
        #expect(rig.wakeUp == at("10:00"))
        rig.send(.jobToggled(job: "c", isEnabled: false, until: nil))
        #expect(rig.wakeUp == at("12:00"))
        rig.send(.sleep)
        #expect(rig.wakeUp == at("12:00"))
        rig.send(.schedulerToggled(false))
        #expect(rig.wakeUp == nil)
        rig.send(.schedulerToggled(true))
        #expect(rig.wakeUp == at("12:00"))
        rig.send(.stopping)
        #expect(rig.wakeUp == nil)
    }

    @Test func `the machine is woken for what is to be run, when it is due`() {
        let rig = Rig([
            job("a", "0 9,12 * * *") {
                $0.power.wakesSystem = true
                $0.jitterMilliseconds = 600_000
            }
        ])
        let due = rig.wakeUp
        #expect(due.map { at("09:00") < $0 && $0 <= at("09:10") } ?? false)
        _ = rig.ask { .skipRequested(job: "a", ticket: $0) }
        #expect(rig.wakeUp.map { at("12:00") <= $0 } ?? false)
    }

    @Test func `the machine is not woken for a fire time that a budget leaves out`() {
        let rig = Rig([
            job("a", "0 9,12 * * *") {
                $0.power.wakesSystem = true
                $0.budget.runsPerDay = 1
            }
        ])
        #expect(rig.wakeUp == at("09:00"))
        rig.advance(to: "09:00")
        rig.end(id("a", "09:00"))
        #expect(rig.wakeUp == at("+1 09:00"))

        let all = Rig([job("a", "0 9,12 * * *") { $0.power.wakesSystem = true }, job("b", "0 8 * * *")]) {
            $0.budget.costPerDay = 2
            $0.zone = .utc
        }
        all.advance(to: "08:00")
        #expect(all.wakeUp == at("09:00"))
        all.end(id("b", "08:00")) { $0.cost = 3 }
        #expect(all.wakeUp == at("+1 09:00"))
    }

    @Test func `a job that changes or goes is not woken for`() {
        let rig = Rig([job("a", "0 9 * * *") { $0.power.wakesSystem = true }])
        rig.reload([job("a", "0 9 * * *")])
        #expect(rig.wakeUp == nil)
        rig.reload([job("a", "0 9 * * *") { $0.power.wakesSystem = true }])
        #expect(rig.wakeUp == at("09:00"))
        rig.reload([])
        #expect(rig.wakeUp == nil)
    }

    // MARK: - Sleeping again

    private func night(_ change: @escaping (inout Job) -> Void = { _ in }) -> Rig {
        let jobs = [
            job("a", "0 3 * * *") {
                $0.power.wakesSystem = true
                $0.power.sleepsAgain = true
                change(&$0)
            },
            job("b", "0 2 * * *"),
        ]
        let rig = Rig(jobs, at: "01:00")
        rig.send(.sleep)
        rig.advance(to: "03:00")
        rig.send(.wake)
        return rig
    }

    @Test func `a machine that was woken for a run sleeps again when all is done`() {
        let rig = night()
        rig.advance(to: "03:02")
        #expect(rig.launches.count == 2)
        #expect(rig.naps.isEmpty)
        rig.end(id("a", "03:00"))
        #expect(rig.naps.isEmpty, "another one runs")
        rig.end(id("b", "02:00"))
        #expect(rig.naps == [at("03:00")])
        rig.advance(to: "06:00")
        #expect(rig.naps.count == 1)
    }

    @Test func `what is caught up after a wake-up is waited for`() {
        let rig = night()
        for _ in 0..<2 {
            while rig.launches.count < 1 { rig.advance(to: rig.now + .seconds(1)) }
            if let first = rig.launches.first { rig.end(first.run.id) }
        }
        #expect(rig.naps.isEmpty)
        rig.advance(to: "03:01:10")
        if let last = rig.launches.last { rig.end(last.run.id) }
        #expect(rig.naps == [at("03:00")])
    }

    @Test func `what a run has to do without is on record once, and explained`() {
        let rig = Rig([job("a", "0 * * * *") { $0.power.keepsAwake = true }])
        rig.advance(to: "01:00")
        let run = id("a", "01:00")
        rig.send(.caveat(run: run, "no lock"))
        #expect(rig.send(.caveat(run: run, "no lock")).isEmpty, "it is on record")
        #expect(rig.run(run)?.caveat == "no lock")
        rig.send(.caveat(run: run, "no scope"))
        #expect(rig.run(run)?.caveat == "no lock; no scope")
        let reasons = rig.scheduler.explain("a", at: nil, now: rig.now)
        #expect(reasons.map(\.code) == ["running", "caveat", "next"])
        #expect(reasons[1].sentence(in: .utc) == "\(run): no lock; no scope")
        rig.end(run)
        #expect(rig.run(run)?.caveat == "no lock; no scope")
        #expect(rig.send(.caveat(run: run, "too late")).isEmpty)
        let past = rig.scheduler.explain("a", at: at("01:00"), records: rig.run(run).map { [$0] } ?? [], now: rig.now)
        #expect(past.map { $0.sentence(in: .utc) } == ["\(run) ran for it: success, no lock; no scope"])
    }

    @Test func `a machine that somebody woke stays awake`() {
        let rig = Rig(
            [
                job("a", "0 3 * * *") {
                    $0.power.wakesSystem = true
                    $0.power.sleepsAgain = true
                }
            ], at: "01:00")
        rig.send(.sleep)
        rig.advance(to: "02:59")
        rig.send(.wake)
        rig.advance(to: "03:00")
        rig.end(id("a", "03:00"))
        rig.advance(to: "06:00")
        #expect(rig.naps.isEmpty)
    }

    @Test func `a machine that was woken for a job that wants it awake stays awake`() {
        let rig = night { $0.power.sleepsAgain = false }
        rig.advance(to: "03:02")
        for launch in rig.launches { rig.end(launch.run.id) }
        rig.advance(to: "06:00")
        #expect(rig.naps.isEmpty)
    }
}
