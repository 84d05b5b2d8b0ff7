import Configuration
import DBus
import JSON
import Schedules

/// Verbs on jobs: `list`, `show`, `enable`, `disable`, `skip`.
extension Verb {
    static let list = Verb("list", "every job, with its next fire time", run: listJobs)

    static let show = Verb("show", "JOB", 1...1, "one job: its definition, its state, its last runs", run: showJob)

    static let enable = Verb("enable", "JOB", 1...1, "put the schedule of a job in force", run: enableJob)

    static let disable = Verb(
        "disable", "JOB", 1...1, "put the schedule of a job out of force",
        details: """
            The daemon remembers it through restarts and reloads. The job can still be run by hand. With --until the job
            resumes by itself.
            """,
        options: [Option("--until", value: "T", "resume at T: an instant such as 2026-12-25T09:00 or 2026-12-25")],
        run: disableJob)

    static let skip = Verb("skip", "JOB", 1...1, "leave out the next fire time of a job", run: skipFireTime)
}

// MARK: - list

private func listJobs(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let client = try context.daemon()
    let jobs = try client.json("list_jobs")
    guard !context.screen.isJSON else {
        context.screen.json(jobs)
        return ExitCode.success
    }
    let all = jobs.arrayValue ?? []
    guard !all.isEmpty else {
        let path = try client.json("GetStats").text("configuration")
        context.screen.line("No jobs. They are defined in \(printable(path)), or created over the bus.")
        return ExitCode.success
    }
    var table = Table("JOB", "NEXT", "LAST", "SCHEDULE")
    for job in all {
        table.add([
            .init(job.text("name")), nextCell(of: job, context), lastCell(of: job, context), .init(schedule(of: job)),
        ])
    }
    table.print(on: context.screen)
    let isAnyDue = all.contains { !($0["next_run"]?.isNull ?? true) }
    if !isAnyDue, try client.json("GetStats")["enabled"] == false {
        context.screen.line("All schedules are paused; botcronctl resume puts them in force.")
    }
    for job in all where !job.text("error").isEmpty {
        // The list has no definitions, and the caret needs the expression.
        let definition = (try? client.json("get_job", [.string(job.text("name"))]))?["definition"]
        for line in problemLines(job.text("name"), job.text("error"), definition, context.screen) {
            context.screen.line(line)
        }
    }
    return ExitCode.success
}

private func nextCell(of job: JSONValue, _ context: Context) -> Table.Cell {
    if !job.text("error").isEmpty { return .init("not schedulable", .bad) }
    if let next = job.instant("next_run") { return .init(context.times.absoluteAndRelative(next)) }
    if job["enabled"]?.boolValue == false { return .init("disabled", .faint) }
    return .init(job["schedule_type"]?.stringValue == nil ? "by hand" : "none", .faint)
}

private func lastCell(of job: JSONValue, _ context: Context) -> Table.Cell {
    if !job.texts("running").isEmpty { return .init("running") }
    let awaited = job.texts("waiting_for")
    if !awaited.isEmpty { return .init("waits for " + awaited.joined(separator: " and for ")) }
    guard let status = job["last_status"]?.stringValue else { return .init("never", .faint) }
    let ago = job.instant("last_run").map { ", " + context.times.relative($0) } ?? ""
    return .init(status + ago, Style.ofStatus(status))
}

private func schedule(of job: JSONValue) -> String {
    guard let type = job["schedule_type"]?.stringValue else { return job.text("cron") }
    let text = job.text("schedule")
    return type == "cron" ? text : "\(type) \(text)"
}

/// A job that cannot be scheduled: why, and where in the expression.
func problemLines(_ name: String, _ error: String, _ definition: JSONValue?, _ screen: Screen) -> [String] {
    let refusal = Refusal(error, definition: definition)
    return ["", screen.styled(printable(name), .bad) + ": " + printable(error)]
        + (refusal?.lines ?? []).map { "  " + $0 }
}

// MARK: - show

