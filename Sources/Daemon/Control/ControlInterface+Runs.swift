import Configuration
import DBus
import Execution
import JSON
import Store
import Schedules
import Scheduling

/// Handlers: runs and their history.
extension ControlInterface {
    func runJob(_ call: MethodCall) throws {
        let (name, object) = try jobOrObject(call, Self.requestKeys)
        try request(call, name, object) { run in answer(call, daemon.answer(of: run)) }
    }

    /// What may be said of a run that is asked for, beside its job.
    static let requestKeys: Set<String> = ["inputs", "scheduled_for", "idempotency_key", "force"]

    /// Asks for a run; `done` gets it when it is recorded.
    func request(
        _ call: MethodCall, _ name: String, _ object: JSONObject, _ done: @escaping (Run) throws -> Void
    ) throws {
        try daemon.callers.admitRun(call.sender)
        var request = RunRequest(job: name)
        if let force = object["force"], !force.isNull {
            guard let isForced = force.boolValue else {
                throw ErrorReply.invalidArgument("force", found: force.compactText, expected: "true or false")
            }
            request.isForced = isForced
        }
        if let inputs = object["inputs"], !inputs.isNull {
            guard inputs.objectValue != nil else {
                throw ErrorReply.invalidArgument("inputs", found: inputs.kind.rawValue, expected: "a JSON object")
            }
            request.inputs = inputs.compactText
        }
        if let key = object["idempotency_key"], !key.isNull {
            guard let text = key.stringValue, !text.isEmpty else {
                throw ErrorReply.invalidArgument(
                    "idempotency_key", found: key.compactText, expected: "a string that is not empty")
            }
            guard text.utf8.count <= Callers.Limits.keyBytes else {
                throw ErrorReply.tooLong("idempotency_key", text.utf8.count, Callers.Limits.keyBytes)
            }
            request.idempotencyKey = text
        }
        let zone = (try? view(name))?.job.zone ?? daemon.configuration.timezone
        if let instant = object["scheduled_for"], !instant.isNull {
            request.scheduledFor = try self.instant(instant, "scheduled_for", zone)
        }
        request.existing = try earlierRun(of: request)
        if request.existing == nil { _ = try view(name) }
        try ask(call, { .runRequested(request, ticket: $0) }) { reply in
            // The key names one request; a run of another job is not what this one asks for.
            if case .run(let run) = reply, run.job != name {
                throw ErrorReply.invalidArgument(
                    "idempotency_key", found: "the key of \"\(run.id)\", a run of the job \"\(run.job)\"",
                    expected: "a key that no other job has used")
            }
            let run = try Self.run(in: reply)
            daemon.callers.asked(run, call.sender)
            try done(run)
        }
    }

    func runNow(_ call: MethodCall) throws {
        try daemon.callers.admitRun(call.sender)
        let definition = try object(call, 0, "definition")
        let job = try daemon.readJob(.object(definition), madeUpName: daemon.makeUpJobName())
        try ask(call, { .runOnce(job, RunRequest(job: job.name), ticket: $0) }) { reply in
            let run = try Self.run(in: reply)
            daemon.callers.asked(run, call.sender)
            answer(call, daemon.answer(of: run))
        }
    }

    func getRun(_ call: MethodCall) throws {
        let id = text(call, 0)
        let run = try findRun(id)
        var shape = RunShape.answer(run, zone: daemon.zone(of: run))
        let attempts = try stored { () throws(StoreError) in try daemon.store.attempts(ofRun: id) }
        shape["attempts"] = .array(attempts.map { RunShape.attempt($0, zone: daemon.zone(of: run)) })
        answer(call, .object(shape))
    }

    func waitRun(_ call: MethodCall) throws {
        let run = try findRun(text(call, 0))
        guard run.status.isActive else { return answer(call, daemon.answer(of: run)) }
        try daemon.wait(for: run.id, call)
    }

    func cancelRun(_ call: MethodCall) throws {
        try cancelRun(call, text(call, 0)) { call.reply([.bool(true)]) }
    }

    func cancelRun(_ call: MethodCall, _ id: String, _ done: @escaping () -> Void) throws {
        let run = try findRun(id)
        guard run.status.isActive else { throw ErrorReply.runEnded(run.id, run.status) }
        try ask(call, { .cancelRequested(run: run.id, ticket: $0) }) { _ in done() }
    }

    /// Bytes in one answer of `get_output`.
    private static var outputBytesDefault: Int { 1 << 16 }
    private static var outputBytesMax: Int { 1 << 20 }

    func getOutput(_ call: MethodCall) throws {
        let part = try output(
            text(call, 0), from: Int(call.arguments[1].asInt64 ?? 0), limit: call.arguments[2].asUInt32 ?? 0)
        call.reply([.bytes(part.bytes), .int64(Int64(part.nextOffset))])
    }

    /// - Parameter limit: 0 for the usual one.
    func output(_ id: String, from offset: Int, limit: UInt32) throws -> (bytes: [UInt8], nextOffset: Int) {
        let (run, attempt) = try findAttempt(id)
        let limit = limit == 0 ? Self.outputBytesDefault : min(Int(limit), Self.outputBytesMax)
        let part = daemon.runner.output(run: run.id, attempt: attempt).read(from: offset, limit: limit)
        return (part.bytes, part.nextOffset)
    }

