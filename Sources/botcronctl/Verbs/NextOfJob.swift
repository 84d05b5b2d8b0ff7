import Client
import Configuration
import Contract
import JSON
import Schedules
import Scheduling

/// A job by name, of a daemon that runs.
func jobNamed(_ name: String, _ context: Context) throws(Failure) -> JSONValue {
    try context.daemon().json(.getJob, [.text(name)], starting: .never)
}

/// `next JOB`: the first fire time as the daemon has it, and those that follow from the definition.
func showNext(of job: JSONValue, count: Int, _ context: Context) throws(Failure) -> Int32 {
    let name = job.text("name")
    let screen = context.screen
    if let error = job["error"]?.stringValue {
        throw Failure(
            ExitCode.failure, ServiceError.invalidJob.name, "\(name): \(error)",
            advice: ["mend it: botcronctl edit \(name)"])
    }
    guard let first = job.instant("next_run"), let read = readJob(job, startingAt: first, context) else {
        if screen.isJSON {
            screen.json([])
        } else {
            screen.line("\(name) has no next fire time; see why: botcronctl why \(name)")
        }
        return ExitCode.success
    }
    let fires = fireTimes(of: read, from: first, count: count)
    guard !screen.isJSON else {
        screen.json(.array(fires.map { .string($0.rfc3339(in: read.zone)) }))
        return ExitCode.success
    }
    for schedule in read.schedules {
        screen.line(screen.styled("\(name): \(schedule.timetable.explain())", .heading))
    }
    for fire in fires {
        screen.line("  \(TimeText.absolute(fire, in: read.zone))  \(context.times.relative(fire))")
    }
    for note in read.schedules.flatMap({ $0.timetable.notes(after: context.now) }) { screen.line("Note: \(note).") }
    if read.jitterMilliseconds > 0 {
        screen.line(
            "Note: Each starts up to \(TimeText.duration(milliseconds: Int(read.jitterMilliseconds))) later: its jitter."
        )
    }
    return ExitCode.success
}

/// The job that the definition makes; an interval counts from the next fire time, because the daemon alone knows since
/// when it counts. Nil where this program reads it otherwise than the daemon does.
func readJob(_ job: JSONValue, startingAt first: Instant, _ context: Context) -> Job? {
    guard var definition = job["definition"]?.objectValue else { return nil }
    if definition["timezone"] == nil { definition["timezone"] = job["timezone"] }
    if job.text("schedule_type") == "interval", definition["start_at"] == nil {
        definition["start_at"] = .string(first.rfc3339(in: .utc))
    }
    let text = JSONValue.object(["schedules": ["jobs": [.object(definition)]]]).compactText
    let home = ConfigurationFile.homeFolder(environment: userEnvironment())
    let reader = ConfigurationReader(zones: context.zones, home: home, now: context.now)
    return try? reader.read(document: JSONDocument(bytes: Array(text.utf8))).jobs.first
}

/// What is excluded stays out; of a long row of such fire times as many are looked at as the daemon itself would.
private func fireTimes(of job: Job, from first: Instant, count: Int) -> [Instant] {
    var fires = [first]
    var last = first
    var looks = 0
    while fires.count < count, looks < Scheduler.Limits.individualFireTimes,
        let next = job.schedules.compactMap({ $0.timetable.next(after: last) }).min()
    {
        looks += 1
        last = next
        if !job.exclusions.contains(where: { $0.contains(next) }) { fires.append(next) }
    }
    return fires
}
