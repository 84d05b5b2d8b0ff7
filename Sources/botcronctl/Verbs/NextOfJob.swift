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
    guard let first = job.instant("next_run") else {
        if screen.isJSON {
            screen.json([])
        } else {
            screen.sentence("\(name) has no next fire time; see why: botcronctl why \(name)")
        }
        return ExitCode.success
    }
    let read: Job
    do throws(JobError) {
        read = try readSchedules(of: job, startingAt: first, context)
    } catch {
        throw Failure(ExitCode.failure, ProgramError.badAnswer.name, "\(name): \(error.message)")
    }
    // How long the runs between them take nobody knows.
    let fires = fireTimes(of: read, from: first, count: read.countsFromEnd ? 1 : count)
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
    for note in read.schedules.flatMap({ $0.timetable.notes(after: context.now) }) { screen.sentence("Note: \(note).") }
    if read.countsFromEnd { screen.sentence("Note: Each further one counts from the end of the run before it.") }
    if read.jitterMilliseconds > 0 {
        screen.sentence(
            "Note: Each starts up to \(TimeText.duration(milliseconds: Int(read.jitterMilliseconds))) later: its jitter."
        )
    }
    return ExitCode.success
}

/// When a job is due, as its definition says it; what it runs is left out, since only the daemon knows its runners. An
/// interval and a single instant count from the next fire time: the daemon alone knows since when they count.
func readSchedules(of job: JSONValue, startingAt first: Instant, _ context: Context) throws(JobError) -> Job {
    var definition = job["definition"]?.objectValue ?? [:]
    let start = JSONValue.string(first.rfc3339(in: .utc))
    switch job.text("schedule_type") {
    case "once": definition = ["once": start, "timezone": job["timezone"] ?? nil]
    case "interval" where definition["start_at"] == nil: definition["start_at"] = start
    default: break
    }
    if definition["timezone"] == nil { definition["timezone"] = job["timezone"] }
    var configuration = Configuration(timezone: context.zone)
    configuration.allowsPastEvents = true
    var read = try context.configurationReader.readPreview(of: .object(definition), in: configuration).job
    read.name = job.text("name")
    return read
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
