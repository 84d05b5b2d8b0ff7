import JSON
import TestSupport
import Testing

@testable import botcronctl

/// Every verb that shows something, on terminals of two widths, with colours and without.
@Suite struct ScreenSweepTests {
    private static let longName = String(repeating: "n", count: 128)
    private static let title = "夜間のバックアップ と مهمة"

    private static let configuration = """
        {"schedules": {"timezone": "America/New_York", "jobs": [
          {"name": "standup", "description": "Weekday mornings, as long as a description of a job may well get", \
        "cron": "0 9 1 1 *", "command": ["true"], "tags": ["home", "disk"]},
          {"name": "fails", "title": "\(title)", "command": "echo oh; exit 3", "cron": "@yearly"},
          {"name": "greet", "command": ["printf", "Hello\\\\n"]},
          {"name": "\(longName)", "cron": "0 9 1 1 *", "command": ["true"]},
          {"name": "off", "cron": "@yearly", "enabled": false, "command": ["true"]},
          {"name": "bad", "cron": "0 9 * * MON-FRX", "command": ["true"]}
        ]}}
        """

    static let verbs = [
        "list", "list --failed", "show fails", "show bad", "show \(longName)", "why fails", "why off", "calendar",
        "calendar --month", "history", "history fails", "history --tree", "history --failed", "heatmap fails", "status",
        "doctor", "health", "questions", "queue list", "config get", "next standup", "next '0 9 * * MON-FRI'",
        "simulate --config CONFIG", "simulate --all --config CONFIG", "validate CONFIG", "help", "help add",
        "help history",
    ]

    private let stage: Stage

    init() throws {
        stage = try Stage(Self.configuration)
        for job in ["greet", "fails"] { _ = try stage.control("run", job, "--wait") }
    }

    private func shown(_ verb: String, columns: Int, _ environment: String) throws -> [String] {
        let command = "\(TestPlace.built("botcronctl")) \(verb.replacing("CONFIG", with: stage.path("config.json")))"
        let inner = "stty rows 50 cols \(columns); \(environment) PAGER=cat \(command)"
        let outcome = try TestProgram.run(
            ["timeout", "60", "script", "--quiet", "--return", "--command", inner, "/dev/null"],
            environment: stage.environment + ["TERM=xterm-256color"])
        return outcome.output.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(String.init)
    }

    private static func plain(_ line: String) -> String { line.replacing(/\u{1B}\[[0-9;]*m/, with: "") }

    /// Without what a second later is another.
    private func settled(_ lines: [String]) -> String {
        Golden.settled(lines.map(Self.plain).joined(separator: "\n"), stage)
    }

    @Test(arguments: verbs) func nothingIsWiderThanItsScreenAndColoursSayNothingAlone(_ verb: String) throws {
        for columns in [80, 120] {
            // A column may go or come where an age gets a digit more between the two.
            var (coloured, bare): ([String], [String]) = ([], [])
            for _ in 0..<5 {
                coloured = try shown(verb, columns: columns, "")
                bare = try shown(verb, columns: columns, "NO_COLOR=1")
                if settled(coloured) == settled(bare) { break }
            }
            #expect(settled(coloured) == settled(bare), "\(verb)")
            #expect(bare.allSatisfy { !$0.contains("\u{1B}") }, "\(verb)")
            #expect(bare.count > 1)
            for line in coloured.map(Self.plain) {
                // A word alone is never broken: it may be a path, to be copied.
                let longest = line.split(separator: " ").map { cellWidth(String($0)) }.max() ?? 0
                #expect(
                    cellWidth(line) <= columns || longest >= columns - 4, "\(verb), \(columns) columns: \(line)")
            }
        }
    }

    @Test func neitherANameNorTheReasonOfAFailureIsLost() throws {
        for columns in [80, 120] {
            let list = try shown("list", columns: columns, "").joined()
            for name in ["standup", "fails", "greet", "off", "bad"] { #expect(list.contains(name), "\(columns)") }
            // In as many lines as it takes.
            #expect(list.count(where: { $0 == "n" }) >= Self.longName.count, "\(columns)")
            for verb in ["history", "history fails", "history --failed", "show fails"] {
                #expect(try shown(verb, columns: columns, "").joined().contains("exited with status 3"), "\(verb)")
            }
        }
    }

    @Test(arguments: verbs.filter { !$0.hasPrefix("help") })
    func asJSONItIsOneValueOrOneALine(_ verb: String) throws {
        let outcome = try stage.shell(
            "\(TestPlace.built("botcronctl")) \(verb.replacing("CONFIG", with: stage.path("config.json"))) --json")
        let text = outcome.output
        #expect(!text.isEmpty, "\(verb)")
        if (try? JSONValue(parsing: text)) != nil { return }
        for line in text.split(separator: "\n") {
            #expect((try? JSONValue(parsing: String(line))) != nil, "\(verb): \(line)")
        }
    }
}
