internal import CDBus

/// Writes checked values into a message. `ValueCheck` has to have passed: libdbus aborts on anything wrong here.
enum MessageWriter {
    static func append(_ value: DBusValue, to iterator: inout DBusMessageIter) throws(DBusError) {
        switch value {
        case .byte(let number): try fixed(number, "y", &iterator)
        case .bool(let flag): try fixed(dbus_bool_t(flag ? 1 : 0), "b", &iterator)
        case .int16(let number): try fixed(number, "n", &iterator)
        case .uint16(let number): try fixed(number, "q", &iterator)
        case .int32(let number): try fixed(number, "i", &iterator)
        case .uint32(let number): try fixed(number, "u", &iterator)
        case .int64(let number): try fixed(number, "x", &iterator)
        case .uint64(let number): try fixed(number, "t", &iterator)
        case .double(let number): try fixed(number, "d", &iterator)
        case .unixFD(let fd): try fixed(fd.borrowed, "h", &iterator)
        case .string(let text): try string(text, "s", &iterator)
        case .objectPath(let path): try string(path.text, "o", &iterator)
        case .signature(let signature): try string(signature.text, "g", &iterator)
        case .bytes(let bytes):
            try container("a", "y", &iterator) { (inner) throws(DBusError) in try self.bytes(bytes, &inner) }
        case .array(let items, let element):
            try container("a", element.text, &iterator) { (inner) throws(DBusError) in
                for item in items {
                    try append(item, to: &inner)
                }
            }
        case .structure(let members):
            try container("r", nil, &iterator) { (inner) throws(DBusError) in
                for member in members {
                    try append(member, to: &inner)
                }
            }
        case .dictionary(let entries, let key, let value):
            try container("a", "{" + key.text + value.text + "}", &iterator) { (inner) throws(DBusError) in
                for entry in entries { try append(entry, to: &inner) }
            }
        case .variant(let content):
            try container("v", content.signature.text, &iterator) { (inner) throws(DBusError) in
                try append(content, to: &inner)
            }
        }
    }

    /// Into a dictionary.
    static func append(_ entry: DBusValue.Entry, to iterator: inout DBusMessageIter) throws(DBusError) {
        try container("e", nil, &iterator) { (pair) throws(DBusError) in
            try append(entry.key, to: &pair)
            try append(entry.value, to: &pair)
        }
    }

    private static func fixed<Number: BitwiseCopyable>(
        _ number: Number, _ code: Unicode.Scalar, _ iterator: inout DBusMessageIter
    ) throws(DBusError) {
        var number = number
        guard dbus_message_iter_append_basic(&iterator, Int32(code.value), &number) != 0 else { throw outOfMemory }
    }

    private static func string(
        _ text: String, _ code: Unicode.Scalar, _ iterator: inout DBusMessageIter
    ) throws(DBusError) {
        let isWritten = text.withCString { start in
            var start: UnsafePointer<CChar>? = start
            return dbus_message_iter_append_basic(&iterator, Int32(code.value), &start) != 0
        }
        guard isWritten else { throw outOfMemory }
    }

    private static func bytes(_ bytes: [UInt8], _ iterator: inout DBusMessageIter) throws(DBusError) {
        let isWritten = bytes.withUnsafeBufferPointer { buffer in
            // libdbus wants a pointer also for no bytes; an empty array may have none.
            guard var start = buffer.baseAddress, !buffer.isEmpty else { return true }
            return dbus_message_iter_append_fixed_array(
                &iterator, Int32(UInt8(ascii: "y")), &start, Int32(buffer.count)) != 0
        }
        guard isWritten else { throw outOfMemory }
    }

    private static func container(
        _ code: Unicode.Scalar, _ content: String?, _ iterator: inout DBusMessageIter,
        _ body: (inout DBusMessageIter) throws(DBusError) -> Void
    ) throws(DBusError) {
        var inner = DBusMessageIter()
        guard dbus_message_iter_open_container(&iterator, Int32(code.value), content, &inner) != 0 else {
            throw outOfMemory
        }
        do throws(DBusError) {
            try body(&inner)
        } catch {
            dbus_message_iter_abandon_container(&iterator, &inner)
            throw error
        }
        guard dbus_message_iter_close_container(&iterator, &inner) != 0 else { throw outOfMemory }
    }

    private static var outOfMemory: DBusError { .outOfMemory("write a message") }
}
