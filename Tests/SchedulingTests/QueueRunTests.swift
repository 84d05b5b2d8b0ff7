import Schedules
import TestSupport
import Testing

@testable import Scheduling

/// Runs that items of queues make, and the outcomes that runs leave in queues.
@Suite struct QueueRunTests {
    private func server(_ name: String = "a", batch: Int = 1, with change: (inout Job) -> Void = { _ in }) -> Job {
        job(name) {
            $0.triggerQueue = "q"
            $0.triggerBatch = batch
            change(&$0)
        }
    }

    @discardableResult
    private func push(_ rig: Rig, _ json: String, to queue: String = "q") -> Reply? {
        rig.ask { .queuePushed(queue: queue, json: json, ticket: $0) }
    }

    @Test func `an item makes a run that reads it, and the run's success acknowledges it`() {
        let rig = Rig([server()])
        push(rig, "{\"a\": 1}")
        #expect(rig.launches.map(\.run.standardInput) == ["{\"a\": 1}"])
        #expect(rig.launches.map(\.run.trigger) == [.queue])
        #expect(rig.ask { .queuePopped(queue: "q", ticket: $0) } == .refused(.queueEmpty("q")))
        rig.end(rig.launches[0].run.id)
        #expect(rig.store.items.isEmpty)
        let record = rig.store.runs[rig.launches[0].run.id]
        #expect(record?.queueItems == [] && record?.standardInput == nil)
    }

    @Test func `while its job is busy an item waits in its queue`() {
        let rig = Rig([server()])
        for number in 1...3 { push(rig, "\(number)") }
        #expect(rig.launches.count == 1)
        #expect(rig.scheduler.queueItems("q", limit: 9, now: rig.now).map(\.json) == ["2", "3"])
        for number in 0..<3 { rig.end(rig.launches[number].run.id) }
        #expect(rig.launches.map(\.run.standardInput) == ["1", "2", "3"])
        #expect(rig.store.items.isEmpty)
    }

    @Test func `a job that allows it runs for as many items as there are, some a turn`() {
        let rig = Rig([server { $0.overlap = .allow }]) { $0.maxConcurrentRuns = 100 }
        rig.sendTogether((1...60).map { .queuePushed(queue: "q", json: "\($0)", ticket: $0 + 1_000) })
        rig.advance(to: rig.now + .seconds(1))
        #expect(rig.launches.count == 60)
        #expect(Set(rig.launches.compactMap(\.run.standardInput)).count == 60)
    }

    @Test func `a batch is one array of up to so many`() {
        let rig = Rig([server(batch: 3)])
        push(rig, "0")
        for number in 1...5 { push(rig, "\(number)") }
        rig.end(rig.launches[0].run.id)
        rig.end(rig.launches[1].run.id)
        #expect(rig.launches.map(\.run.standardInput) == ["[0]", "[1, 2, 3]", "[4, 5]"])
    }

