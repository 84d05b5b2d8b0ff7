import Client
import Configuration
import Contract
import JSON
import Schedules
import Scheduling

/// `export`: definitions as they can be read again, here or by another scheduler.
extension Verb {
    static let exportJobs = Verb(
        "export", "[JOB…]", 0...1000, "definitions of jobs, to be kept or taken elsewhere",
        details: """
            botcronctl export > jobs.json
            botcronctl export --crontab | crontab -

            Without JOB all of them. What it prints is a section of config.json, and `add -` reads it, too; with --json
            it is an array of definitions. Who is disabled now is disabled in it. What a crontab or a unit has no word for
            stands in it as a comment.
            """,
        options: [
            Option("--crontab", "as a crontab"),
            Option("--systemd", "as timers and services of systemd's user manager, as `systemctl cat` prints them"),
        ],
        takes: [.job, .job, .job, .job], run: runExport)
}

private func runExport(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    guard !(request.has("--crontab") && request.has("--systemd")) else {
        throw request.usage("--crontab and --systemd: one of them")
    }
    let daemon = try context.daemon()
    var names = request.arguments
    if names.isEmpty { names = try allJobs(daemon, [:]).map { $0.text("name") } }
    var definitions: [JSONObject] = []
    for name in names { definitions.append(try definition(of: name, daemon)) }
    if request.has("--crontab") || request.has("--systemd") {
        let jobs = readable(definitions, context)
        let text =
            request.has("--crontab")
            ? CrontabText.text(of: jobs, zone: context.zone) : UnitText.text(of: jobs, zone: context.zone)
        if context.screen.isJSON {
            context.screen.json(.string(text))
        } else if context.screen.isTerminal {
            context.screen.line(Line(foreign: String(text.dropLast()), keepingLines: true))
        } else {
            context.screen.bytes(Array(text.utf8))
        }
        return jobs.count == definitions.count ? ExitCode.success : ExitCode.failure
    }
    let all = JSONValue.array(definitions.map { .object($0) })
    context.screen.json(context.screen.isJSON ? all : ["schedules": ["jobs": all]])
    return ExitCode.success
}

/// As it is in force: a job that is switched off says so.
private func definition(of name: String, _ daemon: Daemon) throws(Failure) -> JSONObject {
    let job = try daemon.json(.getJob, [.text(name)])
    var definition = job["definition"]?.objectValue ?? [:]
    // A name that was made up stands in no definition.
    if definition.jobName == nil { definition = definition.named(name) }
    if let isEnabled = job["enabled"]?.boolValue {
        for key in ["paused", "status"] { definition[key] = nil }
        definition["enabled"] = isEnabled ? (definition["enabled"] == false ? true : definition["enabled"]) : false
    }
    return definition
}

/// Those that can be understood; of the others it is said why not.
private func readable(_ definitions: [JSONObject], _ context: Context) -> [ExportedJob] {
    let reader = context.configurationReader
    var configuration = Configuration(timezone: context.zone)
    configuration.allowsPastEvents = true
    var jobs: [ExportedJob] = []
    for definition in definitions {
        do {
            let job = try reader.readJob(.object(definition), origin: .bus, in: configuration, isNew: true)
            jobs.append(ExportedJob(job: job, definition: definition))
        } catch {
            context.screen.warn("\(definition["name"]?.stringValue ?? "a job"): \(error.message)")
        }
    }
    return jobs
}
