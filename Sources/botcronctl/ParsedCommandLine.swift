import Configuration

/// What holds for every verb.
struct GlobalOptions: Sendable {
    var isJSON = false
    var isUTC = false
    /// Off: colour where a person would want it.
    var refusesColor = false
    var busAddress: String?

    init() {}

    /// The options that say how an error is to be printed, from a command line that could not be understood.
    init(_ arguments: [String]) {
        isJSON = arguments.prefix { $0 != "--" }.contains("--json")
    }

    static let table = [
        Verb.Option("--json", "print JSON, the same shapes as the bus; errors too"),
        Verb.Option("--utc", "show times in UTC instead of local time"),
        Verb.Option("--no-color", "no colour, as with NO_COLOR in the environment"),
        Verb.Option("--bus", value: "ADDRESS", "another bus than the session's"),
        Verb.Option("--help", or: "-h", "show help and exit"),
        Verb.Option("--version", "show the version and exit"),
    ]
}

/// A command line, understood against the tables of options and verbs. Options may stand before and after the verb,
/// `--option VALUE` and `--option=VALUE` mean the same, and behind `--` nothing is an option.
struct ParsedCommandLine: Sendable {
    var options = GlobalOptions()
    var verb: Verb?
    var request = Request()
    var asksForHelp = false
    var asksForVersion = false

    init(_ arguments: [String]) throws(Failure) {
        var rest = arguments[...]
        var early: [(option: String, inline: String?)] = []
        while let argument = rest.popFirst() {
            if argument == "--" {
                if let verb, verb.takesCommand {
                    request.command = Array(rest)
                } else {
                    for word in rest { try add(word) }
                }
                break
            }
            guard Self.looksLikeOption(argument) else {
                try add(argument)
                continue
            }
            let (option, inline) = Self.parts(of: argument)
            if verb == nil, Self.find(option, in: GlobalOptions.table) == nil {
                // An option of the verb, which is still to come; only a flag or `--option=VALUE` can stand there.
                early.append((option, inline))
            } else {
                try take(option, inline: inline, rest: &rest)
            }
        }
        var none = [String]()[...]
        for (option, inline) in early { try take(option, inline: inline, rest: &none) }
        if !asksForHelp, !asksForVersion { try checkCount() }
    }

    /// Options begin with a dash and a letter, or two dashes, and have no blanks in their names: `-5 * * * *` is a
    /// field, and `-` is a file.
    private static func looksLikeOption(_ argument: String) -> Bool {
        guard argument.hasPrefix("-"), let second = argument.dropFirst().first else { return false }
        let name = argument.prefix { $0 != "=" }
        return !second.isNumber && !name.contains(where: \.isWhitespace)
    }

    /// `--option=VALUE`, and `-n5` for `-n 5`.
    private static func parts(of argument: String) -> (option: String, inline: String?) {
        if !argument.hasPrefix("--"), argument.count > 2, argument.dropFirst(2).allSatisfy(\.isNumber) {
            return (String(argument.prefix(2)), String(argument.dropFirst(2)))
        }
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        return (parts[0], parts.count > 1 ? parts[1] : nil)
    }

    private mutating func add(_ word: String) throws(Failure) {
        guard verb != nil else {
            let found = try Verb.require(word)
            verb = found
            request.verb = found
            return
        }
        request.arguments.append(word)
    }

    private mutating func take(_ option: String, inline: String?, rest: inout ArraySlice<String>) throws(Failure) {
        let verb = verb ?? Verb.standard
        guard let known = Self.find(option, in: GlobalOptions.table + verb.options) else {
            let nearest = NearestName.near(
                to: option, among: (GlobalOptions.table + verb.options).flatMap(\.spellings).filter { $0.count > 2 })
            throw .usage(
                "\(verb.name) has no option \"\(option)\"" + (nearest.map { "; the nearest is \"\($0)\"" } ?? ""),
                verb: verb)
        }
        let name = known.spellings[0]
        guard let placeholder = known.value else {
            guard inline == nil else { throw .usage("\(option) takes no value", verb: verb) }
            set(flag: name)
            return
        }
        guard let value = inline ?? rest.popFirst() else {
            throw .usage("\(option) needs a value: \(placeholder)", verb: verb)
        }
        if name == "--bus" { options.busAddress = value } else { give(name, value) }
    }

    private mutating func give(_ option: String, _ value: String) {
        request.options[option] = value
        request.lists[option, default: []].append(value)
    }

    private mutating func set(flag name: String) {
        switch name {
        case "--json": options.isJSON = true
        case "--utc": options.isUTC = true
        case "--no-color": options.refusesColor = true
        case "--help": asksForHelp = true
        case "--version": asksForVersion = true
        default: give(name, "")
        }
    }

    private func checkCount() throws(Failure) {
        let verb = verb ?? Verb.standard
        let count = request.arguments.count
        if count < verb.argumentCount.lowerBound { throw .usage("\(verb.name) needs \(verb.arguments)", verb: verb) }
        if count > verb.argumentCount.upperBound {
            let hint = verb.takesCommand && request.command.isEmpty ? "; what is to be run stands behind --" : ""
            throw .usage(
                "\(verb.name) does not take \"\(request.arguments[verb.argumentCount.upperBound])\"\(hint)", verb: verb)
        }
    }

    private static func find(_ spelling: String, in table: [Verb.Option]) -> Verb.Option? {
        table.first { $0.spellings.contains(spelling) }
    }
}
