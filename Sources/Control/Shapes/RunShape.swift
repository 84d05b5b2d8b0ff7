internal import JSON
internal import Schedules
internal import Scheduling

/// A run as clients read it: `control-interface`, "Shapes". One place, so that every answer says the same.
enum RunShape {
    /// - Parameter zone: of the run's job; instants are shown in it.
    static func json(_ run: Run, zone: TimeZoneRules) -> JSONObject {
        let duration = run.startedAt.flatMap { start in run.endedAt.map { ($0 - start).wholeMilliseconds } }
        var exitCode = JSONValue.null
        var signal = JSONValue.null
        switch run.exit {
        case .code(let code): exitCode = .number(code)
        case .signal(let number): signal = .number(number)
        case nil: break
        }
        let ended = run.endedAt ?? run.startedAt ?? run.createdAt
        var shape: JSONObject = [
            "job": .string(run.job),
            "execution_id": .string(run.id),
            "status": .string(run.status.rawValue),
            "trigger": .string(run.trigger.rawValue),
            "scheduled_for": .instant(run.scheduledFor, zone),
            "started_at": .instant(run.startedAt, zone),
            "completed_at": .instant(run.endedAt, zone),
            "duration_ms": duration.map { .number($0) } ?? .null,
            "attempt": .number(run.attempt),
            "exit_code": exitCode,
            "signal": signal,
            "error": .optional(run.error),
            "reason": .optional(run.reason?.rawValue),
            "failure_type": .optional(run.failureType),
            "caveat": .optional(run.caveat),
            "output_preview": .optional(run.outputPreview),
            "progress": run.progress.map { .number($0) } ?? .null,
            "cost": .number(run.cost),
            "cpu_seconds": run.cpuTime.map { .number($0.inSeconds) } ?? .null,
            "memory_peak_bytes": run.memoryPeakBytes.map { .number($0) } ?? .null,
            "unusual": .bool(run.isUnusual),
            "late": .bool(run.isLate),
            "stalled_at": .instant(run.stalledAt, zone),
            "result": run.result.flatMap { try? JSONValue(parsing: $0) } ?? .null,
            "trace_id": .optional(run.traceID),
            "previous": .optional(run.previous),
            "covered": .number(run.coveredCount),
            "covered_since": .instant(run.coveredSince, zone),
        ]
        // Most runs ask nothing, and a list of them is long.
        if !run.questions.isEmpty { shape["questions"] = .array(run.questions.map { $0.json(zone) }) }
        // The same facts in the words of the older clients.
        shape["job_name"] = .string(run.job)
        shape["skill"] = .string(run.skill)
        shape["timestamp"] = .instant(ended, zone)
        shape["success"] = .bool(run.status == .success)
        shape["session_name"] = .string(run.id)
        return shape
    }

    /// A run that is the whole of an answer: older clients take a key `error` there for a failure of the call.
    static func answer(_ run: Run, zone: TimeZoneRules) -> JSONObject {
        var shape = json(run, zone: zone)
        if run.error == nil { shape["error"] = nil }
        return shape
    }

    /// What is known of a run whose record was removed, by the key that it was asked for with.
    static func removed(_ removed: RemovedRun, zone: TimeZoneRules) -> JSONObject {
        var run = Run(
            id: removed.id, job: removed.job, skill: "", trigger: .manual, scheduledFor: nil, createdAt: .epoch,
            status: removed.status)
        run.endedAt = removed.endedAt
        let known = [
            "job", "execution_id", "status", "completed_at", "job_name", "success", "session_name",
        ]
        var shape = JSONObject(answer(run, zone: zone).map { ($0.key, known.contains($0.key) ? $0.value : .null) })
        shape["timestamp"] = .instant(removed.endedAt, zone)
        shape["removed"] = true
        return shape
    }

    static func attempt(_ attempt: Attempt, zone: TimeZoneRules) -> JSONValue {
        var exitCode = JSONValue.null
        var signal = JSONValue.null
        switch attempt.exit {
        case .code(let code): exitCode = .number(code)
        case .signal(let number): signal = .number(number)
        case nil: break
        }
        return [
            "attempt": .number(attempt.number),
            "started_at": .instant(attempt.startedAt, zone),
            "completed_at": .instant(attempt.endedAt, zone),
            "duration_ms": attempt.endedAt.map { .number(($0 - attempt.startedAt).wholeMilliseconds) } ?? .null,
            "exit_code": exitCode,
            "signal": signal,
            "error": .optional(attempt.error),
            "failure_type": .optional(attempt.failureType),
        ]
    }
}

extension JSONValue {
    /// RFC 3339 with the zone's offset; null for nil.
    static func instant(_ instant: Instant?, _ zone: TimeZoneRules) -> JSONValue {
        instant.map { .string($0.rfc3339(in: zone)) } ?? .null
    }
}

extension Duration {
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }

    var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
