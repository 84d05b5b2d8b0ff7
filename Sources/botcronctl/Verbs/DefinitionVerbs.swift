import Client
import Configuration
import Contract
import Glibc
import JSON

/// Verbs that make and change definitions: `add`, `copy`, `rename`, `tag`, `remove`; `edit` has a file of its own.
extension Verb {
    static let add = Verb(
        "add", "NAME", 1...1, "a new job, with its schedule and what it runs",
        details: """
            botcronctl add hello --every 10s -- echo hello
            botcronctl add standup --cron '0 9 * * MON-FRI' --message 'Write the standup'

            What stands behind -- is run as it is, without a shell. A job without a schedule runs by hand. With - for
            NAME definitions are read from standard input as JSON: one, as `show JOB --json` has it, an array of them,
            or what `export` writes.
            """,
        options: JobOption.all.map(\.option) + [
            Option("--set", value: "KEY=VALUE", "any other key of a job: JSON or text; once for each"),
            Option("--replace", "take the place of a job of that name"),
        ],
        takesCommand: true, run: addJob)

    static let copy = Verb(
        "copy", "JOB NEW", 2...2, "the same job under another name, disabled until `enable`",
        details: "It lives where the first one does: in config.json, or with the daemon.", takes: [.job, .text],
        run: copyJob)

    static let rename = Verb(
        "rename", "JOB NEW", 2...2, "give a job another name",
        details: "Runs that are on record stay under the old name. Jobs that name it in a chain are not changed.",
        takes: [.job, .text], run: renameJob)

    static let tag = Verb(
        "tag", "JOB TAG…", 2...64, "give a job tags, or take them from it",
        details: "Jobs are found by them: list --tag, pause --tag.",
        options: [Option("--remove", "take them from it")], takes: [.job], run: tagJob)

    static let remove = Verb(
        "remove", "JOB", 1...1, "take a job away; its history stays",
        details: """
            A job of config.json is taken out of the file, and everything else in it stays as it is. A run that is under
            way goes on to its end.
            """,
        takes: [.job], run: removeJob)
}

// MARK: - add

private func addJob(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let definitions: [JSONValue]
    if request.arguments[0] == "-" {
        definitions = try definitionsOfInput(request)
    } else {
        definitions = [.object(try JobDefinition(request, context).object)]
    }
    let daemon = try context.daemon()
    var answers: [JSONValue] = []
    for definition in definitions {
        if !request.has("--replace"), let name = definition["name"]?.stringValue { try requireFree(name, daemon) }
        let answer = try schedule(definition, daemon)
        answers.append(answer)
        if !context.screen.isJSON { context.screen.line(added(answer, definition, context)) }
    }
    if context.screen.isJSON { context.screen.json(answers.count == 1 ? answers[0] : .array(answers)) }
    return ExitCode.success
}

private func definitionsOfInput(_ request: Request) throws(Failure) -> [JSONValue] {
    if let option = JobOption.all.first(where: { request.has($0.name) }) {
        throw request.usage("\(option.name) and -: the definition comes from standard input alone")
    }
    let text = String(decoding: try standardInput(request), as: UTF8.self)
    let value: JSONValue
    do {
        value = try JSONValue(parsing: text)
    } catch {
        throw request.usage("standard input: \(error.description)")
    }
    // What `export` writes is a section of config.json, or an array.
    return value["schedules"]?["jobs"]?.arrayValue ?? value.arrayValue ?? [value]
}

/// As much as a configuration may hold; a definition is far below it.
private let inputMax = ConfigurationFile.bytesMax

func standardInput(_ request: Request) throws(Failure) -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = Glibc.read(STDIN_FILENO, &buffer, buffer.count)
        if count < 0, errno == EINTR { continue }
        guard count >= 0 else {
            throw Failure.broken("cannot read standard input: \(String(cString: strerror(errno)))")
        }
        guard count > 0 else { return bytes }
        bytes += buffer[..<count]
        guard bytes.count <= inputMax else {
            throw request.usage("standard input: more than \(inputMax) bytes, which no definitions need")
        }
    }
}

/// `schedule_job` replaces what there is: here that has to be said.
func requireFree(_ name: String, _ daemon: Daemon) throws(Failure) {
    do throws(Failure) {
        try daemon.call(.getJob, [.text(name)])
    } catch {
        guard error.name == ServiceError.jobNotFound.name else { throw error }
        return
    }
    throw Failure(
        ExitCode.failure, ServiceError.jobExists.name, "there is a job \"\(name)\" already",
        advice: ["see it: botcronctl show \(name)", "change it: botcronctl edit \(name)"])
}

/// Has the daemon keep a definition. What it refuses is shown with its place.
func schedule(_ definition: JSONValue, _ daemon: Daemon) throws(Failure) -> JSONValue {
    do throws(Failure) {
        return try daemon.json(.scheduleJob, [.text(definition.compactText)])
    } catch {
        // The daemon's text has the expression and a caret in lines of their own.
        var failure = error
        let lines = failure.message.split(separator: "\n", maxSplits: 1)
        failure.message = String(lines.first ?? "")
        failure.refusal = Refusal(failure.message, definition: nil)
        if lines.count > 1 { failure.refusal?.expression = lines[1].split(separator: "\n").first.map(String.init) }
        throw failure
    }
}

