import TestSupport
import Testing

@testable import botcronctl

/// Tables as a screen of any width shows them: what a row is about and how it failed are the last to go.
@Suite struct TableTests {
    private static func history(_ names: [String]) -> Table {
        var table = Table("WHEN", "JOB", "STATUS", "TOOK", "WHAT", details: ["TOOK"])
        for name in names {
            table.add([
                .init("Mon 2026-11-30 10:09:46 UTC", short: "2 s ago"), .init(name), .init("failed", .bad),
                .init("24 ms"), .init("exited with status 3: no space is left on the device"),
            ])
        }
        return table
    }

    private static func lines(_ table: Table, _ width: Int) -> [String] {
        table.lines(width: width) { line, _ in line }.map(\.text)
    }

    @Test func whereThereIsRoomEverythingIsShown() {
        #expect(
            Self.lines(Self.history(["tea"]), .max) == [
                "WHEN                         JOB  STATUS  TOOK   WHAT",
                "Mon 2026-11-30 10:09:46 UTC  tea  failed  24 ms  exited with status 3: no space is left on the device",
            ])
    }

    @Test func aNarrowScreenSaysThingsInShortThenLeavesOutDetailThenGivesTheLastColumnALineOfItsOwn() {
        #expect(
            Self.lines(Self.history(["tea"]), 66) == [
                "WHEN     JOB  STATUS  TOOK   WHAT",
                "2 s ago  tea  failed  24 ms  exited with status 3: no space is le…",
            ])
        #expect(
            Self.lines(Self.history(["tea"]), 56) == [
                "WHEN     JOB  STATUS  WHAT",
                "2 s ago  tea  failed  exited with status 3: no space is…",
            ])
        #expect(
            Self.lines(Self.history(["nightly-backup-of-the-home"]), 60) == [
                "WHEN     JOB                         STATUS  WHAT",
                "2 s ago  nightly-backup-of-the-home  failed",
                "    exited with status 3: no space is left on the device",
            ])
    }

    /// One name of 128 letters has no say in where the other jobs' columns stand.
    @Test func aLongNameGoesOnBelowAndMovesNoOther() {
        var table = Table("JOB", "LAST")
        for name in ["tea", "nightly-backup-of-the-home-folder", "朝の報告を書くチームのために"] {
            table.add([.init(name, isWhole: true), .init("failed: no space is left on the device")])
        }
        #expect(
            Self.lines(table, 40)
                == [
                    "JOB  LAST", "tea  failed: no space is left on the de…",
                    "nightly-backup-of-the-home-folder",
                    "    failed: no space is left on the dev…", "朝の報告を書くチームのために",
                    "    failed: no space is left on the dev…",
                ])
        #expect(Self.lines(table, 20).joined().contains("nightly-backup-of-th    e-home-folder"))
    }

    @Test func aTextIsBrokenAtItsBlanks() {
        #expect(wrapped("one two three", cells: 20) == ["one two three"])
        #expect(wrapped("one two three", cells: 8) == ["one two", "three"])
        #expect(wrapped("a nightly-backup b", cells: 7) == ["a", "nightly", "-backup", "b"])
        #expect(wrapped("朝の報告 を", cells: 5) == ["朝の", "報告", "を"])
        #expect(wrapped("報", cells: 1) == ["報"], "no letter is narrower than itself")
        #expect(wrapped("", cells: 5) == [""])
        var random = SeededGenerator(seed: SeededGenerator.seed())
        for _ in 0..<1_000 {
            let letters = (0..<Int.random(in: 0...60, using: &random)).map { _ in
                ["a", "朝", "e\u{301}", " "].randomElement(using: &random) ?? ""
            }
            let cells = Int.random(in: 2...20, using: &random)
            let lines = wrapped(letters.joined(), cells: cells)
            #expect(lines.allSatisfy { cellWidth($0) <= cells }, "\(cells): \(lines)")
            #expect(lines.joined().filter { $0 != " " } == letters.joined().filter { $0 != " " })
        }
    }

    @Test func widthsAreThoseOfATerminalsCells() {
        var table = Table("JOB", "LAST")
        for name in ["tea", "朝の報告", "cafe\u{301}", "🍵"] { table.add([.init(name), .init("success")]) }
        #expect(
            Self.lines(table, .max) == [
                "JOB       LAST", "tea       success", "朝の報告  success", "cafe\u{301}      success",
                "🍵        success",
            ])
        #expect(prefix(of: "朝の報告", cells: 5) == "朝の")
        #expect(cellWidth("e\u{301}\u{200D}한Ａ") == 5)
    }

    @Test(arguments: 1...12) func aScreenOfAFewCellsEndsNothing(_ width: Int) {
        #expect(!Self.lines(Self.history(["tea", "朝の報告", ""]), width).isEmpty)
    }

    /// Of any rows, on any screen: no line is wider than it, and no row is without its status.
    @Test func noLineIsWiderThanTheScreenAndNoFailureIsLost() {
        var random = SeededGenerator(seed: SeededGenerator.seed())
        for _ in 0..<2_000 {
            let letters = ["a", "朝", "é"]
            let names = (0..<Int.random(in: 0...5, using: &random)).map { _ in
                String(
                    repeating: letters.randomElement(using: &random) ?? "", count: .random(in: 1...64, using: &random))
            }
            let width = Int.random(in: 40...240, using: &random)
            let lines = Self.lines(Self.history(names), width)
            #expect(lines.allSatisfy { cellWidth($0) <= width }, "\(width): \(lines)")
            #expect(lines.count { $0.contains("failed") } == names.count, "\(width): \(lines)")
        }
    }
}
