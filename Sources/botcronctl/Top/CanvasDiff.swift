/// What is sent to a terminal that shows one canvas, so that it shows another: nothing where they are the same.
///
/// A screen that nobody knows, after a resize or a stay in the editor, is written row by row and each row's rest
/// erased; it is not cleared first, because that is seen as a flicker.
struct CanvasDiff {
    let hasColor: Bool
    /// Whether the terminal holds back the picture until all of it is there (mode 2026).
    var isSynchronized = false

    private static let eraseRest = "\u{1B}[K"

    func bytes(from old: Canvas?, to new: Canvas) -> [UInt8] {
        let known = old?.size == new.size ? old : nil
        var pen = Pen(hasColor: hasColor)
        for row in 0..<new.size.rows { write(row, known, new, &pen) }
        pen.dress(.plain)
        let isCursorNew = old == nil || known?.cursor != new.cursor
        guard !pen.text.isEmpty || isCursorNew else { return [] }
        // Out of sight while it writes, else it is seen wherever it goes.
        var text = known?.cursor == nil && known != nil ? "" : "\u{1B}[?25l"
        text += pen.text
        if let cursor = new.cursor { text += Pen.move(to: cursor) + "\u{1B}[?25h" }
        return Array((isSynchronized ? "\u{1B}[?2026h\(text)\u{1B}[?2026l" : text).utf8)
    }

    private func write(_ row: Int, _ old: Canvas?, _ new: Canvas, _ pen: inout Pen) {
        let columns = new.size.columns
        var end = columns
        while end > 0, new[end - 1, row] == .blank { end -= 1 }
        for column in 0..<columns {
            if let old, old[column, row] == new[column, row] { continue }
            if column >= end {
                pen.go(to: column, row)
                pen.dress(.plain)
                pen.text += Self.eraseRest
                return
            }
            let cell = new[column, row]
            // The right half comes with the left one. Where only the right one differs, the left one is written anew.
            if cell.text.isEmpty {
                if let old, column > 0, old[column - 1, row] == new[column - 1, row] {
                    pen.write(new[column - 1, row], at: column - 1, row, width: 2)
                }
                continue
            }
            let isWide = column + 1 < columns && new[column + 1, row].text.isEmpty
            pen.write(cell, at: column, row, width: isWide ? 2 : 1)
        }
    }
}

/// Where the terminal writes next, and how.
private struct Pen {
    let hasColor: Bool
    var text = ""
    /// Nil: not known.
    private var place: Canvas.Place?
    private var style = CellStyle.plain

    init(hasColor: Bool) { self.hasColor = hasColor }

    mutating func write(_ cell: Canvas.Cell, at column: Int, _ row: Int, width: Int) {
        go(to: column, row)
        dress(cell.style)
        text += cell.text
        // How wide a rare letter is, terminals do not agree on: behind it the place is said anew.
        place = Self.isSure(cell.text) ? Canvas.Place(column: column + width, row: row) : nil
    }

    mutating func go(to column: Int, _ row: Int) {
        let wanted = Canvas.Place(column: column, row: row)
        if place != wanted { text += Self.move(to: wanted) }
        place = wanted
    }

    mutating func dress(_ wanted: CellStyle) {
        // Without colours two styles may be one.
        let codes = wanted.codes(hasColor: hasColor)
        if codes != style.codes(hasColor: hasColor) {
            text += "\u{1B}[" + codes.map(String.init).joined(separator: ";") + "m"
        }
        style = wanted
    }

    static func move(to place: Canvas.Place) -> String { "\u{1B}[\(place.row + 1);\(place.column + 1)H" }

    /// Letters of Latin, lines, blocks and signs, alone.
    private static func isSure(_ text: String) -> Bool {
        guard let scalar = text.unicodeScalars.first, text.unicodeScalars.count == 1 else { return false }
        return scalar.value < 0x300 || 0x2010...0x203F ~= scalar.value || 0x2500...0x259F ~= scalar.value
    }
}
