import Schedules
import Scheduling
import Testing

/// What became of attempts that the store calls running when a scheduler begins: see `Scheduler+Evidence.swift`.
@Suite struct EvidenceTests {
    // MARK: - The table

    struct Row: Sendable, CustomTestStringConvertible {
        var evidence: AttemptEvidence?
        var isThisBoot = true
        var status: Run.Status
        var words = ""
        var testDescription: String { "\(evidence.map { "\($0)" } ?? "nothing"), this boot: \(isThisBoot)" }
    }

    static let outcome = AttemptOutcome(ending: .exited(0), startedAt: at("09:00"), endedAt: at("09:01"))
    static let killed = "its supervisor was killed while the run was under way"
    static let down = "the machine went down while the run was under way"

    static let rows = [
        Row(evidence: .held, status: .running),
        Row(evidence: .ended(outcome), status: .success),
        Row(evidence: .begun, status: .interrupted, words: killed),
        Row(evidence: .notBegun, status: .running),
        Row(evidence: .gone, status: .interrupted, words: "its supervisor and its folder are gone"),
        Row(evidence: nil, status: .interrupted, words: "its supervisor and its folder are gone"),
        Row(evidence: .ended(outcome), isThisBoot: false, status: .success),
        Row(evidence: .held, isThisBoot: false, status: .interrupted, words: down),
        Row(evidence: .begun, isThisBoot: false, status: .interrupted, words: down),
        Row(evidence: .notBegun, isThisBoot: false, status: .interrupted, words: down),
        Row(evidence: .gone, isThisBoot: false, status: .interrupted, words: down),
        Row(evidence: nil, isThisBoot: false, status: .interrupted, words: down),
    ]

    @Test(arguments: rows) func `what evidence means`(_ row: Row) {
        let rig = Rig([job("a", "0 9 * * *")])
        rig.advance(to: "09:00")
        let run = id("a", "09:00")
        #expect(rig.run(run)?.bootID == "boot-1")
        rig.restart(
            at: "09:02", evidence: row.evidence.map { [run: $0] } ?? [:], bootID: row.isThisBoot ? "boot-1" : "boot-2")
        #expect(rig.status(run) == row.status)
        #expect(rig.run(run)?.error?.contains(row.words) ?? row.words.isEmpty)
        #expect(rig.launches.count == (row.evidence == .notBegun && row.isThisBoot ? 2 : 1))
    }

    @Test(arguments: [(AttemptEvidence.held, Run.Status.running), (.begun, .interrupted), (.notBegun, .interrupted)])
    func `a run of an older daemon, which wrote down no boot, is lost unless its supervisor is there`(
        _ evidence: AttemptEvidence, _ status: Run.Status
    ) {
        let rig = Rig([job("a", "0 9 * * *")], bootID: "")
        rig.advance(to: "09:00")
        #expect(rig.run(id("a", "09:00"))?.bootID == nil)
        rig.restart(at: "09:02", evidence: [id("a", "09:00"): evidence], bootID: "boot-1")
        #expect(rig.status(id("a", "09:00")) == status)
        #expect(rig.launches.count == 1)
    }

    // MARK: - Claimed is not started

    /// Of 200 jobs at one second 163 were on record as interrupted "while under way", and had never begun.
    @Test func `of many that were due at once and only claimed none is lost, none runs twice`() {
        let jobs = (0..<200).map { job("job-\($0)", "0 9 * * *") }
        let rig = Rig(jobs) { $0.maxConcurrentRuns = 1000 }
        rig.advance(to: "09:00")
        let evidence = rig.launches.enumerated().map { index, launch in
            (launch.run.id, index < 37 ? AttemptEvidence.held : .notBegun)
        }
        rig.restart(at: "09:00:01", evidence: Dictionary(uniqueKeysWithValues: evidence))
        #expect(rig.launches.count == 200 + 163)
        #expect(Set(rig.launches.suffix(163).map(\.run.id)).count == 163)
        #expect(rig.launches.allSatisfy { $0.run.attempt == 1 })
        for launch in rig.launches.prefix(200) { rig.end(launch.run.id) }
        #expect(rig.store.runs.count == 200 && rig.store.runs.values.allSatisfy { $0.status == .success })
        for launch in rig.launches.suffix(163) {
            #expect(rig.story(launch.run.id) == ["started", "completed"], "its start is told once")
            #expect(rig.run(launch.run.id)?.startedAt == at("09:00:01"), "when it began")
        }
    }

    enum Kind: CaseIterable {
        case firstAttempt, retry, chained, byHand, once, conditional, forced
    }

