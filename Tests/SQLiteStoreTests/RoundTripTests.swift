import SQLiteStore
import Schedules
import Scheduling
import Store
import Testing

@Suite struct RoundTripTests {
    let scratch = Scratch()

    @Test func everyFieldComesBackAsItWas() throws {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        let runs = (0..<300).map { random.wholeRun($0) }
        let states = (0..<100).map { random.jobState("job-\($0)") }
        let attempts = runs.prefix(50).flatMap { run in (1...3).map { random.attempt($0, of: run.id) } }
        let definitions = (0..<30).map {
            StoredState.StoredDefinition(
                job: "job-\($0)", version: random.count(), json: random.text(),
                createdAt: random.instant())
        }

        let store = try SQLiteStore(path: scratch.database)
        try store.commit(runs.map { .run($0) })
        try store.commit(states.map { .jobState($0) } + attempts.map { .attempt($0) })
        try store.commit(
            definitions.map { .definition(job: $0.job, version: $0.version, json: $0.json, createdAt: $0.createdAt) }
                + [.schedulerOverride(false)])

        for isReopened in [false, true] {
            let store = isReopened ? try SQLiteStore(path: scratch.database) : store
            defer { store.close() }
            for run in runs {
                #expect(try store.run(id: run.id) == run, "seed \(seed)")
                #expect(try store.attempts(ofRun: run.id) == attempts.filter { $0.run == run.id }, "seed \(seed)")
            }
            let state = try store.load()
            #expect(state.jobs == states, "seed \(seed): in the order in which they came")
            #expect(state.definitions == definitions, "seed \(seed)")
            #expect(state.schedulerOverride == false)
            #expect(Set(state.activeRuns.map(\.id)) == Set(runs.filter(\.status.isActive).map(\.id)), "seed \(seed)")
            #expect(state.activeRuns.map(\.createdAt) == state.activeRuns.map(\.createdAt).sorted(), "seed \(seed)")
        }
    }

    @Test func `groups that are held and what is used of the budget of all come back, and go`() throws {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        let holds = (0..<20).map { number in
            var hold = GroupHold(
                group: "group-\(10 + number)", until: random.maybe { $0.instant() }, since: random.instant(),
                run: random.maybe { $0.text() })
            (hold.isRelative, hold.isReleased) = (random.chance(), random.chance())
            return hold
        }
        var use = BudgetUse()
        (use.day, use.runs, use.wallTime, use.cost) = (Instant(seconds: 5), 7, .milliseconds(1_500), 0.125)
        let store = try SQLiteStore(path: scratch.database)
        try store.commit(holds.map { .groupHold($0) } + [.budgetUse(use)])
        for isReopened in [false, true] {
            let store = isReopened ? try SQLiteStore(path: scratch.database) : store
            defer { store.close() }
            #expect(try store.load().groupHolds == holds, "seed \(seed)")
            #expect(try store.load().budgetUse == use)
        }
        let last = try SQLiteStore(path: scratch.database)
        try last.commit(holds.dropFirst().map { .removeGroupHold(group: $0.group) })
        #expect(try last.load().groupHolds == Array(holds.prefix(1)), "seed \(seed)")
    }

    @Test func replacedRecordsHoldTheNewValuesInEveryField() throws {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        let store = try SQLiteStore(path: scratch.database)
        for number in 0..<100 {
            let first = random.wholeRun(number)
            let second = random.wholeRun(number)
            var replaced = Run(
                id: first.id, job: second.job, skill: second.skill, trigger: second.trigger,
                scheduledFor: second.scheduledFor, createdAt: second.createdAt, status: second.status)
            replaced.attempt = second.attempt
            replaced.exit = second.exit
            replaced.error = second.error
            try store.commit([.run(first), .jobState(random.jobState("job"))])
            let attempts = [random.attempt(1, of: first.id), random.attempt(1, of: first.id)]
            let state = random.jobState("job")
            try store.commit([.run(replaced), .jobState(state), .attempt(attempts[0]), .attempt(attempts[1])])
            #expect(try store.run(id: first.id) == replaced, "seed \(seed)")
            #expect(try store.load().jobs == [state], "seed \(seed)")
            #expect(try store.attempts(ofRun: first.id) == [attempts[1]], "seed \(seed)")
        }
    }

    @Test func aNewStoreIsEmpty() throws {
        let store = try SQLiteStore(path: scratch.database)
        #expect(try store.load() == StoredState())
        #expect(try store.statistics().recorded == 0)
        #expect(try store.history(HistoryQuery()).runs.isEmpty)
        #expect(try store.run(id: "nobody") == nil)
        #expect(try store.attempts(ofRun: "nobody").isEmpty)
    }

    @Test func theLatestRunOnRecordIsKnownWhateverTheOrder() throws {
        var random = SeededGenerator(seed: 7)
        let runs = (0..<20).map { random.run($0) }
        let store = try SQLiteStore(path: scratch.database)
        try store.commit(runs.map { .run($0) })
        #expect(try store.load().latestRunAt == runs.map(\.createdAt).max())
    }

