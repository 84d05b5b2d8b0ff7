import Glibc
import Schedules
import Scheduling

/// SplitMix64: the same seed, the same values, on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }

    /// A fresh one for each run of the tests, or the one in `BOTCRON_TEST_SEED`, to repeat a failure.
    static func seed() -> UInt64 {
        if let text = getenv("BOTCRON_TEST_SEED"), let seed = UInt64(String(cString: text)) { return seed }
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }
}

// MARK: - Values of the store

extension SeededGenerator {
    mutating func chance(_ share: Double = 0.5) -> Bool { Double.random(in: 0..<1, using: &self) < share }

    mutating func maybe<Value>(_ make: (inout SeededGenerator) -> Value) -> Value? {
        chance() ? make(&self) : nil
    }

    mutating func element<Value>(_ values: [Value]) -> Value { values[Int.random(in: 0..<values.count, using: &self)] }

    /// Plausible ones, and the ends of what an instant can hold.
    mutating func instant() -> Instant {
        chance(0.1)
            ? Instant(microseconds: element([.min, -1, 0, 1, .max, .max - 1]))
            : Instant(microseconds: Int64.random(in: 0..<4_000_000_000_000_000, using: &self))
    }

    mutating func duration() -> Duration { .microseconds(Int64.random(in: .min ... .max, using: &self)) }

    mutating func text() -> String {
        let pieces = ["", "a", "ü", "\u{0}", "'", "\"", "\n", "日本", "🕰️", "%", "{\"k\": [1, null]}", "e\u{301}", "--"]
        return (0..<Int.random(in: 0..<8, using: &self)).map { _ in element(pieces) }.joined()
    }

    mutating func exit() -> Run.Exit {
        chance()
            ? .code(Int32.random(in: .min ... .max, using: &self)) : .signal(Int32.random(in: 1...64, using: &self))
    }

    mutating func run(_ number: Int) -> Run {
        var run = Run(
            id: "cron-\(text())-\(number)", job: text(), skill: text(), trigger: element(Run.Trigger.allCases),
            scheduledFor: maybe { Instant(microseconds: Int64(number) + $0.instant().microseconds / 2) },
            createdAt: instant(), status: element(Run.Status.allCases))
        run.attempt = Int.random(in: 0...Int.max, using: &self)
        run.startedAt = maybe { $0.instant() }
        run.endedAt = maybe { $0.instant() }
        run.retryAt = maybe { $0.instant() }
        run.exit = maybe { $0.exit() }
        run.error = maybe { $0.text() }
        run.reason = maybe { $0.element(Run.Reason.allCases) }
        run.failureType = maybe { $0.text() }
        run.outputPreview = maybe { $0.text() }
        run.traceID = maybe { $0.text() }
        run.coveredCount = Int.random(in: 0...Int.max, using: &self)
        run.coveredSince = maybe { $0.instant() }
        run.idempotencyKey = maybe { $0.text() + "\(number)" }
        run.inputs = maybe { $0.text() }
        run.isForced = chance()
        run.definition = maybe { $0.text() }
        run.previous = maybe { $0.text() }
        return run
    }

    /// With what later versions of the schema have added: `run` draws what golden files hold.
    mutating func wholeRun(_ number: Int) -> Run {
        var run = run(number)
        run.retryDelay = maybe { $0.duration() }
        run.ending = maybe { $0.element(Run.Ending.allCases) }
        run.cost = Double(Int.random(in: 0...1000, using: &self)) / 8
        run.progress = maybe { Double(Int.random(in: 0...100, using: &$0)) }
        run.result = maybe { $0.text() }
        run.caveat = maybe { $0.text() }
        return run
    }

    mutating func attempt(_ number: Int, of run: String) -> Attempt {
        var attempt = Attempt(run: run, number: number, startedAt: instant())
        attempt.endedAt = maybe { $0.instant() }
        attempt.exit = maybe { $0.exit() }
        attempt.error = maybe { $0.text() }
        attempt.failureType = maybe { $0.text() }
        attempt.remedySucceeded = maybe { $0.chance() }
        return attempt
    }

    mutating func jobState(_ job: String) -> JobState {
        var state = JobState(job: job, scheduleKey: text(), registeredAt: instant(), decidedThrough: instant())
        state.isEnabledOverride = maybe { $0.chance() }
        state.executions = Int.random(in: 0...Int.max, using: &self)
        state.runCount = Int.random(in: 0...Int.max, using: &self)
        state.failureCount = Int.random(in: 0...Int.max, using: &self)
        state.failuresInARow = Int.random(in: 0...Int.max, using: &self)
        state.lastRunAt = maybe { $0.instant() }
        state.lastEndedAt = maybe { $0.instant() }
        state.lastDuration = maybe { $0.duration() }
        state.lastStatus = maybe { $0.element(Run.Status.allCases) }
        state.skippedFireTime = maybe { $0.instant() }
        state.budgetUse.day = maybe { $0.instant() }
        state.budgetUse.runs = Int.random(in: 0...Int.max, using: &self)
        state.budgetUse.wallTime = duration()
        state.budgetUse.cost = element([0, 0.1, 1e300, .infinity, Double.random(in: 0..<100, using: &self)])
        state.firedBootID = maybe { $0.text() }
        state.pausedUntil = maybe { $0.instant() }
        state.wasEnabled = chance()
        state.claimed = (0..<Int.random(in: 0...3, using: &self)).map { _ in instant() }
        state.reopenedThrough = maybe { $0.instant() }
        return state
    }
}
