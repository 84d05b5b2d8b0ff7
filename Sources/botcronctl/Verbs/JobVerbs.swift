import Client
import Contract
import JSON
import Schedules

/// Verbs on jobs: `list`, `show`, `enable`, `disable`, `skip`.
extension Verb {
    static let list = Verb(
        "list", "[PATTERN]", 0...1, "every job, with its next fire time",
        details: "PATTERN is one of names, as the shell has them: 'nightly-*'. Quote it.",
        options: [
            Option("--failed", "only jobs whose last run failed, or that cannot be scheduled"),
            Option("--tag", value: "TAG", "only jobs with this tag"),
        ],
        takes: [.job], run: listJobs)

    static let show = Verb(
        "show", "JOB", 1...1, "one job: its definition, its state, its last runs", takes: [.job], run: showJob)

    static let enable = Verb(
        "enable", "JOB", 1...1, "put the schedule of a job in force", takes: [.job], run: enableJob)

    static let disable = Verb(
        "disable", "JOB", 1...1, "put the schedule of a job out of force",
        details: """
            The daemon remembers it through restarts and reloads. The job can still be run by hand. With --until the job
            resumes by itself. The reason is seen in show, list and why.
            """,
        options: [
            Option("--until", value: "T", "resume at T: 2026-12-25T09:00, 2026-12-25, 19:30, tomorrow, 'in 2 hours'"),
            Option("--reason", value: "TEXT", "why: for whoever looks at the job next"),
        ],
        takes: [.job], run: disableJob)

    static let skip = Verb(
        "skip", "JOB", 1...1, "leave out the next fire time of a job",
        options: [Option("--reason", value: "TEXT", "why: for whoever looks at the job next")],
        takes: [.job], run: skipFireTime)
}

// MARK: - list

private func listJobs(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let daemon = try context.daemon()
    var filter: JSONObject = [:]
    if let pattern = request.arguments.first { filter["pattern"] = .string(pattern) }
    if request.has("--failed") { filter["failed"] = true }
    if let tag = request.options["--tag"] { filter["tag"] = .string(tag) }
    let all = try allJobs(daemon, filter)
    guard !context.screen.isJSON else {
        context.screen.json(.array(all))
        return ExitCode.success
    }
    guard !all.isEmpty || filter.isEmpty else {
        context.screen.sentence("No job is like that; botcronctl list shows all.")
        return ExitCode.success
    }
    guard !all.isEmpty else {
        let path = try daemon.json(.getStats).text("configuration")
        context.screen.sentence("No jobs. They are defined in \(path), or created over the bus.")
        return ExitCode.success
    }
    let pause = try pause(of: daemon, concerning: all)
    var table = Table("JOB", "NEXT", "LAST", "SCHEDULE", details: ["SCHEDULE"])
    for job in all {
        table.add([
            .init(job.text("name"), isWhole: true), nextCell(of: job, pause, context), lastCell(of: job, context),
            .init(schedule(of: job)),
        ])
    }
    table.print(on: context.screen)
    if case .since(let instant, let author) = pause {
        let since = instant.map { " since " + context.times.absoluteAndRelative($0) } ?? ""
        let by = author.isEmpty ? "" : " by \(author)"
        context.screen.sentence("All schedules are paused\(since)\(by); botcronctl resume puts them in force.")
    }
    for job in all where !job.text("error").isEmpty {
        // The list has no definitions, and the caret needs the expression.
        let definition = (try? daemon.json(.getJob, [.text(job.text("name"))]))?["definition"]
        context.screen.problem(job.text("name"), job.text("error"), definition)
    }
    return ExitCode.success
}

/// Every job by name, page by page: the answer to one call cannot hold any number of them. A daemon that knows no pages
/// is asked for all at once.
func allJobs(_ daemon: Daemon, _ wanted: JSONObject) throws(Failure) -> [JSONValue] {
    var jobs: [JSONValue] = []
    var filter = wanted
    filter["limit"] = .number(InterfaceLimits.jobsOfPage)
    while true {
        let page: JSONValue
        do throws(Failure) {
            page = try daemon.json(.queryJobs, [.text(JSONValue.object(filter).compactText)])
        } catch  where jobs.isEmpty && wanted.isEmpty && error.name == BusError.unknownMethod.name {
            return try daemon.json(.listJobs).arrayValue ?? []
        }
        jobs += page["jobs"]?.arrayValue ?? []
        guard let cursor = page["next_cursor"], !cursor.isNull else { return jobs }
        guard cursor != filter["cursor"] else {
            throw Failure(ClientError.unreadableAnswer(.queryJobs, reason: "a page of jobs leads to itself"))
        }
        filter["cursor"] = cursor
    }
}

