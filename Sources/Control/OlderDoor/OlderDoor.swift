internal import Configuration
internal import DBus
internal import JSON

/// `CallMethod`, the door of the older clients. `older-clients` has the forms; every method of the JSON face can be
/// called, and those that the older clients know answer in the shapes that they know.
struct OlderDoor {
    let face: JSONFace

    func callMethod(_ call: MethodCall) throws {
        let arguments: OlderArguments
        do throws(ErrorReply) {
            arguments = try OlderArguments(parsing: call.text(1))
        } catch {
            return OlderCall.refuse(call, error.message)
        }
        let older = OlderCall(call: call, method: call.text(0), arguments: arguments)
        call.pass(as: kind(of: older)) { refusal in
            do throws(ErrorReply) {
                if let refusal { throw refusal }
                try answer(older)
            } catch {
                older.fail(error)
            }
        }
    }

    /// What is asked for goes to the core as it comes: the end of a run waits for no disk.
    private func kind(of older: OlderCall) -> Method.Kind {
        switch older.method {
        case "enable_job", "disable_job": .change
        case "manage_scheduler": isReading(older) ? .read : .change
        default: MemberName(older.method).flatMap { older.call.declaration.method($0)?.kind } ?? .read
        }
    }

    private func answer(_ older: OlderCall) throws(ErrorReply) {
        switch older.method {
        case "list_jobs": try listJobs(older)
        case "run_job": try runJob(older)
        case "get_history": try getHistory(older)
        case "get_state":
            try face.mirror.state { result in
                switch result {
                case .success(let state): older.succeed(["success": true, "state": state])
                case .failure(let error): older.fail(error)
                }
            }
        case "write_state":
            try face.mirror.write { [path = face.mirror.path] error in
                if let error { older.fail(error) } else { older.succeed(["success": true, "file": .string(path)]) }
            }
        case "get_config": try getConfig(older)
        case "update_config": try updateConfig(older)
        case "toggle_scheduler": try toggleScheduler(older, try older.arguments.values(of: ["enabled"])[0])
        case "toggle_job":
            let values = try older.arguments.values(of: ["job_name", "enabled"])
            try toggleJob(older, values[0], values[1])
        case "enable_job": try toggleJob(older, try older.arguments.values(of: ["job_name"])[0], true)
        case "disable_job": try toggleJob(older, try older.arguments.values(of: ["job_name"])[0], false)
        case "reload_config":
            _ = try older.arguments.values(of: [])
            try older.perform("reload_config", []) { values in
                var answer: JSONObject = ["success": true]
                for (key, value) in try OlderCall.json(values).objectValue ?? [:]
                where key != "invalid" || value.arrayValue?.isEmpty == false { answer[key] = value }
                return answer
            }
        case "manage_scheduler": try manageScheduler(older)
        default: try callByName(older)
        }
    }

    /// Any other method of the interface, by its declaration.
    private func callByName(_ older: OlderCall) throws(ErrorReply) {
        guard let member = MemberName(older.method), member != "CallMethod",
            let method = older.call.declaration.method(member)
        else {
            // Through an error, which cuts what is too long.
            return OlderCall.refuse(
                older.call, ErrorReply(.unknownMethod, "Unknown handler: \(older.method)").message)
        }
        try older.performForText(member, try values(older.arguments, of: method)) {
            OlderCall.shape($0, of: method.outputs)
        }
    }

    /// Methods whose one argument may be a JSON object: its members are then names.
    private static let takingObjects: Set<MemberName> = [
        "schedule_job", "run_now", "query_history", "pause_job", "resume_job",
    ]

    private func values(_ arguments: OlderArguments, of method: Method) throws(ErrorReply) -> [DBusValue] {
        let names = method.inputs.map(\.name)
        if Self.takingObjects.contains(method.name), let object = arguments.named {
            guard object.count == 1, let only = object.first, names == [only.key] || only.value.objectValue != nil
            else { return [.string(JSONValue.object(Self.withJob(object)).compactText)] }
            return [.string(only.value.stringValue ?? only.value.compactText)]
        }
        let given = try arguments.values(of: names)
        var values: [DBusValue] = []
        for (argument, value) in zip(method.inputs, given) {
            guard let value else {
                guard argument.isOptional else {
                    throw ErrorReply.invalidArgument(
                        argument.name, found: "nothing",
                        expected: "a value for each of \(names.joined(separator: ", "))")
                }
                break
            }
            values.append(try value.argument(argument))
        }
        return values
    }

    /// The older name of a job in place of ours, for the methods that take a job and more.
    private static func withJob(_ object: JSONObject) -> JSONObject {
        guard object["job"] == nil, object["command"] == nil, object["skill"] == nil, object.count <= 2 else {
            return object
        }
        return JSONObject(object.map { ($0.key == "job_name" ? "job" : $0.key, $0.value) })
    }

    // MARK: - Jobs

