internal import CDBus

/// One message, owned: the C message is released with the last reference to it.
///
/// Header fields of a message that came from the bus are valid as libdbus has checked them.
final class Message {
    enum Kind {
        case methodCall
        case methodReturn
        case error
        case signal
    }

    let raw: OpaquePointer

    /// Takes over a reference that the caller holds.
    init(adopting raw: OpaquePointer) {
        self.raw = raw
    }

    /// Takes a reference of its own to a message that libdbus lends.
    convenience init(retaining raw: OpaquePointer) {
        self.init(adopting: dbus_message_ref(raw))
    }

    deinit {
        dbus_message_unref(raw)
    }

    // MARK: - Making

    convenience init(calling call: RemoteCall) throws(DBusError) {
        let raw = dbus_message_new_method_call(
            call.destination.text, call.path.text, call.interface?.text, call.member.text)
        guard let raw else { throw .outOfMemory("make a call of \(call.member)") }
        self.init(adopting: raw)
        dbus_message_set_auto_start(raw, call.startsService ? 1 : 0)
        try append(call.arguments)
    }

    convenience init(
        signal member: MemberName, of interface: InterfaceName, from path: ObjectPath, to destination: BusName?,
        _ arguments: [DBusValue]
    ) throws(DBusError) {
        guard let raw = dbus_message_new_signal(path.text, interface.text, member.text) else {
            throw .outOfMemory("make a signal \(member)")
        }
        self.init(adopting: raw)
        if let destination, dbus_message_set_destination(raw, destination.text) == 0 {
            throw .outOfMemory("address a signal \(member)")
        }
        try append(arguments)
    }

    /// `areChecked` values have been through `ValueCheck`.
    convenience init(replyTo caller: Caller, _ values: [DBusValue], areChecked: Bool = false) throws(DBusError) {
        guard let raw = dbus_message_new(DBUS_MESSAGE_TYPE_METHOD_RETURN) else { throw .outOfMemory("make a reply") }
        self.init(adopting: raw)
        try address(to: caller)
        if !areChecked {
            try Self.check(values)
        }
        try write(values)
    }

    /// NULs in the text, which cannot travel, become U+FFFD.
    convenience init(replyTo caller: Caller, error: ErrorReply) throws(DBusError) {
        guard let raw = dbus_message_new(DBUS_MESSAGE_TYPE_ERROR) else { throw .outOfMemory("make an error reply") }
        self.init(adopting: raw)
        try address(to: caller)
        guard dbus_message_set_error_name(raw, error.name.text) != 0 else { throw .outOfMemory("make an error reply") }
        let text = error.message.hasNoNUL ? error.message : String(error.message.map { $0 == "\0" ? "\u{FFFD}" : $0 })
        try append([.string(text)])
    }

    private func address(to caller: Caller) throws(DBusError) {
        dbus_message_set_no_reply(raw, 1)
        guard dbus_message_set_reply_serial(raw, caller.serial) != 0,
            caller.sender.map({ dbus_message_set_destination(raw, $0.text) != 0 }) ?? true
        else { throw .outOfMemory("address a reply") }
    }

    // MARK: - Header

    var kind: Kind? {
        switch dbus_message_get_type(raw) {
        case DBUS_MESSAGE_TYPE_METHOD_CALL: .methodCall
        case DBUS_MESSAGE_TYPE_METHOD_RETURN: .methodReturn
        case DBUS_MESSAGE_TYPE_ERROR: .error
        case DBUS_MESSAGE_TYPE_SIGNAL: .signal
        default: nil
        }
    }

    var sender: BusName? { String(lent: dbus_message_get_sender(raw)).map(BusName.init(trusted:)) }
    var path: ObjectPath? { String(lent: dbus_message_get_path(raw)).map(ObjectPath.init(trusted:)) }
    var interface: InterfaceName? { String(lent: dbus_message_get_interface(raw)).map(InterfaceName.init(trusted:)) }
    var member: MemberName? { String(lent: dbus_message_get_member(raw)).map(MemberName.init(trusted:)) }
    var errorName: ErrorName? { String(lent: dbus_message_get_error_name(raw)).map(ErrorName.init(trusted:)) }
    var signature: Signature { Signature(trusted: String(lent: dbus_message_get_signature(raw)) ?? "") }

    func hasSignature(_ signature: Signature) -> Bool { dbus_message_has_signature(raw, signature.text) != 0 }

    /// What an error message or a reply says to whoever asked.
    var result: Result<[DBusValue], ErrorReply> {
        do {
            let values = try values()
            guard kind == .error else { return .success(values) }
            return .failure(ErrorReply(errorName ?? .failed, values.first?.asString ?? "no reason given"))
        } catch {
            return .failure(ErrorReply(.limitsExceeded, error.description))
        }
    }

    // MARK: - Body

    /// Copies the whole body out.
    func values() throws(DBusError) -> [DBusValue] {
        var reader = MessageReader()
        return try reader.read(self)
    }

    /// Appends all of `values`, or throws with the message unusable.
    private func append(_ values: [DBusValue]) throws(DBusError) {
        try Self.check(values)
        try write(values)
    }

    private static func check(_ values: [DBusValue]) throws(DBusError) {
        var check = ValueCheck()
        var signatureLength = 0
        for value in values {
            try check.value(value)
            signatureLength += value.signature.text.utf8.count
        }
        guard signatureLength <= Signature.bytesMax else {
            throw DBusError(.tooLarge, "cannot write a body with a signature of more than \(Signature.bytesMax) bytes")
        }
    }

    private func write(_ values: [DBusValue]) throws(DBusError) {
        guard !values.isEmpty else { return }
        var iterator = DBusMessageIter()
        dbus_message_iter_init_append(raw, &iterator)
        for value in values {
            try MessageWriter.append(value, to: &iterator)
        }
    }
}

/// Whom to answer: all of a call that has to be kept for it.
///
/// The call itself must not be kept: libdbus stops reading while the messages that it gave out add up to 63 MiB.
struct Caller {
    /// Nil only where there is no bus in between.
    let sender: BusName?
    let serial: UInt32
    let expectsReply: Bool

    init(of message: Message) {
        sender = message.sender
        serial = dbus_message_get_serial(message.raw)
        expectsReply = dbus_message_get_no_reply(message.raw) == 0
    }
}
