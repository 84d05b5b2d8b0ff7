import Schedules
import Scheduling
import StoreModel
import Testing

/// `expect_within`, `expect_every` and `expect_by`.
@Suite struct LatenessTests {
    private static let lateOnly = [MessageRule(target: "desktop", on: Message.Occasions([.late]))]

    /// Runs each day at 02:00, and tells only what is late.
    private func daily(with change: @escaping (inout Job) -> Void) -> Job {
        job("a", "0 2 * * *") {
            $0.messages = Self.lateOnly
            $0.catchUp.kind = .none
            change(&$0)
        }
    }

    private struct NoRun: Error {}

    private func told(_ rig: Rig) -> [String] {
        // Not as it was sent: one that a daemon did not hear of is sent again by the next.
        rig.store.post.all.map { "\(time($0.createdAt)) \($0.text)" }
    }

    /// Ends the last run that was started.
    private func end(_ rig: Rig, _ status: Int32 = 0) {
        guard let last = rig.launches.last else {
            Issue.record("nothing was started")
            return
        }
        rig.end(last.run.id, .exited(status))
    }

    // MARK: - expect_within

    @Test func aRunThatGoesOnIsLateOnce() {
        let rig = Rig([daily { $0.expectWithin = .seconds(1_800) }])
        rig.advance(to: "02:29")
        #expect(told(rig).isEmpty)
        rig.advance(to: "12:00")
        #expect(told(rig) == ["02:30 it is still under way after 1800 s"])
        #expect(rig.sendings.first?.run == id("a", "02:00"))
        #expect(rig.run(id("a", "02:00"))?.isLate == true)
        #expect(rig.scheduler.lateJobs == ["a"])
        #expect(rig.scheduler.job(named: "a")?.lateSince == at("02:30"))
        let reasons = rig.scheduler.explain("a", at: nil, now: rig.now)
        #expect(reasons.contains(.lateRun(run: id("a", "02:00"), within: .seconds(1_800))))
        end(rig)
        #expect(rig.scheduler.lateJobs.isEmpty)
        #expect(rig.scheduler.job(named: "a")?.lateSince == nil)
        rig.advance(to: "+1 01:00")
        #expect(told(rig).count == 1)
    }

    @Test func theRetriesOfARunAreItsTime() {
        let rig = Rig([
            daily {
                $0.expectWithin = .seconds(1_800)
                $0.retry = retry(3, .seconds(3_600))
            }
        ])
        rig.advance(to: "02:10")
        end(rig, 1)
        rig.advance(to: "02:59")
        #expect(told(rig) == ["02:30 it is still under way after 1800 s"])
    }

    @Test func aRestartKeepsTheTimeAndTellsNothingTwice() {
        let rig = Rig([daily { $0.expectWithin = .seconds(1_800) }])
        rig.advance(to: "02:10")
        rig.restart(at: "02:20", evidence: [id("a", "02:00"): .held])
        #expect(told(rig).isEmpty)
        rig.advance(to: "02:40")
        #expect(told(rig).map { $0.prefix(5) } == ["02:30"])
        rig.restart(at: "03:00", evidence: [id("a", "02:00"): .held])
        rig.advance(to: "12:00")
        #expect(told(rig).count == 1)
    }

    @Test func whatPassedWhileNobodyWasThereIsToldAtTheStart() {
        let rig = Rig([daily { $0.expectWithin = .seconds(1_800) }])
        rig.advance(to: "02:10")
        rig.restart(at: "05:00", evidence: [id("a", "02:00"): .held])
        #expect(told(rig).map { $0.prefix(5) } == ["05:00"])
    }

    @Test func aRunThatNeverBeganCountsFromItsStart() {
        let rig = Rig([daily { $0.expectWithin = .seconds(1_800) }]) { $0.maxConcurrentRuns = 1 }
        rig.advance(to: "02:00")
        rig.restart(at: "02:02", evidence: [id("a", "02:00"): .notBegun])
        #expect(rig.launches.count == 2)
        rig.advance(to: "02:31")
        #expect(told(rig).isEmpty)
        rig.advance(to: "03:00")
        #expect(told(rig).map { $0.prefix(5) } == ["02:32"])
    }

    @Test func aRunDoesNotGetOnWhileTheMachineSleeps() {
        let rig = Rig([daily { $0.expectWithin = .seconds(1_800) }])
        rig.advance(to: "02:10")
        rig.sleep(to: "08:00")
        #expect(told(rig).isEmpty)
        rig.advance(to: "08:19")
        #expect(told(rig).isEmpty)
        rig.advance(to: "09:00")
        #expect(told(rig).map { $0.prefix(5) } == ["08:20"])
    }

    @Test(arguments: [Duration.seconds(-86_400), .seconds(86_400)])
    func aClockThatIsSetMovesTheTimeOfARun(step: Duration) {
        let rig = Rig([daily { $0.expectWithin = .seconds(1_800) }])
        rig.advance(to: "02:10")
        rig.stepClock(by: step)
        let start = rig.now
        rig.advance(to: start + .seconds(1_199))
        #expect(told(rig).isEmpty)
        rig.advance(to: start + .seconds(1_200))
        #expect(told(rig).count == 1)
    }