    @Test func `what a failed run gives back comes again later each time, and at last goes to the dead letters`() {
        let rig = Rig([server()])
        push(rig, "1")
        var gaps: [Int64] = []
        for number in 0..<Scheduler.deliveriesMax {
            rig.end(rig.launches[number].run.id, .exited(1))
            let ended = rig.now
            rig.advance(to: rig.now + .seconds(700))
            guard number + 1 < Scheduler.deliveriesMax else { break }
            gaps.append((rig.launches[number + 1].run.createdAt - ended).components.seconds)
        }
        #expect(gaps == [10, 20, 40, 80])
        #expect(rig.launches.count == Scheduler.deliveriesMax)
        #expect(rig.store.items.values.map(\.queue) == ["q.dead"])
        let dead = rig.ask { .queuePopped(queue: "q.dead", ticket: $0) }
        guard case .item(let item)? = dead else { return #expect(Bool(false), "\(String(describing: dead))") }
        #expect(item.json == "1" && item.deliveries == Scheduler.deliveriesMax + 1)
    }

    @Test func `a client that never acknowledges fills the dead letters, too`() {
        let rig = Rig([])
        push(rig, "1")
        for _ in 0..<Scheduler.deliveriesMax {
            #expect(rig.ask { .queuePopped(queue: "q", ticket: $0) } != .refused(.queueEmpty("q")))
            rig.advance(to: rig.now + Scheduler.queueVisibility)
        }
        #expect(rig.ask { .queuePopped(queue: "q", ticket: $0) } == .refused(.queueEmpty("q")))
        #expect(rig.scheduler.queues == [QueueTotals(queue: "q.dead", items: 1, bytes: 1)])
    }

    @Test func `a retry keeps its item; a client's comes to the job when its time is over`() {
        var retry = RetryPolicy()
        (retry.maxAttempts, retry.delay) = (2, .seconds(5))
        let rig = Rig([server { $0.retry = retry }])
        rig.send(.schedulerToggled(false))
        push(rig, "1")
        #expect(rig.launches.isEmpty, "nothing is started while all is paused")
        _ = rig.ask { .queuePopped(queue: "q", ticket: $0) }
        rig.send(.schedulerToggled(true))
        #expect(rig.launches.isEmpty)
        rig.advance(to: rig.now + Scheduler.queueVisibility)
        #expect(rig.launches.count == 1)
        rig.end(rig.launches[0].run.id, .exited(1))
        rig.advance(to: rig.now + .seconds(6))
        #expect(rig.launches.map(\.run.standardInput) == ["1", "1"])
        #expect(rig.launches[1].run.attempt == 2)
        rig.end(rig.launches[1].run.id)
        #expect(rig.store.items.isEmpty)
    }

    @Test func `a restart leaves to runs what they have, and gives the job what clients had`() {
        let rig = Rig([server()])
        push(rig, "1")
        push(rig, "2")
        _ = rig.ask { .queuePopped(queue: "q", ticket: $0) }
        let run = rig.launches[0].run.id
        rig.restart(at: "00:01", evidence: [run: .held])
        #expect(rig.store.items[1]?.takenUntil == .horizon)
        rig.end(run)
        rig.advance(to: rig.now + .seconds(1))
        #expect(rig.launches.last?.run.standardInput == "2")
        rig.end(rig.launches[1].run.id)
        #expect(rig.store.items.isEmpty)
    }

    @Test func `the outcome goes to the queue for it`() {
        let rig = Rig([
            job("a") {
                $0.resultQueue = "good"
                $0.errorQueue = "bad"
            }
        ])
        for ending: AttemptOutcome.Ending in [.exited(0), .exited(3)] {
            _ = rig.request("a")
            rig.end(rig.launches.last?.run.id ?? "", ending) { $0.result = ending == .exited(0) ? "{\"n\": 1}" : nil }
        }
        #expect(
            rig.store.items.values.sorted { $0.id < $1.id }.map { "\($0.queue) \($0.json)" } == [
                "good {\"job\": \"a\", \"execution_id\": \"cron-a-20260105-000000\", \"status\": \"success\", "
                    + "\"exit_code\": 0, \"result\": {\"n\": 1}, \"error\": null, \"output_preview\": \"\", "
                    + "\"completed_at\": \"2026-01-05T00:00:00+00:00\"}",
                "bad {\"job\": \"a\", \"execution_id\": \"cron-a-20260105-000000-2\", \"status\": \"failed\", "
                    + "\"exit_code\": 3, \"result\": null, \"error\": \"exited with status 3\", "
                    + "\"output_preview\": \"\", \"completed_at\": \"2026-01-05T00:00:00+00:00\"}",
            ])
        let changed = rig.announcements.compactMap { announcement -> String? in
            if case .queueChanged(let queue, let items) = announcement { "\(queue) \(items)" } else { nil }
        }
        #expect(changed == ["good 1", "bad 1"])
    }

