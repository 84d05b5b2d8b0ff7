import Client
import Contract
import JSON
import Schedules

/// `heatmap`: a year of a job's results, a cell for each day.
extension Verb {
    static let heatmap = Verb(
        "heatmap", "JOB", 1...1, "a year of a job's results, a cell for each day",
        details: """
            A column is a week. As far back as the history is kept: schedules.retention_days, and the job's
            history_limit.
            """,
        takes: [.job], run: showHeatmap)
}

/// What became of a job in one day.
private struct DayResult {
    var good = 0
    var failed = 0
    /// Fire times that were not run.
    var omitted = 0

    mutating func add(_ status: String) {
        switch status {
        case "success": good += 1
        case "failed", "timeout", "interrupted", "cancelled": failed += 1
        case "missed", "skipped": omitted += 1
        default: break
        }
    }

    /// The worst of it. A letter says it where there is no colour.
    var mark: (text: String, style: Style?) {
        if failed > 0 { return ("x", .bad) }
        if omitted > 0 { return ("-", .warning) }
        return good > 0 ? ("+", .good) : ("·", .faint)
    }
}

private let weeks = 53
/// Beyond it the oldest are left out, and that is said.
private let runsMax = 200_000

private func showHeatmap(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let name = request.arguments[0]
    let daemon = try context.daemon()
    let (now, zone) = (context.now, context.zone)
    let intoWeek = Days.daysIntoWeek(of: now, in: zone)
    let days = Days(around: now, from: -7 * (weeks - 1) - intoWeek, count: 7 * weeks, zone: zone)
    var results = [DayResult](repeating: DayResult(), count: days.indices.count)
    let count = try readResults(of: name, since: days.starts[0], daemon) { run in
        guard let at = run.instant("scheduled_for") ?? run.instant("started_at") ?? run.instant("timestamp"),
            let day = days.index(of: at)
        else { return }
        results[day].add(run.text("status"))
    }
    // History outlives its job; where there is none, the name may be mistyped.
    if count == 0 { try daemon.call(.getJob, [.text(name)]) }
    let screen = context.screen
    guard !screen.isJSON else {
        screen.json(
            .array(
                days.indices.filter { results[$0].good + results[$0].failed + results[$0].omitted > 0 }.map { day in
                    [
                        "date": .string(days.text(day)), "success": .number(results[day].good),
                        "failed": .number(results[day].failed), "omitted": .number(results[day].omitted),
                    ]
                }))
        return ExitCode.success
    }
    let today = 7 * (weeks - 1) + intoWeek
    // As many weeks as there is room for beside the names of the days.
    let shown = min(weeks, max(1, (screen.width ?? 80) - 4))
    screen.line("    \(monthNames(days, weeks: weeks - shown..<weeks))")
    for row in 0..<7 {
        var line: Line = "\(row % 2 == 0 ? Days.weekdays[row] : "   ") "
        for week in weeks - shown..<weeks where 7 * week + row <= today {
            let mark = results[7 * week + row].mark
            line = line + screen.styled("\(mark.text)", mark.style)
        }
        screen.line(line)
    }
    screen.line("")
    screen.sentence(summary(name, results, isCut: count >= runsMax))
    return ExitCode.success
}

/// - Returns: how many there were.
private func readResults(
    of name: String, since first: Instant, _ daemon: Daemon, _ each: (JSONValue) -> Void
) throws(Failure) -> Int {
    var filter: JSONObject = [
        "job": .string(name), "since": .string(first.rfc3339(in: .utc)), "limit": .number(InterfaceLimits.historyRuns),
    ]
    var count = 0
    while count < runsMax {
        let page = try daemon.json(.queryHistory, [.text(JSONValue.object(filter).compactText)])
        for run in page["runs"]?.arrayValue ?? [] {
            each(run)
            count += 1
        }
        guard let cursor = page["next_cursor"], !cursor.isNull, cursor != filter["cursor"] else { break }
        filter["cursor"] = cursor
    }
    return count
}

/// Each month's name above the week that its first day lies in.
private func monthNames(_ days: Days, weeks: Range<Int>) -> String {
    var text = ""
    for week in weeks {
        let first = (7 * week..<7 * week + 7).map { days.date($0) }.first { $0.day == 1 }
        guard let first, text.count <= week - weeks.lowerBound else { continue }
        text += String(repeating: " ", count: week - weeks.lowerBound - text.count) + Days.months[first.month - 1] + " "
    }
    return text.last == " " ? String(text.dropLast()) : text
}

private func summary(_ name: String, _ results: [DayResult], isCut: Bool) -> Line {
    let (good, failed, omitted) = results.reduce(into: (0, 0, 0)) { sum, day in
        sum.0 += day.good
        sum.1 += day.failed
        sum.2 += day.omitted
    }
    let cut = isCut ? "; older ones are left out" : ""
    return """
        \(name): \(good) succeeded, \(failed) failed, \(omitted) not run\(cut). \
        + good, x a failure, - not run, · nothing
        """
}
