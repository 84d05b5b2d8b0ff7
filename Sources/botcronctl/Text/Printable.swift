/// Foreign text, fit for a terminal: control characters (an escape sequence could move the cursor or ring the bell)
/// become a visible stand-in. One scalar stays one scalar, so that places in the text hold.
func printable(_ text: String, keepingLines: Bool = false) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
        switch scalar.value {
        case 0x0A where keepingLines: result.append(scalar)
        case 0x09, 0x0A, 0x0D: result.append(" ")
        case _ where steersTerminal(scalar): result.append(standIn)
        default: result.append(scalar)
        }
    }
    return String(result)
}

/// What stands for a character that is not shown.
let standIn: Unicode.Scalar = "\u{FFFD}"

/// Whether a terminal takes the scalar for an order rather than for text: C0, DEL, C1, and the marks that turn the
/// direction of writing and so show another text than the one that is there.
func steersTerminal(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case ..<0x20, 0x7F..<0xA0, 0x202A...0x202E, 0x2066...0x2069: true
    default: false
    }
}

/// JSON, fit for a terminal: what steers it can stand only inside of texts, where an escape means the same. JSON itself
/// escapes C0 and nothing else.
func printableJSON(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { steersTerminal($0) && $0 != "\n" }) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
        if scalar != "\n", steersTerminal(scalar) {
            let digits = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        } else {
            result.unicodeScalars.append(scalar)
        }
    }
    return result
}