    @Test func `a full queue is the run's caveat, and no failure`() {
        let rig = Rig([job("a") { $0.resultQueue = "full" }])
        rig.sendTogether(
            (1...Scheduler.Limits.itemsPerQueue).map { .queuePushed(queue: "full", json: "1", ticket: $0 + 1000) })
        _ = rig.request("a")
        let run = rig.launches[0].run.id
        rig.end(run)
        #expect(rig.store.runs[run]?.status == .success)
        #expect(
            rig.store.runs[run]?.caveat
                == "the outcome is not in the queue \"full\": 10000 items are in it; at most 10000")
    }

    @Test func `the dead letters of a queue of any name have a name that clients can give`() {
        let rig = Rig([])
        let queue = String(repeating: "q", count: Scheduler.queueNameMax)
        push(rig, "1", to: queue)
        for _ in 0..<Scheduler.deliveriesMax {
            _ = rig.ask { .queuePopped(queue: queue, ticket: $0) }
            rig.advance(to: rig.now + Scheduler.queueVisibility)
        }
        #expect(rig.ask { .queuePopped(queue: queue, ticket: $0) } == .refused(.queueEmpty(queue)))
        #expect(rig.scheduler.queues.map(\.queue) == [String(repeating: "q", count: 123) + ".dead"])
    }

    @Test func `a result that is too long for an item is left out of the outcome, and the record says so`() {
        let rig = Rig([job("a") { $0.resultQueue = "out" }])
        _ = rig.request("a")
        let run = rig.launches[0].run.id
        let result = "\"" + String(repeating: "x", count: Run.resultBytesMax - 2) + "\""
        rig.end(run) { $0.result = result }
        #expect(rig.store.items.values.first?.json.contains("\"result\": null") == true)
        #expect(rig.store.runs[run]?.result == result)
        #expect(rig.store.runs[run]?.caveat?.hasPrefix("its result is too long for the queue \"out\"") == true)
    }

    @Test func `no item is lost, none is had by two, none is acknowledged twice`() {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        for _ in 0..<60 {
            let jobs = [
                server("a", batch: Int.random(in: 1...3, using: &random)),
                server("b") {
                    $0.overlap = .allow
                    $0.maxInstances = 2
                },
            ]
            let rig = Rig(jobs)
            var pushed = 0
            for _ in 0..<120 {
                let running = rig.store.runs.values.filter { $0.status == .running }.map(\.id).sorted()
                switch Int.random(in: 0..<10, using: &random) {
                case 0...3:
                    pushed += 1
                    push(rig, "\(pushed)")
                case 4, 5:
                    guard let run = running.randomElement(using: &random) else { continue }
                    rig.end(run, Bool.random(using: &random) ? .exited(0) : .exited(1))
                case 6: rig.advance(to: rig.now + .seconds(Int.random(in: 1...400, using: &random)))
                case 7: rig.send(.jobToggled(job: "a", isEnabled: Bool.random(using: &random), until: nil))
                case 8:
                    rig.send(.sleep)
                    rig.send(.wake)
                default:
                    guard let run = running.randomElement(using: &random) else { continue }
                    _ = rig.ask { .cancelRequested(run: run, ticket: $0) }
                    rig.end(run, .signaled(15)) { $0.isCancelled = true }
                }
                let held = rig.store.runs.values.filter(\.status.isActive).flatMap(\.queueItems)
                #expect(Set(held).count == held.count, "seed \(seed): an item of two runs")
                for id in held { #expect(rig.store.items[id]?.takenUntil == .horizon, "seed \(seed): \(id)") }
                let done = rig.store.runs.values.filter { $0.status == .success }.count
                #expect(rig.store.items.count + 3 * done >= pushed, "seed \(seed): an item is gone")
            }
            // Everything ends well from now on: each item is dealt with, or among the dead letters.
            rig.send(.jobToggled(job: "a", isEnabled: true, until: nil))
            for _ in 0..<200 {
                for run in rig.store.runs.values.filter({ $0.status == .running }) { rig.end(run.id) }
                rig.advance(to: rig.now + .seconds(650))
            }
            #expect(rig.store.items.values.allSatisfy { $0.queue == "q.dead" }, "seed \(seed)")
        }
    }
}
