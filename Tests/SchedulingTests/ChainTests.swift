import Schedules
import Scheduling
import Testing

/// Jobs that follow others: several before one, circles, and what a restart keeps.
@Suite struct ChainTests {
    /// `c` follows `a` and `b`.
    private func jobs(
        _ outcome: Job.Chain.Outcome = .success, with change: @escaping (inout Job) -> Void = { _ in }
    ) -> [Job] {
        [
            job("a"), job("b"),
            job("c") {
                $0.after = Job.Chain(jobs: ["a", "b"], on: outcome)
                change(&$0)
            },
        ]
    }

    /// Runs a job by hand, to its end.
    private func run(_ rig: Rig, _ name: String, _ status: Int32 = 0) {
        guard case .run(let run)? = rig.request(name) else {
            Issue.record("\(name) does not run")
            return
        }
        rig.advance(to: rig.now + .seconds(60))
        rig.end(run.id, .exited(status))
    }

    private func launches(_ rig: Rig) -> Int { rig.launches.count { $0.job.name == "c" } }

    /// Ends the run of `c` that was started last.
    private func endLast(_ rig: Rig) {
        if let last = rig.launches.last(where: { $0.job.name == "c" }) { rig.end(last.run.id) }
    }

    /// What ends in order, as `JOB` or `JOB!` for a failure, and how often `c` has been started after each.
    struct Case: Sendable, CustomTestStringConvertible {
        var outcome: Job.Chain.Outcome
        var ends: [String]
        var started: [Int]
        var testDescription: String { "\(outcome) \(ends)" }
    }

    @Test(arguments: [
        Case(outcome: .success, ends: ["a", "b"], started: [0, 1]),
        Case(outcome: .success, ends: ["b", "b", "a"], started: [0, 0, 1]),
        Case(outcome: .success, ends: ["a", "b!", "b"], started: [0, 0, 1]),
        Case(outcome: .success, ends: ["a", "a!", "b"], started: [0, 0, 1]),
        Case(outcome: .success, ends: ["a", "b", "a", "b", "b"], started: [0, 1, 1, 2, 2]),
        Case(outcome: .failure, ends: ["a!", "b", "b!"], started: [0, 0, 1]),
        Case(outcome: .any, ends: ["a!", "b"], started: [0, 1]),
    ])
    func allHaveToEndSoSinceItsOwnLastRun(test: Case) {
        let rig = Rig(jobs(test.outcome))
        var started: [Int] = []
        for end in test.ends {
            run(rig, String(end.prefix(1)), end.hasSuffix("!") ? 1 : 0)
            started.append(launches(rig))
            endLast(rig)
        }
        #expect(started == test.started)
    }

    @Test func itsOwnRunByHandBeginsAnew() {
        let rig = Rig(jobs())
        run(rig, "a")
        run(rig, "c")
        run(rig, "b")
        #expect(launches(rig) == 1, "a ended before the run by hand")
        run(rig, "a")
        #expect(launches(rig) == 2)
        #expect(rig.launches.last?.run.trigger == .chain)
        #expect(rig.launches.last?.previous?.job == "a", "the last of them is the run before")
    }