private func showJob(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let job = try context.daemon().json("get_job", [.string(request.arguments[0])])
    let screen = context.screen
    guard !screen.isJSON else {
        screen.json(job)
        return ExitCode.success
    }
    let title = job.text("title")
    var facts = Facts()
    facts.add("name", job.text("name") + (title.isEmpty || title == job.text("name") ? "" : " (\(title))"))
    facts.add("description", job.text("description"))
    facts.add("enabled", job["enabled"]?.boolValue == false ? "no" : "yes")
    facts.add("schedule", schedule(of: job))
    facts.add("zone", job.text("timezone"))
    facts.add("next", nextCell(of: job, context).text)
    facts.add("last", lastCell(of: job, context).text)
    facts.add("runs", "\(job["run_count"]?.intValue ?? 0), of which \(job["failure_count"]?.intValue ?? 0) failed")
    facts.add("running", job.texts("running").joined(separator: ", "))
    facts.add("mode", job.text("execution_mode"))
    facts.add("skill", job.text("skill"))
    facts.add("persona", job.text("persona"))
    facts.add("tags", job.texts("tags").joined(separator: ", "))
    facts.add("origin", job.text("origin") == "bus" ? "created over the bus" : "config.json")
    facts.print(on: screen)
    if let error = job["error"]?.stringValue {
        for line in problemLines(job.text("name"), error, job["definition"], screen) { screen.line(line) }
    }
    if let definition = job["definition"] {
        screen.line("\n" + screen.styled("Definition", .heading))
        screen.line(printable(definition.prettyText(indent: 2), keepingLines: true))
    }
    if let runs = job["recent_runs"]?.arrayValue, !runs.isEmpty {
        screen.line("\n" + screen.styled("Last runs", .heading))
        RunText(context).table(of: runs, showsJob: false).print(on: screen)
    }
    return ExitCode.success
}

// MARK: - enable, disable, skip

private func enableJob(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    try toggle(request, isEnabled: true, context)
}

private func disableJob(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    try toggle(request, isEnabled: false, context)
}

private func toggle(_ request: Request, isEnabled: Bool, _ context: Context) throws(Failure) -> Int32 {
    let name = request.arguments[0]
    let until = request.options["--until"]
    let client = try context.daemon()
    if let until {
        let instant = try context.instant(until, of: "--until", request)
        let argument: JSONValue = ["job": .string(name), "until": .string(instant.rfc3339(in: context.zone))]
        try client.call("pause_job", [.string(argument.compactText)])
    } else {
        try client.call("toggle_job", [.string(name), .bool(isEnabled)])
    }
    guard !context.screen.isJSON else {
        context.screen.json(["success": true, "job": .string(name), "enabled": .bool(isEnabled)])
        return ExitCode.success
    }
    let job = try client.json("get_job", [.string(name)])
    let next = isEnabled ? ", next: " + nextCell(of: job, context).text : ""
    context.screen.line(
        "\(printable(name)) is \(isEnabled ? "enabled" : "disabled")\(until.map { " until \($0)" } ?? "")\(next)")
    return ExitCode.success
}

private func skipFireTime(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let name = request.arguments[0]
    let answer = try context.daemon().json("skip_job", [.string(name)])
    guard !context.screen.isJSON else {
        context.screen.json(answer)
        return ExitCode.success
    }
    func text(_ key: String) -> String { answer.instant(key).map { context.times.absoluteAndRelative($0) } ?? "none" }
    context.screen.line("\(printable(name)) will not run at \(text("skipped")), next: \(text("next_run"))")
    return ExitCode.success
}

extension Context {
    /// An instant as a person writes it; without an offset in the zone that times are shown in.
    func instant(
        _ text: String, of option: String, _ request: Request, in zone: TimeZoneRules? = nil
    ) throws(Failure) -> Instant {
        do {
            return try Instant.absolute(text, zone: zone ?? self.zone)
        } catch {
            var failure = request.usage("\(option): \(error.sentence)")
            failure.refusal = Refusal(error, expression: text)
            throw failure
        }
    }
}
