import Schedules
import Scheduling
import Store
import Testing

@testable import SQLiteStore

/// What a client may name again outlives the record of its run: until retention by age passes it.
@Suite struct UsedKeyTests {
    let scratch = Scratch()

    private func keyed(_ number: Int, _ status: Run.Status = .success) -> Run {
        var run = Run(
            id: "cron-coffee-\(number)", job: "coffee", skill: "", trigger: .manual, scheduledFor: nil,
            createdAt: Instant(seconds: Int64(number)), status: status)
        run.idempotencyKey = "key \(number)"
        run.endedAt = Instant(seconds: Int64(number) + 1)
        return run
    }

    private func removed(_ run: Run) -> EarlierRun {
        .removed(RemovedRun(id: run.id, job: run.job, status: run.status, endedAt: run.endedAt))
    }

    /// A key was forgotten after a thousand newer runs of its job, and a client that tried again had a second run.
    @Test func aKeyOutlivesAnyNumberOfNewerRuns() throws {
        let count = 2_500
        let store = try SQLiteStore(path: scratch.database)
        let runs = (1...count).map { keyed($0, $0.isMultiple(of: 7) ? .failed : .success) }
        for start in stride(from: 0, to: count, by: 100) {
            try store.commit(runs[start..<start + 100].map { .run($0) } + [.prune(job: "coffee", keep: 5)])
        }
        #expect(try store.history(HistoryQuery(limit: 1000)).runs.count == 5, "the runs themselves are not kept for it")
        for run in runs.dropLast(5) {
            #expect(store.earlierRun(idempotencyKey: run.idempotencyKey ?? "") == removed(run))
        }
        for run in runs.suffix(5) {
            #expect(store.earlierRun(idempotencyKey: run.idempotencyKey ?? "") == .kept(run))
        }
        #expect(store.earlierRun(idempotencyKey: "key 0") == nil)
        #expect(try store.statistics().keysDropped == 0)
        #expect(try store.statistics().recorded == count)

        var again = keyed(count + 1)
        again.idempotencyKey = "key 1"
        let error = try #require(throws: StoreError.self) { try store.commit([.run(again)]) }
        #expect(error.kind == .constraint && error.message.contains("cron-coffee-1 "), "\(error)")
        store.close()
        let next = try SQLiteStore(path: scratch.database)
        #expect(next.earlierRun(idempotencyKey: "key 1") == removed(runs[0]))
        next.close()
    }

    @Test func aKeyGoesWithItsAge() throws {
        let store = try SQLiteStore(path: scratch.database)
        try store.commit((1...20).map { .run(keyed($0)) })
        try store.commit([.prune(job: "coffee", keep: 10)])
        // Of 1 to 10 the key is left, of 11 to 20 the run; each ended a second after its number.
        try store.commit([.pruneEnded(before: Instant(seconds: 6), limit: 100)])
        #expect((1...20).filter { store.earlierRun(idempotencyKey: "key \($0)") == nil } == Array(1...4))
        try store.commit([.pruneEnded(before: Instant(seconds: 16), limit: 100)])
        #expect((1...20).filter { store.earlierRun(idempotencyKey: "key \($0)") == nil } == Array(1...14))
        // In steps, as runs do.
        try store.commit([.prune(job: "coffee", keep: 0)])
        for left in [4, 2, 0] {
            try store.commit([.pruneEnded(before: Instant(seconds: 99), limit: 2)])
            #expect((1...20).count { store.earlierRun(idempotencyKey: "key \($0)") != nil } == left)
        }
        try store.commit([.run(keyed(21)), .run(keyed(1))])
        #expect(try store.run(id: keyed(1).id) == nil, "its id stays taken")
        #expect(try store.statistics().keysDropped == 0)
        store.close()
    }

    @Test func beyondTheBoundTheOldestGoAndAreCounted() throws {
        let store = try SQLiteStore(path: scratch.database, steps: Schema.steps, usedKeysMax: 30)
        for start in stride(from: 1, to: 101, by: 10) {
            try store.commit((start..<start + 10).map { .run(keyed($0)) } + [.prune(job: "coffee", keep: 0)])
            let known = (1...100).filter { store.earlierRun(idempotencyKey: "key \($0)") != nil }
            #expect(known == Array(max(1, start + 10 - 30)..<start + 10))
        }
        #expect(try store.statistics().keysDropped == 70)
        // What goes by its age makes room.
        try store.commit([.pruneEnded(before: Instant(seconds: 99_999), limit: 20)])
        try store.commit((101...120).map { .run(keyed($0)) } + [.prune(job: "coffee", keep: 0)])
        #expect(try store.statistics().keysDropped == 70)
        store.close()
        let next = try SQLiteStore(path: scratch.database, steps: Schema.steps, usedKeysMax: 30)
        try next.commit([.run(keyed(121)), .prune(job: "coffee", keep: 0)])
        #expect(try next.statistics().keysDropped == 71, "the count is on record")
        #expect(try OtherProgram(scratch.database).rows("SELECT count(*) FROM used_key") == ["30"])
        next.close()
    }

    @Test func aFireTimeThatWasTakenByHandStaysTaken() throws {
        let store = try SQLiteStore(path: scratch.database)
        let fireTime = Instant(seconds: 900)
        let taken = makeRun(1, trigger: .manual, scheduledFor: fireTime)
        // The watermark knows of those that the schedule made: they need no key.
        try store.commit([.run(taken), .run(makeRun(2)), .run(makeRun(3, trigger: .catchUp))])
        #expect(store.earlierRun(job: "coffee", scheduledFor: fireTime) == .kept(taken))
        try store.commit([.prune(job: "coffee", keep: 0)])
        #expect(store.earlierRun(job: "coffee", scheduledFor: fireTime) == removed(taken))
        #expect(store.isDecided(job: "coffee", fireTime: fireTime))
        #expect(!store.isDecided(job: "coffee", fireTime: Instant(seconds: 2)))
        #expect(!store.isDecided(job: "tea", fireTime: fireTime))
        #expect(throws: StoreError.self) {
            try store.commit([.run(makeRun(4, trigger: .manual, scheduledFor: fireTime))])
        }
        try store.commit([.pruneEnded(before: Instant(seconds: 99_999), limit: 10)])
        #expect(!store.isDecided(job: "coffee", fireTime: fireTime))
        try store.commit([.run(makeRun(4, trigger: .manual, scheduledFor: fireTime))])
        store.close()
    }

    @Test func itsQueriesWalkAnIndex() throws {
        try SQLiteStore(path: scratch.database).close()
        let other = try OtherProgram(scratch.database)
        for (condition, index) in [
            ("idempotency_key = ?", "used_key_key"), ("job = ? AND scheduled_for_us = ?", "used_key_fire_time"),
            ("used_at_us < ? ORDER BY used_at_us, sequence", "used_key_time"),
        ] {
            let plan = try other.rows("EXPLAIN QUERY PLAN SELECT run FROM used_key WHERE \(condition)").joined()
            #expect(plan.contains("SEARCH") && plan.contains(index) && !plan.contains("TEMP"), "\(plan)")
        }
    }
}