    @Test func aRestartKeepsWhoHasEnded() {
        let rig = Rig(jobs())
        run(rig, "b")
        rig.restart(at: "06:00")
        #expect(
            rig.scheduler.explain("c", at: nil, now: rig.now)
                == [.followsAll(["a", "b"], on: .success, ended: ["b"])])
        run(rig, "a")
        #expect(launches(rig) == 1)
        rig.restart(at: "08:00", evidence: [rig.launches.last?.run.id ?? "": .held])
        endLast(rig)
        run(rig, "a")
        #expect(launches(rig) == 1)
    }

    @Test func anotherListAndADisabledJob() {
        let rig = Rig(jobs())
        run(rig, "a")
        // What it does not name any more counts no more.
        rig.reload([job("a"), job("b"), job("d"), jobs { $0.after = Job.Chain(jobs: ["b", "d"], on: .success) }[2]])
        run(rig, "b")
        #expect(launches(rig) == 0)
        rig.send(.jobToggled(job: "c", isEnabled: false, until: nil))
        run(rig, "d")
        rig.send(.jobToggled(job: "c", isEnabled: true, until: nil))
        #expect(launches(rig) == 0, "a job that is disabled hears nothing")
        run(rig, "d")
        #expect(launches(rig) == 1)
    }

    @Test func aJobThatIsGoneIsWaitedForUntilTheListIsAnother() {
        let rig = Rig(jobs())
        rig.reload([job("a"), jobs()[2]])
        run(rig, "a")
        #expect(launches(rig) == 0)
        rig.reload([job("a"), jobs { $0.after = Job.Chain(jobs: ["a"], on: .success) }[2]])
        run(rig, "a")
        #expect(launches(rig) == 1)
    }

    @Test func theRunBeforeIsKnownAfterARestart() {
        let rig = Rig([job("a") { $0.onSuccess = ["b"] }, job("b")]) { $0.maxConcurrentRuns = 1 }
        _ = rig.request("a")
        _ = rig.request("a")
        rig.end(id("a", "00:00"))
        // The second run of a has the one place.
        #expect(rig.launches.last?.run.id == id("a", "00:00", "-2"))
        rig.restart(at: "01:00", evidence: [id("a", "00:00", "-2"): .held])
        rig.end(id("a", "00:00", "-2"))
        #expect(rig.launches.last?.job.name == "b")
        #expect(rig.launches.last?.previous?.id == id("a", "00:00"))
        #expect(rig.launches.last?.previous?.status == .success)
    }

    // MARK: - Circles

    struct Circle: Sendable, CustomTestStringConvertible {
        var testDescription: String
        /// In force already; then the one that comes over the bus.
        var jobs: [Job]
        var circle: [String]?
    }

    static let circles: [Circle] = [
        Circle(testDescription: "itself", jobs: [job("a") { $0.onFailure = ["a"] }], circle: ["a"]),
        Circle(
            testDescription: "itself by after", jobs: [job("a") { $0.after = Job.Chain(jobs: ["b", "a"], on: .any) }],
            circle: ["a"]),
        Circle(
            testDescription: "two", jobs: [job("a") { $0.onSuccess = ["b"] }, job("b") { $0.onSuccess = ["a"] }],
            circle: ["b", "a"]),
        Circle(
            testDescription: "mixed",
            jobs: [
                job("a") { $0.onSuccess = ["b"] }, job("c") { $0.after = Job.Chain(jobs: ["x", "b"], on: .failure) },
                job("b"), job("d") { ($0.onFailure, $0.after) = (["a"], Job.Chain(job: "c", on: .any)) },
            ], circle: ["d", "a", "b", "c"]),
        Circle(
            testDescription: "two ways to one end are no circle",
            jobs: [
                job("a") { ($0.onSuccess, $0.onFailure) = (["b"], ["c"]) }, job("b") { $0.onSuccess = ["d"] },
                job("c") { $0.onSuccess = ["d"] }, job("d") { $0.after = Job.Chain(jobs: ["b", "c"], on: .success) },
            ], circle: nil),
        Circle(
            testDescription: "beside one that is there",
            jobs: [
                job("a") { $0.onSuccess = ["b"] }, job("b") { $0.onSuccess = ["a"] }, job("c") { $0.onSuccess = ["a"] },
            ],
            circle: nil),
    ]

    @Test(arguments: circles) func aCircleIsRefusedWhereItComesIn(test: Circle) throws {
        let last = try #require(test.jobs.last)
        let rig = Rig(Array(test.jobs.dropLast()))
        var coming = last
        coming.origin = .bus
        let reply = rig.ask { .jobUpserted(coming, ticket: $0) }
        if let circle = test.circle {
            #expect(reply == .refused(.circle(circle)))
            #expect(rig.scheduler.job(named: last.name) == nil)
        } else {
            #expect(reply == .scheduled(job: last.name, next: nil))
        }
    }

    @Test(arguments: circles) func aSetOfJobsIsKeptButForThoseThatCloseOne(test: Circle) {
        let found = ChainGraph.circles(in: test.jobs)
        let isLast = test.circle.map { found.map(\.circle).contains($0) && found.last?.index == test.jobs.count - 1 }
        #expect(isLast ?? !found.contains { $0.index == test.jobs.count - 1 })
        // What is left has none.
        let refused = Set(found.map(\.index))
        let left = test.jobs.enumerated().filter { !refused.contains($0.offset) }.map(\.element)
        #expect(ChainGraph.circles(in: left).isEmpty)
    }

    @Test func aReplacementIsLookedAtAsWell() {
        var (first, second) = (job("a"), job("b") { $0.onSuccess = ["a"] })
        (first.origin, second.origin) = (.bus, .bus)
        let rig = Rig([])
        #expect(rig.ask { .jobUpserted(first, ticket: $0) } == .scheduled(job: "a", next: nil))
        #expect(rig.ask { .jobUpserted(second, ticket: $0) } == .scheduled(job: "b", next: nil))
        var changed = first
        changed.after = Job.Chain(job: "b", on: .success)
        changed.onFailure = ["b"]
        #expect(rig.ask { .jobUpserted(changed, ticket: $0) } == .refused(.circle(["a", "b"])))
        #expect(rig.scheduler.job(named: "a")?.job == first)
        changed.onFailure = []
        #expect(rig.ask { .jobUpserted(changed, ticket: $0) } == .scheduled(job: "a", next: nil), "the same edge twice")
    }

    /// Random sets of jobs: who stands is in no circle, and who is refused closes one.
    @Test func randomSetsOfJobs() {
        var random = SystemRandomNumberGenerator()
        let seed = UInt64.random(in: 0 ... .max, using: &random)
        var state = seed
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for _ in 0..<200 {
            let names = (0..<(2 + next(8))).map { "j\($0)" }
            let jobs = names.map { name in
                job(name) { job in
                    for _ in 0..<next(3) {
                        let other = names[next(names.count)]
                        switch next(3) {
                        case 0: job.onSuccess.append(other)
                        case 1: job.onFailure.append(other)
                        default: job.after = Job.Chain(jobs: [other], on: .any)
                        }
                    }
                }
            }
            let found = ChainGraph.circles(in: jobs)
            let refused = Set(found.map(\.index))
            var standing: [Job] = []
            for (index, job) in jobs.enumerated() {
                let isCircle = hasCircle(standing + [job])
                #expect(isCircle == refused.contains(index), "seed \(seed)")
                if !isCircle { standing.append(job) }
            }
        }
    }

    /// The long way: from each job along every path.
    private func hasCircle(_ jobs: [Job]) -> Bool {
        func followers(_ name: String) -> [String] {
            jobs.flatMap { job -> [String] in
                let own = job.name == name ? job.onSuccess + job.onFailure : []
                return own + (job.after?.jobs.contains(name) ?? false ? [job.name] : [])
            }.filter { follower in jobs.contains { $0.name == follower } }
        }
        return jobs.contains { start in
            var reached: Set<String> = []
            var row = followers(start.name)
            while let name = row.popLast() {
                if name == start.name { return true }
                if reached.insert(name).inserted { row += followers(name) }
            }
            return false
        }
    }
}
