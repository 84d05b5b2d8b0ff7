import Schedules
import Testing

@testable import Scheduling

/// Commands that say whether there is something to do: polls, and prechecks of runs that are due.
@Suite struct PollTests {
    private func poller(_ interval: Int64 = 60, with change: (inout Job) -> Void = { _ in }) -> Job {
        job("a") {
            $0.poll = Job.Poll(interval: .seconds(interval), condition: .command(["look"]))
            change(&$0)
        }
    }

    private func answer(_ rig: Rig, _ answer: PollAnswer) { rig.send(.polled(.job("a"), answer)) }

    @Test func `a poll is asked on its grid, one at a time, and what it finds is the run's input`() {
        let rig = Rig([poller()], at: "00:00:30")
        rig.advance(to: "00:00:59")
        #expect(rig.polls.isEmpty)
        rig.advance(to: "00:02:30")
        #expect(rig.polls == [.job("a")], "the first has not answered")
        answer(rig, .nothing)
        #expect(rig.launches.isEmpty)
        rig.advance(to: "00:03:00")
        #expect(rig.polls.count == 2)
        answer(rig, .found(output: "news"))
        #expect(rig.launches.map(\.run.trigger) == [.poll] && rig.launches.first?.run.standardInput == "news")
        #expect(rig.store.states["a"]?.polls == 2)
        #expect(rig.store.states["a"]?.lastPollAt == at("00:03"))
        #expect(rig.store.runs.count == 1, "an answer of nothing is on record as a count only")
        rig.advance(to: "00:09:00")
        #expect(rig.polls.count == 2, "its job is busy")
        rig.end(rig.launches[0].run.id)
        rig.advance(to: "00:10:00")
        #expect(rig.polls.count == 3)
        #expect(rig.store.runs[rig.launches[0].run.id]?.standardInput == nil)
    }

    @Test func `after a failure the pause doubles, up to an hour`() {
        let rig = Rig([poller(600)])
        var asked: [Instant] = []
        for _ in 0..<6 {
            let before = rig.polls.count
            while rig.polls.count == before { rig.advance(to: rig.now + .seconds(60)) }
            asked.append(rig.now)
            answer(rig, .failed("exited with 3"))
        }
        #expect(zip(asked.dropFirst(), asked).map { ($0 - $1).components.seconds } == [1200, 2400, 3600, 3600, 3600])
        #expect(rig.store.states["a"]?.pollFailures == 6)
        answer(rig, .nothing)
        #expect(rig.store.states["a"]?.pollFailures == 6, "nobody was asked")
        rig.advance(to: rig.now + .seconds(3600))
        answer(rig, .nothing)
        #expect(rig.store.states["a"]?.pollFailures == 0)
        let explained = rig.scheduler.explain("a", at: nil, records: [], now: rig.now).map(\.code)
        #expect(explained.contains("polls"))
    }

    @Test func `the same output again within dedupe makes no run, across a restart either`() {
        let rig = Rig([poller { $0.poll?.dedupe = .seconds(600) }])
        func found(_ output: String) {
            rig.advance(to: rig.now + .seconds(60))
            answer(rig, .found(output: output))
            for launch in rig.launches where rig.store.runs[launch.run.id]?.status == .running {
                rig.end(launch.run.id)
            }
        }
        found("a")
        found("a")
        #expect(rig.launches.count == 1)
        found("b")
        found("b")
        #expect(rig.launches.count == 2)
        rig.restart(at: "00:05")
        found("b")
        #expect(rig.launches.count == 2)
        for _ in 0..<10 { found("b") }
        #expect(rig.launches.count == 3, "ten minutes after the last time")
    }

