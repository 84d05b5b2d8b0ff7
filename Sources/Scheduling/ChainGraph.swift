/// Which jobs follow which, whatever key says so: `on_success`, `on_failure`, `after`.
///
/// Jobs that follow one another in a circle would run for ever; such a definition is refused where it comes in, with
/// the circle in its error. (A circle that comes about by two ways, a file and the bus, is ended by
/// `Scheduler.Limits.chainLength`.)
public enum ChainGraph {
    /// The shortest circle through a job, as the names along it; the first is not repeated at the end.
    public static func circle(through start: String, _ next: (String) -> [String]) -> [String]? {
        var before: [String: String] = [:]
        var row = [start]
        var place = 0
        while place < row.count {
            let name = row[place]
            place += 1
            for follower in next(name) {
                if follower == start {
                    var circle = [name]
                    while let earlier = before[circle[circle.count - 1]] { circle.append(earlier) }
                    return circle.reversed()
                }
                guard before[follower] == nil else { continue }
                before[follower] = name
                row.append(follower)
            }
        }
        return nil
    }

    /// Of jobs in their order those that close a circle with ones before them, which stand; each with its circle.
    public static func circles(in jobs: [Job]) -> [(index: Int, circle: [String])] {
        var followers: [String: [String]] = [:]
        // By their places: most of a hundred thousand follow nothing, and are not copied to find that out.
        for place in jobs.indices where jobs[place].details.isChained {
            let job = jobs[place]
            for other in job.onSuccess + job.onFailure { followers[job.name, default: []].append(other) }
            for other in job.after?.jobs ?? [] { followers[other, default: []].append(job.name) }
        }
        guard !followers.isEmpty else { return [] }
        let suspects = namesInCircles(followers)
        guard !suspects.isEmpty else { return [] }
        var standing: Set<String> = []
        var found: [(index: Int, circle: [String])] = []
        for (index, job) in jobs.enumerated() where suspects.contains(job.name) {
            standing.insert(job.name)
            let circle = circle(through: job.name) { followers[$0, default: []].filter(standing.contains) }
            guard let circle else { continue }
            standing.remove(job.name)
            found.append((index, circle))
        }
        return found
    }

    /// What is left when all are taken away, again and again, that nothing follows or that follow nothing. In a set of
    /// jobs without a circle that is none, and takes as long as there are names.
    private static func namesInCircles(_ followers: [String: [String]]) -> Set<String> {
        var predecessors: [String: [String]] = [:]
        for (name, others) in followers { for other in others { predecessors[other, default: []].append(name) } }
        var left = Set(followers.keys).union(predecessors.keys)
        for (next, before) in [(followers, predecessors), (predecessors, followers)] {
            // Not over a dictionary that changes: each name is taken away once, when its count comes to nothing.
            var counts = Dictionary(
                uniqueKeysWithValues: left.map { name in
                    (name, next[name, default: []].count(where: left.contains))
                })
            var ends = left.filter { counts[$0] == 0 }
            while let name = ends.popFirst() {
                left.remove(name)
                for other in before[name, default: []] where left.contains(other) {
                    counts[other, default: 0] -= 1
                    if counts[other] == 0 { ends.insert(other) }
                }
            }
        }
        return left
    }

    /// What is wrong, and what would be right.
    public static func error(of circle: [String]) -> String {
        let shown = circle.count <= shownMax ? circle[...] : circle.prefix(shownMax) + ["…"]
        let row = (shown + [circle.first ?? ""]).joined(separator: " → ")
        return "a circle of jobs that would follow one another for ever: \(row); "
            + "take one out of on_success, on_failure or after"
    }

    private static let shownMax = 20
}
