import Schedules
import TestSupport
import Testing

@testable import botcronctl

/// The pictures of the terminal view, as text.
@Suite struct TopScreenTests {
    @Test(arguments: [(80, 24), (80, 30), (200, 60), (40, 12)])
    func theListIsDrawnForItsSize(_ columns: Int, _ rows: Int) throws {
        let model = TopFixture.model(columns, rows)
        let text = TopFixture.text(model)
        try Golden.expect(text, "top-\(columns)x\(rows).txt")
        for line in text.split(separator: "\n") { #expect(cellWidth(String(line)) <= columns) }
    }

    @Test func theReadmeShowsOneOfThem() throws {
        let readme = try TestFile.ownText(TestPlace.package + "/README.md")
        #expect(readme.contains("```\n\(TopFixture.text(TopFixture.model(80, 30)))```\n"))
    }

    @Test func theConsoleHasSignsThatItsFontsHave() throws {
        let text = TopFixture.text(TopFixture.model(80, 24), .console)
        try Golden.expect(text, "top-console.txt")
        // Code page 437, as far as it is used here; letters of jobs are their own.
        for scalar in text.unicodeScalars where scalar.value > 0x7F {
            #expect("─█▄░–".unicodeScalars.contains(scalar), "\(scalar)")
        }
        var help = TopFixture.model(80, 24)
        help.type(.character("?"))
        let signs = TopFixture.text(help, .console).unicodeScalars.filter { $0.value > 0x7F }
        #expect(signs.allSatisfy { "─█▄░".unicodeScalars.contains($0) }, "\(String(String.UnicodeScalarView(signs)))")
    }

    @Test(arguments: [(80, 24), (40, 12), (200, 60)])
    func helpHasEveryKey(_ columns: Int, _ rows: Int) throws {
        var model = TopFixture.model(columns, rows)
        model.type(.character("?"))
        var text = TopFixture.text(model)
        if columns == 80 { try Golden.expect(text, "top-help.txt") }
        // On one page, where that is not small.
        #expect(rows < 24 || !text.contains("scroll"))
        for _ in 0..<5 {
            model.type(.pageDown)
            text += TopFixture.text(model)
        }
        for word in [
            "run it now", "enable or disable", "skip", "end its run", "its log", "why", "edit", "wrap", "quit",
        ] {
            #expect(text.contains(word), "\(word) in \(columns)x\(rows)")
        }
        #expect(!text.contains("…"))
        #expect(model.type(.escape).isEmpty)
        #expect(TopFixture.text(model) == TopFixture.text(TopFixture.model(columns, rows)))
    }

    @Test func emptyStatesAreOneQuietLineEach() throws {
        var facts = TopFacts()
        (facts.link, facts.status) = (.live, "running")
        try Golden.expect(TopFixture.text(TopFixture.model(80, 24, facts)), "top-empty.txt")
        #expect(TopFixture.drawn(TopFixture.model(80, 24, facts)).beat == .never)
    }

    @Test func whatIsNotLiveSaysSo() throws {
        var facts = TopFixture.facts
        facts.link = .away(since: TopFixture.now - .seconds(75))
        let drawn = TopFixture.drawn(TopFixture.model(80, 24, facts))
        #expect(drawn.canvas.lines[0] == " BotCron  NOT LIVE for 1 min 15 s: no daemon is on the bus")
        // What is no longer known to be so is faint.
        let row = drawn.canvas.lines.firstIndex { $0.contains("nightly-report") } ?? 0
        #expect(row > 0 && (0..<80).allSatisfy { drawn.canvas[$0, row].style.isFaint })
        facts.link = .broken("the connection to the bus is lost", since: TopFixture.now - .seconds(3))
        #expect(
            TopFixture.text(TopFixture.model(80, 24, facts)).hasPrefix(
                " BotCron  NOT LIVE for 3 s: the connection to the bus is lost\n"))
        #expect(TopFixture.text(TopFixture.model(80, 24, TopFacts())).hasPrefix(" BotCron  looking for the daemon\n\n"))
    }

    @Test func aPauseAndASleepAreOnTop() {
        var facts = TopFixture.facts
        facts.areSchedulesInForce = false
        #expect(TopFixture.text(TopFixture.model(80, 24, facts)).contains("ALL PAUSED"))
        (facts.areSchedulesInForce, facts.status) = (true, "sleeping")
        #expect(TopFixture.text(TopFixture.model(80, 24, facts)).contains("the machine is asleep"))
    }

