import Contract
import DBus
import Glibc
import JSON
import TestSupport
import Testing

/// botcronctl against a daemon that answers as its test says: what no real daemon can be brought to within a test.
@Suite struct CommandTests {
    private let bus: Bus

    init() throws { bus = try Bus() }

    private static let ended =
        #"{"execution_id": "run-1", "status": "failed", "exit_code": 7, "duration_ms": 12, "output_preview": "oh\n"}"#

    // MARK: - Waiting through a restart

    /// Somebody upgrades the daemon while a script waits for a run: the script gets the run's exit code, one word about
    /// the wait, and one run.
    @Test(
        arguments: [["run", "tea", "--wait"], ["wait", "run-1"], ["run", "tea", "--wait", "--timeout", "15"]], [1, 2])
    func aWaitOutlivesTheDaemon(_ arguments: [String], _ restarts: Int) throws {
        var keys: [String?] = []
        var waits: [MethodCall] = []
        let handlers: [MethodName: FakeDaemon.Handler] = [
            .runJob: {
                keys.append((try? JSONValue(parsing: $0.firstText))?["idempotency_key"]?.stringValue)
                $0.reply(json: #"{"execution_id": "run-1", "status": "running"}"#)
            }, .waitRun: { waits.append($0) },
        ]
        var daemon = try FakeDaemon(on: bus, handlers)
        let program = try RunningProgram(
            [Bus.botcronctl] + arguments, environment: ["DBUS_SESSION_BUS_ADDRESS=\(bus.address)", "TZ=UTC"], on: bus)
        for round in 1...restarts {
            try bus.turn(until: "wait \(round)") { waits.count == round }
            daemon.leave()
            try bus.turn(until: "the word about it") { program.errors.contains("waiting for it") }
            daemon = try FakeDaemon(on: bus, handlers)
        }
        try bus.turn(until: "the last wait") { waits.count == restarts + 1 }
        waits[restarts].reply(json: Self.ended)
        let outcome = try program.finish()
        #expect(outcome.code == 7 && outcome.output.hasPrefix("run-1: failed in 12 ms, exit 7\n"), "\(outcome)")
        #expect(outcome.errors == "botcronctl: the daemon has left the bus; waiting for it to be back\n")
        #expect(keys.count == (arguments[0] == "run" ? 1 : 0))
        daemon.leave()
    }

    /// The answer to the start is lost: the same request with the same key is made again, and no two invocations share
    /// a key.
    @Test func aLostStartIsMadeAgainUnderItsKey() throws {
        var requests: [MethodCall] = []
        for invocation in 1...2 {
            let first = try FakeDaemon(on: bus, [.runJob: { requests.append($0) }])
            let program = try bus.start("run", "tea", "--wait")
            try bus.turn(until: "the request") { requests.count == invocation * 2 - 1 }
            first.leave()
            let second = try FakeDaemon(
                on: bus,
                [
                    .runJob: {
                        requests.append($0)
                        $0.reply(json: Self.ended)
                    }, .waitRun: { $0.reply(json: Self.ended) },
                ])
            #expect(try program.finish().code == 7)
            second.leave()
        }
        let keys = try requests.map { try JSONValue(parsing: $0.firstText)["idempotency_key"]?.stringValue }
        #expect(keys.count == 4 && keys[0] == keys[1] && keys[2] == keys[3] && keys[0] != keys[2])
        #expect((keys[0]?.count ?? 0) > 20)
    }

    @Test func aDaemonThatStaysAwayEndsTheWaitWithItsTimeout() throws {
        var waits: [MethodCall] = []
        let daemon = try FakeDaemon(on: bus, [.waitRun: { waits.append($0) }])
        let program = try bus.start("wait", "run-1", "--timeout", "0.5")
        try bus.turn(until: "the wait") { waits.count == 1 }
        daemon.leave()
        let outcome = try program.finish()
        #expect(outcome.code == 124)
        #expect(outcome.errors.hasSuffix("botcronctl: run-1 has not ended within 0.5 s; it goes on\n"), "\(outcome)")
    }

    // MARK: - list

    private static func jobs(_ range: Range<Int>) -> JSONValue {
        .array(range.map { ["name": .string("job-\($0)"), "enabled": true, "last_status": nil] })
    }

    @Test(arguments: [0, 1, 1_000, 1_001, 2_500])
    func theListIsAskedForPageByPage(_ count: Int) throws {
        var asked: [JSONValue] = []
        let daemon = try FakeDaemon(
            on: bus,
            [
                .queryJobs: { call in
                    let filter = (try? JSONValue(parsing: call.firstText)) ?? .null
                    asked.append(filter)
                    let from = filter["cursor"]?.stringValue.flatMap { Int($0) } ?? 0
                    let to = min(count, from + (filter["limit"]?.intValue ?? 0))
                    call.reply(
                        json: JSONValue.object([
                            "jobs": Self.jobs(from..<to), "next_cursor": to < count ? .string("\(to)") : .null,
                        ]).compactText)
                }
            ])
        defer { daemon.leave() }
        let outcome = try bus.control("list", "--json")
        #expect(outcome.code == 0)
        #expect(try JSONValue(parsing: outcome.output) == Self.jobs(0..<count))
        #expect(asked.count == max(1, (count + 999) / 1_000) && asked.allSatisfy { $0["limit"] == 1_000 })
    }

    @Test func anOlderDaemonIsAskedForAllAtOnce() throws {
        let daemon = try FakeDaemon(on: bus, [.listJobs: { $0.reply(json: Self.jobs(0..<3).compactText) }])
        defer { daemon.leave() }
        let outcome = try bus.control("list")
        #expect(outcome.code == 0 && outcome.output.split(separator: "\n").count == 4, "\(outcome)")
    }

    @Test func aPageThatLeadsToItselfIsNoEndlessLoop() throws {
        let daemon = try FakeDaemon(
            on: bus, [.queryJobs: { $0.reply(json: #"{"jobs": [], "next_cursor": "again"}"#) }])
        defer { daemon.leave() }
        let outcome = try bus.control("list")
        #expect(outcome.code == 1 && outcome.errors.contains("leads to itself"), "\(outcome)")
    }

    /// `pause`, and then a list that says "none" of every job, as if nothing would ever run.
    @Test(arguments: [false, true])
    func aPausedJobIsListedAsThat(_ hasInstant: Bool) throws {
        let since = hasInstant ? "\"2026-01-01T09:00:00+00:00\"" : "null"
        let daemon = try FakeDaemon(
            on: bus, isEnabled: false,
            [
                .queryJobs: {
                    $0.reply(
                        json: #"""
                            {"jobs": [{"name": "tea", "enabled": true, "schedule_type": "cron", "schedule": "@daily"},
                            {"name": "hand", "enabled": true}, {"name": "off", "enabled": false, "schedule_type": "cron"}]}
                            """#)
                }, .getStats: { $0.reply(json: "{\"enabled\": false, \"paused_since\": \(since)}") },
            ])
        defer { daemon.leave() }
        let outcome = try bus.control("list")
        let lines = outcome.output.split(separator: "\n")
        #expect(lines[1].hasPrefix("tea   paused") && lines[2].hasPrefix("hand  by hand"), "\(outcome)")
        #expect(lines[3].hasPrefix("off   disabled"))
        #expect(lines[4].contains("paused since Thu 2026-01-01 09:00:00 UTC") == hasInstant, "\(outcome)")
        #expect(lines[1].contains("ago") == hasInstant)
    }

    // MARK: - disable, skip, status

    @Test(arguments: ["in 1 minute", "23:59:59", "tomorrow", "2190-01-01T09:00"])
    func aPauseEndsAtAnInstantHoweverItWasWritten(_ until: String) throws {
        var asked: [JSONValue] = []
        let daemon = try FakeDaemon(
            on: bus,
            [
                .pauseJob: {
                    asked.append((try? JSONValue(parsing: $0.firstText)) ?? .null)
                    $0.reply([.bool(true)])
                }
            ])
        defer { daemon.leave() }
        let outcome = try bus.control("disable", "tea", "--until", until)
        #expect(outcome.code == 0 && outcome.output.hasPrefix("tea is disabled until "), "\(outcome)")
        let instant = try #require(asked.first?["until"]?.stringValue)
        #expect(instant.firstMatch(of: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/) != nil && asked[0]["job"] == "tea")
    }

    @Test(arguments: [[], ["--json"]])
    func aJobWithNothingToSkipIsAnError(_ options: [String]) throws {
        let daemon = try FakeDaemon(on: bus, [.skipJob: { $0.reply(json: #"{"skipped": null, "next_run": null}"#) }])
        defer { daemon.leave() }
        let outcome = try RunningProgram(
            [Bus.botcronctl, "skip", "tea"] + options, environment: ["DBUS_SESSION_BUS_ADDRESS=\(bus.address)"], on: bus
        ).finish()
        #expect(outcome.code == 1 && (outcome.errors + outcome.output).contains("nothing to skip"), "\(outcome)")
    }

    @Test func statusAndDoctorSayWhatIsWrongWithFileClockAndJobs() throws {
        let fault = #"""
            "config_error": {"file": "/c/config.json", "line": 3, "column": 7, "sentence": "expected a comma"},
            "clock": {"at": "2026-01-01T09:00:00+00:00", "by_seconds": -7200}
            """#
        let daemon = try FakeDaemon(
            on: bus,
            [
                .getStatus: {
                    let bad = (1...7).map { "{\"name\": \"bad-\($0)\", \"error\": \"no\"}" }.joined(separator: ", ")
                    $0.reply(
                        json: "{\"version\": \"7\", \"status\": \"running\", \"refused_jobs\": [\(bad)], \(fault)}")
                },
                .healthCheck: {
                    $0.reply(json: "{\"healthy\": false, \"checks\": {\"config_valid\": false}, \(fault)}")
                },
            ])
        defer { daemon.leave() }
        for verb in ["status", "doctor"] {
            let outcome = try bus.control(verb)
            #expect(outcome.code == 1)
            #expect(outcome.output.contains("/c/config.json, line 3, column 7: expected a comma"), "\(outcome)")
            #expect(outcome.output.contains("7: bad-1"), "\(outcome)")
            #expect(outcome.output.contains("set back by 2 h at Thu 2026-01-01 09:00:00 UTC"), "\(outcome)")
        }
        let status = try bus.control("status").output
        #expect(status.contains("7: bad-1, bad-2, bad-3, bad-4, bad-5, …; botcronctl list says why"), "\(status)")
    }

    @Test func whatTheDaemonAdvisesIsSaidInVerbs() throws {
        let daemon = try FakeDaemon(
            on: bus, [.getJob: { $0.fail(.jobNotFound, "there is no job \"list_jobs\" (list_jobs names all)") }])
        defer { daemon.leave() }
        let outcome = try bus.control("show", "list_jobs")
        #expect(outcome.code == 4)
        #expect(outcome.errors == "botcronctl: there is no job \"list_jobs\" (botcronctl list names all)\n")
    }

    // MARK: - Foreign text

    /// Every place that a job, a configuration or a run can write to, filled with what steers a terminal.
    private static let hostile = "x\\u001b[31m\\u001b]0;t\\u0007\\u009b2J\\u202ey\\rz\\b"

    private func hostileDaemon() throws -> FakeDaemon {
        let text = Self.hostile
        let run = """
            {"execution_id": "\(text)", "job": "\(text)", "status": "\(text)", "trigger": "\(text)", "error": "\(text)",
            "reason": "\(text)", "caveat": "\(text)", "output_preview": "\(text)\\n\(text)", "duration_ms": 1, "attempt": 1,
            "started_at": "2026-01-01T09:00:00Z"}
            """
        let job = """
            {"name": "\(text)", "title": "\(text)", "description": "\(text)", "schedule_type": "\(text)", "schedule": "\(text)",
            "timezone": "\(text)", "execution_mode": "\(text)", "skill": "\(text)", "persona": "\(text)", "tags": ["\(text)"],
            "running": ["\(text)"], "waiting_for": ["\(text)"], "last_status": "\(text)", "error": "\(text)",
            "definition": {"cron": "\(text)"}, "recent_runs": [\(run)]}
            """
        let status = """
            {"version": "\(text)", "status": "\(text)", "timezone": "\(text)", "execution_mode": "\(text)",
            "configuration": "\(text)", "active_runs": ["\(text)"], "recent_executions": [\(run)],
            "refused_jobs": [{"name": "\(text)", "error": "\(text)"}],
            "config_error": {"file": "\(text)", "sentence": "\(text)"}, "healthy": false, "checks": {"\(text)": false},
            "surroundings": [{"name": "\(text)", "text": "\(text)"}], "store_error": "\(text)",
            "next_job": {"name": "\(text)", "scheduled": "2026-01-01T09:00:00Z"}, "added": ["\(text)"],
            "invalid": [{"name": "\(text)", "error": "\(text)"}]}
            """
        let raw = (try? JSONValue(parsing: "\"\(text)\""))?.stringValue ?? ""
        return try FakeDaemon(
            on: bus,
            [
                .queryJobs: { $0.reply(json: "{\"jobs\": [\(job)]}") }, .getJob: { $0.reply(json: job) },
                .getStatus: { $0.reply(json: status) }, .getStats: { $0.reply(json: status) },
                .healthCheck: { $0.reply(json: status) }, .reloadConfig: { $0.reply(json: status) },
                .queryHistory: { $0.reply(json: "{\"runs\": [\(run)]}") }, .runJob: { $0.reply(json: run) },
                .waitRun: { $0.reply(json: run) }, .getRun: { $0.reply(json: run) },
                .explainJob: { $0.reply(json: "{\"reasons\": [{\"sentence\": \"\(text)\"}]}") },
                .skipJob: { $0.fail(.invalidJob, raw) },
                .getOutput: { $0.reply([.bytes($0.arguments[1] == .int64(0) ? Array(raw.utf8) : []), .int64(100)]) },
            ])
    }

    /// No verb lets through what steers a terminal, whatever was written; in JSON it is escaped.
    @Test(arguments: [
        ["list"], ["show", "x"], ["why", "x"], ["status"], ["doctor"], ["reload"], ["history"], ["run", "x"],
        ["run", "x", "--wait"], ["wait", "x"], ["skip", "x"], ["logs", "x"], ["version"], ["list", "--json"],
        ["show", "x", "--json"], ["status", "--json"], ["history", "--json"], ["skip", "x", "--json"],
        ["monitor", "--for", "0.5"], ["monitor", "--for", "0.5", "--json"],
    ])
    func noVerbLetsAJobSteerTheTerminal(_ arguments: [String]) throws {
        let daemon = try hostileDaemon()
        defer { daemon.leave() }
        let command = ([Bus.botcronctl, "--no-color"] + arguments).map { "'\($0)'" }.joined(separator: " ")
        let program = try RunningProgram(
            ["script", "--quiet", "--return", "--command", command, "/dev/null"],
            // What a pager does to its terminal is no word of a job's.
            environment: ["PATH=/usr/bin:/bin", "TZ=UTC", "PAGER=cat", "DBUS_SESSION_BUS_ADDRESS=\(bus.address)"],
            on: bus)
        if arguments[0] == "monitor" {
            try bus.turn(until: "the first line") { program.output.contains("next") }
            let raw = (try JSONValue(parsing: "\"\(Self.hostile)\"")).stringValue ?? ""
            daemon.emit("JobFailed", [.string(raw), .string(raw), .string(raw)])
        }
        let outcome = try program.finish()
        let text = outcome.output
        #expect(!text.isEmpty)
        // The terminal itself ends lines with a carriage return.
        let scalars = Array(text.unicodeScalars)
        for (index, scalar) in scalars.enumerated() {
            let isLineEnd = scalar == "\r" && index + 1 < scalars.count && scalars[index + 1] == "\n"
            let isPlain = scalar == "\n" || scalar == "\t" || isLineEnd
            switch scalar.value {
            case ..<0x20 where !isPlain, 0x7F..<0xA0, 0x202A...0x202E, 0x2066...0x2069:
                Issue.record("\(arguments): U+\(String(scalar.value, radix: 16)) in \(text)")
                return
            default: break
            }
        }
    }

    @Test func logsAreRawInAPipeAndWhereThatIsAskedFor() throws {
        let daemon = try hostileDaemon()
        defer { daemon.leave() }
        let raw = (try JSONValue(parsing: "\"\(Self.hostile)\"")).stringValue ?? ""
        #expect(try bus.control("logs", "x").output == raw)
        let terminal = try bus.onTerminal("logs", "x", "--raw").output
        #expect(terminal.contains("\u{1B}[31m\u{1B}]0;t\u{7}\u{9B}2J\u{202E}y\rz"))
    }
}
