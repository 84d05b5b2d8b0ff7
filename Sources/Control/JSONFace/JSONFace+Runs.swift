internal import Configuration
internal import DBus
internal import JSON
internal import Performing
internal import Schedules
internal import Scheduling
internal import Store

/// Handlers: runs and their history.
extension JSONFace {
    func runJob(_ call: MethodCall) throws {
        let (name, object) = try call.jobOrObject(Requests.runKeys)
        try requests.run(call, name, object) { [telling] reply throws(ErrorReply) in
            call.answer(try telling.answer(of: reply))
        }
    }

    func runNow(_ call: MethodCall) throws {
        try requests.runOnce(call, try call.object(0, "definition")) { [telling] reply throws(ErrorReply) in
            call.answer(try telling.answer(of: reply))
        }
    }

    func getRun(_ call: MethodCall) throws {
        let run = try telling.find(call.text(0))
        let zone = telling.zone(of: run)
        var shape = telling.shape(of: run)
        shape["attempts"] = .array(try telling.attempts(of: run.id).map { RunShape.attempt($0, zone: zone) })
        let messages = try telling.messages(of: run.id)
        if !messages.isEmpty { shape["messages"] = .array(messages.map { MessageShape.json($0, zone: zone) }) }
        call.answer(.object(shape))
    }

    func waitRun(_ call: MethodCall) throws {
        let run = try telling.find(call.text(0))
        guard run.status.isActive else { return call.answer(telling.answer(of: run)) }
        try waiters.wait(for: run.id, call)
    }

    func cancelRun(_ call: MethodCall) throws {
        requests.cancelRun(call, call.text(0)) { call.reply([.bool(true)]) }
    }

    func rerun(_ call: MethodCall) throws {
        try requests.runAgain(call, call.text(0)) { [telling] reply throws(ErrorReply) in
            call.answer(try telling.answer(of: reply))
        }
    }

    func backfill(_ call: MethodCall) throws {
        let (name, object) = try call.jobOrObject(Requests.backfillKeys)
        try requests.backfill(call, name, object) { [self] ids, fires throws(ErrorReply) in
            try list(ids, for: call) { id throws(ErrorReply) in
                try telling.findIfAny(id).map { telling.json(of: $0) }
            } done: {
                let zone = telling.zone(ofJob: name)
                let instants = JSONValue.array(fires.map { .instant($0, zone) }).compactText
                call.reply([.string("{\"runs\": \($0), \"fire_times\": \(instants)}")])
            } refuse: {
                call.fail($0)
            }
        }
    }

    func getOutput(_ call: MethodCall) throws {
        let part = try outputs.read(
            call.text(0), from: Int(call.arguments[1].asInt64 ?? 0), limit: call.arguments[2].asUInt32 ?? 0)
        call.reply([.bytes(part.bytes), .int64(Int64(part.nextOffset))])
    }

    // MARK: - History

    func getHistory(_ call: MethodCall) throws {
        let page = try telling.history(
            HistoryQuery(limit: Self.pageLimit(Int(call.arguments.first?.asInt32 ?? 0))))
        try list(page.runs, for: call) {
            call.reply([.string($0)])
        } refuse: {
            call.fail($0)
        }
    }

    /// Runs whose texts are made in one step: 5 ms.
    private static let runsPerStep = 50

    func list(
        _ runs: [Run], for call: MethodCall, _ done: @escaping (String) -> Void,
        refuse: @escaping (ErrorReply) -> Void
    ) throws(ErrorReply) {
        try list(runs, for: call, text: { [telling] in telling.json(of: $0) }, done: done, refuse: refuse)
    }

    /// Makes a JSON array, as text, in steps.
    ///
    /// - Parameter text: of one run; nil where it is gone by now.
    private func list<Element>(
        _ runs: [Element], for call: MethodCall,
        text: @escaping (Element) throws(ErrorReply) -> JSONValue?, done: @escaping (String) -> Void,
        refuse: @escaping (ErrorReply) -> Void
    ) throws(ErrorReply) {
        var rest = runs[...]
        var list = "["
        try steps.begin {
            guard !call.isAnswered else { return false }
            for run in rest.prefix(Self.runsPerStep) {
                do throws(ErrorReply) {
                    guard let value = try text(run) else { continue }
                    if list.utf8.count > 1 { list += ", " }
                    list += value.compactText
                } catch {
                    refuse(error)
                    return false
                }
                guard list.utf8.count <= Bounds.listBytes else {
                    refuse(
                        ErrorReply(
                            .limitsExceeded,
                            "cannot give \(runs.count) runs in one answer: they have more than \(Bounds.listBytes) "
                                + "bytes; ask for fewer, query_history has them page by page"))
                    return false
                }
            }
            rest = rest.dropFirst(Self.runsPerStep)
            guard rest.isEmpty else { return true }
            list += "]"
            done(list)
            return false
        }
    }

