import Configuration
import DBus
import JSON
import Store
import Schedules
import Scheduling

/// Handlers: jobs, their definitions and their toggles.
extension ControlInterface {
    /// Runs that `get_job` shows.
    private static let recentRuns = 10

    func listJobs(_ call: MethodCall) throws {
        call.reply([.string(daemon.jobList.text(of: daemon.scheduler, refused: daemon.configuration.refused))])
    }

    func getJob(_ call: MethodCall) throws {
        let name = text(call, 0)
        var shape: JSONObject
        if let view = daemon.scheduler.job(named: name) {
            shape = JobShape.json(view, of: daemon.scheduler)
            shape["error"] = nil
            shape["status"] = .string(JobShape.status(view))
            shape["definition"] = JobShape.parsed(view.job.definition)
        } else if let refused = daemon.refusedJob(named: name) {
            shape = JobShape.json(refused)
            shape["status"] = "failed"
            shape["definition"] = JobShape.parsed(refused.definition)
        } else {
            throw ErrorReply.jobNotFound(name, among: daemon.allJobNames)
        }
        let page = try history(HistoryQuery(job: name, limit: Self.recentRuns))
        shape["recent_runs"] = .array(page.runs.map { daemon.json(of: $0) })
        answer(call, .object(shape))
    }

    // MARK: - Toggles

    func toggleJob(_ call: MethodCall) throws {
        try toggle(call, text(call, 0), isEnabled: call.arguments[1].asBool ?? false) { call.reply([.bool(true)]) }
    }

    func pauseJob(_ call: MethodCall, isEnabled: Bool) throws {
        let (name, object) = try jobOrObject(call, isEnabled ? [] : ["until"])
        let zone = try view(name).job.zone
        var until: Instant?
        if let value = object["until"], !value.isNull { until = try instant(value, "until", zone) }
        try toggle(call, name, isEnabled: isEnabled, until: until) { call.reply([.bool(true)]) }
    }

    func toggle(
        _ call: MethodCall, _ name: String, isEnabled: Bool, until: Instant? = nil, _ done: @escaping () -> Void
    ) throws {
        _ = try view(name)
        try submit(.jobToggled(job: name, isEnabled: isEnabled, until: until)) { fault in
            if let fault { call.fail(fault) } else { done() }
        }
    }

    func toggleScheduler(_ call: MethodCall) throws {
        try submit(.schedulerToggled(call.arguments[0].asBool ?? false)) { fault in
            if let fault { call.fail(fault) } else { call.reply([.bool(true)]) }
        }
    }

    /// For events that the core does not answer: `done` once what they decided is durable, or cannot be made so.
    func submit(_ event: Event, _ done: @escaping (ErrorReply?) -> Void) throws {
        if let fault = daemon.storeFault { throw ErrorReply.storeFailed(fault) }
        guard daemon.scheduler.status != .stopping else { throw ErrorReply.busy }
        daemon.submit(event)
        daemon.acknowledge { fault in done(fault.map { .storeFailed($0) }) }
    }

    /// Answers when everything that was decided so far is durable.
    func acknowledge(_ call: MethodCall, _ answer: @escaping () -> Void) {
        daemon.acknowledge { fault in
            if let fault { call.fail(.storeFailed(fault)) } else { answer() }
        }
    }

    func skipJob(_ call: MethodCall) throws {
        let name = text(call, 0)
        let zone = try view(name).job.zone
        try ask(call, { .skipRequested(job: name, ticket: $0) }) { reply in
            guard case .skipped(let fire, let next) = reply else { throw ErrorReply(.failed, "\(reply)") }
            answer(call, ["skipped": .instant(fire, zone), "next_run": .instant(next, zone)])
        }
    }

    // MARK: - Definitions over the bus

    func scheduleJob(_ call: MethodCall) throws {
        try schedule(call, try object(call, 0, "definition")) { job, next in
            answer(call, ["job_id": .string(job.name), "next_run": .instant(next, job.zone)])
        }
    }

