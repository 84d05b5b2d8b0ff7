import Configuration

/// Names of jobs, from what the jobs do.
enum JobNaming {
    /// Longer suggestions are cut: they are typed by people, and a number may follow.
    private static let lengthMax = 60

    /// The name of the program that a shell's text is mainly about; nil where it names none.
    static func program(of command: String) -> String? {
        for segment in segments(of: command) {
            if let name = program(in: segment) { return name }
        }
        return nil
    }

    /// A text for people, as a name: lower case, blanks as dashes.
    static func slug(_ text: String) -> String? {
        var name = ""
        for character in text.lowercased() {
            if character.isASCII, character.isLetter || character.isNumber {
                name.append(character)
            } else if !name.isEmpty, name.last != "-" {
                name.append("-")
            }
        }
        return cleaned(name)
    }

    /// What a name may hold; the rest becomes dashes.
    static func cleaned(_ text: some StringProtocol) -> String? {
        var name = ""
        for character in text {
            let isAllowed = character.isASCII && (character.isLetter || character.isNumber || "_-.".contains(character))
            if isAllowed { name.append(character) } else if name.last != "-" { name.append("-") }
        }
        while let first = name.first, "-.".contains(first) { name.removeFirst() }
        name = String(name.prefix(lengthMax))
        while let last = name.last, "-.".contains(last) { name.removeLast() }
        return JobName.isValid(name) ? name : nil
    }

    /// The `number`-th job of a name.
    static func numbered(_ name: String, _ number: Int) -> String { number == 1 ? name : "\(name)-\(number)" }

    // MARK: - A shell's text

    /// Commands that only prepare for the one that matters.
    private static let preparations: Set<String> = [
        "cd", "test", "[", "[[", "sleep", "export", "umask", ".", "source", "set", "true", "command", "if", "mkdir",
    ]
    /// Programs that run another one.
    private static let wrappers: Set<String> = [
        "nice", "ionice", "env", "exec", "nohup", "time", "timeout", "flock", "chronic", "setsid", "sudo", "then",
        "systemd-cat", "systemd-inhibit", "eval", "/usr/bin/env",
    ]
    private static let interpreters: Set<String> = [
        "sh", "bash", "dash", "zsh", "python", "python2", "python3", "perl", "ruby", "node", "php", "Rscript",
    ]

    private static func segments(of command: String) -> [[Substring]] {
        command.split { ";|&()\n".contains($0) }.map { $0.split { $0 == " " || $0 == "\t" } }
    }

    private static func baseName(_ word: Substring) -> Substring {
        let plain = word.drop { "\"'`{$".contains($0) }
        return plain.split(separator: "/").last.map { $0.prefix { !"\"'`}".contains($0) } } ?? ""
    }

    private static func program(in words: [Substring]) -> String? {
        var rest = words[...]
        while let word = rest.popFirst() {
            if isAssignment(word) || word == "{" || word == "!" { continue }
            let name = String(baseName(word))
            if preparations.contains(String(word)) { return nil }
            if wrappers.contains(name) {
                // Options, and numbers with or without a unit: a niceness, a time.
                func isOption(_ word: Substring) -> Bool { word.hasPrefix("-") || word.first?.isNumber == true }
                rest = rest.drop(while: isOption)
                // Its first argument is the lock.
                if name == "flock" { rest = rest.dropFirst().drop(while: isOption) }
                continue
            }
            if interpreters.contains(name), let script = rest.first(where: { !$0.hasPrefix("-") }),
                !rest.contains("-c"), !rest.contains("-m"), !rest.contains("-e")
            {
                return cleaned(withoutEnding(baseName(script))) ?? cleaned(name)
            }
            return cleaned(withoutEnding(name[...]))
        }
        return nil
    }

    private static func isAssignment(_ word: Substring) -> Bool {
        guard let equals = word.firstIndex(of: "="), equals > word.startIndex else { return false }
        return word[..<equals].allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    }

    private static let endings = [".sh", ".bash", ".py", ".pl", ".rb", ".js", ".php"]

    private static func withoutEnding(_ name: Substring) -> Substring {
        endings.first { name.hasSuffix($0) && name.count > $0.count }.map { name.dropLast($0.count) } ?? name
    }
}
