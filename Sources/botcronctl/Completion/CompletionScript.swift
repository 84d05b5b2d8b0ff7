/// A completion script, made from the table of verbs. Verbs, options and closed sets of values stand in it; names it
/// asks for with `botcronctl completion jobs` and its kind.
enum CompletionScript: String, CaseIterable, Sendable {
    case bash, zsh, fish

    var text: String {
        switch self {
        case .bash: BashCompletion.text
        case .zsh: ZshCompletion.text
        case .fish: FishCompletion.text
        }
    }

    /// The first lines of each, below what the shell wants to be the first.
    static func head(_ shell: CompletionScript) -> [String] {
        [
            "# Completes botcronctl(1) in \(shell.rawValue), as `botcronctl completion \(shell.rawValue)` prints it.",
            "# Names of jobs and runs are asked of the daemon where one runs; it is not started, nor waited for.",
        ]
    }
}

extension Verb {
    /// What the argument at a place is, from 0; nil behind the last one.
    func meaning(at place: Int) -> Meaning? {
        guard place < argumentCount.upperBound else { return nil }
        return place < meanings.count ? meanings[place] : .text
    }

    /// The options that can be given with it: its own, and those of every verb.
    var allOptions: [Option] { options + GlobalOptions.table }
}
