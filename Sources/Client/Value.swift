public import Contract
internal import DBus
public import JSON

/// What is sent to the daemon, in the types that its methods have.
public enum Argument: Hashable, Sendable {
    case text(String)
    case flag(Bool)
    case int32(Int32)
    case int64(Int64)
    case uint32(UInt32)

    var value: DBusValue {
        switch self {
        case .text(let text): .string(text)
        case .flag(let flag): .bool(flag)
        case .int32(let number): .int32(number)
        case .int64(let number): .int64(number)
        case .uint32(let number): .uint32(number)
        }
    }
}

/// What comes from the daemon, without the bus's many widths of numbers.
public indirect enum Value: Hashable, Sendable {
    case text(String)
    case flag(Bool)
    /// A number beyond `Int64` is the largest.
    case integer(Int64)
    case real(Double)
    case bytes([UInt8])
    case list([Value])
    /// A dictionary with texts as keys.
    case entries([Entry])
    /// A type that the interface does not use.
    case other

    public struct Entry: Hashable, Sendable {
        public let key: String
        public let value: Value
    }

    init(_ value: DBusValue) {
        switch value.unwrapped {
        case .string(let text): self = .text(text)
        case .objectPath(let path): self = .text(path.text)
        case .signature(let signature): self = .text(signature.text)
        case .bool(let flag): self = .flag(flag)
        case .byte(let number): self = .integer(Int64(number))
        case .int16(let number): self = .integer(Int64(number))
        case .uint16(let number): self = .integer(Int64(number))
        case .int32(let number): self = .integer(Int64(number))
        case .uint32(let number): self = .integer(Int64(number))
        case .int64(let number): self = .integer(number)
        case .uint64(let number): self = .integer(Int64(clamping: number))
        case .double(let number): self = .real(number)
        case .bytes(let bytes): self = .bytes(bytes)
        case .array(let items, _), .structure(let items): self = .list(items.map { Value($0) })
        case .dictionary(let entries, _, _):
            self = .entries(
                entries.compactMap { entry in entry.key.asString.map { Entry(key: $0, value: Value(entry.value)) } })
        case .unixFD, .variant: self = .other
        }
    }

    public var text: String? { if case .text(let text) = self { text } else { nil } }
    public var flag: Bool? { if case .flag(let flag) = self { flag } else { nil } }
    public var integer: Int64? { if case .integer(let number) = self { number } else { nil } }
    public var bytes: [UInt8]? { if case .bytes(let bytes) = self { bytes } else { nil } }
    public var list: [Value]? { if case .list(let items) = self { items } else { nil } }
    public var texts: [String]? { list?.compactMap(\.text) }

    /// A number of either kind.
    public var real: Double? {
        switch self {
        case .real(let number): number
        case .integer(let number): Double(number)
        default: nil
        }
    }

    /// The value of that entry.
    public subscript(key: String) -> Value? {
        if case .entries(let entries) = self { entries.first { $0.key == key }?.value } else { nil }
    }
}

/// What the daemon answered to one call. What it does not hold is `unreadableAnswer`: the two programs are of different
/// versions, or somebody else has the daemon's name.
public struct Answer: Sendable {
    /// What was asked; nil for a property.
    public let method: MethodName?
    public let values: [Value]

    public subscript(index: Int) -> Value? { values.indices.contains(index) ? values[index] : nil }

    public func text(_ index: Int = 0) throws(ClientError) -> String {
        guard let text = self[index]?.text else { throw unreadable("it holds no text") }
        return text
    }

    /// The one JSON value that most methods answer with.
    public func json() throws(ClientError) -> JSONValue {
        let text = try text()
        do {
            return try JSONValue(parsing: text)
        } catch {
            throw unreadable(error.description)
        }
    }

    func unreadable(_ reason: String) -> ClientError { .unreadableAnswer(method, reason: reason) }
}

/// A signal of the daemon.
public struct DaemonSignal: Sendable {
    /// Its name: `JobStarted`; `PropertiesChanged` where properties of the JSON face or of the manager
    /// have new values: the first one is the interface.
    public let member: String
    public let values: [Value]

    /// The argument at that place; nil beyond the end: the signal of another version may have fewer.
    public subscript(index: Int) -> Value? { values.indices.contains(index) ? values[index] : nil }
}
