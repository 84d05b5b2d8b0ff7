import DBus
import JSON
import TestSupport
import Testing

/// What a run's process is given, seen by an agent CLI that writes it down.
@Suite(.ownThread) struct AgentTests {
    private func call(_ session: Session, _ job: JSONValue = "standup") throws -> (FakeClaude.Call, JSONValue) {
        let run = try session.runToEnd(job)
        #expect(run["status"] == "success", "\(run)")
        return (try #require(session.claude.calls().first), run)
    }

    private static func standup(_ inputs: JSONValue = [:], _ more: JSONObject = [:]) -> JSONValue {
        var job: JSONObject = [
            "name": "standup", "cron": "0 9 * * MON-FRI", "skill": "coffee", "persona": "developer", "inputs": inputs,
        ]
        for (key, value) in more { job[key] = value }
        return .object(job)
    }

    @Test func theAgentGetsSkillSessionPersonaAndInputs() throws {
        let session = try Session(jobs: [Self.standup(["repo": "backend", "limit": 10])])
        try session.start()
        let (call, run) = try call(session)
        let id = run.text("execution_id")
        #expect(id.wholeMatch(of: /cron-coffee-\d{8}-\d{6}/) != nil)
        #expect(call.arguments.count == 9, "\(call.arguments)")
        #expect(
            call.arguments.dropLast() == [
                "--print", "--skill", "coffee", "--session", id, "--persona", "developer", "--inputs",
            ])
        #expect(try JSONValue(parsing: call.arguments.last ?? "") == ["repo": "backend", "limit": 10])
        #expect(run["output_preview"] == "agent says hello\n")
    }

