import Glibc
import SQLiteStore
import Schedules
import Scheduling
import Store

// Commits numbered transactions to the store at the path given, from the number after the last, and writes each number
// to standard output once its commit has returned. Goes on until it is killed.
//
// Transaction n: the run n begins with its first attempt, the run n − 1 ends, the job's count becomes n; every tenth
// also prunes. All of it is there, or none: that is what the parent checks.

do throws(StoreError) {
    let store = try SQLiteStore(path: CommandLine.arguments[1])
    let state = try store.load()
    var number = state.jobs.first?.executions ?? 0
    while true {
        number += 1
        try store.commit(changes(of: number))
        let line = "\(number)\n"
        guard write(STDOUT_FILENO, line, line.utf8.count) == line.utf8.count else { exit(1) }
    }
} catch {
    let line = "\(error)\n"
    _ = write(STDERR_FILENO, line, line.utf8.count)
    exit(2)
}

func changes(of number: Int) -> [StoreChange] {
    let epoch = Instant(seconds: 1_700_000_000)
    func run(_ number: Int, _ status: Run.Status) -> Run {
        let fireTime = Instant(microseconds: epoch.microseconds + Int64(number) * 60_000_000)
        var run = Run(
            id: "cron-crash-\(number)", job: "crash", skill: "", trigger: .schedule, scheduledFor: fireTime,
            createdAt: fireTime, status: status)
        run.attempt = 1
        run.startedAt = fireTime
        // Long enough to spread a transaction over several pages of the log.
        run.outputPreview = String(repeating: "\(number) ", count: 1500)
        return run
    }
    var state = JobState(job: "crash", scheduleKey: "", registeredAt: epoch, decidedThrough: epoch)
    state.executions = number
    var changes: [StoreChange] = [
        .run(run(number, .running)),
        .attempt(Attempt(run: "cron-crash-\(number)", number: 1, startedAt: epoch)),
        .jobState(state),
    ]
    if number > 1 { changes.append(.run(run(number - 1, .success))) }
    if number.isMultiple(of: 10) { changes.append(.prune(job: "crash", keep: 50)) }
    return changes
}
