import DBus
import JSON
import TestSupport
import Testing

/// Runs that need a person, and groups that wait, in the whole daemon.
@Suite(.ownThread) struct QuestionTests {
    private static let asking = """
        echo 'ask {"question": "Delete it?", "choices": ["Allow", "Deny"], "timeout": "1h"}' >&$BOTCRON_CONTEXT_FD
        read -r line <&$BOTCRON_ANSWER_FD; echo "$line"
        """

    private func session(_ jobs: JSONObject...) throws -> Session {
        let session = try Session(
            jobs: [
                ["name": "agent", "command": .string(Self.asking), "notify": [["target": "bell", "on": ["asked"]]]]
            ]
                + jobs.map { .object($0) },
            ["notifications": ["targets": ["bell": ["type": "command", "argv": ["sh", "-c", "cat > $HOME/told"]]]]])
        return session
    }

    private func ask(_ session: Session) throws -> String {
        let run = try session.json("run_job", "agent").text("execution_id")
        try session.look(for: "the question") {
            try session.json("questions").arrayValue?.first?.text("execution_id") == run
        }
        return run
    }

    @Test func `a question is told, shown and answered by whoever is there`() throws {
        let session = try session()
        try session.start()
        let run = try ask(session)
        let signal = try session.signal("QuestionAsked", run)
        let question = try JSONValue(parsing: signal[1])
        #expect(question["question"] == "Delete it?" && question["choices"] == ["Allow", "Deny"])
        #expect(question["default"] == "Deny" && question["job"] == "agent")
        let shown = try session.run(run)
        #expect(shown["status"] == "running" && shown["waiting_for"] == "question")
        #expect(shown["questions"]?[0]?["choice"] == .null)
        #expect(try session.job("agent")["waiting_for"] == ["question"])
        #expect(try session.json("GetStatus")["questions"] == 1)
        let told = session.scratch.path + "/home/told"
        try session.look(for: "the message") { TestFile.text(told).contains("Delete it?") }
        let refused = try session.refusal("answer_question", .string(run), "Perhaps")
        #expect(refused.message.contains("\"Allow\", \"Deny\""))
        try session.done("answer_question", .string(run), "Allow")
        let ended = try session.waitForRun(run)
        #expect(ended["status"] == "success")
        #expect(ended.text("output_preview").hasPrefix(#"answer {"choice": "Allow", "by": ""#))
        let record = try session.run(run)["questions"]?[0]
        #expect(record?["choice"] == "Allow" && record?.text("answered_by").isEmpty == false)
        #expect(try session.json("questions") == [])
    }

    @Test func `it survives a killed daemon, before and after its answer`() throws {
        let session = try session()
        let first = try session.start()
        let run = try ask(session)
        try session.crash(first)
        let second = try session.start()
        try session.look(for: "the question again") {
            try session.json("questions").arrayValue?.first?.text("execution_id") == run
        }
        try session.done("answer_question", .string(run), "Deny")
        try session.crash(second)
        try session.start()
        #expect(try session.waitForRun(run).text("output_preview").contains(#""choice": "Deny""#))
    }

    // MARK: - Groups

    @Test func `a run whose quota is used up keeps its group waiting, also over a restart`() throws {
        let session = try session(
            ["name": "first", "command": "echo hold 45m >&3; exit 1", "hold_group": "quota"],
            ["name": "second", "command": "echo done", "hold_group": "quota"], ["name": "other", "command": ["true"]])
        let first = try session.start()
        #expect(try session.runToEnd("first")["status"] == "failed")
        let waiting = try session.json("run_job", "second").text("execution_id")
        #expect(try session.run(waiting)["waiting_for"] == "hold group quota")
        #expect(try session.runToEnd("other")["status"] == "success")
        let hold = try session.json("GetStatus")["holds"]?[0]
        #expect(hold?["group"] == "quota" && hold?["waiting"] == 1 && hold?.text("execution_id").isEmpty == false)
        #expect(try session.call("GetMetrics")[0].asString?.contains("botcron_hold_groups 1\n") == true)
        try session.crash(first)
        try session.start()
        #expect(try session.run(waiting)["status"] == "queued")
        let refused = try session.refusal("release_group", "quote")
        #expect(refused.message.contains("quota"))
        try session.done("release_group", "quota")
        #expect(try session.waitForRun(waiting)["status"] == "success")
        // Its words are still in the folder of the run that has said them.
        #expect(try session.json("GetStatus")["holds"] == [])
    }

    @Test func `the budget of all jobs is shown`() throws {
        let session = try Session(
            jobs: [["name": "a", "command": ["true"]], ["name": "b", "command": ["true"]]],
            ["budget": ["runs_per_day": 1]])
        try session.start()
        _ = try session.runToEnd("a")
        #expect(try session.json("GetStatus")["budget"]?["runs"] == 1)
        let metrics = try session.call("GetMetrics")[0].asString ?? ""
        #expect(metrics.contains("botcron_budget_used_ratio{kind=\"runs\"} 1\n"), "\(metrics)")
        let refused = try session.refusal("run_job", "b")
        #expect(refused.message.contains("the budget of all jobs for today is used up"))
    }
}
