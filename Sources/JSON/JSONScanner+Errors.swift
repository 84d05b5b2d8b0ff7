extension JSONScanner {
    func failure(_ code: JSONError.Code, at offset: Int, _ message: String) -> JSONError {
        let (line, column) = bytes.position(of: offset)
        return JSONError(code: code, line: line, column: column, byteOffset: offset, message: message)
    }

    /// For the byte at `at`, or the end of the text.
    func unexpected(_ expected: String) -> JSONError {
        let isBroken = at < bytes.count && utf8Length(in: bytes, at: at) == 0
        let hint = at < bytes.count ? hint : ""
        return failure(
            isBroken ? .encoding : .syntax, at: at, "found \(description(at: at)); expected \(expected)\(hint)")
    }

    /// What stands there, in words.
    func description(at offset: Int) -> String {
        guard offset < bytes.count else { return "the end of the text" }
        let length = utf8Length(in: bytes, at: offset)
        guard length > 0 else { return "the byte 0x\(hex(bytes[offset])), which is not UTF-8 here" }
        let text = String(decoding: bytes[offset..<(offset + length)], as: UTF8.self)
        guard let scalar = text.unicodeScalars.first else { return "nothing" }
        switch scalar.value {
        case 0..<0x20, 0x7F: return "the control character U+\(hex(UInt16(scalar.value)))"
        case 0x20..<0x7F: return isLetter(bytes[offset]) ? "'\(word(at: offset))'" : "'\(text)'"
        case 0x80..<0x1_0000: return "the character U+\(hex(UInt16(scalar.value)))"
        default: return "the character U+\(String(scalar.value, radix: 16, uppercase: true))"
        }
    }

    /// What the writer probably meant, for the faults that people make most.
    private var hint: String {
        let rest = bytes[at...]
        if rest.starts(with: "//".utf8) || rest.starts(with: "/*".utf8) || rest.starts(with: "#".utf8) {
            return "; JSON has no comments"
        }
        if rest.starts(with: "'".utf8) { return "; strings are in double quotes" }
        if isLetter(bytes[at]) {
            switch word(at: at) {
            case "True", "TRUE": return "; write true"
            case "False", "FALSE": return "; write false"
            case "None", "NULL", "Null", "nil", "undefined": return "; write null"
            case "NaN", "Infinity", "inf": return "; JSON has no such number"
            default: return ""
            }
        }
        return ""
    }

    /// The run of letters there, cut to what fits a message.
    private func word(at offset: Int) -> String {
        let lengthMax = 20
        let letters = bytes[offset...].prefix(lengthMax).prefix { isLetter($0) }
        return String(decoding: letters, as: UTF8.self)
    }

    private func isLetter(_ byte: UInt8) -> Bool {
        let lower = byte | 0x20
        return lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "z")
    }
}
