import Schedules
import Scheduling
import Testing

@Suite struct ConditionTests {
    struct HoldRow: Sendable {
        var label: String
        var required: @Sendable (inout Conditions) -> Void
        var known: @Sendable (inout Surroundings) -> Void
        var holds: Bool
        init(
            _ label: String, _ required: @escaping @Sendable (inout Conditions) -> Void,
            _ known: @escaping @Sendable (inout Surroundings) -> Void, _ holds: Bool
        ) {
            (self.label, self.required, self.known, self.holds) = (label, required, known, holds)
        }
    }

    static let rows = [
        HoldRow("mains", { $0.needsACPower = true }, { $0.isOnACPower = true }, true),
        HoldRow("no mains", { $0.needsACPower = true }, { $0.isOnACPower = false }, false),
        HoldRow("who knows", { $0.needsACPower = true }, { _ in }, true),
        HoldRow("battery at its least", { $0.batteryMin = 20 }, { $0.batteryPercent = 20 }, true),
        HoldRow("battery below", { $0.batteryMin = 20 }, { $0.batteryPercent = 19.9 }, false),
        HoldRow("no battery", { $0.batteryMin = 20 }, { _ in }, true),
        HoldRow("online", { $0.network = .online }, { $0.isOnline = true }, true),
        HoldRow("offline", { $0.network = .online }, { $0.isOnline = false }, false),
        HoldRow("online and metered", { $0.network = .online }, { $0.isMetered = true }, true),
        HoldRow("metered", { $0.network = .unmetered }, { ($0.isOnline, $0.isMetered) = (true, true) }, false),
        HoldRow("not metered", { $0.network = .unmetered }, { ($0.isOnline, $0.isMetered) = (true, false) }, true),
        HoldRow("online, metered or not", { $0.network = .unmetered }, { $0.isOnline = true }, true),
        HoldRow("offline is not unmetered", { $0.network = .unmetered }, { $0.isOnline = false }, false),
        HoldRow("in use", { $0.idle = .seconds(60) }, { $0.idleness = .inUse }, false),
        HoldRow("idle", { $0.idle = .seconds(60) }, { $0.idleness = .idle(since: at("08:59")) }, true),
        HoldRow("idle for a moment", { $0.idle = .seconds(60) }, { $0.idleness = .idle(since: at("08:59:01")) }, false),
        HoldRow("a load at its most", { $0.loadMax = 2 }, { $0.load = 2 }, true),
        HoldRow("a load above", { $0.loadMax = 2 }, { $0.load = 2.01 }, false),
        HoldRow("a pressure at its most", { $0.pressureMax = 10 }, { $0.pressure = 10 }, true),
        HoldRow("a pressure above", { $0.pressureMax = 10 }, { $0.pressure = 11 }, false),
        HoldRow("a path", { $0.path = "/x" }, { $0.paths = ["/x": true] }, true),
        HoldRow("no such path", { $0.path = "/x" }, { $0.paths = ["/x": false, "/y": true] }, false),
        HoldRow(
            "one of two",
            {
                $0.needsACPower = true
                $0.network = .online
            }, { ($0.isOnACPower, $0.isOnline) = (true, false) }, false),
    ]

    @Test(arguments: rows.indices) func `a run starts where all that is known holds`(_ index: Int) {
        let row = Self.rows[index]
        let rig = Rig([job("a", "0 9 * * *") { row.required(&$0.conditions) }])
        rig.advance(to: "09:00")
        #expect(rig.launches.isEmpty, "\(row.label): nothing is known yet")
        rig.tell(row.known)
        #expect(rig.status(id("a", "09:00")) == (row.holds ? .running : .queued), "\(row.label)")
    }

