import JSON
import Schedules
import Scheduling
import Testing

@testable import Configuration

/// One accepted spelling of one key: what is written, and what the job then says.
struct AcceptedKey: Sendable, CustomTestStringConvertible {
    let members: String
    var section = ""
    let read: @Sendable (Job) -> String
    let expected: String

    init(_ members: String, section: String = "", _ expected: String, _ read: @escaping @Sendable (Job) -> String) {
        self.members = members
        self.section = section
        self.read = read
        self.expected = expected
    }

    var testDescription: String { "\(members) → \(expected)" }
}

private func text(of resources: Resources) -> String {
    let parts: [Any?] = [
        resources.memoryMax, resources.cpuQuotaPercent, resources.tasksMax, resources.nice, resources.ioClass?.rawValue,
    ]
    return parts.map { $0.map { "\($0)" } ?? "-" }.joined(separator: " ")
}

/// Every key of a job outside schedules, actions and retry: its default, its spellings, its bounds.
@Suite struct JobKeyTests {
    static let identity: [AcceptedKey] = [
        .init("", "j") { $0.name },
        .init(#""title": "Ä title""#, "Ä title") { $0.title },
        .init(#""job_name": "For people""#, "For people") { $0.title },
        .init("", "j") { $0.title },
        .init("", "") { $0.description },
        .init(#""description": "why""#, "why") { $0.description },
        .init("", "[]") { "\($0.tags)" },
        .init(#""tags": ["a", "b c"]"#, #"["a", "b c"]"#) { "\($0.tags)" },
        .init("", "{}") { $0.metadata },
        .init(#""metadata": {"cron": [1.50, null]}"#, #"{"cron": [1.50, null]}"#) { $0.metadata },
        .init("", "") { $0.owner },
        .init(#""owner": "ada""#, "ada") { $0.owner },
        .init(#""user_id": "ada""#, "ada") { $0.owner },
        .init(#""module_id": "ada""#, "ada") { $0.owner },
        .init("", "1") { "\($0.version)" },
        .init(#""version": 7"#, "7") { "\($0.version)" },
        .init("", "true") { "\($0.isEnabled)" },
        .init(#""enabled": false"#, "false") { "\($0.isEnabled)" },
        .init(#""paused": true"#, "false") { "\($0.isEnabled)" },
        .init(#""paused": false"#, "true") { "\($0.isEnabled)" },
        .init(#""status": "disabled""#, "false") { "\($0.isEnabled)" },
        .init(#""status": "enabled""#, "true") { "\($0.isEnabled)" },
        .init(#""enabled": false, "paused": true, "status": "disabled""#, "false") { "\($0.isEnabled)" },
        .init(#""enabled": null, "title": null"#, "j true") { "\($0.title) \($0.isEnabled)" },
        .init(#""x-anything": {"at": "all"}, "x-": 1"#, "j") { $0.name },
    ]

    static let process: [AcceptedKey] = [
        .init("", "") { $0.workingDirectory },
        .init(#""working_directory": "~/src""#, "/home/ada/src") { $0.workingDirectory },
        .init(#""working_directory": "~""#, "/home/ada") { $0.workingDirectory },
        .init(#""working_directory": "/srv/~""#, "/srv/~") { $0.workingDirectory },
        .init(#""project": "~/app""#, "/home/ada/app /home/ada/app") { "\($0.project) \($0.workingDirectory)" },
        .init(#""project": "/a", "working_directory": "/b""#, "/a /b") { "\($0.project) \($0.workingDirectory)" },
        .init(#""environment": {"A": "1", "B": 2.50, "C": true}"#, "1 2.50 true") {
            "\($0.environment["A"] ?? "") \($0.environment["B"] ?? "") \($0.environment["C"] ?? "")"
        },
        .init(#""environment_file": "~/.env""#, "/home/ada/.env") { $0.environmentFile ?? "none" },
        .init("", "none") { $0.environmentFile ?? "none" },
        .init("", "false") { "\($0.isEnvironmentClean)" },
        .init(#""clean_environment": true"#, "true") { "\($0.isEnvironmentClean)" },
        .init(#""credentials": {"token": "~/t", "key": "secret:service=x"}"#, "/home/ada/t secret:service=x") {
            "\($0.credentials["token"] ?? "") \($0.credentials["key"] ?? "")"
        },
        .init("", "none") { $0.standardInput ?? "none" },
        .init(#""stdin": "hello""#, "hello") { $0.standardInput ?? "none" },
        .init(#""stdin": {"a": [1]}"#, #"{"a": [1]}"#) { $0.standardInput ?? "none" },
        .init("", "300.0 seconds") { "\($0.timeout)" },
        .init("", section: #""execution_timeout": 60"#, "60.0 seconds") { "\($0.timeout)" },
        .init(#""timeout": 90"#, "90.0 seconds") { "\($0.timeout)" },
        .init(#""timeout": 1.5"#, "1.5 seconds") { "\($0.timeout)" },
        .init(#""timeout": "1h30m""#, "5400.0 seconds") { "\($0.timeout)" },
        .init(#""timeout": "1 day""#, "86400.0 seconds") { "\($0.timeout)" },
        .init(#""timeout": 0"#, "0.0 seconds") { "\($0.timeout)" },
        .init(#""timeout_seconds": 1800"#, "1800.0 seconds") { "\($0.timeout)" },
        .init(#""timeout": 30, "timeout_seconds": 30"#, "30.0 seconds") { "\($0.timeout)" },
        .init("", "10.0 seconds") { "\($0.killGrace)" },
        .init(#""kill_grace": "2m""#, "120.0 seconds") { "\($0.killGrace)" },
        .init("", "nil notify") { "\(String(describing: $0.stallTimeout)) \($0.onStall)" },
        .init(#""stall_timeout": 0"#, "nil") { "\(String(describing: $0.stallTimeout))" },
        .init(#""stall_timeout": "5m", "on_stall": "kill""#, "Optional(300.0 seconds) kill") {
            "\(String(describing: $0.stallTimeout)) \($0.onStall)"
        },
        .init("", "[0]") { "\($0.successExitCodes.sorted())" },
        .init(#""success_exit_codes": [0, 75, 255]"#, "[0, 75, 255]") { "\($0.successExitCodes.sorted())" },
        .init("", "- - - - -") { text(of: $0.resources) },
        .init(
            #""resources": {"memory_max": "512M", "cpu_quota": "50%", "tasks_max": 8, "nice": -5, "io_class": "idle"}"#,
            "bytes(536870912) 50.0 8 -5 idle"
        ) { text(of: $0.resources) },
        .init(#""resources": {"memory_max": 1048576, "cpu_quota": 150}"#, "bytes(1048576) 150.0 - - -") {
            text(of: $0.resources)
        },
        .init(
            #""resources": {"memory_max": "2T", "io_class": "best-effort"}"#, "bytes(2199023255552) - - - best-effort"
        ) {
            text(of: $0.resources)
        },
        .init(#""resources": {"memory_max": "10%"}"#, "share(10) - - - -") { text(of: $0.resources) },
        .init(#""resources": {"memory_max": "infinity"}"#, "unlimited - - - -") { text(of: $0.resources) },
        .init(#""resources": {"memory_max": "9223372036854775807K"}"#, "bytes(9223372036854775807) - - - -") {
            text(of: $0.resources)
        },
        .init(#""journal_output": true"#, "true") { "\($0.isOutputJournaled)" },
        .init("", "1048576") { "\($0.outputLimit)" },
        .init(#""output_limit": 4096"#, "4096") { "\($0.outputLimit)" },
    ]

    static let policies: [AcceptedKey] = [
        .init("", "skip nil") { "\($0.overlap) \(String(describing: $0.maxInstances))" },
        .init(#""overlap_policy": "queue_one", "max_instances": 3"#, "queue_one 3") {
            "\($0.overlap.rawValue) \($0.maxInstances ?? 0)"
        },
        .init(#""overlap_policy": "allow""#, "allow") { $0.overlap.rawValue },
        .init(#""overlap_policy": "queue""#, "queue") { $0.overlap.rawValue },
        .init(#""overlap_policy": "replace""#, "replace") { $0.overlap.rawValue },
        .init("", "latest 86400.0 seconds 100 300.0 seconds") {
            "\($0.catchUp.kind) \($0.catchUp.window) \($0.catchUp.limit) \($0.catchUp.graceTime)"
        },
        .init(#""catchup_policy": "none""#, "none") { "\($0.catchUp.kind)" },
        .init(#""catchup_policy": "spread""#, "spread") { "\($0.catchUp.kind)" },
        .init(#""catchup_policy": "fire_immediately""#, "all") { "\($0.catchUp.kind)" },
        .init(#""coalesce": false"#, "all") { "\($0.catchUp.kind)" },
        .init(#""coalesce": true"#, "latest") { "\($0.catchUp.kind)" },
        .init(#""coalesce": false, "catchup_policy": "none""#, "none") { "\($0.catchUp.kind)" },
        .init(
            #""catchup_window": "2 days", "catchup_limit": 5, "misfire_grace_time": 60"#,
            "172800.0 seconds 5 60.0 seconds"
        ) {
            "\($0.catchUp.window) \($0.catchUp.limit) \($0.catchUp.graceTime)"
        },
        .init("", "true 3600.0 seconds skip") {
            "\($0.conditions.isEmpty) \($0.conditions.timeout) \($0.conditions.action)"
        },
        .init(
            #""conditions": {"ac_power": true, "battery_min": 20, "network": "unmetered", "idle": "5m", "load_max": "#
                + #"1.5, "#
                + #""pressure_max": 40, "path_exists": "~/x", "command": ["true"]}, "conditions_timeout": "2h", "#
                + #""conditions_action": "run""#,
            #"true 20.0 unmetered 300.0 seconds 1.5 40.0 /home/ada/x command(["true"]) 7200.0 seconds run"#
        ) { summary($0.conditions) },
        .init(#""conditions": {"ac_power": false}"#, "true") { "\($0.conditions.isEmpty)" },
        .init(
            #""conditions": {"network": "online", "command": "test -e /x"}"#,
            #"false nil online nil nil nil nil shell("test -e /x") 3600.0 seconds skip"#
        ) { summary($0.conditions) },
        .init("", "false false false continue") {
            "\($0.power.keepsAwake) \($0.power.wakesSystem) \($0.power.sleepsAgain) \($0.power.onSleep)"
        },
        .init(
            #""keep_awake": true, "wake_system": true, "sleep_again": true, "on_sleep": "wait""#, "true true true wait"
        ) {
            "\($0.power.keepsAwake) \($0.power.wakesSystem) \($0.power.sleepsAgain) \($0.power.onSleep)"
        },
        .init("", "0") { "\($0.priority)" },
        .init(#""priority": -20"#, "-20") { "\($0.priority)" },
        .init(#""priority": 19"#, "19") { "\($0.priority)" },
        .init("", "true") { "\($0.budget.isUnlimited)" },
        .init(#""budget": {"runs_per_day": 4, "wall_time_per_day": "1h", "cost_per_day": 2.5}"#, "4 3600.0 seconds 2.5")
        {
            "\($0.budget.runsPerDay ?? 0) \($0.budget.wallTimePerDay ?? .zero) \($0.budget.costPerDay ?? 0)"
        },
        .init("", "none") { $0.holdGroup ?? "none" },
        .init(#""hold_group": "claude""#, "claude") { $0.holdGroup ?? "none" },
        .init(#""hold_group": """#, "none") { $0.holdGroup ?? "none" },
        .init("", "nil 100") { "\(String(describing: $0.pauseOnFailures)) \($0.historyLimit)" },
        .init(#""pause_on_failures": 3, "history_limit": 0"#, "3 0") {
            "\($0.pauseOnFailures ?? 0) \($0.historyLimit)"
        },
        .init("", "[]") { $0.notify },
        .init(#""notify": ["slack", "memory"]"#, #"["slack", "memory"]"#) { $0.notify },
        .init(
            #""notify": [{"target": "desktop", "on": ["start", "stalled"]}, "toast"]"#,
            #"[{"target": "desktop", "on": ["start", "stalled"]}, "toast"]"#
        ) { $0.notify },
        .init(#""notify": {"target": "email", "on": "failure"}"#, #"[{"target": "email", "on": ["failure"]}]"#) {
            $0.notify
        },
        .init("", "nil") { rules(of: $0) },
        .init(#""notify": []"#, "") { rules(of: $0) },
        .init(
            #""notify": ["desktop", {"target": "memory"}, {"target": "toast", "on": "start"}, "toast"]"#,
            "desktop: asked paused recovered failure late stalled missed; "
                + "memory: asked paused recovered failure late success stalled missed; "
                + "toast: asked paused recovered failure late stalled missed start"
        ) { rules(of: $0) },
        .init("", "nil") { "\(String(describing: $0.quietHours))" },
        .init(#""quiet_hours": "22:00-07:30""#, "1320 450") {
            "\($0.quietHours?.from ?? 0) \($0.quietHours?.until ?? 0)"
        },
        .init(#""on_success": ["a"], "on_failure": ["b", "c"]"#, #"["a"] ["b", "c"]"#) {
            "\($0.onSuccess) \($0.onFailure)"
        },
        .init(#""result_queue": "out", "error_queue": "err""#, "out err") {
            "\($0.resultQueue ?? "") \($0.errorQueue ?? "")"
        },
        .init(#""precheck": "look""#, "true") { "\($0.precheck == .shell("look"))" },
        .init("", "true") { "\($0.isTraced)" },
        .init(#""trace_enabled": false"#, "false") { "\($0.isTraced)" },
        .init("", section: #""trace_enabled_by_default": false"#, "false") { "\($0.isTraced)" },
        .init(#""trace_enabled": true"#, section: #""trace_enabled_by_default": false"#, "true") { "\($0.isTraced)" },
        .init("", "leave nil nil") {
            "\($0.onStop) \(String(describing: $0.expectEvery)) \(String(describing: $0.heartbeat))"
        },
        .init(
            #""on_stop": "finish", "expect_every": "1 day", "heartbeat": "https://h.example/1""#,
            "finish 86400.0 seconds https://h.example/1"
        ) {
            "\($0.onStop) \($0.expectEvery ?? .zero) \($0.heartbeat ?? "")"
        },
        .init("", "nil nil") { "\(String(describing: $0.expectWithin)) \(String(describing: $0.expectBy?.text))" },
        .init(#""expect_within": "30m", "expect_by": "08:05""#, "1800.0 seconds 08:05 UTC") {
            "\($0.expectWithin ?? .zero) \($0.expectBy?.text ?? "") \($0.expectBy?.timetable.zone.name ?? "")"
        },
        .init(#""expect_by": "23:59", "timezone": "Europe/Berlin""#, "23:59 Europe/Berlin") {
            "\($0.expectBy?.text ?? "") \($0.expectBy?.timetable.zone.name ?? "")"
        },
        .init(#""conditions": {"ac_power": true}, "conditions_lost": "stop""#, "stop") {
            "\($0.conditions.onLoss)"
        },
        .init(#""conditions_lost": "continue""#, "continue") { "\($0.conditions.onLoss)" },
        .init(#""expect_within": 0, "expect_every": 0"#, "nil nil") {
            "\(String(describing: $0.expectWithin)) \(String(describing: $0.expectEvery))"
        },
    ]

    @Test(arguments: identity + process + policies)
    func aKeyIsRead(key: AcceptedKey) throws {
        #expect(try key.read(runnable(key.members, section: key.section)) == key.expected)
    }

    @Test(arguments: ["job_id", "schedule_id", "id", "name"])
    func everySpellingOfTheNameNames(key: String) throws {
        #expect(try job("\"\(key)\": \"a-b_c.d:9\", \"command\": \"true\"").name == "a-b_c.d:9")
    }

    @Test func aNameIsMadeUpOverTheBusOnly() throws {
        #expect(try job(#""command": "true""#).name == "job-00000000")
        let file = try configuration(#""jobs": [{"command": "true"}]"#)
        #expect(file.jobs == [])
        #expect(file.refused.map(\.name) == ["jobs[0]"])
        #expect(
            file.refused.map(\.error) == [
                "name: missing; every job of the file has a name of its own (line 1, column 25)"
            ])
    }

    @Test func theDefinitionIsKept() throws {
        let job = try runnable(#""x-note": [1.50, {"b": 1, "a": 2}], "retry": false"#)
        #expect(
            job.definition
                == #"{"name": "j", "command": ["true"], "x-note": [1.50, {"b": 1, "a": 2}], "retry": false}"#)
        #expect(job.origin == .bus)
    }

    @Test func readingADefinitionAnewGivesTheSameJob() throws {
        for key in Self.identity + Self.process + Self.policies {
            let job = try runnable(key.members, section: key.section)
            let again = try reader().readJob(
                JSONValue(parsing: job.definition), origin: .bus, in: configuration(key.section))
            #expect(again == job, "\(key.members)")
        }
    }

    /// A key that is in the specification and in no row above would be untested.
    @Test func everyKeyHasARow() {
        let rows = (Self.identity + Self.process + Self.policies).map(\.members).joined(separator: "\n")
        let elsewhere: Set = ["name", "job_id", "schedule_id", "id", "allow_past_events"]
        let others = Set(ConfigurationReader.whenKeys + ConfigurationReader.whatKeys + ["cron_expr", "on_calendar"])
            .union(["agentool_name", "function_name", "workflow_id", "input_data", "parameters", "retry"])
        for key in ConfigurationReader.jobVocabulary.keys where !elsewhere.contains(key) && !others.contains(key) {
            #expect(rows.contains("\"\(key)\""), "no row for \(key)")
        }
    }
}

private func summary(_ conditions: Conditions) -> String {
    var words = ["\(conditions.needsACPower)"]
    func add<Value>(_ value: Value?) { words.append(value.map { "\($0)" } ?? "nil") }
    add(conditions.batteryMin)
    add(conditions.network)
    add(conditions.idle)
    add(conditions.loadMax)
    add(conditions.pressureMax)
    add(conditions.path)
    add(conditions.command)
    add(conditions.timeout)
    add(conditions.action)
    return words.joined(separator: " ")
}

/// Whom a job tells, and what.
private func rules(of job: Job) -> String {
    guard let rules = job.messages else { return "nil" }
    return rules.map { rule in
        let words = Message.Occasion.allCases.filter(rule.on.contains).map(\.rawValue)
        return "\(rule.target): \(words.joined(separator: " "))"
    }.joined(separator: "; ")
}
