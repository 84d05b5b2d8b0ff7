import Schedules
import Scheduling
import StoreModel
import Testing

/// The heartbeats of jobs.
@Suite struct HeartbeatMessageTests {
    private func job(_ name: String = "a", with change: (inout Job) -> Void = { _ in }) -> Job {
        var job = SchedulingTests.job(name)
        job.heartbeat = "https://h.test/1"
        job.messages = []
        change(&job)
        return job
    }

    private func start(_ rig: Rig, _ name: String = "a") throws -> String {
        guard case .run(let run)? = rig.request(name) else { throw Unexpected() }
        return run.id
    }

    private struct Unexpected: Error {}

    private func told(_ rig: Rig) -> [String] { rig.sendings.map { "\($0.job) \($0.occasion.rawValue)" } }

    private func states(_ rig: Rig) -> [String] { rig.store.post.all.map(\.state.rawValue) }

    @Test func `the start, the success and the failure of a run are told, whatever the quiet hours`() throws {
        let rig = Rig([job { $0.quietHours = QuietHours(from: 0, until: 1_439) }, SchedulingTests.job("b")])
        for status: Int32 in [0, 1] {
            rig.end(try start(rig), .exited(status))
            rig.end(try start(rig, "b"), .exited(status))
        }
        #expect(told(rig) == ["a start", "a success", "a start", "a failure"])
        #expect(rig.sendings.allSatisfy { $0.target == Message.heartbeatTarget })
    }

    @Test func `a retry is no new start, and a cancel that somebody asked for tells nothing`() throws {
        let rig = Rig([
            job {
                var retry = RetryPolicy()
                (retry.maxAttempts, retry.delay, retry.jitter) = (2, .seconds(10), 0)
                $0.retry = retry
            }
        ])
        let run = try start(rig)
        rig.end(run, .exited(1))
        rig.advance(to: rig.now + .seconds(20))
        rig.end(run, .exited(0))
        let other = try start(rig)
        _ = rig.ask { .cancelRequested(run: other, ticket: $0) }
        rig.end(other, .signaled(15)) { $0.isCancelled = true }
        #expect(told(rig) == ["a start", "a success", "a start"])
    }

    /// A failure that could not be told must not be told after the success that followed it.
    @Test func `one that was not sent gives way to the next of its job`() throws {
        let rig = Rig([job(), job("b")])
        rig.end(try start(rig), .exited(1))
        _ = try start(rig, "b")
        let failure = try #require(rig.sendings.first { $0.occasion == .failure })
        #expect(states(rig) == ["failed", "pending", "pending"])
        rig.send(.messageSent(id: failure.id, .failed("nobody listens")))
        rig.end(try start(rig), .exited(0))
        #expect(states(rig) == ["failed", "failed", "pending", "failed", "pending"])
        #expect(rig.store.post.messages[failure.id]?.fault == "a later one of its job has taken its place")
        // What the first one came to is no news any more, and it does not come again.
        let sent = rig.sendings.count
        rig.send(.messageSent(id: failure.id, .failed("nobody listens")))
        rig.advance(to: rig.now + .seconds(600))
        #expect(rig.sendings.count == sent)
    }

    @Test func `it is sent again by the next daemon, and gives way there, too`() throws {
        let rig = Rig([job()])
        rig.end(try start(rig), .exited(0))
        let success = try #require(rig.sendings.last)
        rig.restart(at: "00:30")
        #expect(rig.sendings.suffix(2).map(\.id) == [success.id, success.id])
        _ = try start(rig)
        #expect(states(rig) == ["failed", "failed", "pending"])
    }

    @Test func `however many there are in a minute, each is told`() throws {
        let rig = Rig((1...40).map { job("j\($0)") })
        for number in 1...40 { rig.end(try start(rig, "j\(number)"), .exited(0)) }
        #expect(rig.sendings.count == 80)
    }
}
