import Schedules
import Scheduling
import Testing

/// `delete_after`: a job of the bus that is finished removes itself.
@Suite struct DeletionTests {
    private func once(_ text: String = "01:00", _ change: @escaping (inout Job) -> Void = { _ in }) -> Job {
        onceJob("a", text) {
            $0.origin = .bus
            $0.deleteAfter = .seconds(3_600)
            change(&$0)
        }
    }

    private func add(_ job: Job, at time: String = "00:00") -> Rig {
        let rig = Rig([], at: time)
        #expect(rig.ask { .jobUpserted(job, ticket: $0) } != nil)
        return rig
    }

    private func isThere(_ rig: Rig) -> Bool { rig.scheduler.job(named: "a") != nil }

    @Test func aJobThatIsDoneGoesAndItsHistoryStays() {
        let rig = add(once())
        rig.advance(to: "01:30")
        rig.end(id("a", "01:00"))
        rig.advance(to: "02:29:59")
        #expect(isThere(rig) && rig.store.definitions["a"] != nil)
        rig.advance(to: "02:30")
        #expect(!isThere(rig))
        #expect(rig.store.definitions["a"] == nil && rig.store.states["a"] == nil)
        #expect(rig.status(id("a", "01:00")) == .success)
        #expect(rig.announcements.contains(.jobsChanged(added: [], changed: [], removed: ["a"])))
        let change = rig.store.changes.last
        #expect(change?.what == .removed && change?.author == .daemon)
        #expect(change?.reason == "it was finished, and its delete_after is over")
    }

    @Test func aRestartDoesNotBeginTheWaitAnew() {
        let job = once()
        let rig = add(job)
        rig.advance(to: "01:10")
        rig.end(id("a", "01:00"))
        rig.restart(at: "02:00", jobs: [job])
        rig.advance(to: "02:09")
        #expect(isThere(rig))
        rig.advance(to: "02:10")
        #expect(!isThere(rig))
    }

    @Test func aDaemonThatStartsLaterRemovesItAtOnce() {
        let job = once()
        let rig = add(job)
        rig.advance(to: "01:10")
        rig.end(id("a", "01:00"))
        rig.restart(at: "+9 00:00", jobs: [job])
        #expect(!isThere(rig) && rig.store.definitions["a"] == nil)
    }

    @Test func soDoesOneThatWasMissed() {
        let rig = add(once { $0.catchUp.kind = .none })
        rig.sleep(to: "04:00")
        #expect(rig.ledger("a") == ["01:00 missed asleep"])
        rig.advance(to: "04:01")
        #expect(!isThere(rig), "an hour after it was due")
    }

    @Test func oneThatComesWhenItIsOverHasItsWaitAsWell() {
        let rig = add(once("01:00") { $0.registeredAt = at("05:00") }, at: "05:00")
        rig.end(id("a", "01:00"))
        rig.advance(to: "05:59")
        #expect(isThere(rig))
        rig.advance(to: "06:00")
        #expect(!isThere(rig))
    }

    @Test func aRunKeepsIt() {
        let rig = add(once())
        rig.advance(to: "05:00")
        #expect(isThere(rig), "its run goes on")
        rig.end(id("a", "01:00"))
        rig.advance(to: "05:30")
        _ = rig.request("a")
        rig.advance(to: "06:10")
        #expect(isThere(rig))
        rig.end(rig.launches.last?.run.id ?? "")
        rig.advance(to: "07:09")
        #expect(isThere(rig), "a run by hand is one that somebody may look at")
        rig.advance(to: "07:10")
        #expect(!isThere(rig))
    }

    @Test func theLastOfSoManyRunsFinishesIt() {
        var job = intervalJob("a", "1h") {
            $0.maxExecutions = 2
            $0.deleteAfter = .seconds(1_800)
        }
        job.origin = .bus
        let rig = add(job)
        rig.advance(to: "01:00")
        rig.end(id("a", "01:00"))
        rig.advance(to: "01:59")
        #expect(isThere(rig))
        rig.advance(to: "02:00")
        rig.end(id("a", "02:00"))
        rig.advance(to: "02:29")
        #expect(isThere(rig))
        rig.advance(to: "02:30")
        #expect(!isThere(rig))
    }

    @Test func aPauseKeepsWhatIsDueAndNotWhatIsDone() {
        let rig = add(once())
        rig.send(.schedulerToggled(false))
        rig.advance(to: "06:00")
        #expect(isThere(rig), "what was due is not decided yet")
        rig.send(.schedulerToggled(true))
        rig.advance(to: "06:01")
        rig.end(rig.launches.last?.run.id ?? "")
        rig.send(.schedulerToggled(false))
        rig.advance(to: "07:02")
        #expect(!isThere(rig))
    }

    @Test func aJobOfTheFileStays() {
        let rig = Rig([once { $0.origin = .config }])
        rig.advance(to: "01:00")
        rig.end(id("a", "01:00"))
        rig.advance(to: "+9 00:00")
        #expect(isThere(rig))
    }

    @Test func aJobThatRunsForEverStays() {
        var job = intervalJob("a", "1h") { $0.deleteAfter = .zero }
        job.origin = .bus
        let rig = add(job)
        rig.advance(to: "03:30")
        rig.send(.jobToggled(job: "a", isEnabled: false, until: nil))
        rig.advance(to: "+9 00:00")
        #expect(isThere(rig), "what is disabled is not finished")
    }
}
