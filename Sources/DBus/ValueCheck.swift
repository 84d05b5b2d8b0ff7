/// Finds in a value what libdbus would abort on, or the other end would disconnect us for, before anything is written.
struct ValueCheck {
    /// A body is at most this long, roughly; of one array the bus takes 64 MiB.
    static let bodyBytesMax = Connection.bodyBytesMax
    /// Containers in containers, of all kinds together; the specification allows 32 arrays and 32 structures.
    static let depthMax = 32

    private var bytesLeft = bodyBytesMax
    private var depthLeft = depthMax

    /// Checks a value against the type that it claims.
    mutating func value(_ value: DBusValue) throws(DBusError) {
        switch value {
        case .array, .structure, .dictionary:
            let signature = value.signature
            guard Signature.isValid(signature.text), let type = ValueType(signature) else {
                throw DBusError(
                    .invalidValue, "cannot write a value of type '\(signature)': needed is one complete D-Bus type")
            }
            try self.value(value, type)
        case .variant(let content):
            try enter()
            try self.value(content)
            depthLeft += 1
        default:
            try basic(value)
        }
    }

    /// Checks a value against a type that is given.
    mutating func value(_ value: DBusValue, _ type: ValueType) throws(DBusError) {
        switch (value, type) {
        case (.variant, .plain(UInt8(ascii: "v"))):
            try self.value(value)
        case (.bytes(let bytes), .array(_, let element)) where element == "y":
            try spend(bytes.count)
        case (.array(let items, let element), .array(let itemType, let itemSignature)) where element == itemSignature:
            try enter()
            for item in items {
                try self.value(item, itemType)
            }
            depthLeft += 1
        case (.structure(let members), .structure(let types)) where members.count == types.count:
            try enter()
            for (member, type) in zip(members, types) {
                try self.value(member, type)
            }
            depthLeft += 1
        case (.dictionary(let entries, let key, let value), .dictionary(let keyType, let valueType, let k, let v))
        where key == k && value == v:
            try enter()
            for entry in entries { try self.entry(entry, keyType, valueType) }
            depthLeft += 1
        case (_, .plain(let code)) where value.basicCode == code:
            try basic(value)
        default:
            throw DBusError(
                .invalidValue, "cannot write a value of type '\(value.signature)': needed here is '\(type.text)'")
        }
    }

    /// Checks one entry of a dictionary against the types of its key and its value.
    mutating func entry(_ entry: DBusValue.Entry, _ key: ValueType, _ value: ValueType) throws(DBusError) {
        try self.value(entry.key, key)
        try self.value(entry.value, value)
        try spend(8)
    }

    private mutating func basic(_ value: DBusValue) throws(DBusError) {
        switch value {
        case .string(let text):
            guard text.hasNoNUL else {
                throw DBusError(.invalidValue, "cannot write a string with a NUL inside: D-Bus carries none")
            }
            try spend(text.utf8.count + 8)
        case .objectPath(let path): try spend(path.text.utf8.count + 8)
        case .signature(let signature): try spend(signature.text.utf8.count + 2)
        case .bytes(let bytes): try spend(bytes.count)
        case .unixFD(let fd) where fd.borrowed < 0:
            throw DBusError(.invalidValue, "cannot write an fd that was taken out of its value")
        default: try spend(8)
        }
    }

    private mutating func enter() throws(DBusError) {
        guard depthLeft > 0 else {
            throw DBusError(.tooLarge, "cannot write a value: more than \(Self.depthMax) containers in each other")
        }
        depthLeft -= 1
    }

    private mutating func spend(_ bytes: Int) throws(DBusError) {
        bytesLeft -= bytes
        guard bytesLeft >= 0 else {
            throw DBusError(.tooLarge, "cannot write a body of more than \(Self.bodyBytesMax) bytes")
        }
    }
}

extension DBusValue {
    /// The type code of a basic value; nil for a container.
    var basicCode: UInt8? {
        switch self {
        case .byte: UInt8(ascii: "y")
        case .bool: UInt8(ascii: "b")
        case .int16: UInt8(ascii: "n")
        case .uint16: UInt8(ascii: "q")
        case .int32: UInt8(ascii: "i")
        case .uint32: UInt8(ascii: "u")
        case .int64: UInt8(ascii: "x")
        case .uint64: UInt8(ascii: "t")
        case .double: UInt8(ascii: "d")
        case .string: UInt8(ascii: "s")
        case .objectPath: UInt8(ascii: "o")
        case .signature: UInt8(ascii: "g")
        case .unixFD: UInt8(ascii: "h")
        case .bytes, .array, .structure, .dictionary, .variant: nil
        }
    }
}

extension ValueType {
    /// The type as a signature spells it.
    var text: String {
        switch self {
        case .plain(let code): String(UnicodeScalar(code))
        case .array(_, let element): "a" + element.text
        case .structure(let members): "(" + members.map(\.text).joined() + ")"
        case .dictionary(_, _, let key, let value): "a{" + key.text + value.text + "}"
        }
    }
}
