public import Schedules

/// A time of day by which a success of each day is expected, in the zone of its job.
public struct DailyDeadline: Sendable, Equatable {
    /// As people write it: `08:00`.
    public let text: String
    /// One instant a day; of a time of day that the clock skips the first one after it, of one that it shows twice the
    /// first.
    public let timetable: Timetable

    /// - Parameter minute: since midnight.
    public init(minute: Int, zone: TimeZoneRules) throws(ScheduleError) {
        let (hour, minute) = (minute / 60, minute % 60)
        text = "\(hour < 10 ? "0" : "")\(hour):\(minute < 10 ? "0" : "")\(minute)"
        timetable = try Timetable(schedule: try Schedule.cron("\(minute) \(hour) * * *"), zone: zone, anchor: .epoch)
    }
}
