/// The script for fish.
enum FishCompletion {
    static var text: String {
        var lines = CompletionScript.head(.fish) + ["", place, "", names, "", "complete -c botcronctl -f", ""]
        lines += Verb.all.map { "complete -c botcronctl -n '__botcronctl_is 0' -a \($0.name) -d \(quoted($0.summary))" }
        lines += [""] + GlobalOptions.table.map { row(of: $0, when: nil) }
        for verb in Verb.all {
            lines += [""] + verb.options.map { row(of: $0, when: "__botcronctl_is any \(verb.name)") }
            for (index, meaning) in verb.meanings.enumerated() {
                guard let offer = offer(meaning) else { continue }
                lines.append("complete -c botcronctl -n '__botcronctl_is \(index + 1) \(verb.name)' \(offer)")
            }
            if verb.takesCommand {
                lines.append("complete -c botcronctl -n '__botcronctl_is command \(verb.name)' -F")
            }
        }
        return lines.joined(separator: "\n")
    }

    /// Options that take the next word with them, as `VERB OPTION`.
    private static var valued: String {
        let global = GlobalOptions.table.filter { $0.value != nil }.flatMap(\.spellings).map { "'* \($0)'" }
        let own = Verb.all.flatMap { verb in
            verb.options.filter { $0.value != nil }.flatMap(\.spellings).map { "'\(verb.name) \($0)'" }
        }
        return (global + own).joined(separator: " ")
    }

    private static var place: String {
        """
        # Whether the word at the cursor is at PLACE of one of the verbs: 0 is the verb itself, 1 its first argument,
        # `command` what stands behind --, and `any` all but that.
        function __botcronctl_is
            set -l verb
            set -l place 0
            set -l skips no
            for word in (commandline -opc)[2..]
                if test $skips = yes
                    set skips no
                    continue
                end
                switch "$word"
                    case --
                        set place command
                        break
                    case '--*=*'
                    case '-*'
                        switch "$verb $word"
                            case \(valued)
                                set skips yes
                            case '* -'
                                set place (math $place + 1)
                        end
                    case '*'
                        test -z "$verb"; and set verb $word
                        set place (math $place + 1)
                end
            end
            if test $argv[1] = any
                test $place != command; or return 1
            else
                test $place = $argv[1]; or return 1
            end
            set -q argv[2]; or return 0
            contains -- "$verb" $argv[2..]
        end
        """
    }

    private static let names = """
        # Names of KIND, as the program tells them.
        function __botcronctl_names
            set -l program (commandline -opc)[1]
            for kind in $argv
                $program completion $kind 2>/dev/null
            end
        end
        """

    private static func row(of option: Verb.Option, when condition: String?) -> String {
        var words = ["complete -c botcronctl"]
        if let condition { words.append("-n '\(condition)'") }
        for spelling in option.spellings {
            words.append(spelling.hasPrefix("--") ? "-l \(spelling.dropFirst(2))" : "-s \(spelling.dropFirst())")
        }
        if option.value != nil { words.append(offer(option.meaning).map { "-r \($0)" } ?? "-x") }
        return (words + ["-d \(quoted(option.summary))"]).joined(separator: " ")
    }

    /// What `complete` is told of a meaning; nil where there is nothing to offer.
    private static func offer(_ meaning: Verb.Meaning) -> String? {
        switch meaning {
        case .text: nil
        case .job: "-f -a '(__botcronctl_names jobs)'"
        case .run: "-f -a '(__botcronctl_names runs)'"
        case .jobOrRun: "-f -a '(__botcronctl_names jobs runs)'"
        case .zone: "-f -a '(__botcronctl_names zones)'"
        case .file: "-F"
        case .folder: "-f -a '(__fish_complete_directories)'"
        case .verb: "-f -a '\(Verb.all.map(\.name).joined(separator: " "))'"
        case .page: "-f -a '\(ManualPage.allCases.map(\.rawValue).joined(separator: " "))'"
        case .choice(let words): "-f -a '\(words.joined(separator: " "))'"
        }
    }

    private static func quoted(_ text: String) -> String {
        "'" + text.map { $0 == "'" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined() + "'"
    }
}