    @Test func aRunGoesOnWhateverIsPaused() {
        let rig = Rig([daily { $0.expectWithin = .seconds(1_800) }])
        rig.advance(to: "02:10")
        rig.send(.schedulerToggled(false))
        rig.advance(to: "03:00")
        #expect(told(rig).map { $0.prefix(5) } == ["02:30"])
    }

    // MARK: - expect_every

    @Test func aJobWithoutASuccessIsLateOnceUntilThereIsOne() throws {
        let rig = Rig([daily { $0.expectEvery = .seconds(26 * 3_600) }])
        rig.advance(to: "02:01")
        end(rig)
        rig.advance(to: "+1 02:01")
        end(rig, 1)
        #expect(rig.scheduler.lateJobs.isEmpty)
        rig.advance(to: "+2 02:01")
        end(rig, 1)
        rig.advance(to: "+3 00:00")
        #expect(told(rig) == ["+1 04:01 no success since 2026-01-05 02:01"])
        #expect(rig.scheduler.lateJobs == ["a"])
        #expect(rig.scheduler.job(named: "a")?.lateSince == at("+1 04:01"))
        let reasons = rig.scheduler.explain("a", at: nil, now: rig.now)
        #expect(reasons.contains(.late(since: at("02:01"), every: .seconds(26 * 3_600), by: nil)))
        // A run by hand is a success like any other.
        guard case .run(let run)? = rig.request("a") else { throw NoRun() }
        rig.end(run.id)
        #expect(rig.scheduler.lateJobs.isEmpty)
        rig.advance(to: "+3 02:01")
        end(rig, 1)
        rig.advance(to: "+4 01:59")
        #expect(told(rig).count == 1)
        rig.advance(to: "+4 02:00")
        #expect(told(rig).last == "+4 02:00 no success since 2026-01-08 00:00")
    }

    @Test func aDaemonThatStartsFindsItSoAndTheNextOneDoesNotTellAgain() {
        let rig = Rig([daily { $0.expectEvery = .seconds(26 * 3_600) }])
        rig.advance(to: "02:01")
        end(rig)
        rig.restart(at: "+5 12:00")
        #expect(told(rig) == ["+5 12:00 no success since 2026-01-05 02:01"])
        rig.restart(at: "+6 01:00")
        rig.rebuild(at: "+6 01:30")
        #expect(told(rig).count == 1)
        #expect(rig.scheduler.lateJobs == ["a"])
    }

    @Test func aNewJobHasAWholePeriod() {
        let rig = Rig([daily { $0.expectEvery = .seconds(3_600) }])
        rig.advance(to: "00:59")
        #expect(told(rig).isEmpty)
        rig.advance(to: "01:00")
        #expect(told(rig) == ["01:00 no success since 2026-01-05 00:00"])
    }

    @Test func anExpectationThatIsNewCountsFromTheLastSuccess() {
        let rig = Rig([daily { _ in }])
        rig.advance(to: "02:01")
        end(rig)
        rig.advance(to: "12:00")
        rig.reload([daily { $0.expectEvery = .seconds(3_600) }])
        #expect(told(rig) == ["12:00 no success since 2026-01-05 02:01"])
        // Under a longer one it is not late any more, and under none nothing is remembered.
        rig.reload([daily { $0.expectEvery = .seconds(86_400) }])
        #expect(rig.scheduler.lateJobs.isEmpty)
        rig.reload([daily { _ in }])
        #expect(rig.scheduler.job(named: "a")?.state.expectation == JobExpectation())
    }

    @Test func nothingIsExpectedOfWhatIsOutOfForce() {
        let rig = Rig([daily { $0.expectEvery = .seconds(26 * 3_600) }])
        rig.advance(to: "02:01")
        end(rig)
        rig.send(.jobToggled(job: "a", isEnabled: false, until: nil))
        rig.advance(to: "+4 00:00")
        #expect(told(rig).isEmpty)
        rig.send(.jobToggled(job: "a", isEnabled: true, until: nil))
        rig.advance(to: "+4 12:00")
        rig.send(.schedulerToggled(false))
        rig.advance(to: "+8 00:00")
        rig.send(.schedulerToggled(true))
        #expect(told(rig).isEmpty)
        rig.restart(at: "+9 01:00")
        #expect(told(rig).isEmpty)
        rig.advance(to: "+9 02:00")
        #expect(told(rig) == ["+9 02:00 no success since 2026-01-13 00:00"])
    }

