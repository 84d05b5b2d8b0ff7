/// A value of the bus's type system.
///
/// An array carries its element type, so that an empty one has a type too. An `ay` is always read as `.bytes`.
public enum DBusValue: Hashable, Sendable {
    case byte(UInt8)
    case bool(Bool)
    case int16(Int16)
    case uint16(UInt16)
    case int32(Int32)
    case uint32(UInt32)
    case int64(Int64)
    case uint64(UInt64)
    case double(Double)
    case string(String)
    case objectPath(ObjectPath)
    case signature(Signature)
    case unixFD(UnixFD)
    /// `ay`.
    case bytes([UInt8])
    case array([DBusValue], element: Signature)
    /// At least one member.
    case structure([DBusValue])
    /// Entries in the order of the message; keys are of a basic type.
    case dictionary([Entry], key: Signature, value: Signature)
    indirect case variant(DBusValue)

    /// One entry of a dictionary.
    public struct Entry: Hashable, Sendable {
        public let key: DBusValue
        public let value: DBusValue

        public init(_ key: DBusValue, _ value: DBusValue) {
            self.key = key
            self.value = value
        }
    }

    // MARK: - Common shapes

    /// `as`.
    public static func strings(_ items: [String]) -> DBusValue {
        .array(items.map { .string($0) }, element: "s")
    }

    /// `ao`.
    public static func objectPaths(_ items: [ObjectPath]) -> DBusValue {
        .array(items.map { .objectPath($0) }, element: "o")
    }

    /// `a{sv}`, in the order given.
    public static func properties(_ items: [(String, DBusValue)]) -> DBusValue {
        .dictionary(items.map { Entry(.string($0.0), .variant($0.1)) }, key: "s", value: "v")
    }

    // MARK: - Reading

    public var asString: String? { if case .string(let text) = self { text } else { nil } }
    public var asBool: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var asInt32: Int32? { if case .int32(let value) = self { value } else { nil } }
    public var asUInt32: UInt32? { if case .uint32(let value) = self { value } else { nil } }
    public var asInt64: Int64? { if case .int64(let value) = self { value } else { nil } }
    public var asUInt64: UInt64? { if case .uint64(let value) = self { value } else { nil } }
    public var asDouble: Double? { if case .double(let value) = self { value } else { nil } }
    public var asObjectPath: ObjectPath? { if case .objectPath(let path) = self { path } else { nil } }
    public var asBytes: [UInt8]? { if case .bytes(let bytes) = self { bytes } else { nil } }
    public var asArray: [DBusValue]? { if case .array(let items, _) = self { items } else { nil } }
    public var asStructure: [DBusValue]? { if case .structure(let items) = self { items } else { nil } }
    public var asEntries: [Entry]? { if case .dictionary(let entries, _, _) = self { entries } else { nil } }
    public var asUnixFD: UnixFD? { if case .unixFD(let fd) = self { fd } else { nil } }

    /// The content of a variant (of one in another as well); any other value as it is.
    public var unwrapped: DBusValue {
        if case .variant(let content) = self { content.unwrapped } else { self }
    }

    /// The value of the first entry with this string key, out of its variant; for `a{sv}` and the like.
    public subscript(key: String) -> DBusValue? {
        asEntries?.first { $0.key == .string(key) }?.value.unwrapped
    }

    // MARK: - Type

    /// The value's type, as it claims: an array's elements may not agree, which writing it finds out.
    public var signature: Signature { Signature(trusted: signatureText) }

    private var signatureText: String {
        switch self {
        case .byte: "y"
        case .bool: "b"
        case .int16: "n"
        case .uint16: "q"
        case .int32: "i"
        case .uint32: "u"
        case .int64: "x"
        case .uint64: "t"
        case .double: "d"
        case .string: "s"
        case .objectPath: "o"
        case .signature: "g"
        case .unixFD: "h"
        case .bytes: "ay"
        case .array(_, let element): "a" + element.text
        case .structure(let members): "(" + members.map(\.signatureText).joined() + ")"
        case .dictionary(_, let key, let value): "a{" + key.text + value.text + "}"
        case .variant: "v"
        }
    }
}
