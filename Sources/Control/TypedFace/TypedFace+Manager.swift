internal import Configuration
internal import Contract
internal import DBus
internal import JSON
internal import Performing
internal import Schedules
internal import Scheduling

/// `Address.managerInterface`: the daemon as a whole.
extension TypedFace {
    static var options: Argument {
        Argument(
            "options", "a{sv}",
            documentation: """
                inputs (a{sv}, or s with JSON), idempotency_key s, scheduled_for (s, or t in microseconds since 1970), force b.
                """)
    }

    var managerInterface: Interface {
        Interface(
            Place.manager,
            documentation: "The scheduler. Instants are microseconds since 1970 UTC, 0 for none.",
            methods: [
                Method(
                    "ListJobs", out: [Argument("jobs", "ao", documentation: "Every job, by name.")],
                    documentation: "GetManagedObjects of ObjectManager gives them with their properties."
                ) { [self] call in
                    try list(catalogue.allNames, call) { Place.path(ofJob: $0) }
                },
                Method(
                    "GetJob", in: [Argument("name", "s")], out: [Argument("job", "o")],
                    documentation: "The object of a job. JobNotFound names the nearest."
                ) { [self] call in
                    let name = call.text(0)
                    guard catalogue.listed(name) != nil else {
                        throw ErrorReply.jobNotFound(name, among: catalogue.namesNear(name))
                    }
                    call.reply([.objectPath(Place.path(ofJob: name))])
                },
                Method(
                    "AddJob", .change,
                    in: [
                        Argument(
                            "definition", "a{sv}",
                            documentation: "The keys of a job as in config.json, with values of native types.")
                    ],
                    out: [Argument("job", "o")],
                    documentation: "Creates or replaces a job, which is kept in the store. Errors: InvalidJob, "
                        + "InvalidSchedule, JobExists for a job of config.json."
                ) { [self] call in
                    let definition = try JSONObject(typed: call.arguments[0], "definition")
                    try requests.schedule(call, definition) { job, _ in
                        call.reply([.objectPath(Place.path(ofJob: job.name))])
                    }
                },
                Method(
                    "RunJob", .request, in: [Argument("job", "s"), Self.options],
                    out: [
                        Argument("run", "o", documentation: "Its object is there until the run has ended.")
                    ],
                    documentation: "Starts a run now, whatever the schedule says."
                ) { [self] call in
                    try runJob(call, call.text(0), call.arguments[1])
                },
                Method(
                    "ListRuns", out: [Argument("runs", "ao", documentation: "Runs that have not ended, oldest first.")]
                ) { [self] call in
                    try list(scheduler.activeRuns.map(\.id), call) { Place.path(ofRun: $0) }
                },
            ],
            properties: [
                Property(
                    "Enabled", "b", documentation: "Whether schedules are in force; setting it survives a restart.",
                    setLater: { [self] call, value, done in
                        requests.toggleScheduler(call, value.asBool ?? false, done)
                    },
                    get: { [self] _ in .bool(scheduler.isEnabled) }),
                Property("NextRun", "t", documentation: "The next fire time of all.") { [self] _ in
                    (scheduler.nextRun?.at).asTyped
                },
                Property("JobCount", "u", documentation: "All jobs, those that cannot be scheduled included.") {
                    [self] _ in
                    .uint32(UInt32(clamping: scheduler.jobCount + catalogue.refusedCount))
                },
                Property("RefusedCount", "u", documentation: "Those of them with an error, which says why not.") {
                    [self] _ in
                    .uint32(UInt32(clamping: catalogue.refusedCount))
                },
                Property("ActiveRuns", "u", documentation: "Runs that have not ended.") { [self] _ in
                    .uint32(UInt32(clamping: scheduler.activeRunCount))
                },
                Property(
                    "ConfigurationError", "s",
                    documentation: "Why config.json is not in force as it stands: line and column; empty while it is."
                ) { [self] _ in
                    .string(settings.configurationFault?.description ?? "")
                },
                Property("Version", "s", changeSignal: .const, documentation: "The version of the daemon.") { _ in
                    .string(botcronVersion)
                },
            ])
    }

