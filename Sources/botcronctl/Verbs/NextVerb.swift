import Configuration
import JSON
import Schedules

/// `next`: what an expression means and when it fires, without a daemon.
extension Verb {
    static let next = Verb(
        "next", "'EXPRESSION'", 1...64, "when a schedule fires, what it means, and what may surprise",
        details: """
            A cron expression of five fields, or six with the seconds first, or a nickname such as @daily. Quote it, or
            the shell takes the stars for files. With --json it prints the fire times alone, as preview_schedule does.
            """,
        options: [
            Option("--tz", value: "ZONE", "an IANA time zone, or local (default: local)"),
            Option("-n", or: "--count", value: "N", "at most N fire times, up to 1000 (default: 5)"),
            Option("--after", value: "T", "fire times after T, such as 2026-12-25T09:00 (default: now)"),
            Option("--type", value: "TYPE", "cron, interval, calendar or once (default: cron)"),
        ],
        run: showNext)
}

private let countRange = 1...1000
private let countStandard = 5

private enum ExpressionType: String, CaseIterable { case cron, interval, calendar, once }

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
        var failure = Failure(
            ExitCode.failure, "com.aiworkflow.BotCron.Error.InvalidSchedule", "\(error)",
            advice: advice(text, type, zone, after, context))
        failure.refusal = Refusal(error, expression: text)
        throw failure
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
        throw request.usage("--tz: found \"\(name)\", \(error.sentence)")
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

/// The type that would read the text, where this one does not.
private func advice(
    _ text: String, _ type: ExpressionType, _ zone: TimeZoneRules, _ after: Instant, _ context: Context
) -> [String] {
    for other in ExpressionType.allCases where other != type {
        guard (try? makeTimetable(text, other, zone, after, context)) != nil else { continue }
        return ["it reads as another type of schedule: --type \(other.rawValue)"]
    }
    return []
}

private func show(
    _ fires: [Instant], of timetable: Timetable, after: Instant, isAskedFromNow: Bool, _ context: Context
) {
    let screen = context.screen
    guard !screen.isJSON else {
        return screen.json(.array(fires.map { .string($0.rfc3339(in: timetable.zone)) }))
    }
    screen.line(screen.styled(printable(timetable.explain()), .heading))
    for fire in fires {
        // Who asks about another time than now does not care how far away that is.
        let relative = isAskedFromNow ? "  " + context.times.relative(fire) : ""
        screen.line("  " + TimeText.absolute(fire, in: timetable.zone) + relative)
    }
    if fires.isEmpty { screen.line("  no fire times") }
    for note in timetable.notes(after: after) { screen.line("Note: \(printable(note)).") }
}
