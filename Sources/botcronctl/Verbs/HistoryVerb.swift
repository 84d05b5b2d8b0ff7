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
            Option("--tree", "what ran after another below it: a chain is one tree"),
        ],
        takes: [.job], run: showHistory)
}

private let historyRange = 1...InterfaceLimits.historyRuns

private func showHistory(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let limit = try request.integer("-n", historyRange, default: InterfaceLimits.historyRunsStandard)
    let name = request.arguments.first
    var filter: JSONObject = ["limit": .number(limit)]
    // What came before and after the runs of a job is of other jobs.
    let isTree = request.has("--tree")
    if let name, !isTree { filter["job"] = .string(name) }
    if let status = request.options["--status"] {
        guard !request.has("--failed") else { throw request.usage("--failed and --status both say which runs") }
        if !isTree { filter["status"] = .string(status) }
    }
    if request.has("--failed"), !isTree { filter["failed"] = true }
    if let since = request.options["--since"] { filter["since"] = .string(instant(ago: since, context)) }
    let daemon = try context.daemon()
    if isTree { return try showTrees(request, filter, limit, daemon, context) }
    let runs = try daemon.json(.queryHistory, [.text(JSONValue.object(filter).compactText)])["runs"]?.arrayValue ?? []
    let isEmpty = runs.isEmpty
    // Runs outlive their job, so the name is looked up only where it leads to nothing: it may be mistyped.
    if isEmpty, let name { try daemon.call(.getJob, [.text(name)]) }
    guard !context.screen.isJSON else {
        context.screen.json(.array(runs))
        return ExitCode.success
    }
    guard !isEmpty else {
        return nothing(request, context)
    }
    RunText(context).table(of: runs, showsJob: name == nil).print(on: context.screen)
    return ExitCode.success
}

private func nothing(_ request: Request, _ context: Context) -> Int32 {
    let isFiltered = ["--status", "--since", "--failed"].contains { request.has($0) }
    let job = request.arguments.first.map { " of \($0)" } ?? ""
    context.screen.line("No \(isFiltered ? "such runs" : "runs") on record\(job).")
    return ExitCode.success
}

/// Whole trees, of which a run is what was asked for, at most `limit` of them.
private func showTrees(
    _ request: Request, _ wanted: JSONObject, _ limit: Int, _ daemon: Daemon, _ context: Context
) throws(Failure) -> Int32 {
    var filter = wanted
    filter["limit"] = .number(InterfaceLimits.historyRuns)
    let runs = try daemon.json(.queryHistory, [.text(JSONValue.object(filter).compactText)])["runs"]?.arrayValue ?? []
    let (job, status) = (request.arguments.first, request.options["--status"])
    let trees = RunTree.trees(of: runs).filter { tree in
        tree.contains { run in
            (job.map { $0 == run.text("job") } ?? true) && (status.map { $0 == run.text("status") } ?? true)
                && (!request.has("--failed") || RunTree.failures.contains(run.text("status")))
        }
    }
    if trees.isEmpty, let job { try daemon.call(.getJob, [.text(job)]) }
    guard !context.screen.isJSON else {
        context.screen.json(.array(trees.prefix(limit).map(\.json)))
        return ExitCode.success
    }
    guard !trees.isEmpty else { return nothing(request, context) }
    RunText(context).table(of: Array(trees.prefix(limit))).print(on: context.screen)
    return ExitCode.success
}

/// `2h` is two hours ago; what is no length of time is the daemon's to read.
func instant(ago text: String, _ context: Context) -> String {
    guard let length = try? Schedule.parseDuration(text) else { return text }
    return (context.times.now - length).rfc3339(in: .utc)
}
