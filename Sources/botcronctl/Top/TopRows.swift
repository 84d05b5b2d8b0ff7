import Schedules

/// The rows of the list, in sections. They are names and no texts: a row's text is made when it is seen.
struct TopRows: Equatable {
    enum Section: Int, CaseIterable, Sendable {
        case attention, running, next, jobs

        var title: String {
            switch self {
            case .attention: "Needs a look"
            case .running: "Running"
            case .next: "Next"
            case .jobs: "Jobs"
            }
        }
    }

    /// What a row is about.
    enum Subject: Hashable, Sendable {
        /// config.json is not in force.
        case configuration
        case store
        case job(String)
        case run(String, job: String)

        var job: String? {
            switch self {
            case .configuration, .store: nil
            case .job(let name), .run(_, let name): name
            }
        }
    }

    struct Row: Hashable, Sendable {
        var section: Section
        var subject: Subject
    }

    /// All that there is, by section.
    private(set) var all: [Section: [Subject]] = [:]
    /// How many of each section are listed; all jobs are.
    private(set) var limits: [Section: Int] = [:]

    /// In cells; not beyond `nameMax`.
    private(set) var longestName = 0

    /// No name is given more room.
    static let nameMax = 36
    /// More fire times than these are not sorted.
    private static let nextMax = 100

    init() {}

    init(_ facts: TopFacts, filter: TopFilter, limits: [Section: Int]) {
        self.limits = limits
        var attention: [(subject: Subject, rank: Rank)] = []
        if filter.isEmpty, !facts.configurationFault.isEmpty { attention.append((.configuration, Rank(kind: 0))) }
        if filter.isEmpty, !facts.storeFault.isEmpty { attention.append((.store, Rank(kind: 0))) }
        var (running, jobs): ([Subject], [Subject]) = ([], [])
        var next = Soonest(count: Self.nextMax)
        for name in facts.names {
            guard let job = facts.jobs[name], filter.matches(job, facts) else { continue }
            jobs.append(.job(name))
            if longestName < Self.nameMax { longestName = min(Self.nameMax, max(longestName, cellWidth(name))) }
            for run in job.running { running.append(.run(run, job: name)) }
            if let rank = Self.rank(job, facts) { attention.append((.job(name), rank)) }
            if let at = job.nextRun { next.add(name, at) }
        }
        // The sort is not stable, and those of one rank stay in the order of their names.
        let sorted = attention.enumerated().sorted { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }
        all = [
            .attention: sorted.map(\.element.subject), .running: running, .next: next.names.map { .job($0) },
            .jobs: jobs,
        ]
    }

    /// What comes first of what needs a look.
    private struct Rank: Comparable {
        var kind: Int
        var at = Instant.epoch

        /// Of one kind the newest first.
        static func < (a: Rank, b: Rank) -> Bool { a.kind == b.kind ? a.at > b.at : a.kind < b.kind }
    }

    /// Nil: it needs no look.
    private static func rank(_ job: JobFacts, _ facts: TopFacts) -> Rank? {
        if job.running.contains(where: { facts.runs[$0]?.isStalled ?? false }) { return Rank(kind: 1) }
        if !job.error.isEmpty { return Rank(kind: 4) }
        let last = job.lastRun ?? .epoch
        if facts.pausedByFailures[job.name] != nil { return Rank(kind: 3, at: last) }
        return job.isFailed && job.isEnabled ? Rank(kind: 2, at: last) : nil
    }

    // MARK: - What is listed

    func count(of section: Section) -> Int { all[section]?.count ?? 0 }

    func listed(_ section: Section) -> Int { min(count(of: section), limits[section] ?? .max) }

    subscript(section: Section, index: Int) -> Row {
        Row(section: section, subject: all[section]?[index] ?? .configuration)
    }

    /// Of all sections one after the other.
    var listedCount: Int { Section.allCases.reduce(0) { $0 + listed($1) } }

    func row(at position: Int) -> Row? {
        var rest = position
        for section in Section.allCases {
            if rest < listed(section) { return rest < 0 ? nil : self[section, rest] }
            rest -= listed(section)
        }
        return nil
    }

    func position(of row: Row) -> Int? {
        guard let index = all[row.section]?.prefix(listed(row.section)).firstIndex(of: row.subject) else { return nil }
        return start(of: row.section) + index
    }

    /// The position of the first row of a section.
    func start(of section: Section) -> Int {
        Section.allCases.prefix(section.rawValue).reduce(0) { $0 + listed($1) }
    }
}

/// The names with the soonest instants, of any number of them.
private struct Soonest {
    let count: Int
    private var list: [(name: String, at: Instant)] = []

    init(count: Int) { self.count = count }

    mutating func add(_ name: String, _ at: Instant) {
        if list.count == count, let last = list.last, last.at <= at { return }
        var (low, high) = (0, list.count)
        while low < high {
            let middle = (low + high) / 2
            if list[middle].at <= at { low = middle + 1 } else { high = middle }
        }
        list.insert((name, at), at: low)
        if list.count > count { list.removeLast() }
    }

    var names: [String] { list.map(\.name) }
}

/// What is typed behind `/` in the list: words that all stand in a job's name, title, tags or status.
struct TopFilter: Equatable {
    let text: String
    private let words: [TextSearch]

    init(text: String = "") {
        self.text = text
        words = text.lowercased().split(separator: " ").compactMap { TextSearch(String($0)) }
    }

    var isEmpty: Bool { words.isEmpty }

    func matches(_ job: JobFacts, _ facts: TopFacts) -> Bool {
        guard !words.isEmpty else { return true }
        var texts = [job.name.lowercased(), job.title.lowercased(), job.lastStatus] + job.tags.map { $0.lowercased() }
        if !job.isEnabled { texts.append("disabled") }
        if !job.running.isEmpty { texts.append("running") }
        if !job.waitingFor.isEmpty { texts.append("waiting") }
        if !job.error.isEmpty { texts.append("refused, not schedulable") }
        if facts.pausedByFailures[job.name] != nil { texts.append("paused") }
        return words.allSatisfy { word in texts.contains { word.isIn($0) } }
    }
}
