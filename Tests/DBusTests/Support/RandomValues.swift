import TestSupport

@testable import DBus

/// Random types, and random values of a type.
struct RandomValues {
    var random: SeededGenerator

    private static let basicCodes = Array("ybnqiuxtdsog")

    mutating func signature(depth: Int = 0) -> String {
        switch Int.random(in: 0..<(depth > 3 ? 8 : 12), using: &random) {
        case 0..<8: String(Self.basicCodes.randomElement(using: &random) ?? "y")
        case 8: "v"
        case 9: "a" + signature(depth: depth + 1)
        case 10:
            "(" + (0..<Int.random(in: 1...3, using: &random)).map { _ in signature(depth: depth + 1) }.joined() + ")"
        default:
            "a{" + String(Self.basicCodes.randomElement(using: &random) ?? "y") + signature(depth: depth + 1) + "}"
        }
    }

    mutating func value(depth: Int = 0) -> DBusValue {
        let text = signature(depth: depth)
        // A type of ValueType's making, so that generator and library must agree on the grammar.
        guard let signature = Signature(text), let type = ValueType(signature) else { return .string(text) }
        return value(of: type, depth: depth)
    }

    mutating func value(of type: ValueType, depth: Int) -> DBusValue {
        switch type {
        case .plain(let code): return plain(code, depth: depth)
        case .array(_, let element) where element == "y":
            return .bytes((0..<count(depth)).map { _ in UInt8.random(in: 0...255, using: &random) })
        case .array(let item, let element):
            return .array((0..<count(depth)).map { _ in value(of: item, depth: depth + 1) }, element: element)
        case .structure(let members):
            return .structure(members.map { value(of: $0, depth: depth + 1) })
        case .dictionary(let key, let content, let keySignature, let valueSignature):
            let entries = (0..<count(depth)).map { _ in
                DBusValue.Entry(value(of: key, depth: depth + 1), value(of: content, depth: depth + 1))
            }
            return .dictionary(entries, key: keySignature, value: valueSignature)
        }
    }

    mutating func text() -> String {
        let scalars = "aZ09 _-'\"\\\n\t/.:{}é€\u{10FFFF}\u{FFFE}𝄞".unicodeScalars.map { $0 }
        let count = Int.random(in: 0...20, using: &random)
        return String(String.UnicodeScalarView((0..<count).map { _ in scalars.randomElement(using: &random) ?? "a" }))
    }

    private mutating func count(_ depth: Int) -> Int { Int.random(in: 0...max(0, 4 - depth), using: &random) }

    private mutating func plain(_ code: UInt8, depth: Int) -> DBusValue {
        switch Character(UnicodeScalar(code)) {
        case "y": .byte(.random(in: .min ... .max, using: &random))
        case "b": .bool(.random(using: &random))
        case "n": .int16(.random(in: .min ... .max, using: &random))
        case "q": .uint16(.random(in: .min ... .max, using: &random))
        case "i": .int32(.random(in: .min ... .max, using: &random))
        case "u": .uint32(.random(in: .min ... .max, using: &random))
        case "x": .int64(.random(in: .min ... .max, using: &random))
        case "t": .uint64(.random(in: .min ... .max, using: &random))
        case "d": .double(Double(Int64.random(in: .min ... .max, using: &random)) / 1024)
        case "o": .objectPath(ObjectPath.root.appending(text()))
        case "g": .signature(Signature(trusted: signature(depth: 2)))
        case "v": .variant(value(depth: depth + 1))
        default: .string(text())
        }
    }
}
