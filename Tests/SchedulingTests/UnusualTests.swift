import Schedules
import Scheduling
import Testing

/// Runs that took over three times what the 95th percentile of the last 50 successes took.
@Suite struct UnusualTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        /// Seconds that the successes before took, oldest first.
        var before: [Int64]
        var took: Int64
        var isUnusual: Bool
    }

    static let cases: [Case] = [
        Case(testDescription: "too few", before: Array(repeating: 1, count: 9), took: 1_000, isUnusual: false),
        Case(testDescription: "just enough", before: Array(repeating: 10, count: 10), took: 31, isUnusual: true),
        Case(testDescription: "not over", before: Array(repeating: 10, count: 10), took: 30, isUnusual: false),
        Case(
            testDescription: "one of twenty is an outlier", before: [100] + Array(repeating: 10, count: 19), took: 31,
            isUnusual: true),
        Case(
            testDescription: "two of twenty are none", before: [100, 100] + Array(repeating: 10, count: 18), took: 300,
            isUnusual: false),
        Case(
            testDescription: "older ones do not count",
            before: Array(repeating: 100, count: 20) + Array(repeating: 10, count: 50), took: 31, isUnusual: true),
    ]

    private func rig(_ before: [Int64]) throws -> Rig {
        let rig = Rig([job("a") { $0.messages = [MessageRule(target: "desktop", on: Message.Occasions([.late]))] }])
        for seconds in before {
            let id = try start(in: rig)
            rig.advance(to: rig.now + .seconds(seconds))
            rig.end(id)
        }
        return rig
    }

    private func start(in rig: Rig) throws -> String {
        guard case .run(let run)? = rig.request("a") else {
            Issue.record("it did not start")
            return ""
        }
        return run.id
    }

    @Test(arguments: cases) func comparesWithTheLastSuccesses(of test: Case) throws {
        let rig = try rig(test.before)
        let id = try start(in: rig)
        rig.advance(to: rig.now + .seconds(test.took))
        rig.end(id)
        #expect(rig.run(id)?.isUnusual == test.isUnusual)
        #expect(rig.sendings.map(\.occasion) == (test.isUnusual ? [.late] : []))
    }

    @Test func aFailureIsComparedAndACancelIsNot() throws {
        let rig = try rig(Array(repeating: 10, count: 10))
        let failed = try start(in: rig)
        rig.advance(to: rig.now + .seconds(60))
        rig.end(failed, .exited(1))
        #expect(rig.run(failed)?.isUnusual == true)
        #expect(rig.sendings.map(\.text) == ["in 60.0 s; it mostly takes 10.0 s at most"])
        let cancelled = try start(in: rig)
        rig.advance(to: rig.now + .seconds(60))
        _ = rig.ask { .cancelRequested(run: cancelled, ticket: $0) }
        rig.end(cancelled, .signaled(15))
        #expect(rig.status(cancelled) == .cancelled)
        #expect(rig.run(cancelled)?.isUnusual == false)
    }

    /// What takes milliseconds takes three times as long whenever the machine is busy.
    @Test func whatIsOverInASecondIsOnRecordOnly() throws {
        let rig = try rig(Array(repeating: 0, count: 10))
        let id = try start(in: rig)
        rig.advance(to: rig.now + .milliseconds(900))
        rig.end(id)
        #expect(rig.run(id)?.isUnusual == true)
        #expect(rig.sendings.isEmpty)
    }

    @Test func whatAttemptsUseIsAddedUp() {
        let rig = Rig([job("a", "0 1 * * *") { $0.retry = retry(2) }])
        rig.advance(to: "01:00")
        rig.end(id("a", "01:00"), .exited(1)) {
            $0.cpuTime = .milliseconds(1_500)
            $0.memoryPeakBytes = 2_000
        }
        rig.advance(to: "01:10")
        rig.end(id("a", "01:00")) {
            $0.cpuTime = .milliseconds(500)
            $0.memoryPeakBytes = 1_000
        }
        #expect(rig.run(id("a", "01:00"))?.cpuTime == .seconds(2))
        #expect(rig.run(id("a", "01:00"))?.memoryPeakBytes == 2_000)
    }
}
