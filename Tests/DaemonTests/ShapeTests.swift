import DBus
import JSON
import Testing

/// The shapes of the JSON face, key by key.
@Suite(.ownThread) struct ShapeTests {
    private static let jobs: [JSONValue] = [
        [
            "name": "zeta", "description": "the last by name", "cron": "30 9 * * *", "timezone": "America/New_York",
            "skill": "a/skill", "persona": "developer", "inputs": ["n": 1.50], "notify": ["slack"], "tags": ["a", "b"],
        ],
        ["name": "alpha", "command": ["sh", "-c", "echo out; exit 3"]],
        ["name": "bad", "cron": "61 * * * *", "command": ["true"]],
        ["name": "off", "cron": "0 0 * * *", "command": ["true"], "enabled": false],
    ]

    private let session: Session

    init() throws {
        session = try Session(jobs: Self.jobs)
        try session.start()
    }

    private static let jobKeys = [
        "name", "description", "enabled", "origin", "schedule_type", "schedule", "cron", "timezone", "trigger", "skill",
        "persona", "inputs", "execution_mode", "notify", "next_run", "last_run", "last_status", "run_count",
        "failure_count", "running", "tags", "error",
    ]
    private static let runKeys = [
        "job", "execution_id", "status", "trigger", "scheduled_for", "started_at", "completed_at", "duration_ms",
        "attempt", "exit_code", "signal", "error", "reason", "failure_type", "output_preview", "trace_id", "job_name",
        "skill", "timestamp", "success", "session_name",
    ]

    private func expect(_ value: JSONValue, has keys: [String], _ what: Comment) {
        for key in keys { #expect(value[key] != nil, "\(what): \(key) in \(value)") }
        let all = value.objectValue?.keys ?? []
        #expect(Set(all).count == all.count, "\(what): a key twice in \(value)")
    }

    private func isInstant(_ value: JSONValue?) -> Bool {
        value?.stringValue?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d/) != nil
    }

    @Test func listJobsGivesEveryJobByName() throws {
        let jobs = try #require(try session.json("list_jobs").arrayValue)
        #expect(jobs.map { $0.text("name") } == ["alpha", "bad", "off", "zeta"])
        for job in jobs { expect(job, has: Self.jobKeys, "a job") }

        let zeta = jobs[3]
        #expect(zeta["description"] == "the last by name")
        #expect(zeta["enabled"] == true)
        #expect(zeta["origin"] == "config")
        #expect(zeta["schedule_type"] == "cron")
        #expect(zeta["schedule"] == "30 9 * * *")
        #expect(zeta["cron"] == "30 9 * * *")
        #expect(zeta["timezone"] == "America/New_York")
        #expect(zeta["skill"] == "a/skill")
        #expect(zeta["persona"] == "developer")
        #expect(zeta["inputs"]?["n"]?.doubleValue == 1.5)
        #expect(zeta["execution_mode"] == "claude_cli")
        #expect(zeta["notify"] == ["slack"])
        #expect(zeta["tags"] == ["a", "b"])
        #expect(isInstant(zeta["next_run"]))
        #expect(zeta.text("next_run").contains("T09:30:00-0"))
        #expect(zeta["last_run"] == .null)
        #expect(zeta["last_status"] == .null)
        #expect(zeta["run_count"] == 0)
        #expect(zeta["failure_count"] == 0)
        #expect(zeta["running"] == [])
        #expect(zeta["error"] == .null)

        #expect(jobs[0]["execution_mode"] == "command")
        #expect(jobs[0]["cron"] == .null)
        #expect(jobs[0]["next_run"] == .null)
        #expect(jobs[1]["next_run"] == .null)
        #expect(jobs[1].text("error").contains("out_of_range minute \"61\" at 0"))
        #expect(jobs[2]["enabled"] == false)
        #expect(jobs[2]["next_run"] == .null)
    }

    @Test func getJobAddsDefinitionStatusAndRecentRuns() throws {
        for _ in 0..<11 { try session.runToEnd("alpha") }
        let job = try session.job("alpha")
        expect(job, has: Self.jobKeys.filter { $0 != "error" } + ["definition", "recent_runs", "status"], "get_job")
        // Older clients take the key for a failure.
        #expect(job["error"] == nil)
        #expect(job["definition"]?["command"] == ["sh", "-c", "echo out; exit 3"])
        #expect(job["recent_runs"]?.arrayValue?.count == 10)
        #expect(job["run_count"] == 11)
        #expect(job["failure_count"] == 11)
        #expect(job["last_status"] == "failed")
        #expect(isInstant(job["last_run"]))
        #expect(try session.job("bad").text("error").contains("61"))
        let statuses = ["pending", "running", "completed", "failed", "cancelled"]
        for name in ["alpha", "bad", "off", "zeta"] {
            #expect(statuses.contains(try session.job(name).text("status")), "\(name)")
        }
        #expect(try session.job("zeta")["status"] == "pending")
    }

