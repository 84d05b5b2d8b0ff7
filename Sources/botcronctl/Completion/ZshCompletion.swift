/// The script for zsh, by its own `_arguments`.
enum ZshCompletion {
    static var text: String {
        var lines = ["#compdef botcronctl"] + CompletionScript.head(.zsh) + ["", names, "", verbs, ""]
        lines += ["_botcronctl() {", "    local curcontext=$curcontext program=$words[1] state line ret=1"]
        lines += ["    local -A opt_args", "    local -a global", "    global=("]
        lines += GlobalOptions.table.map { "        " + specification(of: $0) }
        lines += ["    )", "    _arguments -C -S $global ': :->verb' '*:: :->arguments' && ret=0"]
        lines += ["    case $state in", "    verb) _botcronctl_verbs && ret=0 ;;", "    arguments)"]
        lines += ["        curcontext=\"${curcontext%:*:*}:botcronctl-$words[1]:\"", "        case $words[1] in"]
        for verb in Verb.all { lines += branch(of: verb) }
        lines += ["        esac", "        ;;", "    esac", "    return ret", "}", ""]
        lines += ["if [[ $zsh_eval_context[-1] == loadautofunc ]]; then", "    _botcronctl \"$@\"", "else"]
        return (lines + ["    compdef _botcronctl botcronctl", "fi"]).joined(separator: "\n")
    }

    private static let names = """
        # Names of KIND…, as the program tells them.
        _botcronctl_names() {
            local -a names
            local kind
            for kind; do names+=(${(f)"$(_call_program $kind ${(q)program} completion $kind 2>/dev/null)"}); done
            compadd -a names
        }
        """

    private static var verbs: String {
        let rows = Verb.all.map { "        " + ShellWords.inQuotes("\($0.name):\($0.summary)") }
        return
            (["_botcronctl_verbs() {", "    local -a verbs", "    verbs=("] + rows
            + ["    )", "    _describe -t verbs verb verbs", "}"]).joined(separator: "\n")
    }

    private static func branch(of verb: Verb) -> [String] {
        var words = verb.options.map { specification(of: $0) }
        for place in 0..<min(verb.argumentCount.upperBound, max(1, verb.meanings.count)) {
            guard let meaning = verb.meaning(at: place) else { continue }
            let isOptional = place >= verb.argumentCount.lowerBound
            words.append(ShellWords.inQuotes((isOptional ? "::" : ":") + "argument:" + offer(meaning)))
        }
        if verb.takesCommand { words.append("'*:::command:_normal'") }
        let lines = ["_arguments -S $global"] + words
        let call = lines.joined(separator: " \\\n                ")
        return ["        \(verb.name))", "            \(call) && ret=0", "            ;;"]
    }

    /// One of `_arguments`; an option with a value may be given again.
    private static func specification(of option: Verb.Option) -> String {
        let summary = "[" + escaped(option.summary) + "]"
        guard let value = option.value else {
            guard option.spellings.count > 1 else { return ShellWords.inQuotes(option.spellings[0] + summary) }
            return "'(\(option.spellings.joined(separator: " ")))'{\(option.spellings.joined(separator: ","))}"
                + ShellWords.inQuotes(summary)
        }
        let spellings = option.spellings.map { $0.hasPrefix("--") ? $0 + "=" : $0 }
        let rest = summary + ":" + escaped(value) + ":" + offer(option.meaning)
        guard spellings.count > 1 else { return ShellWords.inQuotes("*" + spellings[0] + rest) }
        return "'*'{\(spellings.joined(separator: ","))}" + ShellWords.inQuotes(rest)
    }

    private static func offer(_ meaning: Verb.Meaning) -> String {
        switch meaning {
        case .text: " "
        case .job: "{_botcronctl_names jobs}"
        case .run: "{_botcronctl_names runs}"
        case .jobOrRun: "{_botcronctl_names jobs runs}"
        case .zone: "{_botcronctl_names zones}"
        case .file: "_files"
        case .folder: "_files -/"
        case .verb: "_botcronctl_verbs"
        case .page: "(\(ManualPage.allCases.map(\.rawValue).joined(separator: " ")))"
        case .choice(let words): "(\(words.joined(separator: " ")))"
        }
    }

    /// In a text of `_arguments` these have a meaning of their own.
    private static func escaped(_ text: String) -> String {
        text.map { "[]:\\".contains($0) ? "\\\($0)" : "\($0)" }.joined()
    }
}
