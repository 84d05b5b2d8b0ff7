import Glibc
import Schedules
import Scheduling
import Store
import TestSupport

/// The shared generator, which makes values of the store, too.
struct SeededGenerator: RandomNumberGenerator {
    private var bits: TestSupport.SeededGenerator
    /// Whether numbers of the store lie in its bounds, as they come back; golden files hold others, too.
    private let isBounded: Bool

    init(seed: UInt64, isBounded: Bool = true) {
        bits = TestSupport.SeededGenerator(seed: seed)
        self.isBounded = isBounded
    }

    mutating func next() -> UInt64 { bits.next() }

    static func seed() -> UInt64 { TestSupport.SeededGenerator.seed() }
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
            ? Instant(microseconds: element(isBounded ? Self.extremes : [.min, -1, 0, 1, .max, .max - 1]))
            : Instant(microseconds: Int64.random(in: 0..<4_000_000_000_000_000, using: &self))
    }

    /// Those that there were when the golden files were written: another number of them would choose others.
    private static let reasons = Run.Reason.allCases.filter { $0 != .store && $0 != .nothingToDo }

    private static let extremes: [Int64] = {
        let (first, last) = (StoreBounds.instants.lowerBound, StoreBounds.instants.upperBound)
        return [first.microseconds, -1, 0, 1, last.microseconds, last.microseconds - 1]
    }()

    mutating func duration() -> Duration {
        .microseconds(Int64.random(in: isBounded ? StoreBounds.durationMicroseconds : .min ... .max, using: &self))
    }

    mutating func count() -> Int { Int.random(in: isBounded ? StoreBounds.counts : 0...Int.max, using: &self) }

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
        run.attempt = count()
        run.startedAt = maybe { $0.instant() }
        run.endedAt = maybe { $0.instant() }
        run.retryAt = maybe { $0.instant() }
        run.exit = maybe { $0.exit() }
        run.error = maybe { $0.text() }
        run.reason = maybe { $0.element(Self.reasons) }
        run.failureType = maybe { $0.text() }
        run.outputPreview = maybe { $0.text() }
        run.traceID = maybe { $0.text() }
        run.coveredCount = count()
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
        run.bootID = maybe { $0.text() }
        run.queueItems = chance() ? [] : (1...Int.random(in: 1...4, using: &self)).map { Int64($0) }
        run.standardInput = maybe { $0.text() }
        run.cpuTime = maybe { $0.duration() }
        run.memoryPeakBytes = maybe { Int64($0.count()) }
        run.isUnusual = chance()
        run.lateAt = maybe { $0.instant() }
        run.isLate = chance()
        run.stalledAt = chance() ? nil : instant()
        run.questions = chance() ? [] : (1...Int.random(in: 1...3, using: &self)).map { question($0) }
        return run
    }

    private mutating func question(_ number: Int) -> Question {
        // Those of a store lie within the domain of schedules.
        func domain(_ instant: Instant) -> Instant { min(max(.epoch, instant), .horizon) }
        var question = Question(
            attempt: count(), number: number, text: text(), choices: [text(), text()], standard: text(),
            askedAt: domain(instant()), until: domain(instant()))
        if chance() { question.answer = .init(choice: text(), by: text(), at: domain(instant())) }
        return question
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
        state.executions = count()
        state.runCount = count()
        state.failureCount = count()
        state.failuresInARow = count()
        state.lastRunAt = maybe { $0.instant() }
        state.lastEndedAt = maybe { $0.instant() }
        state.lastDuration = maybe { $0.duration() }
        state.lastStatus = maybe { $0.element(Run.Status.allCases) }
        state.skippedFireTime = maybe { $0.instant() }
        state.budgetUse.day = maybe { $0.instant() }
        state.budgetUse.runs = count()
        state.budgetUse.wallTime = duration()
        state.budgetUse.cost = element([0, 0.1, 1e300, .infinity, Double.random(in: 0..<100, using: &self)])
        state.firedBootID = maybe { $0.text() }
        state.pausedUntil = maybe { $0.instant() }
        state.wasEnabled = chance()
        state.claimed = Set((0..<Int.random(in: 0...3, using: &self)).map { _ in instant() }).sorted()
        state.reopenedThrough = maybe { $0.instant() }
        state.disabledReason = maybe { $0.text() }
        state.expectation.since = maybe { $0.instant() }
        state.expectation.overdueAt = maybe { $0.instant() }
        state.expectation.toldBy = maybe { $0.instant() }
        state.progress.countsFrom = maybe { $0.instant() }
        state.progress.endedBefore = Array(["a", "b:c", "d-1"].prefix(Int.random(in: 0...3, using: &self)))
        return state
    }
}
