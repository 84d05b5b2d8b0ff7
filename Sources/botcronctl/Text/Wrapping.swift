/// A text over lines of so many cells, broken at blanks where there are any: a word alone is too long for a line only
/// where it is longer than one. Nothing is lost but the blanks at which it was broken.
func wrapped(_ text: String, cells: Int) -> [String] {
    guard cells > 0, cellWidth(text) > cells else { return [text] }
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ", omittingEmptySubsequences: false) {
        let longer = line.isEmpty ? String(word) : line + " " + word
        if cellWidth(longer) <= cells {
            line = longer
            continue
        }
        if !line.isEmpty { lines.append(line) }
        var pieces = pieces(of: String(word), cells: cells)
        line = pieces.removeLast()
        lines += pieces
    }
    return lines + [line]
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