    func schedule(
        _ call: MethodCall, _ definition: JSONObject, _ done: @escaping (Job, Instant?) -> Void
    ) throws {
        let job = try daemon.readJob(.object(definition), madeUpName: daemon.makeUpJobName())
        if let fault = JobShape.fault(job) {
            throw ErrorReply("com.aiworkflow.BotCron.Error.InvalidJob", "the job \"\(job.name)\" is not made: \(fault)")
        }
        let made = daemon.scheduler.jobCount - daemon.configuration.jobs.count
        guard made < Callers.Limits.jobs || daemon.scheduler.job(named: job.name) != nil else {
            throw ErrorReply(
                .limitsExceeded,
                "cannot make the job \"\(job.name)\": \(made) jobs were made over the bus; at most \(Callers.Limits.jobs)"
            )
        }
        if daemon.configuration.refused.contains(where: { $0.name == job.name }) {
            throw ErrorReply.refused(.jobExists(job.name), among: [])
        }
        try ask(call, { .jobUpserted(job, ticket: $0) }) { reply in
            guard case .scheduled(_, let next) = reply else { throw ErrorReply(.failed, "\(reply)") }
            done(job, next)
        }
    }

    func cancelJob(_ call: MethodCall) throws {
        try remove(call, text(call, 0)) { call.reply([.bool(true)]) }
    }

    func remove(_ call: MethodCall, _ name: String, _ done: @escaping () -> Void) throws {
        if daemon.forgetRefusedDefinition(of: name) { return acknowledge(call, done) }
        try ask(call, { .jobCancelled(job: name, ticket: $0) }) { _ in done() }
    }

    func explainJob(_ call: MethodCall) throws {
        let (name, at) = (text(call, 0), text(call, 1))
        if let refused = daemon.refusedJob(named: name) {
            return answer(
                call,
                [
                    "job": .string(name), "at": .null,
                    "reasons": [["code": "invalid", "sentence": .string(refused.error)]],
                ])
        }
        let zone = try view(name).job.zone
        let instant = at.isEmpty ? nil : try self.instant(.string(at), "instant", zone)
        let reasons = try daemon.explain(name, at: instant)
        answer(
            call,
            [
                "job": .string(name), "at": .instant(instant, zone),
                "reasons": .array(
                    reasons.map { ["code": .string($0.code), "sentence": .string($0.sentence(in: zone))] }),
            ])
    }

    func previewSchedule(_ call: MethodCall) throws {
        let count = min(max(0, Int(call.arguments[1].asInt32 ?? 0)), Self.previewCountMax)
        answer(call, .array(try daemon.preview(text(call, 0), count: count)))
    }

    // MARK: - The configuration

    func getConfig(_ call: MethodCall) throws {
        answer(call, try daemon.configurationValue(text(call, 0), text(call, 1)) ?? .null)
    }

    func updateConfig(_ call: MethodCall) throws {
        let value: JSONValue
        try Self.checkSize(text(call, 2), "value")
        do {
            value = try JSONValue(parsing: text(call, 2))
        } catch {
            throw ErrorReply.invalidArgument(
                "value", found: "text that is not JSON (\(error.description))", expected: "one JSON value")
        }
        try daemon.updateConfiguration(text(call, 0), text(call, 1), value)
        acknowledge(call) { call.reply([.bool(true)]) }
    }

    func reloadConfig(_ call: MethodCall) throws {
        do throws(ConfigurationError) {
            let result = try daemon.reload()
            acknowledge(call) {
                answer(
                    call,
                    [
                        "added": .array(result.added.map { .string($0) }),
                        "changed": .array(result.changed.map { .string($0) }),
                        "removed": .array(result.removed.map { .string($0) }),
                        "invalid": .array(
                            result.refused.map { ["name": .string($0.name), "error": .string($0.error)] }),
                    ])
            }
        } catch {
            throw ErrorReply.invalidConfiguration(error)
        }
    }
}
