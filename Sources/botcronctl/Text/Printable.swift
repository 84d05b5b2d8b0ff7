/// Foreign text, fit for a terminal: control characters (an escape sequence could move the cursor or ring the bell)
/// become a visible stand-in. One scalar stays one scalar, so that places in the text hold.
func printable(_ text: String, keepingLines: Bool = false) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
        switch scalar.value {
        case 0x0A where keepingLines: result.append(scalar)
        case 0x09, 0x0A, 0x0D: result.append(" ")
        // C0, DEL, C1, and the marks that turn the direction of writing.
        case ..<0x20, 0x7F..<0xA0, 0x202A...0x202E, 0x2066...0x2069: result.append("\u{FFFD}")
        default: result.append(scalar)
        }
    }
    return String(result)
}