    @Test func aFinishedJobIsNotLate() {
        let rig = Rig([
            daily {
                $0.expectEvery = .seconds(3_600)
                $0.maxExecutions = 1
            }
        ])
        rig.advance(to: "00:30")
        _ = rig.request("a")
        rig.end(id("a", "00:30"))
        rig.advance(to: "01:20")
        rig.end(rig.launches.last?.run.id ?? "")
        rig.advance(to: "+3 00:00")
        // The one run at 02:00 was late in between; nothing after it.
        #expect(rig.launches.count == 2)
        let count = told(rig).count
        rig.end(id("a", "02:00"))
        rig.advance(to: "+9 00:00")
        #expect(told(rig).count == count)
    }

    @Test func sleepIsTimeWithoutASuccess() {
        let rig = Rig([daily { $0.expectEvery = .seconds(26 * 3_600) }])
        rig.advance(to: "02:01")
        end(rig)
        rig.send(.sleep)
        rig.advance(to: "+3 07:00")
        #expect(told(rig).isEmpty, "nothing is told to a machine that sleeps")
        rig.send(.wake)
        #expect(told(rig) == ["+3 07:00 no success since 2026-01-05 02:01"])
    }

    @Test func aClockThatIsSetBackCountsFromNow() {
        let rig = Rig([daily { $0.expectEvery = .seconds(26 * 3_600) }], at: "+400 00:00")
        rig.advance(to: "+400 02:01")
        end(rig)
        rig.stepClock(by: .seconds(-399 * 86_400))
        let start = rig.now
        rig.advance(to: start + .seconds(26 * 3_600 - 1))
        #expect(told(rig).isEmpty)
        rig.advance(to: start + .seconds(26 * 3_600))
        #expect(told(rig).count == 1)
    }

    // MARK: - expect_by

    private func by(_ minute: Int, _ zone: TimeZoneRules = .utc) throws -> DailyDeadline {
        try DailyDeadline(minute: minute, zone: zone)
    }

    @Test func aDayWithoutASuccessIsToldAtItsTime() throws {
        let deadline = try by(8 * 60)
        let rig = Rig([daily { $0.expectBy = deadline }])
        rig.advance(to: "02:01")
        end(rig)
        rig.advance(to: "+1 02:01")
        end(rig, 1)
        rig.advance(to: "+1 07:59")
        #expect(told(rig).isEmpty)
        rig.advance(to: "+3 00:00")
        #expect(
            told(rig) == [
                "+1 08:00 no success since 2026-01-05 02:01", "+2 08:00 no success since 2026-01-05 02:01",
            ])
        #expect(
            rig.scheduler.explain("a", at: nil, now: rig.now).contains(
                .late(since: at("02:01"), every: nil, by: "08:00")))
        rig.restart(at: "+9 12:00")
        #expect(told(rig).count == 3, "of several that came while nobody was there, once")
        rig.restart(at: "+9 13:00")
        rig.advance(to: "+10 02:01")
        end(rig)
        #expect(rig.scheduler.lateJobs.isEmpty)
        rig.advance(to: "+11 02:01")
        end(rig)
        rig.advance(to: "+12 01:00")
        #expect(told(rig).count == 3)
    }

    @Test func aNewJobHasAWholeDay() throws {
        let deadline = try by(8 * 60)
        let rig = Rig([daily { $0.expectBy = deadline }], at: "07:59")
        rig.advance(to: "+1 07:59")
        #expect(told(rig).isEmpty)
        rig.advance(to: "+1 08:00")
        #expect(told(rig) == ["+1 08:00 no success since 2026-01-05 07:59"])
    }

    @Test func bothAtTheSameTimeAreOneMessage() throws {
        let deadline = try by(8 * 60)
        let rig = Rig(
            [
                daily {
                    $0.expectBy = deadline
                    $0.expectEvery = .seconds(86_400)
                }
            ], at: "08:00")
        rig.advance(to: "+1 08:00")
        #expect(told(rig).count == 1)
        let reasons = rig.scheduler.explain("a", at: nil, now: rig.now)
        #expect(reasons.contains(.late(since: at("08:00"), every: .seconds(86_400), by: nil)))
    }

    /// In the night of 2026-03-29 Paris has no 02:30, in that of 2026-10-25 it has two.
    @Test(arguments: [
        ("2026-03-28", "2026-03-28T02:30:00+01:00"), ("2026-03-29", "2026-03-29T03:00:00+02:00"),
        ("2026-10-25", "2026-10-25T02:30:00+02:00"), ("2026-10-26", "2026-10-26T02:30:00+01:00"),
    ])
    func theTimeOfDayIsOneOfEachDay(day: String, expected: String) throws {
        let zone = try #require(parisRules)
        let deadline = try by(150, zone)
        let noon = try Instant.absolute(day + "T12:00", zone: zone)
        let rig = Rig(
            [
                job("a") {
                    $0.messages = Self.lateOnly
                    $0.expectBy = deadline
                }
            ], at: noon - .seconds(3 * 86_400))
        rig.advance(to: noon)
        let last = try #require(rig.sendings.last)
        #expect(last.createdAt.rfc3339(in: zone) == expected)
        #expect(rig.sendings.count == 2, "the first night is that of its registration")
    }
}
