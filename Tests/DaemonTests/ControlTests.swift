import DBus
import Glibc
import JSON
import TestSupport
import Testing

/// Jobs and runs under a client's hands.
@Suite(.ownThread) struct ControlTests {
    private let session: Session
    private let daemon: Program

    init() throws {
        session = try Session(jobs: [
            ["name": "one", "cron": "0 0 * * *", "command": ["true"]],
            ["name": "long", "command": ["sh", "-c", "sleep 100 & echo $$ > group; wait"]],
            ["name": "off", "cron": "0 0 * * *", "command": ["true"], "enabled": false],
        ])
        daemon = try session.start()
    }

    private func json(_ member: MemberName, _ object: JSONValue) throws -> JSONValue {
        try session.json(member, .string(object.compactText))
    }

    private func refusal(_ member: MemberName, _ object: JSONValue) throws -> ErrorReply {
        try session.refusal(member, .string(object.compactText))
    }

    // MARK: - Runs

    @Test func theSameIdempotencyKeyIsTheSameRun() throws {
        let request: JSONValue = ["job": "one", "idempotency_key": "k 1"]
        let first = try json("run_job", request).text("execution_id")
        #expect(try json("run_job", request).text("execution_id") == first)
        _ = try session.waitForRun(first)
        let again = try json("run_job", request)
        #expect(again.text("execution_id") == first)
        #expect(again["status"] == "success")
        #expect(try json("run_job", ["job": "one", "idempotency_key": "k 2"]).text("execution_id") != first)
        // Another job's run is not what was asked for.
        let other = try refusal("run_job", ["job": "off", "idempotency_key": "k 1"])
        #expect(other.name == .invalidArgs)
        #expect(other.message.contains(first), "\(other)")
        try session.crash(daemon)
        try session.start()
        #expect(try json("run_job", request).text("execution_id") == first)
    }

    @Test func twoRequestsOfOneKeyAtOnceAreOneRun() throws {
        var answers: [String] = []
        for _ in 0..<5 {
            let request: JSONValue = ["job": "one", "idempotency_key": "at once"]
            let call = RemoteCall(
                Session.name, Session.path, Session.interface, "run_job", [.string(request.compactText)])
            session.client.call(call) { answers.append((try? $0.get().first?.asString) ?? "\($0)") }
        }
        try session.wait("five answers") { answers.count == 5 }
        let ids = try answers.map { try JSONValue(parsing: $0).text("execution_id") }
        #expect(Set(ids).count == 1, "\(answers)")
        _ = try session.waitForRun(ids[0])
        #expect(try session.history().count == 1)
    }

    @Test func theSameScheduledForIsTheSameRun() throws {
        let first = try json("run_job", ["job": "one", "scheduled_for": "2026-01-26T09:00:00Z"])
        #expect(first.text("execution_id") == "cron-one-20260126-090000")
        #expect(first["scheduled_for"] == "2026-01-26T09:00:00+00:00")
        let second = try json("run_job", ["job": "one", "scheduled_for": "2026-01-26T10:00:00+01:00"])
        #expect(second.text("execution_id") == first.text("execution_id"))
        #expect(try session.waitForRun(first.text("execution_id"))["status"] == "success")
        #expect(try session.history().count == 1)
    }

    @Test func aDisabledOrPausedJobRunsByHandAllTheSame() throws {
        #expect(try session.runToEnd("off")["status"] == "success")
        try session.done("toggle_scheduler", .bool(false))
        #expect(try session.runToEnd("one")["status"] == "success")
    }

