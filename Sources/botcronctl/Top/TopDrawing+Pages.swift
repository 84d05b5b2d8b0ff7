/// The pages over the list.
extension TopDrawing {
    /// A line of a page is not longer than one reads.
    static func whyWidth(_ size: Canvas.Size) -> Int { min(100, size.columns - 4) }

    private mutating func drawTitle(_ title: String, _ more: String = "") {
        let used = canvas.write(title, at: 1, 0, width: columns - 2, .bold)
        canvas.write(more, at: used + 3, 0, width: max(0, columns - used - 4), .faint)
    }

    // MARK: - Why

    mutating func drawWhy(_ job: String, _ sentences: [String], _ first: Int) {
        drawTitle("Why: \(job)")
        let lines = sentences.flatMap { wrappedWords($0, into: Self.whyWidth(canvas.size)) + [""] }
        for (row, line) in zip(model.layout.pageRows, lines.dropFirst(first)) { canvas.write(line, at: 2, row) }
        drawKeys([("q", "back"), ("j k", "scroll")])
    }

    // MARK: - Help

    private static let help: [(title: String, keys: [Hint])] = [
        (
            "Moving",
            [
                ("j k, arrows", "up and down"), ("Tab", "the next section"), ("PgUp PgDn", "a screen"),
                ("g G", "the first, the last"), ("/", "only what is like that"), ("Esc", "all of it again"),
            ]
        ),
        (
            "Of what is selected",
            [
                ("r", "run it now"), ("t", "enable or disable it"), ("s", "skip its next fire time"),
                ("c", "end its run; asks first"), ("l, Enter", "its log"), ("w", "why it ran, or did not"),
                ("e", "edit it in $VISUAL"),
            ]
        ),
        (
            "In a log",
            [
                ("/ n N", "search, next, previous"), ("w", "wrap long lines, or not"),
                ("g G", "the start; the end"), ("c", "end the run"), ("q", "back"),
            ]
        ),
        ("Always", [("Ctrl-L", "draw anew"), ("Ctrl-Z", "stop; fg goes on"), ("q, Ctrl-C", "quit")]),
    ]

    /// A row of help: what stands in each of its columns.
    private enum HelpCell {
        case title(String)
        case hint(Hint)
        case legend([(sign: String, ink: CellStyle.Ink, word: String)])
        case words(String)
        case blank
    }

    /// Beside each other where there is room for two, else one after the other.
    private static func helpRows(_ columns: Int, _ glyphs: Glyphs) -> [[HelpCell]] {
        let groups = help.map { [HelpCell.title($0.title)] + $0.keys.map { .hint($0) } + [.blank] }
        var rows: [[HelpCell]] = []
        if columns >= twoColumns {
            for index in stride(from: 0, to: groups.count, by: 2) {
                let (left, right) = (groups[index], index + 1 < groups.count ? groups[index + 1] : [])
                rows += (0..<max(left.count, right.count)).map { row in
                    [row < left.count ? left[row] : .blank, row < right.count ? right[row] : .blank]
                }
            }
        } else {
            rows = groups.flatMap { $0.map { [$0] } }
        }
        let bars = glyphs.bars
        let heights = "\(bars[0])\(bars[bars.count / 2])\(bars[bars.count - 1])"
        rows += [
            [.title("Last runs")],
            [
                .legend([
                    (heights, .good, "went well, by how long it took"), (glyphs.bad, .bad, "failed"),
                    (glyphs.cancelled, .warning, "cancelled"), (glyphs.omitted, .warning, "not run"),
                    (glyphs.active, .active, "runs"),
                ])
            ],
        ]
        let words = "/ takes names, titles, tags, failed, running, waiting, disabled, refused"
        return rows + wrappedWords(words, into: columns - 4).map { [.words($0)] }
    }

    private static let twoColumns = 76

    /// How far help can be scrolled.
    static func helpEnd(_ layout: TopLayout) -> Int {
        max(0, helpRows(layout.size.columns, .unicode).count - layout.pageRows.count)
    }

