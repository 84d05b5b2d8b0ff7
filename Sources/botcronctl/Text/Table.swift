/// Aligned columns for people. Every column but the last is padded; on a terminal a line that is too long is cut.
struct Table {
    struct Cell {
        var text: String
        var style: Style?

        init(_ text: String, _ style: Style? = nil) {
            self.text = printable(text)
            self.style = style
        }
    }

    private let header: [String]
    private var rows: [[Cell]] = []

    init(_ header: String...) { self.header = header }

    /// - Parameter cells: as many as the header has.
    mutating func add(_ cells: [Cell]) { rows.append(cells) }

    func print(on screen: Screen) {
        let lines = [header.map { Cell($0, .heading) }] + rows
        let widths = header.indices.map { column in lines.map { $0[column].text.count }.max() ?? 0 }
        for line in lines {
            var text: Line = ""
            var room = screen.width ?? .max
            var blanks = 0
            for (column, cell) in line.enumerated() where room > 0 {
                var shown = cell.text
                if shown.count > room { shown = String(shown.prefix(room - 1)) + "…" }
                // Before the cell that they lead to: a row whose last cells are empty has no blanks at its end.
                if !shown.isEmpty {
                    text = text + "\(String(repeating: " ", count: blanks))\(screen.styled("\(shown)", cell.style))"
                    blanks = 0
                }
                guard column < line.count - 1 else { break }
                let padding = max(0, min(widths[column] - cell.text.count + 2, room - shown.count))
                blanks += padding
                room -= shown.count + padding
            }
            screen.line(text)
        }
    }
}
