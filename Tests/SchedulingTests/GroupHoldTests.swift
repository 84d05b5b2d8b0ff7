import Schedules
import Scheduling
import Testing

/// Hold groups: what waits, until when, and who may say so.
@Suite struct GroupHoldTests {
    private func agent(_ name: String = "a", with change: (inout Job) -> Void = { _ in }) -> Job {
        job(name, "0 * * * *") {
            $0.holdGroup = "claude"
            change(&$0)
        }
    }

    /// The run of 01:00 says it at 01:10, and ends.
    private func said(_ words: String, _ rig: Rig, isEnding: Bool = true) {
        rig.advance(to: "01:10")
        rig.send(.holdSaid(run: id("a", "01:00"), attempt: 1, at: rig.now, words: words))
        if isEnding { rig.end(id("a", "01:00")) }
    }

    @Test(arguments: [
        ("45m", "01:55"), ("2h", "03:10"), ("7d", "+7 01:10"), ("17:00", "17:00"), ("7:30", "07:30"),
        ("01:10", "+1 01:10"), ("01:11", "01:11"), ("00:00", "+1 00:00"),
    ])
    func `a process says until when`(words: String, until: String) {
        let rig = Rig([agent()])
        said(words, rig)
        #expect(rig.scheduler.groupHolds.map(\.until) == [at(until)])
        #expect(rig.store.groupHolds["claude"]?.run == id("a", "01:00"))
    }

    @Test(arguments: ["", "later", "25:00", "12:60", "-5m", "0s", "8d", "17", "1:2:3", "17:00 UTC", "９:00"])
    func `what makes no sense holds nothing, and is a remark of the run`(words: String) {
        let rig = Rig([agent()])
        said(words, rig, isEnding: false)
        #expect(rig.scheduler.groupHolds.isEmpty)
        #expect(rig.run(id("a", "01:00"))?.caveat?.contains("has no effect") == true)
    }

    @Test func `a time of day is of the job's zone, also over a change of its clocks`() throws {
        // Clocks go forward at 2026-03-29T01:00Z.
        let zone = try #require(parisRules)
        let start = try #require(Instant(rfc3339: "2026-03-28T12:00:00Z"))
        var job = Job(name: "a", registeredAt: start, zone: zone, action: .command(["true"]))
        job.holdGroup = "claude"
        let rig = Rig([job], at: start)
        guard case .run(let run)? = rig.request("a") else { throw Missing() }
        rig.send(.holdSaid(run: run.id, attempt: 1, at: rig.now, words: "08:00"))
        #expect(rig.scheduler.groupHolds.first?.until == Instant(rfc3339: "2026-03-29T06:00:00Z"))
    }

    private struct Missing: Error {}

    @Test func `every job of the group waits, and starts when the hold is over`() {
        let rig = Rig([agent(), agent("b"), job("c", "0 * * * *")])
        said("2h30m", rig)
        rig.end(id("b", "01:00"))
        rig.end(id("c", "01:00"))
        rig.advance(to: "02:00")
        #expect(rig.launches.suffix(1).map(\.run.job) == ["c"])
        #expect(rig.status(id("a", "02:00")) == .queued && rig.status(id("b", "02:00")) == .queued)
        #expect(rig.scheduler.groupHold(ofRun: id("b", "02:00"))?.until == at("03:40"))
        #expect(rig.scheduler.runsByGroup == ["claude": 2])
        rig.advance(to: "03:40")
        #expect(rig.status(id("a", "02:00")) == .running && rig.status(id("b", "02:00")) == .running)
        #expect(rig.scheduler.groupHolds.isEmpty && rig.store.groupHolds.isEmpty)
        // One wait, and no look at it in between.
        #expect(rig.ledger("a") == ["01:00 success", "02:00 running", "03:00 skipped overlap"])
    }

    @Test func `the next attempt of a run waits, too`() {
        let rig = Rig([agent { $0.retry = retry(2) }])
        said("1h", rig, isEnding: false)
        rig.end(id("a", "01:00"), .exited(1))
        rig.advance(to: "01:50")
        #expect(rig.launches.count == 1 && rig.status(id("a", "01:00")) == .retrying)
        rig.advance(to: "02:10")
        #expect(rig.launches.map(\.run.attempt) == [1, 2])
    }

    @Test func `what is asked for by hand waits, and what is forced does not`() {
        let rig = Rig([agent()])
        said("5h", rig)
        guard case .run(let waiting)? = rig.request("a"),
            case .run(let forced)? = rig.request("a", { $0.isForced = true })
        else {
            Issue.record("refused")
            return
        }
        #expect(waiting.status == .queued && forced.status == .running)
    }

    @Test func `a restart goes on holding, and hears nothing twice`() {
        let rig = Rig([agent()])
        said("3h", rig, isEnding: false)
        rig.advance(to: "01:20")
        #expect(rig.ask { .groupToggled(group: "claude", isWaiting: false, until: nil, ticket: $0) } == .done)
        rig.restart(at: "01:30", evidence: [id("a", "01:00"): .held])
        // Its supervisor still has the words.
        rig.send(.holdSaid(run: id("a", "01:00"), attempt: 1, at: at("01:10"), words: "3h"))
        #expect(rig.scheduler.groupHolds.isEmpty)
        // What it says anew is heard.
        rig.send(.holdSaid(run: id("a", "01:00"), attempt: 1, at: at("01:30"), words: "1h"))
        #expect(rig.scheduler.groupHolds.map(\.until) == [at("02:30")])
        rig.end(id("a", "01:00"))
        rig.advance(to: "02:10")
        rig.restart(at: "02:20")
        #expect(rig.status(id("a", "02:00")) == .queued)
        rig.advance(to: "02:30")
        #expect(rig.status(id("a", "02:00")) == .running)
    }