    static func pageLimit(_ asked: Int) -> Int { asked <= 0 ? Bounds.pageRunsUsual : min(asked, Bounds.pageRuns) }

    /// Statuses of a run, or of a fire time, that somebody who looks for failures wants to see.
    private static let failed: [Run.Status] = [.failed, .timeout, .interrupted, .missed]

    /// One status, or an array of them; each counts once.
    private func statuses(_ value: JSONValue) throws(ErrorReply) -> [Run.Status] {
        guard let items = value.arrayValue else { return [try value.word("status")] }
        guard !items.isEmpty else {
            throw .invalidArgument("status", found: "an empty array", expected: "a status, or an array of them")
        }
        var wanted: [Run.Status] = []
        for item in items {
            let status: Run.Status = try item.word("status")
            if !wanted.contains(status) { wanted.append(status) }
        }
        return wanted
    }

    func queryHistory(_ call: MethodCall) throws {
        let filter = try call.object(0, "filter")
        var query = HistoryQuery(limit: Bounds.pageRunsUsual)
        var areFailed = false
        let zone = settings.configuration.timezone
        for (key, value) in filter where !value.isNull {
            switch key {
            case "job": query.job = try value.string(key)
            case "status": query.statuses = try statuses(value)
            case "failed": if try value.flag(key) { areFailed = true }
            case "trigger": query.trigger = try value.word(key)
            case "since": query.since = try value.instant(key, zone)
            case "until": query.until = try value.instant(key, zone)
            case "limit": query.limit = Self.pageLimit(try value.whole(key))
            case "cursor":
                guard let cursor = HistoryCursor(try value.string(key)) else {
                    throw ErrorReply.invalidArgument(
                        key, found: value.compactText, expected: "a next_cursor of an earlier answer")
                }
                query.cursor = cursor
            default:
                throw ErrorReply.invalidArgument(
                    "filter", found: "the key \"\(key)\"",
                    expected: "job, status, failed, trigger, since, until, limit, cursor"
                )
            }
        }
        if areFailed {
            guard query.statuses.isEmpty else {
                throw ErrorReply.invalidArgument(
                    "filter", found: "both status and failed", expected: "one of them: each says which runs")
            }
            query.statuses = Self.failed
        }
        let page = try telling.history(query)
        try list(page.runs, for: call) {
            call.reply([
                .string("{\"runs\": \($0), \"next_cursor\": \(JSONValue.optional(page.next?.text).compactText)}")
            ])
        } refuse: {
            call.fail($0)
        }
    }
}

/// What runs wrote, for those who know the id of a run or of one of its attempts.
struct RunOutputs {
    let telling: RunTelling
    let runs: any RunReading

    /// - Parameter limit: in bytes; 0 for the usual one.
    /// - Throws: `RunNotFound`, `StoreFailed`.
    func read(_ id: String, from offset: Int, limit: UInt32) throws(ErrorReply) -> (bytes: [UInt8], nextOffset: Int) {
        let (run, attempt) = try find(id)
        let limit = limit == 0 ? Bounds.outputBytesUsual : min(Int(limit), Bounds.outputBytes)
        return runs.output(run: run.id, attempt: attempt, from: offset, limit: limit)
    }

    /// A run's id means its last attempt, with `.N` its N-th. No run's own id ends so.
    private func find(_ id: String) throws(ErrorReply) -> (run: Run, number: Int) {
        if let run = try telling.findIfAny(id) { return (run, max(1, run.attempt)) }
        if let dot = id.lastIndex(of: "."), let number = Int(id[id.index(after: dot)...]),
            let run = try telling.findIfAny(String(id[..<dot])), (1...max(1, run.attempt)).contains(number)
        {
            return (run, number)
        }
        throw .runNotFound(id)
    }
}
