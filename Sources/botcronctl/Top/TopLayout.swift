/// Where things are on a screen of some size: a line on top, the list in one column or two, and three lines below it.
struct TopLayout: Equatable {
    /// In less room nothing of it can be read.
    static let leastSize = Canvas.Size(columns: 40, rows: 10)
    /// From here on all jobs stand beside what needs a look, runs and comes next.
    static let wideColumns = 150

    /// A part of the screen that is scrolled as one.
    struct Pane: Equatable {
        let columns: Range<Int>
        let rows: Range<Int>
        let sections: [TopRows.Section]
    }

    /// A line of a pane.
    enum Line: Equatable {
        case heading(TopRows.Section)
        /// By its place among all rows that are listed.
        case row(Int)
        /// So many more are there, and not listed.
        case more(TopRows.Section, Int)
        case blank
    }

    let size: Canvas.Size
    let panes: [Pane]
    var isTooSmall: Bool { size.columns < Self.leastSize.columns || size.rows < Self.leastSize.rows }
    var detailRow: Int { size.rows - 3 }
    var saidRow: Int { size.rows - 2 }
    var keysRow: Int { size.rows - 1 }
    /// Of a page over all of the list, such as a log: below its title, above the last two lines.
    var pageRows: Range<Int> { 2..<max(3, size.rows - (isLow ? 2 : 3)) }
    /// With so few rows none of them is left free below the list.
    private var isLow: Bool { size.rows < 14 }

    init(_ size: Canvas.Size) {
        self.size = size
        let rows = 2..<max(3, size.rows - (size.rows < 14 ? 3 : 4))
        if size.columns < Self.wideColumns {
            panes = [Pane(columns: 0..<size.columns, rows: rows, sections: TopRows.Section.allCases)]
        } else {
            let half = size.columns / 2
            panes = [
                Pane(columns: 0..<half - 1, rows: rows, sections: [.attention, .running, .next]),
                Pane(columns: half + 1..<size.columns, rows: rows, sections: [.jobs]),
            ]
        }
    }

    /// How many rows of a section are listed: one that is long leaves the others on the screen.
    var limits: [TopRows.Section: Int] {
        let height = panes[0].rows.count
        guard panes.count > 1 else {
            let share = max(3, height / 6)
            return [.attention: share, .running: share, .next: share]
        }
        let share = max(3, (height - 9) / 3)
        return [.attention: share, .running: share, .next: share]
    }

    // MARK: - Lines of a pane

    func lineCount(_ pane: Pane, _ rows: TopRows) -> Int {
        pane.sections.reduce(-1) { $0 + height(of: $1, rows) + 1 }
    }

    /// With its heading.
    private func height(of section: TopRows.Section, _ rows: TopRows) -> Int {
        let listed = rows.listed(section)
        // That there are later fire times needs no word.
        return 1 + listed + (section != .next && rows.count(of: section) > listed ? 1 : 0)
    }

    func line(_ number: Int, of pane: Pane, _ rows: TopRows) -> Line {
        var rest = number
        for section in pane.sections {
            let (height, listed) = (height(of: section, rows), rows.listed(section))
            if rest == 0 { return .heading(section) }
            if rest <= listed { return .row(rows.start(of: section) + rest - 1) }
            if rest < height { return .more(section, rows.count(of: section) - listed) }
            if rest == height { return .blank }
            rest -= height + 1
        }
        return .blank
    }

    /// In which pane, and on which of its lines, a row is.
    func place(of position: Int, _ rows: TopRows) -> (pane: Int, line: Int)? {
        for (index, pane) in panes.enumerated() {
            var line = 0
            for section in pane.sections {
                let start = rows.start(of: section)
                if (start..<start + rows.listed(section)).contains(position) {
                    return (index, line + 1 + position - start)
                }
                line += height(of: section, rows) + 1
            }
        }
        return nil
    }
}