/// Whether all schedules are paused.
private enum Pause {
    case none
    /// Since when, where the daemon tells.
    case since(Instant?, by: String)
}

/// Asked only where it would explain something: a job that is enabled, has a schedule, and has no next fire time.
private func pause(of daemon: Daemon, concerning jobs: [JSONValue]) throws(Failure) -> Pause {
    guard jobs.contains(where: isIdle), try daemon.property("Enabled").flag == false else { return .none }
    let status = try daemon.json(.getStats)
    return .since(status.instant("paused_since"), by: status.text("paused_by"))
}

/// Whether nothing says why the job has no next fire time.
private func isIdle(_ job: JSONValue) -> Bool {
    job.text("error").isEmpty && job.instant("next_run") == nil && job["enabled"]?.boolValue != false
        && job["schedule_type"]?.stringValue != nil
}

/// Characters of a reason in a narrow list; `show` has it in full.
private let shortReason = 20

private func nextCell(of job: JSONValue, _ pause: Pause, _ context: Context) -> Table.Cell {
    if !job.text("error").isEmpty { return .init("not schedulable", .bad) }
    if let next = job.instant("next_run") {
        return .init(context.times.absoluteAndRelative(next), short: context.times.relative(next))
    }
    if job["enabled"]?.boolValue == false {
        let reason = job.text("disabled_reason")
        guard !reason.isEmpty else { return .init("disabled", .faint) }
        let short = reason.count > shortReason ? reason.prefix(shortReason - 1) + "…" : reason[...]
        return .init("disabled: \(reason)", .faint, short: "disabled: \(short)")
    }
    guard isIdle(job) else { return .init("by hand", .faint) }
    guard case .since(let instant, _) = pause else { return .init("none", .faint) }
    return .init("paused" + (instant.map { ", " + context.times.relative($0) } ?? ""), .warning)
}

private func lastCell(of job: JSONValue, _ context: Context) -> Table.Cell {
    if !job.texts("running").isEmpty { return isLate(job) ? .init("running, late", .warning) : .init("running") }
    let awaited = job.texts("waiting_for")
    if !awaited.isEmpty { return .init("waits for " + awaited.joined(separator: " and for ")) }
    guard let status = job["last_status"]?.stringValue else {
        return isLate(job) ? .init("never, late", .warning) : .init("never", .faint)
    }
    let ago = job.instant("last_run").map { ", " + context.times.relative($0) } ?? ""
    if isLate(job) { return .init("late; \(status)\(ago)", .warning) }
    return .init(status + ago, Style.ofStatus(status))
}

private func isLate(_ job: JSONValue) -> Bool { job["late"]?.boolValue == true }

private func schedule(of job: JSONValue) -> String {
    guard let type = job["schedule_type"]?.stringValue else { return job.text("cron") }
    let text = job.text("schedule")
    return type == "cron" ? text : "\(type) \(text)"
}

extension Screen {
    /// A job that cannot be scheduled: why, and where in the expression.
    func problem(_ name: String, _ error: String, _ definition: JSONValue?) {
        line("")
        sentence("\(styled("\(name)", .bad)): \(error)")
        for shown in Refusal(error, definition: definition)?.lines ?? [] { line("  \(shown)") }
    }
}

// MARK: - show

/// Changes that `show` has; all that are kept are in its JSON.
private let shownChanges = 5

