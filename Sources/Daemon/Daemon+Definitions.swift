import Configuration
import DBus
import EventLoop
import JSON
import Store
import Schedules
import Scheduling

/// Definitions and schedules that come over the bus.
extension Daemon {
    /// Reads a job with the defaults that are in force.
    func readJob(_ value: JSONValue, madeUpName: String) throws -> Job {
        do {
            return try reader.readJob(value, origin: .bus, in: configuration, madeUpName: madeUpName, isNew: true)
        } catch {
            throw ErrorReply.invalidJob(error)
        }
    }

    /// The next fire times of a schedule that nobody has saved.
    ///
    /// - Parameter text: a cron expression, or JSON as `ConfigurationReader.readPreview` takes it.
    func preview(_ text: String, count: Int) throws -> [JSONValue] {
        let preview: SchedulePreview
        do {
            preview = try reader.readPreview(of: text, in: configuration)
        } catch {
            throw ErrorReply.invalidJob(error)
        }
        let job = preview.job
        var instants: [JSONValue] = []
        var last = preview.after
        while instants.count < min(count, job.maxExecutions ?? .max) {
            guard let next = job.schedules.compactMap({ $0.timetable.next(after: last) }).min() else { break }
            instants.append(.instant(next, job.zone))
            last = next
        }
        return instants
    }

    /// Records that may stand for an instant, at most: the newest of its job.
    private static var explainedRecords: Int { 1_000 }
    /// Of these the last that stands for a process is told: fire times that were not run may have followed.
    private static var lastRecords: Int { 100 }

    /// Why a job ran, did not run, is not running, and when it will.
    func explain(_ name: String, at instant: Instant?) throws -> [Explanation] {
        var records: [Run] = []
        do throws(StoreError) {
            if let instant {
                let fire = Instant(seconds: instant.seconds)
                if let id = try store.runID(job: name, scheduledFor: fire), let run = try store.run(id: id) {
                    records.append(run)
                }
                if records.isEmpty {
                    records = try store.history(HistoryQuery(job: name, limit: Self.explainedRecords)).runs
                }
            } else {
                records = try store.history(HistoryQuery(job: name, limit: Self.lastRecords)).runs
            }
        } catch {
            throw ErrorReply.storeFailed(error)
        }
        return scheduler.explain(name, at: instant, records: records, now: now)
    }

    /// A definition that cannot be scheduled, where no good one has its name.
    func refusedJob(named name: String) -> RefusedJob? {
        scheduler.job(named: name) == nil ? configuration.refused.first { $0.name == name } : nil
    }

    /// Removes a definition made over the bus that no longer reads, which the scheduler does not know.
    ///
    /// - Returns: whether there was one.
    func forgetRefusedDefinition(of name: String) -> Bool {
        guard refusedDefinitions.contains(where: { $0.job == name }) else { return false }
        refusedDefinitions.removeAll { $0.job == name }
        let definitions = Set(configuration.jobs.map(\.name))
        configuration.refused.removeAll { $0.name == name && !definitions.contains(name) }
        outbox.changes.append(.removeDefinition(job: name))
        outbox.announcements.append(.jobsChanged(added: [], changed: [], removed: [name]))
        return true
    }

    /// `job-` and 8 hex digits that no job has.
    func makeUpJobName() -> String {
        while true {
            let digits = String(UInt32.random(in: 0 ... .max), radix: 16)
            let name = "job-" + String(repeating: "0", count: 8 - digits.count) + digits
            if scheduler.job(named: name) == nil { return name }
        }
    }

    private var reader: ConfigurationReader {
        ConfigurationReader(zones: zones, home: home, now: now, registrations: currentRegistrations)
    }
}