    @Test func `a run waits without a wake-up, and starts when its conditions hold`() {
        let rig = Rig([mains("a", "0 9 * * *")])
        rig.advance(to: "09:00")
        #expect(rig.watch.facts == [.acPower])
        rig.tell { $0.isOnACPower = false }
        let ticks = rig.ticks
        rig.advance(to: "09:45")
        #expect(rig.ticks == ticks)
        #expect(rig.scheduler.unmetConditions(ofRun: id("a", "09:00"))?.unmet == [.acPower])
        rig.tell { $0.isOnACPower = true }
        #expect(rig.run(id("a", "09:00"))?.startedAt == at("09:45"))
        #expect(rig.watch == Watch(), "nothing is watched for nobody")
        #expect(rig.scheduler.unmetConditions(ofRun: id("a", "09:00")) == nil)
    }

    @Test func `what is known already is not asked for again`() {
        let rig = Rig([mains("a", "0 9 * * *"), mains("b", "1 9 * * *")])
        rig.advance(to: "09:00")
        rig.tell { $0.isOnACPower = false }
        rig.advance(to: "09:01")
        #expect(rig.watches == 1)
        rig.tell { $0.isOnACPower = true }
        #expect(rig.launches.count == 2)
    }

    @Test func `what nobody tells in time is unknown, and holds`() {
        let rig = Rig([mains("a", "0 9 * * *")])
        rig.advance(to: "09:05")
        #expect(rig.run(id("a", "09:00"))?.startedAt == at("09:00") + Scheduler.answerPatience)
    }

    @Test func `answers to earlier questions do not count`() {
        let rig = Rig([mains("a", "0 9,10 * * *")])
        rig.tell { $0.isOnACPower = true }
        rig.advance(to: "09:00")
        #expect(rig.launches.isEmpty, "nobody had asked")
        rig.tell { $0.isOnACPower = true }
        rig.end(id("a", "09:00"))
        rig.advance(to: "10:00")
        #expect(rig.launches.count == 1, "what held an hour ago")
    }

    @Test func `what is told before it is asked for does not count`() {
        let rig = Rig([mains("a", "0 9 * * *")])
        var known = Surroundings()
        known.answered = [.acPower]
        known.isOnACPower = true
        rig.send(.surroundingsChanged(known))
        rig.advance(to: "09:00")
        #expect(rig.launches.isEmpty)
    }

    @Test func `what is told while the machine falls asleep does not count after it`() {
        let rig = Rig([mains("a", "0 9 * * *")])
        rig.advance(to: "09:00")
        rig.send(.sleep)
        rig.tell { $0.isOnACPower = true }
        rig.advance(to: "10:00")
        rig.send(.wake)
        #expect(rig.launches.isEmpty)
    }

    // MARK: - Time-out

    @Test func `a run that waited too long is skipped, and its record says for what`() {
        let rig = Rig([mains("a", "0 9 * * *") { $0.conditions.timeout = .seconds(1800) }])
        rig.advance(to: "09:00")
        rig.tell { $0.isOnACPower = false }
        rig.advance(to: "12:00")
        #expect(rig.ledger("a") == ["09:00 skipped condition"])
        #expect(rig.run(id("a", "09:00"))?.endedAt == at("09:30"))
        #expect(rig.run(id("a", "09:00"))?.error == "waited 1800 s for mains power")
        #expect(rig.story(id("a", "09:00")) == ["missed: condition"])
        #expect(rig.watch == Watch())
        rig.tell { $0.isOnACPower = true }
        #expect(rig.launches.isEmpty)
    }

    @Test func `a run that waited too long runs all the same where its job says so`() {
        let rig = Rig([
            mains("a", "0 9 * * *") {
                $0.conditions.timeout = .seconds(1800)
                $0.conditions.action = .run
            }
        ])
        rig.advance(to: "09:00")
        rig.tell { $0.isOnACPower = false }
        rig.advance(to: "12:00")
        #expect(rig.run(id("a", "09:00"))?.startedAt == at("09:30"))
    }

    @Test func `without a time to wait the first answer decides`() {
        let rig = Rig([
            mains("a", "0 9 * * *") { $0.conditions.timeout = .zero },
            mains("b", "0 10 * * *") { $0.conditions.timeout = .zero },
        ])
        rig.advance(to: "09:00")
        rig.tell { $0.isOnACPower = false }
        #expect(rig.status(id("a", "09:00")) == .skipped)
        rig.advance(to: "10:00")
        rig.tell { $0.isOnACPower = true }
        #expect(rig.status(id("b", "10:00")) == .running)
    }

