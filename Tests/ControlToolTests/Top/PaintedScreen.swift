@testable import botcronctl

/// A terminal as far as `CanvasDiff` needs one: it takes bytes, and has cells and a cursor. Whatever else comes is
/// counted as foreign.
struct PaintedScreen {
    private(set) var cells: [[Canvas.Cell]]
    private(set) var cursor: Canvas.Place?
    private(set) var foreign: [String] = []
    private var place = Canvas.Place(column: 0, row: 0)
    private var isCursorShown = false
    private var style = CellStyle.plain
    private let size: Canvas.Size

    init(_ size: Canvas.Size) {
        self.size = size
        cells = Array(repeating: Array(repeating: .blank, count: size.columns), count: size.rows)
    }

    /// Cells that show what somebody else has left there.
    mutating func litter(_ text: String) {
        for row in cells.indices { for column in cells[row].indices { cells[row][column].text = text } }
    }

    mutating func take(_ bytes: [UInt8]) {
        var rest = Substring(String(decoding: bytes, as: UTF8.self)).unicodeScalars
        while let scalar = rest.popFirst() {
            guard scalar == "\u{1B}" else {
                print(scalar)
                continue
            }
            guard rest.popFirst() == "[" else {
                foreign.append("ESC")
                continue
            }
            var parameters = ""
            while let next = rest.popFirst() {
                if 0x40...0x7E ~= next.value {
                    control(parameters, next)
                    break
                }
                parameters.unicodeScalars.append(next)
            }
        }
        cursor = isCursorShown ? place : nil
    }

    private mutating func control(_ parameters: String, _ final: Unicode.Scalar) {
        let numbers = parameters.split(separator: ";").compactMap { Int($0) }
        switch (final, parameters) {
        case ("H", _) where numbers.count == 2: place = Canvas.Place(column: numbers[1] - 1, row: numbers[0] - 1)
        case ("K", ""): for column in place.column..<size.columns { set(column, Canvas.Cell(text: " ", style: style)) }
        case ("m", _): style = Self.style(numbers)
        case ("h", "?25"), ("l", "?25"): isCursorShown = final == "h"
        case ("h", "?2026"), ("l", "?2026"): break
        default: foreign.append("\(parameters)\(final)")
        }
    }

    private static func style(_ numbers: [Int]) -> CellStyle {
        var style = CellStyle.plain
        for number in numbers {
            switch number {
            case 1: style.isBold = true
            case 2: style.isFaint = true
            case 4: style.isUnderlined = true
            case 7: style.isReversed = true
            default: style.ink = CellStyle.Ink(rawValue: UInt8(number)) ?? .plain
            }
        }
        return style
    }

    private mutating func print(_ scalar: Unicode.Scalar) {
        let width = cellWidth(String(scalar))
        guard width > 0 else {
            var column = place.column - 1
            while column > 0, cells[place.row][column].text.isEmpty { column -= 1 }
            cells[place.row][column].text.unicodeScalars.append(scalar)
            return
        }
        // Lines are not wrapped: what is beyond the last column is lost.
        guard place.column + width <= size.columns else { return }
        set(place.column, Canvas.Cell(text: String(scalar), style: style))
        if width == 2 { set(place.column + 1, Canvas.Cell(text: "", style: style)) }
        place.column += width
    }

    /// Half of a wide letter is none.
    private mutating func set(_ column: Int, _ cell: Canvas.Cell) {
        if cells[place.row][column].text.isEmpty, !cell.text.isEmpty, column > 0 {
            cells[place.row][column - 1].text = " "
        }
        if column + 1 < size.columns, cells[place.row][column + 1].text.isEmpty {
            cells[place.row][column + 1].text = " "
        }
        cells[place.row][column] = cell
    }

    func shows(_ canvas: Canvas) -> Bool {
        (0..<size.rows).allSatisfy { row in
            (0..<size.columns).allSatisfy { column in
                let (found, wanted) = (cells[row][column], canvas[column, row])
                // The right half of a wide letter has the style of the left one, whatever was asked for.
                return wanted.text.isEmpty ? found.text.isEmpty : found == wanted
            }
        } && cursor == canvas.cursor
    }
}
