import Schedules
import Scheduling
import Store
import Testing

@testable import SQLiteStore

@Suite struct HistoryTests {
    let scratch = Scratch()
    let store: SQLiteStore

    init() throws { store = try SQLiteStore(path: scratch.database) }

    /// Every combination of filters, page by page, against a filter over an array.
    @Test func pagesTogetherAreTheFilteredHistory() throws {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        // Few instants: many runs share one, and the order among them must hold across pages.
        var runs: [Run] = (0..<400).map { number in
            var run = Run(
                id: "run-\(number)", job: "job-\(Int.random(in: 0..<4, using: &random))", skill: "",
                trigger: random.element(Run.Trigger.allCases), scheduledFor: nil,
                createdAt: Instant(seconds: Int64.random(in: 0..<40, using: &random)),
                status: random.element(Run.Status.allCases))
            run.attempt = number
            return run
        }
        try store.commit(runs.map { .run($0) })
        runs.sort { ($0.createdAt, $0.attempt) > ($1.createdAt, $1.attempt) }

        for _ in 0..<300 {
            var query = HistoryQuery(
                job: random.maybe { "job-\(Int.random(in: 0..<5, using: &$0))" },
                status: random.maybe { $0.element(Run.Status.allCases) },
                trigger: random.maybe { $0.element(Run.Trigger.allCases) },
                since: random.maybe { Instant(seconds: Int64.random(in: -1..<41, using: &$0)) },
                until: random.maybe { Instant(seconds: Int64.random(in: -1..<41, using: &$0)) },
                limit: Int.random(in: 1..<60, using: &random))
            if random.chance() {
                query.statuses = Run.Status.allCases.filter { _ in random.chance() }.shuffled(using: &random)
            }
            let expected = runs.filter { run in
                (query.job.map { $0 == run.job } ?? true)
                    && (query.statuses.isEmpty || query.statuses.contains(run.status))
                    && (query.trigger.map { $0 == run.trigger } ?? true)
                    && (query.since.map { run.createdAt >= $0 } ?? true)
                    && (query.until.map { run.createdAt < $0 } ?? true)
            }
            var found: [Run] = []
            repeat {
                let page = try store.history(query)
                #expect(page.runs.count <= query.limit)
                #expect(page.next == nil || page.runs.count == query.limit)
                found += page.runs
                // Through a client and back.
                query.cursor = try page.next.map { try #require(HistoryCursor($0.text)) }
            } while query.cursor != nil
            #expect(found.map(\.id) == expected.map(\.id), "seed \(seed), \(query)")
        }
    }

    @Test func aPageGoesOnWhereTheLastEndedWhateverWasAdded() throws {
        try store.commit((1...6).map { .run(makeRun($0)) })
        let first = try store.history(HistoryQuery(limit: 3))
        try store.commit([.run(makeRun(7)), .prune(job: "coffee", keep: 6)])
        let second = try store.history(HistoryQuery(limit: 3, cursor: first.next))
        #expect((first.runs + second.runs).map(\.id) == [6, 5, 4, 3, 2].map { "cron-coffee-\($0)" })
        #expect(second.next == nil)
    }

    @Test func limitsAreCut() throws {
        try store.commit((1...1100).map { .run(makeRun($0)) })
        for (limit, count) in [(0, 20), (-5, 20), (1, 1), (1000, 1000), (1001, 1000), (Int.max, 1000)] {
            #expect(try store.history(HistoryQuery(limit: limit)).runs.count == count, "limit \(limit)")
        }
    }

    @Test(arguments: ["", ".", "1", "1.", ".1", "1.2.3", "a.b", "1. 2", "99999999999999999999.1"])
    func aCursorThatIsNoneOfOursIsRefused(_ text: String) {
        #expect(HistoryCursor(text) == nil)
    }

    @Test func extremeInstantsAreInReach() throws {
        var runs: [Run] = []
        for microseconds in [Int64.min, -1, 0, .max] {
            runs.append(
                Run(
                    id: "run\(microseconds)", job: "j", skill: "", trigger: .manual, scheduledFor: nil,
                    createdAt: Instant(microseconds: microseconds), status: .success))
        }
        try store.commit(runs.map { .run($0) })
        let found = try store.history(HistoryQuery()).runs
        #expect(found.map(\.id) == runs.reversed().map(\.id))
        let bounds = StoreBounds.instants
        #expect(found.map(\.createdAt) == [bounds.upperBound, .epoch, Instant(microseconds: -1), bounds.lowerBound])
        // The place of a page is where its last run lies, not where that is shown.
        var pages: [String] = []
        var cursor: HistoryCursor?
        repeat {
            let page = try store.history(HistoryQuery(limit: 1, cursor: cursor))
            pages += page.runs.map(\.id)
            cursor = page.next
        } while cursor != nil && pages.count < 10
        #expect(pages == found.map(\.id))
        #expect(try store.history(HistoryQuery(since: .init(microseconds: 0))).runs.count == 2)
        #expect(try store.history(HistoryQuery(until: .init(microseconds: .min))).runs.isEmpty)
    }

    /// What keeps a page at microseconds in a store of a million runs.
    @Test func everyQueryWalksAnIndexInOrder() throws {
        let other = try OtherProgram(scratch.database)
        for filters in (UInt8(0)..<16).map({ HistoryFilters(rawValue: $0) }) {
            let plan = try other.rows("EXPLAIN QUERY PLAN " + filters.sql).joined(separator: "\n")
            #expect(plan.contains("SEARCH run USING INDEX run_"), "\(plan)")
            #expect(!plan.contains("TEMP B-TREE"), "\(plan)")
            if filters.contains(.job) { #expect(plan.contains("(job=?"), "\(plan)") }
            if filters.contains([.job, .status]) && !filters.contains(.trigger) {
                #expect(plan.contains("run_job_status (job=? AND status=?"), "\(plan)")
            }
            if filters.contains([.job, .trigger]) && !filters.contains(.status) {
                #expect(plan.contains("run_job_trigger (job=? AND trigger=?"), "\(plan)")
            }
            if filters.contains([.status, .trigger, .commonTrigger]) { #expect(plan.contains("status=?"), "\(plan)") }
        }
    }

    @Test func lookupsWalkAnIndex() throws {
        let other = try OtherProgram(scratch.database)
        let active = SQL.activeStatuses
        let plans = [
            "SELECT id FROM run WHERE status IN \(active)",
            """
            SELECT id FROM run WHERE job = ? AND scheduled_for_us = ? AND scheduled_for_us IS NOT NULL
                AND trigger IN ('schedule', 'catch_up', 'manual')
            """,
            "SELECT id FROM run WHERE idempotency_key = ?",
            "SELECT ended_at_us FROM run WHERE job = ? AND status = 'success' ORDER BY created_at_us DESC LIMIT 50",
        ]
        for (sql, index) in zip(plans, ["run_status", "run_fire_time", "run_idempotency_key", "run_job_status"]) {
            let plan = try other.rows("EXPLAIN QUERY PLAN " + sql).joined(separator: "\n")
            #expect(plan.contains("SEARCH run USING") && plan.contains(index), "\(plan)")
        }
    }
}
