import DBus
import Glibc
import JSON
import TestSupport
import Testing

/// What a run is given, and what it gives back, between the file and the bus.
@Suite(.ownThread) struct RunSurroundingsTests {
    private func session(_ jobs: [JSONValue], _ section: JSONObject = [:]) throws -> Session {
        let session = try Session(jobs: jobs, section)
        try session.start()
        return session
    }

    private func output(_ session: Session, _ job: JSONObject) throws -> String {
        var definition: JSONObject = ["name": "one"]
        for (key, value) in job { definition[key] = value }
        let run = try session.json("run_now", .string(JSONValue.object(definition).compactText))
        return try session.waitForRun(run.text("execution_id")).text("output_preview")
    }

    // MARK: - In

    /// The run of a chain's job, ended.
    private func chained(_ session: Session, _ job: String) throws -> JSONValue {
        var found: JSONValue?
        try session.look(for: "the end of \(job)") {
            found = try session.history().first { $0.text("job") == job && $0["completed_at"]?.stringValue != nil }
            return found != nil
        }
        return try #require(found)
    }

    @Test func aChainedRunHasWhatTheOneBeforeWrote() throws {
        let session = try session(
            [
                [
                    "name": "first", "command": "head -c 99990 /dev/zero | tr '\\0' 'x'; printf 'the end é\\n'",
                    "on_success": ["file", "text"],
                ],
                [
                    "name": "file",
                    "command": "wc -c < \"$BOTCRON_PREVIOUS_OUTPUT\"; tail -c 5 \"$BOTCRON_PREVIOUS_OUTPUT\"",
                ],
                ["name": "text", "message": "got ${previous.output}", "execution_mode": "teller"],
            ],
            [
                "runners": [
                    "teller": [
                        "command": [
                            "sh", "-c", "printf %s \"$1\" | wc -c; printf %s \"$2\" | tail -c 5", "sh",
                            "${previous.output}", "${message}",
                        ]
                    ]
                ]
            ])
        let first = try session.runToEnd("first").text("execution_id")
        let file = try chained(session, "file")
        #expect(file.text("output_preview") == "100001\nd é\n")
        #expect(file.text("previous") == first)
        #expect(try chained(session, "text").text("output_preview") == "65536\nd é\n")
    }

