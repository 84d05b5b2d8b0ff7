import Glibc
public import JSON

/// The jobs that are due at one second.
public struct CrowdSet {
    public let number: Int
    public let second: Int
    /// Where what is started is written down.
    private let ledger: String
    /// Whether a daemon has them on record.
    public var isKnown = false

    public struct Member {
        public let name: String
        public let definition: JSONValue
        /// What stands in the ledger when nothing more is to come of it.
        let lastLine: String
    }

    private let size: Int

    /// - Parameter size: how many jobs there are beside those that are retried, and that are followed by another.
    public init(_ number: Int, second: Int, size: Int, ledger: String) {
        self.number = number
        self.second = second
        self.size = size
        self.ledger = ledger
    }

    public var crowd: [String] { (0..<size).map { "crowd-\(number)-\($0)" } }

    public var jobs: [Member] {
        let failsFirst = "; test $BOTCRON_ATTEMPT != 1 || { echo HTTP 401 Unauthorized; exit 1; }"
        let once = JSONValue.string(Self.text(second) + "Z")
        var jobs = crowd.map { Member(name: $0, definition: job($0, "", ["once": once]), lastLine: "S \($0) 1") }
        for index in 0..<4 {
            let name = "flaky-\(number)-\(index)"
            let retry: JSONValue = ["max_attempts": 2, "delay_seconds": 0.9]
            jobs.append(
                Member(
                    name: name, definition: job(name, failsFirst, ["once": once, "retry": retry]),
                    lastLine: "S \(name) 2"))
        }
        let (first, next) = ("first-\(number)", "next-\(number)")
        // Kept to the end: whether its follower has come cannot be told by the follower's line.
        jobs.append(
            Member(
                name: first, definition: job(first, "", ["once": once, "on_success": [.string(next)]]), lastLine: ""))
        jobs.append(Member(name: next, definition: job(next, ""), lastLine: ""))
        return jobs
    }

    public func isSettled(_ job: Member, _ lines: Set<String>) -> Bool { lines.contains(job.lastLine) }

    /// Of a line in the ledger: what was started, of which job, which attempt.
    public static func key(of line: Substring) -> String {
        let words = line.split(separator: " ")
        return words.count == 4 ? "\(words[0]) \(words[1]) \(words[3])" : ""
    }

    private func job(_ name: String, _ script: String, _ more: JSONObject = [:]) -> JSONValue {
        Self.job(name, ledger, script, more)
    }

    private static func job(
        _ name: String, _ ledger: String, _ script: String, _ more: JSONObject = [:]
    ) -> JSONValue {
        let line = #"echo "S $BOTCRON_JOB $BOTCRON_EXECUTION_ID $BOTCRON_ATTEMPT" >> "# + ledger
        var job: JSONObject = [
            "name": .string(name), "command": ["sh", "-c", .string(line + script)], "history_limit": 10_000,
            "retry": false, "overlap_policy": "allow", "catchup_policy": "all",
        ]
        for (key, value) in more { job[key] = value }
        return .object(job)
    }

    /// The section of config.json with the jobs of these sets, as long as something of them may be still to come, and
    /// with one that clients may ask for, `manual`.
    ///
    /// - Parameter lines: what stands in the ledger, as `key` has it.
    public static func section(_ sets: [CrowdSet], ledger: String, lines: Set<String>) -> JSONObject {
        var jobs = [job("manual", ledger, "")]
        for set in sets {
            jobs += set.jobs.filter { !set.isKnown || !set.isSettled($0, lines) }.map(\.definition)
        }
        let remedy = #"echo "R $BOTCRON_JOB $BOTCRON_EXECUTION_ID $BOTCRON_ATTEMPT" >> "# + ledger
        return [
            "timezone": "UTC", "max_concurrent_executions": 1000,
            "remediation": ["auth": ["sh", "-c", .string(remedy)]], "jobs": .array(jobs),
        ]
    }

