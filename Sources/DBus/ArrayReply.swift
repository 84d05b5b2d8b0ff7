internal import CDBus

/// A reply of one array that is written item by item, over as many turns of the loop as it takes.
///
/// Its message grows in place: no list of all items is made first, and the last turn costs no more than the others.
/// What was written is seen by nobody before `finish`.
///
/// ```swift
/// try call.reply(step: { reply throws(DBusError) in
///     guard let path = paths.popFirst() else { return false }
///     try reply.append(.objectPath(path))
///     return true
/// }, tooLong: ErrorReply(.limitsExceeded, "…"))
/// ```
public final class ArrayReply {
    private enum Item {
        case element(ValueType)
        case entry(key: ValueType, value: ValueType)
    }

    private let message: Message
    /// Of the body, and of the array in it. They have a place of their own, because libdbus keeps state in them between
    /// two steps.
    private let body: UnsafeMutablePointer<DBusMessageIter>
    private let array: UnsafeMutablePointer<DBusMessageIter>
    private let item: Item
    private var check = ValueCheck()
    private var isOpen = true

    /// - Parameter output: one that is declared as an array or a dictionary; anything else is our bug.
    init(to caller: Caller, _ output: Argument) throws(DBusError) {
        switch output.type {
        case .array(let element, _): item = .element(element)
        case .dictionary(let key, let value, _, _): item = .entry(key: key, value: value)
        default: preconditionFailure("\(output.name) is declared as '\(output.signature)', which is no array")
        }
        message = try Message(replyTo: caller, [])
        body = .allocate(capacity: 2)
        body.initialize(repeating: DBusMessageIter(), count: 2)
        array = body + 1
        dbus_message_iter_init_append(message.raw, body)
        let content = String(output.signature.text.dropFirst())
        guard dbus_message_iter_open_container(body, Int32(UInt8(ascii: "a")), content, array) != 0 else {
            isOpen = false
            throw .outOfMemory("make a reply")
        }
    }

    deinit {
        if isOpen { dbus_message_iter_abandon_container(body, array) }
        body.deallocate()
    }

    // MARK: - Items

    /// - Throws: where the body becomes longer than one may be; what came before is then not sent either.
    public func append(_ value: DBusValue) throws(DBusError) {
        guard case .element(let type) = item else {
            throw DBusError(.invalidValue, "an entry is needed in a dictionary, not a value")
        }
        try check.value(value, type)
        try MessageWriter.append(value, to: &array.pointee)
    }

    /// As above, for a dictionary.
    func append(_ entry: DBusValue.Entry) throws(DBusError) {
        guard case .entry(let key, let value) = item else {
            throw DBusError(.invalidValue, "a value is needed in an array, not an entry")
        }
        try check.entry(entry, key, value)
        try MessageWriter.append(entry, to: &array.pointee)
    }

    /// The message, whole. Once.
    func finish() throws(DBusError) -> Message {
        isOpen = false
        guard dbus_message_iter_close_container(body, array) != 0 else { throw .outOfMemory("write a reply") }
        return message
    }
}

extension MethodCall {
    /// Answers with one array, which is made by `step`: each call of it appends a few items and says whether more
    /// follow. They are called in turns of the loop that `Connection.steps` chooses.
    ///
    /// - Parameter tooLong: the answer in place of one that no body holds.
    /// - Throws: what `Connection.steps` refuses with.
    public func reply(
        step: @escaping (ArrayReply) throws(DBusError) -> Bool, tooLong: ErrorReply
    ) throws(ErrorReply) {
        let reply: ArrayReply
        do throws(DBusError) {
            reply = try makeArrayReply()
        } catch {
            throw ErrorReply(error)
        }
        try inSteps { [self] in
            guard !isAnswered, connection.isOpen else { return false }
            do throws(DBusError) {
                if try step(reply) { return true }
                send(try reply.finish())
            } catch {
                fail(error.kind == .tooLarge ? tooLong : ErrorReply(.failed, "the answer cannot be sent"))
                if error.kind != .tooLarge { connection.onFault("an answer cannot be sent: \(error)") }
            }
            return false
        }
    }

    /// Calls `step` until it says that there is no more to do, in turns of the loop that `Connection.steps` chooses.
    func inSteps(_ step: @escaping () -> Bool) throws(ErrorReply) {
        guard let steps = connection.steps else {
            while step() {}
            return
        }
        try steps(step)
    }
}
