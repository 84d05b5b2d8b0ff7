import Schedules
import Scheduling
import Testing

@Suite struct LimitTests {
    @Test func `the rest wait for the global limit, by priority and then by fire time`() {
        let rig = Rig([
            job("c", "2 1 * * *"), job("b", "1 1 * * *"), job("vip", "3 1 * * *") { $0.priority = -1 },
            job("late", "1 1 * * *") { $0.priority = 1 }, job("first", "0 1 * * *"),
        ]) { $0.maxConcurrentRuns = 1 }
        rig.advance(to: "01:10")
        #expect(rig.launches.map(\.job.name) == ["first"])
        for _ in 0..<5 { rig.end(rig.launches[rig.launches.count - 1].run.id) }
        #expect(rig.launches.map(\.job.name) == ["first", "vip", "b", "c", "late"])
    }

    @Test func `a run that waits between two attempts gives its place to others`() {
        let rig = Rig([job("a", "0 1 * * *") { $0.retry = retry(2) }, job("b", "0 1 * * *") { $0.priority = 1 }]) {
            $0.maxConcurrentRuns = 1
        }
        rig.advance(to: "01:00")
        rig.end(id("a", "01:00"), .exited(1))
        #expect(rig.launches.map(\.job.name) == ["a", "b"])
        rig.advance(to: "01:05")
        #expect(rig.launches.count == 2)
        rig.end(id("b", "01:00"))
        #expect(rig.launches.map(\.job.name) == ["a", "b", "a"])
    }

    @Test func `no more starts than the launch rate in any minute, and no polling in between`() {
        let rig = Rig((0..<7).map { job("j\($0)", "0 1 * * *") }) { $0.launchesPerMinute = 3 }
        rig.advance(to: "01:00:30")
        #expect(rig.launches.count == 3)
        #expect(rig.armed == at("01:01"))
        let ticks = rig.ticks
        rig.advance(to: "01:05")
        #expect(
            rig.launches.map { time($0.run.startedAt ?? .epoch) } == [
                "01:00", "01:00", "01:00", "01:01", "01:01", "01:01", "01:02",
            ])
        #expect(rig.ticks == ticks + 2)
    }

    @Test func `a cancelled run that waited for a limit leaves nothing behind`() {
        let rig = Rig([job("a", "0 1 * * *"), job("b", "0 1 * * *")]) { $0.maxConcurrentRuns = 1 }
        rig.advance(to: "01:00")
        _ = rig.ask { .cancelRequested(run: id("b", "01:00"), ticket: $0) }
        rig.end(id("a", "01:00"))
        #expect(rig.launches.count == 1)
        #expect(rig.scheduler.activeRunCount == 0)
        #expect(rig.status(id("b", "01:00")) == .cancelled)
    }

    @Test func `old runs are removed in small steps, by a timer of their own`() {
        let rig = Rig([]) {
            $0.isCleanupEnabled = true
            $0.retentionDays = 10
        }
        #expect(rig.armed == at("01:00"))
        rig.advance(to: "+2 02:00")
        #expect(rig.ticks == 3)
        #expect(rig.store.prunes.first == .pruneEnded(before: at("01:00") - .seconds(864_000), limit: 1000))
        #expect(rig.store.prunes.count == 3)
    }

    @Test func `a clean-up removes more where more was recorded`() {
        let rig = Rig([
            job("a", "0 0 * * *") { $0.catchUp.kind = .none }, job("b", "* * * * *") { $0.historyLimit = 5000 },
        ]) {
            $0.isCleanupEnabled = true
        }
        rig.restart(at: "+4 00:00:30")
        rig.end(rig.launches[0].run.id)
        let before = rig.store.prunes.count
        rig.advance(to: "+4 02:00")
        let steps = rig.store.prunes.dropFirst(before).filter { if case .pruneEnded = $0 { true } else { false } }
        // Three days of the every-minute job were recorded as expired: a step for each thousand of twice as many.
        #expect(steps.count == 10, "\(steps.count)")
    }

    @Test func `of a job as many records are kept as it says`() {
        let rig = Rig([job("a", "0 1 * * *") { $0.historyLimit = 7 }])
        rig.advance(to: "01:00")
        rig.end(id("a", "01:00"))
        #expect(rig.store.prunes.last == .prune(job: "a", keep: 7))
    }
}
