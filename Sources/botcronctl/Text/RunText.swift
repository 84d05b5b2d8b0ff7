import Contract
import JSON
import Schedules

/// Runs for people.
struct RunText {
    private let context: Context
    private let times: TimeText

    init(_ context: Context) {
        self.context = context
        times = context.times
    }

    /// Chains as trees: the branches stand before the names of the jobs.
    func table(of trees: [RunTree]) -> Table {
        let branches = RunTree.Branches.ofLocale
        var table = Table("JOB", "WHEN", "STATUS", "TOOK", "RUN", "WHAT", details: ["TOOK", "RUN"])
        for (branch, run) in trees.flatMap({ $0.lines(branches) }) {
            let status = run.text("status")
            table.add([
                .init(branch + run.text("job"), isWhole: true), when(run), .init(status, Style.ofStatus(status)),
                .init(took(run)),
                .init(run.text("execution_id")), .init(what(run)),
            ])
        }
        return table
    }

    func table(of runs: [JSONValue], showsJob: Bool = true) -> Table {
        let details = ["TRIGGER", "TOOK", "RUN"]
        var table =
            showsJob
            ? Table("WHEN", "JOB", "STATUS", "TOOK", "TRIGGER", "RUN", "WHAT", details: details)
            : Table("WHEN", "STATUS", "TOOK", "TRIGGER", "RUN", "WHAT", details: details)
        for run in runs {
            let status = run.text("status")
            var cells: [Table.Cell] = [
                when(run), .init(status, Style.ofStatus(status)), .init(took(run)), .init(run.text("trigger")),
                .init(run.text("execution_id")), .init(what(run)),
            ]
            if showsJob { cells.insert(.init(run.text("job"), isWhole: true), at: 1) }
            table.add(cells)
        }
        return table
    }

    /// One run on one line: `cron-tea-20260123-090000: success in 12 ms, exit 0`.
    func sentence(_ run: JSONValue) -> Line {
        let status = run.text("status")
        let took = took(run)
        let what = what(run)
        return "\(run.text("execution_id")): \(context.screen.styled("\(status)", Style.ofStatus(status)))"
            + (took.isEmpty ? "" : " in \(took)") + (what.isEmpty ? "" : ", \(what)")
    }

    /// The instant that a person looks for: of the start, else of what was missed.
    private func when(_ run: JSONValue) -> Table.Cell {
        let instant = run.instant("started_at") ?? run.instant("scheduled_for") ?? run.instant("timestamp")
        guard let instant else { return .init("") }
        return .init(times.absolute(instant), short: times.relative(instant))
    }

    private func took(_ run: JSONValue) -> String {
        run["duration_ms"]?.intValue.map { TimeText.duration(milliseconds: max(0, $0)) } ?? ""
    }

    /// How it ended, as far as its status does not say it.
    func what(_ run: JSONValue) -> String {
        var parts: [String] = []
        // An error names the exit code or the signal, where one of them is the error.
        let error = run["error"]?.stringValue
        if error == nil, let code = run["exit_code"]?.intValue { parts.append("exit \(code)") }
        if let error { parts.append(error) }
        if let attempt = run["attempt"]?.intValue, attempt > 1 { parts.append("attempt \(attempt)") }
        if run["late"]?.boolValue == true { parts.append("late") }
        if let stall = run.instant("stalled_at") { parts.append("silent since \(times.absolute(stall))") }
        if run["unusual"]?.boolValue == true { parts.append("unusually long") }
        if let reason = run["reason"]?.stringValue { parts.append(reason) }
        if let caveat = run["caveat"]?.stringValue { parts.append(caveat) }
        return parts.joined(separator: ", ")
    }

    /// The first characters of what it wrote, indented.
    func output(_ run: JSONValue) -> [Line] {
        let text = printable(run.text("output_preview"), keepingLines: true)
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        while lines.last?.isEmpty == true { lines.removeLast() }
        return lines.map { "  \($0)" }
    }

    /// The exit code that waiting for this run passes on.
    static func exitCode(_ run: JSONValue) -> Int32 {
        if run.text("status") == "success" { return ExitCode.success }
        if run.text("status") == "timeout" { return ExitCode.timedOut }
        // A job may take 0 for a failure (`success_exit_codes`).
        if let code = run["exit_code"]?.intValue, code != 0 { return Int32(clamping: code) }
        if let signal = run["signal"]?.intValue { return ExitCode.signalBase + Int32(clamping: signal) }
        return ExitCode.failure
    }
}
