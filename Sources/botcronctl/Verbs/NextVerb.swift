import Configuration
import Contract
import JSON
import Schedules

/// `next`: what an expression means and when it fires, without a daemon.
extension Verb {
    static let next = Verb(
        "next", "'EXPRESSION'|JOB", 1...64, "when a schedule fires, what it means, and what may surprise",
        details: """
            A cron expression of five fields, or six with the seconds first, or a nickname such as @daily. Quote it, or
            the shell takes the stars for files. A single word that is none is the name of a job, which is asked of a
            daemon that runs. With --json it prints the fire times alone.
            """,
        options: [
            Option("--tz", value: "ZONE", of: .zone, "an IANA time zone, or local (default: local)"),
            Option("-n", or: "--count", value: "N", "at most N fire times, up to 1000 (default: 5)"),
            Option("--after", value: "T", "fire times after T, such as 2026-12-25T09:00 (default: now)"),
            Option(
                "--type", value: "TYPE", of: .choice(ExpressionType.allCases.map(\.rawValue)),
                "cron, interval, calendar or once (default: cron)"),
        ],
        run: showNext)
}

private let countRange = 1...InterfaceLimits.previewInstants
private let countStandard = 5

private enum ExpressionType: String, CaseIterable {
    case cron, interval, calendar, once

    var noun: String {
        switch self {
        case .cron: "cron expression"
        case .interval: "interval"
        case .calendar: "calendar event"
        case .once: "instant"
        }
    }

    var article: String { noun.hasPrefix("i") ? "an" : "a" }
}

private func showNext(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    // Fields that were not quoted, and that the shell left alone.
    let text = request.arguments.joined(separator: " ")
    let count = try request.integer("-n", countRange, default: countStandard)
    let zone = try zone(request, context)
    var after = context.now
    if let value = request.options["--after"] { after = try context.instant(value, of: "--after", request, in: zone) }
    let word = request.options["--type"] ?? ExpressionType.cron.rawValue
    guard let type = ExpressionType(rawValue: word) else {
        let known = ExpressionType.allCases.map(\.rawValue).joined(separator: ", ")
        throw request.usage("--type: found \"\(word)\", expected one of \(known)")
    }
    let timetable: Timetable
    do {
        timetable = try makeTimetable(text, type, zone, after, context)
    } catch {
        if isJobName(text, type, error), let job = try? jobNamed(text, context) {
            return try showNext(of: job, count: count, context)
        }
        throw refused(text, type, error) { other in (try? makeTimetable(text, other, zone, after, context)) != nil }
    }
    var fires: [Instant] = []
    var last = after
    // A `once` may be the very instant that is asked from.
    if let once = timetable.schedule.onceInstant, once >= Instant(seconds: after.seconds) {
        fires = [once]
    } else {
        while fires.count < count, let fire = timetable.next(after: last) {
            fires.append(fire)
            last = fire
        }
    }
    show(fires, of: timetable, after: after, isAskedFromNow: !request.has("--after"), context)
    return ExitCode.success
}

private func zone(_ request: Request, _ context: Context) throws(Failure) -> TimeZoneRules {
    guard let name = request.options["--tz"] else { return context.zone }
    do {
        return try context.zones.zone(named: name)
    } catch {
        var failure = request.usage("--tz: found \"\(name)\", \(error.sentence)")
        if let nearest = ZoneNames(directory: context.zones.directory).nearest(to: name) {
            failure.message += "; the nearest is \"\(nearest)\""
        }
        throw failure
    }
}

private func makeTimetable(
    _ text: String, _ type: ExpressionType, _ zone: TimeZoneRules, _ after: Instant, _ context: Context
) throws(ScheduleError) -> Timetable {
    let schedule =
        switch type {
        case .cron: try Schedule.cron(text)
        case .interval: try Schedule.interval(text)
        case .calendar: try Schedule.calendar(text) { try? context.zones.zone(named: $0) }
        case .once: try Schedule.once(text, registeredAt: after, zone: zone, allowPast: false)
        }
    let timetable = try Timetable(schedule: schedule, zone: zone, anchor: after)
    try timetable.requireFire(after: after)
    return timetable
}

/// Whether what is no schedule may be a job's name.
private func isJobName(_ text: String, _ type: ExpressionType, _ error: ScheduleError) -> Bool {
    type == .cron && error.code == .fieldCount && !text.isEmpty && !text.contains(where: \.isWhitespace)
}

/// Why the text is no schedule of the type, and what would be one. A single word that no cron expression is like is
/// said as what it looks like; what a parser of five fields finds in it helps nobody.
private func refused(
    _ text: String, _ type: ExpressionType, _ error: ScheduleError, _ isReadAs: (ExpressionType) -> Bool
) -> Failure {
    var failure = Failure(ExitCode.failure, ServiceError.invalidSchedule.name, "\(error)")
    failure.refusal = Refusal(error, expression: text)
    let other = ExpressionType.allCases.first { $0 != type && isReadAs($0) }
    if let other {
        failure.message = "\"\(text)\" is \(other.article) \(other.noun), not \(type.article) \(type.noun)"
        failure.advice = ["see it: botcronctl next --type \(other.rawValue) \(ShellWords.inQuotes(text))"]
    } else if isJobName(text, type, error) {
        failure.message = "\"\(text)\" looks like no schedule, but like the name of a job"
        failure.advice = [
            "a job of that name is not known here; all jobs: botcronctl list",
            "of an expression: botcronctl next '0 9 * * MON-FRI', or with --type interval 15m",
        ]
    } else {
        return failure
    }
    // All of it is meant, not the place where the fields end.
    failure.refusal?.position = 0
    failure.refusal?.value = text
    return failure
}

private func show(
    _ fires: [Instant], of timetable: Timetable, after: Instant, isAskedFromNow: Bool, _ context: Context
) {
    let screen = context.screen
    guard !screen.isJSON else {
        return screen.json(.array(fires.map { .string($0.rfc3339(in: timetable.zone)) }))
    }
    screen.line(screen.styled("\(timetable.explain())", .heading))
    for fire in fires {
        // Who asks about another time than now does not care how far away that is.
        let relative = isAskedFromNow ? "  " + context.times.relative(fire) : ""
        screen.line("  \(TimeText.absolute(fire, in: timetable.zone))\(relative)")
    }
    if fires.isEmpty { screen.line("  no fire times") }
    for note in timetable.notes(after: after) { screen.sentence("Note: \(note).") }
}
