import Schedules
import Scheduling
import Store
import Testing

@testable import SQLiteStore

@Suite struct CommitTests {
    let scratch = Scratch()
    let store: SQLiteStore

    init() throws { store = try SQLiteStore(path: scratch.database) }

    private func kind(_ changes: [StoreChange]) -> StoreError.Kind? {
        do throws(StoreError) {
            try store.commit(changes)
            return nil
        } catch {
            return error.kind
        }
    }

    // MARK: - All or nothing

    @Test func aCommitThatFailsLeavesNothingBehind() throws {
        try store.commit([.run(makeRun(1)), .jobState(makeState())])
        let before = try store.load()
        var state = makeState()
        state.runCount = 9
        let orphan = Attempt(run: "nobody", number: 1, startedAt: .init(seconds: 1))
        #expect(
            kind([.run(makeRun(2)), .jobState(state), .schedulerOverride(true), .attempt(orphan)]) == .constraint)
        #expect(try store.load() == before)
        #expect(try store.run(id: makeRun(2).id) == nil)
        #expect(try store.statistics().recorded == 1)
        #expect(kind([.run(makeRun(2))]) == nil)
    }

    @Test func nothingToCommitIsNoTransaction() throws {
        let other = try OtherProgram(scratch.database)
        try other.execute("BEGIN IMMEDIATE")
        #expect(kind([]) == nil)
    }

    @Test func aCommitTwiceIsAsOnce() throws {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        for round in 0..<30 {
            var changes: [StoreChange] = []
            for number in 0..<20 {
                let status = random.element(Run.Status.allCases)
                let run = makeRun(round * 20 + number, job: "job-\(number % 3)", status)
                changes.append(.run(run))
                if random.chance() { changes.append(.attempt(random.attempt(1, of: run.id))) }
            }
            changes.append(.prune(job: "job-1", keep: Int.random(in: 0..<5, using: &random)))
            changes.append(.pruneEnded(before: Instant(seconds: Int64(round * 20 - 40)), limit: 5))
            try store.commit(changes)
            let once = try snapshot()
            // The step of `pruneEnded` is the one thing that goes on where it stopped.
            changes.removeLast()
            try store.commit(changes)
            #expect(try snapshot() == once, "seed \(seed), round \(round)")
        }
    }

    private func snapshot() throws -> [String] {
        let runs = try store.history(HistoryQuery(limit: 1000)).runs
        let attempts = try runs.map { try store.attempts(ofRun: $0.id) }
        return ["\(runs)", "\(attempts)", "\(try store.statistics().recorded)", "\(try store.load())"]
    }

    // MARK: - Once only

    @Test(arguments: [
        (Run.Trigger.schedule, Run.Trigger.schedule, true), (.schedule, .catchUp, true), (.manual, .schedule, true),
        (.schedule, .chain, false), (.queue, .queue, false), (.poll, .poll, false),
    ])
    func aFireTimeHasOneRun(_ first: Run.Trigger, _ second: Run.Trigger, _ isRefused: Bool) throws {
        let fireTime = Instant(seconds: 900)
        try store.commit([.run(makeRun(1, trigger: first, scheduledFor: fireTime))])
        let again = makeRun(2, trigger: second, scheduledFor: fireTime)
        #expect(kind([.run(again)]) == (isRefused ? .constraint : nil))
        #expect(kind([.run(makeRun(3, job: "tea", trigger: second, scheduledFor: fireTime))]) == nil)
        #expect(kind([.run(makeRun(4, trigger: second, scheduledFor: Instant(microseconds: 900_000_001)))]) == nil)
    }

    @Test func runsByHandWithoutAFireTimeAreFree() throws {
        for number in 1...3 {
            let run = Run(
                id: "by-hand-\(number)", job: "coffee", skill: "", trigger: .manual, scheduledFor: nil,
                createdAt: .init(seconds: 1), status: .queued)
            #expect(kind([.run(run)]) == nil)
        }
    }

    @Test func runsAreFoundByFireTimeAndByKey() throws {
        var run = makeRun(1, trigger: .catchUp)
        run.idempotencyKey = "order-66"
        run.coveredCount = 5
        run.coveredSince = Instant(seconds: -400)
        try store.commit([.run(run), .run(makeRun(2, trigger: .chain))])
        #expect(try store.runID(job: "coffee", scheduledFor: .init(seconds: 1)) == run.id)
        #expect(try store.runID(job: "coffee", scheduledFor: .init(seconds: 2)) == nil)
        #expect(try store.runID(job: "tea", scheduledFor: .init(seconds: 1)) == nil)
        #expect(try store.runID(idempotencyKey: "order-66") == run.id)
        #expect(try store.runID(idempotencyKey: "order-67") == nil)
    }

    @Test func anIdempotencyKeyIsUsedOnce() throws {
        var first = makeRun(1)
        first.idempotencyKey = "k"
        var second = makeRun(2)
        second.idempotencyKey = "k"
        try store.commit([.run(first)])
        #expect(kind([.run(second)]) == .constraint)
        #expect(kind([.run(first)]) == nil)
    }

    @Test func anExecutionIDIsTakenForEver() throws {
        let run = makeRun(1)
        #expect(!store.isTaken(executionID: run.id))
        try store.commit([.run(run)])
        #expect(store.isTaken(executionID: run.id))
        try store.commit([.prune(job: "coffee", keep: 0)])
        #expect(try store.run(id: run.id) == nil)
        #expect(store.isTaken(executionID: run.id))
        #expect(!store.isTaken(executionID: run.id + "-2"))
        #expect(kind([.run(makeRun(1, .running))]) == .constraint)
        store.close()
        #expect(try SQLiteStore(path: scratch.database).isTaken(executionID: run.id))
    }

    @Test func anIDThatCouldNotBeCheckedIsNeverRecorded() throws {
        let other = try OtherProgram(scratch.database)
        try other.execute("ALTER TABLE removed_id RENAME TO elsewhere")
        #expect(!store.isTaken(executionID: "x"))
        try other.execute("ALTER TABLE elsewhere RENAME TO removed_id")
        #expect(kind([.run(makeRun(1))]) != nil)
        #expect(try store.run(id: makeRun(1).id) == nil)
        #expect(kind([.run(makeRun(1))]) == nil)
    }

    /// The numbers are in the files of users. These come from another implementation, in Python.
    @Test func theKeysOfRemovedIDsNeverChange() {
        let keys = ["", "cron-coffee-20260126-090000", "cron-coffee-20260126-090000-2", "x-20260126-9000"].map {
            ExecutionIDKey($0).value
        }
        #expect(keys.allSatisfy { $0 >= 0 })
        #expect(
            keys == [
                5_379_517_537_654, 6_629_875_415_579_734_840, 6_629_875_874_163_553_259, 4_479_244_801_488,
            ])
    }

    // MARK: - Retention

    @Test func pruningKeepsTheNewestEndedRunsAndAllActiveOnes() throws {
        for number in 1...20 {
            try store.commit([
                .run(makeRun(number, number.isMultiple(of: 5) ? .running : .success)),
                .attempt(Attempt(run: makeRun(number).id, number: 1, startedAt: .init(seconds: 0))),
                .run(makeRun(number, job: "tea")),
            ])
        }
        try store.commit([.prune(job: "coffee", keep: 3)])
        let kept = try store.history(HistoryQuery(job: "coffee")).runs.map(\.id)
        #expect(kept == [20, 19, 18, 17, 15, 10, 5].map { "cron-coffee-\($0)" })
        #expect(try store.history(HistoryQuery(job: "tea")).runs.count == 20)
        #expect(try OtherProgram(scratch.database).rows("SELECT count(*) FROM attempt") == ["7"])
        #expect(try store.statistics().recorded == 40)
        #expect(try store.statistics().successful == 36)
        #expect(try store.statistics().active == 4)
    }

    @Test func aLongHistoryIsPrunedInSteps() throws {
        let count = SQLiteStore.pruneStepMax + 10
        try store.commit((1...count).map { .run(makeRun($0)) })
        try store.commit([.prune(job: "coffee", keep: 2)])
        #expect(try store.history(HistoryQuery(limit: 1000)).runs.count == 10)
        try store.commit([.prune(job: "coffee", keep: 2)])
        let kept = try store.history(HistoryQuery(limit: 1000)).runs.map(\.id)
        #expect(kept == [count, count - 1].map { "cron-coffee-\($0)" })
    }

    @Test func oldRunsGoInSteps() throws {
        try store.commit((1...10).map { .run(makeRun($0)) })
        var long = makeRun(0, job: "long")
        long.endedAt = Instant(seconds: 100)
        try store.commit([.run(long), .run(makeRun(1, job: "active", .running))])
        let end = Instant(seconds: 8)
        var steps = 0
        var left = Int.max
        while try store.history(HistoryQuery()).runs.count < left {
            left = try store.history(HistoryQuery()).runs.count
            try store.commit([.pruneEnded(before: end, limit: 3)])
            steps += 1
        }
        #expect(steps == 4, "the last finds nothing")
        let kept = try store.history(HistoryQuery()).runs.map(\.id)
        #expect(kept == ["cron-coffee-10", "cron-coffee-9", "cron-coffee-8", "cron-active-1", "cron-long-0"])
        #expect(try store.statistics().recorded == 12)
    }

    @Test(arguments: [-1, Int.min])
    func absurdBoundsRemoveWhatZeroWould(_ bound: Int) throws {
        try store.commit([.run(makeRun(1)), .pruneEnded(before: .init(seconds: 9), limit: bound)])
        #expect(try store.run(id: makeRun(1).id) != nil)
        try store.commit([.prune(job: "coffee", keep: bound)])
        #expect(try store.run(id: makeRun(1).id) == nil)
    }

    // MARK: - Totals

    @Test func totalsFollowTheStatusOfEachRun() throws {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        var statuses: [Int: Run.Status] = [:]
        for _ in 0..<300 {
            let number = Int.random(in: 0..<60, using: &random)
            let status = random.element(Run.Status.allCases)
            // What retention removed is out of reach.
            if try statuses[number] != nil && store.run(id: makeRun(number).id) == nil { continue }
            statuses[number] = status
            try store.commit([.run(makeRun(number, status))])
            if random.chance(0.1) { try store.commit([.prune(job: "coffee", keep: 10)]) }
        }
        let totals = try store.statistics()
        for status in Run.Status.allCases {
            #expect(totals.count(of: status) == statuses.values.count { $0 == status }, "seed \(seed), \(status)")
        }
        #expect(totals.recorded == statuses.count, "seed \(seed)")
        #expect(totals.failed == statuses.values.count { $0.isFailure }, "seed \(seed)")
        #expect(totals.total == totals.failed + totals.successful)
    }

    // MARK: - What is still to be told

    @Test func whatIsToBeToldIsKeptWithTheCommitUntilItIsForgotten() throws {
        #expect(try store.untold() == nil)
        try store.commit([.run(makeRun(1))], untold: "started 1")
        #expect(try store.untold() == "started 1")
        // Nothing new to tell takes nothing away.
        try store.commit([.run(makeRun(2))])
        #expect(try store.untold() == "started 1")
        try store.commit([.run(makeRun(3))], untold: "started 3")
        let orphan = Attempt(run: "nobody", number: 1, startedAt: .init(seconds: 1))
        #expect(throws: StoreError.self) { try store.commit([.attempt(orphan)], untold: "lost") }
        store.close()
        let next = try SQLiteStore(path: scratch.database)
        defer { next.close() }
        #expect(try next.untold() == "started 3")
        try next.forgetUntold()
        try next.forgetUntold()
        #expect(try next.untold() == nil)
        #expect(try next.load().schedulerOverride == nil)
    }

    // MARK: - After the end

    @Test func aClosedStoreSaysSo() throws {
        store.close()
        store.close()
        #expect(kind([.run(makeRun(1))]) == .other)
        #expect(throws: StoreError.self) { try store.load() }
        #expect(throws: StoreError.self) { try store.history(HistoryQuery()) }
        #expect(!store.isTaken(executionID: "x"))
    }
}
