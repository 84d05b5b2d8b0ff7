/// A screen as a value: cells in rows, and where the cursor is to be seen. Drawing makes one, and what is sent to the
/// terminal is the difference between two (`CanvasDiff`).
///
/// Whatever is written on it is cleaned here, so nothing that a job has said can steer the terminal.
struct Canvas: Equatable {
    struct Size: Hashable, Sendable {
        var columns: Int
        var rows: Int
    }

    struct Place: Hashable, Sendable {
        var column: Int
        var row: Int
    }

    struct Cell: Hashable {
        /// One letter with its marks; empty for the right half of a wide one.
        var text: String
        var style: CellStyle

        static let blank = Cell(text: " ", style: .plain)
    }

    /// A letter has at most so many scalars, marks included; the rest of a heap of marks is left out.
    static let scalarsMax = 8
    /// No terminal is larger; what a terminal says beyond it is not believed.
    static let columnsMax = 1_000
    static let rowsMax = 500

    let size: Size
    private(set) var cells: [Cell]
    /// Nil: it is hidden.
    var cursor: Place?
    /// What stands at the end of a text that was cut.
    private let ellipsis: String

    init(_ size: Size, ellipsis: String = "…") {
        self.size = Size(
            columns: min(max(0, size.columns), Self.columnsMax), rows: min(max(0, size.rows), Self.rowsMax))
        self.ellipsis = ellipsis
        cells = Array(repeating: .blank, count: self.size.columns * self.size.rows)
    }

    subscript(column: Int, row: Int) -> Cell { cells[row * size.columns + column] }

    // MARK: - Writing

    /// Writes a text of anybody's, cut to so many cells.
    ///
    /// - Returns: how many cells it takes.
    @discardableResult
    mutating func write(
        _ text: String, at column: Int, _ row: Int, width: Int = .max, _ style: CellStyle = .plain
    ) -> Int {
        guard row >= 0, row < size.rows, column >= 0, column < size.columns else { return 0 }
        let room = min(width, size.columns - column)
        var at = column
        let letters = fitted(text, into: room)
        for letter in letters {
            let cells = min(2, cellWidth(letter))
            guard cells > 0 else {
                if at > column { append(letter, toLetterBefore: at, row) }
                continue
            }
            put(letter, at: at, row, cells, style)
            at += cells
        }
        // Terminals that write such letters from right to left would draw the figures behind them into the same text.
        if at > column, letters.contains(where: \.isRightToLeft) { append("\u{200E}", toLetterBefore: at, row) }
        return at - column
    }

    /// Dresses cells anew that have their texts.
    mutating func restyle(_ columns: Range<Int>, _ row: Int, _ change: (inout CellStyle) -> Void) {
        guard row >= 0, row < size.rows else { return }
        for column in columns.clamped(to: 0..<size.columns) { change(&cells[row * size.columns + column].style) }
    }

    private func fitted(_ text: String, into room: Int) -> [String] {
        var (letters, width): ([String], Int) = ([], 0)
        // A text is as long as somebody likes, and what is beyond the room needs no look.
        let scalars = text.unicodeScalars.prefix((room + 1) * Self.scalarsMax)
        for character in printable(String(scalars)) {
            let letter = String(character.unicodeScalars.prefix(Self.scalarsMax))
            width += min(2, cellWidth(letter))
            letters.append(letter)
            if width > room { break }
        }
        guard width > room else { return letters }
        while let last = letters.last, width > room - 1 {
            width -= min(2, cellWidth(last))
            letters.removeLast()
        }
        return letters + (room > 0 ? [ellipsis] : [])
    }

    private mutating func put(_ letter: String, at column: Int, _ row: Int, _ width: Int, _ style: CellStyle) {
        let start = row * size.columns + column
        // Half of a wide letter is none: its other half goes.
        if cells[start].text.isEmpty, column > 0 { cells[start - 1].text = " " }
        let next = column + width
        if next < size.columns, cells[start + width].text.isEmpty { cells[start + width].text = " " }
        cells[start] = Cell(text: letter, style: style)
        if width == 2 { cells[start + 1] = Cell(text: "", style: style) }
    }

    private mutating func append(_ mark: String, toLetterBefore column: Int, _ row: Int) {
        let before = row * size.columns + column - 1
        let index = cells[before].text.isEmpty && column > 1 ? before - 1 : before
        guard cells[index].text.unicodeScalars.count < Self.scalarsMax else { return }
        cells[index].text += mark
    }

    // MARK: - Reading

    /// The rows as text, without blanks at their ends.
    var lines: [String] {
        (0..<size.rows).map { row in
            let text = cells[row * size.columns..<(row + 1) * size.columns].map(\.text).joined()
            return String(text.reversed().drop { $0 == " " }.reversed())
        }
    }
}

extension String {
    /// Whether it has letters of Hebrew, Arabic and their neighbours.
    fileprivate var isRightToLeft: Bool {
        unicodeScalars.contains {
            0x590...0x8FF ~= $0.value || 0xFB1D...0xFDFF ~= $0.value || 0xFE70...0xFEFC ~= $0.value
                || 0x1_0800...0x1_0FFF ~= $0.value || 0x1_E800...0x1_EFFF ~= $0.value
        }
    }
}

/// How a cell looks. Colours are those of the terminal's own palette, so that they suit its background.
struct CellStyle: Hashable, Sendable {
    /// What a colour says; never alone: a letter or a word says it, too.
    enum Ink: UInt8, Sendable {
        case plain = 39
        case good = 32
        case bad = 31
        case warning = 33
        case active = 34
    }

    var ink = Ink.plain
    var isBold = false
    var isFaint = false
    var isReversed = false
    var isUnderlined = false

    static let plain = CellStyle()
    static let faint = CellStyle(isFaint: true)
    static let bold = CellStyle(isBold: true)
    static let reversed = CellStyle(isReversed: true)
    static func ink(_ ink: Ink, isBold: Bool = false) -> CellStyle { CellStyle(ink: ink, isBold: isBold) }

    /// The numbers of SGR, ECMA-48 8.3.117, that lead from no style to this one.
    func codes(hasColor: Bool) -> [Int] {
        var codes = [0]
        if isBold { codes.append(1) }
        if isFaint { codes.append(2) }
        if isUnderlined { codes.append(4) }
        if isReversed { codes.append(7) }
        if hasColor, ink != .plain { codes.append(Int(ink.rawValue)) }
        return codes
    }
}
