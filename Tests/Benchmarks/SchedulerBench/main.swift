import Glibc
import Schedules
import Scheduling

// What the scheduler costs at 100 and at 100,000 jobs: see "Size" in the README. Times are medians.

/// Nothing was ever recorded.
final class EmptyRegister: ExecutionRegister {
    func isTaken(executionID: String) -> Bool { false }
}

/// malloc_trim(3), which the module of the C library does not have.
@_silgen_name("malloc_trim") func trimHeap(_ pad: Int) -> Int32

func seconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// Memory of this process that is in use, in MB: `VmRSS` of proc(5).
func residentMegabytes() -> Double {
    guard let file = fopen("/proc/self/status", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, 256, file) != nil {
        let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard text.hasPrefix("VmRSS:") else { continue }
        return (Double(text.split { $0 == " " || $0 == "\t" }.dropFirst().first ?? "") ?? 0) / 1024
    }
    return 0
}

/// To three digits.
func short(_ value: Double) -> String {
    let scale = value >= 100 ? 1.0 : value >= 10 ? 10.0 : 100.0
    let number = Int(value * scale + 0.5)
    return scale == 1 ? "\(number)" : "\(Double(number) / scale)"
}

let start = Instant(seconds: 1_767_571_230)

/// What was read already, by its text: equal schedules are one.
nonisolated(unsafe) var known: [String: [JobSchedule]] = [:]

func schedules(_ text: String) throws(ScheduleError) -> [JobSchedule] {
    if let same = known[text] { return same }
    let timetable = try Timetable(schedule: try Schedule.cron(text), zone: .utc, anchor: start)
    let new = [JobSchedule(type: "cron", text: text, timetable: timetable)]
    known[text] = new
    return new
}

func makeJob(_ index: Int) throws(ScheduleError) -> Job {
    let (minute, hour) = (index % 60, index / 60 % 24)
    let text = "\(minute) \(hour) * * *"
    var job = Job(name: "job-\(index)", registeredAt: start, zone: .utc, action: .command(["/usr/bin/true"]))
    job.schedules = try schedules(text)
    job.scheduleKey = text + " UTC"
    job.definition = #"{"name":"job-\#(index)","cron":"\#(text)","command":["/usr/bin/true"]}"#
    return job
}

func median(_ count: Int, _ body: () -> Void) -> Double {
    var times: [Double] = []
    for _ in 0..<count {
        let begin = seconds()
        body()
        times.append(seconds() - begin)
    }
    return times.sorted()[count / 2]
}

/// A scheduler that has started with so many jobs; `took` is the time without the making of the definitions.
func load(_ count: Int, took: inout Double) throws -> Scheduler {
    let jobs = try (0..<count).map { index in try makeJob(index) }
    var settings = SchedulerSettings()
    settings.maxConcurrentRuns = 1_000_000
    let begin = seconds()
    let scheduler = Scheduler(
        jobs: jobs, stored: StoredState(), settings: settings, isEnabled: true, register: EmptyRegister(), seed: 1,
        now: start)
    _ = scheduler.handle(.started(Situation(origin: .start, bootID: "boot", processStartedAt: start)), at: start)
    took = seconds() - begin
    scheduler.didCommit()
    return scheduler
}