    @Test func `nothing is asked while it could not run, and what was not asked is not made up for`() {
        let rig = Rig([poller()])
        rig.send(.schedulerToggled(false))
        rig.advance(to: "00:10:00")
        #expect(rig.polls.isEmpty && rig.armed.map { $0 > at("01:00") } ?? true)
        rig.send(.schedulerToggled(true))
        rig.advance(to: "00:10:30")
        #expect(rig.polls.isEmpty)
        rig.advance(to: "00:11:00")
        #expect(rig.polls.count == 1)
        answer(rig, .nothing)
        rig.sleep(to: "05:00:30")
        rig.advance(to: "05:01:00")
        #expect(rig.polls.count == 2)
        answer(rig, .nothing)
        rig.send(.jobToggled(job: "a", isEnabled: false, until: nil))
        rig.advance(to: "05:10:00")
        #expect(rig.polls.count == 2)
    }

    @Test func `a question that nobody answers has failed, and the clock is no obstacle`() {
        let rig = Rig([poller(), job("b", "0 9 * * *") { $0.precheck = .command(["look"]) }])
        rig.advance(to: "00:01:00")
        rig.advance(to: "00:02:59")
        #expect(rig.store.states["a"]?.pollFailures ?? 0 == 0)
        rig.advance(to: "00:03:00")
        #expect(rig.store.states["a"]?.pollFailures == 1)
        rig.stepClock(by: .seconds(-86_400 * 3))
        rig.advance(to: rig.now + .seconds(3_600))
        #expect(rig.polls.count > 1)
        let due = Rig([job("b", "0 9 * * *") { $0.precheck = .command(["look"]) }])
        due.advance(to: "09:01:59")
        #expect(due.launches.isEmpty)
        due.advance(to: "09:02:00")
        #expect(due.run(id("b", "09:00"))?.caveat == "its precheck failed: it did not answer")
        #expect(due.launches.count == 1)
    }

    // MARK: - Prechecks

    private func checked(with change: (inout Job) -> Void = { _ in }) -> Job {
        job("a", "0 9 * * *") {
            $0.precheck = .command(["look"])
            change(&$0)
        }
    }

    @Test(arguments: [
        (PollAnswer.found(output: "mail"), Run.Status.running, nil as Run.Reason?, "mail" as String?, nil as String?),
        (.found(output: ""), .running, nil, nil, nil),
        (.nothing, .skipped, .nothingToDo, nil, nil),
        (.failed("timed out"), .running, nil, nil, "its precheck failed: timed out"),
    ])
    func `a run that is due is checked once, last of all`(
        _ answer: PollAnswer, _ status: Run.Status, _ reason: Run.Reason?, _ input: String?, _ caveat: String?
    ) {
        let rig = Rig([checked()])
        rig.advance(to: "09:00")
        let run = id("a", "09:00")
        #expect(rig.polls == [.run(run)] && rig.launches.isEmpty)
        rig.send(.polled(.run(run), answer))
        #expect(rig.status(run) == status)
        #expect(rig.run(run)?.reason == reason && rig.run(run)?.caveat == caveat)
        #expect(rig.launches.map(\.run.standardInput) == (status == .running ? [input] : []))
        rig.advance(to: "10:00")
        #expect(rig.polls.count == 1)
    }

    @Test func `a forced run is not checked, and one that was cancelled hears no answer`() {
        let rig = Rig([checked()])
        _ = rig.request("a") { $0.isForced = true }
        #expect(rig.polls.isEmpty && rig.launches.count == 1)
        rig.end(rig.launches[0].run.id)
        rig.advance(to: "09:00")
        let run = id("a", "09:00")
        _ = rig.ask { .cancelRequested(run: run, ticket: $0) }
        rig.send(.polled(.run(run), .found(output: "x")))
        #expect(rig.status(run) == .cancelled && rig.launches.count == 1)
    }

    @Test func `conditions come first`() {
        let rig = Rig([checked { $0.conditions.needsACPower = true }])
        rig.advance(to: "09:00")
        #expect(rig.polls.isEmpty)
        rig.tell { $0.isOnACPower = false }
        #expect(rig.polls.isEmpty)
        rig.tell { $0.isOnACPower = true }
        #expect(rig.polls == [.run(id("a", "09:00"))])
    }
}