    /// As RFC 3339 has it, to the second, in UTC.
    static func text(_ second: Int) -> String {
        var (time, parts) = (time_t(second), tm())
        gmtime_r(&time, &parts)
        var bytes = [CChar](repeating: 0, count: 32)
        let count = strftime(&bytes, bytes.count, "%Y-%m-%dT%H:%M:%S", &parts)
        return String(decoding: bytes[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// What the processes and the store say, compared.
public struct CrowdStory {
    public private(set) var violations: [String] = []
    public private(set) var lostCount = 0
    private var (runCount, startCount) = (0, 0)
    private let killed: [String: KillAt.Report.Evidence]

    public var summary: String {
        "\(startCount) processes, \(runCount) runs, \(lostCount) lost, \(violations.count) violations"
    }

    public init(_ killed: [String: KillAt.Report.Evidence]) {
        self.killed = killed
    }

    /// - Parameters:
    ///   - runs: all of the history.
    ///   - ledger: what the processes have written.
    public mutating func compare(
        _ runs: [JSONValue], _ ledger: String, _ sets: [CrowdSet], _ promised: Set<String> = []
    ) {
        runCount = runs.count
        let byID = Dictionary(runs.map { ($0.text("execution_id"), $0) }) { first, _ in first }
        if byID.count != runs.count { violations.append("the history has a run twice") }
        for id in promised where byID[id] == nil { violations.append("\(id) was promised and is not on record") }

        let byJob = Dictionary(grouping: runs, by: { $0.text("job") })
        for set in sets {
            let time = CrowdSet.text(set.second)
            let isFollowed = byJob["first-\(set.number)"]?.first?.text("status") == "success"
            if byJob["next-\(set.number)", default: []].count != (isFollowed ? 1 : 0) {
                violations.append("first-\(set.number) was not followed once")
            }
            for job in set.jobs.map(\.name) where !job.hasPrefix("next") {
                let times = byJob[job, default: []].map { String($0.text("scheduled_for").prefix(19)) }
                if times != [time] { violations.append("\(job), due at \(time), has runs for \(times)") }
            }
        }
        let starts = readLedger(ledger, byID)
        let names = Set(sets.flatMap { $0.jobs.map(\.name) } + ["manual"])
        for run in runs where names.contains(run.text("job")) { compare(run, starts) }
    }

    /// How often each attempt, and each remedy before it, was started.
    private mutating func readLedger(_ text: String, _ runs: [String: JSONValue]) -> [String: Int] {
        var starts: [String: Int] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            let isRemedy = words[0] == "R"
            let name = isRemedy ? "\(words[2])~remedy" : "\(words[2]).\(words[3])"
            starts[name, default: 0] += 1
            if isRemedy { continue }
            startCount += 1
            if starts[name] != 1 { violations.append("\(name) of \(words[1]) ran twice") }
            if runs[words[2]] == nil { violations.append("\(name) ran and is not on record") }
        }
        return starts
    }

    private mutating func compare(_ run: JSONValue, _ starts: [String: Int]) {
        let id = run.text("execution_id")
        let last = run["attempt"]?.intValue ?? 0
        let isFlaky = run.text("job").hasPrefix("flaky")
        for number in 1...max(1, last) {
            let name = "\(id).\(number)"
            let evidence = killed[name]
            let isLast = number == last
            let mayBeLost = evidence.map { $0.hasBegun && !$0.hasOutcome } ?? false
            if mayBeLost {
                lostCount += 1
                if !isLast || run.text("status") != "interrupted" { violations.append("\(name) was lost: \(run)") }
                continue
            }
            if starts[name] != 1 { violations.append("\(name) ran \(starts[name] ?? 0) times: \(run)") }
            let status = isFlaky && number == 1 ? "retried" : "success"
            let found = isLast ? run.text("status") : "retried"
            if found != status { violations.append("\(name), with \(evidence.map { "\($0)" } ?? "no kill"): \(run)") }
        }
        // A remedy whose supervisor was killed may not have come to its first word.
        let remedy = "\(id)~remedy"
        if isFlaky, last > 1, starts[remedy] == nil, killed["\(remedy).1"] == nil {
            violations.append("\(id) was tried again without its remedy")
        }
    }
}

extension JSONValue {
    /// The text of a member; empty where it is none.
    fileprivate func text(_ key: String) -> String { self[key]?.stringValue ?? "" }
}
