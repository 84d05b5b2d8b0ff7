internal import Configuration
internal import JSON
internal import Performing
internal import Scheduling

/// Definitions that came over the bus. The store keeps them, the core schedules those that read; this keeps those that
/// no longer do, with the reason, until they read again or are forgotten.
final class BusDefinitions {
    private var refused: [StoredState.StoredDefinition] = []
    /// Of each in `refused`, as it is listed.
    private(set) var refusals: [RefusedJob] = []

    func isRefused(_ name: String) -> Bool { refused.contains { $0.job == name } }

    /// Reads what the store holds; what does not read is refused from now on, and nothing else is.
    func restore(
        _ definitions: [StoredState.StoredDefinition], with reader: ConfigurationReader,
        in configuration: Configuration
    ) -> [Job] {
        refused = []
        refusals = []
        guard !definitions.isEmpty else { return [] }
        var jobs: [Job] = []
        let taken = Set(configuration.jobs.map(\.name))
        for stored in definitions {
            guard !taken.contains(stored.job) else {
                refuse(stored, "the name \"\(stored.job)\" is taken by a job of config.json, which stands")
                continue
            }
            do {
                let job = try read(stored.json, named: stored.job, reader, configuration)
                if let circle = circle(with: job, among: configuration.jobs + jobs) {
                    refuse(stored, ChainGraph.error(of: circle))
                } else {
                    jobs.append(job)
                }
            } catch {
                refuse(stored, "\(error)")
            }
        }
        return jobs
    }

    /// What a definition was refused for may be mended now (a runner, a zone); and those that are scheduled may mean
    /// something else.
    ///
    /// - Returns: those that read again, and those that are scheduled and read differently now.
    func retry(
        with reader: ConfigurationReader, in configuration: Configuration, _ reading: any SchedulerReading
    ) -> (retried: [Job], renewed: [Job]) {
        var renewed: [Job] = []
        for name in reading.jobNames {
            guard let job = reading.definition(of: name), job.origin == .bus,
                let fresh = try? read(job.definition, named: name, reader, configuration), fresh != job
            else { continue }
            renewed.append(fresh)
        }
        return (restore(refused, with: reader, in: configuration), renewed)
    }

    /// A name that a job of the bus has already stays with it.
    ///
    /// - Returns: whether there was one.
    func refuseNamesakes(in configuration: inout Configuration, _ reading: any SchedulerReading) -> Bool {
        func isTaken(_ job: Job) -> Bool { reading.definition(of: job.name)?.origin == .bus }
        let taken = configuration.jobs.filter(isTaken)
        guard !taken.isEmpty else { return false }
        configuration.refused += taken.map { job in
            RefusedJob(
                name: job.name, definition: job.definition,
                error:
                    "the name \"\(job.name)\" is taken by a job that was created over the bus; cancel_job removes it")
        }
        configuration.jobs.removeAll(where: isTaken)
        return true
    }

    /// The definitions of runs whose job is not scheduled, by run. One that no longer reads is missing: its run cannot
    /// be tried again.
    func unscheduled(
        _ runs: [Run], with reader: ConfigurationReader, in configuration: Configuration
    ) -> [String: Job] {
        var jobs: [String: Job] = [:]
        for run in runs {
            guard let definition = run.definition else { continue }
            jobs[run.id] = try? read(definition, named: run.job, reader, configuration)
        }
        return jobs
    }

    /// A definition that was removed or replaced is refused no more.
    ///
    /// - Returns: whether that changed what is refused.
    func committed(_ changes: [StoreChange]) -> Bool {
        guard !refused.isEmpty else { return false }
        var settled: Set<String> = []
        for change in changes {
            switch change {
            case .definition(let job, _, _, _), .removeDefinition(let job): settled.insert(job)
            default: break
            }
        }
        guard refused.contains(where: { settled.contains($0.job) }) else { return false }
        refused.removeAll { settled.contains($0.job) }
        refusals.removeAll { settled.contains($0.name) }
        return true
    }

    /// What it and the jobs that are there already would be by their chains; nil where that is no circle.
    private func circle(with job: Job, among others: [Job]) -> [String]? {
        guard !job.onSuccess.isEmpty || !job.onFailure.isEmpty || job.after != nil else { return nil }
        return ChainGraph.circles(in: others + [job]).first { $0.index == others.count }?.circle
    }

    private func refuse(_ stored: StoredState.StoredDefinition, _ error: String) {
        refused.append(stored)
        refusals.append(RefusedJob(name: stored.job, definition: stored.json, error: error))
    }

    private func read(
        _ json: String, named name: String, _ reader: ConfigurationReader, _ configuration: Configuration
    ) throws -> Job {
        try reader.readJob(try JSONValue(parsing: json), origin: .bus, in: configuration, madeUpName: name)
    }
}
