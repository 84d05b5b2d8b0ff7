import JSON
import Schedules

/// Reads a crontab: a user's, or one in the format of /etc/crontab, whose lines name a user.
///
/// A line's job is to do what cron does with it: `/bin/sh -c` or the crontab's own shell, an environment of little more
/// than `SHELL`, `PATH` and what the lines above set, the home folder, any number of runs at a time, no time-out, no
/// retry, and nothing caught up after downtime. A comment right above a line is its title.
///
/// Sources: crontab(5), entry.c, env.c and do_command.c of Debian's cron 3.0pl1-162; crontab(5) of cronie for `CRON_TZ`
/// and `~`.
struct Crontab {
    /// Who reads, and what.
    struct Reading {
        /// Whose jobs these become.
        var user: String
        /// Whether lines name a user; nil: it is told from them.
        var namesUsers: Bool?
    }

    private let reading: Reading
    private var settings: [CrontabSetting] = []
    private var comment = CommentBlock()
    private var imported = ImportedText()

    /// What marks a line that was switched off because a job does its work.
    static let takenOverMark = "# (job "

    static func read(_ bytes: [UInt8], _ reading: Reading) -> ImportedText {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        var reading = reading
        if reading.namesUsers == nil { reading.namesUsers = namesUsers(lines, reading.user) }
        var crontab = Crontab(reading: reading)
        for (index, line) in lines.enumerated() {
            let isLast = index == lines.count - 1
            if isLast, line.isEmpty { break }
            crontab.take(line, number: index + 1, isUnfinished: isLast)
        }
        crontab.endComment()
        crontab.addRemarks()
        return crontab.imported
    }

    private init(reading: Reading) { self.reading = reading }

    /// Whether every line that has a schedule has a user behind it: root, or who reads.
    private static func namesUsers(_ lines: [ArraySlice<UInt8>], _ user: String) -> Bool {
        var isSeen = false
        for line in lines {
            let text = String(decoding: line, as: UTF8.self)[...].trimmed
            guard !text.isEmpty, !text.hasPrefix("#"), CrontabSetting(text) == nil else { continue }
            let (words, command) = leadingWords(text.hasPrefix("@") ? 2 : 6, of: text)
            guard let last = words.last, last == "root" || last == user, !command.isEmpty else { return false }
            isSeen = true
        }
        return isSeen
    }

    // MARK: - Lines

    private mutating func take(_ bytes: ArraySlice<UInt8>, number: Int, isUnfinished: Bool) {
        guard !bytes.contains(0), let whole = String(validating: bytes, as: UTF8.self) else {
            return add(number, String(decoding: bytes, as: UTF8.self), .notTaken(reason: "it is no UTF-8 text"))
        }
        let line = whole[...].trimmed
        if line.isEmpty { return endComment() }
        if line.hasPrefix("#") { return comment.add(line, number, isOff: isSwitchedOff(line)) }
        if let setting = CrontabSetting(line) {
            settings.removeAll { $0.name == setting.name }
            settings.append(setting)
            let ending = whole.unicodeScalars.last == "\r" ? "; cron has the CR at its end in it" : ""
            return add(number, whole, .noted(note(on: setting) + ending))
        }
        let title = comment.title
        do throws(Reason) {
            var job = try job(of: line, title: title)
            if whole.unicodeScalars.last == "\r" {
                job.differences.append("the line ends in CR LF, and cron gives the CR to the command")
            }
            if isUnfinished { job.differences.append("cron refuses a crontab whose last line does not end") }
            endComment(isTitle: title != nil, of: number)
            imported.entries.append(
                ImportEntry(place: "line \(number)", text: whole, fate: .taken(job), lines: [number]))
        } catch {
            add(number, whole, .notTaken(reason: error.sentence))
        }
    }

    private mutating func add(_ number: Int, _ text: String, _ fate: ImportEntry.Fate) {
        endComment()
        imported.entries.append(ImportEntry(place: "line \(number)", text: text, fate: fate, lines: [number]))
    }

    private mutating func endComment(isTitle: Bool = false, of number: Int = 0) {
        if let entry = comment.entry(isTitle: isTitle, of: number) { imported.entries.append(entry) }
        comment = CommentBlock()
    }

    /// A line that would be one, were it no comment.
    private func isSwitchedOff(_ line: Substring) -> Bool {
        if line.hasPrefix(Self.takenOverMark) { return true }
        let (words, command) = leadingWords(5, of: line.drop { $0 == "#" })
        return words.count == 5 && !command.isEmpty && (try? CrontabFields(words, seed: "")) != nil
    }

