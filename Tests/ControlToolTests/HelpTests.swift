import Contract
import TestSupport
import Testing

@testable import botcronctl

/// Help and wrong usage, which need neither a bus nor a daemon.
@Suite struct HelpTests {
    private func run(_ arguments: [String]) throws -> TestProgram.Outcome {
        try TestProgram([TestPlace.built("botcronctl")] + arguments, environment: ["PATH=/usr/bin:/bin"]).finish()
    }

    @Test func theOverviewNamesEveryVerbAndExitCode() throws {
        let outcome = try run(["--help"])
        #expect(outcome.code == 0 && outcome.errors.isEmpty)
        try Golden.expect(outcome.output, "help.txt")
        #expect(try run(["help"]) == outcome)
        #expect(try run(["-h"]) == outcome)
    }

    @Test func everyVerbHasHelp() throws {
        var text = ""
        for verb in Verb.all {
            let outcome = try run(["help", verb.name])
            #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(verb.name)")
            #expect(try run([verb.name, "--help"]) == outcome)
            text += outcome.output + "\n"
        }
        try Golden.expect(text, "help-verbs.txt")
    }

    /// Who reads help types verbs; methods of the bus are for programs.
    @Test func helpNamesNoMethodOfTheBus() {
        let texts = [Help.overview] + Verb.all.map { Help.text(of: $0) }
        for text in texts { #expect(MethodWords.plain(text) == text) }
    }

    @Test func noLineOfHelpIsLongerThanATerminalIsWide() throws {
        for text in [Help.overview] + Verb.all.map({ Help.text(of: $0) }) {
            for line in text.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
        }
    }

    @Test func bothProgramsHaveOneVersion() throws {
        let own = try run(["--version"])
        #expect(own.code == 0 && own.output == "botcronctl \(botcronVersion)\n")
        let daemon = try TestProgram([TestPlace.built("botcrond"), "--version"], environment: ["PATH=/usr/bin"])
            .finish()
        #expect(daemon.output == "botcrond \(botcronVersion)\n")
    }

    @Test(arguments: [
        (["lsit"], "there is no verb \"lsit\"; the nearest is \"list\""),
        (["help", "hisory"], "there is no verb \"hisory\"; the nearest is \"history\""),
        (["list", "--jsno"], "list has no option \"--jsno\"; the nearest is \"--json\""),
        (["run"], "run needs JOB"),
        (["run", "a", "b"], "run does not take \"b\""),
        (["run", "a", "--timeout", "3"], "--timeout needs --wait"),
        (["run", "a", "--inputs", "{"], "--inputs: cannot read JSON at line 1, column 2"),
        (["run", "a", "--inputs", "[1]"], "--inputs: found an array, expected a JSON object"),
        (["history", "-n", "0"], "-n: found \"0\", expected a whole number from 1 to 1000"),
        (["history", "-n"], "-n needs a value: N"),
        (["list", "--json=yes"], "--json takes no value"),
        (["monitor", "--for", "long"], "--for: found \"long\", expected seconds"),
        (["next", "@daily", "--tz", "Mars/Base"], "--tz: found \"Mars/Base\", expected an installed IANA name"),
        (["next", "@daily", "--type", "cronn"], "--type: found \"cronn\", expected one of cron, interval"),
    ])
    func wrongUsageIsOneLineAndAHint(_ arguments: [String], _ message: String) throws {
        let outcome = try run(arguments)
        #expect(outcome.code == 64 && outcome.output.isEmpty)
        let lines = outcome.errors.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.first?.hasPrefix("botcronctl: \(message)") == true, "\(outcome.errors)")
        #expect(lines.last?.hasPrefix("  botcronctl ") == true)
    }

    @Test func withJSONWrongUsageIsAnObject() throws {
        let outcome = try run(["--json", "lsit"])
        #expect(outcome.code == 64 && outcome.errors.isEmpty)
        try Golden.expect(outcome.output, "usage.json")
    }

    @Test func behindTwoDashesNothingIsAnOption() throws {
        let parsed = try ParsedCommandLine(["run", "--wait", "--", "--json"])
        #expect(parsed.request.arguments == ["--json"] && parsed.request.has("--wait") && !parsed.options.isJSON)
    }

    @Test func optionsStandBeforeAndAfterTheVerb() throws {
        for arguments in [
            ["--json", "--bus", "unix:path=/a", "history", "-n", "3"],
            ["history", "-n=3", "--json", "--bus=unix:path=/a"],
        ] {
            let parsed = try ParsedCommandLine(arguments)
            #expect(parsed.verb?.name == "history" && parsed.options.isJSON)
            #expect(parsed.options.busAddress == "unix:path=/a" && parsed.request.options["-n"] == "3")
        }
        #expect(try ParsedCommandLine([]).verb == nil)
    }
}
