import Configuration
import Contract
import Glibc
import JSON
import TestSupport
import Testing

@testable import botcronctl
@testable import botcrond

/// The pages of the manual: what they must name, how they read, and that what they show works.
@Suite struct ManualTests {
    private let scratch: ScratchFolder
    /// The pages as they are printed.
    private let pages: [ManualPage: String]

    init() throws {
        scratch = try ScratchFolder("manual-test")
        var pages: [ManualPage: String] = [:]
        for page in ManualPage.allCases {
            let outcome = try TestProgram.run([
                TestPlace.built("botcronctl"), "man", page.rawValue, "--roff", "--interfaces",
                TestPlace.package + "/dbus",
            ])
            #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
            pages[page] = outcome.output
        }
        self.pages = pages
    }

    /// As a reader sees it, 80 columns wide; the complaints of groff are the errors.
    private func formatted(_ page: ManualPage) throws -> TestProgram.Outcome {
        let path = scratch.path + "/" + page.file
        try TestFile.write(pages[page] ?? "", to: path)
        return try TestProgram.run(
            ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", path],
            environment: TestProgram.plainEnvironment + ["MANROFFSEQ=", "MANWIDTH=80", "GROFF_NO_SGR=1"])
    }

    /// Without the overstrikes of a terminal, and each stretch of blanks as one.
    private func words(_ page: ManualPage) throws -> String {
        var plain: [Unicode.Scalar] = []
        for scalar in try formatted(page).output.unicodeScalars {
            if scalar == "\u{8}" { plain.removeLast() } else { plain.append(scalar) }
        }
        let text = String(String.UnicodeScalarView(plain))
        return text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    private func expect(_ texts: [String], in page: ManualPage) throws {
        let words = try words(page)
        for text in texts {
            let wanted = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            #expect(words.contains(wanted), "\(page.rawValue) does not say: \(wanted)")
        }
    }

    @Test(arguments: ManualPage.allCases) func groffHasNothingToSayAgainstAPage(page: ManualPage) throws {
        let outcome = try formatted(page)
        #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
        #expect(outcome.output.count > 1_000)
    }

    @Test(arguments: ManualPage.allCases) func aPageHasTheSectionsThatReadersLookFor(page: ManualPage) throws {
        let sections = pages[page, default: ""].split(separator: "\n").filter { $0.hasPrefix(".SH ") }
        let required = ["NAME", "SYNOPSIS", "DESCRIPTION", "EXAMPLES", "SEE ALSO"]
        for name in required { #expect(sections.contains(".SH \"\(name)\""), "\(page.rawValue): \(name)") }
        #expect(sections.first == ".SH \"NAME\"" && sections.last == ".SH \"SEE\u{20}ALSO\"")
        // What apropos(1) reads.
        let path = scratch.path + "/" + page.file
        try TestFile.write(pages[page] ?? "", to: path)
        let known = try TestProgram.run(["lexgrog", path])
        #expect(known.code == 0 && known.output.contains("\"\(page.rawValue) - "), "\(known)")
    }

    // MARK: - What they name

    @Test func theToolsPageHasEveryVerbAndOption() throws {
        var texts = GlobalOptions.table.flatMap { $0.spellings + [$0.summary] }
        for verb in Verb.all {
            texts += [verb.synopsis, verb.summary.dropFirst() + ".", verb.details]
            texts += verb.options.flatMap { $0.spellings + [$0.summary] }
        }
        try expect(texts + ExitCode.help.map { $0.code + " " }, in: .tool)
    }

    @Test func theDaemonsPageHasEveryOptionAndExitCode() throws {
        let options = DaemonCommandLine.settings + DaemonCommandLine.questions
        let codes = DaemonCommandLine.exitCodes.map { "\($0.code) \($0.meaning.prefix(1).uppercased())" }
        try expect(options.flatMap { [$0.name, $0.summary] } + codes, in: .daemon)
    }

    /// The other way round, too: what the table has, the program takes.
    @Test func theDaemonTakesEveryOptionOfItsTable() throws {
        for option in DaemonCommandLine.settings + DaemonCommandLine.questions {
            let words = [option.name] + (option.value == nil ? [] : ["value"])
            let parsed = try CommandLineOptions(words)
            let isQuestion = parsed.mode != .serve
            #expect(isQuestion == DaemonCommandLine.questions.contains { $0.name == option.name }, "\(option.name)")
            #expect(throws: CommandLineOptions.UsageError.self) {
                try CommandLineOptions(option.value == nil ? [option.name + "=value"] : [option.name])
            }
            #expect(CommandLineOptions.help.contains(option.summary))
        }
    }

    @Test func theConfigurationsPageHasEveryKey() throws {
        let keys = DocumentedKeys.all.flatMap(\.keys)
        try expect(keys.flatMap { [$0.name, $0.meaning] + [$0.example].compactMap { $0 } }, in: .configuration)
    }

    @Test func theInterfacesPageHasEveryMemberAndError() throws {
        var texts = ServiceError.allCases.map(\.name) + BusError.allCases.map(\.name)
        texts += MethodName.allCases.map { "\($0.rawValue)(" }
        for name in InterfaceDocument.names {
            let document = try TestFile.ownText(TestPlace.package + "/dbus/\(name).xml")
            texts.append("INTERFACE \(name)")
            // Read another way than the program reads it.
            for match in document.matches(of: /<(?:method|signal|property) name="(\w+)"/) {
                texts.append(String(match.output.1))
            }
            for match in document.matches(of: /DocString" value="([^"]*)"/) {
                texts.append(
                    String(match.output.1).replacing("&lt;", with: "<").replacing("&gt;", with: ">")
                        .replacing("&quot;", with: "\"").replacing("&amp;", with: "&"))
            }
        }
        try expect(texts, in: .interface)
    }

    // MARK: - What they show

    @Test func everyExampleOfTheManualWorks() throws {
        let stage = try Stage()
        let configuration = stage.folder + "/.config/aa-workflow"
        #expect(try stage.shell("mkdir -p '\(configuration)'").code == 0)
        try stage.write(Stage.configuration, to: ".config/aa-workflow/config.json")
        // `botcrond --stop` is last: after it nobody would answer.
        let examples = ToolPage.examples + InterfacePage.examples + DaemonPage.examples
        #expect(examples.last?.line == "botcrond --stop")
        let path = TestPlace.built("botcronctl").dropLast("/botcronctl".count)
        for example in examples {
            // It is a line for a shell of a person: bash, as `eval` of its completions shows.
            let outcome = try TestProgram(
                ["bash", "-c", "set -e -o pipefail; \(example.line)"],
                environment: ["PATH=\(path):/usr/bin:/bin"] + stage.environment.filter { !$0.hasPrefix("PATH=") }
            ).finish()
            #expect(outcome.code == 0, "\(example.line): \(outcome.errors)\(outcome.output)")
        }
    }

    @Test func theConfigurationOfTheManualIsGood() throws {
        let path = scratch.path + "/config.json"
        try TestFile.write(ConfigurationPage.example, to: path)
        let outcome = try TestProgram.run([TestPlace.built("botcronctl"), "validate", path])
        #expect(outcome.code == 0 && outcome.output == "4 jobs good, in \(path)\n", "\(outcome)")
    }

    // MARK: - Reading them

    @Test func aPageIsShownByMan() throws {
        let outcome = try TestProgram.run([TestPlace.built("botcronctl"), "man", "botcrond"])
        #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome)")
        #expect(outcome.output.contains("--state-dir") && !outcome.output.contains(".SH"))
        let object = try TestProgram.run([TestPlace.built("botcronctl"), "man", "--json"])
        #expect(try JSONValue(parsing: object.output).text("roff") == pages[.tool])
    }

    @Test func withoutManItIsSaidWhatToDo() throws {
        let outcome = try TestProgram.run([TestPlace.built("botcronctl"), "man"], environment: ["PATH=/nonexistent"])
        #expect(outcome.code == 1 && outcome.errors.contains("botcronctl help"), "\(outcome)")
    }

    @Test func whatIsNoPageOrNoDescriptionIsSaid() throws {
        let page = try TestProgram.run([TestPlace.built("botcronctl"), "man", "cron"])
        #expect(page.code == 64 && page.errors.contains("expected one of botcronctl, botcrond"), "\(page)")
        let arguments = [TestPlace.built("botcronctl"), "man", "--roff", ManualPage.interface.rawValue]
        let nowhere = try TestProgram.run(arguments + ["--interfaces", scratch.path])
        #expect(nowhere.code == 1 && nowhere.errors.contains("cannot be read"), "\(nowhere)")
        for text in ["", "<node><interface name=\"other\"/></node>", "<arg/><annotation", "<\"<interface name=x>"] {
            try TestFile.write(text, to: scratch.path + "/com.aiworkflow.BotCron.xml")
            let outcome = try TestProgram.run(arguments + ["--interfaces", scratch.path])
            #expect(outcome.code == 1 && outcome.errors.contains("no description"), "\(text): \(outcome)")
        }
    }

    /// What roff would take for a request, a quotation mark or a font is shown as it is written.
    @Test func everyCharacterOfATextIsShown() throws {
        let text = ".B 'a' \"b\" \\fBc --d ^e ~f `g` {h} %i … – é\n'quoted\n.dotted"
        var page = Roff("TEST", section: 1, manual: "Test \"manual\"", version: "1")
        page.name(["test"], "a test")
        page.item(String(text.prefix { $0 != "\n" }), text)
        page.text(text)
        page.example(text.split(separator: "\n").map(String.init))
        let path = scratch.path + "/test.1"
        try TestFile.write(page.text, to: path)
        let outcome = try TestProgram.run(
            ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", path],
            environment: TestProgram.plainEnvironment + ["MANROFFSEQ=", "MANWIDTH=200", "GROFF_NO_SGR=1"])
        #expect(outcome.errors.isEmpty, "\(outcome.errors)")
        let shown = outcome.output.replacing(/.\u{8}/, with: "")
            .split(whereSeparator: \.isWhitespace).joined(separator: " ")
        let wanted = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(shown.split(separator: wanted, omittingEmptySubsequences: false).count == 4, "\(shown)")
    }
}
