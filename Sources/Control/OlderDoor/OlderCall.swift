internal import Contract
internal import DBus
internal import JSON

/// One `CallMethod` on its way: the call, the method that it names, and the shapes of its answers.
///
/// Whatever comes of it is a reply that holds a JSON object: a failure is `{"success": false, "error": …}`, and no
/// success has a key `error`.
struct OlderCall {
    let call: MethodCall
    let method: String
    let arguments: OlderArguments
    /// The job that the call is about, for the words in which these clients expect to hear that there is none.
    var job: String?

    func succeed(_ answer: JSONObject) { succeed(JSONValue.object(answer).compactText) }

    /// - Parameter answer: a JSON object as text.
    func succeed(_ answer: String) { if !call.isAnswered { call.reply([.string(answer)]) } }

    func fail(_ error: ErrorReply) {
        // Not even that it failed is known: for these clients, too, that is a call without a reply.
        guard error.name != .noReply else {
            if !call.isAnswered { call.fail(error) }
            return
        }
        var text = error.message
        if error.name.text == ServiceError.jobNotFound.name, let job { text = "Job not found: \(job)" }
        Self.refuse(call, ErrorReply(error.name, text).message)
    }

    static func refuse(_ call: MethodCall, _ text: String) {
        let answer: JSONValue = ["success": false, "error": .string(text)]
        if !call.isAnswered { call.reply([.string(answer.compactText)]) }
    }

    /// Calls a method of the JSON face, and answers with what `shape` makes of its values.
    func perform(
        _ member: MemberName, _ values: [DBusValue], _ shape: @escaping ([DBusValue]) throws -> JSONObject
    ) throws(ErrorReply) {
        try performForText(member, values) { JSONValue.object(try shape($0)).compactText }
    }

    /// As above, with an answer that is text already.
    func performForText(
        _ member: MemberName, _ values: [DBusValue], _ shape: @escaping ([DBusValue]) throws -> String
    ) throws(ErrorReply) {
        try call.perform(member, values) { result in
            do {
                succeed(try shape(try result.get()))
            } catch let error as ErrorReply {
                fail(error)
            } catch {
                fail(ErrorReply(.failed, "\(error)"))
            }
        }
    }

    /// The text in the first value of a reply, which is JSON.
    static func text(_ values: [DBusValue]) -> String { values.first?.asString ?? "null" }

    /// As above, taken apart.
    static func json(_ values: [DBusValue]) throws -> JSONValue {
        try JSONValue(parsing: values.first?.asString ?? "null")
    }

    /// What any method of the JSON face answers, as an object in text: an answer that is JSON is not taken apart,
    /// because it may be long.
    ///
    /// Members of an object stand in the answer itself, but for `success` and `error`, which would be taken for those
    /// of the call: of a run they are in `result`, with the whole of it. What is no object is `result`.
    static func shape(_ values: [DBusValue], of outputs: [Argument]) -> String {
        var answer: [(key: String, text: String)] = [("success", "true")]
        if outputs.count != 1 {
            answer += zip(values, outputs).map { ($1.name, json(of: $0).compactText) }
        } else if let text = values.first?.asString, text.utf8.first == UInt8(ascii: "[") {
            // A JSON array, whose elements nobody has to know.
            answer.append(("result", text))
        } else if let text = values.first?.asString,
            let outline = try? JSONOutline(bytes: Array(text.utf8), depth: 1)
        {
            let members = outline.members(at: []) ?? []
            let ofCall = members.count { $0.key == "success" || $0.key == "error" }
            answer += members.filter { $0.key != "success" && $0.key != "error" }
                .map { ($0.key, outline.text(of: $0.node)) }
            if ofCall > 0 || outline.members(at: []) == nil { answer.append(("result", text)) }
        } else {
            answer.append(("result", (values.first.map { json(of: $0) } ?? .null).compactText))
        }
        let members = answer.map { JSONValue.string($0.key).compactText + ": " + $0.text }
        return "{" + members.joined(separator: ", ") + "}"
    }

    /// The types that methods of the JSON face answer with; bytes become text, with U+FFFD for what is none.
    private static func json(of value: DBusValue) -> JSONValue {
        if let flag = value.asBool { return .bool(flag) }
        if let number = value.asInt64 { return .number(number) }
        if let bytes = value.asBytes { return .string(String(decoding: bytes, as: UTF8.self)) }
        return .optional(value.asString)
    }
}
