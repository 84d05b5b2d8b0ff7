import Client
import Contract
import JSON
import TestSupport
import Testing

/// `questions`, `answer`, and groups that are held.
@Suite struct QuestionVerbTests {
    /// Within a string of the configuration.
    private static let question = #"""
        {\"question\": \"Delete \\u001b[31mit?\\nReally?\", \"choices\": [\"Allow\", \"Deny\"], \"timeout\": \"1h\"}
        """#
    private static let command = #"printf '%s\\n' 'ask \#(question)' >&3; read -r line <&4; echo \"$line\""#
    private static let configuration = #"""
        {"schedules": {"timezone": "UTC", "budget": {"runs_per_day": 9}, "jobs": [
          {"name": "agent", "hold_group": "quota", "command": "\#(command)"},
          {"name": "other", "hold_group": "quota", "command": ["true"]}
        ]}}
        """#

    private let stage: Stage

    init() throws {
        stage = try Stage(Self.configuration)
    }

    private func start(_ job: String) throws -> String {
        try JSONValue(parsing: stage.control("run", job, "--json").output)["execution_id"]?.stringValue ?? ""
    }

    private func asked() throws -> String {
        let monitor = try stage.start("monitor")
        _ = try monitor.output(until: "next")
        let run = try start("agent")
        _ = try monitor.output(until: "asks")
        return run
    }

    @Test func `a person is asked and answers`() throws {
        #expect(try stage.control("questions").output == "No run asks anything.\n")
        let run = try asked()
        let lines = try stage.control("questions").output.split(separator: "\n").map(String.init)
        #expect(lines[0] == run && lines[2] == "  Really?" && lines[3] == "  choices: Allow, Deny (default)")
        #expect(!lines[1].contains("\u{1B}") && lines[4].hasPrefix("  until "))
        #expect(try stage.control("status").output.contains("questions"))
        let wrong = try stage.control("answer", "agent", "Perhaps")
        #expect(wrong.code == ExitCode.failure && wrong.errors.contains("Allow"))
        #expect(try stage.control("answer", "other", "Allow").code == ExitCode.notFound)
        let answered = try stage.control("answer", "agent", "Allow")
        #expect(answered.code == 0 && answered.output == "\(run) is told: Allow\n")
        #expect(try stage.control("wait", run).code == 0)
        #expect(try stage.control("logs", run).output.contains(#""choice": "Allow", "by": "botcronctl""#))
    }

    @Test func `a user holds a group, and lets it go`() throws {
        let wrong = try stage.control("pause", "--group", "quote")
        #expect(wrong.code == ExitCode.failure && wrong.errors.contains("quota"))
        #expect(try stage.control("pause", "other", "--group", "quota").code == ExitCode.usage)
        #expect(try stage.control("pause", "--group", "quota", "--until", "yesterday").code != 0)
        let held = try stage.control("pause", "--group", "quota", "--until", "tomorrow")
        #expect(held.code == 0 && held.output.hasPrefix("jobs of quota wait until "))
        let run = try start("other")
        #expect(try stage.control("status").output.contains("quota until "))
        #expect(try stage.control("why", "other").output.contains("the group quota is held until "))
        #expect(try stage.control("list").output.contains("waits for hold group quota"))
        #expect(try stage.control("resume", "--group", "quota").output == "jobs of quota go on\n")
        #expect(try stage.control("wait", run).code == 0)
        #expect(try stage.control("status").output.contains("runs 1 of 9"))
        #expect(try stage.control("show", "other").output.contains("held"))
    }
}