private func added(_ answer: JSONValue, _ definition: JSONValue, _ context: Context) -> Line {
    let name = answer.text("job_id")
    if let next = answer.instant("next_run") {
        return "\(name) is added, next: \(context.times.absoluteAndRelative(next))"
    }
    if definition["enabled"]?.boolValue == false {
        return "\(name) is added, disabled; put it in force: botcronctl enable \(name)"
    }
    return "\(name) is added; run it: botcronctl run \(name)"
}

// MARK: - copy, rename, tag, remove

/// Where a definition lives.
enum JobHome {
    case bus
    case file(ConfigurationJobs)

    init(_ job: JSONValue, _ daemon: Daemon, _ context: Context) throws(Failure) {
        self = job.text("origin") == "bus" ? .bus : .file(try ConfigurationJobs(of: daemon, context))
    }
}

private func copyJob(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let (name, new) = (request.arguments[0], request.arguments[1])
    let daemon = try context.daemon()
    let job = try daemon.json(.getJob, [.text(name)])
    try requireFree(new, daemon)
    var copy = (job["definition"]?.objectValue ?? [:]).named(new)
    for key in ["paused", "status"] { copy[key] = nil }
    copy["enabled"] = false
    switch try JobHome(job, daemon, context) {
    case .bus: _ = try schedule(.object(copy), daemon)
    case .file(let file):
        try file.append(.object(copy), as: new)
        try daemon.call(.reloadConfig)
    }
    guard !context.screen.isJSON else {
        context.screen.json(["success": true, "job": .string(new), "copied_from": .string(name)])
        return ExitCode.success
    }
    context.screen.sentence("\(new) is a copy of \(name), disabled; put it in force: botcronctl enable \(new)")
    return ExitCode.success
}

private func renameJob(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let (name, new) = (request.arguments[0], request.arguments[1])
    let daemon = try context.daemon()
    let job = try daemon.json(.getJob, [.text(name)])
    try requireFree(new, daemon)
    switch try JobHome(job, daemon, context) {
    case .bus:
        // First the new one: whatever comes between, no definition is lost.
        _ = try schedule(.object((job["definition"]?.objectValue ?? [:]).named(new)), daemon)
        try daemon.call(.cancelJob, [.text(name)])
    case .file(let file):
        try file.rename(name, to: new)
        try daemon.call(.reloadConfig)
    }
    // An override is of the old name, and would be gone with it.
    let isEnabled = job["enabled"]?.boolValue ?? true
    if try daemon.json(.getJob, [.text(new)])["enabled"]?.boolValue != isEnabled {
        try daemon.call(.toggleJob, [.text(new), .flag(isEnabled)])
    }
    guard !context.screen.isJSON else {
        context.screen.json(["success": true, "job": .string(new), "renamed_from": .string(name)])
        return ExitCode.success
    }
    context.screen.sentence("\(name) is called \(new) from now on; its history stays under \(name)")
    return ExitCode.success
}

private func tagJob(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let name = request.arguments[0]
    let words = request.arguments.dropFirst()
    let daemon = try context.daemon()
    let job = try daemon.json(.getJob, [.text(name)])
    var tags = job.texts("tags").filter { !request.has("--remove") || !words.contains($0) }
    if !request.has("--remove") { for word in words where !tags.contains(word) { tags.append(word) } }
    switch try JobHome(job, daemon, context) {
    case .bus:
        var definition = job["definition"]?.objectValue ?? [:]
        definition["tags"] = .array(tags.map { .string($0) })
        _ = try schedule(.object(definition), daemon)
    case .file(let file):
        try file.setTags(tags, of: name)
        try daemon.call(.reloadConfig)
    }
    guard !context.screen.isJSON else {
        context.screen.json(["success": true, "job": .string(name), "tags": .array(tags.map { .string($0) })])
        return ExitCode.success
    }
    context.screen.line(tags.isEmpty ? "\(name) has no tags" : "\(name) has the tags \(tags.joined(separator: ", "))")
    return ExitCode.success
}

private func removeJob(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let name = request.arguments[0]
    let daemon = try context.daemon()
    let job = try daemon.json(.getJob, [.text(name)])
    var place = ""
    switch try JobHome(job, daemon, context) {
    case .bus: try daemon.call(.cancelJob, [.text(name)])
    case .file(let file):
        try file.remove(name)
        try daemon.call(.reloadConfig)
        place = " from \(file.path)"
    }
    guard !context.screen.isJSON else {
        context.screen.json(["success": true, "job": .string(name)])
        return ExitCode.success
    }
    context.screen.sentence("\(name) is removed\(place)")
    return ExitCode.success
}
