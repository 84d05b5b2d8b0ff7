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
