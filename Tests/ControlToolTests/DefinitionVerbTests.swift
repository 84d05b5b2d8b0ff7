import Configuration
import Contract
import JSON
import Schedules
import Scheduling
import TestSupport
import Testing

@testable import botcronctl

/// What `add` makes of its words.
@Suite struct JobDefinitionTests {
    private func definition(_ arguments: [String]) throws -> JSONObject {
        let line = try ParsedCommandLine(["add", "job"] + arguments)
        return try JobDefinition(line.request, Context(options: line.options, screen: Screen(options: line.options)))
            .object
    }

    /// A good value of every option; one that has none here fails the test.
    private static let samples: [String: String] = [
        "--cron": "0 9 * * *", "--every": "90m", "--at": "in 2 hours", "--calendar": "Mon..Fri 09:00",
        "--shell": "echo a; echo b", "--message": "Say hello", "--skill": "review", "--script": "run.py",
        "--project": "/srv", "--persona": "somebody", "--input": "days=5", "--mode": "claude_cli", "--title": "A title",
        "--description": "What for", "--tag": "night", "--timezone": "Europe/Berlin", "--jitter": "30",
        "--timeout": "1h30m", "--attempts": "3", "--retry-delay": "20s", "--overlap": "queue", "--catch-up": "all",
        "--after": "other", "--queue": "inbox", "--results": "done", "--group": "quota",
        "--max-runs": "7", "--priority": "-5", "--folder": "/tmp", "--env": "A=b=c", "--env-file": "/etc/environment",
        "--stdin": "words", "--expect-every": "26h", "--expect-by": "08:00", "--expect-within": "30m",
        "--delete-after": "7d",
    ]

    /// What else an option wants beside it.
    private static func company(of option: JobOption) -> [String] {
        switch option.name {
        case "--shell", "--message", "--skill", "--script": []
        case "--project": ["--message", "x"]
        case "--persona", "--input", "--mode": ["--skill", "x"]
        case "--from-end": ["--every", "1h", "--", "true"]
        case "--delete-after": ["--at", "in 2 hours", "--", "true"]
        default: ["--", "true"]
        }
    }

    @Test(arguments: JobOption.all.map(\.name)) func everyOptionMakesAJobThatTheReaderTakes(_ name: String) throws {
        let option = try #require(JobOption.all.first { $0.name == name })
        var words = [name]
        if option.option.value != nil { words.append(try #require(Self.samples[name], "no sample of \(name)")) }
        let object = try definition(words + Self.company(of: option))
        var value: JSONValue? = .object(object)
        for key in option.path { value = value?[key] }
        #expect(value != nil, "\(object)")
        let reader = ConfigurationReader(
            zones: ZoneDatabase(), home: "/root", now: Instant(microseconds: 1_800_000_000_000_000))
        // As the daemon reads what comes over the bus, which is where it goes.
        let read = try reader.readJob(.object(object), origin: .bus, in: Configuration(timezone: .utc), isNew: true)
        #expect(read.name == "job")
    }

    @Test func severalSchedulesAndValuesAddUp() throws {
        let object = try definition([
            "--cron", "@daily", "--every", "3h", "--tag", "a", "--tag", "b", "--env", "X=1", "--env", "Y=2=3",
            "--attempts", "2", "--retry-delay", "5", "--on-power", "--online", "--set", "history_limit=20", "--set",
            "owner=me", "--", "echo", "--cron", "-x",
        ])
        #expect(
            JSONValue.object(object) == [
                "name": "job", "tags": ["a", "b"], "retry": ["max_attempts": 2, "delay_seconds": 5],
                "environment": ["X": "1", "Y": "2=3"], "conditions": ["ac_power": true, "network": "online"],
                "schedules": [["cron": "@daily"], ["interval": "3h"]], "command": ["echo", "--cron", "-x"],
                "history_limit": 20, "owner": "me",
            ])
    }

    @Test func aRelativePathIsMeantFromWhereTheUserStands() throws {
        let object = try definition(["--folder", "sub", "--env-file", "~/vars", "--", "true"])
        #expect(object["working_directory"]?.stringValue?.hasSuffix("/sub") == true)
        #expect(object["working_directory"]?.stringValue?.hasPrefix("/") == true)
        #expect(object["environment_file"] == "~/vars")
    }

    @Test(
        arguments: [
            (["--every", "1h"], "the job needs a command"), (["--", "true", "--tag"], nil),
            (["--shell", "x", "--", "true"], "a job does one thing"),
            (["--env", "A", "--", "true"], "expected NAME=VALUE"),
            (["--attempts", "many", "--", "true"], "expected a whole number"),
            (["--set", "x", "--", "true"], "KEY=VALUE"),
            (["--at", "25:99", "--", "true"], "--at: "),
            (["--timezone", "Mars/X", "--at", "19:30", "--", "true"], "zone"),
        ] as [([String], String?)])
    func whatNoJobCanBeMadeOfIsWrongUsage(_ arguments: [String], _ complaint: String?) throws {
        guard let complaint else {
            #expect(try definition(arguments)["command"] == ["true", "--tag"])
            return
        }
        do {
            let object = try definition(arguments)
            Issue.record("\(object)")
        } catch let failure as Failure {
            #expect(failure.exitCode == ExitCode.usage && failure.message.contains(complaint), "\(failure.message)")
        }
    }
}

/// The real botcronctl makes, changes and removes jobs of a real daemon.
@Suite struct DefinitionVerbTests {
    /// Two jobs of a file that others keep, too: its layout is theirs.
    private static let file = """
        {
          "other":   { "kept": [1,2 ,3] },
          "schedules": {
            "jobs": [
              { "name": "first",   "cron": "0 9 * * *", "command": ["true"] },
              { "job_id": "second", "interval": "1h",
                "command": ["true"] }
            ]
          }
        }

        """