    @Test func waitRunAnswersAllWhoWaitAndForgetsWhoIsGone() throws {
        let id = try session.json("run_job", "long").text("execution_id")
        let call = RemoteCall(
            Session.name, Session.path, Session.interface, "wait_run", [.string(id)], timeoutMSec: nil)
        var answers: [Result<[DBusValue], ErrorReply>] = []
        for _ in 0..<3 { session.client.call(call) { answers.append($0) } }
        let files = ProcessState.openFiles(daemon.pid)
        // Somebody waits and is killed.
        let gone = try Program(
            ["busctl", "--user", "call", "--timeout=100"] + ["com.aiworkflow.BotCron", "/com/aiworkflow/BotCron"]
                + ["com.aiworkflow.BotCron", "wait_run", "s", id], environment: session.environment, on: session.loop)
        let bystander = try session.run(["busctl", "--user", "status", "com.aiworkflow.BotCron"])
        #expect(bystander.code == 0)
        gone.signal(SIGKILL)
        try session.end(gone)
        #expect(answers.isEmpty)
        try session.done("cancel_run", .string(id))
        try session.wait("three answers") { answers.count == 3 }
        for answer in answers {
            let run = try JSONValue(parsing: try #require(try answer.get().first?.asString))
            #expect(run["status"] == "cancelled")
        }
        #expect(try session.call("Ping") == ["pong"])
        #expect(ProcessState.openFiles(daemon.pid) <= files)
        // A run that is over is answered at once.
        #expect(try session.waitForRun(id)["status"] == "cancelled")
    }

    @Test func cancelRunEndsTheWholeTree() throws {
        let id = try session.json("run_job", "long").text("execution_id")
        var group: Int?
        try session.look(for: "the id of the group") {
            let text = TestFile.text(session.scratch.path + "/home/group")
            group = text.hasSuffix("\n") ? Int(text.dropLast()) : nil
            return group != nil
        }
        try session.done("cancel_run", .string(id))
        let failed = try session.signal("JobFailed", "long", id)
        #expect(failed[2].contains("cancel"), "\(failed)")
        let run = try session.run(id)
        #expect(run["status"] == "cancelled")
        #expect(session.story(id) == ["JobStarted", "JobFailed"])
        let number = try #require(group)
        try session.look(for: "the end of the group \(number)") { FiringTests.members(ofGroup: number).isEmpty }
        let again = try session.reply("cancel_run", [.string(id)])
        if case .success(let values) = again { #expect(values == [.bool(true)]) }
    }

    @Test func aQueuedRunCanBeCancelled() throws {
        let first = try session.json("run_job", "long").text("execution_id")
        let second = try session.json("run_job", "long").text("execution_id")
        try session.done("cancel_run", .string(second))
        #expect(try session.waitForRun(second)["status"] == "cancelled")
        #expect(try session.run(first)["status"] == "running")
        try session.done("cancel_run", .string(first))
        _ = try session.waitForRun(first)
        #expect(try session.history().count == 2)
    }

    @Test func runNowRunsADefinitionOnce() throws {
        let run = try json("run_now", ["name": "adhoc", "command": ["echo", "now"]])
        #expect(run["job"] == "adhoc")
        let ended = try session.waitForRun(run.text("execution_id"))
        #expect(ended["output_preview"] == "now\n")
        #expect(try session.refusal("get_job", "adhoc").name == "com.aiworkflow.BotCron.Error.JobNotFound")
        #expect(try session.json("list_jobs").arrayValue?.count == 3)
        #expect(try session.history().first?["job"] == "adhoc")
        let unnamed = try json("run_now", ["command": ["true"]])
        #expect(unnamed.text("job").wholeMatch(of: /job-[0-9a-f]{8}/) != nil)
        #expect(try refusal("run_now", ["command": ["true"], "cron": "61 * * * *"]).message.contains("61"))
        #expect(try refusal("run_now", ["name": "x"]).name == "com.aiworkflow.BotCron.Error.InvalidJob")
    }

    // MARK: - Jobs

    @Test func scheduleJobCreatesReplacesAndKeeps() throws {
        let made = try json("schedule_job", ["name": "mine", "cron": "0 5 * * *", "command": ["true"]])
        #expect(made["job_id"] == "mine")
        #expect(made.text("next_run").contains("T05:00:00"))
        #expect(try session.signal("JobsChanged").arguments == [.strings(["mine"]), .strings([]), .strings([])])
        #expect(try session.job("mine")["origin"] == "bus")

        let count = session.signals.count
        let replaced = try json("schedule_job", ["job_id": "mine", "cron_expr": "0 6 * * *", "command": ["true"]])
        #expect(replaced.text("next_run").contains("T06:00:00"))
        let told = try session.signal("JobsChanged", after: count)
        #expect(told.arguments == [.strings([]), .strings(["mine"]), .strings([])])

        let unnamed = try json("schedule_job", ["interval": "1h", "command": ["true"]])
        #expect(unnamed.text("job_id").wholeMatch(of: /job-[0-9a-f]{8}/) != nil)

        try session.crash(daemon)
        try session.start()
        #expect(try session.job("mine")["schedule"] == "0 6 * * *")
        #expect(try session.job("mine")["origin"] == "bus")
        #expect(try session.job(unnamed.text("job_id"))["next_run"] == unnamed["next_run"])
        _ = try session.json("reload_config")
        #expect(try session.json("list_jobs").arrayValue?.count == 5)
    }

    @Test func scheduleJobRefusesWhatIsNotRight() throws {
        let prefix = "com.aiworkflow.BotCron.Error."
        #expect(try refusal("schedule_job", ["name": "one", "command": ["true"]]).name.text == prefix + "JobExists")
        let cron = try refusal("schedule_job", ["name": "x", "cron": "0 9 * * MON-FRX", "command": ["true"]])
        #expect(cron.name.text == prefix + "InvalidSchedule")
        #expect(cron.message.contains("unknown_name day_of_week \"FRX\" at 12: "), "\(cron)")
        #expect(try refusal("schedule_job", ["name": "x", "cron": "0 9 * * *"]).name.text == prefix + "InvalidJob")
        let unknown = try refusal("schedule_job", ["name": "x", "comand": ["true"]])
        #expect(unknown.name.text == prefix + "InvalidJob")
        #expect(unknown.message.contains("command"), "\(unknown)")
        #expect(try refusal("schedule_job", ["name": "a b", "command": ["true"]]).name.text == prefix + "InvalidJob")
        #expect(try session.refusal("schedule_job", "{").name == .invalidArgs)
        #expect(try session.refusal("schedule_job", "[]").name == .invalidArgs)
        let zone = try refusal("schedule_job", ["cron": "0 0 * * *", "timezone": "Nowhere/X", "command": ["true"]])
        #expect(zone.message.contains("Nowhere/X"), "\(zone)")
        #expect(try session.json("list_jobs").arrayValue?.count == 3)

        _ = try json("schedule_job", ["name": "v", "version": 3, "command": ["true"]])
        let lower = try refusal("schedule_job", ["name": "v", "version": 2, "command": ["false"]])
        #expect(lower.message.contains("2") && lower.message.contains("3"), "\(lower)")
        _ = try json("schedule_job", ["name": "v", "version": 3, "command": ["echo"]])
    }

    @Test func cancelJobRemovesWhatCameOverTheBus() throws {
        _ = try json("schedule_job", ["name": "mine", "cron": "0 5 * * *", "command": ["true"]])
        let run = try session.runToEnd("mine")
        let count = session.signals.count
        try session.done("cancel_job", "mine")
        let told = try session.signal("JobsChanged", after: count)
        #expect(told.arguments == [.strings([]), .strings([]), .strings(["mine"])])
        #expect(try session.refusal("get_job", "mine").name == "com.aiworkflow.BotCron.Error.JobNotFound")
        #expect(try session.run(run.text("execution_id"))["status"] == "success")
        let refused = try session.refusal("cancel_job", "one")
        #expect(refused.name == "com.aiworkflow.BotCron.Error.NotPermitted")
        #expect(refused.message.contains("one") && refused.message.contains("toggle_job"), "\(refused)")
        #expect(try session.job("one")["error"] == nil)
    }

    @Test func pauseAndResumeAreToggles() throws {
        try session.done("pause_job", "one")
        #expect(try session.job("one")["enabled"] == false)
        #expect(try session.job("one")["next_run"] == .null)
        try session.done("resume_job", "one")
        #expect(try session.job("one")["enabled"] == true)
        #expect(try session.job("one")["next_run"] != .null)
    }

    @Test func aPauseMayEndByItself() throws {
        _ = try json("schedule_job", ["name": "tick", "cron": "* * * * * *", "command": ["true"]])
        let until = time(nil) + 3
        let text = try #require(Self.instant(until))
        try session.done("pause_job", .string("{\"job\": \"tick\", \"until\": \"\(text)\"}"))
        #expect(try session.job("tick")["enabled"] == false)
        let started = try session.signal("JobStarted", "tick", after: session.signals.count)
        #expect((FiringTests.seconds(try session.run(started[1]).text("scheduled_for")) ?? 0) >= until)
        #expect(try session.job("tick")["enabled"] == true)
        let refused = try session.refusal("pause_job", "{\"job\": \"tick\", \"until\": \"whenever\"}")
        #expect(refused.name == .invalidArgs)
        #expect(refused.message.contains("until") && refused.message.contains("whenever"), "\(refused)")
    }

    private static func instant(_ seconds: Int) -> String? {
        var seconds = seconds
        var parts = tm()
        guard gmtime_r(&seconds, &parts) != nil else { return nil }
        func two(_ number: Int32) -> String { (number < 10 ? "0" : "") + String(number) }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
            + "T\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))Z"
    }

    @Test func skipJobSkipsTheNextFireTime() throws {
        let before = try session.job("one").text("next_run")
        let answer = try session.json("skip_job", "one")
        #expect(answer["skipped"]?.stringValue == before)
        let next = answer.text("next_run")
        let day = try #require(FiringTests.seconds(before))
        #expect(FiringTests.seconds(next) == day + 86400)
        #expect(try session.job("one").text("next_run") == next)
        try session.crash(daemon)
        try session.start()
        #expect(try session.job("one").text("next_run") == next)
    }

    @Test func aSkippedFireTimeIsNotRun() throws {
        _ = try json("schedule_job", ["name": "tick", "cron": "* * * * * *", "command": ["true"]])
        let skipped = try session.json("skip_job", "tick").text("skipped")
        let missed = try session.signal("JobMissed", "tick", skipped)
        #expect(missed[2] == "user")
        try session.signal("JobStarted", "tick", after: session.signals.count)
        #expect(!(try session.history()).contains { $0.text("scheduled_for") == skipped && $0["status"] != "skipped" })
    }

    @Test func previewScheduleNamesFireTimesBeforeAnythingIsSaved() throws {
        func preview(_ schedule: String, _ count: DBusValue) throws -> [String] {
            try session.json("preview_schedule", .string(schedule), count).arrayValue?.compactMap(\.stringValue) ?? []
        }
        let nine = try preview("0 9 * * MON-FRI", .int32(5))
        #expect(nine.count == 5)
        for instant in nine { #expect(instant.contains("T09:00:00+00:00")) }
        #expect(
            try preview(
                #"{"cron": "30 2 * * *", "timezone": "America/New_York", "after": "2026-03-07T12:00:00-05:00"}"#,
                .int32(2)) == ["2026-03-08T03:00:00-04:00", "2026-03-09T02:30:00-04:00"])
        #expect(
            try preview(
                #"{"interval": "90m", "created_at": "2026-01-01T00:00:00Z", "after": "2026-01-01T00:00:00Z"}"#, "2")
                == ["2026-01-01T01:30:00+00:00", "2026-01-01T03:00:00+00:00"])
        #expect(try preview("* * * * * *", .int32(.max)).count == 1000)
        #expect(try preview("@reboot", .int32(3)) == [])
        let refused = try session.refusal("preview_schedule", "61 * * * *", .int32(1))
        #expect(refused.name == "com.aiworkflow.BotCron.Error.InvalidSchedule")
        #expect(refused.message.hasPrefix("out_of_range minute \"61\" at 0: "), "\(refused)")
        #expect(refused.message.hasSuffix("\n61 * * * *\n^^"), "\(refused)")
        #expect(try session.json("list_jobs").arrayValue?.count == 3)
    }
}