    @Test func `a run that was skipped does not count for max_executions`() {
        let rig = Rig([mains("a", "0 9,12 * * *") { $0.maxExecutions = 1 }])
        rig.advance(to: "09:00")
        rig.tell { $0.isOnACPower = false }
        rig.advance(to: "12:00")
        rig.tell { $0.isOnACPower = true }
        #expect(rig.ledger("a") == ["09:00 skipped condition", "12:00 running"])
        rig.end(id("a", "12:00"))
        rig.advance(to: "+1 12:00")
        #expect(rig.ledger("a").count == 2)
    }

    @Test func `a job whose last permitted run waits has no fire times meanwhile`() {
        let rig = Rig([
            mains("a", "*/20 * * * *") {
                $0.maxExecutions = 1
                $0.conditions.timeout = .seconds(3000)
            }
        ])
        rig.advance(to: "00:20")
        rig.tell { $0.isOnACPower = false }
        rig.advance(to: "01:20")
        #expect(rig.ledger("a") == ["00:20 skipped condition", "01:20 queued"])
    }

    @Test func `time asleep does not count, and what was known before is asked again`() {
        let rig = Rig([mains("a", "0 9 * * *")])
        rig.advance(to: "09:00")
        rig.tell { $0.isOnACPower = false }
        rig.advance(to: "09:10")
        rig.sleep(to: "18:00")
        #expect(rig.watches == 2)
        #expect(rig.status(id("a", "09:00")) == .queued)
        rig.advance(to: "18:00:05")
        rig.tell { $0.isOnACPower = false }
        rig.advance(to: "18:49")
        #expect(rig.status(id("a", "09:00")) == .queued)
        rig.advance(to: "18:50")
        #expect(rig.status(id("a", "09:00")) == .skipped)
    }

    @Test func `nothing starts on what was known before a sleep`() {
        let rig = Rig([mains("a", "0 9 * * *"), job("b", "30 8 * * *")]) { $0.maxConcurrentRuns = 1 }
        rig.advance(to: "09:00")
        rig.tell { $0.isOnACPower = true }
        rig.sleep(to: "10:00")
        rig.end(id("b", "08:30"))
        #expect(rig.status(id("a", "09:00")) == .queued)
        rig.tell { $0.isOnACPower = false }
        #expect(rig.status(id("a", "09:00")) == .queued)
        rig.tell { $0.isOnACPower = true }
        #expect(rig.status(id("a", "09:00")) == .running)
    }

    @Test func `a time-out moves with a clock that is set`() {
        let rig = Rig([mains("a", "0 9 * * *")])
        rig.advance(to: "09:00")
        rig.tell { $0.isOnACPower = false }
        rig.stepClock(by: .seconds(3600))
        #expect(rig.status(id("a", "09:00")) == .queued)
        rig.advance(to: "11:00")
        #expect(rig.run(id("a", "09:00"))?.endedAt == at("11:00"))
    }

    @Test func `after a restart the wait begins anew`() {
        let rig = Rig([mains("a", "0 9 * * *")])
        rig.advance(to: "09:00")
        rig.tell { $0.isOnACPower = false }
        rig.restart(at: "09:50")
        #expect(rig.watch.facts == [.acPower])
        rig.tell { $0.isOnACPower = false }
        rig.advance(to: "10:49")
        #expect(rig.status(id("a", "09:00")) == .queued)
        rig.advance(to: "10:50")
        #expect(rig.status(id("a", "09:00")) == .skipped)
    }

    // MARK: - Idle

    @Test func `nobody at the machine is waited for to the second`() {
        let rig = Rig([job("a", "0 9 * * *") { $0.conditions.idle = .seconds(600) }])
        rig.advance(to: "09:00")
        rig.tell { $0.idleness = .idle(since: at("08:55")) }
        rig.advance(to: "09:04:59")
        #expect(rig.launches.isEmpty)
        rig.advance(to: "09:05")
        #expect(rig.launches.count == 1)
    }

