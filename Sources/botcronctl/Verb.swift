import Configuration

/// One verb of the command line: how it is written, what it does, and who does it.
struct Verb: Sendable {
    struct Option: Sendable {
        /// As written, with the dashes; the first is the one that `Request` knows it by.
        let spellings: [String]
        /// What stands for its value in help; nil for a flag.
        let value: String?
        let summary: String
        /// What its value is.
        let meaning: Meaning

        init(
            _ spelling: String, or other: String? = nil, value: String? = nil, of meaning: Meaning = .text,
            _ summary: String
        ) {
            spellings = [spelling] + (other.map { [$0] } ?? [])
            self.value = value
            self.meaning = meaning
            self.summary = summary
        }
    }

    let name: String
    /// What comes after the name, in help: `JOB`, `[FILE]`.
    let arguments: String
    /// How many arguments it takes.
    let argumentCount: ClosedRange<Int>
    /// What each of them is; those beyond are texts.
    let meanings: [Meaning]
    let summary: String
    /// More about it, for `help VERB`.
    let details: String
    let options: [Option]
    /// Whether what stands behind `--` is a command, and no argument.
    let takesCommand: Bool
    let run: @Sendable (Request, Context) throws(Failure) -> Int32

    /// A verb without arguments.
    init(
        _ name: String, _ summary: String, details: String = "", options: [Option] = [],
        run: @escaping @Sendable (Request, Context) throws(Failure) -> Int32
    ) {
        self.init(name, "", 0...0, summary, details: details, options: options, run: run)
    }

    init(
        _ name: String, _ arguments: String, _ argumentCount: ClosedRange<Int>, _ summary: String,
        details: String = "", options: [Option] = [], takes meanings: [Meaning] = [], takesCommand: Bool = false,
        run: @escaping @Sendable (Request, Context) throws(Failure) -> Int32
    ) {
        self.name = name
        self.arguments = arguments
        self.argumentCount = argumentCount
        self.meanings = meanings
        self.summary = summary
        self.details = details
        self.options = options
        self.takesCommand = takesCommand
        self.run = run
    }

    /// More options than these are listed below the synopsis alone.
    private static let synopsisOptions = 6

    /// `run JOB [--wait]`, as help shows it.
    var synopsis: String {
        let words =
            options.count > Self.synopsisOptions
            ? ["[OPTION…]"] : options.map { "[\($0.spellings[0])\($0.value.map { " " + $0 } ?? "")]" }
        return ([name, arguments].filter { !$0.isEmpty } + words + (takesCommand ? ["[-- COMMAND…]"] : []))
            .joined(separator: " ")
    }

    // MARK: - The table

    struct Group: Sendable {
        let title: String
        let verbs: [Verb]
    }

    static let groups = [
        Group(
            title: "Jobs",
            verbs: [list, show, why, add, edit, copy, rename, tag, remove, enable, disable, skip, calendar]),
        Group(title: "Bringing things over", verbs: [importJobs, exportJobs]),
        Group(
            title: "Runs",
            verbs: [runJob, rerun, backfill, wait, cancel, logs, history, heatmap, monitor, questions, answer]),
        Group(
            title: "The scheduler",
            verbs: [status, top, doctor, health, metrics, pause, resume, reload, config, notify, queue]),
        Group(title: "Without a daemon", verbs: [next, simulate, validate, version, help]),
        Group(title: "For shells and readers", verbs: [completion, man]),
    ]

    static let all = groups.flatMap(\.verbs)

    /// What a command line without a verb means.
    static let standard = list

    /// What other programs call it.
    private static let synonyms = [
        "create": "add", "new": "add", "delete": "remove", "rm": "remove", "ls": "list", "start": "run",
        "stop": "cancel", "kill": "cancel", "log": "logs", "follow": "monitor", "info": "show", "cat": "show",
        "mv": "rename", "cp": "copy", "test": "validate", "explain": "why", "retry": "rerun",
        "manual": "man", "watch": "top", "tui": "top",
    ]

    /// The verb of that name; a failure that names the nearest where there is none.
    static func require(_ name: String) throws(Failure) -> Verb {
        if let verb = all.first(where: { $0.name == name }) { return verb }
        let nearest = synonyms[name] ?? NearestName.near(to: name, among: all.map(\.name))
        throw .usage("there is no verb \"\(name)\"" + (nearest.map { "; the nearest is \"\($0)\"" } ?? ""))
    }
}

/// What a command line asks a verb for.
struct Request: Sendable {
    /// Who is asked.
    var verb = Verb.standard
    var arguments: [String] = []
    /// Flags and values by the first spelling of their option; a flag's value is empty.
    var options: [String: String] = [:]
    /// All values of each option in their order, for those that are given more than once; `options` has the last.
    var lists: [String: [String]] = [:]
    /// What stands behind `--`, for a verb that takes a command.
    var command: [String] = []

    func has(_ option: String) -> Bool { options[option] != nil }

    func usage(_ message: String) -> Failure { .usage(message, verb: verb) }

    /// `NAME=VALUE` of an option that is given once for each; nil where it is not given.
    func pairs(_ option: String) throws(Failure) -> [(name: String, value: String)]? {
        guard let words = lists[option] else { return nil }
        var pairs: [(name: String, value: String)] = []
        for word in words {
            guard let equals = word.firstIndex(of: "="), equals > word.startIndex else {
                throw usage("\(option): found \"\(word)\", expected NAME=VALUE")
            }
            pairs.append((String(word[..<equals]), String(word[word.index(after: equals)...])))
        }
        return pairs
    }

    /// The value of an option as a whole number.
    func integer(_ option: String, _ range: ClosedRange<Int>, default standard: Int) throws(Failure) -> Int {
        guard let text = options[option] else { return standard }
        guard let number = Int(text), range.contains(number) else {
            throw usage(
                "\(option): found \"\(text)\", expected a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// The value of an option in seconds; a fraction is allowed.
    func seconds(_ option: String) throws(Failure) -> Double? {
        guard let text = options[option] else { return nil }
        guard let number = Double(text), number >= 0, number <= Self.secondsMax else {
            throw usage("\(option): found \"\(text)\", expected seconds, such as 20 or 0.5")
        }
        return number
    }

    /// Ten years: what fits every timer, and is longer than anybody waits.
    static let secondsMax = 315_576_000.0
}
