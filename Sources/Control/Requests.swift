internal import Configuration
internal import Contract
internal import DBus
internal import JSON
internal import Performing
internal import Schedules
internal import Scheduling
internal import Store

/// What both faces ask of the core, and what its replies mean to whoever asked.
///
/// Nothing is looked up before it is asked that the core would look up itself: it decides in the order in which
/// requests came, also while it waits for the store.
final class Requests {
    private let intake: any Intake
    private let settings: any SettingsControl
    private let scheduler: any SchedulerReading
    private let catalogue: Catalogue
    private let telling: RunTelling
    private let requestedRuns: RequestedRuns

    init(_ needs: Control.Needs, catalogue: Catalogue, telling: RunTelling, requestedRuns: RequestedRuns) {
        intake = needs.intake
        settings = needs.settings
        scheduler = needs.scheduler
        self.catalogue = catalogue
        self.telling = telling
        self.requestedRuns = requestedRuns
    }

    // MARK: - Asking

    /// Asks the core; `done` is called once, with its reply or with the error that says why there is none.
    func ask(for event: @escaping (Ticket) -> Event, done: @escaping (Result<Reply, ErrorReply>) -> Void) {
        intake.ask(event) { [self] settlement in
            switch settlement {
            case .reply(.refused(let refusal)): done(.failure(error(of: refusal)))
            case .reply(let reply): done(.success(reply))
            case .storeFailed(let error): done(.failure(.storeFailed(error)))
            case .stopping: done(.failure(.busy))
            case .unknown: done(.failure(.outcomeUnknown))
            }
        }
    }

    /// As above, in the name of a call; what `answer` throws is its answer.
    func ask(
        _ call: MethodCall, for event: @escaping (Ticket) -> Event,
        answer: @escaping (Reply) throws(ErrorReply) -> Void
    ) {
        ask(for: event) { result in
            // One that was answered on our behalf, or whose caller has left.
            guard !call.isAnswered else { return }
            do throws(ErrorReply) {
                try answer(try result.get())
            } catch {
                call.fail(error)
            }
        }
    }

    /// Answers once a fact that was told is durable, or given up.
    func acknowledge(_ call: MethodCall, _ answer: @escaping () -> Void) {
        intake.whenDurable { if !call.isAnswered { answer() } }
    }

    private func error(of refusal: Refusal) -> ErrorReply {
        switch refusal {
        case .jobNotFound(let name):
            if let refused = catalogue.refusedJob(name) { return .jobRefused(refused) }
        case .runNotFound(let id):
            // The core knows those that have not ended.
            if let run = try? telling.findIfAny(id), !run.status.isActive { return .runEnded(id, run.status) }
        default: break
        }
        if case .jobNotFound(let name) = refusal { return ErrorReply(refusal, among: catalogue.namesNear(name)) }
        return ErrorReply(refusal, among: [])
    }

    // MARK: - Toggles

    func toggle(_ name: String, isEnabled: Bool, until: Instant? = nil, _ done: @escaping (ErrorReply?) -> Void) {
        ask(for: { .jobToggled(job: name, isEnabled: isEnabled, until: until, ticket: $0) }, done: { done($0.error) })
    }

    func toggleScheduler(_ isEnabled: Bool, _ done: @escaping (ErrorReply?) -> Void) {
        ask(for: { .schedulerToggled(isEnabled, ticket: $0) }, done: { done($0.error) })
    }

    // MARK: - Definitions

    /// Creates or replaces a job; `done` gets it with its next fire time.
    func schedule(
        _ call: MethodCall, _ definition: JSONObject, _ done: @escaping (Job, Instant?) -> Void
    ) throws(ErrorReply) {
        let job = try read(definition)
        if let fault = JobShape.fault(job) {
            throw ErrorReply(.invalidJob, "the job \"\(job.name)\" is not made: \(fault)")
        }
        let made = scheduler.jobCount - settings.configuration.jobs.count
        guard made < Bounds.busJobs || scheduler.job(named: job.name) != nil else {
            throw ErrorReply(
                .limitsExceeded,
                "cannot make the job \"\(job.name)\": \(made) jobs were made over the bus; at most \(Bounds.busJobs)")
        }
        if catalogue.refusedJob(job.name) != nil { throw ErrorReply(.jobExists(job.name), among: []) }
        ask(
            call, for: { .jobUpserted(job, ticket: $0) },
            answer: { reply throws(ErrorReply) in
                guard case .scheduled(_, let next) = reply else { throw .unexpected(reply) }
                done(job, next)
            })
    }

    func remove(_ call: MethodCall, _ name: String, _ done: @escaping () -> Void) {
        let settings = settings
        ask(
            call,
            for: { ticket in
                settings.isRefusedDefinition(of: name)
                    ? .definitionForgotten(job: name, ticket: ticket) : .jobCancelled(job: name, ticket: ticket)
            }, answer: { _ in done() })
    }

    private func read(_ definition: JSONObject) throws(ErrorReply) -> Job {
        do throws(JobError) {
            return try settings.readJob(.object(definition), madeUpName: makeUpJobName())
        } catch {
            throw .invalidJob(error)
        }
    }

