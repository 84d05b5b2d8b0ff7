import JSON

/// A run, and below it what ran after it: the chain that it began.
struct RunTree {
    let run: JSONValue
    /// In the order in which they came.
    private(set) var followers: [RunTree] = []

    /// Statuses of what somebody who looks for failures wants to see.
    static let failures: Set<String> = ["failed", "timeout", "interrupted", "missed"]

    /// - Parameter runs: newest first, and so are the trees. One whose run before is not among them begins a tree.
    static func trees(of runs: [JSONValue]) -> [RunTree] {
        let known = Set(runs.map { $0.text("execution_id") })
        var followers: [String: [JSONValue]] = [:]
        var roots: [JSONValue] = []
        for run in runs {
            let previous = run.text("previous")
            if known.contains(previous) { followers[previous, default: []].append(run) } else { roots.append(run) }
        }
        return roots.map { tree(of: $0, &followers) }
    }

    /// Each run is taken once: records of another program may lead in a circle.
    private static func tree(of run: JSONValue, _ followers: inout [String: [JSONValue]]) -> RunTree {
        var tree = RunTree(run: run)
        for next in (followers.removeValue(forKey: run.text("execution_id")) ?? []).reversed() {
            tree.followers.append(Self.tree(of: next, &followers))
        }
        return tree
    }

    private init(run: JSONValue) { self.run = run }

    func contains(where isMeant: (JSONValue) -> Bool) -> Bool {
        isMeant(run) || followers.contains { $0.contains(where: isMeant) }
    }

    /// The run as the bus has it, with `followers`.
    var json: JSONValue {
        var object = run.objectValue ?? [:]
        object["followers"] = .array(followers.map(\.json))
        return .object(object)
    }

    /// Every run from the top to the bottom, with the branches that lead to it.
    func lines(_ branches: Branches, before: String = "", own: String = "") -> [(branch: String, run: JSONValue)] {
        var lines = [(own, run)]
        for (place, follower) in followers.enumerated() {
            let isLast = place == followers.count - 1
            lines += follower.lines(
                branches, before: before + (isLast ? "   " : branches.passing),
                own: before + (isLast ? branches.last : branches.fork))
        }
        return lines
    }

    /// What trees are drawn with.
    struct Branches {
        let fork: String
        let last: String
        let passing: String

        static let lines = Branches(fork: "├─ ", last: "└─ ", passing: "│  ")
        static let ascii = Branches(fork: "|- ", last: "`- ", passing: "|  ")

        /// Letters of ASCII where the locale does not say UTF-8.
        static var ofLocale: Branches {
            let names = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap { variable($0) }
            // Such as de_DE.UTF-8@euro.
            let parts = (names.first { !$0.isEmpty } ?? "").split(separator: ".")
            let codeset = (parts.last ?? "").prefix { $0 != "@" }.filter { $0 != "-" }
            return codeset.lowercased() == "utf8" ? lines : ascii
        }
    }
}
