/// Facts under each other: a name, and what is so. What is empty is left out; what is longer than the screen goes on
/// below itself.
struct Facts {
    private var rows: [(name: String, text: String, style: Style?)] = []
    /// In fewer cells nobody reads a text: it is left to the terminal to break it.
    private static let cellsMin = 20

    var isEmpty: Bool { rows.isEmpty }

    mutating func add(_ name: String, _ text: String, _ style: Style? = nil) {
        if !text.isEmpty { rows.append((name, printable(text), style)) }
    }

    func print(on screen: Screen) {
        let width = rows.map { cellWidth($0.name) }.max() ?? 0
        let room = screen.width.map { $0 - width - 2 }
        for row in rows {
            let name = String(repeating: " ", count: width - cellWidth(row.name)) + row.name
            let lines = room.map { $0 < Self.cellsMin ? [row.text] : wrapped(row.text, cells: $0) } ?? [row.text]
            for (place, text) in lines.enumerated() {
                let head = place == 0 ? name : String(repeating: " ", count: width)
                screen.line("\(screen.styled("\(head)", .faint))  \(screen.styled("\(text)", row.style))")
            }
        }
    }
}
