internal import CDBus

/// Copies a message's body out, within bounds: a body of 128 MiB must not become gigabytes of values.
struct MessageReader {
    /// Values in one body, members of containers included; a byte array counts as one.
    static let valuesMax = 250_000
    /// The bytes of all strings and byte arrays of one body.
    static let bytesMax = 32 << 20
    /// Containers in containers; libdbus lets 64 through.
    static let depthMax = 64

    private var valuesLeft = valuesMax
    private var bytesLeft = bytesMax
    private var depthLeft = depthMax

    mutating func read(_ message: Message) throws(DBusError) -> [DBusValue] {
        var iterator = DBusMessageIter()
        guard dbus_message_iter_init(message.raw, &iterator) != 0 else { return [] }
        return try all(&iterator)
    }

    /// Everything from the iterator's place to the end of its container.
    private mutating func all(_ iterator: inout DBusMessageIter) throws(DBusError) -> [DBusValue] {
        var values: [DBusValue] = []
        while true {
            let code = dbus_message_iter_get_arg_type(&iterator)
            guard code != 0 else { return values }
            values.append(try value(&iterator, UInt8(truncatingIfNeeded: code)))
            guard dbus_message_iter_next(&iterator) != 0 else { return values }
        }
    }

    private mutating func value(_ iterator: inout DBusMessageIter, _ code: UInt8) throws(DBusError) -> DBusValue {
        valuesLeft -= 1
        guard valuesLeft >= 0 else {
            throw DBusError(.tooLarge, "cannot read a body of more than \(Self.valuesMax) values")
        }
        switch code {
        case UInt8(ascii: "y"): return .byte(fixed(&iterator, 0))
        case UInt8(ascii: "b"): return .bool(fixed(&iterator, dbus_bool_t(0)) != 0)
        case UInt8(ascii: "n"): return .int16(fixed(&iterator, 0))
        case UInt8(ascii: "q"): return .uint16(fixed(&iterator, 0))
        case UInt8(ascii: "i"): return .int32(fixed(&iterator, 0))
        case UInt8(ascii: "u"): return .uint32(fixed(&iterator, 0))
        case UInt8(ascii: "x"): return .int64(fixed(&iterator, 0))
        case UInt8(ascii: "t"): return .uint64(fixed(&iterator, 0))
        case UInt8(ascii: "d"): return .double(fixed(&iterator, 0))
        case UInt8(ascii: "s"): return .string(try string(&iterator))
        case UInt8(ascii: "o"): return .objectPath(ObjectPath(trusted: try string(&iterator)))
        case UInt8(ascii: "g"): return .signature(Signature(trusted: try string(&iterator)))
        // libdbus gives a duplicate, close-on-exec; -1 where this process has no fd left.
        case UInt8(ascii: "h"): return .unixFD(UnixFD(owning: fixed(&iterator, -1)))
        case UInt8(ascii: "a"): return try array(&iterator)
        case UInt8(ascii: "r"): return .structure(try contents(&iterator))
        case UInt8(ascii: "v"):
            let content = try contents(&iterator)
            guard let first = content.first else { throw malformed("a variant without content") }
            return .variant(first)
        default: throw malformed("a value of type code \(code)")
        }
    }

    private func fixed<Number: BitwiseCopyable>(_ iterator: inout DBusMessageIter, _ initial: Number) -> Number {
        var number = initial
        dbus_message_iter_get_basic(&iterator, &number)
        return number
    }

    private mutating func string(_ iterator: inout DBusMessageIter) throws(DBusError) -> String {
        let text = fixed(&iterator, UnsafePointer<CChar>?.none)
        guard let text else { return "" }
        // Spent before the copy is made.
        try spend(cStringLength(text))
        return String(cString: text)
    }

    private mutating func contents(_ iterator: inout DBusMessageIter) throws(DBusError) -> [DBusValue] {
        try enter()
        var inner = DBusMessageIter()
        dbus_message_iter_recurse(&iterator, &inner)
        let values = try all(&inner)
        depthLeft += 1
        return values
    }

    private mutating func array(_ iterator: inout DBusMessageIter) throws(DBusError) -> DBusValue {
        let elementCode = UInt8(truncatingIfNeeded: dbus_message_iter_get_element_type(&iterator))
        switch elementCode {
        case UInt8(ascii: "y"):
            return .bytes(try bytes(&iterator))
        case UInt8(ascii: "e"):
            guard case .dictionary(_, _, let key, let value) = try type(of: &iterator) else {
                throw malformed("a dictionary without a type")
            }
            return .dictionary(try entries(&iterator), key: key, value: value)
        default:
            guard case .array(_, let element) = try type(of: &iterator) else {
                throw malformed("an array without a type")
            }
            return .array(try contents(&iterator), element: element)
        }
    }

    /// The type of the container that the iterator stands on; an empty one has it too.
    private func type(of iterator: inout DBusMessageIter) throws(DBusError) -> ValueType {
        guard let lent = dbus_message_iter_get_signature(&iterator) else { throw .outOfMemory("read a message") }
        defer { dbus_free(lent) }
        var bytes = Array(UnsafeBufferPointer(start: lent, count: cStringLength(lent)).map { UInt8(bitPattern: $0) })[
            ...]
        return ValueType(parsing: &bytes)
    }

    private mutating func bytes(_ iterator: inout DBusMessageIter) throws(DBusError) -> [UInt8] {
        var inner = DBusMessageIter()
        dbus_message_iter_recurse(&iterator, &inner)
        var start: UnsafePointer<UInt8>?
        var count: Int32 = 0
        dbus_message_iter_get_fixed_array(&inner, &start, &count)
        try spend(Int(count))
        return Array(UnsafeBufferPointer(start: start, count: Int(count)))
    }

    private mutating func entries(_ iterator: inout DBusMessageIter) throws(DBusError) -> [DBusValue.Entry] {
        try enter()
        var entries: [DBusValue.Entry] = []
        var inner = DBusMessageIter()
        dbus_message_iter_recurse(&iterator, &inner)
        while dbus_message_iter_get_arg_type(&inner) != 0 {
            let pair = try contents(&inner)
            guard pair.count == 2 else { throw malformed("a dictionary entry of \(pair.count) values") }
            entries.append(DBusValue.Entry(pair[0], pair[1]))
            guard dbus_message_iter_next(&inner) != 0 else { break }
        }
        depthLeft += 1
        return entries
    }

    // MARK: - Bounds

    private mutating func enter() throws(DBusError) {
        guard depthLeft > 0 else {
            throw DBusError(.tooLarge, "cannot read a body with more than \(Self.depthMax) containers in each other")
        }
        depthLeft -= 1
    }

    private mutating func spend(_ bytes: Int) throws(DBusError) {
        bytesLeft -= bytes
        guard bytesLeft >= 0 else {
            throw DBusError(.tooLarge, "cannot read a body with more than \(Self.bytesMax) bytes of text")
        }
    }

    private func malformed(_ found: String) -> DBusError {
        DBusError(.invalidValue, "cannot read a body: it has \(found)")
    }
}
