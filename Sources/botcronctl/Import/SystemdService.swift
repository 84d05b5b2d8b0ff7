/// A service that does nothing but run a program: so it is the same whether systemd starts it or a job of ours runs
/// that program itself.
///
/// What else a unit can say (conditions, an order, limits, a sandbox, other users, what comes before and after) is
/// systemd's to do, and such a unit is started by `systemctl`.
struct SystemdService: Equatable {
    var arguments: [String]
    var environment: [(name: String, value: String)]
    var workingDirectory: String?

    static func == (left: SystemdService, right: SystemdService) -> Bool {
        left.arguments == right.arguments && left.workingDirectory == right.workingDirectory
            && left.environment.elementsEqual(right.environment) { $0 == $1 }
    }

    private static let plainKeys: [String: Set<String>] = [
        "Unit": ["Description", "Documentation"], "Service": ["Type", "ExecStart", "Environment", "WorkingDirectory"],
    ]

    /// Nil where the unit says more than that.
    init?(_ unit: UnitFile) {
        for setting in unit.settings where setting.section != "Install" {
            guard Self.plainKeys[setting.section]?.contains(setting.key) == true else { return nil }
        }
        guard unit.strayLines.isEmpty,
            ["simple", "exec", "oneshot"].contains(unit.value("Type", in: "Service") ?? "simple")
        else { return nil }
        let lines = unit.values("ExecStart", in: "Service")
        guard lines.count == 1, let words = Self.words(lines[0]), words.first?.hasPrefix("/") == true else {
            return nil
        }
        arguments = words
        environment = []
        for line in unit.values("Environment", in: "Service") {
            guard let words = Self.words(line) else { return nil }
            for word in words {
                guard let equals = word.firstIndex(of: "="), equals > word.startIndex else { return nil }
                environment.append((String(word[..<equals]), String(word[word.index(after: equals)...])))
            }
        }
        if let folder = unit.value("WorkingDirectory", in: "Service") {
            guard folder.hasPrefix("/") || folder == "~", Self.words(folder)?.count == 1 else { return nil }
            workingDirectory = folder
        }
    }

    /// Words between blanks, whole ones in quotes; nil where anything is to be filled in, or means more to systemd.
    static func words(_ line: String) -> [String]? {
        guard !line.contains(where: { "\\$%".contains($0) }) else { return nil }
        var words: [String] = []
        var rest = line[...].trimmed
        while let first = rest.first {
            var word: Substring
            if first == "\"" || first == "'" {
                rest.removeFirst()
                guard let end = rest.firstIndex(of: first) else { return nil }
                word = rest[..<end]
                rest = rest[rest.index(after: end)...]
                guard rest.isEmpty || rest.first == " " else { return nil }
            } else {
                word = rest.prefix { $0 != " " && $0 != "\t" }
                guard !word.contains(where: { "\"'".contains($0) }), word != ";" else { return nil }
                rest = rest[word.endIndex...]
            }
            words.append(String(word))
            rest = rest.trimmed
        }
        return words
    }
}
