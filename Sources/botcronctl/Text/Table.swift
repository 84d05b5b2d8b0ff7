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
            var text = ""
            var room = screen.width ?? .max
            for (column, cell) in line.enumerated() where room > 0 {
                let isLast = column == line.count - 1
                var shown = cell.text
                if shown.count > room { shown = String(shown.prefix(room - 1)) + "…" }
                text += cell.style.map { screen.styled(shown, $0) } ?? shown
                guard !isLast else { break }
                let padding = min(widths[column] - cell.text.count + 2, max(0, room - shown.count))
                text += String(repeating: " ", count: max(0, padding))
                room -= shown.count + max(0, padding)
            }
            // A row whose last cells are empty has no blanks at its end.
            while text.last == " " { text.removeLast() }
            screen.line(text)
        }
    }
}
