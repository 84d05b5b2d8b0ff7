import Configuration
import EventLoop
import JSON
import Store
import Schedules
import Scheduling

/// How config.json comes into force: at the start, on SIGHUP, on request, and when the file changes.
extension Daemon {
    /// A burst of changes (an editor writes, renames, changes the mode) is one reload, so long after the last.
    static let settleUSec: UInt64 = 100_000

    /// What a reload did, as `reload_config` answers.
    struct ReloadResult {
        var added: [String] = []
        var changed: [String] = []
        var removed: [String] = []
        var refused: [RefusedJob] = []
    }

    /// Watches what the schedules rest on: config.json, the machine's zone, and the zone files.
    func watchFiles() -> [EventSource] {
        do {
            configurationWatch = try FileWatch(configurationPath, on: loop) { [unowned self] in reloadSoon() }
        } catch {
            sayUnwatched("the configuration", error)
        }
        do {
            stateFileWatch = try FileWatch(stateFilePath, on: loop) { [unowned self] in stateFileChangesSoon() }
        } catch {
            sayUnwatched("state.json", error)
        }
        let zones = zones.directory
        return [
            watch("/etc", "the machine's time zone") { [unowned self] name in
                if name == "localtime" { zonesChangeSoon() }
            },
            // A new tzdata always renews files at the top of the folder.
            watch(zones, "the time zone database") { [unowned self] _ in zonesChangeSoon() },
        ].compactMap { $0 }
    }

    private func watch(_ folder: String, _ what: String, _ changed: @escaping (String) -> Void) -> EventSource? {
        do {
            return try loop.inotify(path: folder, [.closedAfterWrite, .movedTo, .movedFrom, .deleted, .created]) {
                changed($0.name)
            }
        } catch {
            sayUnwatched(what, error)
            return nil
        }
    }

    private func sayUnwatched(_ what: String, _ error: EventLoopError) {
        log.warning("changes are not noticed until SIGHUP", [("BOTCRON_FILE", what), ("BOTCRON_ERROR", "\(error)")])
    }

    private func reloadSoon() { reloadTimer?.arm(atUSec: loop.now(.monotonic) + Self.settleUSec) }

    private func zonesChangeSoon() {
        areZonesStale = true
        reloadSoon()
    }

    /// Takes up new zone rules in jobs that were made over the bus; those of config.json come with the reload.
    private func renewBusJobs(_ reader: ConfigurationReader) {
        for name in scheduler.jobNames {
            guard let job = scheduler.job(named: name)?.job, job.origin == .bus,
                let value = try? JSONValue(parsing: job.definition),
                let renewed = try? reader.readJob(value, origin: .bus, in: configuration, madeUpName: name),
                renewed != job
            else { continue }
            submit(.jobUpserted(renewed, ticket: ticket { _ in }))
        }
    }

    func reloadFromDisk() {
        if areZonesStale {
            areZonesStale = false
            let changed = zones.reload()
            if !changed.isEmpty {
                log.info("time zones changed", [("BOTCRON_ZONES", changed.sorted().joined(separator: " "))])
            }
        }
        do throws(ConfigurationError) {
            let result = try reload()
            log.info(
                "configuration reloaded",
                [
                    ("BOTCRON_ADDED", "\(result.added.count)"), ("BOTCRON_CHANGED", "\(result.changed.count)"),
                    ("BOTCRON_REMOVED", "\(result.removed.count)"), ("BOTCRON_REFUSED", "\(result.refused.count)"),
                ])
        } catch {
            log.error(
                "the configuration was not reloaded; the last good one stays in force", [("BOTCRON_ERROR", "\(error)")])
        }
    }

