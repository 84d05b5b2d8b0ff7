/// Facts under each other: a name, and what is so. What is empty is left out.
struct Facts {
    private var rows: [(name: String, text: Line, style: Style?)] = []

    var isEmpty: Bool { rows.isEmpty }

    mutating func add(_ name: String, _ text: String, _ style: Style? = nil) {
        if !text.isEmpty { rows.append((name, "\(text)", style)) }
    }

    func print(on screen: Screen) {
        let width = rows.map { cellWidth($0.name) }.max() ?? 0
        for row in rows {
            let name = String(repeating: " ", count: width - cellWidth(row.name)) + row.name
            screen.line("\(screen.styled("\(name)", .faint))  \(screen.styled(row.text, row.style))")
        }
    }
}
