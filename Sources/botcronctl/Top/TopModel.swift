import Schedules

/// What the screen is about: what is known, what is selected, which page is open, what is typed. It is a value that
/// keys and news change, and from which the picture is drawn; it reads nothing and calls nobody. What is to be done in
/// the world is a `TopWish`, which `handle` returns.
struct TopModel {
    enum Page {
        case list
        case help(first: Int)
        case why(job: String, sentences: [String], first: Int)
        case log(LogView)
    }

    /// A line that is being typed.
    struct Typing: Equatable {
        enum Purpose: Equatable {
            case filter(before: String)
            case search
        }

        var purpose: Purpose
        var text: String
        /// What is looked for is a word, and no book.
        static let charactersMax = 200
    }

    /// The command line of the last action, and what came of it.
    struct Said: Equatable {
        enum Outcome: Equatable {
            case awaited
            case done(String)
            case failed(String)

            var text: String {
                switch self {
                case .awaited: ""
                case .done(let text), .failed(let text): text
                }
            }
        }

        /// As it is typed into a shell; empty where there is none.
        var line: String
        var outcome: Outcome
    }

    /// A run that is asked about before it is ended.
    struct Question: Equatable {
        var run: String
        var job: String
    }

    private(set) var facts = TopFacts()
    /// As of the last `refresh()`.
    private(set) var rows = TopRows()
    private(set) var layout: TopLayout
    var filter = TopFilter() { didSet { rebuild() } }
    private var isStale = false
    /// Among all rows that are listed.
    private(set) var selected = 0
    /// The first line that is seen, by pane.
    private(set) var tops: [Int]
    var page = Page.list
    var typing: Typing?
    var question: Question?
    var said: Said?

    init(size: Canvas.Size) {
        layout = TopLayout(size)
        tops = layout.panes.map { _ in 0 }
        rebuild()
    }

    // MARK: - News

    mutating func learn(_ change: (inout TopFacts) -> Void) {
        change(&facts)
        isStale = true
    }

    /// Takes up what was learnt: once for all of it, because there may be many jobs.
    mutating func refresh() {
        guard isStale else { return }
        isStale = false
        rebuild()
    }

    mutating func resize(_ size: Canvas.Size) {
        guard size != layout.size else { return }
        layout = TopLayout(size)
        tops = layout.panes.map { _ in 0 }
        if case .log(var view) = page {
            view.size = logSize
            view.settle()
            page = .log(view)
        }
        rebuild()
    }

    var logSize: Canvas.Size { Canvas.Size(columns: layout.size.columns, rows: layout.pageRows.count) }

    /// Who was selected stays so, wherever the row has moved. Where it is gone, because a run has ended, its job is
    /// selected where it stands now: the next key is meant for no other.
    private mutating func rebuild() {
        let before = selectedRow
        rows = TopRows(facts, filter: filter, limits: layout.limits)
        selected = before.flatMap { position(ofJobOf: $0) } ?? 0
        settle()
    }

    private func position(ofJobOf row: TopRows.Row) -> Int? {
        if let position = rows.position(of: row) { return position }
        guard let name = row.subject.job else { return nil }
        return rows.position(of: TopRows.Row(section: .attention, subject: .job(name)))
            ?? rows.position(of: TopRows.Row(section: .jobs, subject: .job(name)))
    }

    // MARK: - Selecting

    var selectedRow: TopRows.Row? { rows.row(at: selected) }

    var selectedJob: String? { selectedRow?.subject.job }

    mutating func select(_ position: Int) {
        selected = position
        settle()
    }

    /// The first row of the next section that has one; backwards of the one before.
    mutating func selectSection(forwards: Bool) {
        let all = TopRows.Section.allCases.filter { rows.listed($0) > 0 }
        guard let here = selectedRow?.section, let index = all.firstIndex(of: here) else { return }
        select(rows.start(of: all[(index + (forwards ? 1 : all.count - 1)) % all.count]))
    }

    /// Keeps the selected row among what there is, and in sight.
    private mutating func settle() {
        selected = min(max(0, selected), max(0, rows.listedCount - 1))
        guard let (index, line) = layout.place(of: selected, rows) else { return }
        let pane = layout.panes[index]
        let height = pane.rows.count
        // With the heading above the first row.
        let first = layout.line(line - 1, of: pane, rows) == .row(selected - 1) ? line : line - 1
        tops[index] = min(max(tops[index], line - height + 1), first)
        tops[index] = max(0, min(tops[index], layout.lineCount(pane, rows) - height))
    }

    /// The row that a place on the screen shows.
    func position(at place: Canvas.Place) -> Int? {
        for (index, pane) in layout.panes.enumerated()
        where pane.columns.contains(place.column) && pane.rows.contains(place.row) {
            let line = tops[index] + place.row - pane.rows.lowerBound
            if case .row(let position) = layout.line(line, of: pane, rows) { return position }
        }
        return nil
    }

    // MARK: - Pages

    mutating func changeLog(_ change: (inout LogView) -> Void) {
        guard case .log(var view) = page else { return }
        // Out of the page first: what is in two places is copied when it changes.
        page = .list
        change(&view)
        view.settle()
        page = .log(view)
    }
}

/// What is to be done in the world.
enum TopWish: Equatable {
    case run(job: String)
    case setEnabled(job: String, Bool)
    case skip(job: String)
    case cancel(run: String)
    /// The output of a run; nil: of the job's last one.
    case openLog(job: String, run: String?)
    case closeLog
    case why(job: String)
    case edit(job: String)
    case suspend
    case repaint
    case quit

    /// The command line that does the same; nil where there is none.
    var commandLine: String? {
        switch self {
        case .run(let job): Self.line("run", job)
        case .setEnabled(let job, true): Self.line("enable", job)
        case .setEnabled(let job, false): Self.line("disable", job)
        case .skip(let job): Self.line("skip", job)
        case .cancel(let run): Self.line("cancel", run)
        case .openLog(let job, let run): Self.line("logs --follow", run ?? job)
        case .why(let job): Self.line("why", job)
        case .edit(let job): Self.line("edit", job)
        case .closeLog, .suspend, .repaint, .quit: nil
        }
    }

    private static func line(_ verb: String, _ name: String) -> String {
        "botcronctl \(verb) \(ShellWords.quoted(name))"
    }
}
