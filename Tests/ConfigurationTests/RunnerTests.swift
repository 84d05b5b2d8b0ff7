import JSON
import Scheduling
import Testing

@testable import Configuration

@Suite struct RunnerTests {
    private func variables(_ members: String, _ change: (inout RunVariables.Circumstances) -> Void = { _ in }) throws
        -> RunVariables
    {
        var circumstances = RunVariables.Circumstances(
            executionID: "cron-s-20260306-120000", scheduledAt: "2026-03-06T12:00:00+00:00", attempt: 2)
        circumstances.traceID = "0123456789abcdef0123456789abcdef"
        circumstances.traceparent = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"
        circumstances.environment = ["LANG": "de_DE.UTF-8"]
        change(&circumstances)
        return RunVariables(job: try job(members), circumstances)
    }

    private func filled(_ arguments: [String], _ members: String = #""skill": "s""#) throws -> [String] {
        try RunnerTemplate(["run"] + arguments).fill(variables(members)).dropFirst().map { $0 }
    }

    @Test(arguments: [
        ("${job}", "job-00000000"), ("${skill}", "s"), ("${session}", "cron-s-20260306-120000"),
        ("${execution_id}", "cron-s-20260306-120000"), ("${scheduled_at}", "2026-03-06T12:00:00+00:00"),
        ("${attempt}", "2"), ("${trace_id}", "0123456789abcdef0123456789abcdef"),
        // Version 4 and variant, the rest as it was.
        ("${trace_uuid}", "01234567-89ab-4def-8123-456789abcdef"),
        ("${traceparent}", "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"),
        ("${env.LANG}", "de_DE.UTF-8"), ("${inputs_json}", "{}"), ("a${skill}b${job}c", "asbjob-00000000c"),
        ("$", "$"), ("$skill", "$skill"), ("$$", "$$"), ("}", "}"), ("{skill}", "{skill}"), ("cost: $5", "cost: $5"),
    ])
    func variablesAreFilledIn(argument: String, expected: String) throws {
        #expect(try filled([argument]) == [expected])
    }

