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

    /// The JSON in the first value of a reply.
    static func json(_ values: [DBusValue]) throws -> JSONValue {
        try JSONValue(parsing: values.first?.asString ?? "null")
    }

    /// What any method of the JSON face answers, as an object.
    ///
    /// Members of an object stand in the answer itself, but for `success` and `error`, which would be taken for those
    /// of the call: of a run they are in `result`, with the whole of it. What is no object is `result`.
    static func shape(_ values: [DBusValue], of outputs: [Argument]) throws -> JSONObject {
        var answer: JSONObject = ["success": true]
        guard outputs.count == 1 else {
            for (value, output) in zip(values, outputs) { answer[output.name] = json(of: value) }
            return answer
        }
        guard let text = values.first?.asString, let result = try? JSONValue(parsing: text) else {
            answer["result"] = values.first.map { json(of: $0) } ?? .null
            return answer
        }
        guard let object = result.objectValue else {
            answer["result"] = result
            return answer
        }
        for (key, value) in object where key != "success" && key != "error" { answer[key] = value }
        if object["success"] != nil || object["error"] != nil { answer["result"] = result }
        return answer
    }

    /// The types that methods of the JSON face answer with; bytes become text, with U+FFFD for what is none.
    private static func json(of value: DBusValue) -> JSONValue {
        if let flag = value.asBool { return .bool(flag) }
        if let number = value.asInt64 { return .number(number) }
        if let bytes = value.asBytes { return .string(String(decoding: bytes, as: UTF8.self)) }
        return .optional(value.asString)
    }
}
