import Contract

/// Help, made from the tables.
enum Help {
    static var overview: String {
        var lines = [
            "Usage: botcronctl [OPTION…] [VERB] [ARGUMENT…]", "",
            "Sees and controls the jobs of BotCron, the daemon that keeps them on time. Without a verb: list.",
        ]
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
        var lines = ["Usage: botcronctl \(verb.synopsis)", "", capitalized(verb.summary) + "."]
        if !verb.details.isEmpty { lines += ["", verb.details] }
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
        return rows.map { left, right in
            "  " + left + String(repeating: " ", count: width - left.count + 2) + right
        }
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
