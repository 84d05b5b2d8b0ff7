import Contract

/// Help, made from the tables, for the narrowest terminal that is common: what is typed stays on one line, and all else
/// is broken at blanks.
enum Help {
    /// In cells.
    static let width = 80

    static var overview: String {
        var lines = ["Usage: botcronctl [OPTION…] [VERB] [ARGUMENT…]", ""]
        lines += wrapped(
            "Sees and controls the jobs of BotCron, the daemon that keeps them on time. Without a verb: list.",
            cells: width)
        for group in Verb.groups {
            lines += ["", "\(group.title):"]
            lines += columns(group.verbs.map { (short($0), $0.summary) })
        }
        lines += ["", "Options:"] + columns(GlobalOptions.table.map(row))
        lines += ["", "Exit status:"] + columns(ExitCode.help.map { ($0.code, $0.meaning) })
        lines += ["", "botcronctl help VERB tells more about a verb."]
        return lines.joined(separator: "\n")
    }

    static func text(of verb: Verb) -> String {
        var lines = hanging("Usage: ", "botcronctl \(verb.synopsis)") + [""]
        lines += wrapped(capitalized(verb.summary) + ".", cells: width)
        for paragraph in Roff.paragraphs(verb.details) {
            let isTyped = paragraph.allSatisfy { $0.hasPrefix("botcronctl ") }
            lines += [""] + (isTyped ? paragraph : wrapped(paragraph.joined(separator: " "), cells: width))
        }
        if !verb.options.isEmpty { lines += ["", "Options:"] + columns(verb.options.map(row)) }
        lines += ["", "Options of every verb:"] + columns(GlobalOptions.table.map(row))
        return lines.joined(separator: "\n")
    }

    private static func short(_ verb: Verb) -> String {
        verb.arguments.isEmpty ? verb.name : "\(verb.name) \(verb.arguments)"
    }

    private static func row(_ option: Verb.Option) -> (String, String) {
        (option.spellings.joined(separator: ", ") + (option.value.map { " " + $0 } ?? ""), option.summary)
    }

    private static func columns(_ rows: [(String, String)]) -> [String] {
        let width = max(20, rows.map(\.0.count).max() ?? 0)
        return rows.flatMap { left, right in
            hanging("  " + left + String(repeating: " ", count: width - left.count + 2), right)
        }
    }

    /// A text beside the one before it, however many lines it takes.
    private static func hanging(_ left: String, _ text: String) -> [String] {
        let indent = String(repeating: " ", count: left.count)
        return wrapped(text, cells: width - left.count).enumerated().map { ($0 == 0 ? left : indent) + $1 }
    }

    private static func capitalized(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }
}

extension ExitCode {
    static let help: [(code: String, meaning: String)] = [
        ("\(success)", "success"),
        ("\(failure)", "the daemon refused, a job is bad, a check does not hold"),
        ("\(notFound)", "no such job or run"),
        ("\(usage)", "wrong usage"),
        ("\(unavailable)", "no bus, no daemon on it, or one that is stopping"),
        ("\(timedOut)", "a time-out: of the wait, or of the run that was waited for"),
        ("other", "run --wait and wait: the exit code of the job; \(signalBase)+N where signal N ended it"),
    ]
}
