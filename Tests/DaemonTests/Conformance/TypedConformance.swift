import JSON
import Testing

extension ConformanceTests {
    /// The face with native types: what a desktop widget binds to.
    @Suite struct TypedFace {
        private static let performance = Performance(
            jobs: [
                [
                    "name": "daily-1.x", "description": "every day", "cron": "0 9 * * *", "timezone": "Europe/Berlin",
                    "command": ["true"],
                ],
                [
                    "name": "long",
                    "command": ["sh", "-c", "echo begun; echo progress 40 >&$BOTCRON_CONTEXT_FD; sleep 100"],
                ],
                ["name": "waits", "command": ["true"], "conditions": ["path_exists": "~/never"]],
                ["name": "bad", "cron": "61 * * * *", "command": ["true"]],
            ],
            script: #"""
                def path(job):
                    return ROOT + "/jobs/" + job

                def facts(name, path, interface, properties):
                    for property in properties:
                        step(f"{name} {property}", client.get, path, interface, property)

                MANAGED = ("Enabled", "NextRun", "JobCount", "RefusedCount", "ActiveRuns", "Version")
                OUTCOMES = ("LastRun", "LastStatus", "RunCount", "FailureCount")
                OF_JOB = ("Name", "Description", "Enabled", "Schedule", "TimeZone", "NextRun", "Running", "WaitingFor", "Error",
                    "Tags", "LastError", "DisabledUntil", "DisabledReason")
                OF_RUN = ("Job", "ExecutionId", "Status", "StartedAt", "Attempt", "Progress")

                daily = path("daily_2d1_2ex")
                facts("manager", ROOT, MANAGER, MANAGED)
                facts("daily", daily, JOB, OF_JOB + OUTCOMES)
                facts("bad", path("bad"), JOB, ("Error", "NextRun"))
                do("jobs", "ListJobs", interface=MANAGER)
                do("job", "GetJob", "daily-1.x", interface=MANAGER)
                do("no job", "GetJob", "daily-2.x", interface=MANAGER)
                do("managed", "GetManagedObjects", interface="org.freedesktop.DBus.ObjectManager")

                run = do("run", "Run", path=path("long"), interface=JOB)
                heard("JobStarted", "long")
                until("its progress", lambda: client.get(run, RUN, "Progress")[1] == 40)
                facts("run", run, RUN, OF_RUN)
                facts("long", path("long"), JOB, ("Running",))
                do("runs", "ListRuns", interface=MANAGER)
                step("active runs", client.get, ROOT, MANAGER, "ActiveRuns")
                do("output", "Output", 0, 100, path=run, interface=RUN)
                do("cancel", "Cancel", path=run, interface=RUN)
                heard("InterfacesRemoved", run)
                do("cancelled", "query_history", text({"job": "long"}))
                raw("cancel again", "Cancel", path=run, interface=RUN)
                facts("long, later", path("long"), JOB, ("Running",) + OUTCOMES)

                options = {
                    "force": client.variant("b", True), "idempotency_key": client.variant("s", "k"),
                    "scheduled_for": client.variant("t", 1769418000000000), "inputs": client.variant("s", '{"n": 1}'),
                }
                do("run by options", "RunJob", "daily-1.x", options, interface=MANAGER)
                heard("JobCompleted", "daily-1.x")
                do("run by options again", "RunJob", "daily-1.x", options, interface=MANAGER)
                do("run badly", "RunJob", "daily-1.x", {"forced": client.variant("b", True)}, interface=MANAGER)
                waiting = do("run that waits", "Run", path=path("waits"), interface=JOB)
                facts("waits", path("waits"), JOB, ("WaitingFor", "Running"))
                do("cancel what waits", "Cancel", path=waiting, interface=RUN)

                do("disable", "Disable", path=daily, interface=JOB)
                facts("daily, disabled", daily, JOB, ("Enabled", "NextRun"))
                do("enable", "Enable", path=daily, interface=JOB)
                step("set", client.set, daily, JOB, "Enabled", "b", False)
                facts("daily, set", daily, JOB, ("Enabled",))
                do("in the other face", "get_job", "daily-1.x")
                step("set again", client.set, daily, JOB, "Enabled", "b", True)
                step("set what is read only", client.set, daily, JOB, "Schedule", "s", "* * * * *")
                step("set by another type", client.set, daily, JOB, "Enabled", "s", "false")
                step("set all", client.set, ROOT, MANAGER, "Enabled", "b", False)
                step("Enabled in the other face", client.get, ROOT, FACE, "Enabled")
                step("set all again", client.set, ROOT, MANAGER, "Enabled", "b", True)
                do("explain", "Explain", path=daily, interface=JOB)

                definition = {
                    "name": client.variant("s", "made"), "cron": client.variant("s", "0 5 * * *"),
                    "command": client.variant("as", ["true"]),
                }
                added = do("add", "AddJob", definition, interface=MANAGER)
                heard("InterfacesAdded", added)
                do("jobs, one more", "ListJobs", interface=MANAGER)
                do("remove", "Remove", path=added, interface=JOB)
                heard("InterfacesRemoved", added)
                do("remove one of the file", "Remove", path=daily, interface=JOB)
                raw("remove again", "Remove", path=added, interface=JOB)
                step("missing property", client.get, daily, JOB, "Nothing")
                counts = lambda: [s["args"][1].get("JobCount") for s in signals if s["member"] == "PropertiesChanged"]
                until("the last change", lambda: 4 in counts())
                """#)

        private static let root: JSONValue = "/com/aiworkflow/BotCron"
        private static func path(_ name: String) -> JSONValue { .string("/com/aiworkflow/BotCron/jobs/\(name)") }

        @Test(arguments: Library.allCases) func theManagersPropertiesAreNative(by library: Library) throws {
            let told = try Self.performance[library]
            #expect(try told["manager Enabled"].isProperty("b", true))
            #expect(try told["manager JobCount"].isProperty("u", 4))
            #expect(try told["manager RefusedCount"].isProperty("u", 1))
            #expect(try told["manager ActiveRuns"].isProperty("u", 0))
            #expect(try told["manager NextRun"] == told["daily NextRun"])
            #expect(try told["manager Version"][0] == "s")
            #expect(try told["active runs"].isProperty("u", 1))
        }

        @Test(arguments: Library.allCases) func aJobsPropertiesAreNative(by library: Library) throws {
            let told = try Self.performance[library]
            let wanted: [(String, String, JSONValue)] = [
                ("Name", "s", "daily-1.x"), ("Description", "s", "every day"), ("Enabled", "b", true),
                ("Schedule", "s", "0 9 * * *"), ("TimeZone", "s", "Europe/Berlin"), ("LastRun", "t", 0),
                ("LastStatus", "s", ""), ("RunCount", "t", 0), ("FailureCount", "t", 0), ("Running", "ao", []),
                ("WaitingFor", "as", []), ("Error", "s", ""), ("Tags", "as", []), ("LastError", "s", ""),
                ("DisabledUntil", "t", 0), ("DisabledReason", "s", ""),
            ]
            for (name, type, value) in wanted {
                #expect(try told["daily \(name)"].isProperty(type, value), "\(name)")
            }
            #expect(try told["daily NextRun"][0] == "t")
            let next = try #require(try told["daily NextRun"][1]?.intValue)
            // 09:00 in Berlin, in winter or in summer.
            #expect([8, 7].contains(next / 3_600_000_000 % 24) && next % 3_600_000_000 == 0, "\(next)")
            #expect(try told["bad Error"][1]?.stringValue?.contains("out_of_range") == true)
            #expect(try told["bad NextRun"].isProperty("t", 0))
            #expect(try told["long, later LastRun"] == told["run StartedAt"])
            #expect(try told["long, later LastStatus"].isProperty("s", "cancelled"))
            #expect(try told["long, later RunCount"].isProperty("t", 1))
            #expect(try told["waits WaitingFor"].isProperty("as", ["path_exists"]))
            #expect(try told["waits Running"].isProperty("ao", []))
        }

        @Test(arguments: Library.allCases) func jobsAreFoundByNameAndListed(by library: Library) throws {
            let told = try Self.performance[library]
            let all = ["bad", "daily_2d1_2ex", "long", "waits"].map { Self.path($0) }
            #expect(try told["jobs"] == .array(all))
            #expect(try told["job"] == Self.path("daily_2d1_2ex"))
            let refused = try told.refusal("no job")
            #expect(refused.name == "com.aiworkflow.BotCron.Error.JobNotFound")
            #expect(refused.message.contains("\"daily-1.x\""))
            let managed = try told["managed"]
            for path in all {
                #expect(managed[path.stringValue ?? ""]?["com.aiworkflow.BotCron.Job1"]?["Name"] != nil, "\(path)")
            }
        }

        @Test(arguments: Library.allCases) func aRunIsAnObjectUntilItHasEnded(by library: Library) throws {
            let told = try Self.performance[library]
            let run = try told["run"]
            #expect(try told["run Job"].isProperty("o", Self.path("long")))
            #expect(try told["run Status"].isProperty("s", "running"))
            #expect(try told["run Attempt"].isProperty("u", 1))
            #expect(try told["run Progress"][0] == "d")
            #expect(try told["run Progress"][1]?.doubleValue == 40)
            #expect(try told["run StartedAt"][0] == "t")
            let id = try #require(try told["run ExecutionId"][1]?.stringValue)
            #expect(run.stringValue == "/com/aiworkflow/BotCron/runs/" + id.replacing("-", with: "_2d"))
            #expect(try told["long Running"].isProperty("ao", [run]))
            #expect(try told["runs"] == [run])
            #expect(try told["output"] == .array("begun\n".utf8.map { .number(Int($0)) }))
            #expect(try told["cancel"] == .null)
            #expect(try told["cancelled"]["runs"]?.each("status") == ["cancelled"])
            #expect(try told.refusal("cancel again").name == "org.freedesktop.DBus.Error.UnknownObject")
            #expect(try told["long, later Running"].isProperty("ao", []))
        }

        @Test(arguments: Library.allCases) func runJobTakesNativeOptions(by library: Library) throws {
            let told = try Self.performance[library]
            let path = "/com/aiworkflow/BotCron/runs/cron_2ddaily_2d1_2ex_2d20260126_2d100000"
            #expect(try told["run by options"].stringValue == path)
            #expect(try told["run by options again"].stringValue == path)
            #expect(try told.refusal("run badly").name == "org.freedesktop.DBus.Error.InvalidArgs")
        }

        @Test(arguments: Library.allCases) func enabledIsSetAndBothFacesSayIt(by library: Library) throws {
            let told = try Self.performance[library]
            #expect(try told["daily, disabled Enabled"].isProperty("b", false))
            #expect(try told["daily, disabled NextRun"].isProperty("t", 0))
            #expect(try told["daily, set Enabled"].isProperty("b", false))
            #expect(try told["in the other face"]["enabled"] == false)
            #expect(try told["Enabled in the other face"].isProperty("b", false))
            #expect(try told.refusal("set what is read only").name == "org.freedesktop.DBus.Error.PropertyReadOnly")
            #expect(try told.refusal("set by another type").name == "org.freedesktop.DBus.Error.InvalidArgs")
            #expect(try told.refusal("missing property").name == "org.freedesktop.DBus.Error.UnknownProperty")
        }

        @Test(arguments: Library.allCases) func jobsComeAndGo(by library: Library) throws {
            let told = try Self.performance[library]
            #expect(try told["add"] == Self.path("made"))
            #expect(try told["jobs, one more"].arrayValue?.contains(Self.path("made")) == true)
            #expect(try told["remove"] == .null)
            #expect(try told.refusal("remove again").name == "org.freedesktop.DBus.Error.UnknownObject")
            #expect(try told.refusal("remove one of the file").name == "com.aiworkflow.BotCron.Error.NotPermitted")
            #expect(try told["explain"][0]?[0] == "next")
        }

        @Test(arguments: Library.allCases) func theObjectManagerTellsOfJobsAndRunsInTheirTurn(by library: Library)
            throws
        {
            let told = try Self.performance[library]
            func paths(_ member: String) -> [JSONValue] {
                told.signals.filter { $0.member == member && $0.path == Self.root.stringValue }.map { $0.arguments[0] }
            }
            let (added, removed) = (paths("InterfacesAdded"), paths("InterfacesRemoved"))
            for path in [try told["run"], try told["run that waits"], try told["add"], try told["run by options"]] {
                #expect(added.count { $0 == path } == 1, "\(path)")
                #expect(removed.count { $0 == path } == 1, "\(path)")
            }
            let made = try #require(told.signals.first { $0.arguments.first == Self.path("made") })
            #expect(made.arguments[1]["com.aiworkflow.BotCron.Job1"]?["Schedule"] == "0 5 * * *")
        }

        @Test(arguments: Library.allCases) func propertiesTellTheirChangesOnceATurn(by library: Library) throws {
            let told = try Self.performance[library]
            func changes(_ path: JSONValue, _ interface: String) -> [JSONValue] {
                told.signals.filter {
                    $0.member == "PropertiesChanged" && $0.path == path.stringValue
                        && $0.arguments[0].stringValue == interface
                }.map { $0.arguments[1] }
            }
            let daily = changes(Self.path("daily_2d1_2ex"), "com.aiworkflow.BotCron.Job1")
            let next = try told["daily NextRun"][1] ?? nil
            let (off, on): (JSONValue, JSONValue) = (
                ["Enabled": false, "NextRun": 0], ["Enabled": true, "NextRun": next]
            )
            #expect(daily.filter { $0["Enabled"] != nil } == [off, on, off, on])
            #expect(daily.filter { $0["RunCount"] != nil }.map { $0["LastStatus"] } == ["success"])
            // Paused and resumed as a whole.
            #expect(daily.suffix(2) == [["NextRun": 0], ["NextRun": next]])
            let manager = changes(Self.root, "com.aiworkflow.BotCron.Manager1")
            #expect(manager.compactMap { $0["JobCount"] } == [5, 4])
            #expect(manager.compactMap { $0["Enabled"] } == [false, true])
        }
    }
}
