internal import CDBus

/// The types of a sequence of values, such as `sa{sv}`; at most 255 bytes, containers at most 32 + 32 deep.
public struct Signature: ValidatedName {
    public let text: String
    public init(trusted text: String) { self.text = text }
    public static func isValid(_ text: String) -> Bool { text.passes { dbus_signature_validate($0, nil) } }

    public static let empty: Signature = ""

    /// The specification's bound on a whole signature.
    static let bytesMax = 255

    /// Whether this is exactly one type, as an array's element or a variant's content must be.
    public var isSingle: Bool { text.passes { dbus_signature_validate_single($0, nil) } }

    /// The signature's complete types, one by one: `sa{sv}` is `s` and `a{sv}`.
    public var completeTypes: [Signature] {
        var types: [Signature] = []
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let start = bytes
            _ = ValueType(parsing: &bytes)
            types.append(Signature(trusted: String(decoding: start.prefix(start.count - bytes.count), as: UTF8.self)))
        }
        return types
    }
}

/// One complete type as a tree, to check values against.
indirect enum ValueType {
    /// A basic type or a variant, by its code.
    case plain(UInt8)
    case array(ValueType, element: Signature)
    case structure([ValueType])
    case dictionary(key: ValueType, value: ValueType, keySignature: Signature, valueSignature: Signature)

    /// Nil unless the signature is one complete type.
    init?(_ signature: Signature) {
        guard signature.isSingle else { return nil }
        var bytes = Array(signature.text.utf8)[...]
        self.init(parsing: &bytes)
    }

    /// Takes one complete type off the front of a signature that is known to be valid.
    init(parsing bytes: inout ArraySlice<UInt8>) {
        let code = bytes.popFirst() ?? 0
        switch code {
        case UInt8(ascii: "a") where bytes.first == UInt8(ascii: "{"):
            bytes.removeFirst()
            let (key, keySignature) = Self.parseWithSignature(&bytes)
            let (value, valueSignature) = Self.parseWithSignature(&bytes)
            bytes = bytes.dropFirst()
            self = .dictionary(key: key, value: value, keySignature: keySignature, valueSignature: valueSignature)
        case UInt8(ascii: "a"):
            let (element, signature) = Self.parseWithSignature(&bytes)
            self = .array(element, element: signature)
        case UInt8(ascii: "("):
            var members: [ValueType] = []
            while let next = bytes.first, next != UInt8(ascii: ")") {
                members.append(ValueType(parsing: &bytes))
            }
            bytes = bytes.dropFirst()
            self = .structure(members)
        default:
            self = .plain(code)
        }
    }

    private static func parseWithSignature(_ bytes: inout ArraySlice<UInt8>) -> (ValueType, Signature) {
        let start = bytes
        let type = ValueType(parsing: &bytes)
        let text = String(decoding: start.prefix(start.count - bytes.count), as: UTF8.self)
        return (type, Signature(trusted: text))
    }
}
