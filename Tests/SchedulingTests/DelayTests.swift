import Schedules
import Scheduling
import Testing

/// `interval_from: "end"`: an interval that counts from the end of the last run.
@Suite struct DelayTests {
    private func delayed(_ interval: String = "1h", with change: (inout Job) -> Void = { _ in }) -> Job {
        intervalJob("a", interval) {
            $0.countsFromEnd = true
            $0.scheduleKey += "\nfrom end"
            change(&$0)
        }
    }

    private func next(_ rig: Rig) -> String { rig.scheduler.job(named: "a")?.nextRun.map(time) ?? "none" }

    /// Ends the last run that was started.
    private func end(_ rig: Rig, _ status: Int32 = 0) {
        guard let last = rig.launches.last else {
            Issue.record("nothing was started")
            return
        }
        rig.end(last.run.id, .exited(status))
    }

    @Test func theIntervalCountsFromTheEnd() {
        let rig = Rig([delayed()])
        #expect(next(rig) == "01:00")
        rig.advance(to: "01:25")
        #expect(next(rig) == "none")
        let reasons = rig.scheduler.explain("a", at: nil, now: rig.now)
        #expect(reasons.contains(.afterEnd(interval: "1h")))
        #expect(!reasons.contains(.neverAgain))
        end(rig)
        #expect(next(rig) == "02:25")
        rig.advance(to: "02:40")
        end(rig, 1)
        #expect(next(rig) == "03:40", "a failure is an end like any other")
        rig.advance(to: "04:00")
        end(rig)
        #expect(rig.ledger("a") == ["01:00 success", "02:25 failed", "03:40 success"])
    }

    @Test func aRunThatTakesLongerThanTheIntervalIsFollowedByTheWholeOfIt() {
        let rig = Rig([delayed { $0.overlap = .allow }])
        rig.advance(to: "08:30")
        #expect(rig.launches.count == 1)
        end(rig)
        #expect(next(rig) == "09:30")
        rig.advance(to: "12:00")
        #expect(rig.ledger("a") == ["01:00 success", "09:30 running"])
    }

    @Test func aFractionOfASecondDoesNotShortenTheWait() {
        let rig = Rig([delayed()])
        rig.advance(to: at("01:10") + .milliseconds(1))
        end(rig)
        #expect(next(rig) == "02:10:01")
    }

    @Test func aRunByHandCountsToo() throws {
        let rig = Rig([delayed()])
        rig.advance(to: "00:50")
        guard case .run(let run)? = rig.request("a") else {
            Issue.record("it does not run")
            return
        }
        rig.advance(to: "01:30")
        #expect(rig.launches.count == 1, "what would be due at 01:00 waits for it")
        rig.end(run.id)
        #expect(next(rig) == "02:30")
    }

    @Test func theRetriesOfARunBelongToIt() {
        let rig = Rig([delayed { $0.retry = retry(2, .seconds(3_600)) }])
        rig.advance(to: "01:10")
        end(rig, 1)
        rig.advance(to: "02:09")
        #expect(rig.launches.count == 1 && next(rig) == "none")
        rig.advance(to: "02:20")
        #expect(rig.launches.count == 2)
        end(rig)
        #expect(next(rig) == "03:20")
    }

    @Test func whatIsNotRunIsCountedFrom() {
        let rig = Rig([delayed()])
        #expect(rig.ask { .skipRequested(job: "a", ticket: $0) } == .skipped(fireTime: at("01:00"), next: at("02:00")))
        #expect(next(rig) == "02:00")
        rig.advance(to: "02:05")
        end(rig)
        #expect(rig.ledger("a") == ["01:00 skipped user", "02:00 success"])
        #expect(next(rig) == "03:05")
    }

    @Test func aSleepIsOneMisfire() {
        let rig = Rig([delayed { $0.catchUp.kind = .none }])
        rig.sleep(to: "12:00")
        #expect(rig.ledger("a") == ["01:00 missed asleep"])
        #expect(next(rig) == "13:00")
    }