    @Test func inputsAndThePreviousRunAreVariables() throws {
        let template = try RunnerTemplate([
            "run", "${input.path}", "${input.limit}", "${input.deep}", "${previous.status}", "${previous.output}",
            "${persona}", "${project}", "${message}",
        ])
        let values = try variables(
            #""message": "hi ${input.path}", "persona": "p", "project": "~/w", "#
                + #""inputs": {"path": "/a b", "limit": 10, "deep": {"x": [1, 2.50]}}"#
        ) {
            $0.previousStatus = "success"
            $0.previousOutput = "line one\nline two"
        }
        #expect(
            template.fill(values) == [
                "run", "/a b", "10", #"{"x": [1, 2.50]}"#, "success", "line one\nline two", "p", "/home/ada/w",
                "hi /a b",
            ])
    }

    @Test(arguments: [
        (["--persona", "${persona}", "-x"], ["-x"]),
        (["--persona=${persona}", "-x"], ["-x"]),
        (["--one", "--persona", "${persona}"], ["--one"]),
        // The value before it is no flag, and stays.
        (["--skill", "${skill}", "${persona}"], ["--skill", "s"]),
        (["-p", "${persona}", "-q", "${input.none}"], []),
        (["--", "${persona}"], ["--"]), (["-", "${persona}"], ["-"]),
        // Not empty as a whole.
        (["--persona", "as ${persona}"], ["--persona", "as "]),
        // Written empty, not come out empty.
        (["--empty", ""], ["--empty", ""]),
        (["${env.NONE}", "a"], ["a"]),
    ])
    func anEmptyValueIsLeftOutWithItsFlag(arguments: [String], expected: [String]) throws {
        #expect(try filled(arguments) == expected)
    }

    @Test func theProgramIsNeverLeftOut() throws {
        #expect(try RunnerTemplate(["${persona}", "a"]).fill(variables(#""skill": "s""#)) == ["", "a"])
        #expect(try RunnerTemplate(["-run", "${persona}"]).fill(variables(#""skill": "s""#)) == ["-run"])
    }

    @Test(arguments: [
        ("${skil}", #"argument 1 of the runner, "${skil}": unknown variable "skil"; did you mean "skill"?"#),
        ("a${}", #"argument 1 of the runner, "a${}": unknown variable ""; did you mean "job"?"#),
        ("${input.}", #"argument 1 of the runner, "${input.}": unknown variable "input."; did you mean "input.NAME"?"#),
        ("x ${job", #"argument 1 of the runner, "x ${job": "${" is never closed; write ${name}"#),
    ])
    func anUnknownVariableIsAnError(argument: String, expected: String) throws {
        let error = #expect(throws: JobError.self) { try RunnerTemplate(["run", argument]) }
        #expect(error?.description == expected)
    }

    @Test func aValueIsOneArgumentWhateverItHolds() throws {
        let hostile = "'\"`$(touch /tmp/no)`${job}\n\t; rm -rf ~ && \\ \u{1F600}"
        let inputs = JSONValue.object(["message": .string(hostile)])
        let value = JSONValue.object(["skill": .string(hostile), "inputs": inputs, "persona": .string("-p")])
        let job = try reader().readJob(value, origin: .bus, in: configuration(), madeUpName: "j")
        let circumstances = RunVariables.Circumstances(executionID: "e", scheduledAt: "", attempt: 1)
        let argv = try RunCommand(job.action, RunVariables(job: job, circumstances)).argv
        #expect(argv.count == 10)
        #expect(argv[3] == hostile)
        // Strings of the inputs have their variables filled in; nothing else changes.
        let expected = hostile.replacing("${job}", with: "j")
        #expect(try JSONValue(parsing: argv[9])["message"]?.stringValue == expected)
    }

    @Test func aHundredKilobytesOfInputsAreOneArgument() throws {
        let long = String(repeating: "ä'\"\n", count: 20_000)
        let inputs = JSONValue.object(["text": .string(long)])
        let value = JSONValue.object(["skill": "s", "inputs": inputs])
        let job = try reader().readJob(value, origin: .bus, in: configuration(), madeUpName: "j")
        let circumstances = RunVariables.Circumstances(executionID: "e", scheduledAt: "", attempt: 1)
        let argv = try RunCommand(job.action, RunVariables(job: job, circumstances)).argv
        #expect(argv.count == 8)
        #expect(argv[7].utf8.count > 100 << 10)
        #expect(try JSONValue(parsing: argv[7]) == inputs)
    }

    @Test func aValueIsNotLookedThroughAgain() throws {
        let values = try variables(#""message": "${input.a} ${nope} ${", "inputs": {"a": "${input.b}", "b": "${job}"}"#)
        #expect(values.message == "${job} ${nope} ${")
        #expect(values.inputs == #"{"a": "${job}", "b": "job-00000000"}"#)
        let own = try variables(#""skill": "s", "inputs": {"a": "${inputs_json}", "b": "${message}"}"#)
        #expect(own.inputs == #"{"a": "${inputs_json}", "b": "${message}"}"#)
    }

    @Test func inputsOfTheRequestTakeThePlaceOfTheJobs() throws {
        let job = try job(#""skill": "s", "inputs": {"a": 1}"#)
        let circumstances = RunVariables.Circumstances(executionID: "e", scheduledAt: "", attempt: 1)
        #expect(RunVariables(job: job, inputs: #"{"b":"${attempt}"}"#, circumstances).inputs == #"{"b": "1"}"#)
    }

    @Test func noArgumentHoldsANUL() throws {
        let values = try variables(#""skill": "s""#) { $0.previousOutput = "a\0b" }
        #expect(try RunnerTemplate(["run", "${previous.output}"]).fill(values) == ["run", "a\u{FFFD}b"])
        let inputs = try variables(#""skill": "s", "inputs": {"a": "x\u0000y"}"#)
        #expect(try RunnerTemplate(["run", "${inputs_json}"]).fill(inputs) == ["run", #"{"a": "x\u0000y"}"#])
        #expect(try RunnerTemplate(["run", "${input.a}"]).fill(inputs) == ["run", "x\u{FFFD}y"])
    }

    @Test func withoutATraceItsVariablesAreEmpty() throws {
        let values = try variables(#""message": "hello""#) {
            $0.traceID = ""
            $0.traceparent = ""
        }
        let argv = try RunnerTemplate(try #require(Runners.builtIn["message"])).fill(values)
        #expect(argv == ["claude", "--print", "hello"])
    }

    @Test func thePromptNamesEverything() throws {
        let job = try job(
            #""name": "nightly", "skill": "tests/run", "persona": "dev", "inputs": {"a": 1}, "#
                + #""execution_mode": "claude_prompt""#,
            section: #""runners": {"claude_prompt": {"extra_arguments": ["--permission-mode", "plan"]}}"#)
        let circumstances = RunVariables.Circumstances(executionID: "cron-x-1", scheduledAt: "", attempt: 1)
        let argv = try RunCommand(job.action, RunVariables(job: job, circumstances)).argv
        #expect(argv.dropLast() == ["claude", "--print", "--permission-mode", "plan"])
        let prompt = try #require(argv.last)
        for part in ["nightly", "tests/run", #"{"a": 1}"#, "cron-x-1", "Load the persona \"dev\"", "report"] {
            #expect(prompt.contains(part), "the prompt lacks \(part): \(prompt)")
        }
    }

    @Test func commandsAndScriptsAreAsWritten() throws {
        let circumstances = RunVariables.Circumstances(executionID: "e", scheduledAt: "", attempt: 1)
        func argv(_ members: String, section: String = "") throws -> [String] {
            let job = try job(members, section: section)
            return try RunCommand(job.action, RunVariables(job: job, circumstances)).argv
        }
        #expect(try argv(#""command": ["echo", "${job}", ""]"#) == ["echo", "${job}", ""])
        #expect(try argv(#""command": "echo $HOME | cat""#) == ["/bin/sh", "-c", "echo $HOME | cat"])
        #expect(
            try argv(#""script": "~/a.py", "args": ["${job}", "~"]"#) == ["python3", "/home/ada/a.py", "${job}", "~"])
        #expect(
            try argv(
                #""script": "a.py""#,
                section: #""runners": {"python_script": {"command": ["uv", "run", "--env", "${job}"]}}"#)
                == ["uv", "run", "--env", "job-00000000", "a.py"])
    }
}
