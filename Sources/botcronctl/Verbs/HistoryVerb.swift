import Client
import Contract
import JSON
import Schedules
import Scheduling

/// `history`: what ran, and what did not.
extension Verb {
    static let history = Verb(
        "history", "[JOB]", 0...1, "what ran, and what did not run and why; newest first",
        options: [
            Option("-n", or: "--limit", value: "N", "at most N runs, up to 1000 (default: 20)"),
            Option(
                "--status", value: "STATUS", of: .choice(Run.Status.allCases.map(\.rawValue)),
                "only runs of this status: success, failed, timeout, missed, …"),
            Option("--failed", "only runs that did not succeed: failed, timeout, interrupted, missed"),
            Option("--since", value: "T", "only runs since T: an instant, or so long ago: 2h, 7d"),
        ],
        takes: [.job], run: showHistory)
}

private let historyRange = 1...InterfaceLimits.historyRuns

private func showHistory(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let limit = try request.integer("-n", historyRange, default: InterfaceLimits.historyRunsStandard)
    let name = request.arguments.first
    var filter: JSONObject = ["limit": .number(limit)]
    if let name { filter["job"] = .string(name) }
    if let status = request.options["--status"] {
        guard !request.has("--failed") else { throw request.usage("--failed and --status both say which runs") }
        filter["status"] = .string(status)
    }
    if let since = request.options["--since"] { filter["since"] = .string(instant(ago: since, context)) }
    let daemon = try context.daemon()
    let runs = try runs(daemon, filter, limit, areFailed: request.has("--failed"))
    let isEmpty = runs.isEmpty
    // Runs outlive their job, so the name is looked up only where it leads to nothing: it may be mistyped.
    if isEmpty, let name { try daemon.call(.getJob, [.text(name)]) }
    guard !context.screen.isJSON else {
        context.screen.json(.array(runs))
        return ExitCode.success
    }
    guard !isEmpty else {
        let kind = filter["status"] != nil || filter["since"] != nil || request.has("--failed") ? "such runs" : "runs"
        context.screen.line("No \(kind) on record\(name.map { " of \($0)" } ?? "").")
        return ExitCode.success
    }
    RunText(context).table(of: runs, showsJob: name == nil).print(on: context.screen)
    return ExitCode.success
}

private let failedStatuses: Set = ["failed", "timeout", "interrupted", "missed"]

/// The newest that are wanted, newest first. The daemon knows one status at a time: those of several are picked here.
private func runs(
    _ daemon: Daemon, _ wanted: JSONObject, _ limit: Int, areFailed: Bool
) throws(Failure) -> [JSONValue] {
    var filter = wanted
    if areFailed { filter["limit"] = .number(InterfaceLimits.historyRuns) }
    var found: [JSONValue] = []
    while true {
        let page = try daemon.json(.queryHistory, [.text(JSONValue.object(filter).compactText)])
        let runs = page["runs"]?.arrayValue ?? []
        guard areFailed else { return runs }
        found += runs.filter { failedStatuses.contains($0.text("status")) }
        guard found.count < limit, let cursor = page["next_cursor"], !cursor.isNull, cursor != filter["cursor"] else {
            return Array(found.prefix(limit))
        }
        filter["cursor"] = cursor
    }
}

/// `2h` is two hours ago; what is no length of time is the daemon's to read.
func instant(ago text: String, _ context: Context) -> String {
    guard let length = try? Schedule.parseDuration(text) else { return text }
    return (context.times.now - length).rfc3339(in: .utc)
}
