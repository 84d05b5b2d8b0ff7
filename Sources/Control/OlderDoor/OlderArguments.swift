internal import DBus
internal import JSON

/// The arguments of a `CallMethod`: one JSON value that stands for a list, for names, for one argument, or for none.
struct OlderArguments {
    private enum Form {
        case positional([JSONValue])
        case named(JSONObject)
    }

    private let form: Form

    /// Every name that an older client may use for an argument, by the one that the method declares.
    private static let spellings: [String: [String]] = [
        "job": ["job_name", "name", "job_id"], "job_name": ["job", "name", "job_id"], "definition": ["job"],
        "execution_id": ["session_name"],
    ]

    /// - Throws: as `JSONValue.init(argument:)`.
    init(parsing text: String) throws(ErrorReply) {
        guard text.utf8.contains(where: { $0 > UInt8(ascii: " ") }) else {
            form = .positional([])
            return
        }
        let expected = "a JSON array, an object, one value, or an empty text"
        switch try JSONValue(argument: text, "args", expected: expected) {
        case .array(let values): form = .positional(values)
        case .object(let object): form = .named(object)
        case .null: form = .positional([])
        case let value: form = .positional([value])
        }
    }

    init(named object: JSONObject) { form = .named(object) }

    /// The object where the arguments came by name.
    var named: JSONObject? { if case .named(let object) = form { object } else { nil } }

    /// The values of these arguments, in their order; nil where one was not given, or given as null.
    ///
    /// - Throws: `InvalidArgs` where there is one that is not among them, unless that is to be ignored.
    func values(of names: [String], ignoringOthers: Bool = false) throws(ErrorReply) -> [JSONValue?] {
        switch form {
        case .positional(let values):
            guard values.count <= names.count || ignoringOthers else {
                throw ErrorReply.invalidArgument(
                    "args", found: "\(values.count) values", expected: "at most \(names.count): \(list(names))")
            }
            // Of the literals, `nil` alone would be the JSON value null.
            return names.indices.map { place in
                values.indices.contains(place) && !values[place].isNull ? .some(values[place]) : Optional.none
            }
        case .named(let object):
            var rest = Set(object.keys)
            let values = names.map { name -> JSONValue? in
                let spelling = ([name] + Self.spellings[name, default: []]).first { object[$0] != nil }
                guard let spelling, let value = object[spelling] else { return Optional.none }
                rest.remove(spelling)
                return value.isNull ? Optional.none : .some(value)
            }
            if !ignoringOthers, let unknown = rest.min() {
                throw ErrorReply.invalidArgument("args", found: "the name \"\(unknown)\"", expected: list(names))
            }
            return values
        }
    }

    /// Whether an argument was given as null, where null is a value.
    func hasNull(_ name: String, at place: Int) -> Bool {
        switch form {
        case .positional(let values): values.indices.contains(place) && values[place].isNull
        case .named(let object): object[name] == .null
        }
    }

    private func list(_ names: [String]) -> String { names.isEmpty ? "none" : names.joined(separator: ", ") }
}

extension JSONValue {
    /// The value as an argument of that type, where it can be one. A text that reads as a boolean or a number is left
    /// to the method, which takes it.
    ///
    /// - Throws: `InvalidArgs` with the argument's name, what came and what is expected.
    func argument(_ declared: Argument) throws(ErrorReply) -> DBusValue {
        switch (declared.signature.text, self) {
        case ("s", .string(let text)): return .string(text)
        // What a method takes as JSON may come as what it says.
        case ("s", _): return .string(compactText)
        case ("b", .bool(let flag)): return .bool(flag)
        case ("b", .number), ("b", .string): return .string(stringValue ?? compactText)
        case ("i", .string(let text)): return .string(text)
        case ("i", .number(let number)):
            if let whole = number.intValue { return .int32(Int32(clamping: whole)) }
        case ("x", .number(let number)):
            if let whole = number.intValue { return .int64(Int64(whole)) }
        case ("u", .number(let number)):
            if let whole = number.intValue { return .uint32(UInt32(clamping: whole)) }
        default: break
        }
        let expected = ["b": "true or false", "s": "a string"][declared.signature.text] ?? "a whole number"
        throw ErrorReply.invalidArgument(declared.name, found: compactText, expected: expected)
    }
}
