extension Schedule {
    /// Reads a calendar event of systemd.time(7): `Mon..Fri *-*-* 09:00:00 Europe/Berlin`, `*-*-1,15 06:00`,
    /// `*:0/15`, `daily`.
    ///
    /// - Parameter zones: the rules of an installed zone by its name; none where there is no such zone.
    public static func calendar(
        _ text: String, zones: (String) -> TimeZoneRules?
    ) throws(ScheduleError) -> Schedule {
        try calendarEvent(text, zones: zones).schedule
    }

    /// Also whether the event names a time of day.
    static func calendarEvent(
        _ text: String, zones: (String) -> TimeZoneRules?
    ) throws(ScheduleError) -> (schedule: Schedule, hasTime: Bool) {
        let bytes = text.utf8.span
        guard bytes.count <= textLimit else { throw .tooLong("expression", count: bytes.count) }
        guard !trimmed(bytes).isEmpty else {
            throw ScheduleError(
                code: .empty, field: "expression", value: "", position: 0,
                sentence: "expected a calendar event such as Mon..Fri 09:00")
        }
        var parser = CalendarParser()
        let pattern = try parser.parse(bytes, zones: zones)
        let schedule = Schedule(
            kind: .calendar, text: text, rule: .civil(pattern), zone: parser.zone, dayField: parser.dayField)
        return (schedule, parser.hasTime)
    }
}
