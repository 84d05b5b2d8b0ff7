import Client
import Contract
import JSON

/// `top` in words: how things are, each fact a line, and then each change as it comes. Nothing is drawn over, so it can
/// be read aloud, and kept.
func showTopInLines(_ context: Context) throws(Failure) -> Int32 {
    try monitor(context, seconds: nil) { daemon throws(Failure) in
        // One that is away is waited for, and told of when it comes.
        guard (try? daemon.property("Version")) != nil else { return }
        for line in try overview(daemon, context) { context.screen.line(line) }
    }
}

/// More of a kind are counted, and `list` has them.
private let namedMax = 10

private func overview(_ daemon: Daemon, _ context: Context) throws(Failure) -> [Line] {
    var facts = TopFacts()
    let (status, health) = (try daemon.json(.getStatus), try daemon.json(.healthCheck))
    facts.areSchedulesInForce = status["enabled"]?.boolValue ?? true
    facts.configurationFault = health.text("configuration_error")
    facts.storeFault = health.text("store_error")
    facts.replaceJobs(try allJobs(daemon, [:]).compactMap { JobFacts($0) })
    for name in facts.names where facts.pausedByFailures.count < namedMax {
        guard let job = facts.jobs[name], !job.isEnabled, job.isFailed, job.error.isEmpty else { continue }
        let reasons = try daemon.json(.explainJob, [.text(name), .text("")])["reasons"]?.arrayValue ?? []
        facts.pausedByFailures[name] = reasons.first { $0.text("code") == "paused_after_failures" }?.text("sentence")
    }
    let rows = TopRows(facts, filter: TopFilter(), limits: [.attention: namedMax, .running: namedMax, .next: 5])
    let paused = facts.areSchedulesInForce ? "" : "; all schedules are paused"
    var lines: [Line] = [
        "botcrond is \(status.text("status")), with \(TopDrawing.count(facts.names.count, "job"))\(paused)"
    ]
    for section in [TopRows.Section.attention, .running, .next] {
        let (count, listed) = (rows.count(of: section), rows.listed(section))
        if count == 0 {
            lines.append("\(section.nothing)")
            continue
        }
        for index in 0..<listed {
            lines.append("\(section.words): \(try words(rows[section, index], facts, daemon, context))")
        }
        if count > listed, section != .next { lines.append("\(section.words): \(count - listed) more") }
    }
    return lines
}

private func words(
    _ row: TopRows.Row, _ facts: TopFacts, _ daemon: Daemon, _ context: Context
) throws(Failure) -> Line {
    switch row.subject {
    case .configuration: return "config.json is not in force: \(facts.configurationFault)"
    case .store: return "the store: \(facts.storeFault)"
    case .run(let id, let job):
        guard let start = (try? daemon.json(.getRun, [.text(id)]))?.instant("started_at") else {
            return "\(job), \(id)"
        }
        return "\(job), \(id), started \(context.times.relative(start))"
    case .job(let name):
        guard let job = facts.jobs[name] else { return "\(name)" }
        if row.section == .next {
            return "\(name), \(job.nextRun.map { context.times.absoluteAndRelative($0) } ?? "")"
        }
        if !job.error.isEmpty { return "\(name) is not schedulable: \(job.error)" }
        if let why = facts.pausedByFailures[name] { return "\(name): \(why)" }
        let filter: JSONValue = ["job": .string(name), "status": .string(job.lastStatus), "limit": 1]
        let run = try daemon.json(.queryHistory, [.text(filter.compactText)])["runs"]?[0]
        let what = run.map { RunText(context).what($0) } ?? ""
        let when = job.lastRun.map { " " + context.times.relative($0) } ?? ""
        return "\(name) \(job.lastStatus)\(when)\(what.isEmpty ? "" : ": " + what)"
    }
}

extension TopRows.Section {
    fileprivate var words: String {
        switch self {
        case .attention: "needs a look"
        case .running: "running"
        case .next: "next"
        case .jobs: "job"
        }
    }

    fileprivate var nothing: String {
        switch self {
        case .attention: "nothing needs a look"
        case .running: "nothing is running"
        case .next: "nothing is due"
        case .jobs: "no jobs"
        }
    }
}