    private func note(on setting: CrontabSetting) -> String {
        switch setting.name {
        case "LOGNAME", "USER": "cron does not let a crontab set it, and neither is it set here"
        case "MAILTO" where !setting.value.isEmpty: "no mail is sent; what jobs write is kept with their runs"
        case "MAILFROM", "CONTENT_TYPE", "CONTENT_TRANSFER_ENCODING": "it is about cron's mail, and none is sent"
        case "CRON_TZ": "the time zone of the lines below, as with cronie; Debian's cron does not heed it"
        case "RANDOM_DELAY": "cronie's random delay, in minutes: the jitter of the jobs below"
        case _ where setting.value.contains("$") || setting.value.contains("~"):
            "it counts for the lines below as it stands: cron expands nothing"
        default: "it counts for the lines below"
        }
    }

    // MARK: - Jobs

    private struct Reason: Error {
        var sentence: String
    }

    private static let nicknames: Set<String> = [
        "@reboot", "@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly",
    ]

    private func job(of line: Substring, title: (String, String)?) throws(Reason) -> ImportedJob {
        var differences: [String] = []
        var line = line
        // Of cronie: a line that is not logged.
        if line.hasPrefix("-"), line.dropFirst().first.map({ $0.isNumber || $0 == "*" || $0 == "@" }) == true {
            line = line.dropFirst()
            differences.append("a leading \"-\" keeps cronie's log silent; here every run is on record")
        }
        let isNickname = line.hasPrefix("@")
        let fieldCount = isNickname ? 1 : 5
        var (words, rest) = leadingWords(fieldCount, of: line)
        guard words.count == fieldCount, !rest.isEmpty else {
            throw Reason(
                sentence: isNickname
                    ? "expected a command behind \(words[0])" : "expected five fields and a command, or NAME=VALUE")
        }
        if reading.namesUsers == true { rest = try command(behindUserIn: rest) }
        let command = CrontabCommand(rest)
        guard !command.text.utf8.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) else {
            throw Reason(sentence: "there is no command before the %")
        }
        let cron = try schedule(words, seed: String(rest), &differences)
        if cron == "@reboot" {
            differences.append("it runs when BotCron first starts after a boot: at login, unless the user lingers")
        }
        var definition = definition(cron: cron, command: command)
        if let title { (definition["title"], definition["description"]) = Self.texts(title) }
        if let address = value(of: "MAILTO"), !address.isEmpty {
            differences.append("what it writes is not mailed to \(address)")
        }
        let name = JobNaming.program(of: command.text) ?? title.flatMap { JobNaming.slug($0.0) } ?? "job"
        return ImportedJob(name: name, definition: Self.withoutGaps(definition), differences: differences)
    }

    private func command(behindUserIn rest: Substring) throws(Reason) -> Substring {
        let (users, command) = leadingWords(1, of: rest)
        guard let user = users.first, !command.isEmpty else { throw Reason(sentence: "expected a user and a command") }
        guard user == reading.user else {
            throw Reason(sentence: "it runs as \(user), and BotCron runs the jobs of one user, who is \(reading.user)")
        }
        return command
    }

    private func schedule(
        _ words: [Substring], seed: String, _ differences: inout [String]
    ) throws(Reason) -> String {
        if words.count == 1 {
            guard Self.nicknames.contains(String(words[0])) else {
                throw Reason(sentence: "\(words[0]) is no nickname of cron's")
            }
            return String(words[0])
        }
        do {
            let fields = try CrontabFields(words, seed: seed)
            differences += fields.differences
            return fields.expression
        } catch {
            let isNever = error.code == .neverFires
            throw Reason(
                sentence: "\(plainWords(error.field)) \"\(error.value)\": \(error.sentence)"
                    + (isNever ? "; cron never runs it either" : ""))
        }
    }

    /// `day_of_week`, for people.
    private func plainWords(_ key: String) -> String { key.split(separator: "_").joined(separator: " ") }

    private func value(of name: String) -> String? { settings.last { $0.name == name }?.value }

    /// Keys whose value is `null` keep their place in the order of the others until all are there.
    private func definition(cron: String, command: CrontabCommand) -> JSONObject {
        let shell = value(of: "SHELL") ?? Self.standardShell
        var environment: JSONObject = [
            "SHELL": .string(shell), "PATH": .string(value(of: "PATH") ?? Self.standardPath),
        ]
        // By name, so that a line is the same wherever a crontab sets its variables.
        for setting in settings.sorted(by: { $0.name < $1.name }) where !Self.unheeded.contains(setting.name) {
            environment[setting.name] = .string(setting.value)
        }
        let delay = value(of: "RANDOM_DELAY").flatMap { Int($0) } ?? 0
        return [
            "title": nil, "description": nil, "tags": [.string(ImportFormat.crontab.rawValue)],
            "cron": .string(cron), "timezone": .string(value(of: "CRON_TZ") ?? "local"),
            "jitter": delay > 0 ? .string("\(delay)m") : nil,
            "command": shell == Self.standardShell
                ? .string(command.text) : [.string(shell), "-c", .string(command.text)],
            "stdin": .optional(command.input), "working_directory": .optional(value(of: "HOME")),
            "clean_environment": true, "environment": .object(environment), "timeout": 0, "retry": false,
            "overlap_policy": "allow", "catchup_policy": "none",
        ]
    }

    /// Variables that cron sets itself, whatever a crontab says.
    private static let unheeded: Set<String> = ["LOGNAME", "USER"]
    /// What Debian's cron sets where a crontab does not.
    static let standardShell = "/bin/sh"
    static let standardPath = "/usr/bin:/bin"

    private static func texts(_ title: (String, String)) -> (JSONValue?, JSONValue?) {
        (.string(title.0), title.1.isEmpty ? JSONValue.null : .string(title.1))
    }

    static func withoutGaps(_ definition: JSONObject) -> JSONObject {
        JSONObject(definition.filter { !$0.value.isNull }.map { ($0.key, $0.value) })
    }

    // MARK: - Remarks

    private mutating func addRemarks() {
        let jobs = imported.entries.compactMap(\.job)
        if reading.namesUsers == true {
            imported.remarks.append(
                "Its lines name a user, as those of /etc/crontab: taken is what \(reading.user) runs.")
        }
        guard !jobs.isEmpty else { return }
        if jobs.contains(where: { $0.definition["environment"]?["MAILTO"] != "" }) {
            imported.remarks.append(
                "No mail is sent: what a job writes is kept with its runs, up to its output_limit; see botcronctl logs."
            )
        }
        imported.remarks += [
            "No more runs go on at once than max_concurrent_executions, 10 where nobody sets it; cron has no limit.",
            "Beside what the crontab sets a job has BOTCRON_… and, of the session, LANG, XDG_RUNTIME_DIR and the bus.",
            "What falls due while the machine is off or asleep is not run later: catchup_policy would. After a sleep of"
                + " less than three hours Debian's cron runs what has a fixed time.",
            "When the clock changes: as with Debian's cron, but all times of a line that are skipped make one run.",
        ]
    }
}

