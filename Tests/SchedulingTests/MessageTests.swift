import Schedules
import Scheduling
import StoreModel
import Testing

/// What is told of runs, to whom, and what becomes of it.
@Suite struct MessageTests {
    private static let everything = Message.Occasions(Message.Occasion.allCases)

    private func job(
        _ name: String = "a", on: Message.Occasions = everything, to targets: [String] = ["desktop"],
        isHourly: Bool = false, with change: (inout Job) -> Void = { _ in }
    ) -> Job {
        var job = isHourly ? SchedulingTests.job(name, "0 * * * *") : SchedulingTests.job(name)
        job.messages = targets.map { MessageRule(target: $0, on: on) }
        change(&job)
        return job
    }

    /// Starts the job by hand, and ends its process.
    private func run(_ rig: Rig, _ name: String = "a", status: Int32 = 0, digest: Int64? = nil, seconds: Int64 = 1) {
        guard case .run(let run)? = rig.request(name) else {
            Issue.record("\(name) does not run")
            return
        }
        rig.advance(to: rig.now + .seconds(seconds))
        rig.end(run.id, .exited(status)) { $0.outputDigest = digest }
    }

    private func words(_ messages: [Message]) -> [String] { messages.map(\.occasion.rawValue) }

    /// Whoever sends them has sent all that is on its way.
    private func answer(_ rig: Rig, _ outcome: MessageOutcome = .sent) {
        for message in rig.sendings where rig.store.post.messages[message.id]?.state == .waiting {
            rig.send(.messageSent(id: message.id, outcome))
        }
    }

    // MARK: - What is told

    @Test func `a run tells its start and its end, once each`() throws {
        let rig = Rig([job()])
        run(rig)
        #expect(words(rig.sendings) == ["start", "success"])
        #expect(Set(rig.sendings.map(\.id)).count == 2)
        let message = try #require(rig.sendings.last)
        #expect(message.title == "a succeeded")
        #expect(message.job == "a" && message.target == "desktop" && rig.run(message.run)?.status == .success)
        #expect(rig.store.post.waiting.count == 2)
        answer(rig)
        #expect(rig.store.post.all.map(\.state) == [.sent, .sent] && rig.scheduler.waitingMessages == 0)
    }

