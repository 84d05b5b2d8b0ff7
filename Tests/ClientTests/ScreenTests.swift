import Contract
import Glibc
import JSON
import TestSupport
import Testing

@testable import botcronctl

/// What people see: each verb that prints facts, on screens of 80 and 120 columns, with and without colour, of jobs
/// with names and words of every kind. A look at the files shows what is ugly; the tests, that nothing is lost.
///
/// All instants are far away, so that how long ago something was is the same text for decades.
@Suite struct ScreenTests {
    private let bus: Bus

    init() throws { bus = try Bus() }

    private static let long = String(repeating: "nightly-", count: 15) + "backup-x"
    private static let words = "朝の報告を書く、チームのために"
    private static let hebrew = "דוח יומי של הצוות"

    private static func job(_ name: String, _ more: JSONObject = [:]) -> JSONValue {
        var job: JSONObject = [
            "name": .string(name), "title": .string(name), "description": "", "enabled": true, "origin": "config",
            "schedule_type": "cron", "schedule": "0 9 * * MON-FRI", "cron": "0 9 * * MON-FRI",
            "timezone": "Europe/Berlin", "next_run": "2190-01-01T09:00:00+00:00", "last_run": .null,
            "last_status": .null, "run_count": 0, "failure_count": 0, "running": [], "waiting_for": [], "tags": [],
            "error": .null, "disabled_reason": .null, "changes": [], "recent_runs": [],
        ]
        for (key, value) in more { job[key] = value }
        return .object(job)
    }

    private static func run(_ job: String, _ number: Int, _ status: String, _ more: JSONObject = [:]) -> JSONValue {
        var run: JSONObject = [
            "execution_id": .string("cron-\(job.prefix(40))-19900101-09000\(number)"), "job": .string(job),
            "status": .string(status), "trigger": "schedule", "started_at": "1990-01-01T09:00:00+00:00",
            "duration_ms": 1250, "exit_code": status == "success" ? 0 : .null, "error": .null, "attempt": 1,
        ]
        for (key, value) in more { run[key] = value }
        return .object(run)
    }

    private static let runs: [JSONValue] = [
        run("report", 3, "failed", ["error": "exited with status 3: no space is left on the device /dev/mapper/home"]),
        run(long, 2, "timeout", ["error": "ran longer than 300 s", "trigger": "catch_up", "attempt": 2]),
        run("後", 4, "missed", ["started_at": .null, "scheduled_for": "1990-01-01T09:00:00+00:00", "reason": "asleep"]),
        run("send", 1, "success", ["previous": "cron-report-19900101-090003", "trigger": "chain"]),
        run("report", 0, "success", ["caveat": .string("\(hebrew): \(words)")]),
    ]

    private static let jobs: [JSONValue] = [
        job("bad", ["next_run": .null, "error": "out_of_range minute \"61\" at 0: expected 0 to 59"]),
        job(long, ["last_status": "timeout", "last_run": "1990-01-01T09:00:00+00:00", "description": .string(words)]),
        job(
            "off",
            [
                "enabled": false, "next_run": .null,
                "disabled_reason": "the quota of the month is used up; ask Ann before it is enabled again",
            ]),
        job(
            "report",
            [
                "title": .string(hebrew), "description": .string("\(words) \(words) \(words) \(words)"),
                "last_status": "failed", "last_run": "1990-01-01T09:00:00+00:00", "run_count": 2, "failure_count": 1,
                "tags": ["日報", "דוח"],
                "changes": [
                    [
                        "what": "disabled", "at": "1990-01-01T09:00:00+00:00", "until": "2190-01-01T09:00:00+00:00",
                        "reason": .string(words), "by": "python3 (/usr/bin/python3.11)",
                    ],
                    ["what": "created", "at": "1990-01-01T08:00:00+00:00", "by": "a client that has left (:1.42)"],
                ],
                "recent_runs": .array(runs.filter { $0.text("job") == "report" }),
                "definition": ["name": "report", "cron": "0 9 * * MON-FRI", "command": ["report", .string(words)]],
            ]),
    ]

    private static let status: JSONValue = [
        "version": .string(botcronVersion), "status": "paused", "enabled": false, "uptime": 90_000, "job_count": 3,
        "paused_since": "1990-01-01T09:00:00+00:00", "paused_by": "python3 (/usr/bin/python3.11)",
        "jobs_executed": 5, "jobs_failed": 2, "timezone": "Europe/Berlin", "execution_mode": "claude_cli",
        "configuration": "/home/ann/.config/aa-workflow/config.json", "active_runs": [],
        "refused_jobs": [["name": "bad", "error": "no"]], "refused_count": 1, "recent_executions": .array(runs),
    ]

