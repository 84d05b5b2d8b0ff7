internal import DBus
internal import JSON
internal import Performing

/// `manage_scheduler`, by which the older tool scheduler was told everything: its own words for what the JSON face has.
extension OlderDoor {
    private static let operations = [
        "schedule", "cancel", "pause", "resume", "run_now", "list", "get_job", "get_history", "start", "stop", "status",
    ]

    private static let readingOperations: Set = ["list", "get_job", "get_history", "status"]

    /// Names that an operation takes for a job.
    private static let jobKeys = ["job_id", "job_name", "job", "name"]

    /// One operation: which method it is, and what is said of its answer.
    private struct Operation {
        var member: MemberName
        var values: [DBusValue]
        var message: String
        /// What stands as `data` where the method answers no more than true.
        var data: JSONValue?
        var job: String?
    }

    /// Whether it only tells how things stand, or is none of the operations.
    func isReading(_ older: OlderCall) -> Bool {
        guard let first = try? older.arguments.values(of: ["operation"], ignoringOthers: true)[0],
            let name = first.stringValue
        else { return true }
        return Self.readingOperations.contains(name) || !Self.operations.contains(name)
    }

    func manageScheduler(_ older: OlderCall) throws(ErrorReply) {
        let isNamed = older.arguments.named != nil
        let name = try Self.string(
            try older.arguments.values(of: ["operation"], ignoringOthers: isNamed)[0], "operation")
        let rest = JSONObject(
            (older.arguments.named ?? [:]).filter { $0.key != "operation" }.map { ($0.key, $0.value) })
        if name == "list" {
            return try face.lists.listByNextRun(older.call, JobLists.OlderFilter()) { count, list in
                let data = "{\"jobs\": \(list), \"count\": \(count)}"
                older.succeed("{\"operation\": \"list\", \"message\": \"\(count) jobs\", \"data\": \(data)}")
            } refuse: {
                older.fail($0)
            }
        }
        let operation = try operation(name, rest)
        var older = older
        older.job = operation.job
        try older.performForText(operation.member, operation.values) { values in
            let data = operation.data?.compactText ?? OlderCall.text(values)
            let head = JSONValue.object(["operation": .string(name), "message": .string(operation.message)]).compactText
            return head.dropLast() + ", \"data\": " + data + "}"
        }
    }

    private func operation(_ name: String, _ rest: JSONObject) throws(ErrorReply) -> Operation {
        switch name {
        case "schedule":
            let definition = DBusValue.string(JSONValue.object(rest).compactText)
            return Operation(member: "schedule_job", values: [definition], message: "Job scheduled")
        case "cancel": return try toggle("cancel_job", "cancelled", rest)
        case "pause": return try toggle("pause_job", "paused", rest)
        case "resume": return try toggle("resume_job", "resumed", rest)
        case "run_now":
            // A job's name alone starts that job; with more beside it, it is a definition.
            guard rest.keys.allSatisfy({ Self.jobKeys.contains($0) }) else {
                let definition = DBusValue.string(JSONValue.object(rest).compactText)
                return Operation(member: "run_now", values: [definition], message: "Job started")
            }
            let job = try Self.job(rest)
            let request = JSONValue.object(["job": .string(job)])
            return Operation(
                member: "run_job", values: [.string(request.compactText)], message: "Job '\(job)' started", job: job)
        case "get_job":
            let job = try Self.job(rest)
            return Operation(member: "get_job", values: [.string(job)], message: "Job '\(job)'", job: job)
        case "get_history":
            let limit = try rest["limit"].map { value throws(ErrorReply) in try Self.integer(value, "limit") } ?? 0
            var filter: JSONObject = ["limit": .number(limit)]
            if rest.keys.contains(where: { Self.jobKeys.contains($0) }) { filter["job"] = .string(try Self.job(rest)) }
            return Operation(
                member: "query_history", values: [.string(JSONValue.object(filter).compactText)], message: "History")
        case "start", "stop":
            let isEnabled = name == "start"
            return Operation(
                member: "toggle_scheduler", values: [.bool(isEnabled)],
                message: isEnabled ? "Scheduler started" : "Scheduler stopped", data: ["enabled": .bool(isEnabled)])
        case "status":
            return Operation(
                member: "GetStatus", values: [],
                message: face.scheduler.isEnabled ? "Scheduler is running" : "Scheduler is paused")
        default:
            throw ErrorReply.invalidArgument(
                "operation", found: "\"\(name)\"", expected: "one of \(Self.operations.joined(separator: ", "))")
        }
    }

    private func toggle(
        _ member: MemberName, _ done: String, _ rest: JSONObject
    ) throws(ErrorReply) -> Operation {
        let job = try Self.job(rest)
        return Operation(
            member: member, values: [.string(job)], message: "Job '\(job)' \(done)",
            data: ["job_id": .string(job), "status": .string(done)], job: job)
    }

    private static func job(_ rest: JSONObject) throws(ErrorReply) -> String {
        try string(jobKeys.lazy.compactMap { rest[$0] }.first, "job_id")
    }
}
