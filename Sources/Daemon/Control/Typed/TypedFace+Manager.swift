import DBus
import JSON
import Schedules
import Scheduling

/// `com.aiworkflow.BotCron.Manager1`: the daemon as a whole.
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
            Self.managerName,
            documentation: "The scheduler. Instants are microseconds since 1970 UTC, 0 for none.",
            methods: [
                Method(
                    "ListJobs", out: [Argument("jobs", "ao", documentation: "Every job, by name.")],
                    documentation: "GetManagedObjects of ObjectManager gives them with their properties."
                ) { [unowned self] call in
                    let names = Set(daemon.allJobNames).sorted()
                    call.reply([.objectPaths(names.map { Self.path(ofJob: $0) })])
                },
                Method(
                    "GetJob", in: [Argument("name", "s")], out: [Argument("job", "o")],
                    documentation: "The object of a job. JobNotFound names the nearest."
                ) { [unowned self] call in
                    let name = control.text(call, 0)
                    guard listed(name) != nil else { throw ErrorReply.jobNotFound(name, among: daemon.allJobNames) }
                    call.reply([.objectPath(Self.path(ofJob: name))])
                },
                Method(
                    "AddJob",
                    in: [
                        Argument(
                            "definition", "a{sv}",
                            documentation: "The keys of a job as in config.json, with values of native types.")
                    ],
                    out: [Argument("job", "o")],
                    documentation: "Creates or replaces a job, which is kept in the store. Errors: InvalidJob, "
                        + "InvalidSchedule, JobExists for a job of config.json."
                ) { [unowned self] call in
                    let definition = try JSONObject(typed: call.arguments[0], "definition")
                    try control.schedule(call, definition) { job, _ in
                        call.reply([.objectPath(Self.path(ofJob: job.name))])
                    }
                },
                Method(
                    "RunJob", in: [Argument("job", "s"), Self.options],
                    out: [
                        Argument("run", "o", documentation: "Its object is there until the run has ended.")
                    ],
                    documentation: "Starts a run now, whatever the schedule says."
                ) { [unowned self] call in
                    try runJob(call, control.text(call, 0), call.arguments[1])
                },
                Method(
                    "ListRuns", out: [Argument("runs", "ao", documentation: "Runs that have not ended, oldest first.")]
                ) { [unowned self] call in
                    call.reply([.objectPaths(daemon.scheduler.activeRuns.map { Self.path(ofRun: $0.id) })])
                },
            ],
            properties: [
                Property(
                    "Enabled", "b", documentation: "Whether schedules are in force; setting it survives a restart.",
                    setLater: { [unowned self] _, value, done in
                        try control.submit(.schedulerToggled(value.asBool ?? false), done)
                    },
                    get: { [unowned self] _ in .bool(daemon.scheduler.isEnabled) }),
                Property("NextRun", "t", documentation: "The next fire time of all.") { [unowned self] _ in
                    (daemon.scheduler.nextRun?.at).asTyped
                },
                Property("JobCount", "u", documentation: "Jobs that can be scheduled.") { [unowned self] _ in
                    .uint32(UInt32(clamping: daemon.scheduler.jobCount))
                },
                Property("ActiveRuns", "u", documentation: "Runs that have not ended.") { [unowned self] _ in
                    .uint32(UInt32(clamping: daemon.scheduler.activeRunCount))
                },
                Property("Version", "s", changeSignal: .const, documentation: "The version of the daemon.") { _ in
                    .string(botcronVersion)
                },
            ])
    }

    /// Asks for a run, and answers with its object.
    func runJob(_ call: MethodCall, _ name: String, _ options: DBusValue?) throws {
        var request = try options.map { options in try JSONObject(typed: options, "options") } ?? JSONObject()
        for key in request.keys where !ControlInterface.requestKeys.contains(key) {
            throw ErrorReply.invalidArgument(
                "options", found: "the key \"\(key)\"",
                expected: ControlInterface.requestKeys.sorted().joined(separator: ", "))
        }
        // As JSON in a text, or as what it says.
        if let text = request["inputs"]?.stringValue {
            guard let inputs = try? JSONValue(parsing: text) else {
                throw ErrorReply.invalidArgument("inputs", found: "text that is not JSON", expected: "a JSON object")
            }
            request["inputs"] = inputs
        }
        if let instant = request["scheduled_for"]?.intValue {
            request["scheduled_for"] = .instant(Instant(microseconds: Int64(instant)), .utc)
        }
        try control.request(call, name, request) { run in
            call.reply([.objectPath(Self.path(ofRun: run.id))])
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
