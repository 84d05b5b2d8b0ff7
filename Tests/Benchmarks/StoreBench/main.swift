import Glibc
import SQLiteStore
import Schedules
import Scheduling
import Store

// Measures the store at a million runs: `store-bench [FOLDER] [RUNS]`. The folder (default: the current one) gets a
// database that is removed at the end; it should lie on the disk that is meant.

let folder = CommandLine.arguments.count > 1 ? CommandLine.arguments[1] : "."
let runs = CommandLine.arguments.count > 2 ? Int(CommandLine.arguments[2]) ?? 1_000_000 : 1_000_000
let path = "\(folder)/store-bench-\(getpid()).db"

do throws(StoreError) {
    try measure()
} catch {
    print(error)
}
for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) }

func measure() throws(StoreError) {
    let store = try SQLiteStore(path: path)
    let fill = try seconds { () throws(StoreError) in try insertRuns(store) }
    printRow("insert, 1000 runs a transaction", rate(fill), "runs/s, each with an attempt")
    let bytes = fileSize(path)
    printRow("size", "\(bytes / 1_048_576)", "MiB, \(bytes / runs) bytes a run")

    let pages: [(String, HistoryQuery)] = [
        ("history, 20", HistoryQuery()),
        ("history, 20 of a job", HistoryQuery(job: job(7))),
        ("history, 20 failed", HistoryQuery(status: .failed)),
        ("history, 20 failed of a job", HistoryQuery(job: job(7), status: .failed)),
        ("history, 20 by hand", HistoryQuery(trigger: .manual)),
        ("history, 20 by hand of a job", HistoryQuery(job: job(7), trigger: .manual)),
        ("history, 20 failed by hand", HistoryQuery(status: .failed, trigger: .manual)),
        ("history, 20 before the middle", HistoryQuery(until: fireTime(runs / 2))),
        ("history, 1000", HistoryQuery(limit: 1000)),
    ]
    for (label, query) in pages {
        let times = try samples(200) { () throws(StoreError) in _ = try store.history(query) }
        times.row(label)
    }
    try samples(2000) { () throws(StoreError) in _ = try store.statistics() }.row("statistics")
    try samples(2000) { () throws(StoreError) in _ = store.isTaken(executionID: id(runs / 3)) }.row("isTaken, yes")
    try samples(2000) { () throws(StoreError) in _ = store.isTaken(executionID: "no-such-id") }.row("isTaken, no")
    try samples(2000) { () throws(StoreError) in _ = try store.run(id: id(runs / 2)) }.row("run by id")

    try measureCommits(store)
    try measureKeys(store)

    let before = fileSize(path)
    let old = fireTime(runs / 2)
    var steps = 0
    let prune = try seconds { () throws(StoreError) in
        while steps * 1000 < runs / 2 {
            try store.commit([.pruneEnded(before: old, limit: 1000)])
            steps += 1
        }
    }
    printRow("prune half, 1000 runs a step", milliseconds(prune / Double(steps)), "ms a step")
    try store.checkpoint()
    printRow("size afterwards", "\(fileSize(path) / 1_048_576)", "MiB (of \(before / 1_048_576); the rest is reused)")
    try samples(2000) { () throws(StoreError) in
        _ = store.isTaken(executionID: id(runs / 3))
    }.row("isTaken, of a removed run")
    store.close()

    let reopen = try seconds { () throws(StoreError) in
        let store = try SQLiteStore(path: path)
        _ = try store.load()
        store.close()
    }
    printRow("open, load, close", milliseconds(reopen), "ms")
}

/// What an event of the scheduler commits: once with all synced, once with job state only.
func measureCommits(_ store: SQLiteStore) throws(StoreError) {
    var number = runs
    var state = JobState(
        job: job(7), scheduleKey: "0 9 * * *", registeredAt: fireTime(0), decidedThrough: fireTime(0))
    try samples(500) { () throws(StoreError) in
        number += 1
        state.executions = number
        try store.commit([
            .run(run(number, .running)), .attempt(attempt(number)), .jobState(state),
        ])
    }.row("commit synced: run, attempt, state")
    try samples(5000) { () throws(StoreError) in
        state.runCount += 1
        try store.commit([.jobState(state)])
    }.row("commit eventual: state")
    var isOdd = false
    try samples(500) { () throws(StoreError) in
        // In turns, so that each needs the other pragma.
        isOdd.toggle()
        state.isEnabledOverride = isOdd
        try store.commit([.jobState(state)])
        state.runCount += 1
        try store.commit([.jobState(state)])
    }.row("both in turns")
    let file = open("\(path)-floor", O_RDWR | O_CREAT, 0o600)
    let page = [UInt8](repeating: 1, count: 4 * 4096)
    try samples(500) { () throws(StoreError) in
        write(file, page, page.count)
        fdatasync(file)
    }.row("floor: append 16 KiB, fdatasync")
    close(file)
    unlink("\(path)-floor")
}

