import Schedules
import Scheduling
import Testing

@Suite struct RequestTests {
    private func run(_ reply: Reply?) -> Run? {
        guard case .run(let run)? = reply else {
            Issue.record("no run, but \(String(describing: reply))")
            return nil
        }
        return run
    }

    @Test func `a run by hand starts at once, and does not move the schedule`() {
        let rig = Rig([job("a", "0 9 * * *")])
        rig.advance(to: "08:00")
        let reply = run(rig.request("a") { $0.inputs = #"{"x":1}"# })
        #expect(reply?.status == .running)
        #expect(reply?.trigger == .manual)
        #expect(reply?.coveredCount == 0)
        #expect(rig.launches.last?.run.inputs == #"{"x":1}"#)
        #expect(rig.armed == at("09:00"))
        rig.end(id("a", "08:00"))
        rig.advance(to: "09:00")
        #expect(rig.launches.count == 2)
    }

    @Test func `an unknown job is refused by name`() {
        let rig = Rig([])
        #expect(rig.request("b") == .refused(.jobNotFound("b")))
    }

    @Test func `disabled or paused, a job runs by hand all the same`() {
        let rig = Rig([job("a", "0 9 * * *") { $0.isEnabled = false }], isEnabled: false)
        #expect(run(rig.request("a"))?.status == .running)
    }

    @Test func `the same idempotency key is the same run, under way, ended, and after a restart`() {
        let rig = Rig([job("a", "0 9 * * *")])
        let key = { (request: inout RunRequest) in request.idempotencyKey = "k" }
        let first = run(rig.request("a", key))
        #expect(run(rig.request("a", key))?.id == first?.id)
        rig.end(id("a", "00:00"))
        #expect(run(rig.request("a", key))?.status == .success)
        rig.restart(at: "01:00")
        #expect(run(rig.request("a", key))?.id == first?.id)
        #expect(rig.launches.count == 1)
    }

    @Test func `the same key is the same run even before anything of it is committed`() {
        let rig = Rig([job("a", "0 9 * * *")])
        var request = RunRequest(job: "a")
        request.idempotencyKey = "k"
        func ask(_ ticket: Ticket) -> String? {
            for case .reply(ticket, .run(let run)) in rig.scheduler.handle(
                .runRequested(request, ticket: ticket), at: rig.now)
            {
                return run.id
            }
            return nil
        }
        let first = ask(1)
        _ = rig.scheduler.handle(.cancelRequested(run: first ?? "", ticket: 2), at: rig.now)
        let outcome = AttemptOutcome(ending: .signaled(15), startedAt: rig.now, endedAt: rig.now)
        _ = rig.scheduler.handle(.attemptEnded(run: first ?? "", attempt: 1, outcome), at: rig.now)
        #expect(ask(3) == first)
    }

    @Test func `a key names the run of its job, also where only its end is known, and no other job's`() {
        let rig = Rig([job("a"), job("b")])
        let key = { (request: inout RunRequest) in request.idempotencyKey = "k" }
        let first = run(rig.request("a", key))?.id ?? ""
        #expect(rig.request("b", key) == .refused(.keyTaken(run: first, job: "a")))
        rig.end(first)
        #expect(rig.request("b", key) == .refused(.keyTaken(run: first, job: "a")))
        rig.store.keep(0)
        let removed = RemovedRun(id: first, job: "a", status: .success, endedAt: rig.now)
        #expect(rig.request("a", key) == .removedRun(removed))
        #expect(rig.request("b", key) == .refused(.keyTaken(run: first, job: "a")))
        let once = job("b")
        var request = RunRequest(job: "b")
        request.idempotencyKey = "k"
        #expect(rig.ask { .runOnce(once, request, ticket: $0) } == .refused(.keyTaken(run: first, job: "a")))
        #expect(rig.launches.count == 1)
    }

    @Test func `an unknown job is not toggled, and who asked is told`() {
        let rig = Rig([job("a")])
        #expect(
            rig.ask { .jobToggled(job: "x", isEnabled: true, until: nil, ticket: $0) } == .refused(.jobNotFound("x")))
        #expect(rig.ask { .jobToggled(job: "a", isEnabled: false, until: nil, ticket: $0) } == .done)
        #expect(rig.ask { .schedulerToggled(false, ticket: $0) } == .done)
    }

    @Test func `a definition that no longer reads is forgotten, with what is remembered of its job`() {
        let rig = Rig([busJob("a", "0 9 * * *")])
        _ = rig.ask { .jobUpserted(busJob("a", "0 9 * * *"), ticket: $0) }
        let settings = SchedulerSettings()
        rig.send(.configurationChanged(jobs: [], retained: ["a"], settings: settings, isEnabled: true))
        #expect(rig.ask { .definitionForgotten(job: "a", ticket: $0) } == .done)
        #expect(rig.store.definitions.isEmpty)
        #expect(rig.announcements.last == .jobsChanged(added: [], changed: [], removed: ["a"]))
    }

    @Test func `a run for a fire time ahead takes its place`() {
        let rig = Rig([job("a", "0 9 * * *")])
        let nine = { (request: inout RunRequest) in request.scheduledFor = at("09:00") }
        let first = run(rig.request("a", nine))
        #expect(first?.id == id("a", "09:00"))
        #expect(run(rig.request("a", nine))?.id == first?.id)
        #expect(rig.scheduler.job(named: "a")?.nextRun == at("+1 09:00"))
        rig.end(id("a", "09:00"))
        rig.restart(at: "08:00")
        rig.advance(to: "10:00")
        #expect(rig.launches.count == 1, "the schedule does not run it again")
        #expect(rig.store.states["a"]?.claimed == [])
        rig.advance(to: "+1 09:00")
        #expect(rig.launches.count == 2)
    }

    @Test func `fire times that clients may take beforehand are bounded`() {
        let rig = Rig([job("a", "* * * * *")])
        for minute in 1...Scheduler.Limits.claimedFireTimes + 1 {
            let reply = rig.request("a") {
                $0.scheduledFor = at("00:00") + .seconds(minute * 60)
                $0.isForced = true
            }
            if minute <= Scheduler.Limits.claimedFireTimes {
                rig.end(run(reply)?.id ?? "")
            } else {
                guard case .refused(.limitExceeded)? = reply else {
                    Issue.record("\(String(describing: reply))")
                    return
                }
            }
        }
    }

    @Test func `forced runs know no limits`() {
        let rig = Rig([job("a", "0 9 * * *"), job("b", "0 9 * * *") { $0.budget.runsPerDay = 0 }]) {
            $0.maxConcurrentRuns = 1
            $0.launchesPerMinute = 1
        }
        let force = { (request: inout RunRequest) in request.isForced = true }
        for name in ["a", "a", "b"] { #expect(run(rig.request(name, force))?.status == .running) }
        #expect(run(rig.request("a"))?.status == .queued)
    }

    @Test func `a used-up budget refuses a run by hand, and skips fire times`() {
        let rig = Rig([job("a", "0 * * * *") { $0.budget.runsPerDay = 2 }])
        for hour in 1...2 {
            rig.advance(to: "0\(hour):00")
            rig.end(id("a", "0\(hour):00"))
        }
        rig.advance(to: "03:00")
        #expect(rig.ledger("a").last == "03:00 skipped budget")
        guard case .refused(.limitExceeded)? = rig.request("a") else {
            Issue.record("not refused")
            return
        }
        rig.advance(to: "+1 00:00")
        #expect(rig.ledger("a").last == "+1 00:00 running", "a new day, a new budget")
    }

    @Test func `runs that wait count against the budget, also on a day that has seen none`() {
        let rig = Rig([job("a", "0 * * * *") { ($0.budget.runsPerDay, $0.overlap) = (2, .queue) }, job("b")]) {
            $0.maxConcurrentRuns = 1
        }
        _ = rig.request("b")
        rig.advance(to: "03:00")
        #expect(rig.ledger("a") == ["01:00 queued", "02:00 queued", "03:00 skipped budget"])
    }

    @Test func `wall time and cost are budgets, too`() {
        let rig = Rig([
            job("a", "0 * * * *") { $0.budget.wallTimePerDay = .seconds(600) },
            job("b", "0 * * * *") { $0.budget.costPerDay = 1.5 },
        ])
        rig.advance(to: "01:00")
        rig.advance(to: "01:10")
        rig.end(id("a", "01:00"))
        var outcome = AttemptOutcome(ending: .exited(0), startedAt: at("01:00"), endedAt: at("01:10"))
        outcome.cost = 1.5
        rig.send(.attemptEnded(run: id("b", "01:00"), attempt: 1, outcome))
        rig.advance(to: "02:00")
        #expect(rig.ledger("a") == ["01:00 success", "02:00 skipped budget"])
        #expect(rig.ledger("b") == ["01:00 success", "02:00 skipped budget"])
    }

    @Test func `cancel ends a process, or what has none at once`() {
        let rig = Rig([job("a", "0 9 * * *") { $0.retry = retry(3) }])
        let first = run(rig.request("a"))?.id ?? ""
        let second = run(rig.request("a"))?.id ?? ""
        #expect(rig.ask { .cancelRequested(run: second, ticket: $0) } == .done)
        #expect(rig.status(second) == .cancelled)
        #expect(rig.story(second) == ["started", "failed: cancelled by request"])
        #expect(rig.ask { .cancelRequested(run: first, ticket: $0) } == .done)
        #expect(rig.stops == [first])
        #expect(rig.ask { .cancelRequested(run: first, ticket: $0) } == .done)
        #expect(rig.stops == [first], "one stop is enough")
        rig.end(first, .exited(1))
        #expect(rig.status(first) == .cancelled, "what was cancelled is not tried again")
        #expect(rig.ask { .cancelRequested(run: first, ticket: $0) } == .refused(.runNotFound(first)))
    }

    @Test func `skip_job passes over the next fire time, once, and says what comes then`() {
        let rig = Rig([job("a", "0 * * * *")])
        let answer = Reply.skipped(fireTime: at("01:00"), next: at("02:00"))
        #expect(rig.ask { .skipRequested(job: "a", ticket: $0) } == answer)
        #expect(rig.ask { .skipRequested(job: "a", ticket: $0) } == answer)
        #expect(rig.scheduler.job(named: "a")?.nextRun == at("02:00"))
        #expect(rig.scheduler.nextRun?.at == at("02:00"))
        rig.restart(at: "00:30")
        rig.advance(to: "02:00")
        #expect(rig.ledger("a") == ["01:00 skipped user", "02:00 running"])
        #expect(rig.ask { .skipRequested(job: "x", ticket: $0) } == .refused(.jobNotFound("x")))
    }

    @Test func `run_now runs a definition that is not scheduled, with its retries`() {
        let rig = Rig([])
        let once = job("x") {
            $0.retry = retry(2)
            $0.definition = #"{"name":"x"}"#
        }
        let reply = run(rig.ask { .runOnce(once, RunRequest(job: "x"), ticket: $0) })
        #expect(reply?.definition == #"{"name":"x"}"#)
        #expect(rig.scheduler.jobCount == 0)
        rig.end(id("x", "00:00"), .exited(1))
        rig.advance(to: "00:01")
        #expect(rig.launches.last?.run.attempt == 2)
        rig.end(id("x", "00:00"))
        #expect(rig.status(id("x", "00:00")) == .success)
    }

    @Test func `a chain runs after success, failure or any end, with the run before`() {
        let rig = Rig([
            job("a") { ($0.onSuccess, $0.onFailure) = (["good"], ["bad"]) },
            job("good"), job("bad"),
            job("after") { $0.after = Job.Chain(job: "a", on: .any) },
            job("afterFailure") { $0.after = Job.Chain(job: "a", on: .failure) },
            job("afterSuccess") { $0.after = Job.Chain(job: "a", on: .success) },
            job("disabled") { ($0.after, $0.isEnabled) = (Job.Chain(job: "a", on: .any), false) },
        ])
        _ = rig.request("a")
        rig.end(id("a", "00:00"))
        #expect(rig.launches.map(\.job.name) == ["a", "good", "after", "afterSuccess"])
        #expect(rig.launches.last?.previous?.id == id("a", "00:00"))
        #expect(rig.launches.last?.run.previous == id("a", "00:00"))
        #expect(rig.launches.last?.run.trigger == .chain)
        rig.advance(to: "01:00")
        _ = rig.request("a")
        rig.end(id("a", "01:00"), .exited(1))
        #expect(rig.launches.map(\.job.name).suffix(3) == ["a", "bad", "afterFailure"])
        rig.advance(to: "02:00")
        _ = rig.request("a")
        let before = rig.store.order.count
        _ = rig.ask { .cancelRequested(run: id("a", "02:00"), ticket: $0) }
        rig.end(id("a", "02:00"), .signaled(15))
        #expect(rig.store.order.count == before, "what a user has ended is followed by nothing")
    }

    @Test func `a circle of chains ends with a record of why`() {
        let rig = Rig([job("a") { $0.onSuccess = ["b"] }, job("b") { $0.onSuccess = ["a"] }])
        _ = rig.request("a")
        var ended = 0
        while ended < rig.launches.count {
            rig.end(rig.launches[ended].run.id)
            ended += 1
        }
        #expect(ended == Scheduler.Limits.chainLength + 1)
        #expect(rig.store.runs.values.filter { $0.reason == .limit }.count == 1)
    }

    @Test func `a chained run obeys the budget`() {
        let rig = Rig([job("a") { $0.onSuccess = ["b"] }, job("b") { $0.budget.runsPerDay = 1 }])
        for hour in 0...1 {
            rig.advance(to: "0\(hour):00")
            _ = rig.request("a")
            rig.end(id("a", "0\(hour):00"))
        }
        rig.end(id("b", "00:00"))
        #expect(rig.status(id("b", "01:00")) == .skipped)
        #expect(rig.run(id("b", "01:00"))?.reason == .budget)
    }

    @Test func `runs that wait are bounded by job`() {
        let rig = Rig([job("a")])
        for _ in 0...Scheduler.Limits.waitingRunsPerJob { _ = rig.request("a") }
        guard case .refused(.limitExceeded)? = rig.request("a") else {
            Issue.record("not refused")
            return
        }
    }

    @Test func `a stopping scheduler leaves, lets finish or ends what runs, as each job says`() {
        let rig = Rig([
            job("leaves", "0 * * * *"), job("finishes", "0 * * * *") { $0.onStop = .finish },
            job("dies", "0 * * * *") { $0.onStop = .kill },
        ])
        rig.advance(to: "01:00")
        rig.send(.stopping)
        #expect(rig.stops == [id("dies", "01:00")])
        rig.send(.stopping)
        #expect(Set(rig.stops) == [id("dies", "01:00"), id("finishes", "01:00")], "the time to finish is over")
        for name in ["dies", "finishes"] {
            rig.end(id(name, "01:00"), .signaled(15))
            #expect(rig.status(id(name, "01:00")) == .interrupted)
        }
        #expect(rig.status(id("leaves", "01:00")) == .running)
        rig.end(id("leaves", "01:00"))
        #expect(rig.status(id("leaves", "01:00")) == .success, "it may still end in time to be recorded")
    }

    @Test func `a stopping scheduler starts nothing, and asks what runs to end`() {
        let rig = Rig([
            job("a", "0 * * * *") {
                $0.onSuccess = ["b"]
                $0.onStop = .kill
            }, job("b"),
        ])
        rig.advance(to: "01:00")
        _ = rig.request("a")
        rig.send(.stopping)
        #expect(rig.stops == [id("a", "01:00")])
        #expect(rig.request("a") == .refused(.stopping))
        #expect(rig.ask { .runOnce(job("x"), RunRequest(job: "x"), ticket: $0) } == .refused(.stopping))
        #expect(rig.ask { .jobUpserted(job("x"), ticket: $0) } == .refused(.stopping))
        rig.end(id("a", "01:00"), .signaled(15))
        #expect(rig.status(id("a", "01:00")) == .interrupted)
        #expect(rig.launches.count == 1)
        rig.restart(at: "01:30")
        #expect(rig.launches.count == 2, "what waited starts under the next daemon")
    }

    @Test func `a run that ended without a daemon does not hold back what was missed meanwhile`() {
        let rig = Rig([job("a", "0 * * * *")])
        rig.advance(to: "01:00")
        let outcome = AttemptOutcome(ending: .exited(3), startedAt: at("01:00"), endedAt: at("01:10"))
        rig.restart(at: "02:30", evidence: [id("a", "01:00"): .ended(outcome)])
        #expect(rig.status(id("a", "01:00")) == .failed)
        #expect(rig.run(id("a", "01:00"))?.exit == .code(3))
        #expect(rig.status(id("a", "02:00")) == .running, "caught up at once, and not skipped as overlapping")
    }

    @Test func `a fire time that a client took is not run by a later job of the name`() {
        let rig = Rig([busJob("a", "0 9 * * *")])
        _ = rig.request("a") { $0.scheduledFor = at("+2 09:00") }
        rig.end(id("a", "+2 09:00"))
        _ = rig.ask { .jobCancelled(job: "a", ticket: $0) }
        _ = rig.ask { .jobUpserted(busJob("a", "0 9,10 * * *"), ticket: $0) }
        rig.advance(to: "+2 10:00")
        #expect(rig.ledger("a").suffix(2) == ["+2 09:00 success ×0", "+2 10:00 skipped overlap"])
    }

    @Test func `nor where the daemon was away in between`() {
        let rig = Rig([busJob("a", "0 9 * * *")])
        _ = rig.request("a") { $0.scheduledFor = at("+2 09:00") }
        rig.end(id("a", "+2 09:00"))
        rig.restart(at: "01:00", jobs: [])
        rig.restart(at: "02:00", jobs: [])
        rig.restart(at: "03:00", jobs: [busJob("a", "0 9 * * *", registered: "03:00")])
        rig.advance(to: "+2 10:00")
        #expect(rig.ledger("a").last == "+2 09:00 success ×0")
        rig.restart(at: "+3 00:00", jobs: [])
        #expect(rig.store.states["a"] == nil)
    }

    @Test func `an instant that a client took may become a fire time`() {
        let rig = Rig([job("a", "0 9 * * *")])
        _ = rig.request("a") { $0.scheduledFor = at("08:30") }
        rig.end(id("a", "08:30"))
        rig.reload([job("a", "30 8 * * *")])
        rig.advance(to: "10:00")
        #expect(rig.ledger("a") == ["08:30 success ×0"])
    }

    @Test(arguments: [job("a"), job("a", "0 0 1 1 *")])
    func `instants that are no fire times do not use up what a client may take`(_ job: Job) {
        let rig = Rig([job])
        for minute in 0..<300 {
            let instant = at("00:01") + .seconds(60 * minute)
            rig.advance(to: instant)
            let reply = rig.request("a") { $0.scheduledFor = instant + .seconds(30) }
            guard case .run(let run) = reply else {
                Issue.record("\(String(describing: reply))")
                return
            }
            rig.end(run.id)
        }
    }
}

/// A job that was made over the bus.
private func busJob(_ name: String, _ cron: String, registered: String = "00:00") -> Job {
    job(name, cron, registered: registered) { $0.origin = .bus }
}
