import JSON
import TestSupport
import Testing

extension ConformanceTests {
    /// The scheduler as a whole, the configuration, the queues, and what the daemon says of itself.
    @Suite struct Service {
        private static let config = """
            {
                "slack": {"channels": {"team": {"id": "C1"}}, "n": 1.50},
                "schedules": {
                    "timezone": "America/New_York",
                    "jobs": [
                        {"name": "nine", "cron": "0 9 * * *", "command": ["true"]},
                        {"name": "good", "command": ["true"]},
                        {"name": "fails", "command": ["false"]},
                        {"name": "bad", "cron": "61 * * * *", "command": ["true"]}
                    ]
                },
                "last": [1, 2]
            }

            """

        private static let performance = Performance(
            jobs: [],
            prepare: { try TestFile.write(config, to: $0.configFile) },
            script: #"""
                import stat

                config = CONFIG + "/config.json"

                def file():
                    with open(config) as text:
                        return text.read()

                # Properties
                for name in ("Running", "Enabled", "Uptime", "Stats", "Version", "NextRun"):
                    step("property " + name, client.get, ROOT, FACE, name)
                do("nine", "get_job", "nine")
                raw("all properties", "GetAll", "s", FACE, interface=PROPERTIES)
                note("a run", run_to_end("good"))
                note("a failed run", run_to_end("fails"))
                do("status", "GetStatus")
                do("stats", "GetStats")
                step("property Stats, later", client.get, ROOT, FACE, "Stats")
                do("health", "HealthCheck")
                do("metrics", "GetMetrics")
                do("ping", "Ping")

                do("pause", "toggle_scheduler", False)
                step("Enabled, paused", client.get, ROOT, FACE, "Enabled")
                step("NextRun, paused", client.get, ROOT, FACE, "NextRun")
                do("nine, paused", "get_job", "nine")
                do("health, paused", "HealthCheck")
                for word in ("yes", "0", "true"):
                    raw("scheduler " + word, "toggle_scheduler", "s", word)
                    step("Enabled after " + word, client.get, ROOT, FACE, "Enabled")

                # The configuration
                for place in ("slack channels.team.id", "slack ", "slack none", "none ", "last ", "schedules timezone"):
                    do(f"config {place}".strip(), "get_config", *place.split(" "))
                os.chmod(config, 0o640)
                before = note("file before", file())
                do("update", "update_config", "slack", "channels.team.id", '"C2"')
                note("file after", file())
                note("mode after", stat.S_IMODE(os.stat(config).st_mode))
                do("update makes a section", "update_config", "new", "a.b", "[1]")
                do("new section", "get_config", "new", "")
                before_bad = note("file before a bad change", file())
                raw("update bad", "update_config", "sss", "schedules", "jobs", "5")
                raw("update with no JSON", "update_config", "sss", "slack", "x", "{")
                note("file after a bad change", file())
                do("job by update", "update_config", "schedules", "timezone", '"UTC"')
                do("nine, in another zone", "get_job", "nine")
                text_of_file = file().replace('"name": "good"', '"name": "better"')
                with open(config + ".new", "w") as new:
                    new.write(text_of_file)
                os.rename(config + ".new", config)
                do("reload", "reload_config")
                # Where the watch of the file was quicker, the answer is empty; the signal comes either way.
                heard("JobsChanged", ["better"], [], ["good"])
                with open(config, "w") as broken:
                    broken.write("{ broken")
                raw("reload broken", "reload_config")
                raw("update broken", "update_config", "sss", "slack", "x", "1")
                raw("config broken", "get_config", "ss", "slack", "n")
                note("file broken", file())
                do("health, broken", "HealthCheck")
                do("jobs, broken", "list_jobs")
                with open(config, "w") as mended:
                    mended.write(text_of_file)
                do("reload mended", "reload_config")

                # Queues
                for item in ({"a": [1.5, None]}, "text", 5):
                    do(f"push {text(item)}", "queue_push", "user", json.dumps(item))
                do("list of queues", "queue_list")
                do("peek", "queue_peek", "user", 2)
                raw("peek by a text", "queue_peek", "ss", "user", "1")
                first = do("pop", "queue_pop", "user")
                do("pop again", "queue_pop", "user")
                do("ack", "queue_ack", "user", first["id"])
                do("ack twice", "queue_ack", "user", first["id"])
                do("pop the last", "queue_pop", "user")
                do("pop none", "queue_pop", "user")
                do("pop of no queue", "queue_pop", "other")
                """#)

        // MARK: - Properties

        @Test(arguments: Library.allCases) func propertiesAreOfTheirTypesAndSayWhatTheMethodsSay(
            by library: Library
        ) throws {
            let told = try Self.performance[library]
            #expect(try told["property Running"].isProperty("b", true))
            #expect(try told["property Enabled"].isProperty("b", true))
            #expect(try told["property Uptime"][0] == "d")
            #expect((try told["property Uptime"][1]?.doubleValue ?? 0) > 0)
            #expect(try told["property Version"][0] == "s")
            #expect(try told["property NextRun"].isProperty("s", try told["nine"]["next_run"] ?? nil))
            let stats = try JSONValue(parsing: try told["property Stats, later"][1]?.stringValue ?? "")
            #expect(stats["jobs_executed"] == 2)
            #expect(stats.objectValue?.keys == (try told["stats"].objectValue?.keys))
            let all = try told["all properties"].objectValue?.keys ?? []
            #expect(Set(all) == ["Running", "Enabled", "Uptime", "Stats", "Version", "NextRun"])
        }

        // MARK: - Status and health

        @Test(arguments: Library.allCases) func getStatusHasTheKeysThatClientsRead(by library: Library) throws {
            let told = try Self.performance[library]
            let common = [
                "running", "uptime", "service_name", "jobs_executed", "jobs_failed", "enabled", "execution_mode",
                "timezone", "job_count", "jobs",
            ]
            let (status, stats) = (try told["status"], try told["stats"])
            for key in common {
                #expect(status[key] != nil && stats[key] != nil, "\(key)")
            }
            #expect(status["service_name"] == "com.aiworkflow.BotCron")
            #expect(status["jobs_executed"] == 2)
            #expect(status["jobs_failed"] == 1)
            #expect(status["timezone"] == "America/New_York")
            #expect(status["jobs"]?.each("name") == ["fails", "good", "nine"])
            #expect(status["jobs"]?[2]?["next_run"] == (try told["nine"]["next_run"]))
            #expect(status["recent_executions"]?.each("job_name") == ["fails", "good"])
            #expect(stats["recent_executions"] == nil)
        }

        @Test(arguments: Library.allCases) func healthCheckHasItsKeysAndEveryCheck(by library: Library) throws {
            let told = try Self.performance[library]
            let health = try told["health"]
            let wanted: JSONObject = [
                // One of the jobs is refused.
                "healthy": false, "scheduler_running": true, "job_count": 3,
                "message": "Unhealthy: config_valid; 1 job is refused, list_jobs says why: bad",
                "jobs_executed": 2, "jobs_failed": 1,
                "stats": ["total_executions": 2, "successful": 1, "failed": 1, "success_rate": 0.5],
            ]
            for (key, value) in wanted { #expect(health[key] == value, "\(key)") }
            #expect(health["next_job"]?["name"] == "nine")
            #expect(health["next_job"]?["scheduled"] == (try told["nine"]["next_run"]))
            #expect((health["next_job"]?["in_seconds"]?.doubleValue ?? -1) >= 0)
            #expect(health["last_execution"]?["job"] == "fails")
            #expect(health["last_execution"]?["status"] == "failed")
            #expect(health["last_execution"]?["completed_at"]?.isInstant == true)
            #expect((health["uptime_seconds"]?.doubleValue ?? 0) > 0)
            #expect((health["timestamp"]?.doubleValue ?? 0) > 1_700_000_000)
            for check in [
                "running", "scheduler_running", "store_writable", "config_valid", "bus_connected", "sleep_monitor",
                "scheduler_initialized", "jobs_scheduled", "acceptable_failure_rate", "uptime_ok",
            ] {
                #expect(health["checks"]?[check] == .bool(check != "config_valid"), "\(check)")
            }
        }

        @Test(arguments: Library.allCases) func aPauseThatWasAskedForIsHealthyAndAFileThatDoesNotParseIsNot(
            by library: Library
        ) throws {
            let told = try Self.performance[library]
            #expect(try told["health, paused"]["message"] == told["health"]["message"])
            #expect(try told["health, paused"]["scheduler_running"] == false)
            let broken = try told["health, broken"]
            #expect(broken["healthy"] == false)
            #expect(broken["checks"]?["config_valid"] == false)
            #expect(broken["message"]?.stringValue?.hasPrefix("Unhealthy: config_valid; ") == true)
            // The last good configuration stays in force.
            #expect(try told["jobs, broken"].each("name") == ["bad", "better", "fails", "nine"])
        }

        @Test(arguments: Library.allCases) func pingAnswersPongAndMetricsAreOpenMetrics(by library: Library) throws {
            let told = try Self.performance[library]
            #expect(try told["ping"] == "pong")
            let text = try #require(try told["metrics"].stringValue)
            #expect(text.hasPrefix("# TYPE ") && text.hasSuffix("# EOF\n"))
        }

        // MARK: - The scheduler

        @Test(arguments: Library.allCases) func toggleSchedulerPausesEveryScheduleAndResumesIt(by library: Library)
            throws
        {
            let told = try Self.performance[library]
            #expect(try told["pause"] == true)
            #expect(try told["Enabled, paused"].isProperty("b", false))
            #expect(try told["NextRun, paused"].isProperty("s", ""))
            #expect(try told["nine, paused"]["next_run"] == .null)
            #expect(try told["nine, paused"]["enabled"] == true)
            for (word, isEnabled) in [("yes", true), ("0", false), ("true", true)] {
                #expect(try told["Enabled after \(word)"].isProperty("b", .bool(isEnabled)))
            }
        }

        // MARK: - The configuration

        @Test(arguments: Library.allCases) func getConfigReadsAnySectionByDottedKeys(by library: Library) throws {
            let told = try Self.performance[library]
            #expect(try told["config slack channels.team.id"] == "C1")
            #expect(try told["config slack"] == ["channels": ["team": ["id": "C1"]], "n": 1.5])
            #expect(try told["config last"] == [1, 2])
            #expect(try told["config schedules timezone"] == "America/New_York")
            for absent in ["config slack none", "config none"] { #expect(try told[absent] == .null) }
        }

        @Test(arguments: Library.allCases) func updateConfigChangesOneValueAndNothingElseOfTheFile(
            by library: Library
        ) throws {
            let told = try Self.performance[library]
            let before = try #require(try told["file before"].stringValue)
            #expect(before == Self.config)
            let parts = before.split(separator: "C1", omittingEmptySubsequences: false)
            #expect(try told["file after"].stringValue == parts.joined(separator: "C2"))
            #expect(try told["mode after"] == 0o640)
            #expect(try told["new section"] == ["a": ["b": [1]]])
            #expect(try told["nine, in another zone"].text("next_run").hasSuffix("T09:00:00+00:00"))
        }

        @Test(arguments: Library.allCases) func aBadChangeIsRefusedAndNothingIsWritten(by library: Library) throws {
            let told = try Self.performance[library]
            #expect(try told.refusal("update bad").name == "com.aiworkflow.BotCron.Error.InvalidConfig")
            #expect(try told.refusal("update with no JSON").name == "org.freedesktop.DBus.Error.InvalidArgs")
            #expect(try told["file after a bad change"] == told["file before a bad change"])
        }

        @Test(arguments: Library.allCases) func aFileThatDoesNotParseIsNeverOverwritten(by library: Library) throws {
            let told = try Self.performance[library]
            for step in ["reload broken", "update broken", "config broken"] {
                let refused = try told.refusal(step)
                #expect(refused.name == "com.aiworkflow.BotCron.Error.InvalidConfig")
                #expect(refused.message.contains("line 1, column 3"), "\(refused)")
            }
            #expect(try told["file broken"] == "{ broken")
        }

        @Test(arguments: Library.allCases) func reloadConfigSaysWhatIsDifferent(by library: Library) throws {
            let told = try Self.performance[library]
            let answer = try told["reload"]
            #expect(answer.objectValue?.keys == ["added", "changed", "removed", "invalid"])
            #expect(answer["invalid"]?.each("name") == ["bad"])
            #expect(answer["added"] == [] || answer["added"] == ["better"])
            #expect(told.heard("JobsChanged").contains([["better"], [], ["good"]]))
        }

        // MARK: - Queues

        @Test(arguments: Library.allCases) func queuesGiveTheirItemsInOrderUntilTheyAreAcknowledged(
            by library: Library
        ) throws {
            let told = try Self.performance[library]
            let ids = try ["{\"a\": [1.5, null]}", "text", "5"].map { try told["push \($0)"]["id"] ?? nil }
            #expect(Set(ids).count == 3)
            #expect(try told["list of queues"].each("queue") == ["user"])
            #expect(try told["list of queues"].each("items") == [3])
            #expect(try told["peek"].each("item") == [["a": [1.5, nil]], "text"])
            #expect(try told["peek by a text"].count == 1)
            #expect(try told["pop"] == ["id": ids[0], "item": ["a": [1.5, nil]]])
            #expect(try told["pop again"] == ["id": ids[1], "item": "text"])
            #expect(try told["ack"]["id"] == ids[0])
            #expect(try told.refusal("ack twice").name == "org.freedesktop.DBus.Error.InvalidArgs")
            #expect(try told["pop the last"] == ["id": ids[2], "item": 5])
            for empty in ["pop none", "pop of no queue"] {
                #expect(try told.refusal(empty).name == "com.aiworkflow.BotCron.Error.QueueEmpty")
            }
        }
    }
}
