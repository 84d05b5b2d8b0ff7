import JSON
import TestSupport
import Testing

extension ConformanceTests {
    /// Methods that start, end and tell of runs.
    @Suite struct Runs {
        private static let performance = Performance(
            jobs: [
                ["name": "quick", "command": ["echo", "hello"], "overlap_policy": "allow"],
                ["name": "fails", "command": "echo out; echo err >&2; echo last; exit 3"],
                ["name": "single", "command": ["sleep", "100"]],
                ["name": "off", "command": ["true"], "enabled": false, "cron": "0 9 * * *"],
                ["name": "limited", "command": ["true"], "budget": ["runs_per_day": 1]],
                [
                    "name": "stubborn", "command": "trap '' TERM; echo begun; sleep 100 & wait; sleep 100",
                    "kill_grace": "1s",
                ],
                ["name": "asks", "command": "head -n 1 <&$BOTCRON_CONTEXT_FD"],
                ["name": "skilled", "skill": "a/b", "timezone": "Asia/Tokyo", "overlap_policy": "allow"],
            ],
            prepare: { session in
                // More than one answer may hold.
                let entries = (0..<1_100).map { number -> JSONValue in
                    let (hour, minute) = (number / 60, number % 60)
                    let time = "2026-01-01T\(hour < 10 ? "0" : "")\(hour):\(minute < 10 ? "0" : "")\(minute):00+00:00"
                    return ["job_name": "before", "timestamp": .string(time), "success": true, "duration_ms": 5]
                }
                let history: JSONValue = ["executions": .array(entries)]
                let file = session.scratch.path + "/config/aa-workflow/cron_history.json"
                try TestFile.write(history.compactText, to: file)
            },
            script: #"""
                # While there is only the history of the older program, which is taken over in steps.
                until("all of it", lambda: parsed(client.call(ROOT, FACE, "GetStatus"))["jobs_executed"] >= 1100)
                raw("history", "get_history")
                for limit in (0, -7, 3, 5000):
                    do(f"history {limit}", "get_history", limit)
                raw("history of a text", "get_history", "s", "7")
                do("filtered to many", "query_history", text({"limit": 5000}))
                words = {"job": "before", "limit": 400}
                for number in (1, 2, 3):
                    words["cursor"] = do(f"page {number}", "query_history", text(words))["next_cursor"]
                    # A run that ends in between moves nothing.
                    run_to_end("quick")

                by_name = do("by name", "run_job", "quick")
                do("recorded", "get_run", by_name["execution_id"])
                asked = do("with inputs", "run_job", text({"job": "asks", "inputs": {"n": 1.5, "deep": [None, "ä"]}}))
                do("what it was given", "wait_run", asked["execution_id"])
                key = text({"job": "quick", "idempotency_key": "k"})
                first = do("key", "run_job", key)
                do("key, ended", "wait_run", first["execution_id"])
                do("key again", "run_job", key)
                raw("key of another job", "run_job", "s", text({"job": "fails", "idempotency_key": "k"}))
                do("instant", "run_job", text({"job": "quick", "scheduled_for": "2026-01-26T09:00:00-05:00"}))
                do("instant elsewhere", "run_job", text({"job": "quick", "scheduled_for": "2026-01-26T15:00:00+01:00"}))
                note("disabled", run_to_end("off"))
                do("pause", "toggle_scheduler", False)
                note("paused", run_to_end("quick"))
                do("resume", "toggle_scheduler", True)
                single = do("single", "run_job", "single")
                waiting = do("single waits", "run_job", "single")
                forced = do("single forced", "run_job", text({"job": "single", "force": True}))
                do("single in the list", "get_job", "single")
                note("within budget", run_to_end("limited"))
                raw("beyond budget", "run_job", "s", "limited")
                note("beyond budget, forced", run_to_end({"job": "limited", "force": True}))
                for number in range(4):
                    do(f"skill {number}", "run_job", "skilled")

                for run in (single, waiting, forced):
                    do("cancel " + run["execution_id"], "cancel_run", run["execution_id"])
                do("cancelled", "wait_run", single["execution_id"])
                do("cancelled while it waited", "wait_run", waiting["execution_id"])
                stubborn = do("stubborn", "run_job", "stubborn")
                begun = lambda: client.call(ROOT, FACE, "get_output", stubborn["execution_id"], 0, 0)[0]
                until("its first words", begun)
                do("cancel what ignores TERM", "cancel_run", stubborn["execution_id"])
                do("killed", "wait_run", stubborn["execution_id"])

                once = do("once", "run_now", text({"name": "once", "command": ["echo", "now"], "cron": "0 9 * * *"}))
                do("once, ended", "wait_run", once["execution_id"])
                raw("once is no job", "get_job", "s", "once")
                do("once unnamed", "run_now", text({"command": ["true"]}))
                raw("once, bad", "run_now", "s", text({"command": ["true"], "cron": "61 * * * *"}))

                failed = note("failed", run_to_end("fails"))["execution_id"]
                do("failed, with attempts", "get_run", failed)
                for name, offset, limit in (("all", 0, 100), ("a part", 4, 5), ("beyond", 13, 100), ("limit 0", 0, 0)):
                    do("output: " + name, "get_output", failed, offset, limit)
                do("history of all", "get_history", 100)
                for name, words in {
                    "job": {"job": "fails"}, "status": {"job": "fails", "status": "failed"},
                    "other status": {"job": "fails", "status": "success"},
                    "trigger": {"trigger": "manual", "limit": 1000},
                    "until": {"until": "2026-01-01T00:05:00Z"},
                    "since": {"since": "2026-01-26T00:00:00Z", "limit": 1000},
                    "both": {"since": "2026-01-01T00:05:00Z", "until": "2026-01-01T00:07:00Z"},
                }.items():
                    do("filter " + name, "query_history", text(words))
                raw("filter by nonsense", "query_history", "s", text({"sort": 1}))
                """#)

        // MARK: - run_job

        @Test(arguments: Library.allCases) func runJobAnswersWhenTheRunIsRecordedAndStarted(by library: Library) throws
        {
            let told = try Self.performance[library]
            let run = try told["by name"]
            #expect(run["job"] == "quick")
            #expect(run["status"] == "running")
            #expect(run["trigger"] == "manual")
            #expect(run["completed_at"] == .null)
            #expect(run["error"] == nil)
            #expect(try told["recorded"]["execution_id"] == run["execution_id"])
        }

        @Test(arguments: Library.allCases) func runJobHandsTheInputsOn(by library: Library) throws {
            let given = try JSONValue(
                parsing: try Self.performance[library]["what it was given"].text("output_preview"))
            #expect(given["inputs"]?["n"]?.doubleValue == 1.5)
            #expect(given["inputs"]?["deep"] == [nil, "ä"])
        }

        @Test(arguments: Library.allCases) func theSameKeyOrInstantAgainIsTheSameRun(by library: Library) throws {
            let told = try Self.performance[library]
            #expect(try told["key again"]["execution_id"] == told["key"]["execution_id"])
            #expect(try told["key again"]["status"] == "success")
            #expect(try told["instant elsewhere"]["execution_id"] == told["instant"]["execution_id"])
            #expect(try told["instant"]["execution_id"] == "cron-quick-20260126-090000")
            let refused = try told.refusal("key of another job")
            #expect(refused.name == "org.freedesktop.DBus.Error.InvalidArgs")
            #expect(refused.message.contains(try told["key"].text("execution_id")))
        }

        @Test(arguments: Library.allCases) func disabledOrPausedAJobRunsByHandAllTheSame(by library: Library) throws {
            let told = try Self.performance[library]
            #expect(try told["disabled"]["status"] == "success")
            #expect(try told["paused"]["status"] == "success")
        }

        @Test(arguments: Library.allCases) func underSkipARunByHandWaitsAndForceMakesItStart(by library: Library) throws
        {
            let told = try Self.performance[library]
            #expect(try told["single"]["status"] == "running")
            #expect(try told["single waits"]["status"] == "queued")
            #expect(try told["single waits"]["started_at"] == .null)
            #expect(try told["single forced"]["status"] == "running")
            let running = try told["single in the list"]["running"]
            #expect(
                running == [
                    try told["single"]["execution_id"] ?? nil, try told["single forced"]["execution_id"] ?? nil,
                ])
        }

        @Test(arguments: Library.allCases) func aUsedUpBudgetIsLimitsExceededUnlessForced(by library: Library) throws {
            let told = try Self.performance[library]
            #expect(try told["within budget"]["status"] == "success")
            let refused = try told.refusal("beyond budget")
            #expect(refused.name == "org.freedesktop.DBus.Error.LimitsExceeded")
            #expect(refused.message.contains("\"limited\"") && refused.message.contains("force"), "\(refused)")
            #expect(try told["beyond budget, forced"]["status"] == "success")
        }

        @Test(arguments: Library.allCases) func executionIDsNameTheSkillAndTheInstantInTheJobsZone(
            by library: Library
        ) throws {
            let told = try Self.performance[library]
            let ids = try (0..<4).map { try told["skill \($0)"].text("execution_id") }
            #expect(Set(ids).count == 4)
            for (number, id) in ids.enumerated() {
                let run = try told["skill \(number)"]
                #expect(run.text("started_at").hasSuffix("+09:00"))
                // In Tokyo; another second may have begun between the request and the start.
                let hour = run.text("started_at").prefix(13).filter(\.isNumber)
                #expect(id.wholeMatch(of: /cron-a-b-\d{8}-\d{6}(-\d)?/) != nil, "\(id)")
                #expect(id.dropFirst("cron-a-b-".count).prefix(11).filter(\.isNumber) == hour, "\(id) \(run)")
            }
            #expect(ids.contains { $0.hasSuffix("-2") }, "\(ids)")
        }

        // MARK: - cancel_run, wait_run, run_now

        @Test(arguments: Library.allCases) func cancelRunEndsWithTermAndThenWithKill(by library: Library) throws {
            let told = try Self.performance[library]
            #expect(try told["cancelled"]["status"] == "cancelled")
            #expect(try told["cancelled"]["signal"] == 15)
            #expect(try told["cancelled while it waited"]["status"] == "cancelled")
            #expect(try told["cancelled while it waited"]["started_at"] == .null)
            #expect(try told["cancel what ignores TERM"] == true)
            #expect(try told["killed"]["status"] == "cancelled")
            #expect(try told["killed"]["signal"] == 9)
            #expect((try told["killed"]["duration_ms"]?.intValue ?? 0) >= 1_000)
        }

        @Test(arguments: Library.allCases) func waitRunAnswersWithTheRunAsItEnded(by library: Library) throws {
            let told = try Self.performance[library]
            #expect(try told["key, ended"]["status"] == "success")
            #expect(try told["key, ended"]["completed_at"]?.isInstant == true)
            #expect(try told["key, ended"]["output_preview"] == "hello\n")
        }

        @Test(arguments: Library.allCases) func runNowRunsADefinitionWithoutSchedulingIt(by library: Library) throws {
            let told = try Self.performance[library]
            #expect(try told["once, ended"]["output_preview"] == "now\n")
            #expect(try told.refusal("once is no job").name == "com.aiworkflow.BotCron.Error.JobNotFound")
            #expect(try told["once unnamed"].text("job").wholeMatch(of: /job-[0-9a-f]{8}/) != nil)
            #expect(try told.refusal("once, bad").name == "com.aiworkflow.BotCron.Error.InvalidSchedule")
        }

        // MARK: - What runs leave

        @Test(arguments: Library.allCases) func getRunGivesEveryAttempt(by library: Library) throws {
            let run = try Self.performance[library]["failed, with attempts"]
            #expect(run["attempts"]?.each("attempt") == [1])
            #expect(run["attempts"]?.each("exit_code") == [3])
        }

        @Test(arguments: Library.allCases) func getOutputGivesBothStreamsAsTheyCameInParts(by library: Library) throws {
            let told = try Self.performance[library]
            func output(_ step: String) throws -> (String, Int?) {
                let bytes = try told["output: " + step][0]?.arrayValue?.compactMap { $0.intValue.map { UInt8($0) } }
                return (String(decoding: bytes ?? [], as: UTF8.self), try told["output: " + step][1]?.intValue)
            }
            #expect(try output("all") == ("out\nerr\nlast\n", 13))
            #expect(try output("a part") == ("err\nl", 9))
            #expect(try output("beyond") == ("", 13))
            #expect(try output("limit 0") == ("out\nerr\nlast\n", 13))
        }

        @Test(arguments: Library.allCases) func aRunHasEveryKeyAndTheSameFactsForOlderClients(by library: Library)
            throws
        {
            let told = try Self.performance[library]
            let keys = [
                "job", "execution_id", "status", "trigger", "scheduled_for", "started_at", "completed_at",
                "duration_ms", "attempt", "exit_code", "signal", "error", "reason", "failure_type", "output_preview",
                "trace_id", "job_name", "skill", "timestamp", "success", "session_name",
            ]
            for run in try told["history of all"].arrayValue ?? [] {
                for key in keys { #expect(run[key] != nil, "\(key): \(run)") }
                #expect(run["job_name"] == run["job"])
                #expect(run["session_name"] == run["execution_id"])
                #expect(run["success"]?.boolValue == (run["status"] == "success"))
                for key in ["started_at", "completed_at", "scheduled_for"] {
                    #expect(run[key] == .null || run[key]?.isInstant == true, "\(key): \(run)")
                }
            }
            let failed = try told["failed"]
            #expect(failed["status"] == "failed")
            #expect(failed["exit_code"] == 3)
            #expect(failed["error"] == "exited with status 3: last")
            #expect(failed["failure_type"] == "unknown")
            #expect(failed["output_preview"] == "out\nerr\nlast\n")
            #expect(failed.text("trace_id").wholeMatch(of: /[0-9a-f]{32}/) != nil)
        }

        @Test(arguments: Library.allCases) func onlyAnAnswerAsAWholeLacksTheKeyErrorWhereThereIsNone(
            by library: Library
        ) throws {
            let told = try Self.performance[library]
            for step in ["by name", "recorded", "key, ended", "single waits", "once"] {
                #expect(try told[step]["error"] == nil, "\(step)")
            }
            let succeeded = try #require(
                try told["history of all"].arrayValue?.first { $0["status"] == "success" })
            #expect(succeeded["error"] == .null)
        }

        // MARK: - History

        @Test(arguments: Library.allCases) func historyIsNewestFirstAndTwentyWhereNothingElseIsAsked(
            by library: Library
        ) throws {
            let told = try Self.performance[library]
            for step in ["history", "history 0", "history -7"] { #expect(try told[step].count == 20, "\(step)") }
            #expect(try told["history 3"].count == 3)
            #expect(try told["history of a text"].count == 7)
            let times = try told["history"].each("timestamp").compactMap(\.stringValue)
            #expect(times == times.sorted(by: >))
            #expect(times.first == "2026-01-01T13:19:00-05:00")
        }

        @Test(arguments: Library.allCases) func aLimitAboveTheLargestIsCutToIt(by library: Library) throws {
            let told = try Self.performance[library]
            #expect(try told["history 5000"].count == 1_000)
            #expect(try told["filtered to many"]["runs"]?.count == 1_000)
        }

        @Test(arguments: Library.allCases) func queryHistoryFilters(by library: Library) throws {
            let told = try Self.performance[library]
            #expect(try told["filter job"]["runs"]?.each("job") == ["fails"])
            #expect(try told["filter status"]["runs"]?.each("status") == ["failed"])
            #expect(try told["filter other status"]["runs"] == [])
            let byHand = try #require(try told["filter trigger"]["runs"])
            #expect(byHand.count > 10)
            #expect(Set(byHand.each("trigger")) == ["manual"])
            #expect(try told["filter until"]["runs"]?.count == 6)
            #expect(try Set(told["filter since"]["runs"]?.each("job") ?? []).contains("before") == false)
            #expect(try told["filter both"]["runs"]?.count == 2)
            #expect(try told.refusal("filter by nonsense").name == "org.freedesktop.DBus.Error.InvalidArgs")
        }

        @Test(arguments: Library.allCases) func pagesFollowEachOtherWithoutGaps(by library: Library) throws {
            let told = try Self.performance[library]
            let pages = try (1...3).map { try #require(try told["page \($0)"]["runs"]).each("execution_id") }
            #expect(pages.map(\.count) == [400, 400, 300])
            #expect(Set(pages.joined()).count == 1_100)
            #expect(try told["page 3"]["next_cursor"] == .null)
        }
    }
}