func measure(_ count: Int) throws {
    let before = residentMegabytes()
    var took = 0.0
    let scheduler = try load(count, took: &took)
    let peak = residentMegabytes()
    // The definitions as they were read are gone; what the C library still holds of them is not ours.
    _ = trimHeap(0)
    print("\(count) jobs: loaded and scheduled in \(short(took * 1000)) ms")
    print(
        "  resident \(short(residentMegabytes())) MB (\(short((residentMegabytes() - before) * 1_048_576 / Double(count))) "
            + "bytes a job), at most \(short(peak)) MB while loading")

    var ticket = 0
    var next = count
    let add = median(301) {
        guard var job = try? makeJob(next) else { return }
        job.origin = .bus
        next += 1
        ticket += 1
        _ = scheduler.handle(.jobUpserted(job, ticket: ticket), at: start)
        scheduler.didCommit()
    }
    var isEnabled = true
    let toggle = median(301) {
        isEnabled.toggle()
        _ = scheduler.handle(.jobToggled(job: "job-7", isEnabled: isEnabled, until: nil), at: start)
        scheduler.didCommit()
    }
    let fire = median(301) {
        ticket += 1
        var run = ""
        for effect in scheduler.handle(.runRequested(RunRequest(job: "job-8"), ticket: ticket), at: start) {
            if case .start(let launch) = effect { run = launch.run.id }
        }
        let outcome = AttemptOutcome(ending: .exited(0), startedAt: start, endedAt: start)
        _ = scheduler.handle(.attemptEnded(run: run, attempt: 1, outcome), at: start)
        scheduler.didCommit()
    }
    let ask = median(301) { for _ in 0..<100 { _ = scheduler.nextRun } } / 100
    print(
        "  add \(short(add * 1e6)) µs, toggle \(short(toggle * 1e6)) µs, run by hand and end \(short(fire * 1e6)) µs, "
            + "next run \(short(ask * 1e9)) ns")
}

/// A thousand jobs that fire at the same minute, among `count`.
func measureTick(_ count: Int) throws {
    var jobs = try (0..<count).map { index in try makeJob(index) }
    let due = Instant(seconds: start.seconds / 60 * 60 + 60)
    for index in 0..<1000 {
        jobs[index].schedules = try schedules("* * * * *")
        jobs[index].scheduleKey = "* * * * * UTC"
    }
    var settings = SchedulerSettings()
    settings.maxConcurrentRuns = 1_000_000
    var times: [Double] = []
    let scheduler = Scheduler(
        jobs: jobs, stored: StoredState(), settings: settings, isEnabled: true, register: EmptyRegister(), seed: 1,
        now: start)
    _ = scheduler.handle(.started(Situation(origin: .start, bootID: "boot", processStartedAt: start)), at: start)
    scheduler.didCommit()
    for minute in 0..<9 {
        let now = due + .seconds(minute * 60)
        let begin = seconds()
        let effects = scheduler.handle(.tick, at: now)
        times.append(seconds() - begin)
        scheduler.didCommit()
        var count = 0
        for case .start(let launch) in effects {
            count += 1
            let outcome = AttemptOutcome(ending: .exited(0), startedAt: now, endedAt: now)
            _ = scheduler.handle(.attemptEnded(run: launch.run.id, attempt: 1, outcome), at: now)
        }
        precondition(count >= 1000, "a tick that was to fire 1,000 fired \(count)")
    }
    print("a tick that fires 1,000 of \(count) jobs: decided in \(short(times.sorted()[4] * 1000)) ms")
}

func measureQueue(_ count: Int) {
    var queue = TimerQueue()
    var random: UInt64 = 1
    func instant() -> Instant {
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Instant(microseconds: Int64(random >> 20))
    }
    let owners = (0..<count).map { _ in queue.add() }
    for owner in owners { queue.arm(owner, at: instant()) }
    let rounds = 1_000_000
    let begin = seconds()
    for round in 0..<rounds { queue.arm(owners[round &* 7919 % count], at: instant()) }
    let move = (seconds() - begin) / Double(rounds)
    let second = seconds()
    for _ in 0..<count {
        guard let owner = queue.popDue(Instant(microseconds: .max)) else { break }
        queue.arm(owner, at: instant())
    }
    let pop = (seconds() - second) / Double(count)
    print("a queue of \(count): move \(short(move * 1e9)) ns, take the first and put it back \(short(pop * 1e9)) ns")
}

do {
    measureQueue(100_000)
    try measure(100)
    try measure(100_000)
    try measureTick(100_000)
} catch {
    print("\(error)")
    exit(1)
}
