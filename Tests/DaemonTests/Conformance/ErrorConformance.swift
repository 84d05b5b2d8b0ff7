import JSON
import Testing

extension ConformanceTests {
    /// What is refused, by which name and in which words; and what introspection tells.
    @Suite struct ErrorsAndIntrospection {
        private static let performance = Performance(
            jobs: [
                ["name": "daily_standup", "cron": "0 9 * * *", "command": ["true"]],
                ["name": "limited", "command": ["true"], "budget": ["runs_per_day": 0]],
                ["name": "bad", "cron": "61 * * * *", "command": ["true"]],
                ["name": "finishes", "command": ["sleep", "2"], "on_stop": "finish"],
            ],
            script: #"""
                import xml.etree.ElementTree as trees

                # One row: which error, and what it must say.
                raw("JobNotFound", "run_job", "s", "daily_standap")
                raw("RunNotFound", "get_run", "s", "cron-none-20260101-000000")
                raw("JobExists", "schedule_job", "s", text({"name": "daily_standup", "command": ["true"]}))
                raw("InvalidJob", "schedule_job", "s", text({"name": "x", "comand": ["true"]}))
                raw("InvalidSchedule", "preview_schedule", "si", "0 9 * * MON-FRX", 1)
                raw("InvalidConfig", "update_config", "sss", "schedules", "jobs", "5")
                raw("QueueEmpty", "queue_pop", "s", "none")
                raw("NotPermitted", "cancel_job", "s", "daily_standup")
                raw("InvalidArgs", "toggle_job", "ss", "daily_standup", "maybe")
                raw("InvalidArgs by type", "toggle_job", "sd", "daily_standup", 1.5)
                raw("InvalidArgs by number", "get_history", "s", "ten")
                raw("InvalidArgs by count", "run_job")
                raw("InvalidArgs of too many", "Ping", "s", "x")
                raw("UnknownMethod", "no_such_method")
                raw("UnknownMethod without an interface", "no_such_method", interface=None)
                raw("UnknownInterface", "Ping", interface="com.example.Nothing")
                raw("UnknownObject", "Ping", path="/com/example")
                raw("UnknownProperty", "Get", "ss", FACE, "Nothing", interface=PROPERTIES)
                raw("PropertyReadOnly", "Set", "ssv", FACE, "Running", client.variant("b", False), interface=PROPERTIES)
                raw("LimitsExceeded", "run_job", "s", "limited")
                raw("without an interface", "Ping", interface=None)

                # Introspection
                def types(member, direction):
                    arguments = (a for a in member.findall("arg") if a.get("direction", "in") == direction)
                    return "".join(a.get("type") for a in arguments)

                def annotations(member):
                    return {a.get("name"): a.get("value") for a in member.findall("annotation")}

                def describe(path):
                    node = trees.fromstring(client.xml(path))
                    return {
                        interface.get("name"): {
                            member.get("name"): [
                                member.tag,
                                member.get("type") or types(member, "in"),
                                member.get("access") or types(member, "out"),
                                annotations(member).get("org.freedesktop.DBus.Property.EmitsChangedSignal"),
                            ]
                            for member in interface if member.tag != "annotation"
                        }
                        for interface in node.findall("interface")
                    }

                run = parsed(client.call(ROOT, FACE, "run_job", "finishes"))["execution_id"]
                run_path = client.call(ROOT, MANAGER, "ListRuns")[0]
                for name, path, interface in (
                    ("root", ROOT, FACE), ("a job", ROOT + "/jobs/daily_5fstandup", JOB), ("a run", run_path, RUN)
                ):
                    step(name, describe, path)
                    raw("ping of " + name, "Ping", path=path, interface="org.freedesktop.DBus.Peer")
                    raw("machine of " + name, "GetMachineId", path=path, interface="org.freedesktop.DBus.Peer")
                    raw("properties of " + name, "GetAll", "s", interface, path=path, interface=PROPERTIES)

                # While it stops
                raw("Shutdown", "Shutdown")
                raw("Busy", "run_job", "s", "daily_standup")
                raw("Busy for a toggle", "toggle_job", "sb", "daily_standup", False)
                """#)

        /// A step that is called as its error is, and the words that the text must hold: the object, what was found,
        /// what is right.
        struct Row: Sendable, CustomTestStringConvertible {
            let step: String
            let isOurs: Bool
            let words: [String]

            init(_ step: String, ours: Bool = false, _ words: String...) {
                self.step = step
                isOurs = ours
                self.words = words
            }

            var testDescription: String { step }

            var name: String {
                let name = step.split(separator: " ").first ?? ""
                return (isOurs ? "com.aiworkflow.BotCron.Error." : "org.freedesktop.DBus.Error.") + name
            }
        }

        static let rows = [
            Row("JobNotFound", ours: true, "\"daily_standap\"", "\"daily_standup\""),
            Row("RunNotFound", ours: true, "\"cron-none-20260101-000000\"", "get_history"),
            Row("JobExists", ours: true, "\"daily_standup\"", "edit the file"),
            Row("InvalidJob", ours: true, "comand", "\"command\""),
            Row("InvalidSchedule", ours: true, "unknown_name day_of_week \"FRX\" at 12: ", "expected"),
            Row("InvalidConfig", ours: true, "schedules.jobs", "5", "array"),
            Row("QueueEmpty", ours: true, "\"none\"", "queue_list"),
            Row("NotPermitted", ours: true, "\"daily_standup\"", "toggle_job"),
            Row("Busy", ours: true, "stopping", "call again"),
            Row("Busy for a toggle", ours: true, "stopping"),
            Row("InvalidArgs", "toggle_job", "enabled", "\"maybe\"", "'b'"),
            Row("InvalidArgs by type", "toggle_job", "enabled", "'d'", "'b'"),
            Row("InvalidArgs by number", "get_history", "limit", "\"ten\"", "'i'"),
            Row("InvalidArgs by count", "run_job", "0 arguments", "s job"),
            Row("InvalidArgs of too many", "Ping", "1 arguments", "expected"),
            Row("UnknownMethod", "no_such_method"),
            Row("UnknownMethod without an interface", "no_such_method", "/com/aiworkflow/BotCron"),
            Row("UnknownInterface", "com.example.Nothing", "/com/aiworkflow/BotCron"),
            Row("UnknownObject", "/com/example"),
            Row("UnknownProperty", "Nothing", "com.aiworkflow.BotCron"),
            Row("PropertyReadOnly", "Running", "read-only"),
            Row("LimitsExceeded", "\"limited\"", "budget", "force"),
        ]

        @Test(arguments: rows, Library.allCases)
        func whatIsRefusedIsNamedAndSaysWhatWouldBeRight(_ row: Row, by library: Library) throws {
            let refused = try Self.performance[library].refusal(row.step)
            #expect(refused.name == row.name)
            for word in row.words { #expect(refused.message.contains(word), "\(word): \(refused.message)") }
        }

        @Test(arguments: Library.allCases) func aCallNeedsNoInterface(by library: Library) throws {
            #expect(try Self.performance[library]["without an interface"] == "pong")
        }

        // MARK: - Introspection

        @Test(arguments: Library.allCases) func peerIntrospectableAndPropertiesAreOnEveryObject(by library: Library)
            throws
        {
            let told = try Self.performance[library]
            for object in ["root", "a job", "a run"] {
                let interfaces = try told[object].objectValue?.keys ?? []
                for name in ["Peer", "Introspectable", "Properties"] {
                    #expect(interfaces.contains("org.freedesktop.DBus." + name), "\(object)")
                }
                #expect(interfaces.contains("org.freedesktop.DBus.ObjectManager") == (object == "root"))
                #expect(try told["ping of \(object)"] == .null)
                #expect(try told["machine of \(object)"].stringValue?.count == 32)
                #expect(try told["properties of \(object)"].objectValue?.isEmpty == false)
            }
        }

        @Test(arguments: Library.allCases) func theFaceHasEachMemberWithItsTypes(by library: Library) throws {
            let face = try #require(try Self.performance[library]["root"]["com.aiworkflow.BotCron"])
            let methods = [
                "run_job": "s s", "list_jobs": " s", "get_history": "i s", "toggle_scheduler": "b b",
                "toggle_job": "sb b", "get_config": "ss s", "update_config": "sss b", "schedule_job": "s s",
                "cancel_job": "s b", "pause_job": "s b", "resume_job": "s b", "skip_job": "s s", "run_now": "s s",
                "get_job": "s s", "get_run": "s s", "wait_run": "s s", "cancel_run": "s b", "rerun": "s s",
                "backfill": "s s", "get_output": "sxu ayx",
                "preview_schedule": "si s", "explain_job": "ss s", "reload_config": " s", "query_history": "s s",
                "query_jobs": "s s", "test_target": "s s",
                "questions": " s", "answer_question": "ss b", "hold_group": "ss b", "release_group": "s b",
                "queue_push": "ss s", "queue_pop": "s s", "queue_ack": "ss s", "queue_peek": "si s",
                "queue_list": " s", "GetStatus": " s", "GetStats": " s", "HealthCheck": " s", "GetMetrics": " s",
                "Ping": " s", "Shutdown": " s", "CallMethod": "ss s",
            ]
            for (name, types) in methods {
                let parts = types.split(separator: " ", omittingEmptySubsequences: false).map {
                    JSONValue.string(String($0))
                }
                #expect(face[name] == ["method", parts[0], parts[1], nil], "\(name)")
            }
            let signals = [
                "JobStarted": "ss", "JobCompleted": "sss", "JobFailed": "sss", "JobRetrying": "ssuds",
                "JobMissed": "sss", "SchedulerToggled": "b", "JobsChanged": "asasas", "StatusChanged": "s",
                "QueueChanged": "su", "QuestionAsked": "ss",
                "Event": "ss",
            ]
            for (name, types) in signals {
                #expect(face[name]?[0] == "signal" && face[name]?[1] == .string(types), "\(name)")
            }
            let properties: [String: (String, JSONValue)] = [
                "Running": ("b", "false"), "Enabled": ("b", nil), "Uptime": ("d", "false"), "Stats": ("s", "false"),
                "Version": ("s", "const"), "NextRun": ("s", nil),
            ]
            for (name, (type, change)) in properties {
                #expect(face[name] == ["property", .string(type), "read", change], "\(name)")
            }
            #expect(face.objectValue?.count == methods.count + signals.count + properties.count)
        }

        @Test(arguments: Library.allCases) func theTypedInterfacesHaveEachMemberWithItsTypes(by library: Library) throws
        {
            let told = try Self.performance[library]
            let manager: [String: JSONValue] = [
                "ListJobs": ["method", "", "ao", nil], "GetJob": ["method", "s", "o", nil],
                "AddJob": ["method", "a{sv}", "o", nil], "RunJob": ["method", "sa{sv}", "o", nil],
                "Enabled": ["property", "b", "readwrite", nil], "NextRun": ["property", "t", "read", nil],
                "JobCount": ["property", "u", "read", nil], "RefusedCount": ["property", "u", "read", nil],
                "ActiveRuns": ["property", "u", "read", nil], "ConfigurationError": ["property", "s", "read", nil],
                "Version": ["property", "s", "read", "const"],
            ]
            let job: [String: JSONValue] = [
                "Run": ["method", "", "o", nil], "Enable": ["method", "", "", nil], "Disable": ["method", "", "", nil],
                "Remove": ["method", "", "", nil], "Enabled": ["property", "b", "readwrite", nil],
                "Running": ["property", "ao", "read", nil], "WaitingFor": ["property", "as", "read", nil],
                "Tags": ["property", "as", "read", nil], "Definition": ["property", "s", "read", nil],
                "LastError": ["property", "s", "read", nil], "DisabledUntil": ["property", "t", "read", nil],
                "DisabledReason": ["property", "s", "read", nil],
            ]
            let run: [String: JSONValue] = [
                "Cancel": ["method", "", "", nil], "Output": ["method", "tu", "ay", nil],
                "Progress": ["property", "d", "read", nil], "Attempt": ["property", "u", "read", nil],
                "StalledAt": ["property", "t", "read", nil],
            ]
            for (object, name, members) in [
                ("root", "Manager1", manager), ("a job", "Job1", job), ("a run", "Run1", run),
            ] {
                let interface = try told[object]["com.aiworkflow.BotCron." + name]
                for (member, wanted) in members { #expect(interface?[member] == wanted, "\(name).\(member)") }
            }
        }

        @Test(arguments: Library.allCases) func noTwoMembersAreOneInSnakeCase(by library: Library) throws {
            let told = try Self.performance[library]
            for object in ["root", "a job", "a run"] {
                for (name, interface) in try told[object].objectValue ?? [:] {
                    let members = interface.objectValue?.keys ?? []
                    let plain = Set(members.map { $0.lowercased().filter { $0 != "_" } })
                    #expect(plain.count == members.count, "\(name): \(members)")
                }
            }
        }
    }

    /// What starts runs beside schedules, and where their outcome goes.
    @Suite struct TriggersAndQueues {
        private static let performance = Performance(
            jobs: [
                ["name": "queued", "trigger": ["queue": "user"], "command": ["cat"], "result_queue": "read"],
                [
                    "name": "polled", "poll": ["interval": "1s", "condition": ["echo", "news"], "dedupe": "1 day"],
                    "command": ["cat"],
                ],
                [
                    "name": "idle", "precheck": ["false"], "command": ["true"],
                ],
                [
                    "name": "failing", "command": ["sh", "-c", "exit 3"], "error_queue": "errors",
                ],
            ],
            script: #"""
                do("push", "queue_push", "user", '"item"')
                heard("JobCompleted", "queued")
                do("of the queue", "query_history", text({"job": "queued", "limit": 9}))
                heard("JobCompleted", "polled")
                do("of the poll", "query_history", text({"job": "polled", "limit": 9}))
                note("idle", run_to_end("idle"))
                note("failing", run_to_end("failing"))
                do("queues", "queue_list")
                do("result", "queue_pop", "read")
                do("error", "queue_pop", "errors")
                for job in ("queued", "polled"):
                    do("explain " + job, "explain_job", job, "")
                    do(job, "get_job", job)
                heard("QueueChanged", "errors", 1)
                """#)

        @Test(arguments: Library.allCases) func anItemOfAQueueAndAPollEachMakeARunThatReadsIt(
            by library: Library
        ) throws {
            let told = try Self.performance[library]
            let queued = try told["of the queue"]["runs"]?.arrayValue?.first
            #expect(queued?["trigger"] == "queue" && queued?["output_preview"] == "\"item\"", "\(queued ?? nil)")
            let polled = try told["of the poll"]["runs"]?.arrayValue ?? []
            #expect(polled.count == 1 && polled.first?["trigger"] == "poll", "\(polled)")
            #expect(polled.first?["output_preview"]?.stringValue?.contains("news") == true, "\(polled)")
            #expect(try told["explain queued"]["reasons"]?.each("code").first == "serves_queue")
            #expect(try told["explain polled"]["reasons"]?.each("code").first == "polls")
            #expect(try told["queued"]["trigger"] == "queue")
            #expect(try told["polled"]["trigger"] == "poll")
            #expect(try told["polled"]["polls"]?.intValue ?? 0 >= 1)
        }

        @Test(arguments: Library.allCases) func aPrecheckThatFindsNothingSkipsTheRun(by library: Library) throws {
            let told = try Self.performance[library]
            #expect(try told["idle"]["status"] == "skipped" && told["idle"]["reason"] == "nothing_to_do")
        }

        @Test(arguments: Library.allCases) func theOutcomeIsInTheQueueForIt(by library: Library) throws {
            let told = try Self.performance[library]
            #expect(try told["queues"].each("queue").sorted { "\($0)" < "\($1)" } == ["errors", "read"])
            #expect(try told["result"]["item"]?["job"] == "queued" && told["result"]["item"]?["status"] == "success")
            #expect(try told["error"]["item"]?["exit_code"] == 3 && told["error"]["item"]?["status"] == "failed")
        }
    }
}
