import DBus
import Glibc
import JSON
import TestSupport
import Testing

/// What is on disk, read by SQLite and from the files, with nothing of ours between.
struct DiskView {
    struct JobState {
        let isEnabled: Bool?
        let isSkipping: Bool
        let isPausedForATime: Bool
    }

    struct Run {
        let job: String
        let status: String
    }

    let definitions: [String: JSONValue]
    let states: [String: JobState]
    let runs: [String: Run]
    /// By queue, whether each of its items is taken.
    let items: [String: [Bool]]
    /// Groups that are held.
    let holds: Set<String>
    /// By run, what was answered.
    let answers: [String: JSONValue]
    let isSchedulerEnabled: Bool?
    let configuration: JSONValue
    /// `state.json`, which says the same as the store.
    let stateFile: JSONValue

    init(_ session: Session) throws {
        let store = try OtherProgram(session)
        func table<Value>(_ sql: String, _ value: ([String?]) throws -> Value) throws -> [String: Value] {
            var table: [String: Value] = [:]
            for row in try store.rows(sql) { table[try #require(row[0])] = try value(row) }
            return table
        }
        // One moment for all of them.
        try store.execute("BEGIN")
        definitions = try table("SELECT job, json FROM definition") { try JSONValue(parsing: $0[1] ?? "") }
        states = try table(
            "SELECT job, is_enabled_override, skipped_fire_time_us, paused_until_us FROM job_state"
        ) {
            JobState(isEnabled: $0[1].map { $0 == "1" }, isSkipping: $0[2] != nil, isPausedForATime: $0[3] != nil)
        }
        runs = try table("SELECT id, job, status FROM run") { Run(job: $0[1] ?? "", status: $0[2] ?? "") }
        items = try table(
            "SELECT queue, group_concat(taken_until_us IS NOT NULL) FROM queue_item GROUP BY queue"
        ) { ($0[1] ?? "").split(separator: ",").map { $0 == "1" } }
        holds = Set(try store.rows("SELECT name FROM group_hold WHERE is_released = 0").compactMap { $0[0] })
        answers = try table("SELECT id, questions FROM run WHERE questions IS NOT NULL") {
            try JSONValue(parsing: $0[1] ?? "")[0]?["choice"] ?? .null
        }
        isSchedulerEnabled = try store.rows("SELECT value FROM setting WHERE name = 'scheduler_override'").first
            .map { $0[0] == "1" }
        try store.execute("COMMIT")
        configuration = try JSONValue(parsing: TestFile.text(session.configFile))
        let file = TestFile.text(session.configFile.replacing("config.json", with: "state.json"))
        stateFile = file.isEmpty ? [:] : try JSONValue(parsing: file)
    }

    func runs(of job: String) -> Int { runs.values.count { $0.job == job } }
}

/// What the daemon says, and so what it holds in its memory.
struct MemoryView {
    let jobs: [String: JSONValue]
    let runs: [String: JSONValue]
    let items: [String: Int]
    /// By queue, the items that nobody has.
    let free: [String: Int]
    let isSchedulerEnabled: Bool
    /// The section `sweep` of config.json.
    let configuration: JSONValue
    let active: Set<String>
    let holds: Set<String>

    /// - Parameters:
    ///   - since: in seconds since 1970; older runs are left out.
    ///   - pattern: of the jobs that are asked for.
    ///   - queues: those whose free items are asked for.
    init(_ session: Session, since: Int, pattern: String, queues: [String]) throws {
        var runs: [String: JSONValue] = [:]
        var cursor = JSONValue.null
        repeat {
            var filter: JSONObject = ["limit": 1000, "since": .string(Self.instant(since))]
            if !cursor.isNull { filter["cursor"] = cursor }
            let page = try session.json("query_history", .string(JSONValue.object(filter).compactText))
            for run in page["runs"]?.arrayValue ?? [] { runs[run.text("execution_id")] = run }
            cursor = page["next_cursor"] ?? .null
        } while !cursor.isNull
        self.runs = runs
        let filter: JSONObject = ["pattern": .string(pattern), "limit": 1000]
        let page = try session.json("query_jobs", .string(JSONValue.object(filter).compactText))
        jobs = Self.byName(page["jobs"] ?? [], "name")
        items = Self.byName(try session.json("queue_list"), "queue").mapValues { $0["items"]?.intValue ?? -1 }
        var free: [String: Int] = [:]
        for queue in queues {
            free[queue] = try session.json("queue_peek", .string(queue), .int32(0)).arrayValue?.count
        }
        self.free = free
        isSchedulerEnabled = try session.property("Enabled") == .bool(true)
        configuration = try session.json("get_config", "sweep", "")
        let status = try session.json("GetStatus")
        active = Set(status["active_runs"]?.arrayValue?.compactMap(\.stringValue) ?? [])
        holds = Set(status["holds"]?.arrayValue?.map { $0.text("group") } ?? [])
    }

    private static func instant(_ seconds: Int) -> String {
        var (time, parts) = (time_t(seconds), tm())
        gmtime_r(&time, &parts)
        let numbers = [parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec].map {
            $0 < 10 ? "0\($0)" : "\($0)"
        }
        return "\(parts.tm_year + 1900)-\(numbers[0])-\(numbers[1])T\(numbers[2]):\(numbers[3]):\(numbers[4])Z"
    }

    private static func byName(_ list: JSONValue, _ key: String) -> [String: JSONValue] {
        Dictionary((list.arrayValue ?? []).map { ($0.text(key), $0) }) { first, _ in first }
    }

    func runs(of job: String) -> Int { runs.values.count { $0.text("job") == job } }
}

/// Where a change is seen: how often it is there. Before it is asked for that is 0, and 1 when it took effect; anything
/// else is half of it.
struct Trace {
    let onDisk: (DiskView, Subject) -> Int
    /// Nil where it cannot be seen now.
    let inMemory: (MemoryView, Subject) -> Int?
    /// Whether a process of the subject's job writes into the ledger, once.
    var doesRun = false
    /// Runs of the job that there were before, none of which has written into the ledger.
    var runsBefore = 0
    /// Whether the next daemon has it, too.
    var outlivesDaemon = true
    /// Whether it is about a run that was there before, the subject's note.
    var isOfRun = false
    /// Whether it is about all schedules, which the sweep itself puts in force again.
    var isOfScheduler = false
    /// Whether it is about config.json, which has errors of its own.
    var isOfFile = false

    static var run: Trace {
        Trace(
            onDisk: { disk, subject in disk.runs(of: subject.name) },
            inMemory: { memory, subject in memory.runs(of: subject.name) }, doesRun: true)
    }

    /// The run after the one that there was before, which wrote nothing.
    static var furtherRun: Trace {
        Trace(
            onDisk: { disk, subject in disk.runs(of: subject.name) - 1 },
            inMemory: { memory, subject in memory.runs(of: subject.name) - 1 }, doesRun: true, runsBefore: 1)
    }

    static func definition(_ description: String, doesRun: Bool) -> Trace {
        Trace(
            onDisk: { disk, subject in disk.definitions[subject.name]?.text("description") == description ? 1 : 0 },
            inMemory: { memory, subject in memory.jobs[subject.name]?.text("description") == description ? 1 : 0 },
            doesRun: doesRun)
    }

    static var removal: Trace {
        Trace(
            onDisk: { disk, subject in disk.definitions[subject.name] == nil ? 1 : 0 },
            inMemory: { memory, subject in memory.jobs[subject.name] == nil ? 1 : 0 })
    }

    /// - Parameter isForATime: whether a pause ends by itself.
    static func toggle(to isEnabled: Bool, isForATime: Bool = false) -> Trace {
        Trace(
            onDisk: { disk, subject in
                let state = disk.states[subject.name]
                let told = disk.stateFile["jobs"]?[subject.name]?["enabled"]?.boolValue
                if let told, told != state?.isEnabled { return -1 }
                let wasEnabled = disk.definitions[subject.name]?["enabled"]?.boolValue ?? true
                guard (state?.isPausedForATime ?? false) == (isForATime && state?.isEnabled == isEnabled) else {
                    return -2
                }
                return (state?.isEnabled ?? wasEnabled) == isEnabled ? 1 : 0
            },
            inMemory: { memory, subject in memory.jobs[subject.name]?["enabled"] == .bool(isEnabled) ? 1 : 0 },
            doesRun: isEnabled)
    }

    static var skip: Trace {
        Trace(
            onDisk: { disk, subject in disk.states[subject.name]?.isSkipping == true ? 1 : 0 },
            inMemory: { memory, subject in
                // None is told while all schedules are paused.
                guard memory.isSchedulerEnabled else { return nil }
                return memory.jobs[subject.name]?.text("next_run") == subject.note ? 0 : 1
            })
    }

    static var hold: Trace {
        Trace(
            onDisk: { disk, subject in disk.holds.contains(subject.name) ? 1 : 0 },
            inMemory: { memory, subject in memory.holds.contains(subject.name) ? 1 : 0 })
    }

    static var release: Trace {
        Trace(
            onDisk: { disk, subject in disk.holds.contains(subject.name) ? 0 : 1 },
            inMemory: { memory, subject in memory.holds.contains(subject.name) ? 0 : 1 })
    }

    static var answer: Trace {
        Trace(
            onDisk: { disk, subject in disk.answers[subject.note] == "yes" ? 1 : 0 },
            inMemory: { memory, subject in
                memory.runs[subject.note]?["questions"]?[0]?["choice"] == "yes" ? 1 : 0
            })
    }

    static var cancelledRun: Trace {
        Trace(
            onDisk: { disk, subject in disk.runs[subject.note]?.status == "cancelled" ? 1 : 0 },
            inMemory: { memory, subject in
                let status = memory.runs[subject.note]?.text("status")
                guard memory.active.contains(subject.note) == (status != "cancelled") else { return -1 }
                return status == "cancelled" ? 1 : 0
            }, isOfRun: true)
    }

    static var pushedItem: Trace {
        Trace(
            onDisk: { disk, subject in disk.items[subject.name]?.count ?? 0 },
            inMemory: { memory, subject in memory.items[subject.name] ?? 0 })
    }

    static var takenItem: Trace {
        Trace(
            onDisk: { disk, subject in
                let items = disk.items[subject.name] ?? []
                return items.count == 1 ? (items[0] ? 1 : 0) : -1
            },
            inMemory: { memory, subject in
                memory.items[subject.name] == 1 ? 1 - (memory.free[subject.name] ?? -1) : -1
            }, outlivesDaemon: false)
    }

    static var acknowledgedItem: Trace {
        Trace(
            onDisk: { disk, subject in 1 - (disk.items[subject.name]?.count ?? 0) },
            inMemory: { memory, subject in 1 - (memory.items[subject.name] ?? 0) })
    }

    static func scheduler(_ isEnabled: Bool) -> Trace {
        Trace(
            onDisk: { disk, _ in
                let told = disk.stateFile["services"]?["scheduler"]?["enabled"]?.boolValue
                if let told, told != disk.isSchedulerEnabled { return -1 }
                return (disk.isSchedulerEnabled ?? true) == isEnabled ? 1 : 0
            },
            inMemory: { memory, _ in memory.isSchedulerEnabled == isEnabled ? 1 : 0 }, isOfScheduler: true)
    }

    static var configuredValue: Trace {
        Trace(
            onDisk: { disk, subject in disk.configuration["sweep"]?[subject.name] == 1 ? 1 : 0 },
            inMemory: { memory, subject in memory.configuration[subject.name] == 1 ? 1 : 0 },
            isOfFile: true)
    }

    static var configuredJob: Trace {
        Trace(
            onDisk: { disk, subject in disk.states[subject.name] == nil ? 0 : 1 },
            inMemory: { memory, subject in memory.jobs[subject.name] == nil ? 0 : 1 })
    }
}

/// What one request is about: a job, a queue, a key of its own, so that it has nothing to do with any other.
final class Subject {
    let name: String
    /// What its preparation has found: the id of a run or an item, an instant.
    var note = ""

    init(_ name: String) { self.name = name }
}
