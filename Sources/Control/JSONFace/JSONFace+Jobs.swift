internal import Configuration
internal import DBus
internal import JSON
internal import Performing
internal import Schedules
internal import Scheduling
internal import Store

/// Handlers: jobs, their definitions and their toggles.
extension JSONFace {
    /// Runs that `get_job` shows.
    private static let recentRuns = 10
    /// Changes that it shows: as many as are kept.
    private static let recentChanges = JobChange.keptPerJob

    func listJobs(_ call: MethodCall) throws { try lists.list(call) }

    func queryJobs(_ call: MethodCall) throws { try lists.query(call, try JobQuery(try call.object(0, "filter"))) }

    func getJob(_ call: MethodCall) throws {
        let name = call.text(0)
        var shape: JSONObject
        switch catalogue.listed(name) {
        case .job(let view):
            shape = JobShape.json(view, of: scheduler)
            shape["error"] = nil
            shape["status"] = .string(JobShape.status(view).rawValue)
            shape["definition"] = JobShape.parsed(view.job.definition)
        case .refused(let refused):
            shape = JobShape.json(refused)
            shape["status"] = .string(JobQuery.Status.failed.rawValue)
            shape["definition"] = JobShape.parsed(refused.definition)
        case nil: throw ErrorReply.jobNotFound(name, among: catalogue.namesNear(name))
        }
        let page = try telling.history(HistoryQuery(job: name, limit: Self.recentRuns))
        shape["recent_runs"] = .array(page.runs.map { telling.json(of: $0) })
        let zone = telling.zone(ofJob: name)
        shape["changes"] = .array(try telling.changes(ofJob: name, limit: Self.recentChanges).map { $0.json(zone) })
        call.answer(.object(shape))
    }

    func explainJob(_ call: MethodCall) throws {
        let (name, at) = (call.text(0), call.text(1))
        if let refused = catalogue.refusedJob(name) {
            return call.answer([
                "job": .string(name), "at": .null,
                "reasons": [["code": "invalid", "sentence": .string(refused.error)]],
            ])
        }
        let zone = try catalogue.view(name).job.zone
        let instant = at.isEmpty ? nil : try JSONValue.string(at).instant("instant", zone)
        let reasons = try telling.explain(name, at: instant)
        call.answer([
            "job": .string(name), "at": .instant(instant, zone),
            "reasons": .array(
                reasons.map { ["code": .string($0.code), "sentence": .string($0.sentence(in: zone))] }),
        ])
    }

    /// The next fire times of a schedule that nobody has saved.
    func previewSchedule(_ call: MethodCall) throws {
        let count = min(max(0, Int(call.arguments[1].asInt32 ?? 0)), Bounds.previewedInstants)
        let preview: SchedulePreview
        do throws(JobError) {
            preview = try settings.readPreview(call.text(0))
        } catch {
            throw ErrorReply.invalidJob(error)
        }
        let job = preview.job
        var instants: [JSONValue] = []
        var last = preview.after
        // What counts from the end of a run has one fire time that is known before it.
        let bound = job.countsFromEnd ? min(count, 1) : count
        while instants.count < min(bound, job.maxExecutions ?? .max) {
            guard let next = job.schedules.compactMap({ $0.timetable.next(after: last) }).min() else { break }
            instants.append(.instant(next, job.zone))
            last = next
        }
        call.answer(.array(instants))
    }

    // MARK: - Toggles

    func toggleJob(_ call: MethodCall) throws {
        requests.toggle(call, call.text(0), isEnabled: call.flag(1)) { call.done($0) }
    }

    func pauseJob(_ call: MethodCall) throws {
        let (name, object) = try call.jobOrObject(["until", "reason"])
        var until: Instant?
        if let value = object["until"], !value.isNull {
            until = try value.instant("until", telling.zone(ofJob: name))
        }
        requests.toggle(call, name, isEnabled: false, until: until, reason: try reason(in: object)) { call.done($0) }
    }

    func resumeJob(_ call: MethodCall) throws {
        let (name, object) = try call.jobOrObject(["reason"])
        requests.toggle(call, name, isEnabled: true, reason: try reason(in: object)) { call.done($0) }
    }

    /// Why somebody wants a change, where that is said.
    private func reason(in object: JSONObject) throws(ErrorReply) -> String? {
        guard let value = object["reason"], !value.isNull else { return nil }
        let text = try value.string("reason")
        guard text.utf8.count <= JobChange.reasonBytesMax else {
            throw .tooLong("reason", text.utf8.count, JobChange.reasonBytesMax)
        }
        return text.isEmpty ? nil : text
    }

    func skipJob(_ call: MethodCall) throws {
        let (name, object) = try call.jobOrObject(["reason"])
        requests.skip(call, name, reason: try reason(in: object)) { [telling] fire, next in
            let zone = telling.zone(ofJob: name)
            call.answer(["skipped": .instant(fire, zone), "next_run": .instant(next, zone)])
        }
    }

    // MARK: - Definitions over the bus

    func scheduleJob(_ call: MethodCall) throws {
        try requests.schedule(call, try call.object(0, "definition")) { job, next in
            call.answer(["job_id": .string(job.name), "next_run": .instant(next, job.zone)])
        }
    }

    func cancelJob(_ call: MethodCall) throws {
        let (name, object) = try call.jobOrObject(["reason"])
        requests.remove(call, name, reason: try reason(in: object)) { call.reply([.bool(true)]) }
    }
}