    @Test func `a hold that ended while no daemon was there is over`() {
        let rig = Rig([agent()])
        said("1h", rig)
        rig.restart(at: "05:30")
        #expect(rig.scheduler.groupHolds.isEmpty && rig.launches.last?.run.trigger == .catchUp)
    }

    @Test func `of several holds the longest stands, and a client's word over all`() {
        let rig = Rig([agent()])
        said("3h", rig, isEnding: false)
        rig.send(.holdSaid(run: id("a", "01:00"), attempt: 1, at: rig.now + .seconds(1), words: "1h"))
        #expect(rig.scheduler.groupHolds.map(\.until) == [at("04:10")])
        #expect(rig.ask { .groupToggled(group: "claude", isWaiting: true, until: nil, ticket: $0) } == .done)
        rig.advance(to: "01:20")
        rig.send(.holdSaid(run: id("a", "01:00"), attempt: 1, at: rig.now, words: "5h"))
        #expect(rig.scheduler.groupHolds.map(\.until) == [nil])
        rig.end(id("a", "01:00"))
        rig.advance(to: "+2 00:00")
        #expect(rig.status(id("a", "02:00")) == .queued)
        #expect(rig.ask { .groupToggled(group: "claude", isWaiting: false, until: nil, ticket: $0) } == .done)
        #expect(rig.status(id("a", "02:00")) == .running && rig.store.groupHolds.isEmpty)
    }

    @Test func `a group that no job has is refused with those that some have`() {
        let rig = Rig([agent(), job("b") { $0.holdGroup = "codex" }])
        let reply = rig.ask { .groupToggled(group: "cluade", isWaiting: true, until: nil, ticket: $0) }
        #expect(reply == .refused(.groupNotFound("cluade", known: ["claude", "codex"])))
    }

    @Test func `a run of no group holds nothing`() {
        let rig = Rig([job("a", "0 * * * *")])
        said("3h", rig, isEnding: false)
        #expect(rig.scheduler.groupHolds.isEmpty)
        #expect(rig.run(id("a", "01:00"))?.caveat == "“hold 3h” has no effect: its job is in no hold_group")
    }

    @Test func `a run that waits is cancelled, replaced and made to wait for its conditions as any other`() {
        let careful = job("b", "30 1 * * *") {
            $0.holdGroup = "claude"
            $0.conditions.needsACPower = true
        }
        let rig = Rig([agent { $0.overlap = .replace }, careful])
        said("3h", rig)
        rig.advance(to: "03:00")
        #expect(rig.status(id("b", "01:30")) == .queued && rig.watch.facts.isEmpty)
        #expect(rig.status(id("a", "02:00")) == .cancelled && rig.status(id("a", "03:00")) == .queued)
        #expect(rig.ask { .cancelRequested(run: id("a", "03:00"), ticket: $0) } == .done)
        #expect(rig.status(id("a", "03:00")) == .cancelled)
        rig.advance(to: "04:10")
        #expect(rig.launches.map(\.run.id) == [id("a", "01:00"), id("a", "04:00")])
        #expect(rig.watch.facts == [.acPower])
        rig.tell { $0.isOnACPower = true }
        #expect(rig.status(id("b", "01:30")) == .running)
    }

    @Test func `a clock that is set moves a span and not a time of day`() {
        for (words, until) in [("2h", "+1 03:10"), ("17:00", "17:00")] {
            let rig = Rig([agent()])
            said(words, rig)
            rig.stepClock(by: .seconds(86_400))
            #expect(rig.scheduler.groupHolds.map(\.until) == (words == "2h" ? [at(until)] : []))
            if words == "2h" { continue }
            let other = Rig([agent()])
            said(words, other)
            other.stepClock(by: .seconds(-3_600))
            #expect(other.scheduler.groupHolds.map(\.until) == [at(until)])
        }
    }

    @Test func `the bound of held groups`() {
        let jobs = (0...Scheduler.Limits.groupHolds).map { number in job("j\(number)") { $0.holdGroup = "g\(number)" } }
        let rig = Rig(jobs)
        for number in 0..<Scheduler.Limits.groupHolds {
            #expect(rig.ask { .groupToggled(group: "g\(number)", isWaiting: true, until: nil, ticket: $0) } == .done)
        }
        let last = "g\(Scheduler.Limits.groupHolds)"
        let reply = rig.ask { .groupToggled(group: last, isWaiting: true, until: nil, ticket: $0) }
        #expect(reply == .refused(.limitExceeded("100 groups are held already")))
    }

    @Test func `why says what a run waits for, and each job has it on record`() {
        let rig = Rig([agent()])
        said("3h", rig)
        rig.advance(to: "02:00")
        let reasons = rig.scheduler.explain("a", at: nil, now: rig.now).map { $0.sentence(in: .utc) }
        #expect(
            reasons.first == "\(id("a", "02:00")) waits: the group claude is held until 2026-01-05T04:10:00+00:00, "
                + "as \(id("a", "01:00")) said")
        #expect(rig.store.changes.map(\.what) == [.held])
        rig.advance(to: "04:10")
        #expect(rig.store.changes.map(\.what) == [.held, .released])
    }
}