    @Test func aFailedRunSaysWhatHappened() throws {
        let answer = try session.json("run_job", "alpha")
        expect(answer, has: Self.runKeys.filter { $0 != "error" }, "run_job")
        #expect(answer["error"] == nil)
        #expect(answer["completed_at"] == .null)
        let run = try session.waitForRun(answer.text("execution_id"))
        expect(run, has: Self.runKeys, "wait_run")
        #expect(run["job"] == "alpha")
        #expect(run["job_name"] == "alpha")
        #expect(run["status"] == "failed")
        #expect(run["success"] == false)
        #expect(run["trigger"] == "manual")
        #expect(run["scheduled_for"] == .null)
        #expect(isInstant(run["started_at"]))
        #expect(isInstant(run["completed_at"]))
        #expect(run["timestamp"] == run["completed_at"])
        #expect((run["duration_ms"]?.intValue ?? -1) >= 0)
        #expect(run["attempt"] == 1)
        #expect(run["exit_code"] == 3)
        #expect(run["signal"] == .null)
        #expect(run.text("error").contains("3"))
        #expect(run["reason"] == .null)
        #expect(run["failure_type"] == "unknown")
        #expect(run["output_preview"] == "out\n")
        #expect(run.text("trace_id").wholeMatch(of: /[0-9a-f]{32}/) != nil)
        #expect(run["session_name"] == run["execution_id"])
        #expect(run.text("execution_id").wholeMatch(of: /cron-alpha-\d{8}-\d{6}/) != nil)

        let recorded = try #require(try session.history().first)
        expect(recorded, has: Self.runKeys, "get_history")
        #expect(recorded["error"] == run["error"])
        let whole = try session.run(answer.text("execution_id"))
        #expect(whole["attempts"]?.arrayValue?.count == 1)
    }

    @Test func aSucceededRunHasANullErrorInTheHistoryAndNoneAsAnAnswer() throws {
        let run = try session.runToEnd("zeta")
        #expect(run["status"] == "success")
        #expect(run["success"] == true)
        #expect(run["error"] == nil)
        #expect(run["exit_code"] == 0)
        #expect(run["failure_type"] == .null)
        #expect(run["skill"] == "a/skill")
        // The id takes the job's zone, and no slash.
        #expect(run.text("execution_id").wholeMatch(of: /cron-a-skill-\d{8}-\d{6}/) != nil)
        #expect(run.text("started_at").hasSuffix("-05:00") || run.text("started_at").hasSuffix("-04:00"))
        let compact = run.text("started_at").filter(\.isNumber).prefix(14)
        #expect(run.text("execution_id").filter(\.isNumber).hasPrefix(compact.prefix(12)))
        #expect(try session.run(run.text("execution_id"))["error"] == nil)
        #expect(try session.history().first?["error"] == .null)
        #expect(try session.job("zeta")["last_status"] == "success")
    }

