import Schedules
import Scheduling
import Testing

@Suite struct RetryTests {
    struct DelayRow: Sendable {
        var label: String
        var policy: RetryPolicy
        /// In seconds, before attempts 2, 3, ….
        var delays: [Int64]
    }

    static let delays = [
        DelayRow(label: "doubling", policy: retry(5, .seconds(60)), delays: [60, 120, 240, 480]),
        DelayRow(
            label: "capped", policy: retry(5, .seconds(60)) { $0.maxDelay = .seconds(150) },
            delays: [60, 120, 150, 150]),
        DelayRow(
            label: "linear", policy: retry(5, .seconds(60)) { $0.backoff = .linear }, delays: [60, 120, 180, 240]),
        DelayRow(
            label: "by 1.5", policy: retry(4, .seconds(8)) { $0.backoff = .exponential(multiplier: 1.5) },
            delays: [8, 12, 18]),
        DelayRow(
            label: "constant", policy: retry(4, .seconds(8)) { $0.backoff = .exponential(multiplier: 1) },
            delays: [8, 8, 8]),
        DelayRow(label: "none", policy: retry(3, .zero), delays: [0, 0]),
        DelayRow(
            label: "beyond any number",
            policy: retry(3000, .seconds(1)) { $0.backoff = .exponential(multiplier: 1e300) },
            delays: [1, 3600, 3600, 3600]),
    ]

    @Test(arguments: delays.indices) func `the wait before each attempt`(_ index: Int) {
        let row = Self.delays[index]
        let found = row.delays.indices.map { row.policy.delay(beforeAttempt: $0 + 2, random: 0) }
        #expect(found == row.delays.map { .seconds($0) }, "\(row.label)")
    }

    @Test func `a wait is lengthened or shortened by the jitter's share at most`() {
        let policy = retry(3, .seconds(100)) { $0.jitter = 0.2 }
        #expect(policy.delay(beforeAttempt: 2, random: -1) == .seconds(80))
        #expect(policy.delay(beforeAttempt: 2, random: 1) == .seconds(120))
        let rig = Rig([job("a", "0 9 * * *") { $0.retry = policy }])
        rig.advance(to: "09:00")
        rig.end(id("a", "09:00"), .exited(1))
        guard let due = rig.run(id("a", "09:00"))?.retryAt else {
            Issue.record("no retry")
            return
        }
        #expect(due >= at("09:00") + .seconds(80) && due <= at("09:00") + .seconds(120) && due != at("09:01:40"))
    }

