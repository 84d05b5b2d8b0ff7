import DBus
import JSON
import Testing

extension ConformanceTests {
    /// What everybody on the bus hears.
    @Suite struct Signals {
        private static let performance = Performance(
            jobs: [
                ["name": "good", "command": ["echo", "hello"]],
                [
                    "name": "bad", "command": ["sh", "-c", "echo no; exit 9"],
                    "retry": ["max_attempts": 2, "delay_seconds": 0.3],
                ],
                ["name": "none", "command": ["/no/such/program"]],
                ["name": "slow", "command": ["sleep", "100"], "timeout": "1s", "kill_grace": "1s"],
                ["name": "held", "command": ["sleep", "100"]],
                ["name": "tick", "cron": "* * * * * *", "command": ["true"], "enabled": false],
                ["name": "yearly", "cron": "0 0 1 1 *", "command": ["true"]],
            ],
            script: #"""
                good = note("good", run_to_end("good"))
                heard("JobCompleted", "good", good["execution_id"])
                slow = do("slow", "run_job", "slow")
                note("bad", run_to_end("bad"))
                note("none", run_to_end("none"))
                held = do("held", "run_job", "held")
                do("cancel", "cancel_run", held["execution_id"])
                heard("JobFailed", "held")
                do("record of held", "get_run", held["execution_id"])
                do("tick", "toggle_job", "tick", True)
                skipped = do("skip", "skip_job", "tick")
                heard("JobMissed", "tick", skipped["skipped"])
                do("no more ticks", "toggle_job", "tick", False)
                do("made", "schedule_job", text({"name": "made", "cron": "0 5 * * *", "command": ["true"]}))
                do("made again", "schedule_job", text({"name": "made", "cron": "0 6 * * *", "command": ["true"]}))
                do("gone", "cancel_job", "made")
                heard("JobsChanged", [], [], ["made"])
                step("yearly", client.get, ROOT, FACE, "NextRun")
                do("pause", "toggle_scheduler", False)
                heard("StatusChanged", "paused")
                do("resume", "toggle_scheduler", True)
                heard("StatusChanged", "running")
                heard("JobFailed", "slow")
                do("record of slow", "get_run", slow["execution_id"])
                do("shutdown", "Shutdown")
                heard("StatusChanged", "stopping")
                heard("Event", "StatusChanged", text({"status": "stopping"}))
                """#)

        private func runs(_ told: Transcript) throws -> [String: JSONValue] {
            [
                "good": try told["good"], "bad": try told["bad"], "none": try told["none"],
                "held": try told["record of held"], "slow": try told["record of slow"],
            ]
        }

        @Test(arguments: Library.allCases) func aRunIsStartedThenRetriedThenEndsOnce(by library: Library) throws {
            let told = try Self.performance[library]
            let stories = [
                "good": ["JobStarted", "JobCompleted"], "bad": ["JobStarted", "JobRetrying", "JobFailed"],
                // It could not be.
                "none": ["JobStarted", "JobFailed"], "held": ["JobStarted", "JobFailed"],
                "slow": ["JobStarted", "JobFailed"],
            ]
            for (job, run) in try runs(told) { #expect(told.story(run["execution_id"]) == stories[job], "\(job)") }
        }

        @Test(arguments: Library.allCases) func jobStartedSaysJobAndRun(by library: Library) throws {
            let told = try Self.performance[library]
            for (job, run) in try runs(told) {
                #expect(told.heard("JobStarted").contains([.string(job), run["execution_id"] ?? nil]), "\(job)")
            }
        }

        @Test(arguments: Library.allCases) func jobCompletedHoldsTheRun(by library: Library) throws {
            let told = try Self.performance[library]
            let arguments = try #require(told.heard("JobCompleted").first { $0[0] == "good" })
            #expect(arguments.count == 3)
            let result = try JSONValue(parsing: arguments[2].stringValue ?? "")
            #expect(result["execution_id"] == (try told["good"]["execution_id"]))
            #expect(result["status"] == "success")
            #expect(result["output_preview"] == "hello\n")
            #expect(result["error"] == .null)
        }

        @Test(arguments: Library.allCases) func jobFailedHoldsTheErrorOfEveryWayToFail(by library: Library) throws {
            let told = try Self.performance[library]
            for (job, run) in try runs(told) where job != "good" {
                let arguments = try #require(told.heard("JobFailed").first { $0[0] == .string(job) })
                #expect(arguments == [.string(job), run["execution_id"] ?? nil, run["error"] ?? nil])
                #expect(arguments[2].stringValue?.isEmpty == false)
            }
            #expect(try told["record of slow"]["status"] == "timeout")
            #expect(try told["record of held"]["status"] == "cancelled")
        }

        @Test(arguments: Library.allCases) func jobRetryingSaysTheNextAttemptTheDelayAndTheError(by library: Library)
            throws
        {
            let told = try Self.performance[library]
            #expect(
                told.heard("JobRetrying") == [
                    ["bad", try told["bad"]["execution_id"] ?? nil, 2, 0.3, "exited with status 9: no"]
                ])
        }

        @Test(arguments: Library.allCases) func jobMissedSaysTheFireTimeAndTheReason(by library: Library) throws {
            let told = try Self.performance[library]
            #expect(told.heard("JobMissed").contains(["tick", try told["skip"]["skipped"] ?? nil, "user"]))
        }

        @Test(arguments: Library.allCases) func jobsChangedTellsOfUpsertsTogglesAndCancels(by library: Library) throws {
            #expect(
                try Self.performance[library].heard("JobsChanged") == [
                    [[], ["tick"], []], [[], ["tick"], []], [["made"], [], []], [[], ["made"], []], [[], [], ["made"]],
                ])
        }

        @Test(arguments: Library.allCases) func schedulerToggledAndStatusChangedTellOfPausesAndOfTheEnd(
            by library: Library
        ) throws {
            let told = try Self.performance[library]
            #expect(told.heard("SchedulerToggled") == [[false], [true]])
            #expect(told.heard("StatusChanged") == [["paused"], ["running"], ["stopping"]])
        }

        @Test(arguments: Library.allCases) func eventSaysEachSignalOnceMoreWithItsArgumentsByName(
            by library: Library
        ) throws {
            let told = try Self.performance[library]
            let events = told.signals.filter { $0.member == "Event" }.map(\.arguments)
            #expect(events.map { $0[0].stringValue } == told.plain.map(\.member))
            let names = [
                "JobStarted": ["job", "execution_id"], "JobCompleted": ["job", "execution_id", "result"],
                "JobFailed": ["job", "execution_id", "error"],
                "JobRetrying": ["job", "execution_id", "next_attempt", "delay_seconds", "error"],
                "JobMissed": ["job", "scheduled_for", "reason"], "SchedulerToggled": ["enabled"],
                "JobsChanged": ["added", "changed", "removed"], "StatusChanged": ["status"],
            ]
            for (event, signal) in zip(events, told.plain) {
                let data = try JSONValue(parsing: event[1].stringValue ?? "")
                #expect(data.objectValue?.keys == names[signal.member])
                #expect(data.objectValue?.map(\.value) == signal.arguments)
            }
        }

        @Test(arguments: Library.allCases) func enabledAndNextRunTellTheirChanges(by library: Library) throws {
            let told = try Self.performance[library]
            let changes = told.signals.filter {
                $0.member == "PropertiesChanged" && $0.arguments[0].stringValue == Session.interface.text
            }.map { $0.arguments[1] }
            let yearly = try told["yearly"][1] ?? nil
            #expect(changes.suffix(2) == [["Enabled": false, "NextRun": ""], ["Enabled": true, "NextRun": yearly]])
            let names = Set(changes.flatMap { $0.objectValue?.keys ?? [] })
            #expect(names == ["Enabled", "NextRun"])
        }

        /// What it says is on disk then: whoever hears it finds it.
        @Test(arguments: Library.allCases) func whoHearsOfAnEndFindsItOnRecord(by library: Library) throws {
            let told = try Self.performance[library]
            #expect(try told["record of held"]["completed_at"]?.isInstant == true)
            #expect(try told["record of slow"]["completed_at"]?.isInstant == true)
        }

        @Test(arguments: Library.allCases) func shutdownAnswersAndStops(by library: Library) throws {
            let told = try Self.performance[library]
            #expect(try told["shutdown"]["success"] == true)
            #expect(told.plain.last?.arguments == ["stopping"])
        }
    }
}
