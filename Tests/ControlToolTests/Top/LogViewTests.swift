import TestSupport
import Testing

@testable import botcronctl

/// The output of a run as the terminal view shows it.
@Suite struct LogViewTests {
    private static func view(_ text: String, _ columns: Int = 20, _ rows: Int = 5) -> LogView {
        var view = LogView(job: "job", run: "run", size: Canvas.Size(columns: columns, rows: rows))
        view.text.add(Array(text.utf8))
        view.settle()
        return view
    }

    private func texts(_ view: LogView) -> [String] { view.rows().map(\.text) }

    // MARK: - Lines

    @Test func bytesBecomeLinesWhereverTheyAreCut() {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        let text = "first\nzweite Zeile ü\t|\n\u{1B}[31mred\u{1B}[0m\r\n日本\u{1B}]0;t\u{7}語\n\nno end"
        let bytes = Array(text.utf8)
        let lines = ["first", "zweite Zeile ü  |", "red", "日本語", "", "no end"]
        for _ in 0..<100 {
            var log = LogText()
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = min(rest.count, Int.random(in: 1...9, using: &random))
                log.add(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            #expect(log.lines == lines, "seed \(seed)")
        }
    }

    @Test func whatIsKeptHasABound() {
        var log = LogText(linesMax: 100)
        for number in 0..<1_030 { log.add(Array("line \(number)\n".utf8)) }
        #expect(log.lines.count <= 100 && log.lines.count >= 90)
        #expect(log.lines.last == "line 1029" && log.lines.first == "line \(log.droppedLines)")
        // Few lines that are long are bounded by their bytes, and one without an end by pieces of itself.
        var long = LogText(bytesMax: 50_000)
        for _ in 0..<8 { long.add(Array(repeating: UInt8(ascii: "x"), count: 10_000)) }
        #expect(long.lines.reduce(0) { $0 + $1.utf8.count } <= 50_000)
        #expect(long.lines.allSatisfy { $0.utf8.count <= LogText.lineBytesMax + 4 } && long.droppedLines > 0)
        // Not within a character.
        var wide = LogText()
        wide.add(Array(String(repeating: "日", count: 3_000).utf8))
        #expect(wide.lines.joined() == String(repeating: "日", count: 3_000) && wide.lines.count > 2)
        #expect(LogText.bytesMax == 4 << 20 && LogText.linesMax == 50_000)
    }

    @Test func notesStandOnLinesOfTheirOwn() {
        var log = LogText()
        log.add(Array("begun".utf8))
        log.note("… attempt 2 …")
        log.add(Array("again\n".utf8))
        #expect(log.lines == ["begun", "… attempt 2 …", "again"])
    }

    // MARK: - Moving

    /// To move by some rows is to move in the list of all rows, which nobody makes.
    @Test func movingIsThatOfTheWholeList() {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        for turn in 0..<80 {
            let text = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                String(
                    repeating: ["ab ", "日本", "e\u{301}", "x"].randomElement(using: &random) ?? "",
                    count: Int.random(in: 0...30, using: &random))
            }.joined(separator: "\n")
            var view = Self.view(text, Int.random(in: 2...30, using: &random), Int.random(in: 1...10, using: &random))
            if Bool.random(using: &random) { view.toggleWrap() }
            let all = view.text.lines.flatMap { view.isWrapped ? wrapped($0, into: view.size.columns) : [$0] }
            var first = max(0, all.count - view.size.rows)
            for _ in 0..<20 {
                let step = Int.random(in: -12...12, using: &random)
                view.move(by: step)
                first = max(0, min(first + step, all.count - view.size.rows))
                guard texts(view) == Array(all.dropFirst(first).prefix(view.size.rows)) else {
                    Issue.record("seed \(seed), turn \(turn): \(texts(view)) at \(first) of \(all)")
                    return
                }
            }
        }
    }

