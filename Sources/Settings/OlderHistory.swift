internal import JSON
internal import Schedules
internal import Scheduling

/// Entries of `cron_history.json`, in which an older program kept what ran, read one by one into runs.
///
/// Time is linear in the number of entries, however many have one name.
struct OlderHistory {
    private(set) var runs: [Run] = []
    /// Entries that are none: without a job's name or an instant, or later than now.
    private(set) var refusedCount = 0

    /// The zone of instants without an offset.
    private let zone: TimeZoneRules
    private let now: Instant
    private var ids: Set<String> = []
    /// By an id that was taken, the last number that was put to it.
    private var numbers: [String: Int] = [:]

    init(zone: TimeZoneRules, now: Instant) {
        self.zone = zone
        self.now = now
    }

    mutating func add(_ entry: JSONValue) {
        if let run = run(entry) { runs.append(run) } else { refusedCount += 1 }
    }

    mutating func refuse() { refusedCount += 1 }

    private mutating func run(_ entry: JSONValue) -> Run? {
        guard let job = entry["job_name"]?.stringValue, !job.isEmpty, job.utf8.count <= Self.nameBytesMax,
            let text = entry["timestamp"]?.stringValue, let ended = try? Instant.absolute(text, zone: zone),
            ended <= now
        else { return nil }
        let skill = entry["skill"]?.stringValue ?? ""
        let duration = max(0, min(entry["duration_ms"]?.doubleValue ?? 0, 1e12))
        let started = ended - .milliseconds(Int64(duration))
        var id = entry["session_name"]?.stringValue ?? ""
        if !Self.isID(id) { id = Self.madeUpID(skill.isEmpty ? job : skill, started, zone) }
        let isSuccess = entry["success"]?.boolValue ?? false
        var run = Run(
            id: unique(id), job: job, skill: skill, trigger: .schedule, scheduledFor: nil, createdAt: started,
            status: isSuccess ? .success : .failed)
        run.attempt = max(1, entry["retry"]?["attempts"]?.intValue ?? 1)
        run.startedAt = started
        run.endedAt = ended
        run.error = entry["error"]?.stringValue.map { String($0.prefix(Run.outputPreviewLimit)) }
        run.failureType = entry["retry"]?["failure_type"]?.stringValue
        run.outputPreview = entry["output_preview"]?.stringValue.map { String($0.prefix(Run.outputPreviewLimit)) }
        return run
    }

    /// The id, or where that is taken the id with `-2`, `-3`, …
    private mutating func unique(_ id: String) -> String {
        guard !ids.insert(id).inserted else { return id }
        var number = numbers[id, default: 1]
        var numbered: String
        repeat {
            number += 1
            numbered = "\(id)-\(number)"
        } while !ids.insert(numbered).inserted
        numbers[id] = number
        return numbered
    }

    private static let nameBytesMax = 128

    private static func isID(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 2 * nameBytesMax
            && text.utf8.allSatisfy { $0 > UInt8(ascii: " ") && $0 < 127 && $0 != UInt8(ascii: "/") }
    }

    private static func madeUpID(_ name: String, _ instant: Instant, _ zone: TimeZoneRules) -> String {
        let digits = instant.rfc3339(in: zone).prefix(19).filter(\.isNumber)
        let plain = name.map { $0.isASCII && ($0.isLetter || $0.isNumber || "_-.:".contains($0)) ? $0 : "-" }
        return "cron-\(String(plain))-\(digits.prefix(8))-\(digits.suffix(6))"
    }
}
