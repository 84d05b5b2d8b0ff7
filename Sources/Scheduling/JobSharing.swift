/// Makes jobs that come one after another share what is equal in them: of a hundred thousand that differ in name and
/// command, one has the memory of what they have in common.
public struct JobSharing {
    /// Schedules whose parsed form is kept to be shared by jobs that have the same. Others have their own.
    private let prototypesMax: Int
    /// Jobs that later ones share with: by schedule, and the last whose schedule was new.
    private var prototypes: [String: Job] = [:]
    private var latest: Job?

    public init(prototypesMax: Int = Scheduler.Limits.prototypes) {
        self.prototypesMax = prototypesMax
    }

    /// Makes the job of what it shares with earlier ones.
    public mutating func share(_ job: inout Job) {
        if let prototype = prototypes[job.scheduleKey] {
            job.share(with: prototype)
            return
        }
        if let latest { job.share(with: latest) }
        if prototypes.count < prototypesMax { prototypes[job.scheduleKey] = job }
        latest = job
    }
}
