import JSON
import Schedules
import Scheduling

/// A job that is written for another scheduler.
struct ExportedJob {
    var job: Job
    var definition: JSONObject

    /// What became of it there.
    enum Result {
        /// - Parameters:
        ///   - settings: lines that have to stand before its own, which are `lines`.
        ///   - left: what of the definition has no word there.
        case written(settings: [String] = [], lines: [String], left: [String])
        case impossible(String)
    }

    /// Keys that are about the job, and not about what it does.
    private static let silent: Set<String> = [
        "name", "job_id", "schedule_id", "id", "title", "job_name", "description", "tags", "metadata", "owner",
        "user_id", "module_id", "version", "enabled", "paused", "status", "schedule_type", "schedule", "value",
        "recurring", "cron", "cron_expr", "calendar", "on_calendar", "interval", "once", "schedules", "schedule_time",
        "interval_type", "interval_value", "timezone", "command", "script", "args", "execution_mode", "history_limit",
        "trace_enabled",
    ]

    /// The keys of the definition that ask for something of which the other scheduler knows nothing.
    ///
    /// - Parameter known: its keys, and those whose value is what it does anyway.
    func keysLeft(known: Set<String>, same: [String: JSONValue]) -> [String] {
        definition.compactMap { key, value in
            if Self.silent.contains(key) || known.contains(key) || value.isNull || same[key] == value { return nil }
            return key
        }
    }

    /// Variables in the order of the definition.
    var environment: [(name: String, value: String)] {
        (definition["environment"]?.objectValue ?? [:]).compactMap { name, _ in
            job.environment[name].map { (name, $0) }
        }
    }

    /// A program and its arguments, or text for a shell.
    enum Work {
        case shell(String)
        case arguments([String])
    }

    /// Nil where only BotCron knows what it runs.
    var work: Work? {
        switch job.action {
        case .shell(let text): .shell(text)
        case .command(let words): .arguments(words)
        case .script(let interpreter, let path, let arguments):
            interpreter.contains { $0.contains("$") } ? nil : .arguments(interpreter + [path] + arguments)
        case .runner: nil
        }
    }

    static let noWork = "what it runs is made by a runner of BotCron"

    /// What stands above a job in a text, as comments.
    func comments(left: [String]) -> [String] {
        var lines: [String] = []
        if job.title != job.name || !job.description.isEmpty { lines.append(job.title) }
        lines += job.description.split(separator: "\n").map(String.init)
        if !left.isEmpty { lines.append("(\(job.name): not carried over: \(left.joined(separator: ", ")))") }
        return lines.map { "# " + String($0.map { $0.isNewline ? " " : $0 }) }
    }
}
