import JSON
import Schedules
import Scheduling

/// Jobs as a crontab. What crontab(5) cannot say is a comment.
struct CrontabText {
    /// The zone that cron goes by.
    private let zone: TimeZoneRules
    /// Variables as the lines so far have set them.
    private var current: [String: String] = [:]
    private var lines: [String]

    private static let heading = [
        "# Written by botcronctl export --crontab. cron starts a line again while its last run goes on, ends none, and",
        "# mails what it writes; where a job lives on its session's environment, cron has HOME, SHELL and PATH.",
    ]

    static func text(of jobs: [ExportedJob], zone: TimeZoneRules) -> String {
        var text = CrontabText(zone: zone)
        // A zone holds for all lines below it.
        let ordered = jobs.filter { !text.needsZone($0.job) } + jobs.filter { text.needsZone($0.job) }
        for job in ordered { text.add(job) }
        return text.lines.joined(separator: "\n") + "\n"
    }

    private init(zone: TimeZoneRules) { (self.zone, lines) = (zone, Self.heading) }

    private func needsZone(_ job: Job) -> Bool { job.zone.name != zone.name && job.zone.name != "local" }

    private mutating func add(_ job: ExportedJob) {
        lines.append("")
        var rest = self
        switch rest.written(job) {
        case .written(let settings, let new, let left):
            // A comment right above a line is its title, here as there.
            lines += settings + job.comments(left: left) + (job.job.isEnabled ? new : new.map { "#" + $0 })
            current = rest.current
        case .impossible(let reason):
            lines.append("# \(job.job.name): \(reason)")
        }
    }

    // MARK: - One job

    private static let known: Set<String> = ["stdin", "working_directory", "environment"]
    private static let same: [String: JSONValue] = [
        "clean_environment": true, "timeout": 0, "retry": false, "overlap_policy": "allow", "catchup_policy": "none",
    ]

    private mutating func written(_ exported: ExportedJob) -> ExportedJob.Result {
        let job = exported.job
        guard !job.schedules.isEmpty else { return .impossible("it has no schedule") }
        var whens: [String] = []
        for schedule in job.schedules {
            guard let when = Self.when(schedule) else {
                return .impossible("crontab(5) has no words for the \(schedule.type) schedule \"\(schedule.text)\"")
            }
            whens.append(when)
        }
        guard let work = exported.work else { return .impossible(ExportedJob.noWork) }
        var wanted = Dictionary(exported.environment.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        var command: String
        wanted["SHELL"] = wanted["SHELL"] ?? Crontab.standardShell
        wanted["PATH"] = wanted["PATH"] ?? Crontab.standardPath
        if needsZone(job) { wanted["CRON_TZ"] = job.zone.name }
        switch work {
        case .shell(let text):
            wanted["SHELL"] = Crontab.standardShell
            command = text
        case .arguments(let words):
            if words.count == 3, words[1] == "-c", words[0] == wanted["SHELL"] {
                command = words[2]
            } else {
                wanted["SHELL"] = Crontab.standardShell
                command = ShellWords.text(of: words)
            }
        }
        if !job.workingDirectory.isEmpty, job.workingDirectory != wanted["HOME"] {
            command = "cd \(ShellWords.path(job.workingDirectory)) || exit; \(command)"
        }
        let surplus = current.keys.filter { wanted[$0] == nil && $0 != "CRON_TZ" }.sorted()
        guard surplus.allSatisfy({ Self.isName($0) }) else { return .impossible(Self.noVariable) }
        if !surplus.isEmpty { command = "unset \(surplus.joined(separator: " ")); \(command)" }
        guard let text = Self.escaped(command, input: job.standardInput) else {
            return .impossible("its command or its input does not fit a line of crontab(5)")
        }
        guard let settings = settings(wanted) else {
            return .impossible(Self.noVariable)
        }
        let left = exported.keysLeft(known: Self.known, same: Self.same)
        return .written(settings: settings, lines: whens.map { "\($0) \(text)" }, left: left)
    }

    private static let noVariable = "a variable of its environment does not fit a line of crontab(5)"

    /// Whether a shell can unset it.
    private static func isName(_ name: String) -> Bool {
        name.first?.isNumber == false && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    }

    /// The lines that make the variables what is wanted.
    private mutating func settings(_ wanted: [String: String]) -> [String]? {
        var lines: [String] = []
        for (name, value) in wanted.sorted(by: { $0.key < $1.key }) where current[name] != value {
            let quote = value.contains("\"") ? "'" : "\""
            let isPlain = value.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/:._-+,@".contains($0)) }
            let line = isPlain && !value.isEmpty ? "\(name)=\(value)" : "\(name)=\(quote)\(value)\(quote)"
            guard !line.contains(where: \.isNewline), CrontabSetting(line) == CrontabSetting(name: name, value: value)
            else { return nil }
            lines.append(line)
            current[name] = value
        }
        return lines
    }

    /// The fields; nil where cron has none such.
    private static func when(_ schedule: JobSchedule) -> String? {
        guard schedule.type == "cron" else { return nil }
        var fields = schedule.text.split { " \t".contains($0) }
        if fields.count == 1 { return fields[0].lowercased().hasPrefix("@every") ? nil : fields[0].lowercased() }
        if fields.count == 6 {
            guard Int(fields[0]) == 0 else { return nil }
            fields.removeFirst()
        }
        guard fields.count == 5, let read = try? CrontabFields(fields, seed: ""), read.differences.isEmpty else {
            return nil
        }
        return read.expression
    }

    /// As `CrontabCommand` reads it back.
    static func escaped(_ command: String, input: String?) -> String? {
        let command = command.drop { $0 == " " || $0 == "\t" }
        guard !command.unicodeScalars.contains("\n"), !command.isEmpty else { return nil }
        var text = ""
        let scalars = Array(command.unicodeScalars)
        for (index, scalar) in scalars.enumerated() {
            let next = index + 1 < scalars.count ? scalars[index + 1] : (input == nil ? " " : "%")
            if scalar == "%" || (scalar == "\\" && (next == "\\" || next == "%")) { text += "\\" }
            text.unicodeScalars.append(scalar)
        }
        if var lines = input.map({ Array($0.unicodeScalars) }), !lines.isEmpty {
            // cron ends the last line where nothing else does.
            if lines.count > 1, lines.last == "\n", lines[lines.count - 2] != "\n" { lines.removeLast() }
            text += "%"
            for scalar in lines {
                if scalar == "%" { text += "\\" }
                text.unicodeScalars.append(scalar == "\n" ? "%" : scalar)
            }
        }
        // A backslash before a line's end has no spelling.
        let read = CrontabCommand(text)
        let wanted = input.flatMap { $0.isEmpty ? nil : $0.unicodeScalars.last == "\n" ? $0 : $0 + "\n" }
        return read.text == String(command) && (read.input ?? "") == (wanted ?? "") ? text : nil
    }
}

extension CrontabSetting {
    init(name: String, value: String) { (self.name, self.value) = (name, value) }
}
