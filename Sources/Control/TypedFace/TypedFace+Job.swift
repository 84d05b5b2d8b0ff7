internal import DBus
internal import JSON
internal import Performing
internal import Schedules
internal import Scheduling

/// `Address.jobInterface`: one job.
extension TypedFace {
    var jobInterface: Interface {
        Interface(
            Place.job, documentation: "A job. Instants are microseconds since 1970 UTC, 0 for none.",
            methods: [
                Method(
                    "Run", .request,
                    out: [Argument("run", "o", documentation: "Its object is there until the run has ended.")],
                    documentation: "Starts a run now, whatever the schedule says; RunJob of Manager1 takes options."
                ) { [self] call in
                    try runJob(call, Place.name(at: call.path), nil)
                },
                Method(
                    "Enable", .change, documentation: "Puts the schedule in force; survives a restart and a reload."
                ) {
                    [self] call in
                    requests.toggle(call, Place.name(at: call.path), isEnabled: true) { call.done($0, []) }
                },
                Method("Disable", .change, documentation: "Takes the schedule out of force.") { [self] call in
                    requests.toggle(call, Place.name(at: call.path), isEnabled: false) { call.done($0, []) }
                },
                Method(
                    "Remove", .change,
                    documentation: "Removes a job that was created over the bus; NotPermitted for one of config.json."
                ) { [self] call in
                    requests.remove(call, Place.name(at: call.path)) { call.reply() }
                },
                Method(
                    "Explain",
                    out: [
                        Argument("reasons", "a(ss)", documentation: "Each with a code and a sentence.")
                    ],
                    documentation: "Why it is not running, and when it will."
                ) { [self] call in
                    call.reply([.array(try explain(Place.name(at: call.path)), element: "(ss)")])
                },
            ],
            properties: [
                text("Name", changeSignal: .const, "What it is called in config.json and in every method.") { $0.name },
                text("Description", "For people.") { $0.description },
                Property(
                    "Enabled", "b",
                    documentation: "Whether its schedule is in force; setting it survives a restart and a reload.",
                    setLater: { [self] call, value, done in
                        requests.toggle(call, Place.name(at: call.path), isEnabled: value.asBool ?? false, done)
                    },
                    get: { [self] path in .bool(try found(path).isEnabled) }),
                Property("Tags", "as", documentation: "Words of the user's own, to choose jobs by.") { [self] path in
                    .strings(try found(path).tags)
                },
                text("Definition", "JSON: what it was defined as.") { $0.definition },
                text("Schedule", "As it is written; of several the first.") { $0.schedule },
                text("TimeZone", "The zone of its schedule.") { $0.timeZone },
                Property("NextRun", "t", documentation: "0 where nothing will start it.") { [self] path in
                    (try found(path).view?.nextRun).asTyped
                },
                Property("LastRun", "t", documentation: "The start of the last run that ended.") {
                    [self] path in
                    (try found(path).view?.state.lastRunAt).asTyped
                },
                text(
                    "LastStatus", "How the last run ended: success, failed, timeout, cancelled, interrupted; or empty."
                ) {
                    $0.view?.state.lastStatus?.rawValue ?? ""
                },
                Property("LastError", "s", documentation: "What the last run failed of; or empty.") { [self] path in
                    .string(try lastError(try found(path)))
                },
                Property(
                    "DisabledUntil", "t", documentation: "When a disabled one is enabled by itself; 0 where it is not."
                ) { [self] path in
                    guard let view = try found(path).view, !view.isEnabled else { return .uint64(0) }
                    return view.state.pausedUntil.asTyped
                },
                text("DisabledReason", "Why a disabled one was disabled, where that was said; or empty.") {
                    $0.disabledReason
                },
                Property("RunCount", "t", documentation: "Runs that have ended.") { [self] path in
                    .uint64(UInt64(clamping: try found(path).view?.state.runCount ?? 0))
                },
                Property("FailureCount", "t", documentation: "Those of them that failed.") { [self] path in
                    .uint64(UInt64(clamping: try found(path).view?.state.failureCount ?? 0))
                },
                Property("Running", "ao", documentation: "Its runs that have their turn.") { [self] path in
                    let runs = try found(path).view?.running(in: scheduler) ?? []
                    return .objectPaths(runs.map { Place.path(ofRun: $0) })
                },
                Property(
                    "WaitingFor", "as", documentation: "Keys of conditions that do not hold, and a run of it waits for."
                ) { [self] path in
                    .strings(try found(path).view?.waitingFor(in: scheduler) ?? [])
                },
                text("Error", "Why it cannot be scheduled; or empty.") { $0.error },
            ])
    }

    private func found(_ path: ObjectPath) throws(ErrorReply) -> ListedJob {
        let name = Place.name(at: path)
        guard let listed = catalogue.listed(name) else { throw .jobNotFound(name, among: catalogue.namesNear(name)) }
        return listed
    }

    private func lastError(_ listed: ListedJob) throws(ErrorReply) -> String {
        guard let view = listed.view, let status = view.state.lastStatus, status != .success else { return "" }
        return try telling.lastRun(of: view.job.name, status)?.error ?? ""
    }

    private func text(
        _ name: MemberName, changeSignal: Property.ChangeSignal = .yes, _ documentation: String,
        _ value: @escaping (ListedJob) -> String
    ) -> Property {
        Property(name, "s", changeSignal: changeSignal, documentation: documentation) { [self] path in
            .string(value(try found(path)))
        }
    }

    private func explain(_ name: String) throws -> [DBusValue] {
        func reason(_ code: String, _ sentence: String) -> DBusValue {
            .structure([.string(code), .string(sentence)])
        }
        if let refused = catalogue.refusedJob(name) { return [reason("invalid", refused.error)] }
        let zone = try catalogue.view(name).job.zone
        return try telling.explain(name, at: nil).map { reason($0.code, $0.sentence(in: zone)) }
    }
}

extension ListedJob {
    var view: Scheduler.JobView? { if case .job(let view) = self { view } else { nil } }

    var name: String {
        switch self {
        case .job(let view): view.job.name
        case .refused(let refused): refused.name
        }
    }

    var description: String {
        switch self {
        case .job(let view): view.job.description
        case .refused(let refused): JobShape.parsed(refused.definition)["description"]?.stringValue ?? ""
        }
    }

    var isEnabled: Bool {
        switch self {
        case .job(let view): view.isEnabled
        case .refused(let refused): JobShape.isEnabled(refused)
        }
    }

    var disabledReason: String {
        guard let view, !view.isEnabled else { return "" }
        return view.state.disabledReason ?? ""
    }

    var schedule: String {
        switch self {
        case .job(let view): view.job.schedules.first?.text ?? ""
        case .refused(let refused):
            JobShape.json(refused)["schedule"]?.stringValue ?? ""
        }
    }

    var tags: [String] {
        switch self {
        case .job(let view): view.job.tags
        case .refused(let refused):
            JobShape.parsed(refused.definition)["tags"]?.arrayValue?.compactMap(\.stringValue) ?? []
        }
    }

    var definition: String {
        switch self {
        case .job(let view): view.job.definition
        case .refused(let refused): refused.definition
        }
    }

    var timeZone: String {
        switch self {
        case .job(let view): view.job.zone.name
        case .refused(let refused): JobShape.parsed(refused.definition)["timezone"]?.stringValue ?? ""
        }
    }

    var error: String {
        switch self {
        case .job: ""
        case .refused(let refused): refused.error
        }
    }
}
