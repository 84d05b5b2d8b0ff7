internal import DBus
internal import JSON
internal import Schedules

/// Reading what callers give: texts that hold JSON, and the values in them. What is wrong is `InvalidArgs` with the
/// name of the argument, what was found and what would be right.
extension MethodCall {
    /// A text argument; the signature was checked before the handler.
    func text(_ index: Int) -> String { arguments[index].asString ?? "" }

    func flag(_ index: Int) -> Bool { arguments[index].asBool ?? false }

    func answer(_ value: JSONValue) { reply([.string(value.compactText)]) }

    /// Answers as a face does where there is nothing more to say than that it is done.
    func done(_ error: ErrorReply?, _ values: [DBusValue] = [.bool(true)]) {
        guard !isAnswered else { return }
        if let error { fail(error) } else { reply(values) }
    }

    /// A JSON object out of a text argument.
    func object(_ index: Int, _ name: String) throws(ErrorReply) -> JSONObject {
        let value = try json(index, name, expected: "one JSON object")
        guard let object = value.objectValue else {
            throw .invalidArgument(name, found: "JSON that is no object", expected: "one JSON object")
        }
        return object
    }

    /// A JSON value out of a text argument.
    func json(_ index: Int, _ name: String, expected: String = "one JSON value") throws(ErrorReply) -> JSONValue {
        try JSONValue(argument: text(index), name, expected: expected)
    }

    /// A job's name, or a JSON object that has it as `job` beside what else is in `keys`.
    func jobOrObject(_ keys: Set<String>) throws(ErrorReply) -> (job: String, JSONObject) {
        let text = text(0)
        guard text.utf8.first(where: { $0 > UInt8(ascii: " ") }) == UInt8(ascii: "{") else {
            return (text, JSONObject())
        }
        let object = try object(0, "job")
        for key in object.keys where key != "job" && !keys.contains(key) {
            throw .invalidArgument(
                "job", found: "the key \"\(key)\"", expected: "job, \(keys.sorted().joined(separator: ", "))")
        }
        guard let name = object["job"]?.stringValue else {
            throw .invalidArgument(
                "job", found: "an object without a job", expected: "the name of a job as \"job\"")
        }
        return (name, object)
    }
}

extension JSONValue {
    /// What a caller gives as JSON.
    ///
    /// - Throws: `InvalidArgs` for what is none, `LimitsExceeded` where it is more than a method takes.
    init(argument text: String, _ name: String, expected: String) throws(ErrorReply) {
        let size = text.utf8.count
        guard size <= Bounds.jsonBytes else { throw .tooLong(name, size, Bounds.jsonBytes) }
        do throws(JSONError) {
            try self.init(parsing: text, limits: .values(Bounds.jsonValues))
        } catch {
            if error.code == .tooMany {
                throw ErrorReply(
                    .limitsExceeded, "argument \(name): found more than \(Bounds.jsonValues) values, expected fewer")
            }
            throw .invalidArgument(name, found: "text that is not JSON (\(error.description))", expected: expected)
        }
    }

    func string(_ name: String) throws(ErrorReply) -> String {
        guard let text = stringValue else { throw .invalidArgument(name, found: compactText, expected: "a string") }
        return text
    }

    func whole(_ name: String) throws(ErrorReply) -> Int {
        guard let number = intValue else {
            throw .invalidArgument(name, found: compactText, expected: "a whole number")
        }
        return number
    }

    func flag(_ name: String) throws(ErrorReply) -> Bool {
        guard let flag = boolValue else {
            throw .invalidArgument(name, found: compactText, expected: "true or false")
        }
        return flag
    }

    /// One of the words of a type.
    func word<Word: RawRepresentable & CaseIterable>(_ name: String) throws(ErrorReply) -> Word
    where Word.RawValue == String {
        guard let text = stringValue, let word = Word(rawValue: text) else {
            let known = Word.allCases.map(\.rawValue).joined(separator: ", ")
            throw .invalidArgument(name, found: compactText, expected: "one of \(known)")
        }
        return word
    }

    /// - Parameter zone: of an instant that names none.
    func instant(_ name: String, _ zone: TimeZoneRules) throws(ErrorReply) -> Instant {
        let text = try string(name)
        do throws(ScheduleError) {
            return try Instant.absolute(text, zone: zone)
        } catch {
            throw .invalidArgument(
                name, found: "\(compactText) (\(error))", expected: "an instant, such as 2026-01-26T09:00:00-05:00")
        }
    }
}