    @Test func anEmptyValueIsLeftOutWithItsFlag() throws {
        let session = try Session(jobs: [["name": "standup", "skill": "coffee"]])
        try session.start()
        let (call, run) = try call(session)
        #expect(!call.arguments.contains("--persona"))
        #expect(
            call.arguments.prefix(5) == [
                "--print", "--skill", "coffee", "--session", run["execution_id"]?.stringValue ?? "",
            ])
    }

    @Test func anyValueStaysOneArgument() throws {
        let inputs: JSONValue = [
            "quotes": "'\"`\\", "lines": "a\nb\r\n\tc",
            "shell": "$(touch /nowhere) ${HOME} $PATH; rm -rf * && x | y > z",
            "unicode": "äöü€𝄞\u{1}\u{7f}", "empty": "", "spaces": "  two  ", "glob": "*?[a-z]~",
        ]
        let session = try Session(jobs: [
            Self.standup(inputs, ["persona": "it's \"me\" $(id)\n--inputs"])
        ])
        try session.start()
        let (call, _) = try call(session)
        #expect(call.arguments.count == 9, "\(call.arguments)")
        #expect(call.arguments[6] == "it's \"me\" $(id)\n--inputs")
        #expect(try JSONValue(parsing: call.arguments[8]) == inputs)
    }

    @Test func inputsOf100KiBArriveWhole() throws {
        let inputs: JSONValue = ["text": .string(String(repeating: "0123456789abcdef", count: 100 * 1024 / 16))]
        let session = try Session(jobs: [Self.standup(inputs)])
        try session.start()
        let (call, _) = try call(session)
        #expect(try JSONValue(parsing: call.arguments.last ?? "") == inputs)
    }

    @Test func anArgumentBeyondTheKernelsLimitFailsTheRunAndSaysSo() throws {
        let session = try Session(jobs: [
            Self.standup(["text": .string(String(repeating: "x", count: 128 * 1024))]),
            ["name": "other", "command": ["true"]],
        ])
        try session.start()
        let run = try session.runToEnd("standup")
        #expect(run["status"] == "failed")
        // 128 KiB, its closing NUL included.
        #expect(run.text("error").contains("at most 131071"), "\(run)")
        #expect(session.claude.calls().isEmpty)
        #expect(session.story(run.text("execution_id")) == ["JobStarted", "JobFailed"])
        #expect(try session.runToEnd("other")["status"] == "success")
    }

    @Test func inputsGivenWithTheRunReplaceThoseOfTheJob() throws {
        let session = try Session(jobs: [Self.standup(["a": 1])])
        try session.start()
        let (call, _) = try call(session, ["job": "standup", "inputs": ["a": 2, "b": [true, nil]]])
        #expect(try JSONValue(parsing: call.arguments.last ?? "") == ["a": 2, "b": [true, nil]])
        #expect(try session.job("standup")["inputs"] == ["a": 1])
    }

    @Test func theEnvironmentIsTheSessionsAndTellsOfTheRun() throws {
        let session = try Session(jobs: [
            Self.standup([:], ["environment": ["EXTRA": "one", "FROM_THE_SESSION": "changed", "LANG": "C"]])
        ])
        try session.start(
            [],
            [
                "NOTIFY_SOCKET": session.scratch.path + "/notify", "WATCHDOG_USEC": "20000000", "LISTEN_FDS": "1",
                "LISTEN_PID": "1", "LISTEN_FDNAMES": "x", "INVOCATION_ID": "00000000000000000000000000000001",
                "JOURNAL_STREAM": "1:2", "WATCHDOG_PID": "1", "SESSION_ONLY": "yes",
            ])
        let (call, run) = try call(session)
        let environment = call.environment
        #expect(environment["EXTRA"] == "one")
        #expect(environment["FROM_THE_SESSION"] == "changed")
        #expect(environment["SESSION_ONLY"] == "yes")
        #expect(environment["HOME"] == session.scratch.path + "/home")
        #expect(environment["DBUS_SESSION_BUS_ADDRESS"] == session.address)
        #expect(environment["BOTCRON_JOB"] == "standup")
        #expect(environment["BOTCRON_EXECUTION_ID"] == run.text("execution_id"))
        #expect(environment["BOTCRON_SESSION_ID"] == run.text("execution_id"))
        #expect(environment["BOTCRON_SOURCE"] == "manual")
        #expect(environment["BOTCRON_PERSONA"] == "developer")
        #expect(environment["BOTCRON_ATTEMPT"] == "1")
        #expect(environment["BOTCRON_MISSED"] == "0")
        let trace = try #require(environment["TRACEPARENT"])
        #expect(trace.wholeMatch(of: /00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]/) != nil, "\(trace)")
        #expect(trace.split(separator: "-").dropFirst().first.map(String.init) == run.text("trace_id"))
        for name in [
            "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES",
            "INVOCATION_ID", "JOURNAL_STREAM",
        ] {
            #expect(environment[name] == nil, "\(name)")
        }
    }

    @Test func theProcessHasItsOwnSessionAndNothingOfTheDaemons() throws {
        let session = try Session(jobs: [Self.standup()])
        try session.start()
        let (call, _) = try call(session)
        #expect(call.sessionID == call.pid)
        #expect(call.group == call.pid)
        #expect(call.workingDirectory == session.scratch.path + "/home")
        #expect(call.descriptors[0] == "/dev/null")
        // A shell ignores or blocks nothing by itself.
        #expect(call.signals.contains("SigBlk:\t0000000000000000"), "\(call.signals)")
        #expect(call.signals.contains("SigIgn:\t0000000000000000"), "\(call.signals)")
        let own = ["BOTCRON_CONTEXT_FD", "BOTCRON_ANSWER_FD"].compactMap { call.environment[$0].flatMap { Int($0) } }
        let known = Set([0, 1, 2] + own)
        #expect(own.count == 2)
        #expect(Set(call.descriptors.keys).isSubset(of: known), "\(call.descriptors)")
    }

    @Test func aScheduledRunNamesItsFireTime() throws {
        let session = try Session(jobs: [Self.standup([:], ["cron": "* * * * * *", "timezone": "Asia/Kolkata"])])
        try session.start()
        let id = try session.signal("JobCompleted", "standup")[1]
        let call = try #require(session.claude.calls().first { $0.environment["BOTCRON_EXECUTION_ID"] == id })
        let fire = try #require(call.environment["BOTCRON_SCHEDULED_AT"])
        #expect(fire == (try session.run(id)).text("scheduled_for"))
        #expect(fire.hasSuffix("+05:30"))
        #expect(
            id == "cron-coffee-" + fire.prefix(10).filter(\.isNumber) + "-"
                + fire.dropFirst(11).prefix(8).filter(\.isNumber))
        #expect(call.environment["BOTCRON_SOURCE"] == "cron")
        #expect(call.environment["BOTCRON_MISSED"] == "1")
        #expect((try session.run(id))["trigger"] == "schedule")
    }

    @Test func theOtherKindsOfWorkAreStartedAsTheyAreWritten() throws {
        let session = try Session(
            jobs: [
                ["name": "shell", "command": "echo \"$0:$((1 + 1)):$EXTRA\"", "environment": ["EXTRA": "e"]],
                ["name": "argv", "command": ["printf", "[%s]", "$HOME", "a b", "${skill}", ""]],
                ["name": "script", "script": "~/s.py", "args": ["a b", "$(c)"], "execution_mode": "python_script"],
                ["name": "folder", "command": ["pwd"], "working_directory": "~/below"],
                ["name": "own", "skill": "s", "execution_mode": "mine", "inputs": ["who": "me & you"]],
            ],
            ["runners": ["mine": ["command": ["printf", "%s|", "${job}", "${skill}", "${input.who}"]]]])
        let home = session.scratch.path + "/home"
        try TestFile.makeFolder(home + "/below")
        try TestFile.write("import sys\nprint(sys.argv[1:])\n", to: home + "/s.py")
        try session.start()
        func output(_ job: JSONValue) throws -> String {
            let run = try session.runToEnd(job)
            return run["status"] == "success" ? run.text("output_preview") : "\(run)"
        }
        #expect(try output("shell") == "/bin/sh:2:e\n" || output("shell") == "sh:2:e\n")
        #expect(try output("argv") == "[$HOME][a b][${skill}][]")
        #expect(try output("script") == "['a b', '$(c)']\n")
        #expect(try output("folder") == home + "/below\n")
        #expect(try output("own") == "own|s|me & you|")
    }
}
