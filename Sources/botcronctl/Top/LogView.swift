/// The output of a run on the screen: which part of it is seen, whether it follows what comes, and what is looked for.
///
/// A place in it is a line and, where lines are wrapped, a part of one: to move by some rows only the lines on the way
/// are wrapped, however many there are.
struct LogView {
    /// A row of the screen.
    struct Row: Equatable {
        /// The line, counted from the first one that there ever was.
        let line: Int
        let text: String
        /// Where in its line it begins, in bytes.
        let start: Int
    }

    struct Top: Equatable, Comparable {
        /// Counted from the first line that there ever was.
        var line = 0
        var part = 0

        static func < (a: Top, b: Top) -> Bool { (a.line, a.part) < (b.line, b.part) }
    }

    let job: String
    /// Nil until it is known which run is the job's last one.
    var run: String?
    var status = ""
    var text = LogText()
    var isWrapped = true
    /// Whether it stays at the end as more comes.
    var isFollowing = true
    var top = Top()
    /// The first column that is seen, where lines are not wrapped.
    var column = 0
    var search: TextSearch?
    /// What was not found, or went wrong; empty where nothing did.
    var remark = ""
    var hasEnded = false
    /// The room for its lines.
    var size: Canvas.Size

    /// How far left and right go.
    private static let columnStep = 8

    init(job: String, run: String?, size: Canvas.Size) {
        self.job = job
        self.run = run
        self.size = size
    }

    // MARK: - What is seen

    var firstLine: Int { text.droppedLines }
    var endLine: Int { text.droppedLines + text.lines.count }

    func rows() -> [Row] {
        var rows: [Row] = []
        var line = max(top.line, firstLine)
        var part = line == top.line ? top.part : 0
        while rows.count < size.rows, line < endLine {
            rows += parts(of: line).dropFirst(part).prefix(size.rows - rows.count)
            (line, part) = (line + 1, 0)
        }
        return rows
    }

    private func parts(of line: Int) -> [Row] {
        let text = text.lines[line - firstLine]
        guard isWrapped else {
            let skipped = prefix(of: text, cells: column).utf8.count
            return [Row(line: line, text: String(text.utf8.dropFirst(skipped)) ?? "", start: skipped)]
        }
        var (rows, start): ([Row], Int) = ([], 0)
        for piece in wrapped(text, into: size.columns) {
            rows.append(Row(line: line, text: piece, start: start))
            start += piece.utf8.count
        }
        return rows
    }

    /// The place from which the end is seen, at the foot of the screen.
    private var lastTop: Top {
        var (line, rest) = (endLine, size.rows)
        while line > firstLine, rest > 0 {
            line -= 1
            let count = isWrapped ? parts(of: line).count : 1
            if count >= rest { return Top(line: line, part: count - rest) }
            rest -= count
        }
        return Top(line: firstLine)
    }

    /// Brings the place into what there is.
    mutating func settle() {
        if top.line < firstLine { top = Top(line: firstLine) }
        let last = lastTop
        if isFollowing || top > last { top = last }
    }

    // MARK: - Moving

    mutating func move(by rows: Int) {
        found = nil
        if rows < 0 { isFollowing = false }
        var rest = rows
        while rest > 0 {
            let count = top.line < endLine ? parts(of: top.line).count - top.part : 0
            guard count > 0 else { break }
            let step = min(rest, count)
            top.part += step
            rest -= step
            if step == count { top = Top(line: top.line + 1) }
        }
        while rest < 0 {
            if top.part > 0 {
                let step = min(-rest, top.part)
                top.part -= step
                rest += step
            } else {
                guard top.line > firstLine else { break }
                let line = top.line - 1
                top = Top(line: line, part: parts(of: line).count - 1)
                rest += 1
            }
        }
        if rows > 0, top >= lastTop { isFollowing = true }
        settle()
    }

    mutating func goToStart() {
        found = nil
        isFollowing = false
        top = Top(line: firstLine)
    }

    mutating func goToEnd() {
        found = nil
        isFollowing = true
        settle()
    }

    mutating func moveSideways(by direction: Int) {
        guard !isWrapped else { return }
        column = max(0, column + direction * Self.columnStep)
    }

    mutating func toggleWrap() {
        isWrapped.toggle()
        (top.part, column) = (0, 0)
        settle()
    }

    // MARK: - Searching

    /// Goes to the next line with a match, behind or before the last one or the one on top; from the other end where
    /// there is none.
    mutating func find(forwards: Bool, includingTop: Bool = false) {
        guard let search, !text.isEmpty else { return }
        remark = ""
        let count = text.lines.count
        let start = min(max(0, (found ?? top.line) - firstLine), count - 1)
        for step in (includingTop ? 0 : 1)...count {
            let index = ((start + (forwards ? step : -step)) % count + count) % count
            guard search.isIn(text.lines[index]) else { continue }
            isFollowing = false
            // Near the end it is seen further down than on top, so that its line is kept apart from that.
            top = Top(line: firstLine + index)
            found = firstLine + index
            return
        }
        remark = "\"\(search.text)\" is not found"
    }

    /// The line of the last match that was gone to; nil after any other move.
    private(set) var found: Int?
}

/// A text in pieces that each fit into so many cells; of an empty one there is one, which is empty.
func wrapped(_ text: String, into width: Int) -> [String] {
    var (pieces, piece, used): ([String], String, Int) = ([], "", 0)
    for character in text {
        let cells = cellWidth(String(character))
        if used + cells > max(2, width), !piece.isEmpty {
            pieces.append(piece)
            (piece, used) = ("", 0)
        }
        piece.append(character)
        used += cells
    }
    return pieces + [piece]
}

/// A text in lines of at most so many cells, broken between words where there are any.
func wrappedWords(_ text: String, into width: Int) -> [String] {
    var (lines, line): ([String], String) = ([], "")
    for word in text.split(separator: " ") {
        if !line.isEmpty, cellWidth(line) + 1 + cellWidth(String(word)) > width {
            lines.append(line)
            line = ""
        }
        line += line.isEmpty ? String(word) : " " + word
        if cellWidth(line) > width {
            var pieces = wrapped(line, into: width)
            line = pieces.removeLast()
            lines += pieces
        }
    }
    return lines + [line]
}
