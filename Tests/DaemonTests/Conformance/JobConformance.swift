import JSON
import Testing

extension ConformanceTests {
    /// Methods that tell of jobs, make them and switch them.
    @Suite struct Jobs {
        private static let performance = Performance(
            jobs: [
                [
                    "name": "zeta", "description": "the last", "cron": "0 9 * * MON-FRI", "skill": "s", "persona": "p",
                    "inputs": ["n": 1.5], "notify": ["slack"], "tags": ["x"],
                ],
                ["name": "every", "interval": "90m", "command": ["true"]],
                ["name": "hand", "command": ["true"]],
                ["name": "next", "after": ["job": "hand", "on": "failure"], "command": ["true"]],
                ["name": "bad", "cron": "61 * * * *", "command": ["true"]],
                ["name": "off", "cron": "0 0 * * *", "command": ["true"], "enabled": false],
                ["name": "holds", "command": ["sleep", "100"]],
            ],
            script: #"""
                def enabled(name):
                    return parsed(client.call(ROOT, FACE, "get_job", name))["enabled"]

                do("list", "list_jobs")
                for job in ("zeta", "hand", "next", "bad", "off"):
                    do("job " + job, "get_job", job)
                held = do("held", "run_job", "holds")
                do("job holds", "get_job", "holds")
                for _ in range(11):
                    run_to_end("hand")
                do("job hand, run", "get_job", "hand")

                # Toggles, by every form that a shell may send
                for word in ("false", "true", "0", "1", "no", "yes", "off", "on"):
                    raw("toggle " + word, "toggle_job", "ss", "zeta", word)
                    note("enabled after " + word, enabled("zeta"))
                do("toggle by a boolean", "toggle_job", "zeta", False)
                note("enabled after a boolean", enabled("zeta"))
                do("reload", "reload_config")
                note("enabled after a reload", enabled("zeta"))
                do("resume", "resume_job", "zeta")
                note("enabled after resume_job", enabled("zeta"))
                do("pause", "pause_job", text({"job": "zeta", "until": "2099-01-01T00:00:00Z"}))
                note("enabled after pause_job", enabled("zeta"))
                do("resume again", "resume_job", text({"job": "zeta"}))
                do("state of it", "get_job", "zeta")

                do("skip", "skip_job", "zeta")
                do("after the skip", "get_job", "zeta")
                do("skip what has no fire time", "skip_job", "hand")

                # Definitions
                made = do("made", "schedule_job", text({"name": "made", "cron": "0 5 * * *", "command": ["true"]}))
                do("made again", "schedule_job", text({"name": "made", "cron": "0 6 * * *", "command": ["true"]}))
                do("as made", "get_job", "made")
                do("made unnamed", "schedule_job", text({"interval": "1h", "command": ["true"]}))
                note("a run of it", run_to_end("made"))
                do("gone", "cancel_job", "made")
                do("gone, asked for", "get_job", "made")
                do("its history", "query_history", text({"job": "made"}))
                do("cancel one of the file", "cancel_job", "hand")

                # Previews
                do("preview", "preview_schedule", "0 9 * * MON-FRI", 3)
                at, later = "2026-01-01T00:00:00Z", "2026-01-01T00:10:00Z"
                for name, words in {
                    "an object": {"cron": "30 2 * * *", "timezone": "America/New_York", "after": "2026-03-07T17:00:00Z"},
                    "an interval": {"interval": "90m", "created_at": at, "after": at},
                    "what is registered": {"interval": "90m", "registered_at": later, "after": later},
                }.items():
                    do("preview of " + name, "preview_schedule", text(words), 2)
                do("preview of many", "preview_schedule", "* * * * *", 5000)
                raw("preview by a text", "preview_schedule", "ss", "* * * * *", "4")
                do("preview of none", "preview_schedule", "* * * * *", 0)
                raw("preview refused", "preview_schedule", "si", "0 9 * * MON-FRX", 1)
                do("list, before all that", "list_jobs")

                for job in ("zeta", "hand", "off", "bad", "holds"):
                    do("explain " + job, "explain_job", job, "")
                do("explain zeta 2099-01-01T00:00:00Z", "explain_job", "zeta", "2099-01-01T00:00:00Z")
                do("explain badly", "explain_job", "zeta", "whenever")
                """#)

        private static let keys = [
            "name", "description", "enabled", "origin", "schedule_type", "schedule", "cron", "timezone", "trigger",
            "skill", "persona", "inputs", "execution_mode", "notify", "next_run", "last_run", "last_status",
            "run_count", "failure_count", "running", "tags", "error",
        ]

        // MARK: - list_jobs, get_job

        @Test(arguments: Library.allCases) func listJobsGivesEveryJobByNameWithEveryKey(by library: Library) throws {
            let jobs = try Self.performance[library]["list"]
            #expect(jobs.each("name") == ["bad", "every", "hand", "holds", "next", "off", "zeta"])
            for job in jobs.arrayValue ?? [] {
                for key in Self.keys { #expect(job[key] != nil, "\(key): \(job)") }
            }
            let zeta = try #require(jobs[6])
            let wanted: JSONObject = [
                "name": "zeta", "description": "the last", "enabled": true, "origin": "config",
                "schedule_type": "cron", "schedule": "0 9 * * MON-FRI", "cron": "0 9 * * MON-FRI",
                "timezone": "America/New_York", "trigger": "schedule", "skill": "s", "persona": "p",
                "inputs": ["n": 1.5], "execution_mode": "claude_cli", "notify": ["slack"], "last_run": nil,
                "last_status": nil, "run_count": 0, "failure_count": 0, "running": [], "tags": ["x"], "error": nil,
            ]
            for (key, value) in wanted { #expect(zeta[key] == value, "\(key)") }
            #expect(zeta.text("next_run").wholeMatch(of: /\d{4}-\d\d-\d\dT09:00:00-0[45]:00/) != nil)
        }

        @Test(arguments: Library.allCases) func whatIsNoCronExpressionHasItsOwnTypeAndNoCron(by library: Library) throws
        {
            let every = try #require(try Self.performance[library]["list"][1])
            #expect(every["schedule_type"] == "interval")
            #expect(every["schedule"] == "90m")
            #expect(every["cron"] == .null)
        }

        @Test(arguments: Library.allCases) func nextRunIsNullWhereNothingWillStartTheJob(by library: Library) throws {
            for job in try Self.performance[library]["list"].arrayValue ?? [] {
                let isStarted = ["every", "zeta"].contains(job.text("name"))
                #expect((job["next_run"] != .null) == isStarted, "\(job)")
            }
        }

        @Test(arguments: Library.allCases) func aJobThatCannotBeScheduledIsListedWithItsError(by library: Library)
            throws
        {
            let told = try Self.performance[library]
            let bad = try #require(try told["list"][0])
            #expect(bad.text("error").hasPrefix("out_of_range minute \"61\" at 0: "), "\(bad)")
            #expect(bad["schedule"] == "61 * * * *")
            #expect(bad["schedule_type"] == "cron")
            #expect(try told["job bad"]["error"] == bad["error"])
        }

        @Test(arguments: Library.allCases) func triggerSaysWhatStartsTheJob(by library: Library) throws {
            let told = try Self.performance[library]
            #expect(try told["job zeta"]["trigger"] == "schedule")
            #expect(try told["job hand"]["trigger"] == "manual")
            #expect(try told["job next"]["trigger"] == "chain")
        }

        @Test(arguments: Library.allCases) func getJobAddsDefinitionStatusAndTenRuns(by library: Library) throws {
            let told = try Self.performance[library]
            #expect(try told["job zeta"]["definition"]?["cron"] == "0 9 * * MON-FRI")
            #expect(try told["job zeta"]["recent_runs"] == [])
            #expect(try told["job zeta"]["error"] == nil)
            let statuses = ["zeta": "pending", "holds": "running", "off": "cancelled", "bad": "failed"]
            for (job, status) in statuses {
                #expect(try told["job \(job)"]["status"]?.stringValue == status, "\(job)")
            }
            let run = try told["job hand, run"]
            #expect(run["recent_runs"]?.each("job") == Array(repeating: "hand", count: 10))
            #expect(run["run_count"] == 11)
            #expect(run["last_status"] == "success")
            #expect(run["last_run"] == run["recent_runs"]?[0]?["started_at"])
        }

        @Test(arguments: Library.allCases) func runningHoldsTheIdsOfActiveRuns(by library: Library) throws {
            let told = try Self.performance[library]
            #expect(try told["job holds"]["running"] == [try told["held"]["execution_id"] ?? nil])
        }

        // MARK: - Toggles

        @Test(arguments: Library.allCases) func wordsForABooleanAreTakenAsOne(by library: Library) throws {
            let told = try Self.performance[library]
            for word in ["true", "1", "yes", "on"] {
                #expect(try told["toggle \(word)"] == true)
                #expect(try told["enabled after \(word)"] == true, "\(word)")
            }
            for word in ["false", "0", "no", "off"] {
                #expect(try told["toggle \(word)"] == true)
                #expect(try told["enabled after \(word)"] == false, "\(word)")
            }
        }

        @Test(arguments: Library.allCases) func aToggleSurvivesAReload(by library: Library) throws {
            let told = try Self.performance[library]
            #expect(try told["enabled after a boolean"] == false)
            #expect(try told["enabled after a reload"] == false)
        }

        @Test(arguments: Library.allCases) func pauseAndResumeAreToggles(by library: Library) throws {
            let told = try Self.performance[library]
            for step in ["pause", "resume", "resume again"] { #expect(try told[step] == true) }
            #expect(try told["enabled after pause_job"] == false)
            #expect(try told["enabled after resume_job"] == true)
            #expect(try told["state of it"]["enabled"] == true)
        }

        @Test(arguments: Library.allCases) func skipJobLeavesOutTheNextFireTime(by library: Library) throws {
            let told = try Self.performance[library]
            let skip = try told["skip"]
            #expect(skip.objectValue?.keys == ["skipped", "next_run"])
            #expect(skip["skipped"] == (try told["state of it"]["next_run"]))
            #expect(skip.text("skipped") < skip.text("next_run"))
            #expect(try told["after the skip"]["next_run"] == skip["next_run"])
            #expect(try told["skip what has no fire time"] == ["skipped": nil, "next_run": nil])
        }

        // MARK: - Definitions over the bus

        @Test(arguments: Library.allCases) func scheduleJobCreatesAndReplaces(by library: Library) throws {
            let told = try Self.performance[library]
            #expect(try told["made"]["job_id"] == "made")
            #expect(try told["made"].text("next_run").contains("T05:00:00-0"))
            #expect(try told["made again"].text("next_run").contains("T06:00:00-0"))
            #expect(try told["as made"]["origin"] == "bus")
            #expect(try told["as made"]["schedule"] == "0 6 * * *")
            #expect(try told["made unnamed"].text("job_id").wholeMatch(of: /job-[0-9a-f]{8}/) != nil)
        }

        @Test(arguments: Library.allCases) func cancelJobRemovesAJobOfTheBusAndKeepsItsHistory(by library: Library)
            throws
        {
            let told = try Self.performance[library]
            #expect(try told["gone"] == true)
            #expect(try told.refusal("gone, asked for").name == "com.aiworkflow.BotCron.Error.JobNotFound")
            #expect(
                try told["its history"]["runs"]?.each("execution_id") == [
                    try told["a run of it"]["execution_id"] ?? nil
                ])
            #expect(try told.refusal("cancel one of the file").name == "com.aiworkflow.BotCron.Error.NotPermitted")
        }

        // MARK: - preview_schedule, explain_job

        @Test(arguments: Library.allCases) func previewScheduleNamesFireTimesBeforeAnythingIsSaved(
            by library: Library
        ) throws {
            let told = try Self.performance[library]
            #expect(try told["preview"].count == 3)
            for instant in try told["preview"].arrayValue ?? [] {
                #expect(instant.stringValue?.contains("T09:00:00-0") == true)
            }
            #expect(try told["preview of an object"] == ["2026-03-08T03:00:00-04:00", "2026-03-09T02:30:00-04:00"])
            #expect(try told["preview of an interval"] == ["2025-12-31T20:30:00-05:00", "2025-12-31T22:00:00-05:00"])
            #expect(try told["preview of what is registered"][0] == "2025-12-31T20:40:00-05:00")
            #expect(try told["preview by a text"].count == 4)
            #expect(try told["preview of many"].count == 1_000)
            #expect(try told["preview of none"] == [])
            // Two jobs were made meanwhile, and one of them is gone.
            #expect(try told["list, before all that"].count == 8)
        }

        @Test(arguments: Library.allCases) func aRefusedExpressionSaysCodeFieldValuePositionAndWhatIsRight(
            by library: Library
        ) throws {
            let refused = try Self.performance[library].refusal("preview refused")
            #expect(refused.name == "com.aiworkflow.BotCron.Error.InvalidSchedule")
            let form = /unknown_name day_of_week "FRX" at 12: expected .+\n0 9 \* \* MON-FRX\n {12}\^\^\^/
            #expect(refused.message.wholeMatch(of: form) != nil, "\(refused)")
        }

        @Test(arguments: Library.allCases) func explainJobGivesReasonsByCodeWithASentenceEach(by library: Library)
            throws
        {
            let told = try Self.performance[library]
            let wanted: [String: [JSONValue]] = [
                "zeta": ["next"], "hand": ["no_schedule"], "off": ["disabled"], "bad": ["invalid"],
                "holds": ["running", "no_schedule"], "zeta 2099-01-01T00:00:00Z": ["no_fire_time"],
            ]
            for (step, codes) in wanted {
                let answer = try told["explain \(step)"]
                #expect(answer["reasons"]?.each("code") == codes, "\(answer)")
                for reason in answer["reasons"]?.arrayValue ?? [] { #expect(reason.text("sentence").count > 10) }
            }
            #expect(try told.refusal("explain badly").name == "org.freedesktop.DBus.Error.InvalidArgs")
        }
    }
}