    @Test func `of the words of an end a target hears the first that it asked for`() {
        let rig = Rig([
            job {
                $0.messages = [
                    MessageRule(target: "desktop", on: Message.Occasions([.failure, .firstFailure, .recovered])),
                    MessageRule(target: "toast", on: Message.Occasions([.failure, .success])),
                    MessageRule(target: "memory", on: Message.Occasions([.start])),
                ]
            }
        ])
        for status: Int32 in [1, 1, 0, 0] { run(rig, status: status) }
        let desktop = rig.sendings.filter { $0.target == "desktop" }
        #expect(words(desktop) == ["first_failure", "failure", "recovered"])
        #expect(desktop[0].title == "a failed" && desktop[0].text == "exited with status 1")
        #expect(desktop[2].title == "a works again")
        #expect(desktop[2].text == "after 2 failed runs since 2026-01-05 00:00")
        #expect(
            words(rig.sendings.filter { $0.target == "toast" }) == ["failure", "failure", "success", "success"])
        #expect(words(rig.sendings.filter { $0.target == "memory" }) == ["start", "start", "start", "start"])
    }

    @Test func `a job that says nothing tells as the section says, and an empty array is silence`() {
        let jobs = [
            SchedulingTests.job("a"), SchedulingTests.job("b") { $0.messages = [] },
        ]
        let rig = Rig(jobs) { $0.messages = [MessageRule(target: "toast", on: .standard)] }
        run(rig, "a", status: 1)
        run(rig, "b", status: 1)
        run(rig, "a", status: 0)
        #expect(rig.sendings.map { "\($0.job) \($0.occasion.rawValue)" } == ["a failure", "a recovered"])
    }

    @Test func `a success tells that its output is another than that of the last success`() {
        let rig = Rig([job(on: Message.Occasions([.changed]))])
        for digest: Int64 in [1, 1, 2, 2, 1] { run(rig, digest: digest) }
        run(rig, status: 1, digest: 7)
        run(rig, digest: 1)
        rig.restart(at: "12:00")
        run(rig, digest: 1)
        run(rig, digest: 3)
        #expect(Set(rig.sendings.map(\.id)).count == 3)
    }

    @Test func `a cancel that somebody asked for is no failure`() throws {
        let rig = Rig([job()])
        guard case .run(let run)? = rig.request("a") else { throw Unexpected() }
        _ = rig.ask { .cancelRequested(run: run.id, ticket: $0) }
        rig.end(run.id, .signaled(15)) { $0.isCancelled = true }
        #expect(words(rig.sendings) == ["start"])
    }

    @Test func `failures that pause a job are told as the pause, and a retry as itself`() {
        let rig = Rig([
            job {
                $0.pauseOnFailures = 2
                var retry = RetryPolicy()
                (retry.maxAttempts, retry.delay, retry.jitter) = (2, .seconds(10), 0)
                $0.retry = retry
            }
        ])
        for _ in 0..<2 {
            run(rig, status: 1)
            rig.advance(to: rig.now + .seconds(20))
            if let run = rig.launches.last?.run.id { rig.end(run, .exited(1)) }
        }
        #expect(words(rig.sendings) == ["start", "retry", "first_failure", "start", "retry", "paused"])
        #expect(rig.sendings.last?.text == "after 2 failed runs: exited with status 1")
        #expect(rig.sendings[1].text == "attempt 2 comes in 10 s: exited with status 1")
    }

    @Test func `an attempt that stalls and goes on is on record, and told once`() throws {
        let rig = Rig([
            job {
                $0.stallTimeout = .seconds(60)
                var retry = RetryPolicy()
                (retry.maxAttempts, retry.delay, retry.jitter) = (2, .seconds(10), 0)
                $0.retry = retry
            }
        ])
        guard case .run(let run)? = rig.request("a") else { throw Unexpected() }
        rig.send(.stalled(run: run.id, attempt: 1))
        rig.send(.stalled(run: run.id, attempt: 2))
        rig.send(.stalled(run: "none", attempt: 1))
        #expect(words(rig.sendings) == ["start", "stalled"])
        #expect(rig.sendings.last?.text == "it has written nothing for 60 s")
        #expect(rig.store.runs[run.id]?.stalledAt == rig.now)
        // The next daemon finds the mark of the attempt that it takes over, and says it once more.
        rig.send(.stalled(run: run.id, attempt: 1))
        #expect(words(rig.sendings).filter { $0 == "stalled" }.count == 1)
        rig.end(run.id, .exited(1))
        #expect(rig.store.runs[run.id]?.stalledAt != nil, "until the next attempt")
        rig.advance(to: rig.now + .seconds(20))
        #expect(rig.store.runs[run.id]?.attempt == 2)
        #expect(rig.store.runs[run.id]?.stalledAt == nil)
    }

    // MARK: - What was not run

    @Test func `a stretch of fire times that were not run is one message, over several events too`() {
        let rig = Rig([job(on: Message.Occasions([.misfired]), isHourly: true) { $0.catchUp.kind = .none }])
        rig.sleep(to: "08:30")
        rig.advance(to: "08:40")
        #expect(words(rig.sendings) == ["missed"])
        #expect(
            rig.sendings.first?.text
                == "8 fire times from 2026-01-05 01:00 to 2026-01-05 08:00: the machine was asleep")
        rig.sleep(to: "08:55")
        rig.advance(to: "08:56")
        rig.sleep(to: "11:30")
        rig.advance(to: "11:31")
        #expect(rig.sendings.count == 1)
        // What is run ends it.
        rig.advance(to: "12:00")
        if let run = rig.launches.last?.run.id { rig.end(run) }
        rig.sleep(to: "15:30")
        rig.advance(to: "15:31")
        #expect(words(rig.sendings) == ["missed", "missed"])
    }

    @Test func `a budget that is used up is told once a day`() {
        let rig = Rig([job(on: Message.Occasions([.misfired, .paused]), isHourly: true) { $0.budget.runsPerDay = 1 }])
        for _ in 0..<2 {
            for _ in 0..<24 {
                rig.advance(to: rig.now + .seconds(3600))
                if let run = rig.launches.last?.run.id, rig.status(run) == .running { rig.end(run) }
            }
        }
        #expect(words(rig.sendings) == ["paused", "paused"])
        #expect(rig.sendings.first?.text == "that of 2026-01-05 02:00: its budget for the day is used up")
    }

    @Test func `what a user has skipped or excluded is no misfire`() {
        let rig = Rig([job(on: Message.Occasions([.misfired]), isHourly: true)])
        _ = rig.ask { .skipRequested(job: "a", ticket: $0) }
        rig.advance(to: "01:30")
        #expect(rig.ledger("a") == ["01:00 skipped user"] && rig.sendings.isEmpty)
    }

    // MARK: - Delivery

    @Test func `a message that could not be sent is sent again after 5 s, 30 s and 5 min, with the same id`() throws {
        let rig = Rig([job(on: Message.Occasions([.failure]))])
        run(rig, status: 1)
        let id = try #require(rig.sendings.first?.id)
        var waits: [Duration] = []
        var last = rig.now
        for count in 1...4 {
            #expect(rig.sendings.count == count)
            rig.send(.messageSent(id: id, .failed("nobody listens")))
            guard let armed = rig.armed, count < 4 else { break }
            #expect(rig.store.post.messages[id]?.fault == "nobody listens")
            rig.advance(to: armed)
            waits.append(rig.now - last)
            last = rig.now
        }
        #expect(waits == [.seconds(5), .seconds(30), .seconds(300)])
        #expect(rig.sendings.allSatisfy { $0.id == id })
        let settled = try #require(rig.store.post.messages[id])
        #expect(settled.state == .failed && settled.fault == "nobody listens" && settled.sendings == 4)
        rig.send(.messageSent(id: id, .sent))
        #expect(rig.store.post.messages[id]?.state == .failed)
    }

    @Test func `what is of no use to be sent again has failed at once`() throws {
        let rig = Rig([job(on: Message.Occasions([.failure]))])
        run(rig, status: 1)
        answer(rig, .refused("no such target"))
        #expect(rig.store.post.all.map(\.state) == [.failed] && rig.store.post.all.first?.fault == "no such target")
        #expect(rig.status(try #require(rig.sendings.first?.run)) == .failed)
    }

    @Test func `a daemon that was killed before it heard what became of a message sends it again`() throws {
        let rig = Rig([job(on: Message.Occasions([.failure]))])
        run(rig, status: 1)
        let id = try #require(rig.sendings.first?.id)
        rig.restart(at: "00:30")
        #expect(rig.sendings.map(\.id) == [id, id])
        rig.rebuild(at: "00:31")
        #expect(rig.sendings.map(\.id) == [id, id, id])
        rig.send(.messageSent(id: id, .sent))
        rig.restart(at: "00:40")
        #expect(rig.sendings.count == 3)
    }

    @Test func `one that waits for its next sending waits over a restart, and moves with the clock`() throws {
        let rig = Rig([job(on: Message.Occasions([.failure]))], at: "00:10")
        run(rig, status: 1)
        for _ in 0..<2 {
            answer(rig, .failed("busy"))
            rig.advance(to: rig.now + .seconds(30))
        }
        answer(rig, .failed("busy"))
        let sent = rig.sendings.count
        #expect(sent == 3)
        rig.restart(at: "00:12")
        #expect(rig.sendings.count == sent)
        rig.stepClock(by: .seconds(-3600))
        rig.advance(to: rig.now + .seconds(60))
        #expect(rig.sendings.count == sent)
        rig.advance(to: rig.now + .seconds(300))
        #expect(rig.sendings.count == sent + 1)
    }

    @Test func `nothing is sent while the machine sleeps or the daemon stops`() {
        let rig = Rig([job(on: Message.Occasions([.success]))])
        let run = rig.request("a").flatMap { if case .run(let run) = $0 { run.id } else { nil } } ?? ""
        rig.send(.sleep)
        rig.end(run)
        #expect(rig.sendings.isEmpty && rig.store.post.waiting.count == 1)
        rig.send(.wake)
        #expect(rig.sendings.count == 1)
        answer(rig)
        let other = rig.request("a").flatMap { if case .run(let run) = $0 { run.id } else { nil } } ?? ""
        rig.send(.stopping)
        rig.end(other)
        #expect(rig.sendings.count == 1 && rig.store.post.waiting.count == 1)
        rig.restart(at: "00:30")
        #expect(rig.sendings.count == 2)
    }

    // MARK: - Bounds

    @Test func `beyond thirty a minute the messages to a target become one, but those to files`() throws {
        let targets = ["desktop", "memory", "toast"]
        let jobs = (0..<42).map { job("j\($0)", on: Message.Occasions([.failure]), to: targets) }
        let rig = Rig(jobs) { $0.maxConcurrentRuns = 100 }
        for index in 0..<42 { run(rig, "j\(index)", status: 1, seconds: 0) }
        func count(_ target: String) -> Int { rig.sendings.count { $0.target == target } }
        #expect(targets.map(count) == [30, 42, 42])
        answer(rig)
        rig.advance(to: "00:00:59")
        #expect(count("desktop") == 30)
        rig.advance(to: "00:01:01")
        #expect(count("desktop") == 31)
        let one = try #require(rig.sendings.last)
        #expect(one.title == "12 jobs failed" && one.occasion == .failure && one.job.isEmpty)
        #expect(one.text.hasPrefix("j30 failed: exited with status 1\nj31 failed"))
        #expect(rig.store.post.all.count { $0.gatheredIn == one.id } == 12)
        // It speaks for those that it gathers, after a restart too.
        rig.restart(at: "00:01:30")
        #expect(rig.sendings.last?.id != one.id || count("desktop") > 31)
        #expect(rig.sendings.count { $0.id == one.id } == 2)
        rig.send(.messageSent(id: one.id, .failed("busy")))
        #expect(rig.store.post.all.count { $0.gatheredIn == one.id && $0.state == .waiting } == 12)
        rig.advance(to: rig.now + .seconds(5))
        rig.send(.messageSent(id: one.id, .sent))
        #expect(rig.store.post.all.count { $0.gatheredIn == one.id && $0.state == .sent } == 12)
    }

    @Test func `of ten thousand messages that wait the oldest success gives way, then the oldest`() {
        let target = ["memory"]
        let jobs = [
            job("good", on: Message.Occasions([.success]), to: target),
            job("bad", on: Message.Occasions([.failure]), to: target),
        ]
        let rig = Rig(jobs) { $0.messages = [] }
        run(rig, "bad", status: 1, seconds: 0)
        run(rig, "good", seconds: 0)
        for _ in 2..<Scheduler.Limits.waitingMessages { run(rig, "bad", status: 1, seconds: 0) }
        let all = rig.store.post.all
        #expect(rig.scheduler.waitingMessages == Scheduler.Limits.waitingMessages)
        #expect(all.allSatisfy { $0.state == .waiting })
        run(rig, "bad", status: 1, seconds: 0)
        #expect(rig.store.post.messages[all[1].id]?.state == .failed)
        #expect(rig.store.post.messages[all[1].id]?.fault?.hasPrefix("it gave way") == true)
        run(rig, "bad", status: 1, seconds: 0)
        #expect(rig.store.post.messages[all[0].id]?.state == .failed)
        #expect(rig.scheduler.waitingMessages == Scheduler.Limits.waitingMessages)
    }

    // MARK: - Quiet hours

    @Test func `in quiet hours messages wait for their end, and are one then`() throws {
        let rig = Rig(
            [job(on: Message.Occasions([.failure])) { $0.quietHours = QuietHours(from: 1_320, until: 420) }],
            at: "21:59")
        run(rig, status: 1)
        #expect(rig.sendings.count == 1)
        answer(rig)
        rig.advance(to: "22:30")
        run(rig, status: 1)
        rig.advance(to: "+1 03:30")
        run(rig, status: 1)
        #expect(rig.sendings.count == 1)
        rig.restart(at: "+1 06:50")
        #expect(rig.sendings.count == 1)
        rig.advance(to: "+1 07:00")
        #expect(rig.sendings.count == 2)
        let one = try #require(rig.sendings.last)
        #expect(one.title == "2 messages about 1 job" && one.job == "a" && time(rig.now) == "+1 07:00")
    }

    @Test func `the end of quiet hours is looked at anew when the clock or the definition is another`() {
        let quiet = QuietHours(from: 0, until: 600)
        let rig = Rig([job(on: Message.Occasions([.failure])) { $0.quietHours = quiet }], at: "01:00")
        run(rig, status: 1)
        rig.stepClock(by: .seconds(3600))
        #expect(rig.sendings.isEmpty)
        rig.stepClock(by: .seconds(8 * 3600))
        #expect(rig.sendings.count == 1)
        answer(rig)
        rig.advance(to: "+1 01:30")
        run(rig, status: 1)
        #expect(rig.sendings.count == 1)
        rig.reload([job(on: Message.Occasions([.failure]))])
        #expect(rig.sendings.count == 2)
    }

    @Test(arguments: [
        // In Paris the clocks go from 02:00 to 03:00 on March 29, and from 03:00 to 02:00 on October 25.
        ("2026-03-28T23:30:00+01:00", 1_380, 420, "2026-03-29T07:00:00+02:00"),
        ("2026-03-29T01:30:00+01:00", 60, 150, "2026-03-29T03:00:00+02:00"),
        ("2026-10-24T23:30:00+02:00", 1_380, 150, "2026-10-25T02:30:00+02:00"),
        ("2026-12-31T23:30:00+01:00", 1_380, 60, "2027-01-01T01:00:00+01:00"),
    ])
    func `quiet hours end by the wall clock of the zone`(
        now: String, from: Int, until: Int, end: String
    ) throws {
        let zone = try #require(parisRules)
        let start = try #require(Instant(rfc3339: now))
        let quiet = job(on: Message.Occasions([.success])) {
            $0.zone = zone
            $0.quietHours = QuietHours(from: from, until: until)
        }
        let rig = Rig([quiet], at: start)
        run(rig, seconds: 0)
        #expect(rig.sendings.isEmpty)
        // Up to the end that is armed, or the next fire time.
        while rig.sendings.isEmpty, let armed = rig.armed, armed < start + .seconds(86_400) { rig.advance(to: armed) }
        #expect(rig.now.rfc3339(in: zone) == end)
    }

    private struct Unexpected: Error {}
}
