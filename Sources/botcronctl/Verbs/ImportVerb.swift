import Client
import Configuration
import Contract
import Glibc
import JSON

/// `import`: jobs of cron, systemd and at, brought over.
extension Verb {
    static let importJobs = Verb(
        "import", "crontab|systemd|at [FILE]", 1...2, "jobs of cron, systemd's timers or at, brought over",
        details: """
            botcronctl import crontab --mine --dry-run
            botcronctl import systemd ~/.config/systemd/user/backup.timer

            Says of every line whether it is taken, taken with a difference and which, or not taken and why. A second
            import of the same text changes nothing. With --mine it is what `crontab -l` and `atq` print, or the
            timers of ~/.config/systemd/user. For systemd FILE is a .timer whose service lies beside it, a folder of
            them, or what `systemctl cat` prints; for at it is what `at -c` prints.

            The originals stay in force. Put them out of it: --comment-out for a crontab,
            `systemctl --user disable --now NAME.timer`, `atrm NUMBER`. Exits with 1 where something is not taken.
            """,
        options: [
            Option("--mine", "what this user has, in place of a file"),
            Option("--dry-run", "say what would become of it, and ask no daemon"),
            Option("--replace", "take the place of a job of that name whose content is another"),
            Option("--comment-out", "of a crontab: make comments of the lines that are jobs now"),
            Option("--system", "the crontab names a user in each line, as /etc/crontab does"),
            Option("--at", value: "T", "when a job of at runs whose file does not say it"),
        ],
        takes: [.choice(["crontab", "systemd", "at"]), .file], run: runImport)
}

private func runImport(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let reading = try ImportReading(request, context)
    let jobs = reading.imported.entries.compactMap(\.job)
    var placed: [(name: String, outcome: ImportReport.Outcome)]
    if request.has("--dry-run") {
        placed = ImportPlan(jobs, among: []).steps.map { ($0.name, .wouldBeAdded) }
    } else if jobs.isEmpty {
        placed = []
    } else {
        placed = try bringOver(jobs, reading.format, request, try context.daemon())
    }
    var rest = placed[...]
    let rows = reading.imported.entries.map { entry in
        guard entry.job != nil, let place = rest.popFirst() else { return ImportReport.Row(entry: entry) }
        return ImportReport.Row(entry: entry, name: place.name, outcome: place.outcome)
    }
    var report = ImportReport(
        format: reading.format, origin: reading.origin, rows: rows, remarks: reading.imported.remarks)
    var isDone = true
    if request.has("--comment-out"), !request.has("--dry-run") {
        do throws(Failure) {
            report.remarks.append(try commentOut(rows, reading, request))
        } catch {
            // The jobs are there all the same, and the report says which.
            report.remarks.append("Nothing is commented out: \(error.message)")
            isDone = false
        }
    }
    if context.screen.isJSON {
        context.screen.json(report.json)
    } else {
        for line in report.lines(width: context.screen.width) { context.screen.line(line) }
    }
    return report.isComplete && isDone ? ExitCode.success : ExitCode.failure
}

private func bringOver(
    _ jobs: [ImportedJob], _ format: ImportFormat, _ request: Request, _ daemon: Daemon
) throws(Failure) -> [(name: String, outcome: ImportReport.Outcome)] {
    var placed: [(name: String, outcome: ImportReport.Outcome)] = []
    for (job, step) in zip(jobs, ImportPlan(jobs, among: try knownJobs(format, daemon)).steps) {
        let outcome: ImportReport.Outcome
        switch step.step {
        case .alreadyThere: outcome = .alreadyThere
        case .changed where !request.has("--replace"): outcome = .changed
        case .new, .changed:
            do throws(Failure) {
                _ = try schedule(.object(job.definition.named(step.name)), daemon)
                outcome = step.step == .new ? .added : .replaced
            } catch  where error.exitCode != ExitCode.unavailable {
                // One that is refused is no reason to leave the others.
                outcome = .refused(reason: error.message)
            }
        }
        placed.append((step.name, outcome))
    }
    return placed
}

/// All names, and the definitions of those that an import of this kind made.
private func knownJobs(_ format: ImportFormat, _ daemon: Daemon) throws(Failure) -> [ImportPlan.Known] {
    var known: [ImportPlan.Known] = []
    for job in try allJobs(daemon, [:]) {
        let name = job.text("name")
        let isImported = job.texts("tags").contains(format.rawValue)
        let definition = isImported ? try daemon.json(.getJob, [.text(name)])["definition"]?.objectValue : nil
        known.append(ImportPlan.Known(name: name, definition: definition))
    }
    return known
}

// MARK: - The original

/// Makes comments of the lines whose work a job does now, and says so.
private func commentOut(
    _ rows: [ImportReport.Row], _ reading: ImportReading, _ request: Request
) throws(Failure) -> String {
    var names: [Int: String] = [:]
    for row in rows {
        switch row.outcome {
        case .added, .alreadyThere, .replaced: for line in row.entry.lines { names[line] = row.name }
        default: break
        }
    }
    guard !names.isEmpty else { return "Nothing is commented out." }
    let file = request.arguments.dropFirst().first
    // Somebody may have edited it meanwhile, and no line of theirs is to be lost.
    guard try ImportReading.crontab(file, request) == reading.bytes else {
        throw .broken("\(reading.origin) has changed meanwhile")
    }
    let text = Crontab.commentedOut(reading.bytes, names)
    if let file {
        do {
            try FileReplacement.replace(file, with: text)
        } catch {
            throw .broken("\(error)")
        }
    } else {
        try ProgramText.give(text, to: "crontab -")
    }
    return "\(names.count) \(names.count == 1 ? "line is" : "lines are") commented out."
}

extension Crontab {
    /// The text with those lines behind a mark that names their job.
    static func commentedOut(_ bytes: [UInt8], _ names: [Int: String]) -> [UInt8] {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        return Array(
            lines.enumerated().map { index, line in
                names[index + 1].map { Array("\(takenOverMark)\($0) of BotCron) ".utf8) + line } ?? Array(line)
            }.joined(separator: [UInt8(ascii: "\n")]))
    }
}
