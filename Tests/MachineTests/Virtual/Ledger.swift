import Glibc
import JSON
import TestSupport

/// What is on record of a job's fire times, to be held against what its schedule names.
struct Ledger {
    struct Entry {
        /// The fire time, in seconds since 1970; of a stretch of them, the last.
        var at: Int
        /// The first of a stretch.
        var since: Int
        var status: String
        var reason: String
        var trigger: String
    }

    /// By fire time.
    let entries: [Entry]

    init(_ history: [JSONValue]) {
        entries = history.compactMap { run in
            guard let at = Self.instant(run["scheduled_for"]?.stringValue ?? "") else { return nil }
            return Entry(
                at: at, since: Self.instant(run["covered_since"]?.stringValue ?? "") ?? at,
                status: run["status"]?.stringValue ?? "", reason: run["reason"]?.stringValue ?? "",
                trigger: run["trigger"]?.stringValue ?? "")
        }.sorted { $0.at < $1.at }
    }

    /// The fire times that are on record with this status, one by one.
    func all(_ status: String) -> [Int] { entries.filter { $0.status == status }.map(\.at) }

    /// What is wrong with the record of these fire times: those that it does not name, nor a stretch that it names;
    /// those that it names twice; those that are still under way.
    func faults(_ fires: some Sequence<Int>) -> [String] {
        var named: [Int: Int] = [:]
        for entry in entries { named[entry.at, default: 0] += 1 }
        let stretches = entries.filter { $0.since < $0.at }.map { $0.since...$0.at }
        var faults = named.filter { $0.value > 1 }.map { "\(Self.text($0.key)) is on record \($0.value) times" }
        faults += entries.filter { ["queued", "running", "retrying"].contains($0.status) }.map {
            "\(Self.text($0.at)) is \($0.status)"
        }
        let lost = fires.filter { fire in named[fire] == nil && !stretches.contains { $0.contains(fire) } }
        faults += lost.prefix(10).map { "\(Self.text($0)) is not on record" }
        if lost.count > 10 { faults.append("and \(lost.count - 10) others") }
        return faults
    }

    /// Seconds since 1970 of an RFC 3339 instant; without an offset it is taken for UTC.
    static func instant(_ text: String) -> Int? {
        let numbers = text.split { !$0.isNumber }.compactMap { Int32($0) }
        guard numbers.count >= 6 else { return nil }
        var fields = tm()
        (fields.tm_year, fields.tm_mon, fields.tm_mday) = (numbers[0] - 1900, numbers[1] - 1, numbers[2])
        (fields.tm_hour, fields.tm_min, fields.tm_sec) = (numbers[3], numbers[4], numbers[5])
        let seconds = timegm(&fields)
        guard numbers.count == 8 else { return seconds }
        let offset = Int(numbers[6] * 3600 + numbers[7] * 60)
        return text.dropLast(5).hasSuffix("-") ? seconds + offset : seconds - offset
    }

    static func text(_ instant: Int) -> String {
        var seconds = time_t(instant)
        var fields = tm()
        gmtime_r(&seconds, &fields)
        var buffer = [CChar](repeating: 0, count: 32)
        let count = strftime(&buffer, buffer.count, "%Y-%m-%d %H:%M:%S", &fields)
        return String(decoding: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

extension Machine {
    func ledger(_ job: String) throws -> Ledger { Ledger(try history(job)) }

    /// The fire times that processes of a job were started for, in order: what the processes themselves say.
    func started(_ job: String) -> [Int] {
        lines(job).compactMap { $0.split(separator: " ").first.flatMap { Ledger.instant(String($0)) } }
    }

    /// Waits until the record of a job's fire times is whole.
    func waitForRecord(_ job: String, of fires: some Collection<Int>) throws {
        var faults: [String] = []
        do {
            try wait("the record of \(job)") {
                faults = try ledger(job).faults(fires)
                return faults.isEmpty
            }
        } catch {
            throw TestFailure("\(job): \(faults.joined(separator: "; ")). \(error)")
        }
    }

    /// Sets the clock right before an instant, and waits until that has come and gone.
    func passThrough(_ instant: Int) throws {
        try setClock("@\(instant - 3)")
        try wait("the clock past \(Ledger.text(instant))") { try wallClock >= instant + 3 }
    }
}
