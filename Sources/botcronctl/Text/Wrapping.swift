/// A text over lines of so many cells, broken at blanks where there are any: a word alone is too long for a line only
/// where it is longer than one. Nothing is lost but the blanks at which it was broken.
///
/// - Parameters:
///   - hanging: the cells that the lines after the first leave free, for whoever indents them.
///   - keepsWords: a word that is longer than a line stays whole all the same: it may be a path, to be copied.
func wrapped(_ text: String, cells: Int, hanging: Int = 0, keepsWords: Bool = false) -> [String] {
    guard cells > hanging, shownWidth(text) > cells else { return [text] }
    var cells = cells
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ", omittingEmptySubsequences: false) {
        let longer = line.isEmpty ? String(word) : line + " " + word
        if shownWidth(longer) <= cells {
            line = longer
            continue
        }
        if !line.isEmpty {
            if lines.isEmpty { cells -= hanging }
            lines.append(line)
        }
        var pieces = keepsWords ? [String(word)] : pieces(of: String(word), cells: cells)
        line = pieces.removeLast()
        lines += pieces
    }
    return lines + [line]
}

/// The cells of a text that may have colours of ours in it, which take none.
private func shownWidth(_ text: String) -> Int {
    var (width, isColor) = (0, false)
    for scalar in text.unicodeScalars {
        if scalar == "\u{1B}" {
            isColor = true
        } else if isColor {
            isColor = scalar != "m"
        } else {
            width += cellWidth(String(scalar))
        }
    }
    return width
}

/// A text without regard to its words, in pieces that fit into so many cells; one letter at least, however wide.
func pieces(of text: String, cells: Int) -> [String] {
    var pieces: [String] = []
    var rest = text[...]
    while cellWidth(String(rest)) > cells, let first = rest.first {
        let fitting = prefix(of: String(rest), cells: cells)
        let piece = fitting.isEmpty ? String(first) : fitting
        pieces.append(piece)
        rest = rest.dropFirst(piece.count)
    }
    return pieces + (rest.isEmpty && !pieces.isEmpty ? [] : [String(rest)])
}
