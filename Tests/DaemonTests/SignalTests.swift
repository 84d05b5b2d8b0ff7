import DBus
import JSON
import TestSupport
import Testing

@Suite(.ownThread) struct SignalTests {
    @Test func aSuccessIsStartedThenCompletedAndOnRecordWhenSaid() throws {
        let session = try Session(jobs: [["name": "good", "command": ["echo", "hello"]]])
        try session.start()
        let id = try session.json("run_job", "good").text("execution_id")
        let completed = try session.signal("JobCompleted", "good", id)
        let recorded = try #require(try session.history().first)
        #expect(recorded.text("execution_id") == id)
        #expect(recorded["status"] == "success")
        #expect(session.story(id) == ["JobStarted", "JobCompleted"])
        #expect(completed.arguments.count == 3)
        let result = try JSONValue(parsing: completed[2])
        #expect(result["status"] == "success")
        #expect(result["exit_code"] == 0)
        #expect(result["output_preview"] == "hello\n")
    }

    @Test func retriesAreAnnouncedBetweenStartAndEnd() throws {
        let session = try Session(jobs: [
            [
                "name": "flaky", "command": ["sh", "-c", "echo $BOTCRON_ATTEMPT; exit 9"],
                "retry": ["max_attempts": 3, "delay_seconds": 1, "backoff_multiplier": 1.5],
            ]
        ])
        try session.start()
        let begin = ProcessState.monotonicUSec
        let id = try session.json("run_job", "flaky").text("execution_id")
        let first = try session.signal("JobRetrying", "flaky", id)
        #expect(first.arguments[2] == .uint32(2))
        #expect(first.arguments[3] == .double(1))
        #expect(first[4].contains("9"))
        #expect(try session.run(id)["status"] == "retrying")
        let failed = try session.signal("JobFailed", "flaky", id)
        #expect(ProcessState.monotonicUSec - begin >= 2_500_000)
        #expect(session.story(id) == ["JobStarted", "JobRetrying", "JobRetrying", "JobFailed"])
        let second = try #require(session.signals.last { $0.member == "JobRetrying" })
        #expect(second.arguments[2] == .uint32(3))
        #expect(second.arguments[3] == .double(1.5))
        #expect(failed[2].contains("9"))

        let run = try session.run(id)
        #expect(run["status"] == "failed")
        #expect(run["attempt"] == 3)
        #expect(run["output_preview"] == "3\n")
        #expect(run["attempts"]?.arrayValue?.count == 3)
        #expect(run["error"]?.stringValue == failed[2])
        // One run, however many attempts.
        #expect(try session.history().count == 1)
    }

    @Test func aRetryThatSucceedsCompletesTheRun() throws {
        let session = try Session(
            jobs: [["name": "second", "command": ["sh", "-c", "test $BOTCRON_ATTEMPT = 2"]]],
            ["default_retry": ["max_attempts": 5, "delay_seconds": 1]])
        try session.start()
        let run = try session.runToEnd("second")
        #expect(run["status"] == "success")
        #expect(run["attempt"] == 2)
        #expect(session.story(run.text("execution_id")) == ["JobStarted", "JobRetrying", "JobCompleted"])
    }

    @Test func aRunThatCannotBeStartedIsStartedThenFailed() throws {
        let session = try Session(jobs: [["name": "none", "command": ["/no/such/program", "x"]]])
        try session.start()
        let id = try session.json("run_job", "none").text("execution_id")
        let failed = try session.signal("JobFailed", "none", id)
        #expect(session.story(id) == ["JobStarted", "JobFailed"])
        #expect(failed[2].contains("/no/such/program"))
        let run = try #require(try session.history().first)
        #expect(run["status"] == "failed")
        #expect(run["error"]?.stringValue == failed[2])
        #expect(run["exit_code"] == .null)
    }

    @Test func eventSaysEverySignalOnceMore() throws {
        let session = try Session(jobs: [
            ["name": "good", "command": ["true"]], ["name": "bad", "command": ["false"]],
        ])
        let daemon = try session.start()
        try session.runToEnd("good")
        try session.runToEnd("bad")
        try session.done("toggle_scheduler", .bool(false))
        try session.done("toggle_job", "good", .bool(false))
        try session.stop(daemon)
        let plain = session.signals.filter { $0.member != "Event" }
        let events = session.signals.filter { $0.member == "Event" }
        #expect(events.map { $0[0] } == plain.map(\.member))
        for member in ["JobStarted", "JobCompleted", "JobFailed", "SchedulerToggled", "JobsChanged", "StatusChanged"] {
            #expect(plain.contains { $0.member == member }, "\(member)")
        }
        for (event, signal) in zip(events, plain) {
            let data = try JSONValue(parsing: event[1])
            #expect(data.objectValue != nil, "\(event)")
            if ["JobStarted", "JobCompleted", "JobFailed"].contains(signal.member) {
                #expect(data["job"]?.stringValue == signal[0], "\(event)")
                #expect(data["execution_id"]?.stringValue == signal[1], "\(event)")
            }
        }
        #expect(plain.last?.member == "StatusChanged")
        #expect(plain.last?[0] == "stopping")
    }

    @Test func togglesAreTold() throws {
        let session = try Session(jobs: [["name": "one", "cron": "0 0 1 1 *", "command": ["true"]]])
        try session.start()
        let next = try session.property("NextRun").asString
        #expect(next?.isEmpty == false)
        try session.done("toggle_scheduler", .bool(false))
        try session.wait("Enabled and NextRun changed") {
            session.changes.contains { $0["Enabled"] == .bool(false) }
                && session.changes.contains { $0["NextRun"] == .string("") }
        }
        #expect(try session.signal("SchedulerToggled").arguments == [.bool(false)])
        try session.signal("StatusChanged", "paused")
        let before = session.changes.count
        try session.done("toggle_scheduler", .bool(true))
        try session.signal("StatusChanged", "running")
        try session.wait("Enabled and NextRun back") {
            let new = session.changes.dropFirst(before)
            return new.contains { $0["Enabled"] == .bool(true) }
                && new.contains { $0["NextRun"]?.asString == next }
        }
        // What does not change says nothing.
        let count = session.signals.count
        try session.done("toggle_scheduler", .bool(true))
        try session.done("toggle_job", "one", .bool(true))
        try session.settle()
        #expect(session.signals.count == count)

        try session.done("toggle_job", "one", "false")
        let changed = try session.signal("JobsChanged", after: count)
        #expect(changed.arguments == [.strings([]), .strings(["one"]), .strings([])])
        try session.wait("NextRun empty") { session.changes.last?["NextRun"] == .string("") }
        #expect(!session.changes.contains { $0.keys.contains("Uptime") || $0.keys.contains("Stats") })
    }
}
