internal import Contract
internal import DBus

/// How much of what clients ask for there may be. Beyond each the call is refused with `LimitsExceeded`, unless it says
/// something else.
enum Bounds {
    /// Calls of `wait_run` that are pending, of all clients and of one.
    static let waits = 1_000
    static let waitsPerCaller = 250
    /// Runs that one client has asked for and that have not ended.
    static let runsPerCaller = 5_000
    /// Jobs that were made over the bus.
    static let busJobs = 20_000
    /// Questions that `questions` lists, the oldest.
    static let questions = 1_000
    /// The longest JSON text that a method takes, in bytes.
    static let jsonBytes = 4 << 20
    /// The most values in one: each is a piece of memory of its own.
    static let jsonValues = 50_000
    /// The most names in a filter of `query_jobs`.
    static let queriedNames = 10_000
    /// The longest name of a section of config.json, and the longest dotted key in one, in bytes.
    static let configurationKeyBytes = 4_096
    /// The longest idempotency key, in bytes.
    static let keyBytes = 1_024
    /// The longest pattern of `query_jobs`, in bytes: as long as a name.
    static let patternBytes = 128

    /// Runs in one page of the history; more is cut to it, and 0 or less is the usual number.
    static let pageRuns = InterfaceLimits.historyRuns
    static let pageRunsUsual = InterfaceLimits.historyRunsStandard
    /// Jobs in one page of `query_jobs`; more is cut to it, and 0 or less is the usual number.
    static let pageJobs = InterfaceLimits.jobsOfPage
    static let pageJobsUsual = 100
    /// A page of `query_jobs` ends before it has more bytes of JSON.
    static let pageBytes = 2 << 20
    /// Instants in one answer of `preview_schedule`; more is cut to it.
    static let previewedInstants = InterfaceLimits.previewInstants
    /// Items in one answer of `queue_peek`; more is cut to it.
    static let peekedItems = 1_000
    /// The answer ends with the item that brings it there, in bytes.
    static let peekedBytes = 1 << 20
    /// Bytes in one answer of `get_output`; more is cut to it, and 0 is the usual number.
    static let outputBytes = InterfaceLimits.outputBytes
    static let outputBytesUsual = InterfaceLimits.outputBytesStandard

    /// Jobs of which there is still one list of all.
    static let listedJobs = 40_000
    /// The longest text of an answer, in bytes. A body may be longer; but a text is copied into it as a whole, which
    /// takes 30 ms.
    static let listBytes = 12 << 20
    /// Jobs in `GetStatus`, `GetStats` and the state file. Of more, those that are due first, and how many were left
    /// out.
    static let statusJobs = 1_000
    /// Refused definitions, and active runs, in `GetStatus`. Of more, the first ones; the counts are true.
    static let statusDetails = 1_000
    /// Jobs that have their own figures in `GetMetrics`. Of more, the first by name, and how many were left out.
    static let measuredJobs = 10_000
    /// Names among which the nearest is looked for; of more, those around the place where it would stand.
    static let comparedNames = 2_000
}

/// How many of something each caller has, and all together, and how many they may.
struct CallerBounds {
    let each: Int
    /// Of all callers; nil where there is no bound.
    let all: Int?
    private var counts: [BusName: Int] = [:]
    private(set) var total = 0

    init(each: Int, all: Int? = nil) {
        self.each = each
        self.all = all
    }

    /// What a caller has; of one that has no name (there is no bus in between) nothing is counted but the total.
    func count(of caller: BusName?) -> Int { caller.map { counts[$0, default: 0] } ?? 0 }

    func hasRoom(for caller: BusName?) -> Bool { count(of: caller) < each && all.map { total < $0 } ?? true }

    mutating func add(_ caller: BusName?) {
        total += 1
        if let caller { counts[caller, default: 0] += 1 }
    }

    mutating func remove(_ caller: BusName?) {
        total -= 1
        guard let caller, let count = counts[caller] else { return }
        counts[caller] = count > 1 ? count - 1 : nil
    }
}
