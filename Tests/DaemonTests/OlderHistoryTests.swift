import DBus
import JSON
import TestSupport
import Testing

/// The history of the program before this one, which is taken over once.
@Suite(.ownThread) struct OlderHistoryTests {
    private static let entries: JSONValue = [
        "executions": [
            [
                "job_name": "one", "skill": "coffee", "timestamp": "2026-01-26T09:00:07.250000", "success": true,
                "duration_ms": 7250, "error": nil, "output_preview": "done",
                "session_name": "cron-coffee-20260126-090000",
            ],
            [
                "job_name": "one", "skill": "coffee", "timestamp": "2026-01-27T09:00:05+01:00", "success": false,
                "duration_ms": 5000, "error": "exit 1", "output_preview": nil,
                "session_name": "cron-coffee-20260126-090000",
                "retry": ["attempts": 2, "retried": true, "failure_type": "auth"],
            ],
            ["job_name": "gone", "skill": "x/y", "timestamp": "2026-01-28T10:00:00", "success": true],
            ["job_name": "no instant"], 5, ["timestamp": "2026-01-28T10:00:00"],
        ]
    ]

    @Test func entriesBecomeRunsOnce() throws {
        let session = try Session(jobs: [["name": "one", "cron": "0 0 1 1 *", "command": ["true"]]])
        let path = session.scratch.path + "/config/aa-workflow/cron_history.json"
        try TestFile.write(Self.entries.compactText, to: path)
        let daemon = try session.start()
        // It is taken over in steps, after the start.
        try session.wait("three runs are taken over") { try session.history().count >= 3 }
        let history = try session.history()
        #expect(
            history.map { $0.text("execution_id") } == [
                "cron-x-y-20260128-100000", "cron-coffee-20260126-090000-2", "cron-coffee-20260126-090000",
            ])
        #expect(history.map { $0["success"] } == [true, false, true])
        #expect(history[2]["timestamp"] == "2026-01-26T09:00:08+00:00")
        #expect(history[2]["duration_ms"] == 7250)
        #expect(history[2]["output_preview"] == "done")
        #expect(history[1]["error"] == "exit 1")
        #expect(history[1]["retry"]?["attempts"] == 2)
        #expect(history[1]["timestamp"] == "2026-01-27T08:00:05+00:00")
        #expect(try session.json("GetStatus")["jobs_executed"] == 3)
        let job = try session.job("one")
        #expect(job["run_count"] == 2)
        #expect(job["failure_count"] == 1)
        #expect(job["last_status"] == "failed")
        #expect(job["next_run"]?.kind == .string)
        try session.look(for: "what was refused is said") { daemon.text.contains("refused=3") }
        try session.crash(daemon)
        try session.start()
        #expect(try session.history().count == 3)
        #expect(try session.job("one")["run_count"] == 2)
    }

    @Test func aFileThatDoesNotParseIsSaidAndLeft() throws {
        let session = try Session(jobs: [])
        try TestFile.write("{", to: session.scratch.path + "/config/aa-workflow/cron_history.json")
        let daemon = try session.start()
        try session.look(for: "it is said") { daemon.text.contains("cron_history.json was not taken over") }
        #expect(try session.history().isEmpty)
    }
}