    @Test func theFirstFireTimeThatIsKeptIsKnownWhereHistoryIsFull() throws {
        let store = try SQLiteStore(path: scratch.database)
        func run(_ number: Int, _ trigger: Run.Trigger, at fire: Int64?) -> StoreChange {
            .run(
                Run(
                    id: "cron-\(number)", job: "tea", skill: "", trigger: trigger,
                    scheduledFor: fire.map { Instant(seconds: $0) }, createdAt: Instant(seconds: 1000), status: .success
                ))
        }
        try store.commit([
            run(1, .schedule, at: 300), run(2, .catchUp, at: 200), run(3, .chain, at: 150), run(4, .manual, at: nil),
        ])
        func first(_ after: Int64, _ count: Int, _ job: String = "tea") -> Instant? {
            store.firstKept(job: job, after: Instant(seconds: after), ofAtLeast: count)
        }
        #expect(first(100, 4) == Instant(seconds: 200))
        #expect(first(200, 4) == Instant(seconds: 300))
        #expect(first(300, 4) == nil)
        #expect(first(100, 5) == nil, "there is room for more, so it has them all")
        #expect(first(100, 1, "coffee") == nil)
    }

    @Test func theSpansOverAFireTimeAreThoseOfProcesses() throws {
        let store = try SQLiteStore(path: scratch.database)
        func run(_ number: Int, _ trigger: Run.Trigger, _ status: Run.Status, _ span: Range<Int64>) -> StoreChange {
            var run = Run(
                id: "cron-\(number)", job: "tea", skill: "", trigger: trigger,
                scheduledFor: Instant(seconds: span.upperBound), createdAt: Instant(seconds: 1000), status: status)
            run.coveredSince = Instant(seconds: span.lowerBound)
            return .run(run)
        }
        try store.commit([
            run(1, .catchUp, .success, 100..<300), run(2, .schedule, .failed, 200..<400),
            run(3, .catchUp, .missed, 100..<500), run(4, .chain, .success, 100..<600),
        ])
        func spans(_ fire: Int64, _ job: String = "tea") -> [Range<Int64>] {
            store.spans(ofJob: job, over: Instant(seconds: fire)).map { $0.lowerBound.seconds..<$0.upperBound.seconds }
                .sorted { $0.lowerBound < $1.lowerBound }
        }
        #expect(spans(99) == [])
        #expect(spans(100) == [100..<300])
        #expect(spans(250) == [100..<300, 200..<400])
        #expect(spans(300) == [200..<400], "the last of a span has a run of its own")
        #expect(spans(400) == [])
        #expect(spans(250, "coffee") == [])
    }

    @Test func theDurationsOfTheLastSuccessesAreThoseOfTheJob() throws {
        let store = try SQLiteStore(path: scratch.database)
        func run(_ number: Int64, _ status: Run.Status, took seconds: Int64?, job: String = "tea") -> StoreChange {
            var run = Run(
                id: "cron-\(number)", job: job, skill: "", trigger: .manual, scheduledFor: nil,
                createdAt: Instant(seconds: number), status: status)
            run.startedAt = seconds.map { Instant(seconds: number + 10 - $0) }
            run.endedAt = Instant(seconds: number + 10)
            return .run(run)
        }
        try store.commit([
            run(1, .success, took: 5), run(2, .success, took: 7), run(3, .failed, took: 9),
            run(4, .success, took: nil), run(5, .success, took: 8, job: "coffee"), run(6, .success, took: -1),
        ])
        #expect(store.successDurations(ofJob: "tea", limit: 50) == [.zero, .seconds(7), .seconds(5)])
        #expect(store.successDurations(ofJob: "tea", limit: 3) == [.zero, .seconds(7)])
        #expect(store.successDurations(ofJob: "milk", limit: 50).isEmpty)
    }

    @Test func settingsAndDefinitionsCanBeTakenBack() throws {
        let store = try SQLiteStore(path: scratch.database)
        let define = StoreChange.definition(job: "tea", version: 1, json: "{}", createdAt: .init(seconds: 1))
        try store.commit([.schedulerOverride(true), define, .jobState(makeState())])
        #expect(try store.load().schedulerOverride == true)
        try store.commit([.schedulerOverride(nil), .removeDefinition(job: "tea"), .removeJobState(job: "coffee")])
        #expect(try store.load() == StoredState())
    }

    @Test func aTextOfTenMebibytesIsStoredWhole() throws {
        let store = try SQLiteStore(path: scratch.database)
        var run = makeRun(1)
        run.inputs = String(repeating: "0123456789abcdef", count: 10 << 16)
        try store.commit([.run(run)])
        store.close()
        #expect(try SQLiteStore(path: scratch.database).run(id: run.id) == run)
    }

    @Test func aCostThatIsNoNumberStaysOne() throws {
        let store = try SQLiteStore(path: scratch.database)
        var state = makeState()
        state.budgetUse.cost = .nan
        try store.commit([.jobState(state)])
        #expect(try store.load().jobs.first?.budgetUse.cost.isNaN == true)
    }

    @Test(arguments: [
        (Duration.nanoseconds(1999), Int64(1)),
        (.seconds(Int64.max), StoreBounds.durationMicroseconds.upperBound),
        (.seconds(Int64.min), StoreBounds.durationMicroseconds.lowerBound),
        (.microseconds(-3), -3),
    ])
    func durationsAreKeptToTheMicrosecond(_ duration: Duration, _ microseconds: Int64) throws {
        let store = try SQLiteStore(path: scratch.database)
        var state = makeState()
        state.lastDuration = duration
        try store.commit([.jobState(state)])
        #expect(try store.load().jobs.first?.lastDuration == .microseconds(microseconds))
    }
}
