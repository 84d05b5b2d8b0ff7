import DBus
import Glibc
import JSON
import TestSupport
import Testing

/// Keys of jobs, as they act on processes.
@Suite(.ownThread) struct PolicyTests {
    private func schedule(_ session: Session, _ job: JSONValue) throws -> JSONValue {
        try session.json("schedule_job", .string(job.compactText))
    }

    @Test func otherExitCodesMayBeSuccess() throws {
        let session = try Session(jobs: [
            ["name": "three", "command": ["sh", "-c", "exit 3"], "success_exit_codes": [0, 3]]
        ])
        try session.start()
        let run = try session.runToEnd("three")
        #expect(run["status"] == "success")
        #expect(run["exit_code"] == 3)
    }

    @Test func aRemedyRunsBeforeTheRetryOfItsKindOfFailure() throws {
        let session = try Session(
            jobs: [
                [
                    "name": "login",
                    "command": ["sh", "-c", "test -e token && exit 0; echo HTTP 401 Unauthorized; exit 1"],
                    "retry": ["max_attempts": 2, "delay_seconds": 0.1],
                ],
                [
                    "name": "other", "command": ["sh", "-c", "test -e other && exit 0; touch other; exit 1"],
                    "retry": ["max_attempts": 2, "delay_seconds": 0.1],
                ],
            ],
            ["remediation": ["auth": ["sh", "-c", "touch token; echo $BOTCRON_ATTEMPT >> remedies; exit 7"]]])
        try session.start()
        // No failure of this kind: no remedy.
        #expect(try session.runToEnd("other")["attempt"] == 2)
        #expect(TestFile.text(session.scratch.path + "/home/remedies").isEmpty)
        let run = try session.runToEnd("login")
        #expect(run["status"] == "success" && run["attempt"] == 2, "\(run)")
        #expect(TestFile.text(session.scratch.path + "/home/remedies") == "2\n")
        #expect(session.story(run.text("execution_id")) == ["JobStarted", "JobRetrying", "JobCompleted"])
    }

