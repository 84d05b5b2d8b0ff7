internal import JSON
internal import Schedules
internal import Scheduling

/// A question as clients read it.
extension Question {
    /// One that is open, with its run.
    func json(of run: Run, _ zone: TimeZoneRules) -> JSONValue {
        var shape: JSONObject = ["execution_id": .string(run.id), "job": .string(run.job)]
        for (key, value) in asked(zone) { shape[key] = value }
        return .object(shape)
    }

    /// One of a run's, with its answer where there is one.
    func json(_ zone: TimeZoneRules) -> JSONValue {
        var shape = asked(zone)
        shape["choice"] = .optional(answer?.choice)
        shape["answered_by"] = .optional(answer?.by)
        shape["answered_at"] = .instant(answer?.at, zone)
        return .object(shape)
    }

    private func asked(_ zone: TimeZoneRules) -> JSONObject {
        [
            "question": .string(text), "choices": .array(choices.map { .string($0) }), "default": .string(standard),
            "asked_at": .instant(askedAt, zone), "until": .instant(until, zone),
        ]
    }
}

extension ChangeAuthor {
    /// In a word: what is on record with an answer.
    var name: String {
        switch self {
        case .process(let name, _), .gone(let name), .file(let name): name
        case .daemon: "botcrond"
        case .unknown: "unknown"
        }
    }
}