    // MARK: - Command

    @Test func `a condition's command is asked when all else holds, and again each minute`() {
        let rig = Rig([mains("a", "0 9 * * *") { $0.conditions.command = .shell("test") }])
        let run = id("a", "09:00")
        rig.advance(to: "09:00")
        #expect(rig.checks.isEmpty)
        rig.tell { $0.isOnACPower = true }
        #expect(rig.checks == [run])
        rig.send(.conditionChecked(run: run, holds: false))
        #expect(rig.scheduler.unmetConditions(ofRun: run)?.unmet == [.command])
        rig.advance(to: "09:00:59")
        #expect(rig.checks == [run])
        rig.advance(to: "09:01")
        #expect(rig.checks == [run, run])
        rig.send(.conditionChecked(run: run, holds: true))
        #expect(rig.run(run)?.startedAt == at("09:01"))
    }

    @Test func `a command that cannot say agrees`() {
        let rig = Rig([job("a", "0 9 * * *") { $0.conditions.command = .shell("test") }])
        rig.advance(to: "09:00")
        rig.send(.conditionChecked(run: id("a", "09:00"), holds: nil))
        #expect(rig.status(id("a", "09:00")) == .running)
    }

    @Test func `a command that never answers does not hold up a run for ever`() {
        let rig = Rig([job("a", "0 9 * * *") { $0.conditions.command = .shell("test") }])
        rig.advance(to: "09:10")
        #expect(rig.run(id("a", "09:00"))?.startedAt == at("09:00") + Scheduler.commandPatience * 2)
    }

    @Test func `a command that answers too late is heard as long as the run has not started`() {
        let rig = Rig([job("a", "0 9 * * *") { $0.conditions.command = .shell("test") }, job("b", "0 8 * * *")]) {
            $0.maxConcurrentRuns = 1
        }
        rig.advance(to: "09:10")
        rig.send(.conditionChecked(run: id("a", "09:00"), holds: false))
        rig.end(id("b", "08:00"))
        #expect(rig.status(id("a", "09:00")) == .queued)
    }

    @Test func `an answer that is under way at the time-out is heard`() {
        let rig = Rig([
            job("a", "0 9 * * *") {
                $0.conditions.command = .shell("test")
                $0.conditions.timeout = .zero
            }
        ])
        rig.advance(to: "09:00:04")
        rig.send(.conditionChecked(run: id("a", "09:00"), holds: true))
        #expect(rig.status(id("a", "09:00")) == .running)
    }

    /// It ran after a minute, although it was to be given up after half of one.
    @Test func `a command that hangs does not outlast the time-out`() {
        let rig = Rig([
            job("a", "0 9 * * *") {
                $0.conditions.command = .shell("test")
                $0.conditions.timeout = .seconds(30)
            }
        ])
        rig.advance(to: "09:00:29")
        #expect(rig.status(id("a", "09:00")) == .queued)
        rig.advance(to: "09:00:30")
        #expect(rig.status(id("a", "09:00")) == .skipped)
    }

    @Test func `what a command said does not count once another condition fails`() {
        let rig = Rig([
            mains("a", "0 9 * * *") { $0.conditions.command = .shell("test") }, job("b", "30 8 * * *"),
        ]) { $0.maxConcurrentRuns = 1 }
        let run = id("a", "09:00")
        rig.advance(to: "09:00")
        rig.tell { $0.isOnACPower = true }
        rig.send(.conditionChecked(run: run, holds: true))
        rig.tell { $0.isOnACPower = false }
        rig.end(id("b", "08:30"))
        #expect(rig.status(run) == .queued)
        rig.tell { $0.isOnACPower = true }
        #expect(rig.checks == [run, run])
        #expect(rig.status(run) == .queued)
    }

    // MARK: - Beside other policies