    /// `job-` and 8 hex digits that no job has.
    private func makeUpJobName() -> String {
        while true {
            let digits = String(UInt32.random(in: 0 ... .max), radix: 16)
            let name = "job-" + String(repeating: "0", count: 8 - digits.count) + digits
            if scheduler.job(named: name) == nil { return name }
        }
    }

    // MARK: - Runs

    /// What may be said of a run that is asked for, beside its job.
    static let runKeys: Set<String> = ["inputs", "scheduled_for", "idempotency_key", "force"]

    /// Asks for a run; `done` gets `Reply.run`, or `Reply.removedRun` for a key whose run is not kept any more.
    func run(
        _ call: MethodCall, _ name: String, _ object: JSONObject,
        _ done: @escaping (Reply) throws(ErrorReply) -> Void
    ) throws(ErrorReply) {
        try requestedRuns.admit(call.sender)
        var request = RunRequest(job: name)
        if let force = object["force"], !force.isNull {
            guard let isForced = force.boolValue else {
                throw .invalidArgument("force", found: force.compactText, expected: "true or false")
            }
            request.isForced = isForced
        }
        if let inputs = object["inputs"], !inputs.isNull {
            guard inputs.objectValue != nil else {
                throw .invalidArgument("inputs", found: inputs.kind.rawValue, expected: "a JSON object")
            }
            request.inputs = inputs.compactText
        }
        if let key = object["idempotency_key"], !key.isNull {
            guard let text = key.stringValue, !text.isEmpty else {
                throw .invalidArgument(
                    "idempotency_key", found: key.compactText, expected: "a string that is not empty")
            }
            guard text.utf8.count <= Bounds.keyBytes else {
                throw .tooLong("idempotency_key", text.utf8.count, Bounds.keyBytes)
            }
            request.idempotencyKey = text
        }
        if let instant = object["scheduled_for"], !instant.isNull {
            request.scheduledFor = try instant.instant("scheduled_for", telling.zone(ofJob: name))
        }
        ask(
            call, for: { [request] in .runRequested(request, ticket: $0) },
            answer: { [self] reply throws(ErrorReply) in
                requestedRuns.asked(reply, call.sender)
                try done(reply)
            })
    }

    /// Runs a definition once without scheduling it.
    func runOnce(
        _ call: MethodCall, _ definition: JSONObject, _ done: @escaping (Reply) throws(ErrorReply) -> Void
    ) throws(ErrorReply) {
        try requestedRuns.admit(call.sender)
        let job = try read(definition)
        ask(
            call, for: { .runOnce(job, RunRequest(job: job.name), ticket: $0) },
            answer: { [self] reply throws(ErrorReply) in
                requestedRuns.asked(reply, call.sender)
                try done(reply)
            })
    }

    func cancelRun(_ call: MethodCall, _ id: String, _ done: @escaping () -> Void) {
        ask(call, for: { .cancelRequested(run: id, ticket: $0) }, answer: { _ in done() })
    }
}

/// The runs that clients have asked for and that have not ended, so that one client cannot use up what the others need.
final class RequestedRuns {
    private let scheduler: any SchedulerReading
    private var bounds = CallerBounds(each: Bounds.runsPerCaller)
    /// Who asked for a run that has not ended.
    private var callers: [String: BusName] = [:]

    init(scheduler: any SchedulerReading) { self.scheduler = scheduler }

    func admit(_ caller: BusName?) throws(ErrorReply) {
        guard bounds.hasRoom(for: caller) else {
            throw ErrorReply(
                .limitsExceeded,
                "cannot start a run: \(bounds.count(of: caller)) runs that this client asked for have not ended; at "
                    + "most \(bounds.each)")
        }
    }

    /// A run was made for a client; one that an earlier request made stays with whoever asked first.
    func asked(_ reply: Reply, _ caller: BusName?) {
        guard let caller, case .run(let run) = reply, callers[run.id] == nil,
            // It may have ended with the commit that made it.
            scheduler.activeRun(id: run.id) != nil
        else { return }
        callers[run.id] = caller
        bounds.add(caller)
    }

    func committed(_ changes: [StoreChange]) {
        guard !callers.isEmpty else { return }
        for change in changes {
            guard case .run(let run) = change, !run.status.isActive, let caller = callers.removeValue(forKey: run.id)
            else { continue }
            bounds.remove(caller)
        }
    }
}

extension ErrorReply {
    /// What a caller hears whose daemon was killed, too: any other error would say that nothing came of it.
    static var outcomeUnknown: ErrorReply {
        ErrorReply(.noReply, "the daemon ended before it was known whether this is on record: the disk does not say")
    }

    /// A reply of the core to another question: a fault of ours.
    static func unexpected(_ reply: Reply) -> ErrorReply {
        ErrorReply(.failed, "the scheduler answered something else: \(reply)")
    }
}

extension Result {
    /// Why it failed; nil where it did not.
    fileprivate var error: Failure? { if case .failure(let error) = self { error } else { nil } }
}