    @Test func aSleepIsCaughtUpOnce() {
        let rig = Rig([delayed { $0.catchUp.kind = .all }])
        rig.advance(to: "01:05")
        end(rig)
        rig.sleep(to: "12:00")
        rig.advance(to: "12:10")
        end(rig)
        #expect(rig.ledger("a") == ["01:00 success", "02:05 catch_up success"])
        #expect(next(rig) == "13:10")
    }

    @Test func aRestartKeepsTheEnd() {
        let rig = Rig([delayed()])
        rig.advance(to: "01:25")
        end(rig)
        rig.restart(at: "02:00")
        #expect(next(rig) == "02:25")
        rig.advance(to: "02:30")
        rig.restart(at: "03:00", evidence: [id("a", "02:25"): .held])
        #expect(next(rig) == "none")
        end(rig)
        #expect(next(rig) == "04:00")
    }

    @Test func whatEndedWhileNobodyWasThereCountsFromItsEnd() {
        let rig = Rig([delayed()])
        rig.advance(to: "01:25")
        let outcome = AttemptOutcome(ending: .exited(0), startedAt: at("01:00"), endedAt: at("01:30"))
        rig.restart(at: "01:45", evidence: [id("a", "01:00"): .ended(outcome)])
        #expect(next(rig) == "02:30")
    }

    @Test func aClockThatIsSetBackCountsFromNow() {
        let rig = Rig([delayed()], at: "+30 00:00")
        rig.advance(to: "+30 01:00")
        end(rig)
        rig.stepClock(by: .seconds(-20 * 86_400))
        #expect(next(rig) == "+10 02:00")
        rig.advance(to: "+10 03:00")
        #expect(rig.scheduler.job(named: "a")?.active.count == 1)
    }

    @Test func aPauseAndADisabledJobCountAnewFromTheirEnd() {
        let rig = Rig([delayed { $0.catchUp.kind = .none }])
        rig.advance(to: "00:30")
        rig.send(.jobToggled(job: "a", isEnabled: false, until: nil))
        rig.advance(to: "05:00")
        #expect(next(rig) == "none")
        rig.send(.jobToggled(job: "a", isEnabled: true, until: nil))
        #expect(next(rig) == "06:00")
    }

    @Test func theWindowHolds() throws {
        var windowed = delayed()
        windowed.schedules[0].timetable = try Timetable(
            schedule: try Schedule.interval("1h"), zone: .utc, anchor: dayZero, startAt: at("03:00"), endAt: at("05:00")
        )
        let rig = Rig([windowed])
        #expect(next(rig) == "03:00")
        rig.advance(to: "03:20")
        end(rig)
        #expect(next(rig) == "04:20")
        rig.advance(to: "04:30")
        end(rig)
        #expect(next(rig) == "none")
        #expect(rig.scheduler.explain("a", at: nil, now: rig.now) == [.neverAgain])
    }

    @Test func theGridComesBackWithTheDefinition() {
        let rig = Rig([delayed()])
        rig.advance(to: "01:25")
        end(rig)
        rig.reload([intervalJob("a", "1h", registeredAt: at("01:25"))])
        #expect(next(rig) == "02:25")
        rig.advance(to: "02:40")
        end(rig)
        #expect(next(rig) == "03:25")
    }

    @Test func aBackfillHasNothingToFill() {
        let rig = Rig([delayed()])
        rig.advance(to: "12:00")
        let request = BackfillRequest(job: "a", from: at("01:30"), through: at("11:00"))
        #expect(rig.ask { .backfillRequested(request, ticket: $0) } == .backfilled(runs: [], fireTimes: []))
    }

    @Test func aSimulationSaysWhatItIs() {
        var simulation = Simulation(jobs: [delayed()], settings: SchedulerSettings())
        simulation.runLength = .seconds(1_800)
        let outcomes = simulation.run(from: dayZero, to: at("05:00"))
        #expect(outcomes.map { time($0.at) } == ["01:00", "02:30", "04:00"])
    }
}
