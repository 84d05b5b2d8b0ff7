import JSON
import TestSupport
import Testing

extension ConformanceTests {
    /// What programs that exist send and read.
    @Suite struct OlderClients {
        private static let performance = Performance(
            jobs: [
                ["name": "late", "cron": "0 9 1 1 *", "command": ["true"], "owner": "ann", "tags": ["x"]],
                [
                    "name": "soon", "cron": Session.soon, "description": "often", "tags": ["x", "y"],
                    "skill": "coffee", "persona": "dev", "notify": ["slack"],
                ],
                ["name": "by_hand", "command": ["echo", "done"]],
                ["name": "fails", "command": ["sh", "-c", "echo 'error 401'; exit 3"]],
                [
                    "name": "again", "command": "test -e mended && exit 0; echo 'error 401'; exit 1",
                    "retry": ["max_attempts": 2, "delay_seconds": 0],
                ],
                ["name": "off", "cron": "0 9 * * *", "command": ["true"], "enabled": false],
            ], ["timezone": "UTC", "remediation": ["auth": ["touch", "mended"]]],
            prepare: { session in
                var config = try #require(try JSONValue(parsing: TestFile.text(session.configFile)).objectValue)
                config["slack"] = ["n": 1]
                try TestFile.write(JSONValue.object(config).prettyText(), to: session.configFile)
            },
            script: #"""
                import stat

                STATE = CONFIG + "/cron_state.json"

                def load(name):
                    with open(CONFIG + "/" + name) as text:
                        return json.load(text)

                def ended(run):
                    client.call(ROOT, FACE, "wait_run", run["execution_id"])

                # Forms of the arguments
                forms = {"an array": ["by_hand"], "an object": {"job_name": "by_hand"}, "one value": '"by_hand"'}
                for name, arguments in forms.items():
                    ended(older("run by " + name, "run_job", arguments))
                older("no arguments", "Ping", "")
                older("unknown", "no_such_thing", "")
                older("not a job", "run_job", ["nobody"])
                older("no JSON", "run_job", "{")
                ended(older("fails", "run_job", ["fails"]))
                ended(older("again", "run_job", ["again"]))

                # Each method
                older("jobs", "list_jobs", "")
                for name, value in {"owner": "ann", "tag": "x", "enabled": False, "limit": 2}.items():
                    older("jobs by " + name, "list_jobs", {name: value})
                older("history", "get_history", "")
                older("history of 2", "get_history", {"limit": 2, "anything": [1]})
                older("state", "get_state", "")
                older("written", "write_state", "")
                note("mirror", load("cron_state.json"))
                note("mode of the mirror", stat.S_IMODE(os.stat(STATE).st_mode))
                older("value", "get_config", {"section": "schedules", "key": "timezone"})
                older("unknown key", "get_config", ["slack", "nothing"])
                older("unknown section", "get_config", ["nothing"])
                older("other section", "get_config", ["slack"])
                older("update", "update_config", {"section": "slack", "key": "team.id", "value": {"a": [1.5, None]}})
                older("merge", "update_config", {"section": "slack", "key": "", "value": {"b": 2}})
                note("file", load("config.json")["slack"])
                with open(CONFIG + "/config.json") as file:
                    good = file.read()
                with open(CONFIG + "/config.json", "w") as file:
                    file.write("{ broken")
                older("update broken", "update_config", ["slack", "b", 3])
                with open(CONFIG + "/config.json") as file:
                    note("broken", file.read())
                with open(CONFIG + "/config.json", "w") as file:
                    file.write(good)
                older("scheduler off", "toggle_scheduler", {"enabled": False})
                step("Enabled", client.get, ROOT, FACE, "Enabled")
                older("scheduler on", "toggle_scheduler", [True])
                step("Enabled again", client.get, ROOT, FACE, "Enabled")
                older("job off", "toggle_job", {"job_name": "soon", "enabled": False})
                note("state.json", load("state.json"))
                do("soon, off", "get_job", "soon")
                older("job on", "enable_job", ["soon"])
                do("soon, on", "get_job", "soon")
                older("job off again", "disable_job", {"job_name": "soon"})
                older("job on again", "toggle_job", ["soon", "true"])
                older("reload", "reload_config", "")
                older("status", "GetStatus", "")
                do("native status", "GetStatus")
                do("native stats", "GetStats")
                do("native health", "HealthCheck")

                # manage_scheduler
                def manage(name, operation, **words):
                    return older("manage " + name, "manage_scheduler", {"operation": operation, **words})

                manage("schedule", "schedule", job_id="mine", interval="1h", command=["true"])
                manage("get_job", "get_job", job_id="mine")
                manage("list", "list")
                manage("pause", "pause", job_id="mine")
                do("mine, paused", "get_job", "mine")
                manage("resume", "resume", job_id="mine")
                ended(manage("run_now", "run_now", job_id="mine")["data"])
                ended(manage("run_now of a definition", "run_now", job_name="once", command=["true"])["data"])
                manage("get_history", "get_history", job_id="mine")
                manage("cancel", "cancel", job_id="mine")
                manage("stop", "stop")
                step("Enabled, stopped", client.get, ROOT, FACE, "Enabled")
                manage("start", "start")
                manage("status", "status")
                manage("nothing", "explode")

                # Natively, and parsed as JSON in which a key "error" is a failure
                do("native list", "list_jobs")
                do("native run", "run_job", "by_hand")
                raw("native history", "get_history")
                do("native history of 5", "get_history", 5)

                # Others write state.json, which is taken up
                with open(CONFIG + "/state.json") as file:
                    state = json.load(file)
                state["jobs"]["late"] = {"enabled": False}
                state["others"] = {"kept": [1.50]}
                with open(CONFIG + "/state.json.new", "w") as file:
                    json.dump(state, file)
                os.rename(CONFIG + "/state.json.new", CONFIG + "/state.json")
                heard("JobsChanged", [], ["late"], [])
                do("late, off", "get_job", "late")
                older("late on", "enable_job", ["late"])
                note("state.json, later", load("state.json"))
                tool(
                    "dbus-send", "dbus-send", "--session", "--print-reply", "--dest=" + NAME, ROOT, FACE + ".CallMethod",
                    "string:list_jobs", "string:")
                """#)

        // MARK: - Forms

        @Test(arguments: Library.allCases) func argumentsComeAsAnArrayAnObjectOneValueOrNone(by library: Library) throws
        {
            let told = try Self.performance[library]
            for form in ["an array", "an object", "one value"] {
                let answer = try told["run by \(form)"]
                #expect(answer.objectValue?.keys == ["success", "job", "execution_id", "status"], "\(form)")
                #expect(answer["success"] == true)
                #expect(answer["job"] == "by_hand")
                #expect(["running", "queued"].contains(answer.text("status")))
            }
            #expect(try told["no arguments"] == ["success": true, "result": "pong"])
        }

        @Test(arguments: Library.allCases) func aRefusalIsANormalReplyAndASuccessHasNoError(by library: Library) throws
        {
            let told = try Self.performance[library]
            #expect(try told["unknown"] == ["success": false, "error": "Unknown handler: no_such_thing"])
            #expect(try told["not a job"] == ["success": false, "error": "Job not found: nobody"])
            #expect(try told["no JSON"]["success"] == false)
            #expect(try told["no JSON"].text("error").contains("JSON"))
            for step in [
                "jobs", "history", "state", "written", "value", "update", "scheduler off", "job off", "status",
            ] {
                #expect(try told[step].objectValue?.keys.contains("error") == false, "\(step)")
            }
        }

        // MARK: - Jobs

        @Test(arguments: Library.allCases) func listJobsIsByNextFireTimeAndFilters(by library: Library) throws {
            let told = try Self.performance[library]
            func names(_ step: String) throws -> [JSONValue] { try told[step]["jobs"]?.each("name") ?? [] }
            #expect(try names("jobs") == ["soon", "late", "again", "by_hand", "fails", "off"])
            #expect(try names("jobs by owner") == ["late"])
            #expect(try names("jobs by tag") == ["soon", "late"])
            #expect(try names("jobs by enabled") == ["off"])
            #expect(try names("jobs by limit") == ["soon", "late"])
            for job in try told["jobs"]["jobs"]?.arrayValue ?? [] {
                for key in ["name", "next_run", "enabled", "description", "cron"] { #expect(job[key] != nil, "\(key)") }
            }
        }

        @Test(arguments: Library.allCases) func togglesAnswerInTheirWordsAndAreInForce(by library: Library) throws {
            let told = try Self.performance[library]
            #expect(
                try told["job off"]
                    == ["success": true, "job": "soon", "enabled": false, "message": "Job 'soon' disabled"])
            #expect(try told["soon, off"]["enabled"] == false)
            #expect(
                try told["job on"]
                    == ["success": true, "job": "soon", "enabled": true, "message": "Job 'soon' enabled"])
            #expect(try told["soon, on"]["enabled"] == true)
            #expect(try told["job off again"]["enabled"] == false)
            #expect(try told["job on again"]["enabled"] == true)
            #expect(
                try told["scheduler off"] == ["success": true, "enabled": false, "message": "Scheduler disabled"])
            #expect(try told["Enabled"].isProperty("b", false))
            #expect(try told["scheduler on"] == ["success": true, "enabled": true, "message": "Scheduler enabled"])
            #expect(try told["Enabled again"].isProperty("b", true))
        }

        // MARK: - History and state

        @Test(arguments: Library.allCases) func historyHoldsEntriesNewestFirst(by library: Library) throws {
            let told = try Self.performance[library]
            let entries = try #require(try told["history"]["history"])
            #expect(entries.each("job_name") == ["again", "fails", "by_hand", "by_hand", "by_hand"])
            #expect(try told["history of 2"]["history"]?.each("job_name") == ["again", "fails"])
            for entry in entries.arrayValue ?? [] {
                for key in [
                    "job_name", "skill", "timestamp", "success", "duration_ms", "error", "output_preview",
                    "session_name",
                ] { #expect(entry[key] != nil, "\(key)") }
                #expect(entry["timestamp"] == entry["completed_at"])
            }
            #expect(entries.each("success") == [true, false, true, true, true])
            #expect(entries[1]?["error"]?.stringValue?.contains("401") == true)
            #expect(entries[2]?["error"] == .null)
        }

        @Test(arguments: Library.allCases) func aRetryIsInItsEntry(by library: Library) throws {
            let entry = try Self.performance[library]["history"]["history"]?[0]
            #expect(
                entry?["retry"] == [
                    "attempts": 2, "retried": true, "failure_type": "auth", "remediation_applied": true,
                    "remediation_success": true,
                ])
        }

        @Test(arguments: Library.allCases) func stateIsInTheOrderOfTheConfigurationAndTheMirrorHoldsIt(
            by library: Library
        ) throws {
            let told = try Self.performance[library]
            let state = try #require(try told["state"]["state"])
            #expect(
                state.objectValue?.keys == [
                    "enabled", "timezone", "execution_mode", "jobs", "history", "total_history", "updated_at",
                ])
            #expect(state["jobs"]?.each("name") == ["late", "soon", "by_hand", "fails", "again", "off"])
            for job in state["jobs"]?.arrayValue ?? [] {
                for key in [
                    "name", "description", "skill", "cron", "trigger", "persona", "enabled", "notify", "next_run",
                    "last_status", "last_duration_ms",
                ] { #expect(job[key] != nil, "\(key)") }
            }
            #expect(state["jobs"]?.each("last_status") == [nil, nil, "success", "failed", "success", nil])
            #expect(state["total_history"] == 5)
            #expect(state["history"]?.count == 5)
            #expect(try told["written"].text("file").hasSuffix("/aa-workflow/cron_state.json"))
            let mirror = try told["mirror"]
            for key in ["enabled", "timezone", "execution_mode", "jobs", "history", "total_history"] {
                #expect(mirror[key] == state[key], "\(key)")
            }
            #expect(try told["mode of the mirror"] == 0o600)
        }

        // MARK: - Configuration and state.json

        @Test(arguments: Library.allCases) func everySectionIsReadAndWrittenAndABrokenFileStays(by library: Library)
            throws
        {
            let told = try Self.performance[library]
            #expect(try told["value"] == ["success": true, "value": "UTC"])
            #expect(try told["unknown key"] == ["success": true, "value": nil])
            #expect(try told["unknown section"] == ["success": true, "value": [:]])
            #expect(try told["other section"] == ["success": true, "value": ["n": 1]])
            #expect(
                try told["update"] == [
                    "success": true, "section": "slack", "key": "team.id", "value": ["a": [1.5, nil]],
                    "message": "Updated config: slack.team.id",
                ])
            #expect(try told["merge"]["message"] == "Updated config: slack")
            #expect(try told["file"] == ["n": 1, "team": ["id": ["a": [1.5, nil]]], "b": 2])
            #expect(try told["update broken"]["success"] == false)
            #expect(try told["broken"] == "{ broken")
            #expect(try told["reload"].objectValue?.keys == ["success", "added", "changed", "removed"])
        }

        @Test(arguments: Library.allCases) func stateJSONHoldsTheOverridesAndIsTakenUpFromOthers(by library: Library)
            throws
        {
            let told = try Self.performance[library]
            #expect(
                try told["state.json"] == [
                    "version": 1, "services": ["scheduler": ["enabled": true]], "jobs": ["soon": ["enabled": false]],
                ])
            #expect(try told["late, off"]["enabled"] == false)
            let later = try told["state.json, later"]
            #expect(later["jobs"]?["late"] == ["enabled": true])
            #expect(later["others"] == ["kept": [1.5]])
        }

        // MARK: - Status

        @Test(arguments: Library.allCases) func statusStatisticsAndHealthAreWhatTheyRead(by library: Library) throws {
            let told = try Self.performance[library]
            let (status, stats) = (try told["native status"], try told["native stats"])
            for key in [
                "running", "uptime", "service_name", "jobs_executed", "jobs_failed", "enabled", "execution_mode",
                "timezone", "job_count", "jobs",
            ] {
                #expect(status[key] != nil && stats[key] != nil, "\(key)")
            }
            #expect(status["jobs_executed"] == 5)
            #expect(status["jobs_failed"] == 1)
            for job in status["jobs"]?.arrayValue ?? [] { #expect(job.objectValue?.keys == ["name", "next_run"]) }
            #expect(status["recent_executions"]?.count == 5)
            let health = try told["native health"]
            for check in [
                "running", "scheduler_initialized", "scheduler_running", "jobs_scheduled", "acceptable_failure_rate",
                "uptime_ok",
            ] { #expect(health["checks"]?[check] == true, "\(check)") }
            #expect(health["message"] == "Cron daemon is healthy")
            #expect(health["jobs_executed"] == 5 && health["jobs_failed"] == 1)
        }

        // MARK: - manage_scheduler

        @Test(arguments: Library.allCases) func manageSchedulerKnowsItsElevenOperations(by library: Library) throws {
            let told = try Self.performance[library]
            for operation in [
                "schedule", "cancel", "pause", "resume", "run_now", "list", "get_job", "get_history", "start", "stop",
                "status",
            ] {
                let answer = try told["manage \(operation)"]
                #expect(answer.objectValue?.keys == ["operation", "message", "data"], "\(operation)")
                #expect(answer["operation"]?.stringValue == operation)
            }
            #expect(try told["manage schedule"]["data"]?["job_id"] == "mine")
            #expect(try told["manage get_job"]["data"]?["name"] == "mine")
            #expect(try told["manage list"]["data"]?["count"] == 7)
            #expect(try told["mine, paused"]["enabled"] == false)
            #expect(try told["manage get_history"]["data"]?["runs"]?.each("job") == ["mine"])
            #expect(try told["Enabled, stopped"].isProperty("b", false))
            #expect(try told["manage start"]["data"] == ["enabled": true])
            #expect(try told["manage status"]["data"]?["running"] == true)
            #expect(try told["manage nothing"]["success"] == false)
        }

        // MARK: - Natively

        @Test(arguments: Library.allCases) func nativeAnswersHaveNoErrorWhereNothingFailed(by library: Library) throws {
            let told = try Self.performance[library]
            #expect(try told["native list"].count == 6)
            #expect(try told["native run"]["error"] == nil)
            #expect(try told["native run"]["execution_id"] != nil)
            #expect(try told["native history"].count == 8)
            #expect(try told["native history of 5"].count == 5)
        }

        @Test(arguments: Library.allCases) func theJSONCanBePickedOutOfWhatDBusSendPrints(by library: Library) throws {
            let sent = try Self.performance[library]["dbus-send"]
            #expect(sent["code"] == 0)
            let text = sent.text("output")
            let json = try #require(text.firstMatch(of: /string "(.*)"\n$/)).1
            #expect(try JSONValue(parsing: String(json))["jobs"]?.count == 6)
        }
    }
}
