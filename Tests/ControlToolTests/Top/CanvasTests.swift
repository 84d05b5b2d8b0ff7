import TestSupport
import Testing

@testable import botcronctl

/// Cells, and what is sent of them.
@Suite struct CanvasTests {
    private static let size = Canvas.Size(columns: 20, rows: 3)

    @Test(arguments: [
        ("plain", 20, "plain"), ("exactly ten", 11, "exactly ten"), ("one too many", 11, "one too ma…"),
        ("日本語のジョブ", 14, "日本語のジョブ"), ("日本語のジョブ", 13, "日本語のジョ…"), ("日本語", 4, "日…"),
        ("e\u{301}te\u{301}", 20, "e\u{301}te\u{301}"), ("a\u{1B}[31mb", 20, "a\u{FFFD}[31mb"),
        ("a\nb\tc", 20, "a b c"), ("x\u{202E}y", 20, "x\u{FFFD}y"), ("שלום", 20, "שלום\u{200E}"),
        ("anything", 0, ""), ("anything", 1, "…"), ("", 5, ""), ("\u{301}x", 5, "x"),
    ])
    func aTextTakesAsManyCellsAsItIsGiven(_ text: String, _ width: Int, _ shown: String) {
        var canvas = Canvas(Self.size)
        let used = canvas.write(text, at: 0, 1, width: width)
        #expect(canvas.lines == ["", shown, ""])
        #expect(used <= width && cellWidth(shown) == used)
    }

    @Test func aHeapOfMarksIsCut() {
        var canvas = Canvas(Self.size)
        canvas.write("a" + String(repeating: "\u{301}", count: 100_000) + "b", at: 0, 0)
        #expect(canvas.lines[0].unicodeScalars.count <= 2 * Canvas.scalarsMax)
    }

    @Test func whatIsOutsideIsLeftOut() {
        var canvas = Canvas(Self.size)
        for (column, row) in [(20, 0), (-1, 0), (0, 3), (0, -1)] { canvas.write("x", at: column, row) }
        canvas.write("日", at: 19, 0)
        #expect(canvas.lines == ["                   …", "", ""])
        canvas.restyle(-5..<40, 9) { $0.isBold = true }
        canvas.restyle(-5..<40, 0) { $0.isBold = true }
        #expect(canvas[0, 0].style.isBold && !canvas[0, 1].style.isBold)
    }

    // MARK: - The difference

    private static let texts = [
        "a", "text", "日本", "x日y", "e\u{301}", "שלום", "──", "▁▂█", "🎉!", "…", "\u{1B}[2J", "long enough to be cut",
        "   ", "",
    ]

    private static func randomCanvas(_ random: inout SeededGenerator, from old: Canvas?) -> Canvas {
        var canvas = old ?? Canvas(size)
        if Bool.random(using: &random) { canvas = Canvas(size) }
        for _ in 0..<Int.random(in: 0...8, using: &random) {
            let style = CellStyle(
                ink: [.plain, .good, .bad, .active].randomElement(using: &random) ?? .plain,
                isBold: Bool.random(using: &random), isFaint: Bool.random(using: &random),
                isReversed: Int.random(in: 0...3, using: &random) == 0)
            canvas.write(
                texts.randomElement(using: &random) ?? "", at: Int.random(in: 0..<20, using: &random),
                Int.random(in: 0..<3, using: &random), width: Int.random(in: 0...20, using: &random), style)
        }
        let start = Int.random(in: 0..<20, using: &random)
        canvas.restyle(start..<start + 3, Int.random(in: 0..<3, using: &random)) { $0.isUnderlined.toggle() }
        canvas.cursor =
            Bool.random(using: &random)
            ? Canvas.Place(column: Int.random(in: 0..<20, using: &random), row: Int.random(in: 0..<3, using: &random))
            : nil
        return canvas
    }

    /// What the difference makes of a screen that shows the one is a screen that shows the other.
    @Test func theDifferenceLeadsFromEachScreenToEachOther() {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        for turn in 0..<500 {
            let diff = CanvasDiff(hasColor: true, isSynchronized: turn % 2 == 0)
            var screen = PaintedScreen(Self.size)
            screen.litter("?")
            var shown: Canvas?
            for _ in 0..<4 {
                let next = Self.randomCanvas(&random, from: shown)
                screen.take(diff.bytes(from: shown, to: next))
                guard screen.shows(next), screen.foreign.isEmpty else {
                    Issue.record("seed \(seed), turn \(turn): \(screen.foreign) \(screen.cells) for \(next.lines)")
                    return
                }
                #expect(diff.bytes(from: next, to: next).isEmpty)
                shown = next
            }
        }
    }

    @Test func aFigureThatChangesIsAFewBytes() {
        var (old, new) = (Canvas(Canvas.Size(columns: 200, rows: 60)), Canvas(Canvas.Size(columns: 200, rows: 60)))
        for row in 0..<60 {
            for column in stride(from: 0, to: 200, by: 10) {
                old.write("text \(row)", at: column, row)
                new.write("text \(row)", at: column, row)
            }
        }
        old.write("in 12 s", at: 40, 30, .bold)
        new.write("in 11 s", at: 40, 30, .bold)
        let bytes = CanvasDiff(hasColor: true).bytes(from: old, to: new)
        #expect(String(decoding: bytes, as: UTF8.self) == "\u{1B}[31;45H\u{1B}[0;1m1\u{1B}[0m")
    }

    @Test func withoutColoursNoneIsSent() {
        var canvas = Canvas(Self.size)
        for (row, ink) in [CellStyle.Ink.good, .bad, .active].enumerated() {
            canvas.write("text", at: 0, row, .ink(ink, isBold: true))
        }
        let text = String(decoding: CanvasDiff(hasColor: false).bytes(from: nil, to: canvas), as: UTF8.self)
        let styles = text.matches(of: /\u{1B}\[([0-9;]*)m/).map { String($0.output.1) }
        #expect(Set(styles) == ["0;1", "0"])
        let colored = String(decoding: CanvasDiff(hasColor: true).bytes(from: nil, to: canvas), as: UTF8.self)
        #expect(colored.contains("\u{1B}[0;1;31m"))
    }

    /// A letter whose width terminals do not agree on moves none behind it.
    @Test func behindARareLetterThePlaceIsSaidAnew() {
        var canvas = Canvas(Self.size)
        canvas.write("a👩‍💻b", at: 0, 0)
        let text = String(decoding: CanvasDiff(hasColor: true).bytes(from: nil, to: canvas), as: UTF8.self)
        #expect(text.contains("\u{1B}[1;4Hb"), "\(text)")
    }
}
