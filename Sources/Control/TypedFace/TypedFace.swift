internal import DBus
internal import Performing
internal import Schedules
internal import Scheduling

/// The typed face: `Manager1` on the root object, an object for each job and for each run that has not ended.
///
/// Objects are not registered one by one: they are made when somebody asks, from what the scheduler holds. It keeps
/// nothing; what was told of changes is in `ToldChanges`.
struct TypedFace {
    let scheduler: any SchedulerReading
    let catalogue: Catalogue
    let settings: any SettingsControl
    let telling: RunTelling
    let requests: Requests
    let outputs: RunOutputs

    /// Puts the objects of jobs and runs on the bus, without a word of those that are there now.
    func export(on connection: Connection) {
        let (job, run) = (jobInterface, runInterface)
        connection.export(
            ObjectSubtree(
                Place.jobs, listedMax: Bounds.listedJobs,
                instead: "query_jobs has jobs page by page, and ListJobs their paths"
            ) {
                catalogue.allNames
            } interfaces: { name in
                catalogue.listed(name) == nil ? nil : [job]
            })
        connection.export(
            ObjectSubtree(Place.runs) {
                scheduler.activeRuns.map(\.id)
            } interfaces: { id in
                scheduler.activeRun(id: id) == nil ? nil : [run]
            })
    }
}

extension Optional where Wrapped == Instant {
    /// Microseconds since 1970; 0 for none.
    var asTyped: DBusValue { .uint64(UInt64(clamping: self?.microseconds ?? 0)) }
}
