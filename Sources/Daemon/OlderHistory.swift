import Configuration
import EventLoop
import JSON
import Store
import Schedules
import Scheduling

/// `cron_history.json`, in which an older program kept what ran: `{"executions": [ENTRY…]}`. It is read once, at the first
/// start with an empty store.
struct OlderHistory {
    /// Entries that are taken over, the newest ones; the rest is left in the file.
    static let runsMax = 10_000

    /// Oldest first.
    private(set) var runs: [Run] = []
    /// Entries that are none: without a job's name or an instant.
    private(set) var refusedCount = 0

    /// - Parameter zone: of instants without an offset.
    init(_ value: JSONValue, zone: TimeZoneRules) {
        var ids: Set<String> = []
        for entry in (value["executions"]?.arrayValue ?? []).suffix(Self.runsMax) {
            guard let run = Self.run(entry, zone, taken: ids) else {
                refusedCount += 1
                continue
            }
            ids.insert(run.id)
            runs.append(run)
        }
        runs.sort { $0.createdAt < $1.createdAt }
    }

    /// What is remembered of a job that they are the runs of.
    func describe(_ state: inout JobState) {
        for run in runs where run.job == state.job {
            state.runCount += 1
            state.failureCount += run.status == .success ? 0 : 1
            state.failuresInARow = run.status == .success ? 0 : state.failuresInARow + 1
            state.lastRunAt = run.startedAt
            state.lastEndedAt = run.endedAt
            state.lastDuration = run.startedAt.flatMap { start in run.endedAt.map { $0 - start } }
            state.lastStatus = run.status
        }
    }

    private static func run(_ entry: JSONValue, _ zone: TimeZoneRules, taken: Set<String>) -> Run? {
        guard let job = entry["job_name"]?.stringValue, !job.isEmpty, job.utf8.count <= textMax,
            let text = entry["timestamp"]?.stringValue, let ended = try? Instant.absolute(text, zone: zone)
        else { return nil }
        let skill = entry["skill"]?.stringValue ?? ""
        let duration = max(0, min(entry["duration_ms"]?.doubleValue ?? 0, 1e12))
        let started = ended - .milliseconds(Int64(duration))
        var id = entry["session_name"]?.stringValue ?? ""
        if !isID(id) { id = madeUpID(skill.isEmpty ? job : skill, started, zone) }
        if taken.contains(id) {
            var number = 2
            while taken.contains("\(id)-\(number)") { number += 1 }
            id += "-\(number)"
        }
        let isSuccess = entry["success"]?.boolValue ?? false
        var run = Run(
            id: id, job: job, skill: skill, trigger: .schedule, scheduledFor: nil, createdAt: started,
            status: isSuccess ? .success : .failed)
        run.attempt = max(1, entry["retry"]?["attempts"]?.intValue ?? 1)
        run.startedAt = started
        run.endedAt = ended
        run.error = entry["error"]?.stringValue.map { String($0.prefix(Run.outputPreviewLimit)) }
        run.failureType = entry["retry"]?["failure_type"]?.stringValue
        run.outputPreview = entry["output_preview"]?.stringValue.map { String($0.prefix(Run.outputPreviewLimit)) }
        return run
    }

    /// Of names, in bytes.
    private static let textMax = 128

    private static func isID(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 2 * textMax
            && text.utf8.allSatisfy { $0 > UInt8(ascii: " ") && $0 < 127 && $0 != UInt8(ascii: "/") }
    }

    private static func madeUpID(_ name: String, _ instant: Instant, _ zone: TimeZoneRules) -> String {
        let digits = instant.rfc3339(in: zone).prefix(19).filter(\.isNumber)
        let plain = name.map { $0.isASCII && ($0.isLetter || $0.isNumber || "_-.:".contains($0)) ? $0 : "-" }
        return "cron-\(String(plain))-\(digits.prefix(8))-\(digits.suffix(6))"
    }
}

extension Daemon {
    /// What an older program recorded, where this store has not recorded anything yet.
    ///
    /// - Returns: the runs, to be committed as one transaction.
    static func takeOverHistory(
        beside configuration: String, _ store: any Store, _ zone: TimeZoneRules, jobs: [Job],
        into stored: inout StoredState, _ log: Log
    ) -> [StoreChange] {
        let path = configuration.folderOfPath + "/cron_history.json"
        do {
            guard try store.statistics().recorded == 0, stored.jobs.allSatisfy({ $0.runCount == 0 }),
                case .bytes(let bytes) = try ConfigurationFile.load(path: path)
            else { return [] }
            let history = OlderHistory(try JSONValue(parsing: bytes), zone: zone)
            for job in jobs where history.runs.contains(where: { $0.job == job.name }) {
                let place = stored.jobs.firstIndex { $0.job == job.name }
                // A key of its own: to the core its schedule is a new one, as that of any job without a state.
                var state =
                    place.map { stored.jobs[$0] }
                    ?? JobState(
                        job: job.name, scheduleKey: "", registeredAt: job.registeredAt,
                        decidedThrough: job.registeredAt)
                history.describe(&state)
                if let place { stored.jobs[place] = state } else { stored.jobs.append(state) }
            }
            log.info(
                "took over the history of an older program",
                [
                    ("BOTCRON_FILE", path), ("BOTCRON_RUNS", "\(history.runs.count)"),
                    ("BOTCRON_REFUSED", "\(history.refusedCount)"),
                ])
            return history.runs.map { .run($0) }
        } catch {
            log.warning("cron_history.json was not taken over", [("BOTCRON_ERROR", "\(error)")])
            return []
        }
    }
}