    @Test(arguments: Kind.allCases) func `a claim of any kind that never began starts, under the same number`(
        _ kind: Kind
    ) {
        let late = "+1 12:00"
        let once = job("once") { $0.definition = #"{"name":"once"}"# }
        let rig = Rig([
            job("a", "0 9 * * *") { ($0.retry, $0.catchUp.graceTime) = (retry(3), .seconds(200_000)) },
            job("b") { $0.after = Job.Chain(job: "a", on: .any) },
            job("c", "0 9 * * *") { ($0.conditions.needsACPower, $0.catchUp.graceTime) = (true, .seconds(200_000)) },
        ])
        switch kind {
        case .firstAttempt: rig.advance(to: "09:00")
        case .retry:
            rig.advance(to: "09:00")
            rig.end(id("a", "09:00"), .exited(1))
            rig.advance(to: "09:01")
        case .chained:
            rig.advance(to: "09:00")
            rig.end(id("a", "09:00"))
        case .byHand: _ = rig.request("a")
        case .forced: _ = rig.request("a") { $0.isForced = true }
        case .once: _ = rig.ask { .runOnce(once, RunRequest(job: "once"), ticket: $0) }
        case .conditional:
            rig.advance(to: "09:00")
            rig.tell { $0.isOnACPower = true }
        }
        guard let claimed = rig.launches.last else {
            Issue.record("nothing was claimed")
            return
        }
        let others = rig.launches.dropLast().map { ($0.run.id, AttemptEvidence.held) }
        var evidence = Dictionary(others, uniquingKeysWith: { first, _ in first })
        evidence[claimed.run.id] = .notBegun
        let count = rig.launches.count
        rig.restart(at: late, unscheduled: [once], evidence: evidence)
        if kind == .conditional {
            #expect(rig.status(claimed.run.id) == .queued, "what held before the restart may not hold any more")
            rig.tell { $0.isOnACPower = true }
        }
        let again = rig.launches.dropFirst(count).filter { $0.run.id == claimed.run.id }
        #expect(again.map(\.run.attempt) == [claimed.run.attempt])
        #expect(rig.run(claimed.run.id)?.status == .running)
        #expect(rig.run(claimed.run.id)?.bootID == "boot-1")
        #expect(rig.story(claimed.run.id).filter { $0 == "started" }.count == 1)
        rig.end(claimed.run.id)
        #expect(rig.status(claimed.run.id) == .success)
    }

    struct Late: Sendable {
        var kind: CatchUpPolicy.Kind
        var limit = 100
        var windowHours = 24
        var at: String
        var ledger: String
    }

    static let late = [
        Late(kind: .none, at: "09:05", ledger: "09:00 running"),
        Late(kind: .none, at: "09:06", ledger: "09:00 missed down"),
        Late(kind: .latest, at: "09:06", ledger: "09:00 running"),
        Late(kind: .latest, windowHours: 1, at: "10:01", ledger: "09:00 missed expired"),
        Late(kind: .all, at: "09:06", ledger: "09:00 running"),
        Late(kind: .all, limit: 0, at: "09:06", ledger: "09:00 missed limit"),
        Late(kind: .spread, at: "09:06", ledger: "09:00 running"),
        Late(kind: .spread, windowHours: 1, at: "+3 08:00", ledger: "09:00 missed expired"),
    ]

    @Test(arguments: late.indices) func `one that never began and is late is what its catch-up policy says`(
        _ index: Int
    ) {
        let row = Self.late[index]
        let rig = Rig([
            job("a", "0 9 5 1 *") {
                ($0.catchUp.kind, $0.catchUp.limit) = (row.kind, row.limit)
                $0.catchUp.window = .seconds(row.windowHours * 3600)
                ($0.maxExecutions, $0.budget.runsPerDay) = (1, 1)
            }
        ])
        rig.advance(to: "09:00")
        rig.restart(at: row.at, evidence: [id("a", "09:00"): .notBegun])
        #expect(rig.ledger("a") == [row.ledger])
        let isMissed = row.ledger.contains("missed")
        let state = rig.store.states["a"]
        #expect(state?.executions == (isMissed ? 0 : 1), "what did not run does not count")
        #expect(state?.budgetUse.runs == (isMissed ? 0 : 1))
        #expect(rig.run(id("a", "09:00"))?.startedAt == (isMissed ? nil : rig.now))
        if isMissed { #expect(rig.store.attempts[id("a", "09:00")]?[1]?.endedAt == rig.now) }
    }

    // MARK: - What holds it back

    @Test func `the launch rate holds back what never began, as it holds back the rest`() {
        let jobs = (1...4).map { job("job-\($0)", "0 9 * * *") }
        let rig = Rig(jobs) { $0.launchesPerMinute = 2 }
        rig.advance(to: "09:01")
        #expect(rig.launches.count == 4)
        let evidence = rig.launches.map { ($0.run.id, AttemptEvidence.notBegun) }
        rig.restart(at: "09:01:10", evidence: Dictionary(uniqueKeysWithValues: evidence))
        #expect(rig.launches.count == 6)
        #expect(rig.store.runs.values.count { $0.status == .queued } == 2, "what waits is on record as waiting")
        rig.advance(to: "09:02:10")
        #expect(rig.launches.count == 8)
    }

    @Test func `a sleep holds it back until the machine is awake`() {
        let rig = Rig([job("a", "0 9 * * *")])
        rig.advance(to: "09:00")
        rig.restart(at: "09:01", evidence: [id("a", "09:00"): .notBegun], origin: .rebuild) { $0.isAsleep = true }
        #expect(rig.scheduler.status == .sleeping)
        #expect(rig.status(id("a", "09:00")) == .queued)
        rig.send(.wake)
        #expect(rig.launches.last?.run.attempt == 1)
        #expect(rig.launches.count == 2)
    }

    @Test func `a stop holds it back, and the next daemon starts it`() {
        let rig = Rig([job("a", "0 9 * * *"), job("b", "0 9 * * *") { $0.onStop = .kill }])
        rig.advance(to: "09:00")
        let evidence: [String: AttemptEvidence] = [id("a", "09:00"): .notBegun, id("b", "09:00"): .held]
        rig.restart(at: "09:01", evidence: evidence, origin: .rebuild) { $0.isStopping = true }
        #expect(rig.scheduler.status == .stopping)
        #expect(rig.launches.count == 2)
        #expect(rig.stops == [id("b", "09:00")])
        #expect(rig.request("a") == .refused(.stopping))
        rig.restart(at: "09:02", evidence: [id("b", "09:00"): .held])
        #expect(rig.launches.map(\.run.id).last == id("a", "09:00"))
    }

    @Test(arguments: [true, false]) func `one that was to end and never began ends without a process`(isBegun: Bool) {
        let rig = Rig([job("a", "0 9 * * *") { $0.retry = retry(3) { $0.on = [.any, .type("interrupted")] } }])
        rig.advance(to: "09:00")
        _ = rig.ask { .cancelRequested(run: id("a", "09:00"), ticket: $0) }
        rig.restart(at: "09:01", evidence: [id("a", "09:00"): isBegun ? .begun : .notBegun])
        #expect(rig.status(id("a", "09:00")) == .cancelled)
        #expect(rig.run(id("a", "09:00"))?.error == "cancelled by request")
        #expect(rig.launches.count == 1)
    }

    @Test func `one whose job is gone, or whose definition is, does not start`() {
        let once = job("once") { $0.definition = #"{"name":"once"}"# }
        let rig = Rig([job("a", "0 9 * * *")], at: "09:00")
        _ = rig.request("a")
        _ = rig.ask { .runOnce(once, RunRequest(job: "once"), ticket: $0) }
        rig.restart(
            at: "09:01", jobs: [], evidence: [id("a", "09:00"): .notBegun, id("once", "09:00"): .notBegun])
        for run in [id("a", "09:00"), id("once", "09:00")] {
            #expect(rig.status(run) == .cancelled)
            #expect(rig.run(run)?.error?.contains("is gone") == true)
        }
        #expect(rig.scheduler.runningCount == 0)
        #expect(rig.launches.count == 2)
    }

    @Test func `a definition that permits fewer runs lets the rest of those that never began wait`() {
        let rig = Rig([job("a", "0 9 * * *") { $0.overlap = .allow }])
        for _ in 0..<3 { _ = rig.request("a") }
        let evidence = rig.launches.map { ($0.run.id, AttemptEvidence.notBegun) }
        rig.restart(
            at: "00:01", jobs: [job("a", "0 9 * * *") { $0.overlap = .queue }],
            evidence: Dictionary(uniqueKeysWithValues: evidence))
        #expect(rig.launches.count == 4)
        #expect(rig.store.runs.values.count { $0.status == .queued } == 2)
    }

    // MARK: - What is restored

    /// Its definition was "gone", though the store had it.
    @Test
    func `a run of a definition that is not scheduled goes on after a restart, waiting, claimed or between attempts`() {
        let texts = ["waits", "claimed", "retries"]
        let jobs = texts.map { name in
            job(name) {
                $0.definition = name
                $0.retry = retry(2)
                if name == "waits" { $0.priority = 19 }
            }
        }
        let rig = Rig([]) { $0.maxConcurrentRuns = 1 }
        _ = rig.ask { .runOnce(jobs[2], RunRequest(job: "retries"), ticket: $0) }
        rig.end(id("retries", "00:00"), .exited(1))
        _ = rig.ask { .runOnce(jobs[1], RunRequest(job: "claimed"), ticket: $0) }
        _ = rig.ask { .runOnce(jobs[0], RunRequest(job: "waits"), ticket: $0) }
        rig.restart(at: "00:10", unscheduled: jobs, evidence: [id("claimed", "00:00"): .notBegun])
        for _ in 0..<3 { if let run = rig.launches.last?.run.id { rig.end(run) } }
        for name in texts { #expect(rig.status(id(name, "00:00")) == .success, "\(name)") }
        #expect(rig.launches.filter { $0.run.id == id("retries", "00:00") }.map(\.run.attempt) == [1, 2])
    }

    /// The supervisor could not record how it ended, which counted as "could not start": it ran again.
    @Test(arguments: [true, false]) func `a run that ended and could not say how is interrupted, and tells why`(
        isNamed: Bool
    ) {
        let policy = retry(3) { $0.on = isNamed ? [.type("interrupted")] : [] }
        let rig = Rig([job("a", "0 9 * * *") { $0.retry = policy }])
        rig.advance(to: "09:00")
        rig.end(id("a", "09:00"), .lost("it ran, and what became of it could not be recorded: no such folder"))
        #expect(rig.status(id("a", "09:00")) == (isNamed ? .retrying : .interrupted))
        #expect(
            rig.run(id("a", "09:00"))?.error
                == "interrupted: it ran, and what became of it could not be recorded: no such folder")
        #expect(rig.run(id("a", "09:00"))?.failureType == "interrupted")
    }

    // MARK: - A scheduler that is built anew

    @Test func `an outage of the store is told as what it was`() {
        let jobs = ["a", "b"].map { name in job(name, "0 * * * *") { $0.catchUp.kind = .none } }
        let rig = Rig([jobs[0]], at: "00:30")
        rig.rebuild(at: "02:30")
        #expect(rig.ledger("a") == ["01:00 missed store", "02:00 missed store"])
        rig.sleep(to: "03:30")
        #expect(rig.ledger("a").last == "03:00 missed asleep")
        rig.restart(at: "04:30")
        #expect(rig.ledger("a").last == "04:00 missed down")
        let paused = Rig([jobs[1]], at: "00:30")
        paused.send(.schedulerToggled(false))
        paused.rebuild(at: "02:30")
        paused.advance(to: "03:30")
        paused.send(.schedulerToggled(true))
        #expect(paused.ledger("b") == ["01:00 missed paused", "02:00 missed paused", "03:00 missed paused"])
    }

    @Test func `what is known of the surroundings holds for a scheduler that begins`() {
        let rig = Rig([job("a", "0 9 * * *") { $0.conditions.needsACPower = true }])
        rig.advance(to: "09:00")
        #expect(rig.status(id("a", "09:00")) == .queued)
        rig.rebuild(at: "09:01") {
            $0.surroundings.answered = [.acPower]
            $0.surroundings.isOnACPower = true
        }
        #expect(rig.status(id("a", "09:00")) == .running)
    }

    @Test func `a scheduler that is built anew leaves nothing of the one before`() {
        let store = ModelStore()
        weak var gone: Scheduler?
        do {
            let jobs = [
                job("a", "* * * * *") { $0.overlap = .queue }, job("b") { $0.after = Job.Chain(job: "a", on: .any) },
            ]
            let scheduler = Scheduler(
                jobs: jobs, stored: StoredState(), settings: SchedulerSettings(), isEnabled: true, register: store,
                seed: 1, now: dayZero)
            gone = scheduler
            let situation = Situation(origin: .start, bootID: "boot-1", processStartedAt: dayZero)
            _ = scheduler.handle(.started(situation), at: dayZero)
            _ = scheduler.handle(.tick, at: at("00:05"))
            #expect(scheduler.activeRunCount == 0 && gone != nil)
        }
        #expect(gone == nil)
    }

    @Test func `an attempt without delay that fails to start is one start an event, not a loop`() {
        let rig = Rig([job("a") { $0.retry = retry(1_000_000, .zero) }])
        _ = rig.request("a")
        for attempt in 1...50 {
            #expect(rig.launches.count == attempt)
            rig.end(id("a", "00:00"), .couldNotStart("no such file"))
        }
        #expect(rig.launches.last?.run.attempt == 51)
    }
}
