import Client
import Contract
import JSON
import Schedules
import Scheduling

/// `calendar`: what is due on each of the days to come.
extension Verb {
    static let calendar = Verb(
        "calendar", "what is due on each of the days to come",
        details: """
            From now on; days of this terminal's zone. A job that is due more than three times a day is one line. What
            is disabled is left out.
            """,
        options: [
            Option("--week", "seven days, with the times (default)"),
            Option("--month", "31 days, a line each"),
        ],
        run: showCalendar)
}

/// A job's fire times of one day.
private struct DayEntry {
    var job: String
    var fires: [Instant]
    var count: Int

    /// What is due more often is one line.
    static let shownFires = 3
}

private func showCalendar(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    guard !(request.has("--week") && request.has("--month")) else {
        throw request.usage("--week and --month both say how far")
    }
    let daemon = try context.daemon()
    let (now, zone) = (context.now, context.zone)
    let days = Days(around: now, from: 0, count: request.has("--month") ? 31 : 7, zone: zone)
    var entries = [[DayEntry]](repeating: [], count: days.indices.count)
    for listed in try allJobs(daemon, [:]) {
        // Without a next run there is none in those days.
        guard let first = listed.instant("next_run"), first < days.starts[days.indices.upperBound] else { continue }
        let shape = try daemon.json(.getJob, [.text(listed.text("name"))])
        // It has gone, or has become another, since it was listed.
        guard let job = try? readSchedules(of: shape, startingAt: first, context) else { continue }
        for day in days.indices {
            if let entry = entry(of: job, first: first, in: days.starts[day]..<days.starts[day + 1]) {
                entries[day].append(entry)
            }
        }
    }
    for day in entries.indices {
        entries[day].sort { ($0.fires[0], $0.job) < ($1.fires[0], $1.job) }
    }
    let screen = context.screen
    guard !screen.isJSON else {
        screen.json(.array(days.indices.map { json(entries[$0], days.text($0), zone) }))
        return ExitCode.success
    }
    if try daemon.property("Enabled").flag == false {
        screen.sentence("All schedules are paused: nothing of this runs before botcronctl resume.")
    }
    request.has("--month") ? showMonth(entries, days, screen) : showWeek(entries, days, context)
    return ExitCode.success
}

/// The fire times of a day from the first that is still to come; nil where there are none.
private func entry(of job: Job, first: Instant, in day: Range<Instant>) -> DayEntry? {
    guard first < day.upperBound else { return nil }
    let end = day.upperBound - .microseconds(1)
    let before = max(day.lowerBound, first) - .microseconds(1)
    var fires: [Instant] = []
    if job.exclusions.isEmpty, job.schedules.count == 1, let timetable = job.schedules.first?.timetable {
        let count = timetable.count(after: before, through: end)
        guard count > 0, let next = timetable.next(after: before) else { return nil }
        fires.append(next)
        while fires.count < min(count, DayEntry.shownFires), let next = timetable.next(after: fires[fires.count - 1]) {
            fires.append(next)
        }
        return DayEntry(job: job.name, fires: fires, count: count)
    }
    // One by one, where some may be left out or come twice.
    var last = before
    var count = 0
    while let next = job.schedules.compactMap({ $0.timetable.next(after: last) }).min(), next <= end {
        last = next
        guard !job.exclusions.contains(where: { $0.contains(next) }) else { continue }
        count += 1
        if fires.count < DayEntry.shownFires { fires.append(next) }
    }
    return count > 0 ? DayEntry(job: job.name, fires: fires, count: count) : nil
}

private func json(_ entries: [DayEntry], _ date: String, _ zone: TimeZoneRules) -> JSONValue {
    let jobs = entries.map { entry -> JSONValue in
        ["job": .string(entry.job), "first": .string(entry.fires[0].rfc3339(in: zone)), "count": .number(entry.count)]
    }
    return ["date": .string(date), "jobs": .array(jobs)]
}

private func heading(_ day: Int, _ days: Days) -> String {
    "\(Days.weekday(of: days.date(day))) \(days.text(day))"
}

private func showWeek(_ entries: [[DayEntry]], _ days: Days, _ context: Context) {
    let screen = context.screen
    for day in days.indices {
        screen.line(screen.styled("\(heading(day, days))", .heading))
        var lines: [(at: Instant, text: String, job: String)] = []
        for entry in entries[day] {
            if entry.count > DayEntry.shownFires {
                lines.append((entry.fires[0], "×\(entry.count)", entry.job))
            } else {
                lines += entry.fires.map { ($0, "", entry.job) }
            }
        }
        lines.sort { ($0.at, $0.job) < ($1.at, $1.job) }
        for line in lines {
            let clock = context.times.clock(line.at)
            // To the minute, where that is all.
            let time = clock.hasSuffix(":00") ? String(clock.prefix(5)) : clock
            let padding = String(repeating: " ", count: max(0, 8 - time.count))
            screen.line("  \(time)\(padding)  \(line.job)\(line.text.isEmpty ? "" : "  \(line.text)")")
        }
        if lines.isEmpty { screen.line("  \(screen.styled("nothing", .faint))") }
    }
}

private func showMonth(_ entries: [[DayEntry]], _ days: Days, _ screen: Screen) {
    var table = Table("DAY", "RUNS", "JOBS")
    for day in days.indices {
        let jobs = entries[day].map { $0.count > 1 ? "\($0.job) ×\($0.count)" : $0.job }.joined(separator: ", ")
        let count = entries[day].reduce(0) { $0 + $1.count }
        table.add([.init(heading(day, days)), .init(count == 0 ? "" : "\(count)"), .init(jobs)])
    }
    table.print(on: screen)
}
