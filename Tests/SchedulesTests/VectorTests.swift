import Foundation
import Schedules
import Testing

/// One row of a vector file; the keys are those of the last section of the contract of schedules.
struct Vector: Decodable {
    struct Refusal: Decodable, Equatable {
        var code: String
        var field: String
        var value: String
        var position: Int
    }

    struct DST: Decodable {
        var gap: String?
        var overlap: String?
    }

    var id: String
    var type: String
    var expr: String?
    var intervalType: String?
    var intervalValue: Int?
    var tz: String?
    var dst: DST?
    var startAt: String?
    var endAt: String?
    var maxExecutions: Int?
    var createdAt: String?
    var registeredAt: String?
    var after: String?
    var next: [String]?
    var exhausted: Bool?
    var error: Refusal?
    var jobId: String?
    var fire: String?
    var nextFire: String?
    var jitterMs: Int64?
    var delayMs: Int64?

    var zone: TimeZoneRules {
        get throws { try #require(InstalledZones.shared.zone(tz ?? "UTC"), "zone \(tz ?? "UTC") is not installed") }
    }

    var policy: DSTPolicy {
        DSTPolicy(
            gap: dst?.gap.flatMap(DSTPolicy.Gap.init) ?? .runAfter,
            overlap: dst?.overlap.flatMap(DSTPolicy.Overlap.init) ?? .first)
    }

    func instant(_ text: String?) throws -> Instant? {
        guard let text else { return nil }
        let instant: Instant = try #require(Instant(rfc3339: text), "\(text) is no RFC 3339")
        return instant
    }

    /// Parses the row's expression; `throws` is the refusal that the row may want.
    func schedule() throws -> Schedule {
        let zones = { (name: String) in InstalledZones.shared.zone(name) }
        switch type {
        case "cron": return try Schedule.cron(expr ?? "")
        case "interval":
            if let intervalType { return try Schedule.interval(type: intervalType, value: intervalValue ?? 0) }
            let text = expr ?? ""
            return text.hasPrefix("@") ? try Schedule.cron(text) : try Schedule.interval(text)
        case "once":
            return try Schedule.once(
                expr ?? "", registeredAt: instant(registeredAt) ?? .epoch, zone: zone, allowPast: false)
        default: return try Schedule.calendar(expr ?? "", zones: zones)
        }
    }
}

@Suite struct VectorTests {
    static let files = [
        "calendar", "cron", "cron-dst", "cron-ext", "dst-option", "interval", "invalid", "jitter", "once", "window",
    ]

    @Test(arguments: files) func everyRowHolds(_ file: String) throws {
        let url = try #require(
            Bundle.module.url(forResource: file, withExtension: "jsonl", subdirectory: "Vectors"), "no file \(file)")
        let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
        #expect(!lines.isEmpty)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        for line in lines {
            let vector = try decoder.decode(Vector.self, from: Data(line.utf8))
            do {
                if let problem = try Self.problem(vector) { Issue.record("\(problem)\n\(line)") }
            } catch {
                Issue.record("\(error)\n\(line)")
            }
        }
    }

    /// What is wrong with a row; nil where it holds.
    private static func problem(_ vector: Vector) throws -> String? {
        if vector.type == "jitter" { return try jitterProblem(vector) }
        if let refusal = vector.error {
            do {
                let schedule = try vector.schedule()
                return "accepted: \(schedule)"
            } catch let error as ScheduleError {
                let found = Vector.Refusal(
                    code: error.code.rawValue, field: error.field, value: error.value, position: error.position)
                return found == refusal ? nil : "\(error) instead of \(refusal)"
            }
        }
        let zone = try vector.zone
        let created = try vector.instant(vector.createdAt) ?? .epoch
        let timetable = try Timetable(
            schedule: vector.schedule(), zone: zone, dst: vector.policy, anchor: created,
            startAt: vector.instant(vector.startAt), endAt: vector.instant(vector.endAt))
        let expected = try (vector.next ?? []).compactMap { try vector.instant($0) }
        var after =
            try vector.instant(vector.after) ?? vector.instant(vector.registeredAt).map { $0 - .seconds(1) } ?? .epoch
        let begin = after
        var found: [Instant] = []
        while found.count < vector.maxExecutions ?? .max, found.count < expected.count + 1,
            let next = timetable.next(after: after)
        {
            found.append(next)
            after = next
        }
        let isExact =
            vector.exhausted == true || vector.type == "once" || vector.maxExecutions != nil || expected.isEmpty
        if !isExact { found = Array(found.prefix(expected.count)) }
        if found != expected {
            return "fires at \(found.map { $0.rfc3339(in: timetable.zone) })"
        }
        return walkProblem(timetable, begin: begin, fires: found)
    }

    /// The same fires, asked for from the other side and counted.
    private static func walkProblem(_ timetable: Timetable, begin: Instant, fires: [Instant]) -> String? {
        var before = begin
        for (index, fire) in fires.enumerated() {
            if timetable.previous(atOrBefore: fire) != fire {
                return "previous does not know \(fire.rfc3339(in: timetable.zone))"
            }
            if timetable.count(after: before, through: fire) != 1 {
                return "counts wrong up to \(fire.rfc3339(in: timetable.zone))"
            }
            if index > 0, timetable.previous(atOrBefore: fire - .microseconds(1)) != before {
                return "previous is wrong before \(fire.rfc3339(in: timetable.zone))"
            }
            before = fire
        }
        if timetable.count(after: begin, through: before) != fires.count { return "counts wrong" }
        return nil
    }

    private static func jitterProblem(_ vector: Vector) throws -> String? {
        let delay = Jitter.delayMilliseconds(
            jobName: vector.jobId ?? "", fire: try #require(try vector.instant(vector.fire)),
            nextFire: try vector.instant(vector.nextFire), jitterMilliseconds: vector.jitterMs ?? 0)
        return delay == vector.delayMs ? nil : "a delay of \(delay)"
    }
}