    /// Whoever cancels the run while its remedy is just ending means the run all the same.
    @Test func aCancelThatComesAtTheEndOfARemedyIsNotLost() throws {
        let session = try Session(
            jobs: [
                [
                    "name": "login", "command": ["sh", "-c", "echo HTTP 401 Unauthorized; echo >> tries; exit 1"],
                    "retry": ["max_attempts": 2, "delay_seconds": 0.01],
                ]
            ],
            ["remediation": ["auth": ["sh", "-c", "echo $$ $PPID > pids; until test -e gate; do sleep 0.02; done"]]])
        let home = session.scratch.path + "/home"
        try session.start()
        let id = try session.json("run_job", .string("login")).text("execution_id")
        try session.look(for: "the remedy") { TestFile.text(home + "/pids").hasSuffix("\n") }
        let pids = TestFile.text(home + "/pids").split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }
        try #require(pids.count == 2)
        // Its supervisor sees its end before the wish to end it, however late it looks.
        #expect(kill(pids[1], SIGSTOP) == 0)
        try TestFile.write("go\n", to: home + "/gate")
        try session.look(for: "the end of the remedy") { ProcessState.isGone(Int(pids[0])) }
        try session.done("cancel_run", .string(id))
        #expect(kill(pids[1], SIGCONT) == 0)
        #expect(try session.waitForRun(id)["status"] == "cancelled")
        #expect(TestFile.text(home + "/tries") == "\n", "the next attempt began after the cancel")
    }

    private static let isLong = getenv("BOTCRON_LONG_TESTS") != nil

    /// What retention leaves is swept away a minute after the first run that it removes.
    @Test(.enabled(if: isLong)) func aRemedyThatTakesLongKeepsItsFolder() throws {
        let session = try Session(
            jobs: [
                ["name": "tick", "cron": "* * * * * *", "command": ["true"], "history_limit": 1],
                [
                    "name": "login",
                    "command": ["sh", "-c", "test -e gate && exit 0; echo HTTP 401 Unauthorized; exit 1"],
                    "retry": ["max_attempts": 2, "delay_seconds": 0.01],
                ],
            ],
            ["remediation": ["auth": ["sh", "-c", "until test -e gate; do sleep 0.1; done"]]])
        try session.start()
        let id = try session.json("run_job", .string("login")).text("execution_id")
        let runs = session.stateFolder + "/runs"
        func folders() -> [String] { ScratchFolder.names(in: runs) }
        func hasRemedy() -> Bool { folders().contains { $0.hasPrefix(id + "~remedy.") } }
        try session.look(for: "the remedy", until: hasRemedy)
        try TestFile.makeFolder(runs + "/nobody.1")
        try session.look(for: "a sweep", seconds: 150) { !folders().contains("nobody.1") }
        #expect(hasRemedy())
        try TestFile.write("", to: session.scratch.path + "/home/gate")
        let run = try session.waitForRun(id)
        #expect(run["status"] == "success" && run["attempt"] == 2, "\(run)")
    }

    /// In the older spelling `max_attempts` counts the retries after the first try.
    @Test func theOlderSpellingOfRetryCountsRetriesAndKnowsFailures() throws {
        let session = try Session(
            jobs: [
                ["name": "auth", "command": ["sh", "-c", "echo HTTP 401 Unauthorized; exit 1"]],
                ["name": "plain", "command": ["sh", "-c", "echo 4012 things; exit 1"]],
                ["name": "never", "command": ["sh", "-c", "echo 401; exit 1"], "retry": false],
            ],
            [
                "default_retry": [
                    "max_attempts": 1, "backoff": "exponential", "initial_delay_seconds": 1, "max_delay_seconds": 300,
                    "retry_on": ["auth", "network"],
                ]
            ])
        try session.start()
        let ids = try ["auth", "plain", "never"].map {
            try session.json("run_job", .string($0)).text("execution_id")
        }
        let runs = try ids.map { try session.waitForRun($0) }
        #expect(runs.map { $0["attempt"] } == [2, 1, 1])
        #expect(runs.map { $0.text("failure_type") } == ["auth", "unknown", "auth"])
        #expect(session.story(ids[0]) == ["JobStarted", "JobRetrying", "JobFailed"])
        #expect(session.story(ids[2]) == ["JobStarted", "JobFailed"])
    }

    @Test func aJobRunsAfterAnother() throws {
        let session = try Session(jobs: [
            ["name": "first", "command": ["true"], "on_success": ["second"], "on_failure": ["never"]],
            ["name": "second", "command": ["sh", "-c", "echo $BOTCRON_SOURCE"]],
            ["name": "third", "command": ["true"], "after": ["job": "second", "on": "any"]],
            ["name": "never", "command": ["true"]],
        ])
        try session.start()
        try session.runToEnd("first")
        let second = try session.signal("JobCompleted", "second")
        let run = try session.run(second[1])
        #expect(run["trigger"] == "chain")
        #expect(run["output_preview"] == "chain\n")
        try session.signal("JobCompleted", "third")
        #expect(try session.history().map { $0.text("job") } == ["third", "second", "first"])
    }

    @Test func onceRunsOnceAndIsFinished() throws {
        let session = try Session(jobs: [])
        let daemon = try session.start()
        let answer = try schedule(session, ["name": "soon", "once": "in 1 second", "command": ["true"]])
        let at = answer.text("next_run")
        try session.signal("JobCompleted", "soon")
        let job = try session.job("soon")
        #expect(job["next_run"] == .null)
        #expect(job["status"] == "completed")
        #expect(try session.history().map { $0.text("scheduled_for") } == [at])
        try session.stop(daemon)
        try session.start()
        #expect(try session.job("soon")["next_run"] == .null)
        #expect(try session.history().count == 1)

        let past: JSONValue = ["name": "past", "once": "2020-01-01T00:00:00Z", "command": ["true"]]
        let refused = try session.refusal("schedule_job", .string(past.compactText))
        #expect(refused.name == "com.aiworkflow.BotCron.Error.InvalidSchedule")
        #expect(refused.message.contains("in_past"), "\(refused)")
        _ = try schedule(
            session,
            [
                "name": "past", "once": "2020-01-01T00:00:00Z", "allow_past": true, "command": ["true"],
            ])
        try session.signal("JobCompleted", "past")
    }

    @Test func aJobIsFinishedAfterItsExecutions() throws {
        let session = try Session(jobs: [
            ["name": "two", "interval": "1s", "max_executions": 2, "command": ["true"]]
        ])
        let daemon = try session.start()
        try session.wait("two runs") { session.signals.filter { $0.member == "JobCompleted" }.count == 2 }
        #expect(try session.job("two")["next_run"] == .null)
        let fired = try session.history().compactMap { FiringTests.seconds($0.text("scheduled_for")) }
        #expect(fired.count == 2 && fired[0] == fired[1] + 1, "\(fired)")
        try session.stop(daemon)
        try session.start()
        #expect(try session.job("two")["next_run"] == .null)
        #expect(try session.property("NextRun") == "")
    }

    @Test func manyRunsAtOnceKeepToTheLimit() throws {
        let session = try Session(
            jobs: [
                [
                    "name": "many", "overlap_policy": "allow",
                    "command": ["sh", "-c", "echo + >> log; sleep 0.02; echo - >> log"],
                ]
            ],
            ["max_concurrent_executions": 3])
        try session.start()
        let ids = try (0..<30).map { _ in try session.json("run_job", "many").text("execution_id") }
        for id in ids { #expect(try session.waitForRun(id)["status"] == "success") }
        var active = 0
        for mark in TestFile.text(session.scratch.path + "/home/log").split(separator: "\n") {
            active += mark == "+" ? 1 : -1
            #expect((0...3).contains(active))
        }
        let started = session.signals.filter { $0.member == "JobStarted" }.map { $0[1] }
        #expect(started == ids)
    }

    @Test func whatAProcessCannotBeGivenFailsTheRunAndNotTheDaemon() throws {
        let session = try Session(jobs: [])
        try session.start()
        let bad: [JSONValue] = [
            ["command": ["echo", "a\0b"]], ["command": ["ec\0ho"]], ["command": [""]], ["command": "echo \0"],
            ["command": ["true"], "environment": ["A=B": "x"]], ["command": ["true"], "environment": ["A": "x\0y"]],
            ["command": ["true"], "environment": ["": "x"]], ["command": ["true"], "working_directory": "/tmp\0/x"],
            ["skill": "a\0b", "persona": "c\0d"], ["command": ["/"]], ["command": ["/etc/passwd"]],
        ]
        for job in bad {
            switch try session.reply("run_now", [.string(job.compactText)]) {
            case .failure(let error):
                #expect(error.name == "com.aiworkflow.BotCron.Error.InvalidJob", "\(job): \(error)")
            case .success(let values):
                let run = try JSONValue(parsing: values.first?.asString ?? "")
                let ended = try session.waitForRun(run.text("execution_id"))
                #expect(ended["status"] == "failed", "\(job): \(ended)")
                #expect(!ended.text("error").isEmpty, "\(job): \(ended)")
            }
        }
        #expect(try session.call("Ping") == ["pong"])
        #expect(session.claude.calls().isEmpty)
    }

    @Test func thousandsOfJobsAreListedAndScheduled() throws {
        let jobs: [JSONValue] = (0..<2000).map {
            ["name": .string("job\($0)"), "cron": .string("\($0 % 60) \($0 % 24) * * *"), "command": ["true"]]
        }
        let session = try Session(jobs: jobs)
        try session.start()
        let listed = try #require(try session.json("list_jobs").arrayValue)
        #expect(listed.count == 2000)
        #expect(listed.allSatisfy { $0["next_run"] != .null && $0["error"] == .null })
        #expect(try session.runToEnd("job1999")["status"] == "success")
    }
}