/// Comments in a row: the words above a line, or nobody's.
private struct CommentBlock {
    private var lines: [(text: String, number: Int)] = []
    /// Where the words begin that can be a title: behind a heading of columns, or a line that is switched off.
    private var begin = 0
    private var offCount = 0

    mutating func add(_ line: Substring, _ number: Int, isOff: Bool) {
        lines.append((String(line.drop { $0 == "#" }.trimmed), number))
        if isOff { offCount += 1 }
        if isOff || isHeading(line) { begin = lines.count }
    }

    /// `# m h dom mon dow command`, as templates have it.
    private func isHeading(_ line: Substring) -> Bool {
        let words = line.drop { $0 == "#" }.lowercased().split { " \t".contains($0) }
        return words.count >= 5 && (words.contains("dow") || words.contains("dom"))
    }

    /// The first line, and the others.
    var title: (String, String)? {
        let words = lines[begin...].map(\.text).filter { line in line.contains { $0.isLetter || $0.isNumber } }
        guard let first = words.first else { return nil }
        return (first, words.dropFirst().joined(separator: "\n"))
    }

    func entry(isTitle: Bool, of line: Int) -> ImportEntry? {
        guard let first = lines.first, let last = lines.last else { return nil }
        let place = first.number == last.number ? "line \(first.number)" : "lines \(first.number)–\(last.number)"
        var note = lines.count == 1 ? "a comment" : "comments"
        if offCount > 0 {
            note += lines.count == 1 ? ": a line that is off" : ", \(offCount) of them lines that are off"
        }
        let title = "the title of line \(line)"
        if isTitle { note = begin == 0 ? title : "\(note); what comes last is \(title)" }
        return ImportEntry(
            place: place, text: lines.map { "# " + $0.text }.joined(separator: "\n"), fate: .noted(note),
            lines: lines.map(\.number))
    }
}
