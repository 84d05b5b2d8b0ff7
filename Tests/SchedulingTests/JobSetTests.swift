import Schedules
import Scheduling
import TestSupport
import Testing

@Suite struct JobSetTests {
    private func reload(_ rig: Rig, _ jobs: [Job], retained: Set<String> = [], isEnabled: Bool = true) {
        var settings = SchedulerSettings()
        settings.isCleanupEnabled = false
        rig.send(.configurationChanged(jobs: jobs, retained: retained, settings: settings, isEnabled: isEnabled))
    }

    @Test func `a reload that changes nothing does nothing`() {
        let jobs = [job("a", "0 9 * * *"), job("b", "0 9 * * *")]
        let rig = Rig(jobs)
        rig.advance(to: "08:00")
        var settings = SchedulerSettings()
        settings.isCleanupEnabled = false
        let event = Event.configurationChanged(jobs: jobs, retained: [], settings: settings, isEnabled: true)
        #expect(rig.send(event).isEmpty)
    }

    @Test func `a reload tells what was added, changed and removed`() {
        let rig = Rig([job("a", "0 9 * * *"), job("b", "0 9 * * *")])
        reload(rig, [job("b", "0 9 * * *") { $0.priority = 1 }, job("c", "0 9 * * *")])
        #expect(rig.announcements == [.jobsChanged(added: ["c"], changed: ["b"], removed: ["a"])])
        #expect(rig.store.states.keys.sorted() == ["b", "c"])
        #expect(rig.scheduler.jobNames == ["b", "c"])
    }

    @Test(arguments: [false, true]) func `names are sorted whatever they have in common`(isAnyScript: Bool) {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        var names: Set<String> = isAnyScript ? ["é", "e\u{301}a", "z"] : []
        while names.count < 300 {
            let length = Int.random(in: 1...20, using: &random)
            names.insert(String((0..<length).map { _ in "aaaab-.Z".randomElement(using: &random) ?? "a" }))
        }
        let rig = Rig(names.shuffled(using: &random).map { job($0, "0 9 * * *") })
        #expect(rig.scheduler.jobNames == names.sorted(), "seed \(seed)")
    }

    @Test func `a changed job keeps its state, its process and its next fire time`() {
        let rig = Rig([job("a", "0 * * * *")])
        rig.advance(to: "01:00")
        reload(rig, [job("a", "0 * * * *") { $0.priority = 5 }])
        rig.advance(to: "01:30")
        rig.end(id("a", "01:00"))
        #expect(rig.store.states["a"]?.runCount == 1)
        #expect(rig.armed == at("02:00"))
        rig.advance(to: "02:00")
        #expect(rig.launches.last?.job.priority == 5)
    }

    @Test func `a changed schedule is a new grid, and what the old one named is decided`() {
        let rig = Rig([job("a", "0 * * * *") { $0.catchUp.kind = .all }])
        rig.send(.schedulerToggled(false))
        rig.advance(to: "01:30")
        reload(rig, [job("a", "15 * * * *", registered: "01:30")])
        rig.send(.schedulerToggled(true))
        #expect(rig.ledger("a") == ["01:00 missed paused"])
        #expect(rig.armed == at("02:15"))
    }

    @Test func `a job that a reload enables has had no fire times before`() {
        let rig = Rig([job("a", "0 * * * *") { ($0.isEnabled, $0.catchUp.kind) = (false, .all) }])
        rig.advance(to: "02:30")
        reload(rig, [job("a", "0 * * * *") { $0.catchUp.kind = .all }])
        #expect(rig.ledger("a").isEmpty)
        #expect(rig.armed == at("03:00"))
    }

    @Test func `a job whose max_executions are raised has had no fire times since it was finished`() {
        let rig = Rig([job("a", "0 * * * *") { $0.maxExecutions = 1 }])
        rig.advance(to: "01:00")
        rig.end(id("a", "01:00"))
        rig.advance(to: "04:30")
        reload(rig, [job("a", "0 * * * *") { $0.maxExecutions = 2 }])
        #expect(rig.ledger("a") == ["01:00 success"])
        #expect(rig.armed == at("05:00"))
    }

    @Test func `a removed job's process goes on, and what has not started is given up`() {
        let rig = Rig([job("a", "0 * * * *") { $0.retry = retry(3) }, job("b", "0 2 * * *")])
        rig.advance(to: "01:00")
        _ = rig.request("a")
        reload(rig, [job("b", "0 2 * * *")])
        #expect(rig.status(id("a", "01:00")) == .running)
        #expect(rig.status(id("a", "01:00", "-2")) == .cancelled)
        #expect(rig.stops.isEmpty)
        rig.end(id("a", "01:00"), .exited(1))
        #expect(rig.status(id("a", "01:00")) == .failed, "nothing is tried again without a definition")
        #expect(rig.store.states["a"] == nil)
        rig.advance(to: "03:00")
        #expect(rig.launches.map(\.job.name) == ["a", "b"])
    }

