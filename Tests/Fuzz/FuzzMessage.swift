// A libFuzzer target for what comes over the bus, up to the arguments that a handler gets; built together with the
// sources of the DBus room.
//
// The input is a signature, a zero, and a body. It becomes a call as it stands on the wire, which libdbus checks as it
// checks every message, and then goes where a call goes: the bounded reader, and the check against declarations. What
// was read must be written and read back as the same.

internal import CDBus

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzMessage(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: data, count: count))
    let signature = input.prefix { $0 != 0 }
    guard signature.count <= Signature.bytesMax,
        let message = call(Array(signature), Array(input.dropFirst(signature.count + 1)))
    else { return 0 }
    checkArguments(of: message)
    if let values = try? message.values() { checkWriting(values) }
    return 0
}

/// Nil where libdbus refuses it, which then closes the connection of whoever sent it.
private func call(_ signature: [UInt8], _ body: [UInt8]) -> Message? {
    var bytes: [UInt8] = [UInt8(ascii: "l"), 1, 0, 1]
    func number(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
    func align(_ bytes: inout [UInt8]) { while bytes.count % 8 != 0 { bytes.append(0) } }
    func field(_ code: UInt8, _ type: String, _ text: [UInt8], to fields: inout [UInt8]) {
        align(&fields)
        fields += [code, 1] + Array(type.utf8) + [0]
        fields += type == "g" ? [UInt8(text.count)] : number(text.count)
        fields += text + [0]
    }
    var fields: [UInt8] = []
    field(1, "o", Array("/a".utf8), to: &fields)
    field(3, "s", Array("M".utf8), to: &fields)
    if !signature.isEmpty { field(8, "g", signature, to: &fields) }
    bytes += number(body.count) + number(1) + number(fields.count) + fields
    align(&bytes)
    bytes += body
    var error = CDBus.DBusError()
    dbus_error_init(&error)
    defer { dbus_error_free(&error) }
    let raw = bytes.withUnsafeBufferPointer { buffer in
        buffer.withMemoryRebound(to: CChar.self) { dbus_message_demarshal($0.baseAddress, Int32($0.count), &error) }
    }
    return raw.map { Message(adopting: $0) }
}

private func checkArguments(of message: Message) {
    let method = interface.methods
    for method in method {
        guard let values = try? ArgumentCheck.arguments(of: message, for: method, of: interface) else { continue }
        precondition(values.count <= method.inputs.count, "more values than are declared")
        for (value, argument) in zip(values, method.inputs) {
            precondition(value.signature == argument.signature, "a handler gets what it declares")
        }
    }
}

private func checkWriting(_ values: [DBusValue]) {
    guard let copy = try? Message(calling: RemoteCall("a.b", "/a", nil, "M", values)) else { return }
    guard let again = try? copy.values() else { preconditionFailure("what is written cannot be read") }
    // NaN is no equal of itself, and an fd comes back as another number.
    guard !copy.signature.text.contains("d"), !copy.signature.text.contains("v"), !copy.signature.text.contains("h")
    else { return }
    precondition(again == values, "what is written reads back as another value")
}

private var interface: Interface {
    func method(_ name: MemberName, _ types: Signature...) -> Method {
        Method(name, in: types.enumerated().map { Argument("a\($0)", $1, isOptional: $0 > 0) }) { _ in }
    }
    return Interface(
        "a.b",
        methods: [
            method("A", "s"), method("B", "s", "b"), method("C", "i"), method("D", "s", "x", "u"), method("E", "a{sv}"),
            method("F", "ay"), method("G"), method("H", "s", "s", "v"), method("I", "(ias)"),
        ], takesText: true)
}