private func showJob(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let daemon = try context.daemon()
    let job = try daemon.json(.getJob, [.text(request.arguments[0])])
    let screen = context.screen
    guard !screen.isJSON else {
        screen.json(job)
        return ExitCode.success
    }
    let title = job.text("title")
    let pause = try pause(of: daemon, concerning: [job])
    var facts = Facts()
    facts.add("name", job.text("name") + (title.isEmpty || title == job.text("name") ? "" : " (\(title))"))
    facts.add("description", job.text("description"))
    facts.add("enabled", job["enabled"]?.boolValue == false ? "no" : "yes")
    facts.add("schedule", schedule(of: job))
    facts.add("zone", job.text("timezone"))
    facts.add("next", nextCell(of: job, pause, context).text)
    facts.add("last", lastCell(of: job, context).text)
    if let since = job.instant("late_since") {
        facts.add("late", "since " + context.times.absoluteAndRelative(since))
    }
    facts.add("runs", "\(job["run_count"]?.intValue ?? 0), of which \(job["failure_count"]?.intValue ?? 0) failed")
    facts.add("running", job.texts("running").joined(separator: ", "))
    facts.add("mode", job.text("execution_mode"))
    facts.add("skill", job.text("skill"))
    facts.add("persona", job.text("persona"))
    facts.add("tags", job.texts("tags").joined(separator: ", "))
    facts.add("tells", toldTargets(of: job))
    facts.add("origin", job.text("origin") == "bus" ? "created over the bus" : "config.json")
    facts.print(on: screen)
    if let error = job["error"]?.stringValue {
        screen.problem(job.text("name"), error, job["definition"])
    }
    if let changes = job["changes"]?.arrayValue, !changes.isEmpty {
        screen.line("\n\(screen.styled("Last changes", .heading))")
        for change in changes.prefix(shownChanges) { ChangeText(context).print(change) }
    }
    if let definition = job["definition"] {
        screen.line("\n\(screen.styled("Definition", .heading))")
        screen.line(Line(foreign: definition.prettyText(indent: 2), keepingLines: true))
    }
    if let runs = job["recent_runs"]?.arrayValue, !runs.isEmpty {
        screen.line("\n\(screen.styled("Last runs", .heading))")
        RunText(context).table(of: runs, showsJob: false).print(on: screen)
    }
    return ExitCode.success
}

/// Whom its definition names; nothing where that is left to the section.
private func toldTargets(of job: JSONValue) -> String {
    (job["notify"]?.arrayValue ?? []).map { $0.stringValue ?? $0.text("target") }.joined(separator: ", ")
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
    let daemon = try context.daemon()
    var until = ""
    var argument: JSONObject = ["job": .string(name)]
    if let text = request.options["--until"] {
        let moment = try context.moment(text, of: "--until", request)
        argument["until"] = .string(moment.instant.rfc3339(in: context.zone))
        // What is relative is said as what it was taken for.
        until = " until " + (moment.isAbsolute ? text : context.times.absoluteAndRelative(moment.instant))
    }
    if let reason = request.options["--reason"] { argument["reason"] = .string(reason) }
    if argument.count > 1 {
        try daemon.call(.pauseJob, [.text(JSONValue.object(argument).compactText)])
    } else {
        try daemon.call(.toggleJob, [.text(name), .flag(isEnabled)])
    }
    guard !context.screen.isJSON else {
        context.screen.json(["success": true, "job": .string(name), "enabled": .bool(isEnabled)])
        return ExitCode.success
    }
    var next = ""
    if isEnabled {
        let job = try daemon.json(.getJob, [.text(name)])
        next = ", next: " + nextCell(of: job, try pause(of: daemon, concerning: [job]), context).text
    }
    context.screen.sentence("\(name) is \(isEnabled ? "enabled" : "disabled")\(until)\(next)")
    return ExitCode.success
}

private func skipFireTime(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let name = request.arguments[0]
    var argument = name
    if let reason = request.options["--reason"] {
        argument = JSONValue.object(["job": .string(name), "reason": .string(reason)]).compactText
    }
    let answer = try context.daemon().json(.skipJob, [.text(argument)])
    guard let skipped = answer.instant("skipped") else {
        throw Failure(
            ExitCode.failure, BusError.failed.name,
            "the job \"\(name)\" has no next fire time: there is nothing to skip",
            advice: ["see why: botcronctl why \(name)"])
    }
    guard !context.screen.isJSON else {
        context.screen.json(answer)
        return ExitCode.success
    }
    let next = answer.instant("next_run").map { context.times.absoluteAndRelative($0) } ?? "none"
    context.screen.sentence("\(name) will not run at \(context.times.absoluteAndRelative(skipped)), next: \(next)")
    return ExitCode.success
}