    mutating func drawHelp(_ first: Int) {
        drawTitle("Keys of botcronctl top")
        let all = Self.helpRows(columns, glyphs)
        for (row, cells) in zip(model.layout.pageRows, all.dropFirst(first)) {
            for (index, cell) in cells.enumerated() {
                draw(cell, at: index == 0 ? 2 : columns / 2, row, cells.count > 1 ? columns / 2 - 4 : columns - 3)
            }
        }
        drawKeys(
            first > 0 || all.count > model.layout.pageRows.count ? [("q", "back"), ("j k", "scroll")] : [("q", "back")])
    }

    private mutating func draw(_ cell: HelpCell, at column: Int, _ row: Int, _ width: Int) {
        switch cell {
        case .title(let title): canvas.write(title, at: column, row, width: width, .bold)
        case .words(let words): canvas.write(words, at: column, row, width: width, .faint)
        case .blank: break
        case .hint(let hint):
            canvas.write(hint.key, at: column, row, width: Self.keyWidth, .ink(.active))
            canvas.write(hint.word, at: column + Self.keyWidth + 1, row, width: width - Self.keyWidth - 1)
        case .legend(let signs):
            var at = column
            for (sign, ink, word) in signs where at + cellWidth(sign) + 1 + cellWidth(word) < columns {
                at += canvas.write(sign, at: at, row, .ink(ink)) + 1
                at += canvas.write(word, at: at, row, .faint) + 2
            }
        }
    }

    private static let keyWidth = 12

    // MARK: - A log

    mutating func drawLog(_ log: LogView) {
        drawTitle(
            log.job, [log.run ?? "", log.status].filter { !$0.isEmpty }.joined(separator: " \(glyphs.separator) "))
        let rows = log.rows()
        for (row, line) in zip(model.layout.pageRows, rows) {
            canvas.write(line.text, at: 0, row)
            if let search = log.search { mark(search, line, row, log) }
        }
        if log.text.isEmpty {
            canvas.write(log.hasEnded ? "It wrote nothing." : "Nothing is written yet.", at: 1, 2, .faint)
        }
        drawLogState(log, lastSeen: rows.last?.line)
        drawKeys([
            ("q", "back"), ("/", "search"), ("n N", "next, previous"), ("w", log.isWrapped ? "no wrap" : "wrap"),
            ("g", "start"), ("G", "end"), ("c", "cancel"),
        ])
    }

    private mutating func mark(_ search: TextSearch, _ line: LogView.Row, _ row: Int, _ log: LogView) {
        let whole = log.text.lines[line.line - log.firstLine]
        let end = line.start + line.text.utf8.count
        for place in search.places(in: whole) where place.lowerBound < end && place.upperBound > line.start {
            func column(_ byte: Int) -> Int {
                let count = max(0, min(byte, end) - line.start)
                return cellWidth(String(decoding: line.text.utf8.prefix(count), as: UTF8.self))
            }
            let isCurrent = line.line == log.found
            canvas.restyle(column(place.lowerBound)..<column(place.upperBound), row) {
                // The one that was gone to, and the others.
                if isCurrent { $0.isReversed = true } else { ($0.isBold, $0.isUnderlined) = (true, true) }
            }
        }
    }

    private mutating func drawLogState(_ log: LogView, lastSeen: Int?) {
        let row = model.layout.saidRow
        if model.typing != nil || model.question != nil { return drawSaid(atRow: row) }
        guard log.remark.isEmpty else {
            canvas.write(log.remark, at: 1, row, width: columns - 2, .ink(.warning))
            return
        }
        var parts: [String] = []
        if let lastSeen { parts.append("line \(lastSeen + 1) of \(log.endLine)") }
        if log.firstLine > 0 { parts.append("the first \(log.firstLine) are not kept") }
        parts.append(log.hasEnded ? "it has ended" : log.isFollowing ? "following" : "G follows")
        if let search = log.search { parts.append("\"\(search.text)\"") }
        canvas.write(parts.joined(separator: " \(glyphs.separator) "), at: 1, row, width: columns - 2, .faint)
    }
}