    @Test func executionIDsOfOneSecondAreCounted() throws {
        let ids = try (0..<4).map { _ in try session.json("run_job", "zeta").text("execution_id") }
        #expect(Set(ids).count == 4)
        for id in ids { #expect(id.wholeMatch(of: /cron-a-skill-\d{8}-\d{6}(-\d+)?/) != nil) }
        // Four calls within two seconds at least share one: the numbers start at 2.
        #expect(ids.contains { $0.hasSuffix("-2") }, "\(ids)")
        for id in ids { #expect(try session.waitForRun(id)["status"] == "success") }
    }

    @Test func outputPreviewIsTheFirst500Characters() throws {
        let text = String(repeating: "äöü€𝄞", count: 200)
        _ = try session.json(
            "schedule_job",
            .string(
                JSONValue.object([
                    "name": "long", "command": ["printf", "%s", .string(text)],
                ]).compactText))
        let run = try session.runToEnd("long")
        #expect(run["output_preview"]?.stringValue == String(text.prefix(500)))
    }

    @Test func statusHealthAndStatistics() throws {
        try session.runToEnd("zeta")
        try session.runToEnd("alpha")
        let common = [
            "running", "uptime", "service_name", "jobs_executed", "jobs_failed", "enabled", "execution_mode",
            "timezone", "job_count", "jobs",
        ]
        let status = try session.json("GetStatus")
        expect(status, has: common + ["recent_executions"], "GetStatus")
        #expect(status["running"] == true)
        #expect(status["enabled"] == true)
        #expect(status["timezone"] == "UTC")
        #expect(status["execution_mode"] == "claude_cli")
        // Those that can be scheduled or run.
        #expect(status["job_count"] == 3)
        #expect(status["jobs_executed"] == 2)
        #expect(status["jobs_failed"] == 1)
        #expect(status["recent_executions"]?.arrayValue?.count == 2)
        #expect((status["uptime"]?.doubleValue ?? -1) > 0)
        for job in status["jobs"]?.arrayValue ?? [] { expect(job, has: ["name", "next_run"], "a job of GetStatus") }

        let statistics = try session.json("GetStats")
        expect(statistics, has: common, "GetStats")
        #expect(statistics["recent_executions"] == nil)

        let health = try session.json("HealthCheck")
        expect(
            health,
            has: [
                "healthy", "scheduler_running", "job_count", "next_job", "last_execution", "uptime_seconds", "stats",
                "checks", "message", "timestamp", "jobs_executed", "jobs_failed",
            ], "HealthCheck")
        #expect(health["next_job"]?["name"] == "zeta")
        #expect(isInstant(health["next_job"]?["scheduled"]))
        #expect((health["next_job"]?["in_seconds"]?.doubleValue ?? -1) >= 0)
        #expect(health["last_execution"]?["job"] == "alpha")
        #expect(health["last_execution"]?["status"] == "failed")
        #expect(isInstant(health["last_execution"]?["completed_at"]))
        #expect(health["stats"]?["total_executions"] == 2)
        #expect(health["stats"]?["successful"] == 1)
        #expect(health["stats"]?["failed"] == 1)
        #expect(health["stats"]?["success_rate"]?.doubleValue == 0.5)
        expect(
            try #require(health["checks"]),
            has: [
                "running", "scheduler_running", "store_writable", "config_valid", "bus_connected", "sleep_monitor",
                "scheduler_initialized", "jobs_scheduled", "acceptable_failure_rate", "uptime_ok",
            ], "checks")
        #expect((health["timestamp"]?.doubleValue ?? 0) > 1_700_000_000)
    }

    @Test func aPauseThatWasAskedForIsHealthy() throws {
        try session.done("toggle_scheduler", .bool(false))
        let health = try session.json("HealthCheck")
        // One of the jobs is refused; the pause adds nothing to that.
        for (check, holds) in health["checks"]?.objectValue ?? [:] where check != "config_valid" {
            #expect(holds == true, "\(check)")
        }
        #expect(health["message"] == "Unhealthy: config_valid; 1 job is refused, list_jobs says why: bad")
        #expect(try session.json("GetStatus")["enabled"] == false)
        for job in try #require(try session.json("list_jobs").arrayValue) { #expect(job["next_run"] == .null) }
    }

    @Test func historyIsBoundedByItsLimitAndPagesWithoutGaps() throws {
        var ids: [String] = []
        for _ in 0..<23 { ids.insert(try session.runToEnd("zeta").text("execution_id"), at: 0) }
        func got(_ arguments: DBusValue...) throws -> [String] {
            let text = try #require(try session.reply("get_history", arguments).get().first?.asString)
            return try #require(try JSONValue(parsing: text).arrayValue).map { $0.text("execution_id") }
        }
        #expect(try got() == Array(ids.prefix(20)))
        #expect(try got(.int32(0)) == Array(ids.prefix(20)))
        #expect(try got(.int32(-5)) == Array(ids.prefix(20)))
        #expect(try got(.int32(3)) == Array(ids.prefix(3)))
        #expect(try got(.string("7")) == Array(ids.prefix(7)))
        #expect(try got(.int32(.max)) == ids)

        var pages: [[String]] = []
        var cursor: JSONValue = .null
        repeat {
            var filter: JSONObject = ["job": "zeta", "limit": 10]
            if cursor != .null { filter["cursor"] = cursor }
            let page = try session.json("query_history", .string(JSONValue.object(filter).compactText))
            pages.append((page["runs"]?.arrayValue ?? []).map { $0.text("execution_id") })
            cursor = page["next_cursor"] ?? .null
            // A run that ends between two pages moves nothing.
            if pages.count == 1 { try session.runToEnd("zeta") }
        } while cursor != .null && pages.count < 10
        #expect(pages.flatMap { $0 } == ids)
        #expect(pages.map(\.count) == [10, 10, 3])

        try session.runToEnd("alpha")
        func count(_ filter: JSONValue) throws -> Int? {
            try session.json("query_history", .string(filter.compactText))["runs"]?.arrayValue?.count
        }
        #expect(try count(["status": "failed"]) == 1)
        #expect(try count(["job": "alpha", "status": "success"]) == 0)
        #expect(try count(["trigger": "schedule"]) == 0)
        #expect(try count(["until": "2001-01-01T00:00:00Z"]) == 0)
        #expect(try count(["since": "2001-01-01T00:00:00Z", "limit": 1000]) == 25)
        #expect(try session.refusal("query_history", "{\"sort\": 1}").name == .invalidArgs)
        #expect(try session.refusal("query_history", "{\"cursor\": \"nonsense\"}").name == .invalidArgs)
        #expect(try session.refusal("query_history", "[").name == .invalidArgs)
    }

    @Test func propertiesTellTheSameAsTheMethods() throws {
        #expect(try session.property("Running") == .bool(true))
        #expect(try session.property("Enabled") == .bool(true))
        #expect((try session.property("Uptime").asDouble ?? -1) > 0)
        #expect(try session.property("NextRun").asString == session.job("zeta").text("next_run"))
        let version = try #require(try session.property("Version").asString)
        #expect(version.wholeMatch(of: /\d+\.\d+\.\d+.*/) != nil)
        let stats = try JSONValue(parsing: try #require(try session.property("Stats").asString))
        #expect(stats["job_count"] == 3)
    }
}