    private func daemon(_ jobs: [JSONValue], _ runs: [JSONValue], _ status: JSONValue) throws -> FakeDaemon {
        let health: JSONValue = [
            "healthy": false, "checks": ["config_valid": false, "running": true], "message": "Unhealthy",
        ]
        return try FakeDaemon(
            on: bus, isEnabled: false,
            [
                .queryJobs: { $0.reply(json: JSONValue.object(["jobs": .array(jobs)]).compactText) },
                .getJob: { call in
                    let job = jobs.first { $0.text("name") == call.firstText }
                    if let job { call.reply(json: job.compactText) } else { call.fail(.jobNotFound) }
                },
                .queryHistory: { $0.reply(json: JSONValue.object(["runs": .array(runs)]).compactText) },
                .getStatus: { $0.reply(json: status.compactText) }, .getStats: { $0.reply(json: status.compactText) },
                .healthCheck: { $0.reply(json: health.compactText) },
                .explainJob: { $0.reply(json: #"{"reasons": [{"sentence": "the job is disabled: quota used up"}]}"#) },
                .queueList: { $0.reply(json: #"[{"queue": "results", "items": 3, "bytes": 120}]"#) },
            ])
    }

    private static let verbs = [
        ["list"], ["show", "report"], ["show", "off"], ["show", "bad"], ["show", long], ["history"],
        ["history", "--tree"], ["status"], ["health"], ["why", "off"],
    ]

    /// On a terminal of so many columns; escapes as a letter, so that they are seen in a file.
    private func shown(_ arguments: [String], width: Int, isColoured: Bool) throws -> String {
        let command = ([Bus.botcronctl] + arguments + (isColoured ? [] : ["--no-color"])).map { "'\($0)'" }
            .joined(separator: " ")
        let program = try RunningProgram(
            ["script", "--quiet", "--return", "--command", "stty cols \(width); \(command)", "/dev/null"],
            environment: [
                "PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC", "TERM=xterm", "PAGER=cat",
                "DBUS_SESSION_BUS_ADDRESS=\(bus.address)",
            ], on: bus)
        return try program.finish().output.replacing("\r\n", with: "\n").replacing("\u{1B}", with: "␛")
    }

    /// Written anew with `UPDATE_GOLDEN=1`; what is different is for a person to look at.
    private func expect(_ text: String, _ name: String) throws {
        let path = TestPlace.package + "/Tests/ClientTests/Golden/" + name
        if getenv("UPDATE_GOLDEN") != nil { return try TestFile.write(text, to: path, mode: 0o644) }
        #expect(try text == TestFile.ownText(path), "\(name), which UPDATE_GOLDEN=1 takes over, differs from:\n\(text)")
    }

    @Test(arguments: [80, 120], [false, true])
    func whatPeopleSeeIsWhatWasLookedAt(_ width: Int, _ isColoured: Bool) throws {
        let daemon = try daemon(Self.jobs, Self.runs, Self.status)
        defer { daemon.leave() }
        var text = ""
        for verb in Self.verbs {
            let output = try shown(verb, width: width, isColoured: isColoured)
            text += "$ botcronctl \(verb.joined(separator: " "))\n\(output)\n"
            if isColoured { continue }
            let tooWide = output.split(separator: "\n").filter { cellWidth(String($0)) > width }
            #expect(tooWide.isEmpty, "\(verb): \(tooWide)")
        }
        try expect(text, "screen-\(width)\(isColoured ? "-colour" : "").txt")
    }

    /// Whatever the width, the names of all jobs and how each failed are there.
    @Test(arguments: [40, 80, 120]) func noNameAndNoFailureIsLost(_ width: Int) throws {
        let daemon = try daemon(Self.jobs, Self.runs, Self.status)
        defer { daemon.leave() }
        func joined(_ verb: String...) throws -> String {
            try shown(verb, width: width, isColoured: false).filter { !$0.isWhitespace }
        }
        let list = try joined("list")
        for job in Self.jobs { #expect(list.contains(job.text("name")), "\(job.text("name")): \(list)") }
        for word in ["notschedulable", "61", "failed", "timeout", "disabled"] {
            #expect(list.contains(word), "\(list)")
        }
        for history in [try joined("history"), try joined("history", "--tree")] {
            for run in Self.runs { #expect(history.contains(run.text("job")), "\(history)") }
            for word in ["failed", "timeout", "missed", "exitedwithstatus3", "ranlonger", "asleep"] {
                #expect(history.contains(word), "\(word): \(history)")
            }
        }
    }

    @Test func whereThereAreNoJobsThatIsSaid() throws {
        let status: JSONValue = [
            "version": .string(botcronVersion), "status": "running", "configuration": "/home/ann/config.json",
        ]
        let daemon = try daemon([], [], status)
        defer { daemon.leave() }
        var text = ""
        for verb in [
            ["list"], ["list", "x*"], ["history"], ["history", "--tree"], ["history", "--failed"], ["status"],
        ] {
            text += "$ botcronctl \(verb.joined(separator: " "))\n"
            text += try shown(verb, width: 80, isColoured: false) + "\n"
        }
        try expect(text, "screen-empty.txt")
    }

    /// The doctor's own sentences are of this machine; that they keep to the screen is of any.
    @Test(arguments: [80, 120]) func theDoctorKeepsToTheScreen(_ width: Int) throws {
        let daemon = try daemon(Self.jobs, Self.runs, Self.status)
        defer { daemon.leave() }
        let lines = try shown(["doctor"], width: width, isColoured: false).split(separator: "\n").map(String.init)
        let tooWide = lines.filter { cellWidth($0) > width }
        #expect(tooWide.isEmpty, "\(tooWide)")
        #expect(lines.contains { $0.hasPrefix("bad ") && $0.contains("bad jobs") }, "\(lines)")
    }

    /// In a pipe nothing is cut or coloured, and JSON is what the bus has.
    @Test func whatProgramsReadIsWhole() throws {
        let daemon = try daemon(Self.jobs, Self.runs, Self.status)
        defer { daemon.leave() }
        var text = ""
        for verb in [["list"], ["show", "report"], ["history"], ["status"], ["health"]] {
            let outcome = try bus.control(verb[0], verb.count > 1 ? verb[1] : "--json", "--json")
            text += "$ botcronctl \(verb.joined(separator: " ")) --json\n\(outcome.output)\n"
        }
        try expect(text, "screen.json.txt")
        let plain = try bus.control("history").output
        #expect(!plain.contains("…") && plain.contains(Self.long) && plain.contains("/dev/mapper/home"), "\(plain)")
    }
}