    @Test func `a job that comes back finds its process still occupying it`() {
        let rig = Rig([job("a", "0 * * * *")])
        rig.advance(to: "01:00")
        reload(rig, [], retained: ["a"])
        reload(rig, [job("a", "0 * * * *")])
        rig.advance(to: "02:00")
        #expect(rig.ledger("a") == ["01:00 running", "02:00 skipped overlap"])
        rig.end(id("a", "01:00"))
        #expect(rig.store.states["a"]?.runCount == 1)
    }

    @Test func `what is remembered of a job is kept while its definition is refused`() {
        let rig = Rig([job("a", "0 * * * *")])
        rig.send(.jobToggled(job: "a", isEnabled: false, until: nil))
        reload(rig, [], retained: ["a"])
        reload(rig, [job("a", "0 * * * *")])
        #expect(rig.scheduler.job(named: "a")?.isEnabled == false)
    }

    @Test func `a removed job that fails too often does not disturb another`() {
        let rig = Rig([job("a", "0 1 * * *") { $0.pauseOnFailures = 1 }])
        rig.advance(to: "01:00")
        reload(rig, [])
        reload(rig, [job("c", "0 3 * * *")])
        rig.end(id("a", "01:00"), .exited(1))
        #expect(rig.armed == at("03:00"))
        rig.advance(to: "03:00")
        #expect(rig.launches.last?.job.name == "c")
    }

    @Test func `pause_on_failures disables the job, and a resumption counts anew`() {
        let rig = Rig([job("a", "0 * * * *") { $0.pauseOnFailures = 2 }])
        for hour in 1...2 {
            rig.advance(to: "0\(hour):00")
            rig.end(id("a", "0\(hour):00"), .exited(1))
        }
        #expect(rig.scheduler.job(named: "a")?.isEnabled == false)
        #expect(rig.armed == nil)
        let pauses = rig.announcements.compactMap {
            if case .jobPaused(let run, let failures) = $0 { (run.id, failures) } else { nil }
        }
        #expect(pauses.map(\.0) == [id("a", "02:00")] && pauses.map(\.1) == [2])
        rig.send(.jobToggled(job: "a", isEnabled: true, until: nil))
        rig.advance(to: "03:00")
        rig.end(id("a", "03:00"), .exited(1))
        #expect(rig.scheduler.job(named: "a")?.isEnabled == true)
    }

    @Test func `a success or a cancelled run does not count towards pause_on_failures`() {
        let rig = Rig([job("a", "0 * * * *") { $0.pauseOnFailures = 2 }])
        rig.advance(to: "01:00")
        rig.end(id("a", "01:00"), .exited(1))
        rig.advance(to: "02:00")
        rig.end(id("a", "02:00"))
        rig.advance(to: "03:00")
        rig.end(id("a", "03:00"), .exited(1))
        rig.advance(to: "04:00")
        _ = rig.ask { .cancelRequested(run: id("a", "04:00"), ticket: $0) }
        rig.end(id("a", "04:00"), .signaled(15))
        #expect(rig.scheduler.job(named: "a")?.isEnabled == true)
        #expect(rig.store.states["a"]?.failuresInARow == 1)
        #expect(rig.store.states["a"]?.failureCount == 3)
    }

