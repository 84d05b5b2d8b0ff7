internal import Configuration
internal import DBus
internal import JSON
internal import Performing
internal import Schedules
internal import Scheduling

/// What is asked about runs.
extension Requests {
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
        askForRun(call, { [request] in .runRequested(request, ticket: $0) }, done)
    }

    /// Who asked is remembered for as long as the run has not ended.
    private func askForRun(
        _ call: MethodCall, _ event: @escaping (Ticket) -> Event,
        _ done: @escaping (Reply) throws(ErrorReply) -> Void
    ) {
        ask(
            call, for: event,
            answer: { [requestedRuns] reply throws(ErrorReply) in
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
        askForRun(call, { .runOnce(job, RunRequest(job: job.name), ticket: $0) }, done)
    }

    /// Asks for the job of a run once more, with that run's inputs; of a definition that was never scheduled, for it.
    func runAgain(
        _ call: MethodCall, _ id: String, _ done: @escaping (Reply) throws(ErrorReply) -> Void
    ) throws(ErrorReply) {
        try requestedRuns.admit(call.sender)
        // The run is read where all reads are: behind what is not settled yet.
        intake.whenDurable { [self] in
            guard !call.isAnswered else { return }
            do throws(ErrorReply) {
                askForRun(call, try again(try telling.find(id)), done)
            } catch {
                call.fail(error)
            }
        }
    }

    private func again(_ run: Run) throws(ErrorReply) -> (Ticket) -> Event {
        var request = RunRequest(job: run.job)
        request.inputs = run.inputs
        guard let text = run.definition else { return { [request] in .runRequested(request, ticket: $0) } }
        let definition = try JSONValue(argument: text, "definition", expected: "a JSON object").objectValue ?? [:]
        let job = try read(definition)
        return { [request] in .runOnce(job, request, ticket: $0) }
    }

    static let backfillKeys: Set<String> = ["from", "to", "overlap_policy", "dry_run"]

    /// Asks for runs of fire times that have passed; `done` gets the ids of the runs and the fire times.
    func backfill(
        _ call: MethodCall, _ name: String, _ object: JSONObject,
        _ done: @escaping ([String], [Instant]) throws(ErrorReply) -> Void
    ) throws(ErrorReply) {
        let zone = telling.zone(ofJob: name)
        guard let from = object["from"], !from.isNull else {
            throw .invalidArgument("from", found: "none", expected: "an instant, such as 2026-01-26T09:00:00-05:00")
        }
        var request = BackfillRequest(
            job: name, from: try from.instant("from", zone), through: Instant(microseconds: .max))
        if let to = object["to"], !to.isNull { request.through = try to.instant("to", zone) }
        guard request.from <= request.through else {
            throw .invalidArgument(
                "to", found: request.through.rfc3339(in: zone),
                expected: "an instant that is not before from, \(request.from.rfc3339(in: zone))")
        }
        if let policy = object["overlap_policy"], !policy.isNull { request.overlap = try policy.word("overlap_policy") }
        if let dry = object["dry_run"], !dry.isNull { request.isDry = try dry.flag("dry_run") }
        ask(
            call, for: { [request] in .backfillRequested(request, ticket: $0) },
            answer: { reply throws(ErrorReply) in
                guard case .backfilled(let runs, let fires) = reply else { throw .unexpected(reply) }
                try done(runs, fires)
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