    private func listJobs(_ older: OlderCall) throws(ErrorReply) {
        let values = try older.arguments.values(of: ["owner", "tag", "enabled", "limit"])
        let owner = try values[0].map { value throws(ErrorReply) in try Self.string(value, "owner") }
        let tag = try values[1].map { value throws(ErrorReply) in try Self.string(value, "tag") }
        let isEnabled = try values[2].map { value throws(ErrorReply) in try Self.bool(value, "enabled") }
        let limit = try values[3].map { value throws(ErrorReply) in try Self.integer(value, "limit") } ?? 0
        let filter = JobLists.OlderFilter(owner: owner, tag: tag, isEnabled: isEnabled, limit: limit)
        try face.lists.listByNextRun(older.call, filter) { _, list in
            older.succeed("{\"jobs\": \(list)}")
        } refuse: {
            older.fail($0)
        }
    }

    private func runJob(_ older: OlderCall) throws(ErrorReply) {
        let keys = ["job_name", "inputs", "scheduled_for", "idempotency_key", "force"]
        let values = try older.arguments.values(of: keys)
        var older = older
        let name = try Self.jobName(values[0])
        older.job = name
        var request: JSONObject = ["job": .string(name)]
        for (key, value) in zip(keys, values).dropFirst() { if let value { request[key] = value } }
        try older.perform("run_job", [.string(JSONValue.object(request).compactText)]) { values in
            let run = try OlderCall.json(values)
            return [
                "success": true, "job": .string(name), "execution_id": run["execution_id"] ?? .null,
                "status": run["status"] ?? .null,
            ]
        }
    }

    private func toggleJob(
        _ older: OlderCall, _ job: JSONValue?, _ enabled: JSONValue?
    ) throws(ErrorReply) {
        var older = older
        let name = try Self.jobName(job)
        let isEnabled = try Self.bool(enabled, "enabled")
        older.job = name
        try older.perform("toggle_job", [.string(name), .bool(isEnabled)]) { _ in
            [
                "success": true, "job": .string(name), "enabled": .bool(isEnabled),
                "message": .string("Job '\(name)' \(isEnabled ? "enabled" : "disabled")"),
            ]
        }
    }

    private func toggleScheduler(_ older: OlderCall, _ enabled: JSONValue?) throws(ErrorReply) {
        let isEnabled = try Self.bool(enabled, "enabled")
        try older.perform("toggle_scheduler", [.bool(isEnabled)]) { _ in
            [
                "success": true, "enabled": .bool(isEnabled),
                "message": .string("Scheduler \(isEnabled ? "enabled" : "disabled")"),
            ]
        }
    }

    // MARK: - History and configuration

    private func getHistory(_ older: OlderCall) throws(ErrorReply) {
        let limit = try older.arguments.values(of: ["limit"], ignoringOthers: true)[0]
        let count = try limit.map { value throws(ErrorReply) in try Self.integer(value, "limit") } ?? 0
        try face.list(try face.telling.ended(JSONFace.pageLimit(count)), for: older.call) {
            older.succeed("{\"success\": true, \"history\": \($0)}")
        } refuse: {
            older.fail($0)
        }
    }

    private func getConfig(_ older: OlderCall) throws(ErrorReply) {
        let values = try older.arguments.values(of: ["section", "key"])
        let section = try Self.string(values[0], "section")
        let key = try values[1].map { value throws(ErrorReply) in try Self.string(value, "key") } ?? ""
        try face.readConfig(older.call, section, key) { text in
            older.succeed("{\"success\": true, \"value\": \(text ?? (key.isEmpty ? "{}" : "null"))}")
        } refuse: {
            older.fail($0)
        }
    }

    private func updateConfig(_ older: OlderCall) throws(ErrorReply) {
        // A value may be null, and is then written as that.
        let values = try older.arguments.values(of: ["section", "key", "value"])
        let section = try Self.string(values[0], "section")
        let key = try values[1].map { value throws(ErrorReply) in try Self.string(value, "key") } ?? ""
        guard values[2] != nil || older.arguments.hasNull("value", at: 2) else {
            throw ErrorReply.invalidArgument("value", found: "nothing", expected: "any JSON value")
        }
        let value = values[2] ?? .null
        try older.perform("update_config", [.string(section), .string(key), .string(value.compactText)]) { _ in
            [
                "success": true, "section": .string(section), "key": .string(key), "value": value,
                "message": .string("Updated config: \(section)\(key.isEmpty ? "" : "." + key)"),
            ]
        }
    }

    // MARK: - Reading values

    static func jobName(_ value: JSONValue?) throws(ErrorReply) -> String { try string(value, "job_name") }

    static func string(_ value: JSONValue?, _ name: String) throws(ErrorReply) -> String {
        guard let text = value?.stringValue else { throw refusal(value, name, "a string") }
        return text
    }

    /// Also a text or number that reads as one.
    static func bool(_ value: JSONValue?, _ name: String) throws(ErrorReply) -> Bool {
        if let flag = value?.boolValue { return flag }
        switch value.map({ ($0.stringValue ?? $0.compactText).lowercased() }) {
        case "true", "1", "yes", "on": return true
        case "false", "0", "no", "off": return false
        default: throw refusal(value, name, "true or false")
        }
    }

    static func integer(_ value: JSONValue?, _ name: String) throws(ErrorReply) -> Int {
        guard let number = value?.intValue ?? value?.stringValue.flatMap({ Int($0) }) else {
            throw refusal(value, name, "a whole number")
        }
        return number
    }

    private static func refusal(_ value: JSONValue?, _ name: String, _ expected: String) -> ErrorReply {
        ErrorReply.invalidArgument(name, found: value?.compactText ?? "nothing", expected: expected)
    }
}
