internal import Configuration
internal import DBus
internal import EventLoop
internal import Performing
internal import Schedules
internal import Scheduling

/// What is next: the property `NextRun`.
final class Headline {
    private let scheduler: any SchedulerReading
    private let settings: any SettingsControl
    private let outlet: Outlet
    /// The next fire time as it was told, RFC 3339, or empty.
    private(set) var nextRun = ""

    init(scheduler: any SchedulerReading, settings: any SettingsControl, outlet: Outlet) {
        self.scheduler = scheduler
        self.settings = settings
        self.outlet = outlet
    }

    /// Tells it where that has changed.
    func tell() {
        let next =
            scheduler.nextRun.map {
                $0.at.rfc3339(in: scheduler.job(named: $0.job)?.job.zone ?? settings.configuration.timezone)
            } ?? ""
        if next != nextRun {
            nextRun = next
            outlet.changed(["NextRun"], of: Place.interface, at: Place.root)
        }
    }
}
