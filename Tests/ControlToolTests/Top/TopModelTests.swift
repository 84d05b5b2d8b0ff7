import Schedules
import TestSupport
import Testing

@testable import botcronctl

/// What keys and news do to the terminal view.
@Suite struct TopModelTests {
    private func subjects(_ model: TopModel, _ section: TopRows.Section) -> [TopRows.Subject] {
        (0..<model.rows.listed(section)).map { model.rows[section, $0].subject }
    }

    // MARK: - Rows

    @Test func whatNeedsALookIsSortedByUrgency() {
        var facts = TopFixture.facts
        facts.configurationFault = "config.json, line 3: no JSON"
        facts.storeFault = "the disk is full"
        let model = TopFixture.model(200, 60, facts)
        #expect(
            subjects(model, .attention) == [
                .configuration, .store, .job("hangs"), .job("nightly-report"), .job("gives-up"), .job("bad-cron"),
            ])
        #expect(subjects(model, .running).map(\.job) == ["backup-home", "hangs"])
        #expect(subjects(model, .next).prefix(3).map(\.job) == ["sync-mail", "standup", "hangs"])
        #expect(subjects(model, .jobs).count == TopFixture.jobs.count)
        // A job that somebody has put out of force is not to be looked at for its last failure.
        facts.pausedByFailures = [:]
        #expect(!subjects(TopFixture.model(200, 60, facts), .attention).contains(.job("gives-up")))
    }

    @Test func theSoonestAreThoseOfASort() {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        for _ in 0..<50 {
            var facts = TopFacts()
            facts.replaceJobs(
                (0..<Int.random(in: 0...300, using: &random)).map { number in
                    let next = Instant(seconds: Int64.random(in: 0...200, using: &random))
                    return TopFixture.job("job-\(number)") { $0.nextRun = number % 5 == 0 ? nil : next }
                })
            let rows = TopRows(facts, filter: TopFilter(), limits: [.next: 40])
            let all = facts.jobs.values.compactMap(\.nextRun).sorted().prefix(40)
            let listed = (0..<rows.listed(.next)).map {
                rows[.next, $0].subject.job.flatMap { facts.jobs[$0]?.nextRun }
            }
            #expect(listed == all.map { $0 }, "seed \(seed)")
        }
    }

    // MARK: - Selecting

    @Test func theSelectionMovesThroughAllRows() {
        var model = TopFixture.model(80, 24)
        var seen: [TopRows.Row] = []
        for _ in 0..<model.rows.listedCount {
            if let row = model.selectedRow { seen.append(row) }
            model.type(.down)
        }
        #expect(Set(seen).count == model.rows.listedCount)
        // At the end it stays.
        #expect(model.selectedRow == seen.last)
        for row in seen.reversed() {
            #expect(model.selectedRow == row)
            model.type(.character("k"))
        }
        model.type(.end)
        #expect(model.selectedRow == seen.last)
        model.type(.home)
        #expect(model.selectedRow == seen.first)
        var sections: [TopRows.Section?] = []
        for _ in 0..<5 {
            sections.append(model.selectedRow?.section)
            model.type(.tab)
        }
        #expect(sections == [.attention, .running, .next, .jobs, .attention])
        model.type(.backTab)
        #expect(model.selectedRow?.section == .attention)
    }

    /// Whatever comes and goes, what is selected is a row, and it is seen.
    @Test func theSelectionIsAlwaysSeen() {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        var model = TopFixture.model(80, 24)
        let keys: [Key] = [.down, .up, .pageDown, .pageUp, .home, .end, .tab, .backTab, .mouse(.wheelDown)]
        for turn in 0..<300 {
            switch Int.random(in: 0...9, using: &random) {
            case 0:
                model.resize(
                    Canvas.Size(
                        columns: Int.random(in: 40...220, using: &random), rows: Int.random(in: 10...70, using: &random)
                    ))
            case 1:
                let some = (0..<Int.random(in: 0...80, using: &random)).map { number in
                    TopFixture.job("job-\(number)") { job in
                        job.lastStatus = number % 4 == 0 ? "failed" : ""
                        job.running = number % 9 == 0 ? ["run-\(number)"] : []
                    }
                }
                model.learn { $0.replaceJobs(some) }
            default: model.type(keys.randomElement(using: &random) ?? .down)
            }
            model.refresh()
            let isSeen = TopFixture.drawn(model).canvas.lines.contains { $0.contains("›") }
            guard isSeen == (model.selectedRow != nil), (model.selectedRow == nil) == (model.rows.listedCount == 0)
            else {
                Issue.record("seed \(seed), turn \(turn): \(model.selected) of \(model.rows.listedCount)")
                return
            }
        }
    }

    @Test func aRunThatEndsLeavesItsJobSelected() {
        var model = TopFixture.model(80, 24)
        model.type(.tab)
        #expect(model.selectedRow?.subject == .run("cron-backup-home-20260123-085500", job: "backup-home"))
        var job = TopFixture.jobs[0]
        job.running = []
        model.learn { $0.update([job], of: ["backup-home"]) }
        model.refresh()
        #expect(model.selectedRow == TopRows.Row(section: .jobs, subject: .job("backup-home")))
        // Where it has failed it is found among what needs a look.
        job.lastStatus = "failed"
        model.learn { $0.update([job], of: ["backup-home"]) }
        model.refresh()
        #expect(model.selectedJob == "backup-home")
        // And one that is gone altogether leaves none but the first.
        model.learn { $0.update([], of: ["backup-home"]) }
        model.refresh()
        #expect(model.facts.jobs["backup-home"] == nil && model.selected == 0)
    }

    @Test func aClickSelectsTheRowUnderIt() throws {
        var model = TopFixture.model(80, 24)
        let lines = TopFixture.drawn(model).canvas.lines
        let row = try #require(lines.firstIndex { $0.contains("sync-mail") })
        model.type(.mouse(.click(column: 10, row: row)))
        #expect(model.selectedRow == TopRows.Row(section: .next, subject: .job("sync-mail")))
        // Beside the rows it does nothing.
        for place in [(0, 0), (10, 1), (10, 23), (500, 500), (-1, -1)] {
            model.type(.mouse(.click(column: place.0, row: place.1)))
            #expect(model.selectedJob == "sync-mail")
        }
    }

    // MARK: - What is asked for

    @Test func keysAskForWhatTheyName() {
        var model = TopFixture.model(80, 24)
        model.type(text: "/nightly")
        model.type(.enter)
        #expect(model.selectedJob == "nightly-report")
        #expect(model.type(.character("r")) == [.run(job: "nightly-report")])
        #expect(model.type(.character("t")) == [.setEnabled(job: "nightly-report", false)])
        #expect(model.type(.character("s")) == [.skip(job: "nightly-report")])
        #expect(model.type(.character("w")) == [.why(job: "nightly-report")])
        #expect(model.type(.character("e")) == [.edit(job: "nightly-report")])
        #expect(model.type(.enter) == [.openLog(job: "nightly-report", run: nil)])
        #expect(model.type(.character("l")) == [.openLog(job: "nightly-report", run: nil)])
        #expect(model.type(.character("q")) == [.quit] && model.type(.control("c")) == [.quit])
        #expect(model.type(.control("z")) == [.suspend] && model.type(.control("l")) == [.repaint])
        // What is not running is not ended.
        #expect(model.type(.character("c")).isEmpty && model.question == nil)
        #expect(model.said?.outcome == .done("nothing of nightly-report is running"))
    }

    @Test func whatIsNoJobIsReadAndNotActedOn() {
        var facts = TopFixture.facts
        facts.configurationFault = String(repeating: "and so on ", count: 40) + "to the end"
        var model = TopFixture.model(80, 24, facts)
        #expect(model.selectedRow?.subject == .configuration)
        for key in ["r", "t", "s", "c", "e"] {
            #expect(model.type(.character(Character(key))).isEmpty && model.question == nil)
        }
        #expect(TopFixture.text(model).contains("this is not about a job"))
        #expect(model.type(.enter).isEmpty)
        #expect(TopFixture.text(model).contains("Why: config.json") && TopFixture.text(model).contains("to the end"))
        // Of nothing at all nothing is asked for.
        var empty = TopFixture.model(80, 24, TopFacts())
        for key in ["r", "t", "s", "c", "e", "l", "w"] { #expect(empty.type(.character(Character(key))).isEmpty) }
    }

    @Test func aRunIsEndedWhenThatWasAskedOnce() {
        var model = TopFixture.model(80, 24)
        model.type(.tab, .character("c"))
        let run = "cron-backup-home-20260123-085500"
        #expect(model.question?.run == run)
        #expect(TopFixture.text(model).contains("End \(run) of backup-home? y/N"))
        #expect(model.type(.character("x")).isEmpty && model.question == nil)
        model.type(.character("c"))
        // A terminal that reports something has not answered.
        #expect(model.type(.modeReport(mode: 2026, state: 2)).isEmpty && model.question != nil)
        #expect(model.type(.character("y")) == [.cancel(run: run)])
        #expect(TopWish.cancel(run: run).commandLine == "botcronctl cancel \(run)")
        #expect(TopWish.run(job: "two words").commandLine == "botcronctl run 'two words'")
        #expect(TopWish.setEnabled(job: "a", true).commandLine == "botcronctl enable a")
    }

    /// Text that is pasted into the list would be taken for keys: each letter is one.
    @Test func whatIsPastedActsOnNothing() {
        var model = TopFixture.model(80, 24)
        model.type(.tab)
        #expect(model.type(.pasted("crty\nq")).isEmpty)
        #expect(model.question == nil && model.typing == nil)
        model.type(.character("/"))
        model.type(.pasted("night\u{1B}[2Jly"))
        #expect(model.typing?.text == "night\u{FFFD}[2Jly")
    }

    // MARK: - The filter

    @Test(arguments: [
        ("report", ["nightly-report"]), ("REPORT of", ["nightly-report"]), ("night", ["nightly-report"]),
        ("backup", ["backup-home"]), ("failed", ["gives-up", "nightly-report"]), ("disabled", ["gives-up", "off"]),
        ("running", ["backup-home", "hangs"]), ("waiting", ["waits"]), ("refused", ["bad-cron"]),
        ("schedulable", ["bad-cron"]), ("paused", ["gives-up"]), ("failed report", ["nightly-report"]), ("zzz", []),
        ("  ", TopFixture.jobs.map(\.name)),
    ])
    func theFilterKnowsNamesTitlesTagsAndStates(_ text: String, _ names: [String]) {
        let rows = TopRows(TopFixture.facts, filter: TopFilter(text: text), limits: [:])
        #expect((0..<rows.count(of: .jobs)).compactMap { rows[.jobs, $0].subject.job } == names)
    }

    @Test func theFilterIsTypedKeptAndLeft() {
        var model = TopFixture.model(80, 24)
        model.type(text: "/sync")
        #expect(model.rows.count(of: .jobs) == 1 && model.typing != nil)
        #expect(TopFixture.drawn(model).canvas.cursor == Canvas.Place(column: 6, row: 22))
        // Letters are text while it is typed, and no keys.
        model.type(.backspace, .character("q"))
        #expect(model.filter.text == "synq" && model.rows.count(of: .jobs) == 0)
        model.type(.control("w"), .enter)
        #expect(model.filter.isEmpty && model.typing == nil)
        model.type(text: "/mail")
        model.type(.enter)
        #expect(TopFixture.text(model).contains("11 jobs, 1 shown") && TopFixture.text(model).contains("filter: mail"))
        model.type(text: "/standup")
        model.type(.escape)
        #expect(model.filter.text == "mail")
        model.type(.escape)
        #expect(model.filter.isEmpty)
        model.type(text: "/" + String(repeating: "x", count: 5_000))
        #expect(model.typing?.text.count == TopModel.Typing.charactersMax)
        #expect(TopFixture.drawn(model).canvas.cursor?.column ?? 0 < 80)
    }

    // MARK: - Pages

    @Test func reasonsAreWrappedAndScrolled() throws {
        var model = TopFixture.model(80, 24)
        model.page = .why(
            job: "nightly-report",
            sentences: (1...20).map {
                "Reason \($0) has so many words that it does not fit into one line of the screen" + " or two"
            },
            first: 0)
        let first = TopFixture.text(model)
        #expect(first.contains("Reason 1 ") && !first.contains("Reason 20 "))
        model.type(.pageDown, .pageDown, .pageDown, .pageDown)
        let last = TopFixture.text(model)
        #expect(last.contains("Reason 20 ") && !last.contains("Reason 1 "))
        model.type(.pageUp, .pageUp, .pageUp, .pageUp, .up)
        #expect(TopFixture.text(model) == first)
        model.type(.character("q"))
        guard case .list = model.page else {
            Issue.record("the page is still open")
            return
        }
    }
}
