import JSON
import TestSupport

/// Random values, and random texts of them: every escape, number form and layout that the grammar has.
struct RandomDocuments {
    var random: SeededGenerator

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
    }

    mutating func below(_ bound: Int) -> Int {
        Int(random.next() % UInt64(bound))
    }

    mutating func pick<Element>(_ choices: [Element]) -> Element {
        choices[below(choices.count)]
    }

    // MARK: - Values

    mutating func value(depth: Int = 5) -> JSONValue {
        switch below(depth > 0 ? 9 : 6) {
        case 0: return .null
        case 1: return .bool(below(2) == 0)
        case 2, 3: return .number(number())
        case 4, 5: return .string(string())
        case 6, 7:
            var members: [(String, JSONValue)] = []
            for place in 0..<below(6) { members.append(("\(string())\(place)", value(depth: depth - 1))) }
            return .object(JSONObject(members))
        default:
            var elements: [JSONValue] = []
            for _ in 0..<below(6) { elements.append(value(depth: depth - 1)) }
            return .array(elements)
        }
    }

    mutating func number() -> JSONNumber {
        var text = pick(["", "-"])
        text += pick(["0", "7", "10", "123456789", "9223372036854775808", "314159265358979323846"])
        text += pick(["", "", ".0", ".5", ".250", ".000000000000000000001"])
        text += pick(["", "", "", "e0", "E5", "e+17", "E-3", "e400", "e-400"])
        return JSONNumber(text: text) ?? JSONNumber(0)
    }

    mutating func string() -> String {
        let scalars: [Unicode.Scalar] = [
            "a", "Z", "0", " ", "\"", "\\", "/", "\n", "\t", "\r", "\u{8}", "\u{C}", "\0", "\u{1F}", "\u{7F}", "é",
            "\u{301}",
            "€", "\u{2028}", "\u{FEFF}", "\u{FFFF}", "😀", "\u{10FFFF}", "{", "]", ",", ":",
        ]
        var text = String.UnicodeScalarView()
        for _ in 0..<below(pick([1, 4, 12, 40])) { text.append(pick(scalars)) }
        return String(text)
    }

    // MARK: - Texts

    /// A text of that value with random blanks and escapes.
    mutating func text(of value: JSONValue) -> String {
        switch value {
        case .null, .bool, .number: return value.compactText
        case .string(let text): return quoted(text)
        case .array(let elements):
            var parts: [String] = []
            for element in elements { parts.append(blank() + text(of: element) + blank()) }
            return "[" + (parts.isEmpty ? blank() : parts.joined(separator: ",")) + "]"
        case .object(let members):
            var parts: [String] = []
            for member in members {
                parts.append(blank() + quoted(member.key) + blank() + ":" + blank() + text(of: member.value) + blank())
            }
            return "{" + (parts.isEmpty ? blank() : parts.joined(separator: ",")) + "}"
        }
    }

    private mutating func blank() -> String {
        pick(["", "", "", " ", "\n", "\r\n\t", "  "])
    }

    private mutating func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            let mustEscape = scalar.value < 0x20 || scalar == "\"" || scalar == "\\"
            if mustEscape || below(8) == 0 {
                for unit in String(scalar).utf16 {
                    let digits = String(unit, radix: 16, uppercase: below(2) == 0)
                    result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// The bytes with a few changes that tend to hit the grammar's edges.
    mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        let snippets = [
            ",", ":", "[", "]", "{", "}", "\"", "\\", "\\u", "\\ud800", "\\udc00", "0", "-", ".", "e", "E+", "1", "\n",
            "\t", " ", "\u{C}", "\u{A0}", "\0", "//", "true", "nul", "NaN", "Infinity", "'", "\u{FEFF}", "é",
        ]
        for _ in 0...below(3) {
            let at = below(bytes.count + 1)
            switch below(5) {
            case 0: bytes.insert(contentsOf: pick(snippets).utf8, at: at)
            case 1 where at < bytes.count: bytes.remove(at: at)
            case 2 where at < bytes.count: bytes[at] = UInt8(below(256))
            case 3 where at < bytes.count: bytes[at] ^= 1 << UInt8(below(8))
            default: bytes.removeLast(min(bytes.count, below(3)))
            }
        }
        return bytes
    }
}
