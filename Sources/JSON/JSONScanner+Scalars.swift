extension JSONScanner {
    /// At the first letter of one of the three words.
    mutating func skipWord(_ word: StaticString) throws(JSONError) {
        let length = word.utf8CodeUnitCount
        let letters = UnsafeBufferPointer(start: word.utf8Start, count: length)
        guard bytes.count - at >= length, bytes[at..<(at + length)].elementsEqual(letters) else {
            throw unexpected("a value")
        }
        at += length
    }

    mutating func skipNumber() throws(JSONError) {
        // Most numbers are short whole ones; the full grammar is for the rest.
        var end = at
        if bytes[end] != UInt8(ascii: "0") {
            while end < bytes.count, bytes[end] &- UInt8(ascii: "0") < 10 { end += 1 }
            if end > at, end < bytes.count {
                switch bytes[end] {
                case UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): break
                default:
                    at = end
                    return
                }
            }
        }
        let shape = NumberShape(scanning: bytes, from: at)
        at = shape.end
        switch shape.fault {
        case nil: return
        case .digits: throw unexpected("a digit after '-'")
        case .leadingZero: throw failure(.syntax, at: at, "found a number with a leading zero; write it without")
        case .fractionDigits: throw unexpected("a digit after the decimal point")
        case .exponentDigits: throw unexpected("a digit in the exponent")
        }
    }

    // MARK: - Strings

    /// From the opening quote to past the closing one. Says whether there are escapes to decode.
    mutating func skipString() throws(JSONError) -> Bool {
        let opening = at
        var hasEscapes = false
        at += 1
        while true {
            skipPlainCharacters()
            guard at < bytes.count else {
                throw failure(.syntax, at: opening, "found a string without an end; close it with '\"'")
            }
            switch bytes[at] {
            case UInt8(ascii: "\""):
                at += 1
                return hasEscapes
            case UInt8(ascii: "\\"):
                hasEscapes = true
                try skipEscape()
            case 0x80...:
                let length = utf8Length(in: bytes, at: at)
                guard length > 0 else {
                    let found = "found the byte 0x\(hex(bytes[at])), which is not UTF-8 here"
                    throw failure(.encoding, at: at, "\(found); save the text as UTF-8")
                }
                at += length
            case 0..<0x20:
                let fix = "write it as an escape such as \\n or \\u\(hex(UInt16(bytes[at])))"
                throw failure(.syntax, at: at, "found \(description(at: at)) inside a string; \(fix)")
            default:
                at += 1
            }
        }
    }

    /// Passes over printable ASCII but `"` and `\`, eight bytes at a time. May stop early, never late.
    @inline(__always)
    private mutating func skipPlainCharacters() {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        guard let base = UnsafeRawPointer(bytes.baseAddress) else { return }
        while bytes.count - at >= 8 {
            let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: at, as: UInt64.self))
            // The classic test for a zero byte; the lowest byte that it marks is always a true one.
            let quote = word ^ (ones &* 0x22)
            let backslash = word ^ (ones &* 0x5C)
            let special =
                ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)
                | ((word &- (ones &* 0x20)) & ~word) | word
            let marked = special & highs
            if marked != 0 {
                at += marked.trailingZeroBitCount >> 3
                return
            }
            at += 8
        }
    }

    private mutating func skipEscape() throws(JSONError) {
        let backslash = at
        at += 1
        guard at < bytes.count else { throw unexpected("the rest of an escape") }
        switch bytes[at] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            at += 1
        case UInt8(ascii: "u"):
            at += 1
            let unit = try skipHexDigits()
            guard UTF16.isSurrogate(unit) else { return }
            var isPair = false
            if UTF16.isLeadSurrogate(unit), bytes.count - at >= 2, bytes[at] == UInt8(ascii: "\\"),
                bytes[at + 1] == UInt8(ascii: "u")
            {
                at += 2
                isPair = UTF16.isTrailSurrogate(try skipHexDigits())
            }
            if !isPair {
                let found = "found half of a surrogate pair, \\u\(hex(unit)), which is no character"
                throw failure(.encoding, at: backslash, "\(found); write both halves or the character itself")
            }
        default:
            throw unexpected("one of \" \\ / b f n r t u after '\\'")
        }
    }

    private mutating func skipHexDigits() throws(JSONError) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard at < bytes.count, let digit = hexDigit(bytes[at]) else {
                throw unexpected("four hexadecimal digits after '\\u'")
            }
            unit = unit << 4 | UInt16(digit)
            at += 1
        }
        return unit
    }
}

// MARK: - UTF-8 and hexadecimal digits

/// The length of the scalar at `at`, 1 to 4, or 0 where it is not well-formed UTF-8 (Unicode, table 3-7).
func utf8Length(in bytes: UnsafeBufferPointer<UInt8>, at: Int) -> Int {
    let first = bytes[at]
    let length: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch first {
    case 0..<0x80: return 1
    case 0xC2...0xDF: length = 2
    case 0xE0:
        length = 3
        second = 0xA0...0xBF
    case 0xED:
        length = 3
        second = 0x80...0x9F
    case 0xE1...0xEF: length = 3
    case 0xF0:
        length = 4
        second = 0x90...0xBF
    case 0xF4:
        length = 4
        second = 0x80...0x8F
    case 0xF1...0xF3: length = 4
    default: return 0
    }
    guard bytes.count - at >= length, second.contains(bytes[at + 1]) else { return 0 }
    for next in (at + 2)..<(at + max(length, 2)) where bytes[next] & 0xC0 != 0x80 { return 0 }
    return length
}

func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}

/// As many upper-case digits as the type has: `00E9` for a `UInt16`.
func hex(_ value: some FixedWidthInteger & UnsignedInteger) -> String {
    let digits = String(value, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, value.bitWidth / 4 - digits.count)) + digits
}
