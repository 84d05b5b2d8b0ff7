/// Fire times that are not run: a calendar event in the notation of systemd.time(7).
///
/// Without a time of day (`2026-12-25`, `Sat,Sun`, `*-08-*`) it covers the whole local days that match; with one the
/// seconds that it names. A fire time in it stays a fire time: it is recorded and not run.
public struct Exclusion: Sendable, Equatable {
    /// As written.
    public let text: String
    private let timetable: Timetable
    private let pattern: CivilPattern
    private let hasTime: Bool

    /// - Parameters:
    ///   - zone: the job's, which counts where the event carries none.
    ///   - zones: the rules of an installed zone by its name.
    public init(
        _ text: String, zone: TimeZoneRules, zones: (String) -> TimeZoneRules?
    ) throws(ScheduleError) {
        let (schedule, hasTime) = try Schedule.calendarEvent(text, zones: zones)
        guard case .civil(let pattern) = schedule.rule else {
            preconditionFailure("a calendar event that is no civil pattern: \(text)")
        }
        self.text = text
        self.hasTime = hasTime
        self.pattern = pattern
        timetable = try Timetable(schedule: schedule, zone: zone, anchor: .epoch)
    }

    public func contains(_ fire: Instant) -> Bool {
        if hasTime { return timetable.contains(fire) }
        // Without a time the pattern matches the first second of each day that it covers.
        let wall = timetable.zone.localDateTime(at: fire).wallSeconds
        return pattern.matches(WallClock.dayNumber(ofWall: wall) * WallClock.secondsPerDay)
    }
}