    @Test func `what held when a run came to wait for a limit must hold when it starts`() {
        let rig = Rig([mains("a", "0 9 * * *"), job("b", "30 8 * * *"), job("c", "0 9 * * *") { $0.priority = 5 }]) {
            $0.maxConcurrentRuns = 1
        }
        rig.advance(to: "09:00")
        rig.tell { $0.isOnACPower = true }
        #expect(rig.status(id("a", "09:00")) == .queued)
        rig.tell { $0.isOnACPower = false }
        rig.end(id("b", "08:30"))
        #expect(rig.status(id("a", "09:00")) == .queued)
        #expect(rig.status(id("c", "09:00")) == .running, "it holds up nobody")
        rig.end(id("c", "09:00"))
        rig.tell { $0.isOnACPower = true }
        #expect(rig.status(id("a", "09:00")) == .running)
    }

    @Test func `a run that waits for its conditions is active for the overlap policy`() {
        let rig = Rig([mains("a", "0,30 9 * * *")])
        rig.advance(to: "09:00")
        rig.tell { $0.isOnACPower = false }
        rig.advance(to: "09:30")
        #expect(rig.ledger("a") == ["09:00 queued", "09:30 skipped overlap"])
    }

    @Test func `a run by hand waits, too, unless it is forced`() {
        let rig = Rig([mains("a")])
        rig.advance(to: "09:00")
        _ = rig.request("a")
        #expect(rig.launches.isEmpty)
        _ = rig.request("a") { $0.isForced = true }
        #expect(rig.launches.count == 1)
        rig.tell { $0.isOnACPower = true }
        #expect(rig.launches.count == 2)
    }

    @Test func `a retry does not wait for conditions`() {
        let rig = Rig([mains("a", "0 9 * * *") { $0.retry = retry(2) }])
        rig.advance(to: "09:00")
        rig.tell { $0.isOnACPower = true }
        rig.end(id("a", "09:00"), .exited(1))
        rig.advance(to: "09:01")
        #expect(rig.launches.last?.run.attempt == 2)
    }

    @Test func `a run that waits can be cancelled`() {
        let rig = Rig([mains("a", "0 9 * * *")])
        rig.advance(to: "09:00")
        _ = rig.ask { .cancelRequested(run: id("a", "09:00"), ticket: $0) }
        #expect(rig.status(id("a", "09:00")) == .cancelled)
        #expect(rig.watch == Watch())
    }

    @Test func `each load that is waited for is told`() {
        let rig = Rig([
            job("a", "0 9 * * *") { $0.conditions.loadMax = 4 },
            job("b", "0 9 * * *") {
                $0.conditions.loadMax = 1.5
                $0.conditions.pressureMax = 20
            },
        ])
        rig.advance(to: "09:00")
        #expect(rig.watch.loadsMax == [1.5, 4])
        #expect(rig.watch.pressuresMax == [20])
    }

    @Test func `an explanation says what a run waits for`() {
        let rig = Rig([
            mains("a", "0 9 * * *") { $0.conditions.network = .unmetered }
        ])
        rig.advance(to: "09:00")
        rig.tell { ($0.isOnACPower, $0.isOnline) = (false, false) }
        let found = rig.scheduler.explain("a", at: nil, now: rig.now).first
        #expect(found?.code == "condition")
        #expect(
            found?.sentence(in: .utc) == "\(id("a", "09:00")) waits for mains power and for a network that is not "
                + "metered, until 2026-01-05T10:00:00+00:00")
    }

    @Test func `while the daemon stops nothing times out`() {
        let rig = Rig([mains("a", "0 9 * * *")])
        rig.advance(to: "09:00")
        rig.tell { $0.isOnACPower = false }
        rig.send(.stopping)
        rig.advance(to: "12:00")
        #expect(rig.status(id("a", "09:00")) == .queued)
    }
}

/// A job that wants mains power.
private func mains(_ name: String, _ crons: String..., with change: (inout Job) -> Void = { _ in }) -> Job {
    var result = job(name) { job in
        job.conditions.needsACPower = true
        change(&job)
    }
    guard let cron = crons.first else { return result }
    let scheduled = job(name, cron)
    (result.schedules, result.scheduleKey) = (scheduled.schedules, scheduled.scheduleKey)
    return result
}
