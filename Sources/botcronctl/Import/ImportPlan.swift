import JSON

/// Which name each job of an import gets among those that are there, and what is new of it.
///
/// First by content: a job with the very same definition is the job, whatever it is called. So a second import of the
/// same text changes nothing, and lines that were moved stay themselves. What is left takes the name that its content
/// suggests; where a job of that name is there and no other line is it, that job was changed, here or there.
struct ImportPlan {
    enum Step: Equatable {
        case new
        case alreadyThere
        /// A job of that name is there with other content.
        case changed
    }

    /// A job that is there, without what names it.
    struct Known {
        var name: String
        /// Nil: not one that an import of this format made.
        var definition: JSONObject?

        init(name: String, definition: JSONObject?) {
            self.name = name
            self.definition = definition?.nameless
        }
    }

    /// In the order of the jobs.
    private(set) var steps: [(name: String, step: Step)] = []

    init(_ jobs: [ImportedJob], among known: [Known]) {
        var free: [JSONObject: [String]] = [:]
        for job in known.reversed() {
            if let definition = job.definition { free[definition, default: []].append(job.name) }
        }
        let found = jobs.map { free[$0.definition]?.popLast() }
        let definitions = Dictionary(known.map { ($0.name, $0.definition) }, uniquingKeysWith: { first, _ in first })
        var claimed = Set(found.compactMap { $0 })
        // Where the numbers of a name go on: below it all are taken.
        var numbers: [String: Int] = [:]
        for (job, name) in zip(jobs, found) {
            if let name {
                steps.append((name, .alreadyThere))
                continue
            }
            var number = numbers[job.name] ?? 1
            defer { numbers[job.name] = number }
            // A name that another line has, or somebody's own job, is taken.
            while true {
                let name = JobNaming.numbered(job.name, number)
                let isForeign = definitions[name].map { $0 == nil } ?? false
                if !claimed.contains(name), !isForeign {
                    claimed.insert(name)
                    steps.append((name, definitions[name] == nil ? .new : .changed))
                    break
                }
                number += 1
            }
        }
    }
}
