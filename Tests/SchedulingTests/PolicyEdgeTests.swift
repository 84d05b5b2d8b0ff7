import Schedules
import Scheduling
import Testing

/// Branches of the policies that only matter beside another policy, or at a boundary.
@Suite struct PolicyEdgeTests {
    // MARK: - Overlap

    @Test func `a run by hand replaces the active one under replace`() {
        let rig = Rig([job("a", "0 1 * * *") { $0.overlap = .replace }])
        rig.advance(to: "01:00")
        _ = rig.request("a")
        #expect(rig.stops == [id("a", "01:00")])
        rig.end(id("a", "01:00"), .signaled(15))
        #expect(rig.launches.last?.run.trigger == .manual)
    }

    @Test func `replace ends no more runs than are in the way`() {
        let rig = Rig([
            job("a", "0 * * * *") {
                $0.overlap = .replace
                $0.maxInstances = 2
            }
        ])
        rig.advance(to: "03:00")
        #expect(rig.stops == [id("a", "01:00")])
    }

    @Test func `misfires that a run stood for are on record when it is refused`() {
        let rig = Rig([job("a", "0 * * * *")])
        rig.advance(to: "01:00")
        rig.restart(at: "04:02", evidence: [id("a", "01:00"): .held])
        #expect(
            rig.ledger("a") == [
                "01:00 running", "02:00 skipped overlap", "03:00 skipped overlap", "04:00 skipped overlap",
            ])
    }

    // MARK: - Catch-up

    @Test func `a misfire as old as the window is still caught up`() {
        let rig = Rig([
            job("a", "0 * * * *") {
                $0.catchUp.kind = .all
                $0.catchUp.window = .seconds(7200)
            }
        ])
        rig.restart(at: "04:00")
        #expect(rig.ledger("a").prefix(2) == ["01:00 missed expired", "02:00 catch_up running"])
    }

    @Test func `a once that was permitted to lie far in the past does not expire`() {
        let rig = Rig([], at: "00:10")
        rig.reload([onceJob("a", "-9 09:00") { $0.catchUp.graceTime = .zero }])
        #expect(rig.ledger("a") == ["+-9 09:00 catch_up running"])
    }

    @Test func `catch-up runs are spread over an hour at most`() {
        let rig = Rig([job("a", "0 1 * * *") { ($0.catchUp.kind, $0.catchUp.window) = (.spread, .seconds(864_000)) }])
        rig.restart(at: "+3 02:00")
        for _ in 0..<3 {
            if let launch = rig.launches.last { rig.end(launch.run.id) }
            rig.advance(to: rig.now + .seconds(720))
        }
        #expect(
            rig.launches.map { time($0.run.startedAt ?? .epoch) } == ["+3 02:00", "+3 02:12", "+3 02:24", "+3 02:36"])
    }

    @Test func `catch-up runs are spread anew after a restart`() {
        let rig = Rig([job("a", "0 * * * *") { $0.catchUp.kind = .spread }])
        rig.restart(at: "04:20")
        rig.end(id("a", "01:00"))
        rig.restart(at: "04:21")
        #expect(rig.launches.count == 2)
        rig.end(id("a", "02:00"))
        #expect(rig.launches.count == 2, "the third is not due yet")
        rig.advance(to: "04:50")
        #expect(rig.launches.count == 3)
    }

    @Test func `a pause that is over is no reason for what passed later`() {
        let rig = Rig([job("a", "0 * * * *") { $0.catchUp.kind = .none }])
        rig.send(.schedulerToggled(false))
        rig.advance(to: "01:30")
        rig.send(.schedulerToggled(true))
        rig.sleep(to: "02:30")
        #expect(rig.ledger("a") == ["01:00 missed paused", "02:00 missed asleep"])
    }

    @Test func `after a wake-up the jobs follow one another by priority`() {
        let rig = Rig([
            job("a", "0 1 * * *"), job("b", "0 1 * * *") { $0.priority = -5 },
            job("c", "0 1 * * *") { $0.priority = 5 },
        ]) { ($0.wakeSettle, $0.wakeSpread) = (.seconds(10), .seconds(30)) }
        rig.sleep(to: "02:00")
        rig.advance(to: "02:05")
        #expect(rig.launches.map(\.job.name) == ["b", "a", "c"])
        #expect(rig.launches.map { time($0.run.startedAt ?? .epoch) } == ["02:00:10", "02:00:20", "02:00:30"])
    }

    // MARK: - Limits

    @Test func `fire times wait for their turn up to a bound`() {
        let rig = Rig([
            job("a", "* * * * *") {
                $0.overlap = .queue
                $0.historyLimit = 5_000
            }
        ])
        rig.advance(to: "16:45")
        let waiting = rig.ledger("a").count { $0.hasSuffix("queued") }
        #expect(waiting == Scheduler.Limits.waitingRunsPerJob)
        #expect(rig.ledger("a").last == "16:45 skipped limit")
    }

    @Test func `a forced run overtakes those that wait for a limit`() {
        let rig = Rig([job("a", "0 1 * * *"), job("b", "0 1 * * *"), job("c")]) { $0.maxConcurrentRuns = 1 }
        rig.advance(to: "01:00")
        _ = rig.request("c") { $0.isForced = true }
        #expect(rig.launches.map(\.job.name) == ["a", "c"])
    }

    @Test func `of equals the older fire time goes first, whichever came to wait first`() {
        let rig = Rig([job("a", "30 1 * * *"), job("b", "0 1 * * *"), job("c", "0 0 2 * *"), job("x", "0 0 6 * *")]) {
            $0.maxConcurrentRuns = 1
        }
        _ = rig.request("c")
        _ = rig.request("a") { $0.scheduledFor = at("01:30") }
        _ = rig.request("b") { $0.scheduledFor = at("01:00") }
        rig.end(rig.launches[0].run.id)
        #expect(rig.launches.map(\.job.name) == ["c", "b"])
    }

    // MARK: - Budget

    @Test func `misfires that a run beyond the budget stood for are on record`() {
        let rig = Rig([job("a", "0 * * * *") { $0.budget.runsPerDay = 1 }])
        rig.advance(to: "01:00")
        rig.end(id("a", "01:00"))
        rig.sleep(to: "03:30")
        rig.advance(to: "03:35")
        #expect(rig.ledger("a") == ["01:00 success", "02:00 skipped budget", "03:00 skipped budget"])
    }

    @Test func `a budget holds on each day`() {
        let rig = Rig([job("a", "0 1,2,3 * * *") { $0.budget.runsPerDay = 1 }])
        for day in 0...2 {
            rig.advance(to: "+\(day) 01:00")
            rig.end(id("a", "+\(day) 01:00"))
            rig.advance(to: "+\(day) 12:00")
        }
        #expect(rig.launches.count == 3)
        #expect(rig.ledger("a").count { $0.hasSuffix("skipped budget") } == 6)
    }

    @Test func `a retry is no run of its own for the budget`() {
        let rig = Rig([
            job("a", "0 1,2 * * *") {
                $0.budget.runsPerDay = 2
                $0.retry = retry(2)
            }
        ])
        rig.advance(to: "01:00")
        rig.end(id("a", "01:00"), .exited(1))
        rig.advance(to: "01:01")
        rig.end(id("a", "01:00"))
        rig.advance(to: "02:00")
        #expect(rig.status(id("a", "02:00")) == .running)
    }

    // MARK: - Retry

    @Test func `a run that was timed out does not ask for its retry by what it said before`() {
        let rig = Rig([job("a", "0 9 * * *") { $0.retry = retry(3) { $0.on = [.type("auth")] } }])
        rig.advance(to: "09:00")
        rig.end(id("a", "09:00"), .exited(75), isTimedOut: true) { $0.retryAfter = .seconds(5) }
        #expect(rig.status(id("a", "09:00")) == .timeout)
    }

    @Test func `a wait that was asked for is told as it will be`() {
        let rig = Rig([job("a", "0 9 * * *") { $0.retry = retry(3) }])
        rig.advance(to: "09:00")
        rig.end(id("a", "09:00"), .exited(1)) { $0.retryAfter = .seconds(-5) }
        #expect(rig.story(id("a", "09:00")).last == "retry 2 in \(Duration.zero)")
        rig.advance(to: "09:00:01")
        rig.end(id("a", "09:00"), .exited(1)) { $0.retryAfter = .seconds(Int64.max) }
        let hundredYears = Duration.seconds(3_155_760_000)
        #expect(rig.run(id("a", "09:00"))?.retryAt == rig.now + hundredYears)
    }

    // MARK: - At boot

    private func bootJob(_ change: (inout Job) -> Void) throws -> Job {
        let schedule = try Schedule.cron("@reboot")
        let timetable = try Timetable(schedule: schedule, zone: .utc, anchor: at("00:00"))
        return job("a") {
            $0.schedules = [JobSchedule(type: "cron", text: "@reboot", timetable: timetable)]
            $0.scheduleKey = "@reboot"
            change(&$0)
        }
    }

    @Test func `a run at boot counts for max_executions`() throws {
        let rig = Rig([try bootJob { $0.maxExecutions = 1 }])
        #expect(rig.launches.count == 1)
        rig.end(rig.launches[0].run.id)
        rig.restart(at: "01:00", bootID: "boot-2")
        #expect(rig.launches.count == 1)
    }

    @Test func `a disabled job does not run at boot`() throws {
        let rig = Rig([try bootJob { $0.isEnabled = false }])
        #expect(rig.launches.isEmpty)
    }

    // MARK: - Chains

    @Test func `a job that runs after another one looks at how it ended`() {
        func after(_ on: Job.Chain.Outcome) -> Job {
            job("after-\(on.rawValue)") { $0.after = Job.Chain(job: "a", on: on) }
        }
        let rig = Rig([job("a", "0 * * * *"), after(.any), after(.failure), after(.success)])
        rig.advance(to: "01:00")
        rig.end(id("a", "01:00"))
        #expect(Set(rig.launches.dropFirst().map(\.job.name)) == ["after-any", "after-success"])
        for launch in rig.launches.dropFirst() { rig.end(launch.run.id) }
        rig.advance(to: "02:00")
        rig.end(id("a", "02:00"), .exited(1))
        #expect(Set(rig.launches.dropFirst(4).map(\.job.name)) == ["after-any", "after-failure"])
    }

    // MARK: - The ledger

    @Test func `after the run that is permitted last nothing is excluded`() throws {
        let noon = try Exclusion("03:00", zone: .utc, zones: { _ in nil })
        let rig = Rig([
            job("a", "0 * * * *") {
                $0.maxExecutions = 1
                $0.exclusions = [noon]
                $0.catchUp.kind = .all
            }
        ])
        rig.restart(at: "04:30")
        #expect(rig.ledger("a") == ["01:00 catch_up running"])
    }

    @Test func `what is to be skipped is another one when it has passed`() {
        let rig = Rig([job("a", "0 * * * *")])
        _ = rig.ask { .skipRequested(job: "a", ticket: $0) }
        rig.advance(to: "01:30")
        _ = rig.ask { .skipRequested(job: "a", ticket: $0) }
        rig.advance(to: "03:00")
        #expect(rig.ledger("a") == ["01:00 skipped user", "02:00 skipped user", "03:00 running"])
    }

    // MARK: - Definitions and the clock

    @Test func `a definition of the same version is taken`() {
        func busJob(_ cron: String) -> Job {
            job("a", cron) {
                $0.origin = .bus
                $0.version = 3
            }
        }
        let rig = Rig([])
        _ = rig.ask { .jobUpserted(busJob("0 9 * * *"), ticket: $0) }
        let reply = rig.ask { .jobUpserted(busJob("0 8 * * *"), ticket: $0) }
        #expect(reply == .scheduled(job: "a", next: at("08:00")))
    }

    @Test func `starts before a clock was set back count for the launch rate no longer than a minute`() {
        let rig = Rig([job("a"), job("b"), job("c")]) { $0.launchesPerMinute = 2 }
        rig.advance(to: "10:00")
        _ = rig.request("a")
        _ = rig.request("b")
        rig.stepClock(by: .seconds(-3600))
        _ = rig.request("c")
        #expect(rig.armed == at("09:01"))
        rig.advance(to: "09:01")
        #expect(rig.launches.count == 3)
    }

    // MARK: - Idempotency

    /// As when the store has not been asked yet.
    private func ask(_ rig: Rig, _ job: String, _ fire: Instant) -> Run? {
        var request = RunRequest(job: job)
        request.scheduledFor = fire
        guard case .run(let run) = rig.ask({ .runRequested(request, ticket: $0) }) else { return nil }
        return run
    }

    @Test func `two requests for a fire time are one run, before the store knows of it`() {
        let rig = Rig([job("a", "0 * * * *"), job("b", "0 * * * *")])
        let first = ask(rig, "a", at("05:00"))
        #expect(first != nil && ask(rig, "a", at("05:00"))?.id == first?.id)
        #expect(ask(rig, "b", at("05:00"))?.job == "b")
    }
}