    @Test func `a failed run is tried again as often as permitted, then has failed`() {
        let rig = Rig([job("a", "0 9 * * *") { $0.retry = retry(3) }])
        let run = id("a", "09:00")
        rig.advance(to: "09:00")
        rig.end(run, .exited(3))
        #expect(rig.status(run) == .retrying)
        #expect(rig.armed == at("09:01"))
        rig.advance(to: "09:01")
        #expect(rig.launches.last?.run.attempt == 2)
        rig.end(run, .exited(3))
        #expect(rig.armed == at("09:03"))
        rig.advance(to: "09:03")
        rig.end(run, .exited(3))
        #expect(rig.status(run) == .failed)
        #expect(
            rig.story(run) == [
                "started", "retry 2 in \(Duration.seconds(60))", "retry 3 in \(Duration.seconds(120))",
                "failed: exited with status 3",
            ])
        #expect(rig.store.states["a"]?.runCount == 1)
        #expect(rig.store.attempts[run]?.keys.sorted() == [1, 2, 3])
        #expect(rig.run(run)?.startedAt == at("09:00"))
    }

    @Test func `a retry that succeeds makes the run a success`() {
        let rig = Rig([job("a", "0 9 * * *") { $0.retry = retry(3) }])
        rig.advance(to: "09:00")
        rig.end(id("a", "09:00"), .exited(1))
        rig.advance(to: "09:01")
        rig.end(id("a", "09:00"))
        #expect(rig.status(id("a", "09:00")) == .success)
        #expect(rig.run(id("a", "09:00"))?.error == nil)
        #expect(rig.store.states["a"]?.failureCount == 0)
    }

    struct MatchRow: Sendable {
        var label: String
        var on: [FailureMatch]
        var ending: AttemptOutcome.Ending
        var isTimedOut = false
        var type: String?
        var isRetried: Bool
    }

    static let matches = [
        MatchRow(label: "by default any failure", on: [], ending: .exited(1), isRetried: true),
        MatchRow(label: "by default a signal", on: [], ending: .signaled(9), isRetried: true),
        MatchRow(label: "by default a time-out", on: [], ending: .signaled(15), isTimedOut: true, isRetried: true),
        MatchRow(label: "by default no start", on: [], ending: .couldNotStart("no such file"), isRetried: true),
        MatchRow(label: "by default not what was interrupted", on: [], ending: .lost(nil), isRetried: false),
        MatchRow(label: "any is not interrupted", on: [.any], ending: .lost(nil), isRetried: false),
        MatchRow(label: "any", on: [.any], ending: .exited(1), isRetried: true),
        MatchRow(label: "interrupted where named", on: [.type("interrupted")], ending: .lost(nil), isRetried: true),
        MatchRow(label: "its type", on: [.type("network")], ending: .exited(1), type: "network", isRetried: true),
        MatchRow(label: "another type", on: [.type("auth")], ending: .exited(1), type: "network", isRetried: false),
        MatchRow(label: "unknown", on: [.type("unknown")], ending: .exited(1), isRetried: true),
        MatchRow(label: "time-out", on: [.type("timeout")], ending: .signaled(15), isTimedOut: true, isRetried: true),
        MatchRow(label: "no time-out", on: [.type("timeout")], ending: .signaled(15), isRetried: false),
        MatchRow(label: "exit code", on: [.exit(64, 78)], ending: .exited(64), isRetried: true),
        MatchRow(label: "exit code, upper end", on: [.exit(64, 78)], ending: .exited(78), isRetried: true),
        MatchRow(label: "exit code below", on: [.exit(64, 78)], ending: .exited(63), isRetried: false),
        MatchRow(label: "exit code above", on: [.exit(64, 78)], ending: .exited(79), isRetried: false),
        MatchRow(label: "exit code, a signal", on: [.exit(0, 255)], ending: .signaled(9), isRetried: false),
        MatchRow(label: "signal", on: [.signal(9)], ending: .signaled(9), isRetried: true),
        MatchRow(label: "another signal", on: [.signal(9)], ending: .signaled(15), isRetried: false),
        MatchRow(label: "asked for by the job itself", on: [.type("auth")], ending: .exited(75), isRetried: true),
        MatchRow(label: "one of two", on: [.type("auth"), .exit(1, 1)], ending: .exited(1), isRetried: true),
    ]

    @Test(arguments: matches.indices) func `which failures are worth another attempt`(_ index: Int) {
        let row = Self.matches[index]
        let rig = Rig([job("a", "0 9 * * *") { $0.retry = retry(2) { $0.on = row.on } }])
        rig.advance(to: "09:00")
        var outcome = AttemptOutcome(ending: row.ending, startedAt: at("09:00"), endedAt: at("09:00"))
        outcome.isTimedOut = row.isTimedOut
        outcome.failureType = row.type
        rig.send(.attemptEnded(run: id("a", "09:00"), attempt: 1, outcome))
        #expect((rig.status(id("a", "09:00")) == .retrying) == row.isRetried, "\(row.label)")
    }

    /// 0 × 2^1024 is no number, and attempt 1,026 waited an hour.
    @Test func `a delay is finite, within its cap, and grows with the attempts, at every edge`() {
        let tiny = Duration(secondsComponent: 0, attosecondsComponent: 1)
        let delays: [Duration] = [
            .zero, tiny, .milliseconds(1), .seconds(60), .seconds(3_155_760_000), .seconds(Int64.max),
        ]
        let multipliers = [0, 0.5, 1, 1.0001, 1.5, 2, 1e300, .infinity]
        let caps: [Duration] = [.zero, .seconds(1), .seconds(3600), .seconds(3_155_760_000)]
        for first in delays {
            for cap in caps {
                let backoffs = multipliers.map { RetryPolicy.Backoff.exponential(multiplier: $0) } + [.linear]
                for backoff in backoffs {
                    for jitter in [0.0, 0.5, 1] {
                        var policy = RetryPolicy()
                        (policy.delay, policy.maxDelay, policy.backoff, policy.jitter) = (first, cap, backoff, jitter)
                        expectInOrder(policy)
                    }
                }
            }
        }
    }

    private func expectInOrder(_ policy: RetryPolicy) {
        let grows = if case .exponential(let multiplier) = policy.backoff { multiplier >= 1 } else { true }
        let longest = policy.maxDelay.inSeconds * (1 + policy.jitter) + 0.001
        var last = Duration.zero
        for attempt in [2, 3, 4, 10, 100, 1024, 1025, 1026, 1027, 10_000, 1_000_000] {
            for random in [-1.0, 0, 1] {
                let delay = policy.delay(beforeAttempt: attempt, random: random)
                let seconds = delay.inSeconds
                guard seconds >= 0, seconds <= longest, policy.delay > .zero || delay == .zero else {
                    Issue.record("attempt \(attempt) waits \(delay) under \(policy)")
                    return
                }
                guard random == 0, grows else { continue }
                if delay < last { Issue.record("attempt \(attempt) waits \(delay) after \(last) under \(policy)") }
                last = delay
            }
        }
    }

    @Test func `a signal is named as retry_on takes it`() {
        let names: [(Int32, String)] = [
            (1, "SIGHUP"), (9, "SIGKILL"), (15, "SIGTERM"), (31, "SIGSYS"), (40, "signal 40"),
        ]
        for (signal, name) in names {
            let rig = Rig([job("a", "0 9 * * *")])
            rig.advance(to: "09:00")
            rig.end(id("a", "09:00"), .signaled(signal))
            #expect(rig.run(id("a", "09:00"))?.error == "ended by \(name)")
        }
    }

    @Test func `a job that asks for its retry gets no more than max_attempts`() {
        let rig = Rig([job("a", "0 9 * * *") { $0.retry = retry(2) }, job("b", "0 9 * * *")])
        rig.advance(to: "09:00")
        rig.end(id("a", "09:00"), .exited(75))
        rig.end(id("b", "09:00"), .exited(75))
        #expect(rig.status(id("b", "09:00")) == .failed, "without a retry policy there is none")
        rig.advance(to: "09:01")
        rig.end(id("a", "09:00"), .exited(75))
        #expect(rig.status(id("a", "09:00")) == .failed)
    }

    @Test func `success is what the job calls success`() {
        let rig = Rig([job("a", "0 9 * * *") { $0.successExitCodes = [0, 75] }])
        rig.advance(to: "09:00")
        rig.end(id("a", "09:00"), .exited(75))
        #expect(rig.status(id("a", "09:00")) == .success)
    }

    @Test func `a time-out is a status of its own, whatever the exit code`() {
        let rig = Rig([job("a", "0 9 * * *") { $0.timeout = .seconds(90) }])
        rig.advance(to: "09:02")
        rig.end(id("a", "09:00"), .exited(0), isTimedOut: true)
        #expect(rig.status(id("a", "09:00")) == .timeout)
        #expect(rig.run(id("a", "09:00"))?.failureType == "timeout")
        #expect(rig.story(id("a", "09:00")) == ["started", "failed: timed out after 90 s"])
    }

    @Test func `a retry survives a restart, and is due when it was`() {
        let rig = Rig([job("a", "0 9 * * *") { $0.retry = retry(3, .seconds(600)) }])
        rig.advance(to: "09:00")
        rig.end(id("a", "09:00"), .exited(1))
        rig.restart(at: "09:05")
        #expect(rig.armed == at("09:10"))
        rig.advance(to: "09:10")
        #expect(rig.launches.last?.run.attempt == 2)
        #expect(rig.launches.last?.run.id == id("a", "09:00"))
    }

    @Test func `a retry that came due while nothing ran starts at once`() {
        let rig = Rig([job("a", "0 9 * * *") { $0.retry = retry(3, .seconds(600)) }])
        rig.advance(to: "09:00")
        rig.end(id("a", "09:00"), .exited(1))
        rig.sleep(to: "09:30")
        #expect(rig.launches.last?.run.attempt == 2)
    }

    @Test func `a retry moves with a clock that is set`() {
        let rig = Rig([job("a", "0 9 * * *") { $0.retry = retry(3, .seconds(600)) }])
        rig.advance(to: "09:00")
        rig.end(id("a", "09:00"), .exited(1))
        rig.stepClock(by: .seconds(-3600))
        #expect(rig.run(id("a", "09:00"))?.retryAt == at("08:10"))
        #expect(rig.armed == at("08:10"))
    }
}
