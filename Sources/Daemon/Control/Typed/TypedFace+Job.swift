import DBus
import JSON
import Schedules
import Scheduling

/// `com.aiworkflow.BotCron.Job1`: one job.
extension TypedFace {
    var jobInterface: Interface {
        Interface(
            Self.jobName, documentation: "A job. Instants are microseconds since 1970 UTC, 0 for none.",
            methods: [
                Method(
                    "Run", out: [Argument("run", "o", documentation: "Its object is there until the run has ended.")],
                    documentation: "Starts a run now, whatever the schedule says; RunJob of Manager1 takes options."
                ) { [unowned self] call in
                    try runJob(call, Self.name(at: call.path), nil)
                },
                Method("Enable", documentation: "Puts the schedule in force; survives a restart and a reload.") {
                    [unowned self] call in
                    try control.toggle(call, Self.name(at: call.path), isEnabled: true) { call.reply() }
                },
                Method("Disable", documentation: "Takes the schedule out of force.") { [unowned self] call in
                    try control.toggle(call, Self.name(at: call.path), isEnabled: false) { call.reply() }
                },
                Method(
                    "Remove",
                    documentation: "Removes a job that was created over the bus; NotPermitted for one of config.json."
                ) { [unowned self] call in
                    try control.remove(call, Self.name(at: call.path)) { call.reply() }
                },
                Method(
                    "Explain",
                    out: [
                        Argument("reasons", "a(ss)", documentation: "Each with a code and a sentence.")
                    ],
                    documentation: "Why it is not running, and when it will."
                ) { [unowned self] call in
                    call.reply([.array(try explain(Self.name(at: call.path)), element: "(ss)")])
                },
            ],
            properties: [
                text("Name", changeSignal: .const, "What it is called in config.json and in every method.") { $0.name },
                text("Description", "For people.") { $0.description },
                Property(
                    "Enabled", "b",
                    documentation: "Whether its schedule is in force; setting it survives a restart and a reload.",
                    setLater: { [unowned self] path, value, done in
                        let name = Self.name(at: path)
                        _ = try control.view(name)
                        try control.submit(
                            .jobToggled(job: name, isEnabled: value.asBool ?? false, until: nil), done)
                    },
                    get: { [unowned self] path in .bool(try found(path).isEnabled) }),
                text("Schedule", "As it is written; of several the first.") { $0.schedule },
                text("TimeZone", "The zone of its schedule.") { $0.timeZone },
                Property("NextRun", "t", documentation: "0 where nothing will start it.") { [unowned self] path in
                    (try found(path).view?.nextRun).asTyped
                },
                Property("LastRun", "t", documentation: "The start of the last run that ended.") {
                    [unowned self] path in
                    (try found(path).view?.state.lastRunAt).asTyped
                },
                text(
                    "LastStatus", "How the last run ended: success, failed, timeout, cancelled, interrupted; or empty."
                ) {
                    $0.view?.state.lastStatus?.rawValue ?? ""
                },
                Property("RunCount", "t", documentation: "Runs that have ended.") { [unowned self] path in
                    .uint64(UInt64(clamping: try found(path).view?.state.runCount ?? 0))
                },
                Property("FailureCount", "t", documentation: "Those of them that failed.") { [unowned self] path in
                    .uint64(UInt64(clamping: try found(path).view?.state.failureCount ?? 0))
                },
                Property("Running", "ao", documentation: "Its runs that have their turn.") { [unowned self] path in
                    let runs = try found(path).view?.running(in: daemon.scheduler) ?? []
                    return .objectPaths(runs.map { Self.path(ofRun: $0) })
                },
                Property(
                    "WaitingFor", "as", documentation: "Keys of conditions that do not hold, and a run of it waits for."
                ) { [unowned self] path in
                    .strings(try found(path).view?.waitingFor(in: daemon.scheduler) ?? [])
                },
                text("Error", "Why it cannot be scheduled; or empty.") { $0.error },
            ])
    }

    private func found(_ path: ObjectPath) throws(ErrorReply) -> Listed {
        let name = Self.name(at: path)
        guard let listed = listed(name) else { throw .jobNotFound(name, among: daemon.allJobNames) }
        return listed
    }

    private func text(
        _ name: MemberName, changeSignal: Property.ChangeSignal = .yes, _ documentation: String,
        _ value: @escaping (Listed) -> String
    ) -> Property {
        Property(name, "s", changeSignal: changeSignal, documentation: documentation) { [unowned self] path in
            .string(value(try found(path)))
        }
    }

    private func explain(_ name: String) throws -> [DBusValue] {
        func reason(_ code: String, _ sentence: String) -> DBusValue {
            .structure([.string(code), .string(sentence)])
        }
        if let refused = daemon.refusedJob(named: name) { return [reason("invalid", refused.error)] }
        let zone = try control.view(name).job.zone
        return try daemon.explain(name, at: nil).map { reason($0.code, $0.sentence(in: zone)) }
    }
}

extension TypedFace.Listed {
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

    var schedule: String {
        switch self {
        case .job(let view): view.job.schedules.first?.text ?? ""
        case .refused(let refused):
            JobShape.json(refused)["schedule"]?.stringValue ?? ""
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
        case .job(let view): JobShape.fault(view.job) ?? ""
        case .refused(let refused): refused.error
        }
    }
}

extension Scheduler.JobView {
    /// Keys of the conditions that its runs wait for.
    func waitingFor(in scheduler: Scheduler) -> [String] {
        Set(active.flatMap { scheduler.unmetConditions(ofRun: $0)?.unmet.map(\.key) ?? [] }).sorted()
    }

    /// Ids of its runs that have their turn: what waits for it does not run.
    func running(in scheduler: Scheduler) -> [String] {
        active.filter { scheduler.activeRun(id: $0).map { $0.status != .queued } ?? false }
    }
}
