/// How many cells of a terminal a text takes: two for what is wide in East Asia and for pictures, none for a mark that
/// stands on the letter before.
func cellWidth(_ text: String) -> Int {
    var width = 0
    for scalar in text.unicodeScalars { width += cells(of: scalar) }
    return width
}

/// The beginning of a text that fits into so many cells; a letter keeps its marks.
func prefix(of text: String, cells: Int) -> String {
    var (width, shown) = (0, "")
    for character in text {
        width += cellWidth(String(character))
        guard width <= cells else { break }
        shown.append(character)
    }
    return shown
}

private func cells(of scalar: Unicode.Scalar) -> Int {
    // Below the first combining mark all letters are of one cell.
    if scalar.value < 0x300 { return 1 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: break
    }
    if scalar.properties.isEmojiPresentation { return 2 }
    return wideRanges.contains { $0.contains(scalar.value) } ? 2 : 1
}

/// The blocks of Unicode's UAX #11 whose letters are wide or full-width: Hangul, CJK, Kana, Yi, the full-width forms.
private let wideRanges: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x4DBF, 0x4E00...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3,
    0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1_F300...0x1_F64F, 0x1_F900...0x1_F9FF,
    0x2_0000...0x3_FFFD,
]
