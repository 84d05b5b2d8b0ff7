/// Compares arguments with their declaration.
enum ArgumentCheck {
    /// Checks values that we are about to send.
    static func values(_ values: [DBusValue], _ declared: [Argument]) throws(DBusError) {
        guard values.count == declared.count else {
            throw DBusError(.invalidValue, "\(values.count) values were given; declared are \(list(declared))")
        }
        var check = ValueCheck()
        for (value, argument) in zip(values, declared) {
            do throws(DBusError) {
                try check.value(value, argument.type)
            } catch {
                throw DBusError(error.kind, "\(argument.name): \(error)")
            }
        }
    }

    /// The arguments of a call to `method`, as declared; or what to answer the caller. A body that does not fit is
    /// refused by its signature, unread, however large it is.
    static func arguments(
        of message: Message, for method: Method, of interface: Interface
    ) throws(ErrorReply) -> [DBusValue] {
        var given: [Signature] = []
        let isAsDeclared = message.hasSignature(method.inputSignature)
        if !isAsDeclared {
            given = message.signature.completeTypes
            try check(given, for: method, of: interface)
        }
        let values: [DBusValue]
        do throws(DBusError) {
            values = try message.values()
        } catch {
            throw ErrorReply(.limitsExceeded, "cannot call \(interface.name).\(method.name): \(error)")
        }
        return isAsDeclared ? values : try convert(values, for: method, of: interface)
    }

    /// As above, for values that are at hand already.
    static func arguments(
        _ values: [DBusValue], for method: Method, of interface: Interface
    ) throws(ErrorReply) -> [DBusValue] {
        try check(values.map(\.signature), for: method, of: interface)
        return try convert(values, for: method, of: interface)
    }

    private static func convert(
        _ values: [DBusValue], for method: Method, of interface: Interface
    ) throws(ErrorReply) -> [DBusValue] {
        var converted: [DBusValue] = []
        for (value, argument) in zip(values, method.inputs) {
            converted.append(try convert(value, to: argument, of: method, interface))
        }
        return converted
    }

    private static func check(
        _ given: [Signature], for method: Method, of interface: Interface
    ) throws(ErrorReply) {
        guard (method.inputCountMin...method.inputs.count).contains(given.count) else {
            throw ErrorReply(
                .invalidArgs,
                "cannot call \(interface.name).\(method.name) with \(given.count) arguments ('\(joined(given))'); "
                    + "expected: \(list(method.inputs))")
        }
        for (type, argument) in zip(given, method.inputs) where type != argument.signature {
            let isConvertible = interface.takesText && type == "s" && ["b", "i"].contains(argument.signature.text)
            guard isConvertible else {
                throw ErrorReply(
                    .invalidArgs,
                    "cannot call \(interface.name).\(method.name): the argument '\(argument.name)' came as '\(type)'; "
                        + "expected: '\(argument.signature)', in all \(list(method.inputs))")
            }
        }
    }

    private static func convert(
        _ value: DBusValue, to argument: Argument, of method: Method, _ interface: Interface
    ) throws(ErrorReply) -> DBusValue {
        guard case .string(let text) = value, argument.signature != "s" else { return value }
        let converted: DBusValue? =
            argument.signature == "b" ? bool(text).map { .bool($0) } : integer(text).map { .int32($0) }
        guard let converted else {
            let expected = argument.signature == "b" ? "true, false, 1, 0, yes, no, on or off" : "decimal digits"
            throw ErrorReply(
                .invalidArgs,
                "cannot call \(interface.name).\(method.name): the argument '\(argument.name)' came as the text "
                    + "\"\(text.shortened)\"; expected: '\(argument.signature)', or a text of \(expected)")
        }
        return converted
    }

    private static func bool(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "1", "yes", "on": true
        case "false", "0", "no", "off": false
        default: nil
        }
    }

    private static func integer(_ text: String) -> Int32? {
        text.utf8.first == UInt8(ascii: "+") ? nil : Int32(text)
    }

    /// "(s job, [i limit])".
    private static func list(_ arguments: [Argument]) -> String {
        let items = arguments.map { $0.isOptional ? "[\($0.signature) \($0.name)]" : "\($0.signature) \($0.name)" }
        return "(" + items.joined(separator: ", ") + ")"
    }

    private static func joined(_ types: [Signature]) -> String { types.map(\.text).joined() }
}

extension String {
    /// A client's text as an error quotes it: at most 64 scalars.
    var shortened: String {
        let start = unicodeScalars.prefix(64)
        return start.endIndex == endIndex ? self : String(start) + "…"
    }
}
