import Scheduling

/// Jobs that follow others.
extension ConfigurationReader {
    private static let afterVocabulary = Vocabulary(["job", "jobs", "on"])

    func readAfter(_ field: Field) throws(FieldError) -> Job.Chain {
        let fields = try Fields(field, Self.afterVocabulary, expected: "an object with \"job\" and \"on\"")
        let outcome = try fields["on"]?.word(Job.Chain.Outcome.self) ?? .success
        if let list = fields["jobs"] {
            if let job = fields["job"] { throw job.refusal("stands beside \"jobs\"; give one of them") }
            return Job.Chain(jobs: try readJobsBefore(list), on: outcome)
        }
        guard let job = fields["job"] else {
            throw FieldError(path: fields.path(of: "job"), "missing; it names the job whose end is waited for")
        }
        return Job.Chain(job: try job.jobName(), on: outcome)
    }

    private func readJobsBefore(_ list: Field) throws(FieldError) -> [String] {
        let elements = try list.elements(of: "names of jobs")
        guard (1...Scheduler.Limits.jobsBefore).contains(elements.count) else {
            throw list.refusal(expected: "1 to \(Scheduler.Limits.jobsBefore) names of jobs")
        }
        var names: [String] = []
        for element in elements {
            let name = try element.jobName()
            guard !names.contains(name) else { throw element.refusal("\"\(name)\" stands there already") }
            names.append(name)
        }
        return names
    }

    // MARK: - Chains that lead nowhere

    /// Further loose chains are not listed, and in a larger set of jobs no nearest name is looked for: both take time
    /// for each name.
    private static let looseChainsMax = 20
    private static let comparedJobsMax = 1_000

    /// A job that another one names may yet come over the bus; more often its name is mistyped.
    func warnOfLooseChains(_ configuration: inout Configuration) {
        // Most files have no chain, and a table of all names takes a while to make.
        guard configuration.jobs.contains(where: { !$0.onSuccess.isEmpty || !$0.onFailure.isEmpty || $0.after != nil })
        else { return }
        let names = Set(configuration.jobs.map(\.name) + configuration.refused.map(\.name))
        let compared = names.count <= Self.comparedJobsMax ? names.sorted() : []
        var found = 0
        for job in configuration.jobs {
            let chained = [
                ("on_success", job.onSuccess), ("on_failure", job.onFailure),
                ("after", job.after?.jobs ?? []),
            ]
            for (key, others) in chained {
                for other in others where !names.contains(other) {
                    found += 1
                    guard found <= Self.looseChainsMax else { return }
                    let nearest = NearestName.nearest(to: other, among: compared).map { "; the nearest is \"\($0)\"" }
                    configuration.warnings.append(
                        "\(job.name): \(key) names \"\(other)\", and there is no such job here\(nearest ?? "")")
                }
            }
        }
    }
}