    /// Answers with the paths of all of these, made in steps.
    private func list(
        _ names: [String], _ call: MethodCall, path: @escaping (String) -> ObjectPath
    ) throws(ErrorReply) {
        var rest = names[...]
        try call.reply(
            step: { reply throws(DBusError) in
                for name in rest.prefix(Steps.jobsPerStep) { try reply.append(.objectPath(path(name))) }
                rest = rest.dropFirst(Steps.jobsPerStep)
                return !rest.isEmpty
            },
            tooLong: ErrorReply(
                .limitsExceeded,
                "cannot list all in one answer: they have more than \(Connection.bodyBytesMax) bytes; query_jobs has "
                    + "jobs page by page, and query_history runs"))
    }

    /// Asks for a run, and answers with its object.
    func runJob(_ call: MethodCall, _ name: String, _ options: DBusValue?) throws {
        var request = try options.map { options in try JSONObject(typed: options, "options") } ?? JSONObject()
        for key in request.keys where !Requests.runKeys.contains(key) {
            throw ErrorReply.invalidArgument(
                "options", found: "the key \"\(key)\"",
                expected: Requests.runKeys.sorted().joined(separator: ", "))
        }
        // As JSON in a text, or as what it says.
        if let text = request["inputs"]?.stringValue {
            request["inputs"] = try JSONValue(argument: text, "inputs", expected: "a JSON object")
        }
        if let instant = request["scheduled_for"]?.intValue {
            request["scheduled_for"] = .instant(Instant(microseconds: Int64(instant)), .utc)
        }
        try requests.run(call, name, request) { reply throws(ErrorReply) in
            let id: String
            switch reply {
            case .run(let run): id = run.id
            case .removedRun(let run): id = run.id
            default: throw .unexpected(reply)
            }
            call.reply([.objectPath(Place.path(ofRun: id))])
        }
    }
}

extension JSONObject {
    /// An `a{sv}` as an object: numbers, texts, booleans, arrays, dictionaries of texts, and what variants hold.
    ///
    /// - Throws: `InvalidArgs` where a value is of a type that JSON has no word for.
    init(typed value: DBusValue, _ name: String) throws(ErrorReply) {
        guard let object = try JSONValue(typed: value, name).objectValue else {
            throw ErrorReply.invalidArgument(name, found: "'\(value.signature)'", expected: "'a{sv}'")
        }
        self = object
    }
}

extension JSONValue {
    fileprivate init(typed value: DBusValue, _ name: String) throws(ErrorReply) {
        switch value {
        case .variant(let content): self = try JSONValue(typed: content, name)
        case .byte(let number): self = .number(number)
        case .bool(let flag): self = .bool(flag)
        case .int16(let number): self = .number(number)
        case .uint16(let number): self = .number(number)
        case .int32(let number): self = .number(number)
        case .uint32(let number): self = .number(number)
        case .int64(let number): self = .number(number)
        case .uint64(let number): self = .number(number)
        case .double(let number): self = .number(number)
        case .string(let text): self = .string(text)
        case .objectPath(let path): self = .string(path.text)
        case .array(let items, _), .structure(let items):
            var values: [JSONValue] = []
            for item in items { values.append(try JSONValue(typed: item, name)) }
            self = .array(values)
        case .dictionary(let entries, _, _):
            var object = JSONObject()
            for entry in entries {
                guard let key = entry.key.asString else { throw Self.refusal(value, name) }
                object[key] = try JSONValue(typed: entry.value, name)
            }
            self = .object(object)
        case .bytes, .signature, .unixFD: throw Self.refusal(value, name)
        }
    }

    private static func refusal(_ value: DBusValue, _ name: String) -> ErrorReply {
        ErrorReply.invalidArgument(
            name, found: "a value of type '\(value.signature)'",
            expected: "texts, numbers, booleans, arrays, and dictionaries by text")
    }
}