/// What a job costs that is asked for with a key each time, and keeps a hundred runs: a run more, and one pruned.
func measureKeys(_ store: SQLiteStore) throws(StoreError) {
    for isKeyed in [false, true] {
        var number = 0
        try samples(2000) { () throws(StoreError) in
            number += 1
            let name = isKeyed ? "keyed" : "plain"
            var run = Run(
                id: "cron-\(name)-20300101-\(padded(number, 6))", job: name, skill: "", trigger: .manual,
                scheduledFor: nil, createdAt: Instant(seconds: fireTime(runs).seconds + Int64(number)), status: .success
            )
            run.endedAt = run.createdAt
            if isKeyed { run.idempotencyKey = "\(FNV1a("\(number)").value)" }
            try store.commit([.run(run), .prune(job: name, keep: 100)])
        }.row("run and prune one\(isKeyed ? ", each with a key" : "")")
    }
}

// MARK: - The data

func job(_ number: Int) -> String { "daily_standup_\(number % 100)" }

func fireTime(_ number: Int) -> Instant { Instant(seconds: 1_600_000_000 + Int64(number) * 30) }

func id(_ number: Int) -> String {
    // A day of 2,880 runs: the ids look as they do, without a calendar.
    let (day, second) = (number / 2880, number % 2880 * 30)
    let clock = [second / 3600, second / 60 % 60, second % 60].map { padded($0, 2) }.joined()
    return "cron-\(job(number))-\(2020 + day / 336)\(padded(day / 28 % 12 + 1, 2))\(padded(day % 28 + 1, 2))-\(clock)"
}

func padded(_ number: Int, _ width: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, width - text.count)) + text
}

func run(_ number: Int, _ status: Run.Status) -> Run {
    let isByHand = number.isMultiple(of: 20)
    var run = Run(
        id: id(number), job: job(number), skill: "standup", trigger: isByHand ? .manual : .schedule,
        scheduledFor: isByHand ? nil : fireTime(number), createdAt: fireTime(number), status: status)
    run.attempt = 1
    run.startedAt = fireTime(number)
    run.traceID = "0af7651916cd43dd8448eb211c80319c"
    if !status.isActive {
        run.endedAt = Instant(microseconds: fireTime(number).microseconds + 12_345_678)
        run.exit = .code(status == .failed ? 1 : 0)
        run.outputPreview = "Standup written, three pull requests need a review."
    }
    return run
}

func attempt(_ number: Int) -> Attempt { Attempt(run: id(number), number: 1, startedAt: fireTime(number)) }

func insertRuns(_ store: SQLiteStore) throws(StoreError) {
    for start in stride(from: 0, to: runs, by: 1000) {
        var changes: [StoreChange] = []
        for number in start..<min(start + 1000, runs) {
            changes.append(.run(run(number, number.isMultiple(of: 17) ? .failed : .success)))
            changes.append(.attempt(attempt(number)))
        }
        try store.commit(changes)
    }
}

// MARK: - Measuring

struct Times {
    var sorted: [Double]
    func row(_ label: String) {
        let (p50, p99) = (sorted[sorted.count / 2], sorted[sorted.count * 99 / 100])
        printRow(label, micro(p50), "µs p50, \(micro(p99)) p99")
    }
    private func micro(_ seconds: Double) -> String { String((seconds * 10_000_000).rounded() / 10) }
}

func samples(_ count: Int, _ body: () throws(StoreError) -> Void) throws(StoreError) -> Times {
    var times: [Double] = []
    for _ in 0..<count { times.append(try seconds(body)) }
    return Times(sorted: times.sorted())
}

func seconds(_ body: () throws(StoreError) -> Void) throws(StoreError) -> Double {
    var start = timespec()
    var end = timespec()
    clock_gettime(CLOCK_MONOTONIC, &start)
    try body()
    clock_gettime(CLOCK_MONOTONIC, &end)
    return Double(end.tv_sec - start.tv_sec) + Double(end.tv_nsec - start.tv_nsec) / 1e9
}

func printRow(_ label: String, _ value: String, _ unit: String) {
    let dots = String(repeating: ".", count: max(2, 40 - label.count))
    print("\(label) \(dots) \(value) \(unit)")
}

func rate(_ seconds: Double) -> String { String(Int(Double(runs) / seconds)) }
func milliseconds(_ seconds: Double) -> String { String((seconds * 100_000).rounded() / 100) }

func fileSize(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
}