    @Test func aJobFollowsSeveralThroughARestartOfTheDaemon() throws {
        let session = try Session(jobs: [
            ["name": "a", "command": ["true"]], ["name": "b", "command": ["true"]],
            ["name": "both", "command": "echo done", "after": ["jobs": ["a", "b"], "on": "success"]],
        ])
        let daemon = try session.start()
        _ = try session.runToEnd("a")
        try session.crash(daemon)
        try session.start()
        _ = try session.runToEnd("b")
        #expect(try chained(session, "both").text("output_preview") == "done\n")
        #expect(try session.history().count { $0.text("job") == "both" } == 1)
        // A definition of the bus that would close a circle.
        let error = try session.refusal(
            "schedule_job", #"{"name": "back", "command": "true", "after": {"job": "both"}, "on_success": ["a"]}"#)
        #expect(error.message.contains("back → a → both → back"), "\(error)")
    }

    @Test func theEnvironmentIsTheSessionsThenTheFilesThenTheJobs() throws {
        let session = try session([])
        let file = session.scratch.path + "/home/env"
        try TestFile.write("A=file\nB='from the file'\n# no\nFROM_THE_SESSION=changed\n", to: file)
        chmod(file, 0o600)
        let job: JSONObject = [
            "command": "echo $A,$B,$FROM_THE_SESSION", "environment_file": "~/env", "environment": ["A": "job"],
        ]
        #expect(try output(session, job) == "job,from the file,changed\n")
    }

    @Test func aFileThatOthersCanReadIsRefused() throws {
        let session = try session([])
        let file = session.scratch.path + "/home/env"
        try TestFile.write("A=file\n", to: file)
        chmod(file, 0o644)
        let definition: JSONValue = ["name": "one", "command": ["true"], "environment_file": .string(file)]
        let run = try session.waitForRun(
            session.json("run_now", .string(definition.compactText)).text("execution_id"))
        #expect(run["status"] == "failed")
        #expect(run.text("error").contains("environment_file"), "\(run)")
        #expect(run.text("error").contains(file))
    }

    @Test func aCleanEnvironmentHasNothingElse() throws {
        let session = try session([])
        let text = try output(session, ["command": ["env"], "clean_environment": true, "environment": ["MINE": "1"]])
        let names = Set(text.split(separator: "\n").map { $0.prefix { $0 != "=" } })
        #expect(names.contains("PATH") && names.contains("HOME") && names.contains("MINE"))
        #expect(!names.contains("FROM_THE_SESSION"))
        #expect(!names.contains("XDG_CONFIG_HOME"))
    }

    @Test func variablesOfTheServiceStayWithIt() throws {
        let session = try Session(jobs: [])
        try session.start([], ["WATCHDOG_USEC": "1000000000", "LISTEN_FDS": "0", "INVOCATION_ID": "abc"])
        let text = try output(session, ["command": "env | grep -cE 'WATCHDOG|LISTEN|INVOCATION|NOTIFY' || true"])
        #expect(text == "0\n")
    }

    @Test func aCredentialIsAFileOfTheRunAndNowhereElse() throws {
        let session = try session([])
        let file = session.scratch.path + "/home/token"
        try TestFile.write("s3cret-of-mine", to: file)
        chmod(file, 0o600)
        let text = try output(
            session,
            [
                "command":
                    "wc -c < $CREDENTIALS_DIRECTORY/key; stat -c %a $CREDENTIALS_DIRECTORY; env | grep -c s3cret",
                "credentials": ["key": .string(file)],
            ])
        #expect(text == "14\n700\n0\n")
        let kept = try session.run([
            "grep", "-rl", "s3cret-of-mine", session.stateFolder, session.scratch.path + "/runtime",
        ])
        #expect(kept.output == "", "a secret was left behind")
    }

    // MARK: - Out

    @Test func whatARunSaysOfItselfIsShownWhileItRuns() throws {
        let script = """
            echo progress 40 >&3; echo cost 0.12 >&3; while ! test -e open; do sleep 0.02; done
            echo 'result {"found": 3}' >&3; echo progress 100 >&3
            """
        let session = try session([["name": "talks", "command": ["sh", "-c", .string(script)]]])
        let id = try session.json("run_job", "talks").text("execution_id")
        try session.wait("its progress and its cost", everyUSec: 20_000) {
            let run = try session.run(id)
            return run["progress"]?.doubleValue == 40 && run["cost"]?.doubleValue == 0.12
        }
        try TestFile.write("", to: session.scratch.path + "/home/open")
        let run = try session.waitForRun(id)
        #expect(run["progress"]?.doubleValue == 100)
        #expect(run["result"] == ["found": 3])
        #expect(run["cost"]?.doubleValue == 0.12)
    }

    @Test func aRunThatAsksForARetryGetsItWhenItWants() throws {
        let script = "test $BOTCRON_ATTEMPT = 2 && exit 0; echo retry-after 0.2 >&3; exit 1"
        let session = try session([
            [
                "name": "asks", "command": ["sh", "-c", .string(script)],
                "retry": ["max_attempts": 3, "delay_seconds": 1000, "retry_on": ["auth"]],
            ]
        ])
        let run = try session.runToEnd("asks")
        #expect(run["status"] == "success")
        #expect(run["attempt"] == 2)
        #expect(try session.signal("JobRetrying", "asks").arguments[3] == .double(0.2))
    }

    @Test func whatARunCostsCountsAgainstItsBudget() throws {
        let session = try session([
            ["name": "dear", "command": "echo cost 3 >&3", "budget": ["cost_per_day": 5]]
        ])
        #expect(try session.runToEnd("dear")["status"] == "success")
        #expect(try session.runToEnd("dear")["status"] == "success")
        #expect(try session.refusal("run_job", "dear").name.text.hasSuffix("LimitsExceeded"))
    }

    @Test func outputIsReadByOffsetWhileItIsWritten() throws {
        let script = "printf first; while ! test -e open; do sleep 0.02; done; printf second"
        let session = try session([["name": "writes", "command": ["sh", "-c", .string(script)]]])
        let id = try session.json("run_job", "writes").text("execution_id")
        func part(_ offset: Int64, _ limit: UInt32 = 0) throws -> (String, Int64?) {
            let values = try session.call("get_output", .string(id), .int64(offset), .uint32(limit))
            return (String(decoding: values[0].asBytes ?? [], as: UTF8.self), values[1].asInt64)
        }
        try session.wait("the first words", everyUSec: 20_000) { try part(0).0 == "first" }
        #expect(try part(0, 3) == ("fir", 3))
        #expect(try part(3) == ("st", 5))
        #expect(try part(5) == ("", 5))
        try TestFile.write("", to: session.scratch.path + "/home/open")
        _ = try session.waitForRun(id)
        #expect(try part(5) == ("second", 11))
        #expect(try part(1000).0 == "")
    }

    // MARK: - Ends

    @Test func oneThatWritesNothingIsEndedWhereItsJobSaysSo() throws {
        let session = try session([
            [
                "name": "stalls", "command": ["sh", "-c", "trap 'exit 0' TERM; echo up; while :; do sleep 0.05; done"],
                "stall_timeout": 0.5, "on_stall": "kill", "retry": ["max_attempts": 3, "delay_seconds": 0.1],
            ]
        ])
        let run = try session.runToEnd("stalls")
        #expect(run["status"] == "failed")
        #expect(run["failure_type"] == "stalled")
        #expect(run["attempt"] == 1, "killed, and not tried again")
        #expect(run.text("error").hasPrefix("stalled: it wrote nothing for 0.5 s"), "\(run)")
    }

    @Test func oneThatStallsIsTriedAgainWhereItsJobSaysSo() throws {
        let script = "test $BOTCRON_ATTEMPT = 2 && exit 0; sleep 100"
        let session = try session([
            [
                "name": "stalls", "command": ["sh", "-c", .string(script)], "stall_timeout": 0.2,
                "on_stall": "retry", "retry": ["max_attempts": 2, "delay_seconds": 0.1],
            ]
        ])
        let run = try session.runToEnd("stalls")
        #expect(run["status"] == "success")
        #expect(run["attempt"] == 2)
    }

    @Test func oneThatStallsIsOtherwiseOnlyTalkedOf() throws {
        let session = try Session(jobs: [
            ["name": "stalls", "command": ["sh", "-c", "sleep 0.6; echo done"], "stall_timeout": 0.1]
        ])
        let daemon = try session.start()
        let run = try session.runToEnd("stalls")
        #expect(run["status"] == "success")
        #expect(daemon.text.contains("the run stalls"), "\(daemon.text)")
        #expect(run["stalled_at"]?.stringValue != nil, "\(run)")
    }

    /// The mark is its supervisor's: whoever takes the run over knows it, and a stall that was told is one.
    @Test func aStallIsKnownToTheNextDaemonToo() throws {
        let session = try Session(jobs: [
            ["name": "stalls", "command": ["sh", "-c", "sleep 100"], "stall_timeout": 0.5]
        ])
        let daemon = try session.start()
        let id = try session.json("run_job", "stalls").text("execution_id")
        try session.crash(daemon)
        // The stall is to come while no daemon is there; nothing but time tells of it.
        usleep(700_000)
        try session.start()
        try session.wait("the stall on record") { try session.run(id)["stalled_at"]?.stringValue != nil }
        let since = try session.run(id).text("stalled_at")
        _ = try session.call("cancel_run", .string(id))
        try session.wait("its end") { try session.run(id)["status"] == "cancelled" }
        #expect(try session.run(id).text("stalled_at") == since)
    }

    @Test func aRunThatTakesTooLongToFinishIsEndedAtAStop() throws {
        let session = try Session(
            jobs: [["name": "slow", "command": ["sh", "-c", "echo up; exec sleep 100"], "on_stop": "finish"]],
            ["stop_timeout": 0.5])
        let daemon = try session.start()
        let id = try session.json("run_job", "slow").text("execution_id")
        try session.wait("its output", everyUSec: 20_000) {
            try !(session.call("get_output", .string(id), .int64(0), .uint32(0))[0].asBytes ?? []).isEmpty
        }
        #expect(try session.stop(daemon) == 0)
        try session.start()
        #expect(try session.run(id)["status"] == "interrupted")
    }

    // MARK: - What is left

    @Test func outputGoesWithItsRun() throws {
        let session = try Session(jobs: [["name": "brief", "command": ["echo", "hello"], "history_limit": 2]])
        let daemon = try session.start()
        var ids: [String] = []
        for _ in 0..<5 { ids.append(try session.runToEnd("brief").text("execution_id")) }
        let folder = session.stateFolder + "/runs"
        // It is looked for a minute later, and at each start.
        try session.stop(daemon)
        try session.start()
        try session.look(for: "the folders of two runs") { ScratchFolder.names(in: folder).count == 2 }
        #expect(Set(ScratchFolder.names(in: folder)) == Set(ids.suffix(2).map { $0 + ".1" }))
        #expect(
            try session.refusal("get_output", .string(ids[0]), .int64(0), .uint32(0)).name.text.hasSuffix("RunNotFound")
        )
    }
}