    @Test func itFollowsUntilSomebodyLooksBack() {
        var view = Self.view((1...20).map { "line \($0)\n" }.joined())
        #expect(texts(view).last == "line 20" && view.isFollowing)
        view.text.add(Array("line 21\n".utf8))
        view.settle()
        #expect(texts(view).last == "line 21")
        view.move(by: -2)
        #expect(texts(view).last == "line 19" && !view.isFollowing)
        view.text.add(Array("line 22\n".utf8))
        view.settle()
        #expect(texts(view).last == "line 19")
        // At the end it follows again.
        view.move(by: 10)
        #expect(texts(view).last == "line 22" && view.isFollowing)
        view.goToStart()
        #expect(texts(view).first == "line 1" && !view.isFollowing)
        view.goToEnd()
        #expect(view.isFollowing)
    }

    @Test func longLinesAreWrappedOrCut() {
        var view = Self.view("0123456789abcdefghijKLMNO\nshort", 10, 5)
        #expect(texts(view) == ["0123456789", "abcdefghij", "KLMNO", "short"])
        view.toggleWrap()
        #expect(texts(view) == ["0123456789abcdefghijKLMNO", "short"])
        view.moveSideways(by: 1)
        #expect(texts(view) == ["89abcdefghijKLMNO", ""])
        view.moveSideways(by: -5)
        #expect(view.column == 0)
    }

    // MARK: - Searching

    @Test func aSearchGoesRoundFromWhereItIs() {
        var view = Self.view((1...30).map { "line \($0)\($0 % 10 == 3 ? " Match" : "")\n" }.joined())
        view.goToStart()
        view.search = TextSearch("match")
        view.find(forwards: true, includingTop: true)
        var lines = [view.found]
        for forwards in [true, true, true, false, false] {
            view.settle()
            view.find(forwards: forwards)
            lines.append(view.found)
        }
        #expect(lines == [2, 12, 22, 2, 22, 12])
        view.search = TextSearch("nowhere")
        view.find(forwards: true)
        #expect(view.remark == "\"nowhere\" is not found")
    }

    @Test(arguments: [
        ("match", "a Match, a match", [2..<7, 11..<16]), ("Match", "a Match, a match", [2..<7]),
        ("aa", "aaaaa", [0..<2, 2..<4]),
        ("ü", "für über", [1..<3, 5..<7]), ("x", "", []), ("longer than", "it", []),
    ])
    func matchesAreFoundWhateverTheirCase(_ wanted: String, _ line: String, _ places: [Range<Int>]) throws {
        let search = try #require(TextSearch(wanted))
        #expect(search.places(in: line) == places)
        #expect(search.isIn(line) == !places.isEmpty)
        #expect(TextSearch("") == nil)
    }

    @Test func matchesAreMarkedWhereTheyAreSeen() throws {
        var model = TopFixture.model(40, 12)
        var view = LogView(job: "job", run: "run", size: model.logSize)
        view.text.add(Array("日本 needle and a needle\nplain\n".utf8))
        view.status = "running"
        model.page = .log(view)
        model.type(text: "/needle")
        model.type(.enter)
        let canvas = TopFixture.drawn(model).canvas
        let marked = (0..<40).filter { canvas[$0, 2].style.isReversed }
        #expect(marked == Array(5..<11) + Array(18..<24))
        #expect((0..<40).allSatisfy { canvas[$0, 3].style == .plain })
        try Golden.expect(canvas.lines.joined(separator: "\n") + "\n", "top-log.txt")
    }

    @Test func theLogSaysWhatIsNotKeptAndWhatItDoes() {
        var model = TopFixture.model(80, 24)
        var view = LogView(job: "job", run: "run", size: model.logSize)
        model.page = .log(view)
        #expect(TopFixture.text(model).contains("Nothing is written yet."))
        view.text = LogText(linesMax: 100)
        for number in 0..<110 { view.text.add(Array("line \(number)\n".utf8)) }
        view.settle()
        model.page = .log(view)
        #expect(TopFixture.text(model).contains("the first \(view.firstLine) are not kept"))
        #expect(TopFixture.text(model).contains("following"))
        #expect(model.type(.character("c")).isEmpty && model.question?.run == "run")
        #expect(model.type(.character("y")) == [.cancel(run: "run")])
        #expect(model.type(.character("q")) == [.closeLog])
    }
}
