import Schedules
import Scheduling
import Testing

/// What becomes of an hourly job's fire times that pass while nothing can run.
@Suite struct CatchUpTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var kind: CatchUpPolicy.Kind
        var graceSeconds = 300
        var limit = 100
        var windowHours = 24
        /// Down from 00:30 until then.
        var until: String
        var ledger: [String]
    }

    static let rows = [
        Row(
            testDescription: "none", kind: .none, until: "03:30",
            ledger: ["01:00 missed down", "02:00 missed down", "03:00 missed down"]),
        Row(
            testDescription: "none, the newest on time", kind: .none, until: "03:05",
            ledger: ["01:00 missed down", "02:00 missed down", "03:00 running"]),
        Row(
            testDescription: "none, just too late", kind: .none, until: "03:05:01",
            ledger: ["01:00 missed down", "02:00 missed down", "03:00 missed down"]),
        Row(testDescription: "latest", kind: .latest, until: "03:30", ledger: ["03:00 catch_up running ×3"]),
        Row(testDescription: "latest, the newest on time", kind: .latest, until: "03:05", ledger: ["03:00 running ×3"]),
        Row(testDescription: "latest, one", kind: .latest, until: "01:30", ledger: ["01:00 catch_up running"]),
        Row(
            testDescription: "latest, some beyond the window", kind: .latest, windowHours: 2, until: "03:30",
            ledger: ["01:00 missed expired", "03:00 catch_up running ×2"]),
        Row(
            testDescription: "latest, all beyond the window", kind: .latest, windowHours: 0, until: "03:30",
            ledger: ["01:00 missed expired", "02:00 missed expired", "03:00 missed expired"]),
        Row(
            testDescription: "latest, beyond the window but on time", kind: .latest, windowHours: 0, until: "03:05",
            ledger: ["01:00 missed expired", "02:00 missed expired", "03:00 running"]),
        Row(
            testDescription: "all", kind: .all, until: "03:30",
            ledger: ["01:00 catch_up running", "02:00 catch_up queued", "03:00 catch_up queued"]),
        Row(
            testDescription: "all, the newest on time", kind: .all, until: "03:05",
            ledger: ["01:00 catch_up running", "02:00 catch_up queued", "03:00 queued"]),
        Row(
            testDescription: "all, limited", kind: .all, limit: 1, until: "03:30",
            ledger: ["01:00 missed limit", "02:00 missed limit", "03:00 catch_up running"]),
        Row(
            testDescription: "all, limited, the newest on time", kind: .all, limit: 1, until: "03:05",
            ledger: ["01:00 missed limit", "02:00 catch_up running", "03:00 queued"]),
        Row(
            testDescription: "all, none permitted", kind: .all, limit: 0, until: "02:30",
            ledger: ["01:00 missed limit", "02:00 missed limit"]),
        Row(
            testDescription: "all, some beyond the window", kind: .all, windowHours: 2, until: "03:30",
            ledger: ["01:00 missed expired", "02:00 catch_up running", "03:00 catch_up queued"]),
        Row(
            testDescription: "spread", kind: .spread, until: "03:30",
            ledger: ["01:00 catch_up running", "02:00 catch_up queued", "03:00 catch_up queued"]),
        Row(
            testDescription: "no grace", kind: .none, graceSeconds: 0, until: "01:00:01", ledger: ["01:00 missed down"]),
        Row(
            testDescription: "no grace, on the second", kind: .none, graceSeconds: 0, until: "01:00",
            ledger: ["01:00 running"]),
    ]

    @Test(arguments: rows) func `after downtime`(_ row: Row) {
        let rig = Rig([
            job("a", "0 * * * *") {
                $0.catchUp.kind = row.kind
                $0.catchUp.graceTime = .seconds(row.graceSeconds)
                $0.catchUp.limit = row.limit
                $0.catchUp.window = .seconds(row.windowHours * 3600)
            }
        ])
        rig.advance(to: "00:30")
        rig.restart(at: row.until)
        #expect(rig.ledger("a") == row.ledger)
        #expect(rig.store.states["a"]?.decidedThrough == at("0\(row.until.dropFirst().first ?? "0"):00"))
    }

    @Test func `a run that stands for several says since when`() {
        let rig = Rig([job("a", "0 * * * *")])
        rig.restart(at: "03:30")
        #expect(rig.launches[0].run.coveredSince == at("01:00"))
        #expect(rig.launches[0].run.trigger == .catchUp)
    }

    @Test func `catch-up runs take turns, whatever the overlap policy`() {
        for overlap in OverlapPolicy.allCases {
            let rig = Rig([
                job("a", "0 * * * *") {
                    $0.catchUp.kind = .all
                    $0.overlap = overlap
                    $0.maxInstances = 5
                }
            ])
            rig.restart(at: "03:30")
            for hour in 1...3 {
                #expect(rig.launches.count == hour, "\(overlap)")
                rig.end(id("a", "0\(hour):00"))
            }
        }
    }

    @Test func `catch-up runs are spread up to the next fire time`() {
        let rig = Rig([job("a", "0 * * * *") { $0.catchUp.kind = .spread }])
        rig.restart(at: "03:20")
        rig.end(id("a", "01:00"))
        #expect(rig.launches.count == 1)
        rig.advance(to: "03:29:59")
        #expect(rig.launches.count == 1)
        rig.advance(to: "03:30")
        #expect(rig.launches.count == 2)
        rig.restart(at: "03:31")
        #expect(rig.launches.count == 3, "one is interrupted, the other is due at once: alone it need not be spread")
    }

    @Test func `a run by hand does not wait for catch-up runs that are spread over time`() {
        let rig = Rig([job("a", "0 * * * *") { $0.catchUp.kind = .spread }])
        rig.restart(at: "03:20")
        rig.end(id("a", "01:00"))
        guard case .run(let run)? = rig.request("a") else {
            Issue.record("no run")
            return
        }
        #expect(run.status == .running)
        rig.advance(to: "03:30")
        #expect(rig.launches.count == 2, "the catch-up run takes its turn after it")
        rig.end(run.id)
        #expect(rig.launches.count == 3)
    }

    @Test func `what passes while the user has paused all is caught up at the resumption`() {
        let rig = Rig([job("a", "0 * * * *"), job("b", "0 * * * *") { $0.catchUp.kind = .none }])
        rig.advance(to: "00:30")
        rig.send(.schedulerToggled(false))
        #expect(rig.armed == nil)
        #expect(rig.scheduler.nextRun == nil)
        rig.advance(to: "02:30")
        rig.send(.schedulerToggled(true))
        #expect(rig.ledger("a") == ["02:00 catch_up running ×2"])
        #expect(rig.ledger("b") == ["01:00 missed paused", "02:00 missed paused"])
    }

    @Test func `what is due at the very moment of a pause is run, and no misfire`() {
        let rig = Rig([job("a", "0 * * * *")])
        let effects = rig.scheduler.handle(.schedulerToggled(false), at: at("01:00:01"))
        #expect(
            effects.contains { effect in
                if case .start(let launch) = effect { launch.run.id == id("a", "01:00") } else { false }
            })
    }

    @Test func `a pause survives a restart`() {
        let rig = Rig([job("a", "0 * * * *")])
        rig.send(.schedulerToggled(false))
        rig.restart(at: "00:30")
        #expect(rig.scheduler.status == .paused)
        rig.advance(to: "02:30")
        #expect(rig.launches.isEmpty)
    }

    @Test func `a disabled job has no fire times`() {
        let rig = Rig([job("a", "0 * * * *") { $0.catchUp.kind = .all }])
        rig.advance(to: "00:30")
        rig.send(.jobToggled(job: "a", isEnabled: false, until: nil))
        rig.advance(to: "02:30")
        rig.restart(at: "02:31")
        rig.send(.jobToggled(job: "a", isEnabled: true, until: nil))
        #expect(rig.ledger("a").isEmpty)
        rig.advance(to: "03:00")
        #expect(rig.ledger("a") == ["03:00 running"])
    }

    @Test func `what was due before a job was disabled is on record, also during a pause of all`() {
        let rig = Rig([job("a", "0 * * * *")])
        rig.send(.schedulerToggled(false))
        rig.advance(to: "01:30")
        rig.send(.jobToggled(job: "a", isEnabled: false, until: nil))
        rig.advance(to: "02:30")
        rig.send(.jobToggled(job: "a", isEnabled: true, until: nil))
        rig.send(.schedulerToggled(true))
        #expect(rig.ledger("a") == ["01:00 missed paused"])
    }

    @Test func `a job paused until an instant resumes then, also where nothing ran at it`() {
        let rig = Rig([job("a", "0 * * * *") { $0.catchUp.kind = .all }])
        rig.send(.jobToggled(job: "a", isEnabled: false, until: at("02:30")))
        rig.advance(to: "02:15")
        rig.restart(at: "04:30")
        #expect(rig.ledger("a") == ["03:00 catch_up running", "04:00 catch_up queued"])
    }

    @Test func `a job that became enabled while no daemon ran has no fire times before`() {
        let rig = Rig([job("a", "0 * * * *") { $0.isEnabled = false }])
        rig.restart(at: "03:30", jobs: [job("a", "0 * * * *")])
        #expect(rig.ledger("a").isEmpty)
        #expect(rig.armed == at("04:00"))
    }

    @Test func `a job that was off by definition for a while, each change while no daemon ran, has none in between`() {
        let on = job("a", "0 * * * *") { $0.catchUp.kind = .all }
        let off = job("a", "0 * * * *") { ($0.isEnabled, $0.catchUp.kind) = (false, .all) }
        let rig = Rig([on])
        rig.restart(at: "00:30", jobs: [off])
        rig.restart(at: "03:30", jobs: [on])
        rig.restart(at: "03:40")
        #expect(rig.ledger("a").isEmpty)
        rig.restart(at: "04:30")
        #expect(rig.ledger("a") == ["04:00 catch_up running"])
    }

    @Test func `sleep is caught up after the machine has settled, by priority, spread over time`() {
        let rig = Rig([
            job("low", "0 * * * *") { $0.priority = 10 }, job("high", "0 * * * *") { $0.priority = -10 },
            job("none", "0 * * * *") { $0.catchUp.kind = .none }, job("later", "0 9 * * *"),
        ])
        rig.advance(to: "00:30")
        rig.sleep(to: "03:30")
        #expect(rig.ledger("none").count == 3, "nothing to wait for")
        #expect(rig.launches.isEmpty)
        rig.advance(to: "03:30:10")
        #expect(rig.launches.map(\.job.name) == ["high"])
        rig.advance(to: "03:30:40")
        #expect(rig.launches.map(\.job.name) == ["high", "low"])
        #expect(rig.run(id("low", "03:00"))?.coveredCount == 3)
    }

    @Test func `nothing starts while the machine sleeps`() {
        let rig = Rig([job("a", "0 * * * *")])
        rig.send(.sleep)
        #expect(rig.armed == nil)
        #expect(rig.scheduler.status == .sleeping)
        _ = rig.request("a")
        rig.send(.tick)
        #expect(rig.launches.isEmpty)
        rig.send(.wake)
        #expect(rig.launches.count == 1)
    }

    @Test func `a job that is disabled while it is held after a wake-up keeps its catch-up, and the hold`() {
        let rig = Rig([job("a", "0 * * * *")])
        rig.sleep(to: "01:30")
        rig.send(.jobToggled(job: "a", isEnabled: false, until: nil))
        #expect(rig.ledger("a") == ["01:00 catch_up queued"])
        rig.advance(to: "01:30:09")
        #expect(rig.launches.isEmpty)
        rig.advance(to: "01:30:10")
        #expect(rig.launches.count == 1)
    }

    @Test func `ten years of an every-minute job are one record for the old ones and one for each of the newest`() {
        let rig = Rig([
            job("a", "* * * * *") {
                $0.catchUp.kind = .all
                $0.historyLimit = 5
                $0.catchUp.limit = 3
            }
        ])
        let before = rig.now
        rig.restart(at: "+3650 00:00:30")
        let records = rig.store.order.compactMap { rig.run($0) }
        #expect(records.reduce(0) { $0 + $1.coveredCount } == 3650 * 1440)
        #expect(records.filter { $0.reason == .expired }.count == 6)
        #expect(records.filter { $0.reason == .limit }.count == 6)
        #expect(records.filter { $0.trigger == .catchUp }.count == 3)
        #expect(records.map { $0.coveredSince ?? $0.scheduledFor ?? .epoch }.min() == before + .seconds(60))
        #expect(rig.announcements.count { if case .jobMissed = $0 { true } else { false } } == 12)
    }

    @Test func `the count over several schedules counts what they share once`() {
        let rig = Rig([
            job("a", "*/10 * * * *", "*/15 * * * *", "0 12 * * *") {
                $0.catchUp.kind = .none
                $0.historyLimit = 1
                $0.catchUp.limit = 1
            }
        ])
        rig.restart(at: "+2 00:30:30")
        // 8 an hour (0 10 15 20 30 40 45 50), none at 00:00 of the registration.
        let records = rig.store.order.compactMap { rig.run($0) }
        #expect(records.filter { $0.status == .missed }.reduce(0) { $0 + $1.coveredCount } == 48 * 8 + 3)
        #expect(rig.launches.count == 1)
    }

    @Test(arguments: [
        ["*/10 * * * *", "*/5 * * * *"], ["* * * * *", "*/7 3 * * *", "0 0 1 * *"], ["0 12 * * *", "0 0-23/2 * * MON"],
        ["17 * * * *", "every 17m", "every 90m"], ["every 7m", "*/5 9-17 * * MON-FRI"], ["every 1d", "0 0 * * *"],
    ])
    func `years of several schedules are counted as if one by one`(_ texts: [String]) throws {
        // A zone with changes of the clock, by its rule alone.
        let zone = try #require(parisRules)
        var timed = job("a") {
            $0.catchUp.kind = .none
            $0.historyLimit = 1
            $0.catchUp.limit = 1
            $0.catchUp.graceTime = .zero
        }
        timed.zone = zone
        timed.schedules = try texts.map { text in
            let isInterval = text.hasPrefix("every")
            let schedule = isInterval ? try Schedule.interval(text) : try Schedule.cron(text)
            return JobSchedule(
                type: isInterval ? "interval" : "cron", text: text,
                timetable: try Timetable(schedule: schedule, zone: zone, anchor: timed.registeredAt))
        }
        let rig = Rig([timed])
        rig.restart(at: "+300 11:11:11")
        let found = rig.store.order.compactMap { rig.run($0) }.reduce(0) { $0 + $1.coveredCount }
        var expected = 0
        var instant = at("00:00")
        while let next = timed.schedules.compactMap({ $0.timetable.next(after: instant) }).min(), next <= rig.now {
            expected += 1
            instant = next
        }
        #expect(found == expected)
    }

    @Test func `the reason of a long stretch changes where the daemon started`() {
        let rig = Rig([
            job("a", "0 * * * *") {
                $0.catchUp.kind = .none
                $0.historyLimit = 1
            }
        ])
        rig.send(.schedulerToggled(false))
        rig.restart(at: "03:30")
        rig.advance(to: "06:30")
        rig.send(.schedulerToggled(true))
        #expect(
            rig.ledger("a") == [
                "02:00 missed down ×2", "03:00 missed down", "05:00 missed paused ×2", "06:00 missed paused",
            ])
    }

    @Test func `with max_executions catch-up runs stop at the last permitted one`() {
        let rig = Rig([
            job("a", "0 * * * *") {
                $0.catchUp.kind = .all
                $0.maxExecutions = 2
            }
        ])
        rig.restart(at: "04:30")
        #expect(rig.ledger("a") == ["01:00 catch_up running", "02:00 catch_up queued"])
        #expect(rig.scheduler.job(named: "a")?.nextRun == nil)
    }

    @Test func `with max_executions a fire time that is on time does not exist after the last permitted catch-up run`()
    {
        let rig = Rig([
            job("a", "0 * * * *") {
                $0.catchUp.kind = .all
                $0.maxExecutions = 2
            }
        ])
        rig.restart(at: "03:01")
        #expect(rig.ledger("a") == ["01:00 catch_up running", "02:00 catch_up queued"])
    }

    @Test func `while catch-up runs wait, a fire time takes what room there is, unless it would jump a queue`() {
        func ledger(_ overlap: OverlapPolicy) -> String? {
            let rig = Rig([
                job("a", "0 * * * *") {
                    $0.catchUp.kind = .all
                    $0.overlap = overlap
                    $0.maxInstances = 2
                }
            ])
            rig.restart(at: "03:30")
            rig.advance(to: "04:00")
            return rig.ledger("a").last
        }
        #expect(ledger(.skip) == "04:00 running")
        #expect(ledger(.allow) == "04:00 running")
        #expect(ledger(.replace) == "04:00 running")
        #expect(ledger(.queue) == "04:00 queued")
        #expect(ledger(.queueOne) == "04:00 skipped overlap")
    }

    @Test func `an excluded fire time is neither run nor caught up`() throws {
        let exclusion = try Exclusion("02:00", zone: .utc, zones: { _ in nil })
        let rig = Rig([
            job("a", "0 * * * *") {
                $0.catchUp.kind = .all
                $0.exclusions = [exclusion]
            }
        ])
        rig.restart(at: "03:30")
        #expect(rig.ledger("a") == ["01:00 catch_up running", "02:00 skipped excluded", "03:00 catch_up queued"])
    }

    @Test func `a once that was slept through is caught up within its window, and expires after it`() {
        let jobs = [onceJob("a", "01:00"), onceJob("b", "01:00") { $0.catchUp.window = .seconds(3600) }]
        let rig = Rig(jobs)
        rig.restart(at: "03:00")
        #expect(rig.ledger("a") == ["01:00 catch_up running"])
        #expect(rig.ledger("b") == ["01:00 missed expired"])
    }

    /// The store refused the commit: a record and a run for one fire time.
    @Test(arguments: ["02:05", "02:08"])
    func `a stretch that is counted leaves out what a client has run by hand`(byHand: String) {
        let rig = Rig([
            job("a", "* * * * *") {
                $0.catchUp.kind = .none
                $0.catchUp.window = .seconds(30 * 86_400)
                $0.historyLimit = 5
            }
        ])
        rig.send(.schedulerToggled(false))
        rig.advance(to: "02:10")
        _ = rig.request("a") {
            $0.scheduledFor = at(byHand)
            $0.isForced = true
        }
        rig.end(id("a", byHand))
        rig.restart(at: "02:10:30")
        rig.advance(to: at("02:10") + .seconds(8 * 86_400))
        rig.send(.schedulerToggled(true))
        let records = rig.store.runs.values.filter {
            $0.job == "a" && $0.scheduledFor.map { $0 <= at("02:10") } ?? false
        }
        #expect(records.filter { $0.scheduledFor == at(byHand) }.map(\.trigger) == [.manual])
        #expect(records.contains { $0.coveredCount > 100 })
    }

    @Test func `however small the grace time, a run that starts at once is on time`() {
        let rig = Rig([
            job("a", "0 * * * *") {
                $0.catchUp.kind = .none
                $0.catchUp.graceTime = .zero
            }
        ])
        rig.advance(to: at("01:00") + .milliseconds(300))
        #expect(rig.run(id("a", "01:00"))?.trigger == .schedule)
        rig.end(id("a", "01:00"))
        rig.sleep(to: "02:00:02")
        #expect(rig.status(id("a", "02:00")) == .missed)
    }
}
