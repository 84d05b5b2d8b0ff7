/// What stands behind the fields of a crontab's line: the command, and what it reads.
struct CrontabCommand: Equatable {
    /// For the shell.
    var text: String
    /// What stands behind the first `%`, line by line; nil: nothing is read.
    var input: String?

    /// The rules of Debian's do_command.c. In the command `\%` is a percent sign and `\\` a backslash; the first bare
    /// `%` ends it. Behind that every bare `%` ends a line, `\%` is a percent sign and all else is as it stands.
    init(_ line: some StringProtocol) {
        var text = ""
        var rest = Substring(line).unicodeScalars[...]
        var isEscaped = false
        var hasInput = false
        while let scalar = rest.popFirst() {
            if isEscaped {
                if scalar == "%" || scalar == "\\" { text.unicodeScalars.removeLast() }
                text.unicodeScalars.append(scalar)
                isEscaped = false
            } else if scalar == "%" {
                hasInput = true
                break
            } else {
                text.unicodeScalars.append(scalar)
                isEscaped = scalar == "\\"
            }
        }
        self.text = text
        // cron gives nothing to read where nothing follows the sign.
        if hasInput, !rest.isEmpty { input = Self.lines(rest) }
    }

    private static func lines(_ scalars: Substring.UnicodeScalarView) -> String {
        var text = ""
        var isEscaped = false
        for scalar in scalars {
            if isEscaped, scalar != "%" { text.unicodeScalars.append("\\") }
            let shown: Unicode.Scalar = !isEscaped && scalar == "%" ? "\n" : scalar
            isEscaped = shown == "\\"
            if !isEscaped { text.unicodeScalars.append(shown) }
        }
        if isEscaped { text += "\\" }
        return text.unicodeScalars.last == "\n" ? text : text + "\n"
    }
}

/// `NAME = value`: a variable for the lines below it.
struct CrontabSetting: Equatable {
    var name: String
    var value: String

    /// Nil where the line is none. Quotes around the name and the value go, and nothing in either is expanded, as in
    /// Debian's env.c. A value that is not there is an empty one, which cronie takes and Debian's cron refuses.
    init?(_ line: some StringProtocol) {
        var rest = Substring(line).trimmed
        let name: Substring
        if let quote = rest.first, quote == "\"" || quote == "'" {
            rest = rest.dropFirst()
            guard let end = rest.firstIndex(of: quote) else { return nil }
            name = rest[..<end]
            rest = rest[rest.index(after: end)...].trimmed
        } else {
            name = rest.prefix { $0 != "=" && $0 != " " && $0 != "\t" }
            rest = rest[name.endIndex...].trimmed
        }
        guard !name.isEmpty, !name.contains("="), rest.first == "=" else { return nil }
        var value = rest.dropFirst().trimmed
        if let quote = value.first, quote == "\"" || quote == "'" {
            // Behind the closing quote only blanks may stand.
            guard let end = value.dropFirst().firstIndex(of: quote),
                value[value.index(after: end)...].trimmed.isEmpty
            else { return nil }
            value = value.dropFirst()[..<end]
        }
        self.name = String(name)
        self.value = String(value)
    }
}

extension Substring {
    /// Without blanks at both ends.
    var trimmed: Substring {
        func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" || character == "\r" }
        var text = drop(while: isBlank)
        while let last = text.last, isBlank(last) { text.removeLast() }
        return text
    }
}

/// The words at the beginning of a line, and what follows the last of them.
func leadingWords(_ count: Int, of line: Substring) -> (words: [Substring], rest: Substring) {
    var (words, rest) = ([Substring](), line.trimmed)
    while words.count < count, !rest.isEmpty {
        let word = rest.prefix { $0 != " " && $0 != "\t" }
        words.append(word)
        rest = rest[word.endIndex...].drop { $0 == " " || $0 == "\t" }
    }
    return (words, rest)
}