    private let stage: Stage

    init() throws { stage = try Stage(Self.file) }

    private func config() throws -> String { try stage.shell("cat \(stage.path("config.json"))").output }

    private func names() throws -> [String] {
        try JSONValue(parsing: stage.control("list", "--json").output).arrayValue?.map { $0.text("name") } ?? []
    }

    private func editor(_ script: String) throws -> [String] {
        try stage.write("#!/bin/sh\n\(script)\n", to: "editor")
        // Drafts that are kept for the user go with the stage.
        return ["VISUAL=", "EDITOR=sh \(stage.path("editor"))", "XDG_RUNTIME_DIR=\(stage.folder)"]
    }

    @Test func aJobIsAddedOnceAndRuns() throws {
        let added = try stage.control("add", "hello", "--every", "1h", "--", "echo", "hello there")
        #expect(added.code == 0 && added.output.hasPrefix("hello is added, next: "), "\(added)")
        #expect(try stage.control("run", "hello", "--wait").output.contains("hello there"))
        let again = try stage.control("add", "hello", "--", "true")
        #expect(again.code == 1 && again.errors.contains("there is a job \"hello\" already"), "\(again)")
        #expect(try stage.control("add", "hello", "--replace", "--", "true").output.contains("run it: botcronctl run"))
        let off = try stage.control("add", "off", "--disabled", "--every", "1h", "--", "true")
        #expect(off.output == "off is added, disabled; put it in force: botcronctl enable off\n")
    }

    @Test func aMistakeIsShownAtItsPlace() throws {
        let outcome = try stage.control("add", "bad", "--cron", "0 9 * * MON-FRX", "--", "true")
        #expect(outcome.code == 1)
        #expect(outcome.errors.contains("\n  0 9 * * MON-FRX\n              ^^^\n"), "\(outcome.errors)")
        let json = try JSONValue(
            parsing: stage.control("--json", "add", "bad", "--cron", "0 9 * * MON-FRX", "--", "true").output)
        #expect(json["position"] == 12 && json["expression"] == "0 9 * * MON-FRX")
        #expect(try names() == ["first", "second"])
    }

