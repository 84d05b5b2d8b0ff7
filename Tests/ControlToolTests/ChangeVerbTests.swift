import Contract
import JSON
import TestSupport
import Testing

@testable import botcronctl

/// Who changed a job and why, the end of all runs of a job, and chains as trees.
@Suite struct ChangeVerbTests {
    private func json(_ outcome: TestProgram.Outcome) throws -> JSONValue { try JSONValue(parsing: outcome.output) }

    @Test func whyAJobIsDisabledAndByWhomIsShownAndSurvivesARestart() throws {
        let stage = try Stage()
        #expect(
            try stage.control("disable", "standup", "--reason", "quota used up").output == "standup is disabled\n")
        for isRestarted in [false, true] {
            if isRestarted {
                try stage.stopDaemon()
                try stage.startDaemon()
            }
            let show = try stage.control("show", "standup").output
            let line = try #require(show.split(separator: "\n").first { $0.hasPrefix("disabled ") })
            #expect(line.contains(" by botcronctl (") && line.hasSuffix("/botcronctl): quota used up"), "\(line)")
            #expect(show.contains("next  disabled: quota used up"), "\(show)")
            #expect(try stage.control("list", "standup").output.contains("disabled: quota used up"))
            #expect(try stage.control("why", "standup").output == "the job is disabled: quota used up\n")
        }
        #expect(try stage.control("enable", "standup").code == 0)
        let job = try json(stage.control("show", "standup", "--json"))
        #expect(job["disabled_reason"] == .null)
        #expect(job["changes"]?.arrayValue?.map { $0.text("what") } == ["enabled", "disabled"])
        #expect(job["changes"]?[0]?.text("by_process") == "botcronctl")
        #expect(try stage.control("pause", "--reason", "all").code == 64)
        #expect(try stage.control("pause", "standup", "off", "--reason", "holiday").code == 0)
        #expect(try json(stage.control("show", "standup", "--json"))["disabled_reason"] == "holiday")
    }

    @Test func whoHasPausedAllSchedulesIsNamed() throws {
        let stage = try Stage()
        #expect(try stage.control("pause").code == 0)
        let status = try stage.control("status").output
        #expect(status.contains("paused  ") && status.contains("/botcronctl)\n"), "\(status)")
        let list = try stage.control("list").output
        #expect(list.contains(/All schedules are paused since .* by botcronctl \(/), "\(list)")
        #expect(try stage.control("resume").code == 0)
        #expect(try json(stage.control("status", "--json"))["paused_by"] == nil)
    }

    @Test func aNameThatIsMadeAgainKeepsItsRecord() throws {
        let stage = try Stage()
        #expect(try stage.control("add", "tea", "--cron", "0 16 * * *", "--", "true").code == 0)
        #expect(try stage.control("remove", "tea").code == 0)
        #expect(try stage.control("add", "tea", "--cron", "0 17 * * *", "--", "true").code == 0)
        let changes = try json(stage.control("show", "tea", "--json"))["changes"]?.arrayValue ?? []
        #expect(changes.map { $0.text("what") } == ["created", "removed", "created"])
    }

    @Test func cancelOfAJobEndsAllItsRuns() throws {
        let stage = try Stage()
        var ids: [String] = []
        for _ in 0..<3 { ids.append(try json(stage.control("run", "sleeper", "--json")).text("execution_id")) }
        let other = try stage.control("cancel", "greet")
        #expect(other.code == 4 && other.errors.contains("no run of the job \"greet\" is active"), "\(other)")
        let outcome = try stage.control("cancel", "sleeper")
        #expect(outcome.code == 0, "\(outcome)")
        #expect(outcome.output == ids.reversed().map { "\($0) is told to end\n" }.joined())
        for id in ids { #expect(try stage.control("wait", id).output.hasPrefix("\(id): cancelled")) }
        #expect(try stage.control("cancel", "sleeper").code == 4)
        let id = try json(stage.control("run", "sleeper", "--json")).text("execution_id")
        #expect(
            try json(stage.control("cancel", "sleeper", "--json")) == [
                "success": true, "job": "sleeper", "execution_ids": [.string(id)],
            ])
        let nobody = try stage.control("cancel", "sleepre")
        #expect(nobody.code == 4 && nobody.errors.contains("sleepre"), "\(nobody)")
    }

    private static let chain = """
        {"schedules": {"timezone": "UTC", "jobs": [
          {"name": "fetch", "command": ["true"]},
          {"name": "sort", "command": ["true"], "after": {"job": "fetch"}},
          {"name": "send", "command": "exit 7", "after": {"job": "sort"}},
          {"name": "alone", "command": ["true"]}
        ]}}
        """

    @Test func whatRanAfterAnotherStandsBelowIt() throws {
        let stage = try Stage(Self.chain)
        #expect(try stage.control("run", "alone", "--wait").code == 0)
        #expect(try stage.control("run", "fetch", "--wait").code == 0)
        // What follows is on record with the end of the run before.
        for (job, code) in [("sort", Int32(0)), ("send", 7)] {
            let id = try #require(json(stage.control("history", job, "-n1", "--json"))[0]).text("execution_id")
            #expect(try stage.control("wait", id).code == code)
        }
        let text = try stage.control("history", "--tree").output
        try Golden.expect(Golden.settled(text, stage), "history-tree.txt")
        let plain = try stage.control("history", "send", "--tree", environment: ["LC_ALL=C"]).output
        #expect(plain.contains("\n|  ") == false && plain.contains("\n`- sort") && plain.contains("\n   `- send"))
        #expect(!plain.contains("alone"))
        #expect(try !stage.control("history", "--tree", "--failed").output.contains("alone"))
        let trees = try json(stage.control("history", "--tree", "--json")).arrayValue ?? []
        #expect(trees.map { $0.text("job") } == ["fetch", "alone"])
        #expect(trees[0]["followers"]?[0]?["followers"]?[0]?.text("job") == "send")
        #expect(try stage.control("history", "nobody", "--tree").code == 4)
    }

    @Test func aTreeOfRunsIsDrawn() {
        func run(_ id: String, after previous: String? = nil) -> JSONValue {
            ["execution_id": .string(id), "previous": .optional(previous)]
        }
        // Newest first.
        let runs = [
            run("z"), run("c", after: "b"), run("e", after: "a"), run("d", after: "b"), run("b", after: "a"),
            run("a", after: "older"),
        ]
        func draw(_ branches: RunTree.Branches) -> [String] {
            RunTree.trees(of: runs).flatMap { $0.lines(branches) }.map { $0.branch + $0.run.text("execution_id") }
        }
        #expect(draw(.lines) == ["z", "a", "├─ b", "│  ├─ d", "│  └─ c", "└─ e"])
        #expect(draw(.ascii) == ["z", "a", "|- b", "|  |- d", "|  `- c", "`- e"])
        // Records of another program may lead in a circle: nothing is said twice, and nothing ends.
        #expect(RunTree.trees(of: [run("x", after: "y"), run("y", after: "x")]).isEmpty)
    }
}
