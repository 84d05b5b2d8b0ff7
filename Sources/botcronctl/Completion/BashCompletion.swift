/// The script for bash. It stands alone: the functions of bash-completion are not needed.
enum BashCompletion {
    static var text: String {
        (CompletionScript.head(.bash) + ["", optionFunction, "", optionsFunction, "", argumentFunction, "", rest])
            .joined(separator: "\n")
    }

    /// The word by which `_botcronctl_offer` knows a meaning.
    private static func word(_ meaning: Verb.Meaning) -> String {
        switch meaning {
        case .text: "text"
        case .job: "jobs"
        case .run: "runs"
        case .jobOrRun: "'jobs runs'"
        case .zone: "zones"
        case .file: "files"
        case .folder: "folders"
        case .verb: "'=\(Verb.all.map(\.name).joined(separator: " "))'"
        case .page: "'=\(ManualPage.allCases.map(\.rawValue).joined(separator: " "))'"
        case .choice(let words): "'=\(words.joined(separator: " "))'"
        }
    }

    private static var optionFunction: String {
        var lines = [
            "# Of VERB and OPTION what the value is, in $meaning; empty for a flag.", "_botcronctl_option() {",
        ]
        lines += ["    meaning=", "    case $1:$2 in"]
        lines += GlobalOptions.table.compactMap { row("*", $0) }
        for verb in Verb.all { lines += verb.options.compactMap { row(verb.name, $0) } }
        return (lines + ["    esac", "}"]).joined(separator: "\n")
    }

    private static func row(_ verb: String, _ option: Verb.Option) -> String? {
        guard option.value != nil else { return nil }
        let patterns = option.spellings.map { "\(verb):\($0)" }.joined(separator: " | ")
        return "    \(patterns)) meaning=\(word(option.meaning)) ;;"
    }

    private static var optionsFunction: String {
        let global = GlobalOptions.table.flatMap(\.spellings).joined(separator: " ")
        var lines = ["# The options of VERB, in $meaning.", "_botcronctl_options() {", "    case $1 in"]
        for verb in Verb.all where !verb.options.isEmpty {
            lines.append("    \(verb.name)) meaning='=\(verb.options.flatMap(\.spellings).joined(separator: " "))' ;;")
        }
        lines += ["    *) meaning== ;;", "    esac", "    meaning+=' \(global)'", "}"]
        return lines.joined(separator: "\n")
    }

    private static var argumentFunction: String {
        var lines = ["# What the argument of VERB at PLACE is, in $meaning.", "_botcronctl_argument() {"]
        lines += ["    case $1:$2 in"]
        for verb in Verb.all {
            for (place, meaning) in verb.meanings.enumerated() where meaning != .text {
                lines.append("    \(verb.name):\(place)) meaning=\(word(meaning)) ;;")
            }
        }
        return (lines + ["    *) meaning=text ;;", "    esac", "}"]).joined(separator: "\n")
    }

    private static var rest: String {
        """
        # Puts what begins with WORD and is of MEANING into COMPREPLY.
        _botcronctl_offer() {
            local kind name
            case $1 in
            text | '') ;;
            =*)
                for name in ${1#=}; do
                    if [[ $name == "$2"* ]]; then COMPREPLY+=("$name"); fi
                done
                ;;
            files | folders)
                compopt -o filenames 2>/dev/null
                if [[ $1 == files ]]; then kind=-f; else kind=-d; fi
                mapfile -t COMPREPLY < <(compgen $kind -- "$2")
                ;;
            *)
                for kind in $1; do
                    while IFS= read -r name; do
                        if [[ $name == "$2"* ]]; then COMPREPLY+=("$name"); fi
                    done < <("$program" completion "$kind" 2>/dev/null)
                done
                ;;
            esac
        }

        _botcronctl() {
            COMPREPLY=()
            # The words up to the cursor, put together again where readline breaks them at : and =.
            local line=${COMP_LINE:0:COMP_POINT} piece gap i
            local -a words=()
            for ((i = 0; i <= COMP_CWORD; i++)); do
                piece=${COMP_WORDS[i]}
                gap=${line%%[![:space:]]*}
                line=${line#"$gap"}
                piece=${line:0:${#piece}}
                line=${line:${#piece}}
                if ((i == 0)) || [[ -n $gap ]]; then words+=("$piece"); else words[-1]+=$piece; fi
            done
            local program=${words[0]/#\\~/$HOME} word=${words[-1]} verb= option= meaning= place=0
            for ((i = 1; i < ${#words[@]} - 1; i++)); do
                piece=${words[i]}
                if [[ -n $option ]]; then
                    option=
                    continue
                fi
                case $piece in
                --)
                    # A command with its arguments.
                    compopt -o default 2>/dev/null
                    return
                    ;;
                -*=*) ;;
                -?*)
                    _botcronctl_option "${verb:-\(Verb.standard.name)}" "$piece"
                    if [[ -n $meaning ]]; then option=$piece; fi
                    ;;
                *) if [[ -z $verb ]]; then verb=$piece; else place=$((place + 1)); fi ;;
                esac
            done
            if [[ -n $option ]]; then
                _botcronctl_option "${verb:-\(Verb.standard.name)}" "$option"
            elif [[ $word == -*=* ]]; then
                _botcronctl_option "${verb:-\(Verb.standard.name)}" "${word%%=*}"
                word=${word#*=}
            elif [[ $word == -* ]]; then
                _botcronctl_options "${verb:-\(Verb.standard.name)}"
            elif [[ -z $verb ]]; then
                meaning='=\(Verb.all.map(\.name).joined(separator: " "))'
            else
                _botcronctl_argument "$verb" "$place"
            fi
            _botcronctl_offer "$meaning" "$word"
            # Of a word that it breaks, readline replaces what stands behind the last colon.
            if [[ $word == *:* && $COMP_WORDBREAKS == *:* ]]; then
                gap=${word%"${word##*:}"}
                COMPREPLY=("${COMPREPLY[@]#"$gap"}")
            fi
        }

        complete -F _botcronctl botcronctl
        """
    }
}
