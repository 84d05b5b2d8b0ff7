/// Aligned columns for people. Every column but the last is padded.
///
/// On a terminal that is too narrow for it, a table says things in short; then columns of detail are left out, in the
/// order that the table states; then what does not fit goes on in a line below, so that no name and no failure is lost.
struct Table {
    struct Cell {
        var text: String
        /// The same where there is little room.
        var short: String
        var style: Style?
        /// It is never cut: what does not fit goes on below.
        var isWhole: Bool

        init(_ text: String, _ style: Style? = nil, short: String? = nil, isWhole: Bool = false) {
            self.text = printable(text)
            self.short = short.map { printable($0) } ?? self.text
            self.style = style
            self.isWhole = isWhole
        }
    }

    private let header: [String]
    /// The columns that a narrow screen does without, the first to go first.
    private let details: [String]
    private var rows: [[Cell]] = []
    /// In fewer cells nobody reads what the last column says.
    private static let lastColumnMin = 32

    init(_ header: String..., details: [String] = []) {
        self.header = header
        self.details = details
    }

    /// - Parameter cells: as many as the header has.
    mutating func add(_ cells: [Cell]) { rows.append(cells) }

    func print(on screen: Screen) {
        for line in lines(width: screen.width ?? .max, styled: screen.styled) { screen.line(line) }
    }

    /// - Parameters:
    ///   - width: in cells.
    ///   - styled: dresses what is shown, and changes no width by it.
    func lines(width: Int, styled: (Line, Style?) -> Line) -> [Line] {
        fitted(into: width).flatMap { Self.lines(of: $0, width, styled) }
    }

    // MARK: - What there is room for

    private struct Row {
        var cells: [Cell]
        /// To which each is padded; a longer one pushes what follows it to the right.
        var widths: [Int]
    }

    private func fitted(into room: Int) -> [Row] {
        var lines = [header.map { Cell($0, .heading) }] + rows
        var columns = Array(header.indices)
        // A name of more than half a line goes on below itself, and has no say in where the others' columns stand.
        func width(_ cell: Cell) -> Int {
            let width = cellWidth(cell.text)
            return cell.isWhole && width > room / 2 ? 0 : width
        }
        func widths() -> [Int] { columns.map { column in lines.map { width($0[column]) }.max() ?? 0 } }
        func widthBeforeLast(_ widths: [Int]) -> Int { widths.dropLast().reduce(0) { $0 + $1 + 2 } }
        func rest(_ widths: [Int]) -> Int { widthBeforeLast(widths) + min(widths.last ?? 0, Self.lastColumnMin) }
        func isTooWide() -> Bool { rest(widths()) > room }
        if isTooWide() {
            for row in lines.indices { for column in columns { lines[row][column].text = lines[row][column].short } }
        }
        for detail in details where isTooWide() { columns.removeAll { header[$0] == detail } }
        var shown = widths()
        // One long name is no reason to push all the others' columns away.
        if let widest = shown.dropLast().indices.max(by: { shown[$0] < shown[$1] }) {
            let excess = max(0, widthBeforeLast(shown) - room)
            let all = min(shown[widest], max(Self.alignedMin, shown[widest] - excess))
            // With room for the last column, too: by it all but the long ones are on one line.
            let left = max(Self.alignedMin, shown[widest] - max(0, rest(shown) - room))
            let fitting = lines.dropFirst().map { width($0[columns[widest]]) }.filter { $0 <= left }.max()
            let heading = cellWidth(lines[0][columns[widest]].text)
            shown[widest] = fitting.map { min(all, max($0, heading)) } ?? all
        }
        return lines.map { line in Row(cells: columns.map { line[$0] }, widths: shown) }
    }

    /// Names of so many cells are always aligned.
    private static let alignedMin = 16

    // MARK: - Lines

    private static let indent = "    "

    private static func lines(of row: Row, _ width: Int, _ styled: (Line, Style?) -> Line) -> [Line] {
        var lines: [Line] = []
        var text: Line = ""
        var (room, blanks) = (width, 0)
        var isEmpty = true
        for (cell, aligned) in zip(row.cells, row.widths) {
            let wanted = cellWidth(cell.text)
            // Cut is what has a good part of its text on the screen; all else is shown, below if need be.
            if wanted > room, room < lastColumnMin, !isEmpty {
                lines.append(text)
                (text, room, blanks) = ("\(indent)", width - indent.utf8.count, 0)
            }
            var shown = wanted > room ? prefix(of: cell.text, cells: max(0, room - 1)) + "…" : cell.text
            if cell.isWhole, wanted > room {
                let first = prefix(of: cell.text, cells: max(1, room))
                lines.append(text + "\(String(repeating: " ", count: blanks))\(styled("\(first)", cell.style))")
                (text, room, blanks) = ("\(indent)", max(1, width - indent.utf8.count), 0)
                var rest = pieces(of: String(cell.text.dropFirst(first.count)), cells: room)
                shown = rest.removeLast()
                for piece in rest { lines.append("\(indent)\(styled("\(piece)", cell.style))") }
            }
            // Before the cell that they lead to: a row whose last cells are empty has no blanks at its end.
            if !shown.isEmpty {
                text = text + "\(String(repeating: " ", count: blanks))\(styled("\(shown)", cell.style))"
                blanks = 0
                isEmpty = false
            }
            let padding = max(2, aligned - wanted + 2)
            blanks += padding
            room = max(0, room - cellWidth(shown) - padding)
        }
        return lines + [text]
    }
}