    @Test func `runs that have not started give their turns back where fewer are permitted`() {
        func jobs(_ most: Int) -> [Job] {
            [
                job("a", "0,1,2 9 * * *") {
                    $0.overlap = .queue
                    $0.maxInstances = most
                    $0.historyLimit = most
                }, job("b", "0 8 * * *"),
            ]
        }
        let rig = Rig(jobs(3)) { $0.maxConcurrentRuns = 1 }
        rig.advance(to: "09:02")
        reload(rig, jobs(1))
        rig.end(id("b", "08:00"))
        #expect(rig.status(id("a", "09:00")) == .running)
        rig.end(id("a", "09:00"))
        #expect(rig.status(id("a", "09:01")) == .running)
        #expect(rig.status(id("a", "09:02")) == .queued)
        reload(rig, jobs(3))
        rig.end(id("a", "09:01"))
        #expect(
            rig.started == ["\(id("b", "08:00")) schedule"]
                + ["09:00", "09:01", "09:02"].map { "\(id("a", $0)) schedule" })
    }

    // MARK: - Over the bus

    private func bus(_ name: String, _ cron: String, version: Int = 1, registered: String = "00:00") -> Job {
        job(name, cron, registered: registered) {
            $0.origin = .bus
            $0.version = version
            $0.definition = #"{"name":"\#(name)"}"#
        }
    }

    @Test func `an upsert creates, replaces and is kept`() {
        let rig = Rig([])
        let created = rig.ask { .jobUpserted(bus("x", "0 9 * * *"), ticket: $0) }
        #expect(created == .scheduled(job: "x", next: at("09:00")))
        #expect(rig.store.definitions["x"]?.json == #"{"name":"x"}"#)
        let replaced = rig.ask { .jobUpserted(bus("x", "0 10 * * *", version: 2), ticket: $0) }
        #expect(replaced == .scheduled(job: "x", next: at("10:00")))
        #expect(
            rig.announcements == [
                .jobsChanged(added: ["x"], changed: [], removed: []),
                .jobsChanged(added: [], changed: ["x"], removed: []),
            ])
        #expect(
            rig.ask { .jobUpserted(bus("x", "0 11 * * *"), ticket: $0) }
                == .refused(.olderVersion(job: "x", found: 1, inForce: 2)))
        #expect(rig.armed == at("10:00"))
    }

    @Test func `a job of the configuration is neither replaced nor removed over the bus`() {
        let rig = Rig([job("a", "0 9 * * *")])
        #expect(rig.ask { .jobUpserted(bus("a", "0 10 * * *"), ticket: $0) } == .refused(.jobExists("a")))
        #expect(rig.ask { .jobCancelled(job: "a", ticket: $0) } == .refused(.notPermitted("a")))
        #expect(rig.ask { .jobCancelled(job: "z", ticket: $0) } == .refused(.jobNotFound("z")))
    }

    @Test func `a cancelled job is gone with its definition, and a reload leaves jobs of the bus alone`() {
        let rig = Rig([])
        _ = rig.ask { .jobUpserted(bus("x", "0 9 * * *"), ticket: $0) }
        reload(rig, [])
        #expect(rig.scheduler.jobNames == ["x"])
        #expect(rig.ask { .jobCancelled(job: "x", ticket: $0) } == .done)
        #expect(rig.scheduler.jobNames.isEmpty)
        #expect(rig.store.definitions.isEmpty && rig.store.states.isEmpty)
        #expect(rig.armed == nil)
    }

    @Test func `a job that is created again does not run its past instant again`() {
        let rig = Rig([], at: "02:00")
        let once = onceJob("x", "01:00", registered: "02:00") { $0.origin = .bus }
        _ = rig.ask { .jobUpserted(once, ticket: $0) }
        #expect(rig.launches.count == 1)
        rig.end(id("x", "01:00"))
        _ = rig.ask { .jobCancelled(job: "x", ticket: $0) }
        _ = rig.ask { .jobUpserted(once, ticket: $0) }
        #expect(rig.launches.count == 1)
    }

    // MARK: - Interrupted

    @Test func `a run that the last daemon left behind was interrupted, unless its process lives on`() {
        let rig = Rig([job("a", "0 1 * * *"), job("b", "0 1 * * *")])
        rig.advance(to: "01:00")
        rig.restart(at: "01:10", evidence: [id("b", "01:00"): .held])
        #expect(rig.status(id("a", "01:00")) == .interrupted)
        #expect(
            rig.story(id("a", "01:00")).last
                == "failed: interrupted: its supervisor and its folder are gone, and with them what became of the run")
        #expect(rig.status(id("b", "01:00")) == .running)
        #expect(rig.scheduler.runningCount == 1)
        rig.end(id("b", "01:00"))
        #expect(rig.status(id("b", "01:00")) == .success)
    }

    @Test func `runs that wait go on after a restart, in their order and within their limits`() {
        let rig = Rig([job("a", "0 * * * *") { $0.overlap = .queue }])
        rig.advance(to: "03:00")
        rig.restart(at: "03:10", evidence: [id("a", "01:00"): .held])
        #expect(rig.launches.count == 1)
        rig.end(id("a", "01:00"))
        rig.end(id("a", "02:00"))
        #expect(rig.launches.map(\.run.id) == [id("a", "01:00"), id("a", "02:00"), id("a", "03:00")])
    }

    @Test func `a stored run whose definition is gone ends, once started ones where they stand`() {
        let rig = Rig([job("a", "0 * * * *") { ($0.overlap, $0.retry) = (.queue, retry(3, .seconds(3600))) }])
        rig.advance(to: "01:00")
        rig.end(id("a", "01:00"), .exited(1))
        _ = rig.request("a")
        rig.restart(at: "01:30", jobs: [])
        #expect(rig.status(id("a", "01:00")) == .cancelled)
        #expect(rig.status(id("a", "01:00", "-2")) == .cancelled)
        #expect(rig.scheduler.activeRunCount == 0)
    }
}
