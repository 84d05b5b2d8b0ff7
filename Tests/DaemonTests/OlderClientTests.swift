import DBus
import Glibc
import JSON
import TestSupport
import Testing

/// The door of the older clients: what they send, and what they read in the answer.
@Suite(.ownThread) struct OlderClientTests {
    private let session: Session
    private let daemon: Program

    init() throws {
        session = try Session(jobs: [
            ["name": "late", "cron": "0 9 1 1 *", "command": ["true"], "owner": "ann", "tags": ["x"]],
            ["name": "soon", "cron": Session.soon, "command": ["true"], "description": "often", "tags": ["x", "y"]],
            ["name": "by_hand", "command": ["echo", "done"]],
            ["name": "fails", "command": ["sh", "-c", "echo 'error 401'; exit 3"]],
            ["name": "off", "cron": "0 9 * * *", "command": ["true"], "enabled": false],
        ])
        daemon = try session.start()
    }

    private func call(_ method: String, _ arguments: String = "") throws -> JSONValue {
        try session.json("CallMethod", .string(method), .string(arguments))
    }

    private func names(_ answer: JSONValue) -> [String] {
        answer["jobs"]?.arrayValue?.map { $0.text("name") } ?? []
    }

    // MARK: - Arguments

    @Test(arguments: [#"["by_hand"]"#, #"{"job_name": "by_hand"}"#, #""by_hand""#, #"{"job": "by_hand"}"#])
    func argumentsComeByPositionByNameOrAlone(_ arguments: String) throws {
        let answer = try call("run_job", arguments)
        #expect(answer.objectValue?.keys == ["success", "job", "execution_id", "status"])
        #expect(answer["success"] == true)
        #expect(answer["job"] == "by_hand")
        #expect(["running", "queued"].contains(answer.text("status")), "\(answer)")
        #expect(try session.waitForRun(answer.text("execution_id"))["status"] == "success")
    }

    @Test func whatIsRefusedIsANormalReplyWithAnError() throws {
        func refused(_ method: String, _ arguments: String) throws -> String {
            let answer = try call(method, arguments)
            #expect(answer.objectValue?.keys == ["success", "error"], "\(method) \(arguments): \(answer)")
            #expect(answer["success"] == false)
            return answer.text("error")
        }
        #expect(try refused("run_job", #"["nobody"]"#) == "Job not found: nobody")
        #expect(try refused("toggle_job", #"["nobody", true]"#) == "Job not found: nobody")
        #expect(try refused("enable_job", #""nobody""#) == "Job not found: nobody")
        #expect(try refused("no_such_thing", "") == "Unknown handler: no_such_thing")
        #expect(try refused("not a name", "") == "Unknown handler: not a name")
        #expect(try refused("CallMethod", #"["Ping", ""]"#) == "Unknown handler: CallMethod")
        #expect(try refused("run_job", "{").contains("JSON"))
        #expect(try refused("run_job", "").contains("job_name"))
        #expect(try refused("run_job", "[1]").contains("job_name"))
        #expect(try refused("run_job", #"["a", {}, "b", "c", true, 5, 6]"#).contains("at most"))
        #expect(try refused("toggle_job", #"["soon", "maybe"]"#).contains("enabled"))
        #expect(try refused("preview_schedule", #"["61 * * * *", 3]"#).contains("61"))
        #expect(try refused("get_run", #"["cron-x-20260101-000000"]"#).contains("cron-x-20260101-000000"))
        #expect(try refused("list_jobs", #"{"ownr": "ann"}"#).contains("owner"))
        #expect(try refused("manage_scheduler", #"{"operation": "explode"}"#).contains("explode"))
        #expect(try call("list_jobs")["jobs"]?.arrayValue?.count == 5)
    }

    // MARK: - Jobs

    @Test func listJobsFiltersAndSortsByNextFireTime() throws {
        let answer = try call("list_jobs")
        #expect(answer.objectValue?.keys == ["jobs"])
        #expect(names(answer) == ["soon", "late", "by_hand", "fails", "off"])
        for key in ["name", "next_run", "enabled", "description", "cron"] {
            #expect(answer["jobs"]?[0]?.objectValue?.keys.contains(key) == true, "\(key)")
        }
        #expect(names(try call("list_jobs", #"{"owner": "ann"}"#)) == ["late"])
        #expect(names(try call("list_jobs", #"{"tag": "x"}"#)) == ["soon", "late"])
        #expect(names(try call("list_jobs", #"{"tag": "x", "limit": 1}"#)) == ["soon"])
        #expect(names(try call("list_jobs", #"{"enabled": false}"#)) == ["off"])
        #expect(names(try call("list_jobs", #"{"owner": null, "tag": "y", "enabled": "true"}"#)) == ["soon"])
        #expect(names(try call("list_jobs", "{}")).count == 5)
    }

    @Test func togglesAnswerAsTheyAlwaysDid() throws {
        #expect(
            try call("toggle_job", #"["soon", false]"#)
                == ["success": true, "job": "soon", "enabled": false, "message": "Job 'soon' disabled"])
        #expect(try session.job("soon")["enabled"] == false)
        #expect(
            try call("enable_job", #"{"job_name": "soon"}"#)
                == ["success": true, "job": "soon", "enabled": true, "message": "Job 'soon' enabled"])
        #expect(try session.job("soon")["enabled"] == true)
        #expect(try call("disable_job", #"["soon"]"#)["enabled"] == false)
        #expect(try call("toggle_job", #"{"job_name": "soon", "enabled": "true"}"#)["enabled"] == true)
        #expect(
            try call("toggle_scheduler", "[false]")
                == ["success": true, "enabled": false, "message": "Scheduler disabled"])
        #expect(try session.property("Enabled") == .bool(false))
        #expect(
            try call("toggle_scheduler", #"{"enabled": true}"#)
                == ["success": true, "enabled": true, "message": "Scheduler enabled"])
        #expect(try session.property("Enabled") == .bool(true))
    }

    // MARK: - History and state

    @Test func historyHoldsEntriesNewestFirst() throws {
        try session.runToEnd("by_hand")
        try session.runToEnd("fails")
        let answer = try call("get_history", #"{"limit": 5, "job": "ignored", "whatever": [1]}"#)
        #expect(answer["success"] == true)
        let entries = try #require(answer["history"]?.arrayValue)
        #expect(entries.map { $0.text("job_name") } == ["fails", "by_hand"])
        for entry in entries {
            let wanted: [JSONValue.Kind: [String]] = [
                .string: ["job_name", "skill", "timestamp", "session_name", "output_preview"], .bool: ["success"],
                .number: ["duration_ms"],
            ]
            for (kind, keys) in wanted { for key in keys { #expect(entry[key]?.kind == kind, "\(key): \(entry)") } }
        }
        #expect(entries[0]["success"] == false)
        #expect(entries[0]["error"]?.kind == .string)
        #expect(entries[1]["success"] == true)
        #expect(entries[1]["error"] == .null)
        #expect(entries[1]["timestamp"] == entries[1]["completed_at"])
        #expect(try call("get_history", "1")["history"]?.arrayValue?.count == 1)
        #expect(try call("get_history")["history"]?.arrayValue?.count == 2)
    }

    @Test func aRetryIsInTheEntry() throws {
        let session = try Session(
            jobs: [
                [
                    "name": "again", "command": "test -e mended && exit 0; echo 'error 401'; exit 1",
                    "retry": ["max_attempts": 2, "delay_seconds": 0],
                ]
            ], ["remediation": ["auth": ["touch", "mended"]]])
        try session.start()
        #expect(try session.runToEnd("again")["status"] == "success")
        let answer = try session.json("CallMethod", "get_history", "")
        #expect(
            answer["history"]?[0]?["retry"] == [
                "attempts": 2, "retried": true, "failure_type": "auth", "remediation_applied": true,
                "remediation_success": true,
            ], "\(answer)")
    }

    @Test func whatRunsIsNoHistoryYet() throws {
        let held = try session.json(
            "run_now", .string(#"{"name": "held", "command": ["sleep", "100"]}"#)
        ).text("execution_id")
        #expect(try call("get_history")["history"] == [])
        try session.done("cancel_run", .string(held))
        _ = try session.waitForRun(held)
        #expect(try call("get_history")["history"]?.arrayValue?.count == 1)
    }

    @Test func stateIsWhatTheMirrorHolds() throws {
        try session.runToEnd("by_hand")
        let state = try #require(try call("get_state")["state"])
        #expect(
            state.objectValue?.keys == [
                "enabled", "timezone", "execution_mode", "jobs", "history", "total_history", "updated_at",
            ])
        #expect(names(state) == ["late", "soon", "by_hand", "fails", "off"])
        #expect(state["total_history"] == 1)
        #expect(state["jobs"]?.arrayValue?.map { $0["last_status"] } == [.null, .null, "success", .null, .null])
        let held = try session.json("schedule_job", .string(#"{"name": "held", "command": ["sleep", "100"]}"#))
        #expect(held["job_id"] == "held")
        let run = try session.json("run_job", "held").text("execution_id")
        func heldStatus() throws -> JSONValue? { try call("get_state")["state"]?["jobs"]?[5]?["last_status"] }
        #expect(try heldStatus() == "running")
        try session.done("cancel_run", .string(run))
        _ = try session.waitForRun(run)
        #expect(try heldStatus() == "failed")
        try session.done("cancel_job", "held")
        let answer = try call("write_state")
        #expect(answer["success"] == true)
        #expect(answer.text("file") == session.scratch.path + "/config/aa-workflow/cron_state.json")
        let mirror = try JSONValue(parsing: TestFile.text(answer.text("file")))
        #expect(mirror["jobs"] == state["jobs"])
        #expect(mirror["history"]?.arrayValue?.count == 2)
    }

    // MARK: - Configuration

    @Test func everySectionIsReadAndWritten() throws {
        #expect(try call("get_config", #"{"section": "nothing"}"#) == ["success": true, "value": [:]])
        #expect(try call("get_config", #"["nothing", "x"]"#) == ["success": true, "value": nil])
        #expect(try call("get_config", #"["schedules", "timezone"]"#) == ["success": true, "value": "UTC"])
        #expect(
            try call("update_config", #"{"section": "slack", "key": "channels.team", "value": {"id": "C1"}}"#) == [
                "success": true, "section": "slack", "key": "channels.team", "value": ["id": "C1"],
                "message": "Updated config: slack.channels.team",
            ])
        #expect(try call("get_config", #"["slack", "channels.team.id"]"#)["value"] == "C1")
        let merged = try call("update_config", #"["slack", "", {"a": null, "b": 2}]"#)
        #expect(merged["message"] == "Updated config: slack")
        #expect(
            try call("get_config", #"["slack"]"#)["value"] == ["channels": ["team": ["id": "C1"]], "a": nil, "b": 2])
        #expect(try call("update_config", #"["slack", "b", null]"#)["value"] == .null)
        try TestFile.write("{ broken", to: session.configFile)
        #expect(try call("update_config", #"["slack", "b", 3]"#)["success"] == false)
        #expect(try call("get_config", #"["slack", "b"]"#)["success"] == false)
        #expect(TestFile.text(session.configFile) == "{ broken")
    }

    @Test func reloadConfigTellsTheDifference() throws {
        try TestFile.write(
            Session.config(jobs: [["name": "new", "command": ["true"]]]), to: session.configFile)
        let answer = try call("reload_config")
        #expect(answer["success"] == true)
        #expect(answer.objectValue?.keys == ["success", "added", "changed", "removed"])
    }

    // MARK: - manage_scheduler

    @Test func manageSchedulerKnowsItsOperations() throws {
        func manage(_ object: JSONValue) throws -> JSONValue {
            let answer = try call("manage_scheduler", object.compactText)
            #expect(answer.objectValue?.keys == ["operation", "message", "data"], "\(object): \(answer)")
            #expect(answer["operation"] == object["operation"])
            return answer["data"] ?? .null
        }
        let made = try manage([
            "operation": "schedule", "job_id": "mine", "job_name": "My job", "interval": "1h",
            "command": ["true"],
        ])
        #expect(made["job_id"] == "mine")
        #expect(try manage(["operation": "get_job", "job_id": "mine"])["title"] == "My job")
        #expect(try manage(["operation": "list"])["count"] == 6)
        _ = try manage(["operation": "pause", "job_id": "mine"])
        #expect(try session.job("mine")["enabled"] == false)
        _ = try manage(["operation": "resume", "job_id": "mine"])
        #expect(try session.job("mine")["enabled"] == true)
        let run = try manage(["operation": "run_now", "job_id": "mine"]).text("execution_id")
        _ = try session.waitForRun(run)
        let once = try manage(["operation": "run_now", "job_name": "once", "command": ["true"]])
        _ = try session.waitForRun(once.text("execution_id"))
        #expect(try manage(["operation": "get_history", "job_id": "mine"])["runs"]?.arrayValue?.count == 1)
        _ = try manage(["operation": "cancel", "job_id": "mine"])
        #expect(try call("list_jobs")["jobs"]?.arrayValue?.count == 5)
        #expect(try manage(["operation": "stop"])["enabled"] == false)
        #expect(try session.property("Enabled") == .bool(false))
        #expect(try manage(["operation": "start"])["enabled"] == true)
        #expect(try manage(["operation": "status"])["running"] == true)
        #expect(try call("manage_scheduler", #"["status"]"#)["operation"] == "status")
        #expect(
            try call("manage_scheduler", #"{"operation": "pause", "job_id": "nobody"}"#)["error"]
                == "Job not found: nobody")
    }

    // MARK: - Every other method

    @Test func everyMethodOfTheFaceCanBeCalled() throws {
        let run = try call("run_job", #"["fails"]"#).text("execution_id")
        let waited = try call("wait_run", #"{"execution_id": "\#(run)"}"#)
        // What a run says of itself is not what the call says of itself.
        #expect(waited["success"] == true)
        #expect(waited["error"] == nil)
        #expect(waited["status"] == "failed")
        #expect(waited["result"]?["success"] == false)
        #expect(waited["result"]?["error"]?.kind == .string)
        let output = try call("get_output", "[\"\(run)\", 0, 100]")
        #expect(output == ["success": true, "bytes": "error 401\n", "next_offset": 10])
        #expect(try call("get_run", "[\"\(run)\"]")["attempts"]?.arrayValue?.count == 1)
        #expect(try call("Ping") == ["success": true, "result": "pong"])
        #expect(try call("preview_schedule", #"["0 9 * * *", 2]"#)["result"]?.arrayValue?.count == 2)
        #expect(try call("preview_schedule", #"{"schedule": {"interval": "1h"}, "count": "3"}"#)["success"] == true)
        #expect(try call("schedule_job", #"{"name": "m", "command": ["true"]}"#)["job_id"] == "m")
        #expect(try call("schedule_job", #"[{"name": "n", "command": ["true"]}]"#)["job_id"] == "n")
        #expect(try call("schedule_job", #"{"definition": {"name": "o", "command": ["true"]}}"#)["job_id"] == "o")
        #expect(try call("cancel_job", #"{"job_name": "m"}"#) == ["success": true, "result": true])
        #expect(try call("pause_job", #"{"job_name": "n"}"#) == ["success": true, "result": true])
        #expect(try call("resume_job", #"{"job": "n"}"#)["success"] == true)
        #expect(try call("query_history", #"{"job": "fails", "limit": 3}"#)["runs"]?.arrayValue?.count == 1)
        #expect(try call("get_job", #"["soon"]"#)["description"] == "often")
        #expect(try call("explain_job", #"["soon", ""]"#)["reasons"]?.arrayValue?.isEmpty == false)
        #expect(try call("HealthCheck")["healthy"] == true)
        #expect(try call("GetStatus")["running"] == true)
        #expect(try call("GetStats")["job_count"] != nil)
        #expect(try call("GetMetrics")["result"]?.stringValue?.hasSuffix("# EOF\n") == true)
    }

    @Test func aWaitThroughTheDoorAnswersWhenTheRunEnds() throws {
        let run = try session.json(
            "run_now", .string(#"{"name": "held", "command": ["sleep", "100"]}"#)
        ).text("execution_id")
        var answer: Result<[DBusValue], ErrorReply>?
        session.client.call(
            RemoteCall(
                Session.name, Session.path, Session.interface, "CallMethod", ["wait_run", .string("[\"\(run)\"]")],
                timeoutMSec: nil)
        ) { answer = $0 }
        // Somebody else waits so, and is killed.
        let gone = try Program(
            ["busctl", "--user", "call", "--timeout=100", "com.aiworkflow.BotCron", "/com/aiworkflow/BotCron"]
                + ["com.aiworkflow.BotCron", "CallMethod", "ss", "wait_run", "[\"\(run)\"]"],
            environment: session.environment, on: session.loop)
        #expect(try session.run(["busctl", "--user", "status", "com.aiworkflow.BotCron"]).code == 0)
        gone.signal(SIGKILL)
        try session.end(gone)
        #expect(answer == nil)
        try session.done("cancel_run", .string(run))
        try session.wait("the answer") { answer != nil }
        let text = try #require(try answer?.get().first?.asString)
        #expect(try JSONValue(parsing: text)["status"] == "cancelled")
        #expect(!daemon.text.contains("fault"), "\(daemon.text)")
    }

    // MARK: - Clients that are not ours

    @Test func dbusSendPrintsTheAnswerAsAString() throws {
        let sent = try session.run(
            ["dbus-send", "--session", "--print-reply", "--dest=com.aiworkflow.BotCron", "/com/aiworkflow/BotCron"]
                + ["com.aiworkflow.BotCron.CallMethod", "string:run_job", #"string:{"job_name": "by_hand"}"#])
        #expect(sent.code == 0)
        let text = try #require(sent.output.split(separator: "string \"", maxSplits: 1).last)
        let json = String(text[..<(try #require(text.lastIndex(of: "\"")))])
        #expect(try JSONValue(parsing: json)["success"] == true)
    }

    @Test func aProxyMadeFromIntrospectionWorks() throws {
        let script = """
            import dbus, json
            bus = dbus.SessionBus()
            service = bus.get_object("com.aiworkflow.BotCron", "/com/aiworkflow/BotCron", introspect=True)
            cron = dbus.Interface(service, "com.aiworkflow.BotCron")
            call = lambda name, args=None: json.loads(cron.CallMethod(name, "" if args is None else json.dumps(args)))
            assert isinstance(json.loads(cron.list_jobs()), list)
            bare = dbus.Interface(bus.get_object(service.bus_name, service.object_path, introspect=False), cron.dbus_interface)
            assert json.loads(bare.get_history()) == []
            assert json.loads(cron.get_history(dbus.Int32(5))) == []
            run = json.loads(cron.run_job("by_hand"))
            assert "error" not in run, run
            cron.wait_run(run["execution_id"])
            assert [entry["success"] for entry in call("get_history", [20])["history"]] == [True]
            assert call("toggle_job", {"job_name": "soon", "enabled": False})["message"] == "Job 'soon' disabled"
            assert call("get_config", {"section": "schedules", "key": None})["value"]["timezone"] == "UTC"
            assert call("nonsense") == {"success": False, "error": "Unknown handler: nonsense"}
            properties = dbus.Interface(service, "org.freedesktop.DBus.Properties")
            assert properties.Get("com.aiworkflow.BotCron", "Running")
            print("fine")
            """
        let ran = try session.run(["/usr/bin/python3", "-I", "-c", script])
        #expect(ran.code == 0, "\(ran.output)")
        #expect(ran.output == "fine\n")
    }
}