    /// A run's id means its last attempt, with `.N` its N-th. No run's own id ends so.
    private func findAttempt(_ id: String) throws -> (run: Run, number: Int) {
        if let run = try findRunIfAny(id) { return (run, max(1, run.attempt)) }
        if let dot = id.lastIndex(of: "."), let number = Int(id[id.index(after: dot)...]),
            let run = try findRunIfAny(String(id[..<dot])), (1...max(1, run.attempt)).contains(number)
        {
            return (run, number)
        }
        throw ErrorReply.runNotFound(id)
    }

    // MARK: - History

    func getHistory(_ call: MethodCall) throws {
        let page = try history(HistoryQuery(limit: Self.historyLimit(Int(call.arguments.first?.asInt32 ?? 0))))
        answer(call, .array(page.runs.map { daemon.json(of: $0) }))
    }

    static func historyLimit(_ asked: Int) -> Int { asked <= 0 ? historyLimitDefault : min(asked, historyLimitMax) }

    func queryHistory(_ call: MethodCall) throws {
        let filter = try object(call, 0, "filter")
        var query = HistoryQuery(limit: Self.historyLimitDefault)
        for (key, value) in filter where !value.isNull {
            switch key {
            case "job": query.job = try string(value, key)
            case "status": query.status = try word(value, key)
            case "trigger": query.trigger = try word(value, key)
            case "since": query.since = try instant(value, key, daemon.configuration.timezone)
            case "until": query.until = try instant(value, key, daemon.configuration.timezone)
            case "limit":
                guard let limit = value.intValue else {
                    throw ErrorReply.invalidArgument(key, found: value.compactText, expected: "a whole number")
                }
                query.limit = Self.historyLimit(limit)
            case "cursor":
                guard let cursor = HistoryCursor(try string(value, key)) else {
                    throw ErrorReply.invalidArgument(
                        key, found: value.compactText, expected: "a next_cursor of an earlier answer")
                }
                query.cursor = cursor
            default:
                throw ErrorReply.invalidArgument(
                    "filter", found: "the key \"\(key)\"", expected: "job, status, trigger, since, until, limit, cursor"
                )
            }
        }
        let page = try history(query)
        answer(
            call,
            [
                "runs": .array(page.runs.map { daemon.json(of: $0) }),
                "next_cursor": .optional(page.next?.text),
            ])
    }

    func history(_ query: HistoryQuery) throws -> HistoryPage {
        try stored { () throws(StoreError) in try daemon.store.history(query) }
    }

    // MARK: - Helpers

    private static func run(in reply: Reply) throws -> Run {
        guard case .run(let run) = reply else {
            throw ErrorReply(.failed, "the scheduler answered a request for a run with \(reply)")
        }
        return run
    }

    /// A run that has not ended as the core holds it, else as it is on record.
    func findRun(_ id: String) throws -> Run {
        guard let run = try findRunIfAny(id) else { throw ErrorReply.runNotFound(id) }
        return run
    }

    private func findRunIfAny(_ id: String) throws -> Run? {
        if let active = daemon.scheduler.activeRun(id: id) { return daemon.current(active) }
        return try stored { () throws(StoreError) in try daemon.store.run(id: id) }
    }

    /// The run that the same request made before, if it did.
    private func earlierRun(of request: RunRequest) throws -> Run? {
        let id = try stored { () throws(StoreError) -> String? in
            if let key = request.idempotencyKey, let id = try daemon.store.runID(idempotencyKey: key) { return id }
            guard let fire = request.scheduledFor else { return nil }
            return try daemon.store.runID(job: request.job, scheduledFor: fire)
        }
        return try id.map { try findRun($0) }
    }

    func stored<T>(_ body: () throws(StoreError) -> T) throws -> T {
        do {
            return try body()
        } catch {
            throw ErrorReply.storeFailed(error)
        }
    }

    func string(_ value: JSONValue, _ name: String) throws -> String {
        guard let text = value.stringValue else {
            throw ErrorReply.invalidArgument(name, found: value.compactText, expected: "a string")
        }
        return text
    }

    private func word<Word: RawRepresentable & CaseIterable>(_ value: JSONValue, _ name: String) throws -> Word
    where Word.RawValue == String {
        guard let text = value.stringValue, let word = Word(rawValue: text) else {
            let known = Word.allCases.map(\.rawValue).joined(separator: ", ")
            throw ErrorReply.invalidArgument(name, found: value.compactText, expected: "one of \(known)")
        }
        return word
    }

    func instant(_ value: JSONValue, _ name: String, _ zone: TimeZoneRules) throws -> Instant {
        do {
            return try Instant.absolute(try string(value, name), zone: zone)
        } catch let error as ScheduleError {
            throw ErrorReply.invalidArgument(
                name, found: "\(value.compactText) (\(error))",
                expected: "an instant, such as 2026-01-26T09:00:00-05:00")
        }
    }
}