    @Test(arguments: [(39, 24), (80, 9), (1, 1), (5, 3)])
    func whatIsTooSmallSaysSo(_ columns: Int, _ rows: Int) {
        let text = TopFixture.text(TopFixture.model(columns, rows))
        #expect(columns < 20 || text.hasPrefix("botcronctl top needs 40 columns"))
        #expect(!text.contains("backup"))
        var model = TopFixture.model(columns, rows)
        #expect(model.type(.character("r")).isEmpty && model.type(.character("q")) == [.quit])
    }

    /// Names that break rows: as long as they may be, of two cells a letter, from right to left, with orders to the
    /// terminal in what belongs to them.
    @Test func strangeTextsKeepTheirCells() throws {
        var facts = TopFacts()
        (facts.link, facts.status) = (.live, "running")
        facts.replaceJobs(
            [String(repeating: "long-", count: 25) + "end", "日本語のジョブの名前はとても長い", "גיבוי-יומי-של-הבית", "e\u{301}clair"]
                .map {
                    TopFixture.job($0) { job in
                        job.title = "\u{1B}[2J\u{202E}title\u{7}"
                        job.schedule = "0 9 * * *\u{1B}]0;x\u{7}"
                        (job.lastStatus, job.lastRun) = ("failed", TopFixture.now - .seconds(7_200))
                    }
                })
        for name in facts.names { facts.strips[name] = [TopFixture.run("failed", 10, "\u{1B}[31mred\r\nline")] }
        for columns in [40, 80, 200] {
            let canvas = TopFixture.drawn(TopFixture.model(columns, 24, facts)).canvas
            for scalar in canvas.lines.joined().unicodeScalars { #expect(!steersTerminal(scalar)) }
            for line in canvas.lines { #expect(cellWidth(line) <= columns) }
            if columns == 80 { try Golden.expect(canvas.lines.joined(separator: "\n") + "\n", "top-strange.txt") }
        }
    }

    @Test func anyTextOfTheDaemonIsCleaned() {
        var facts = TopFixture.facts
        let foreign = "a\u{1B}[31mb\u{7}\u{9B}c\u{202E}d"
        facts.status = foreign
        (facts.configurationFault, facts.storeFault) = (foreign, foreign)
        facts.pausedByFailures = ["gives-up": foreign]
        var model = TopFixture.model(80, 24, facts)
        model.said = TopModel.Said(line: foreign, outcome: .failed(foreign))
        var texts = [TopFixture.text(model)]
        model.question = TopModel.Question(run: foreign, job: foreign)
        texts.append(TopFixture.text(model))
        model.page = .why(job: foreign, sentences: [foreign], first: 0)
        texts.append(TopFixture.text(model))
        var log = LogView(job: foreign, run: foreign, size: model.logSize)
        log.text.add(Array(foreign.utf8))
        log.status = foreign
        model.question = nil
        model.page = .log(log)
        texts.append(TopFixture.text(model))
        for scalar in texts.joined().unicodeScalars where scalar != "\n" { #expect(!steersTerminal(scalar)) }
        #expect(texts.allSatisfy { $0.contains("b\u{FFFD}") })
    }

    // MARK: - Bars

    @Test(arguments: [
        ("success", "█"), ("failed", "✕"), ("timeout", "✕"), ("interrupted", "✕"), ("cancelled", "–"), ("missed", "·"),
        ("skipped", "·"), ("running", "●"), ("retrying", "●"), ("queued", "○"), ("of a later version", "·"),
    ])
    func aBarSaysHowItEnded(_ status: String, _ sign: String) {
        let bars = RunStrip.bars(of: [TopFixture.run(status, 5_000)], width: 30, .unicode)
        #expect(bars.map(\.text) == [sign])
        // Never by its colour alone: what went well is the only one with a height.
        #expect((bars[0].ink == .good) == (status == "success"))
    }

    @Test func aBarIsAsHighAsTheRunWasLong() {
        func heights(_ milliseconds: [Int?], width: Int = 30) -> String {
            let runs = milliseconds.map { took in
                var run = TopFixture.run("success")
                run.milliseconds = took
                return run
            }
            return RunStrip.bars(of: runs, width: width, .unicode).map(\.text).joined()
        }
        // Newest first in, oldest first out.
        #expect(heights([70_000, 60_000, 50_000, 40_000, 30_000, 20_000, 10_000, 0]) == "▁▂▃▄▅▆▇█")
        // What is over in less than a second is short, whatever the others take.
        #expect(heights([12, 14, 11]) == "▁▁▁" && heights([999, 1_000, 500]) == "▄█▇")
        #expect(heights([nil, -5, 1_000]) == "█▁▁")
        #expect(heights([Int.max, 1]).count == 2 && heights([1, 2, 3], width: 2).count == 2 && heights([]).isEmpty)
        #expect(heights([1], width: -1).isEmpty)
    }

    @Test func whatCameOfAnActionIsSeenHoweverLongItIs() {
        var model = TopFixture.model(80, 24)
        let name = String(repeating: "n", count: 128)
        model.said = TopModel.Said(line: "botcronctl run \(name)", outcome: .done("it is started"))
        #expect(TopFixture.drawn(model).canvas.lines[22].hasSuffix("…  it is started"))
        model.said = TopModel.Said(line: "botcronctl run a", outcome: .failed(String(repeating: "why ", count: 50)))
        #expect(TopFixture.drawn(model).canvas.lines[22].hasPrefix(" ✕ botcronctl run a  why why"))
    }

    // MARK: - Many

    @Test func ofTenThousandJobsOnlyWhatIsSeenIsDrawn() {
        var facts = TopFacts()
        facts.link = .live
        facts.replaceJobs(
            (0..<10_000).map { number in
                TopFixture.job("job-\(100_000 + number)") { job in
                    (job.lastStatus, job.lastRun) = (number % 3 == 0 ? "failed" : "success", TopFixture.now)
                    job.nextRun = TopFixture.now + .seconds(number)
                }
            })
        for size in [Canvas.Size(columns: 80, rows: 24), Canvas.Size(columns: 200, rows: 60)] {
            var model = TopFixture.model(size.columns, size.rows, facts)
            for key in [Key.home, .end, .pageUp, .up, .tab, .pageDown] {
                model.type(key)
                let drawn = TopFixture.drawn(model)
                #expect(drawn.drawnRows <= 2 * size.rows && drawn.drawnRows > 5)
                #expect(drawn.lacks.strips.count <= drawn.drawnRows)
                // What is selected is seen.
                #expect(drawn.canvas.lines.contains { $0.contains("›") })
            }
        }
    }

    // MARK: - Time

    @Test func onlyWhatCountsIsWokenFor() {
        func beat(_ change: (inout JobFacts) -> Void) -> TopDrawing.Beat {
            var facts = TopFacts()
            facts.link = .live
            facts.replaceJobs([TopFixture.job("one", change)])
            facts.strips["one"] = []
            return TopFixture.drawn(TopFixture.model(80, 24, facts)).beat
        }
        #expect(beat { $0.nextRun = nil } == .never)
        #expect(beat { $0.nextRun = TopFixture.now + .seconds(599) } == .seconds)
        #expect(beat { $0.nextRun = TopFixture.now + .seconds(600) } == .minutes)
        // What is due says "now" until it is told of, and is asked about where it is not.
        #expect(beat { $0.nextRun = TopFixture.now - .seconds(1) } == .seconds)
        #expect(beat { $0.nextRun = TopFixture.now - .seconds(5) } == .never)
        #expect(beat { ($0.nextRun, $0.lastStatus, $0.lastRun) = (nil, "success", TopFixture.now) } == .minutes)
        #expect(TopFixture.drawn(TopFixture.model(80, 24)).beat == .seconds)
        // A page over the list counts nothing.
        var model = TopFixture.model(80, 24)
        model.type(.character("?"))
        #expect(TopFixture.drawn(model).beat == .never)
    }

    @Test func whatIsLackingIsAskedForOnce() {
        var facts = TopFixture.facts
        facts.runs = [:]
        let lacks = TopFixture.drawn(TopFixture.model(80, 24, facts)).lacks
        #expect(Set(lacks.runs) == ["cron-backup-home-20260123-085500", "cron-hangs-20260123-083000"])
        #expect(lacks.seenRuns.count == 2 && !lacks.strips.contains("nightly-report"))
    }
}