    /// Takes up config.json as it stands, by difference.
    ///
    /// - Throws: where the file cannot be read or understood as a whole; then nothing has changed.
    func reload() throws(ConfigurationError) -> ReloadResult {
        let reader = ConfigurationReader(zones: zones, home: home, now: now, registrations: currentRegistrations)
        var next: Configuration
        do {
            // One that was there and is gone is about to be written anew, or a mishap: no reason to forget every job.
            next = try ConfigurationFile.read(configurationPath, reader, zones, mayBeAbsent: !configuration.isWritten)
        } catch {
            configurationFault = error.description
            throw error
        }
        configurationFault = nil
        let before = Set(configuration.jobs.map(\.name))
        let old = Dictionary(configuration.jobs.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        // A name that is already taken by a job of the bus stays with it.
        let busNames = Set(scheduler.jobNames.filter { scheduler.job(named: $0)?.job.origin == .bus })
        next.refused += next.jobs.filter { busNames.contains($0.name) }.map { job in
            RefusedJob(
                name: job.name, definition: job.definition,
                error: "the name \"\(job.name)\" is taken by a job that was created over the bus; cancel_job removes it"
            )
        }
        next.jobs.removeAll { busNames.contains($0.name) }
        // What a job of the bus was refused for may be mended now: a runner, a zone.
        let retried = reader.restore(refusedDefinitions, in: next)
        refusedDefinitions = retried.refusedDefinitions
        next.refused += retried.refused
        typedFace.touch(jobs: configuration.refused.map(\.name) + next.refused.map(\.name))
        configuration = next
        submit(
            .configurationChanged(
                jobs: next.jobs, retained: Set(next.refused.map(\.name)), settings: next.settings,
                isEnabled: next.isEnabled))
        // What state.json says of them held before they were there.
        for name in next.jobs.map(\.name) where !before.contains(name) && overrides.jobs[name] != nil { override(name) }
        for job in retried.jobs { submit(.jobUpserted(job, ticket: ticket { _ in })) }
        renewBusJobs(reader)
        logConfiguration()

        var result = ReloadResult()
        let after = Set(next.jobs.map(\.name))
        result.added = after.subtracting(before).sorted()
        result.removed = before.subtracting(after).sorted()
        result.changed = next.jobs.filter { job in old[job.name].map { $0 != job } ?? false }.map(\.name).sorted()
        result.refused = next.refused
        return result
    }

    func logConfiguration() {
        for warning in configuration.warnings { log.warning("configuration", [("BOTCRON_WARNING", warning)]) }
        for refused in configuration.refused {
            log.warning("a job was refused", [("BOTCRON_JOB", refused.name), ("BOTCRON_ERROR", refused.error)])
        }
    }

    var currentRegistrations: [String: Registration] {
        scheduler.registrations.mapValues { Registration(scheduleKey: $0.scheduleKey, registeredAt: $0.registeredAt) }
    }
}

extension StoredState {
    var registrations: [String: Registration] {
        Dictionary(
            jobs.map { ($0.job, Registration(scheduleKey: $0.scheduleKey, registeredAt: $0.registeredAt)) },
            uniquingKeysWith: { first, _ in first })
    }
}

extension ConfigurationFile {
    /// Loads and reads a file; one that is absent, and may be, is a configuration without jobs.
    static func read(
        _ path: String, _ reader: ConfigurationReader, _ zones: ZoneDatabase, mayBeAbsent: Bool = true
    ) throws(ConfigurationError) -> Configuration {
        switch try ConfigurationFile.load(path: path) {
        case .bytes(let bytes):
            return try reader.read(document: try ConfigurationFile.parse(bytes, path: path))
        case .absent:
            guard mayBeAbsent else {
                throw ConfigurationError(
                    operation: "read", object: path,
                    reason: "the file is gone; to have no jobs, write {} to it, or restart the daemon")
            }
            var empty = Configuration(timezone: (try? zones.zone(named: "local")) ?? .utc)
            empty.isWritten = false
            empty.warnings = ["there is no \(path): no jobs until it is written"]
            return empty
        }
    }
}

extension ConfigurationReader {
    /// Reads the definitions that came over the bus; one that no longer reads is listed with its error.
    func restore(
        _ definitions: [StoredState.StoredDefinition], in configuration: Configuration
    ) -> (jobs: [Job], refused: [RefusedJob], refusedDefinitions: [StoredState.StoredDefinition]) {
        var jobs: [Job] = []
        var refused: [RefusedJob] = []
        var refusedDefinitions: [StoredState.StoredDefinition] = []
        let taken = Set(configuration.jobs.map(\.name))
        for stored in definitions {
            func refuse(_ error: String) {
                refused.append(RefusedJob(name: stored.job, definition: stored.json, error: error))
                refusedDefinitions.append(stored)
            }
            guard !taken.contains(stored.job) else {
                refuse("the name \"\(stored.job)\" is taken by a job of config.json, which stands")
                continue
            }
            do {
                jobs.append(
                    try readJob(
                        try JSONValue(parsing: stored.json), origin: .bus, in: configuration, madeUpName: stored.job))
            } catch {
                refuse("\(error)")
            }
        }
        return (jobs, refused, refusedDefinitions)
    }
}
