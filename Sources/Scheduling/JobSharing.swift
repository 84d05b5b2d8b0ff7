/// Makes jobs that come one after another share what is equal in them: of a hundred thousand that differ in name and
/// command, one has the memory of what they have in common.
public struct JobSharing {
    /// Schedules whose parsed form is kept to be shared by jobs that have the same. Others have their own.
    private let prototypesMax: Int
    /// Jobs that later ones share with: by schedule, and the last whose schedule was new.
    private var prototypes: [String: Prototype] = [:]
    private var latest: Prototype?

    /// What one job lends to others: a class, so that looking one up copies nothing.
    private final class Prototype {
        private let schedules: [JobSchedule]
        private let scheduleKey: String
        private let details: Job.SharedDetails
        private let action: Job.Action

        init(_ job: Job) {
            schedules = job.schedules
            scheduleKey = job.scheduleKey
            details = job.details
            action = job.action
        }

        /// In place of what is equal, so that there is one of each.
        func lend(to job: inout Job) {
            if job.schedules == schedules { job.schedules = schedules }
            if job.scheduleKey == scheduleKey { job.scheduleKey = scheduleKey }
            if job.details == details { job.details = details }
            if job.action == action { job.action = action }
        }
    }

    public init(prototypesMax: Int = Scheduler.Limits.prototypes) {
        self.prototypesMax = prototypesMax
    }

    /// Makes the job of what it shares with earlier ones.
    public mutating func share(_ job: inout Job) {
        if let prototype = prototypes[job.scheduleKey] {
            prototype.lend(to: &job)
            return
        }
        latest?.lend(to: &job)
        let prototype = Prototype(job)
        if prototypes.count < prototypesMax { prototypes[job.scheduleKey] = prototype }
        latest = prototype
    }
}