    @Test func definitionsComeFromStandardInput() throws {
        try stage.write(
            #"[{"name": "a", "cron": "@daily", "command": "true"}, {"name": "b", "command": ["true"]}]"#, to: "jobs")
        let control = TestPlace.built("botcronctl")
        let outcome = try stage.shell("\(control) --json add - < \(stage.path("jobs"))")
        #expect(outcome.code == 0, "\(outcome)")
        #expect(try JSONValue(parsing: outcome.output).arrayValue?.map { $0.text("job_id") } == ["a", "b"])
        #expect(try names() == ["a", "b", "first", "second"])
        #expect(try stage.shell("echo '{' | \(control) add -").code == 64)
        #expect(try stage.shell("echo '{}' | \(control) add - --every 1h").code == 64)
        let long = try stage.shell("head -c 17000000 /dev/zero | \(control) add -")
        #expect(long.code == 64 && long.errors.contains("more than 16777216 bytes"), "\(long)")
    }

    @Test func aJobOfTheFileIsChangedThereAndNothingElse() throws {
        #expect(try stage.control("rename", "first", "one").code == 0)
        #expect(try config() == Self.file.replacing("\"first\"", with: "\"one\""))
        #expect(try stage.control("rename", "second", "two").code == 0)
        #expect(try config().contains("{ \"job_id\": \"two\", \"interval\": \"1h\",\n"))
        #expect(try stage.control("copy", "one", "three").code == 0)
        #expect(try names() == ["one", "three", "two"])
        let copy = try JSONValue(parsing: stage.control("--json", "show", "three").output)
        #expect(copy["enabled"] == false && copy["origin"] == "config", "\(copy)")
        #expect(try stage.control("remove", "three").output.contains("three is removed from "))
        #expect(try stage.control("rename", "two", "one").errors.contains("there is a job \"one\" already"))
        #expect(try stage.control("remove", "two").code == 0)
        #expect(try names() == ["one"])
        #expect(try config().hasPrefix("{\n  \"other\":   { \"kept\": [1,2 ,3] },\n"))
        #expect(try stage.control("remove", "nobody").code == 4)
    }

    @Test func aJobOfTheDaemonIsCopiedRenamedAndRemoved() throws {
        #expect(try stage.control("add", "made", "--every", "1h", "--", "true").code == 0)
        #expect(try stage.control("disable", "made").code == 0)
        #expect(try stage.control("copy", "made", "copied").code == 0)
        #expect(try stage.control("rename", "made", "kept").code == 0)
        let kept = try JSONValue(parsing: stage.control("--json", "show", "kept").output)
        #expect(kept["enabled"] == false && kept["origin"] == "bus", "a job that is disabled stays so: \(kept)")
        #expect(try stage.control("remove", "kept").output == "kept is removed\n")
        #expect(try names() == ["copied", "first", "second"])
        #expect(try config() == Self.file)
    }

    @Test func anEditIsCheckedBeforeItIsInForce() throws {
        let good = try stage.control("edit", "first", environment: editor("sed -i 's/0 9/30 7/' \"$1\""))
        #expect(good.code == 0 && good.output.hasPrefix("first is changed, next: "), "\(good)")
        let changed = try config()
        #expect(changed.contains("\"cron\": \"30 7 * * *\""), "\(changed)")
        #expect(changed.contains("\"other\":   { \"kept\": [1,2 ,3] }"))

        let bad = try stage.control("edit", "first", environment: editor("sed -i 's/30 7/30 77/' \"$1\""))
        #expect(bad.code == 1 && bad.errors.contains("  30 77 * * *\n     ^^\n"), "\(bad)")
        #expect(try config() == changed)
        let draft = bad.errors.split(separator: "what you typed is in ").last.map { String($0.dropLast()) } ?? ""
        #expect(try stage.shell("cat \(draft); rm \(draft)").output.contains("30 77 * * *"), "\(bad)")

        let broken = try stage.control("edit", "first", environment: editor("echo '{' > \"$1\""))
        #expect(broken.code == 1 && broken.errors.contains("line 2"), "\(broken)")
        let renamed = try stage.control("edit", "first", environment: editor("sed -i 's/first/last/' \"$1\""))
        #expect(renamed.code == 1 && renamed.errors.contains("botcronctl rename first NEW"), "\(renamed)")
        let same = try stage.control("edit", "first", environment: editor("true"))
        #expect(same.output == "first is unchanged\n")
        let crashed = try stage.control("edit", "first", environment: editor("exit 3"))
        #expect(crashed.code == 1 && crashed.errors.contains("the job is as it was"), "\(crashed)")
        #expect(try config() == changed)
    }

    @Test func anEditOfAJobOfTheDaemonGoesToTheDaemon() throws {
        #expect(try stage.control("add", "made", "--every", "1h", "--", "true").code == 0)
        let outcome = try stage.control("edit", "made", environment: editor("sed -i 's/1h/2h/' \"$1\""))
        #expect(outcome.code == 0, "\(outcome)")
        #expect(
            try JSONValue(parsing: stage.control("--json", "show", "made").output)["definition"]?["interval"] == "2h")
        #expect(try config() == Self.file)
    }
}
