import Client
import Contract
import JSON
import Schedules

/// `pause` and `resume`: of all schedules, or of those of some jobs.
extension Verb {
    static let pause = Verb(
        "pause", "[JOB…]", 0...256, "pause all schedules, or those of some jobs; runs go on",
        details: """
            What is paused can still be run by hand. What passes while all is paused is dealt with at the resumption, as
            each job's catch-up policy says; a job that is paused by name has no fire times meanwhile.
            """,
        options: [
            Option("--tag", value: "TAG", "the jobs with this tag"),
            Option("--group", value: "GROUP", "the jobs of this hold_group: their runs wait"),
            Option(
                "--until", value: "T",
                "of jobs and groups: they resume at T by themselves: 19:30, tomorrow, 'in 2 hours'"),
            Option("--reason", value: "TEXT", "of jobs: why, for whoever looks at them next"),
        ],
        takes: [.job, .job, .job, .job], run: pauseSchedules)

    static let resume = Verb(
        "resume", "[JOB…]", 0...256, "resume all schedules, or those of some jobs",
        options: [
            Option("--tag", value: "TAG", "the jobs with this tag"),
            Option("--group", value: "GROUP", "what waits for this hold_group"),
        ], takes: [.job, .job, .job, .job],
        run: resumeSchedules)
}

private func pauseSchedules(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    try change(request, isEnabled: false, context)
}

private func resumeSchedules(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    try change(request, isEnabled: true, context)
}

private func change(_ request: Request, isEnabled: Bool, _ context: Context) throws(Failure) -> Int32 {
    let daemon = try context.daemon()
    if let group = request.options["--group"] {
        guard request.arguments.isEmpty, !request.has("--tag"), !request.has("--reason") else {
            throw request.usage("--group stands alone, with --until at most")
        }
        return try hold(group, isWaiting: !isEnabled, request, daemon, context)
    }
    guard !request.arguments.isEmpty || request.has("--tag") else {
        for option in ["--until", "--reason"] where request.has(option) {
            throw request.usage(
                "\(option) is for jobs: name them, or --tag TAG; all schedules are paused until resume")
        }
        return try changeAll(isEnabled, daemon, context)
    }
    let names = try jobNames(request, daemon)
    guard !names.isEmpty else {
        throw Failure(
            ExitCode.notFound, ServiceError.jobNotFound.name,
            "no job has the tag \"\(request.options["--tag"] ?? "")\"",
            advice: ["tags are seen with: botcronctl show JOB"])
    }
    var until: String?
    if let text = request.options["--until"] {
        until = try context.moment(text, of: "--until", request).instant.rfc3339(in: context.zone)
    }
    for name in names {
        var object: JSONObject = ["job": .string(name)]
        if let until { object["until"] = .string(until) }
        if let reason = request.options["--reason"] { object["reason"] = .string(reason) }
        try daemon.call(isEnabled ? .resumeJob : .pauseJob, [.text(JSONValue.object(object).compactText)])
        if !context.screen.isJSON {
            context.screen.sentence(
                "\(name) is \(isEnabled ? "in force" : "paused")\(until.map { " until \($0)" } ?? "")")
        }
    }
    if context.screen.isJSON {
        context.screen.json(["success": true, "jobs": .array(names.map { .string($0) }), "enabled": .bool(isEnabled)])
    }
    return ExitCode.success
}

/// Those that are named and those that have the tag, each once. A name is asked for first, so that one that is mistyped
/// changes nothing.
private func jobNames(_ request: Request, _ daemon: Daemon) throws(Failure) -> [String] {
    var names: [String] = []
    for name in request.arguments where !names.contains(name) {
        try daemon.call(.getJob, [.text(name)])
        names.append(name)
    }
    guard let tag = request.options["--tag"] else { return names }
    return names
        + (try allJobs(daemon, ["tag": .string(tag)])).map { $0.text("name") }.filter { !names.contains($0) }
}

private func hold(
    _ group: String, isWaiting: Bool, _ request: Request, _ daemon: Daemon, _ context: Context
) throws(Failure) -> Int32 {
    var until = ""
    if let text = request.options["--until"] {
        until = try context.moment(text, of: "--until", request).instant.rfc3339(in: context.zone)
    }
    if isWaiting {
        try daemon.call(.holdGroup, [.text(group), .text(until)])
    } else {
        try daemon.call(.releaseGroup, [.text(group)])
    }
    if context.screen.isJSON {
        context.screen.json(["success": true, "group": .string(group), "held": .bool(isWaiting)])
    } else {
        let end = until.isEmpty ? "" : " until \(until)"
        context.screen.line(isWaiting ? "jobs of \(group) wait\(end)" : "jobs of \(group) go on")
    }
    return ExitCode.success
}

private func changeAll(_ isEnabled: Bool, _ daemon: Daemon, _ context: Context) throws(Failure) -> Int32 {
    try daemon.call(.toggleScheduler, [.flag(isEnabled)])
    if context.screen.isJSON {
        context.screen.json(["success": true, "enabled": .bool(isEnabled)])
    } else {
        context.screen.line(isEnabled ? "all schedules are in force" : "all schedules are paused")
    }
    return ExitCode.success
}
