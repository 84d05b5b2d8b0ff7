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
    let intake: any Intake
    let settings: any SettingsControl
    let scheduler: any SchedulerReading
    private let catalogue: Catalogue
    private let callers: Callers
    let telling: RunTelling
    let requestedRuns: RequestedRuns

    init(
        _ needs: Control.Needs, catalogue: Catalogue, callers: Callers, telling: RunTelling,
        requestedRuns: RequestedRuns
    ) {
        intake = needs.intake
        settings = needs.settings
        scheduler = needs.scheduler
        self.catalogue = catalogue
        self.callers = callers
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

    /// Who makes a call.
    func author(of call: MethodCall) -> ChangeAuthor { callers.author(of: call) }

    // MARK: - Toggles

    func toggle(
        _ call: MethodCall, _ name: String, isEnabled: Bool, until: Instant? = nil, reason: String? = nil,
        _ done: @escaping (ErrorReply?) -> Void
    ) {
        let author = callers.author(of: call)
        ask(
            for: {
                .jobToggled(job: name, isEnabled: isEnabled, until: until, reason: reason, by: author, ticket: $0)
            }, done: { done($0.error) })
    }

    func toggleScheduler(_ call: MethodCall, _ isEnabled: Bool, _ done: @escaping (ErrorReply?) -> Void) {
        let author = callers.author(of: call)
        ask(for: { .schedulerToggled(isEnabled, by: author, ticket: $0) }, done: { done($0.error) })
    }

    /// The next fire time of a job is not to be run; `answer` gets it, and the one after it.
    func skip(
        _ call: MethodCall, _ name: String, reason: String?,
        answer: @escaping (_ skipped: Instant?, _ next: Instant?) -> Void
    ) {
        let author = callers.author(of: call)
        ask(
            call, for: { .skipRequested(job: name, reason: reason, by: author, ticket: $0) },
            answer: { reply throws(ErrorReply) in
                guard case .skipped(let fire, let next) = reply else { throw .unexpected(reply) }
                answer(fire, next)
            })
    }

    // MARK: - Definitions

    /// Creates or replaces a job; `done` gets it with its next fire time.
    func schedule(
        _ call: MethodCall, _ definition: JSONObject, _ done: @escaping (Job, Instant?) -> Void
    ) throws(ErrorReply) {
        let job = try read(definition)
        let made = scheduler.jobCount - settings.configuration.jobs.count
        guard made < Bounds.busJobs || scheduler.definition(of: job.name) != nil else {
            throw ErrorReply(
                .limitsExceeded,
                "cannot make the job \"\(job.name)\": \(made) jobs were made over the bus; at most \(Bounds.busJobs)")
        }
        if catalogue.refusedJob(job.name) != nil { throw ErrorReply(.jobExists(job.name), among: []) }
        let author = callers.author(of: call)
        ask(
            call, for: { .jobUpserted(job, by: author, ticket: $0) },
            answer: { reply throws(ErrorReply) in
                guard case .scheduled(_, let next) = reply else { throw .unexpected(reply) }
                done(job, next)
            })
    }

    func remove(_ call: MethodCall, _ name: String, reason: String? = nil, _ done: @escaping () -> Void) {
        let (settings, author) = (settings, callers.author(of: call))
        ask(
            call,
            for: { ticket in
                settings.isRefusedDefinition(of: name)
                    ? .definitionForgotten(job: name, by: author, ticket: ticket)
                    : .jobCancelled(job: name, reason: reason, by: author, ticket: ticket)
            }, answer: { _ in done() })
    }

    func read(_ definition: JSONObject) throws(ErrorReply) -> Job {
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
            if scheduler.definition(of: name) == nil { return name }
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
