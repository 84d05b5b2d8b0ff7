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

        init(_ text: String, _ style: Style? = nil, short: String? = nil) {
            self.text = printable(text)
            self.short = short.map { printable($0) } ?? self.text
            self.style = style
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
        func widths() -> [Int] { columns.map { column in lines.map { cellWidth($0[column].text) }.max() ?? 0 } }
        func widthBeforeLast(_ widths: [Int]) -> Int { widths.dropLast().reduce(0) { $0 + $1 + 2 } }
        func isTooWide() -> Bool {
            let widths = widths()
            return widthBeforeLast(widths) + min(widths.last ?? 0, Self.lastColumnMin) > room
        }
        if isTooWide() {
            for row in lines.indices { for column in columns { lines[row][column].text = lines[row][column].short } }
        }
        for detail in details where isTooWide() { columns.removeAll { header[$0] == detail } }
        var shown = widths()
        // One long name is no reason to push all the others' columns away.
        if let widest = shown.dropLast().indices.max(by: { shown[$0] < shown[$1] }) {
            let excess = max(0, widthBeforeLast(shown) - room)
            shown[widest] = min(shown[widest], max(Self.alignedMin, shown[widest] - excess))
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
            let shown = wanted > room ? prefix(of: cell.text, cells: max(0, room - 1)) + "…" : cell.text
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
