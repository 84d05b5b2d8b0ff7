import Testing

@testable import Schedules

/// What the words about a schedule say, where its fire times were right and the words misled.
@Suite struct WordTests {
    private static let after = "2026-11-29T12:00:00Z"

    private func timetable(_ text: String, _ type: String, _ zoneName: String) throws -> Timetable {
        let after = try #require(Instant(rfc3339: Self.after))
        let zone = try #require(InstalledZones.shared.zone(zoneName))
        let schedule =
            switch type {
            case "interval": try Schedule.interval(text)
            case "calendar": try Schedule.calendar(text) { _ in nil }
            case "once": try Schedule.once(text, registeredAt: after, zone: zone, allowPast: false)
            default: try Schedule.cron(text)
            }
        return try Timetable(schedule: schedule, zone: zone, anchor: after)
    }

    private func notes(_ text: String, _ type: String = "cron", _ zone: String = "UTC") throws -> String {
        try timetable(text, type, zone).notes(after: #require(Instant(rfc3339: Self.after))).joined(separator: "\n")
    }

    // MARK: - Days

    @Test(arguments: ["0 9 1-31 * MON", "0 9 1,15 * 0-6", "0 9 1,15 * 1-7", "0 9 1-15,16-31 * FRI", "0 9 13 * MON-SUN"])
    func aDayFieldThatNamesEveryDayMeansEveryDay(_ text: String) throws {
        #expect(try timetable(text, "cron", "UTC").explain() == "at 09:00, every day, UTC")
        #expect(try notes(text).contains("which means OR, and one of them names every day"))
    }

    @Test(arguments: ["0 9 * * *", "0 9 */1 * 1-7", "0 9 * * 0-6"])
    func whereNothingIsRestrictedNothingIsNoted(_ text: String) throws {
        #expect(try notes(text).isEmpty)
    }

    @Test(arguments: [
        ("0 0 30 1 *", nil), ("0 0 31 1,3,5 *", nil), ("0 0 30 4,6 *", nil),
        ("0 0 15,31 * *", "without a day 31 leaves"),
        ("0 0 31 * *", "without a day 31 is left out"), ("0 0 30 * *", "without a day 30 is left out"),
        ("0 0 30 2,3 *", "without a day 30 is left out"), ("0 0 1,30 4,5 *", nil), ("0 0 31,L * *", nil),
        ("0 0 1-31 * *", nil), ("0 0 29,30 3 *", nil),
    ])
    func onlyAMonthThatLacksTheDayIsSaidToLackIt(_ text: String, _ note: String?) throws {
        let notes = try notes(text)
        #expect(note.map { notes.contains($0) } ?? !notes.contains("without a day"), "\(text): \(notes)")
    }

    // MARK: - Steps

    @Test(arguments: [
        ("0 0 * * */2", "cron", "*/2 restarts with each week: after Saturday comes Sunday"),
        ("0 0 * * 1-7/2", "cron", "1-7/2 restarts with each week: after Sunday comes Monday"),
        ("0 0 * * 0-6/2", "cron", "0-6/2 restarts with each week: after Saturday comes Sunday"),
        ("0 0 1-31/2 * *", "cron", "1-31/2 restarts with each month: after day 31 comes day 1"),
        ("0-59/45 * * * *", "cron", "0-59/45 restarts with each hour: after minute 45 comes minute 0"),
        ("*/7,30 * * * *", "cron", "*/7 restarts with each hour: after minute 56 comes minute 0"),
        ("0 */5 * * *", "cron", "*/5 restarts with each day: after hour 20 comes hour 0"),
        ("0 0 1 */5 *", "cron", "*/5 restarts with each year: after November comes January"),
        ("*-*-1/5 00:00", "calendar", "1/5 restarts with each month: after day 31 comes day 1"),
        ("*-*-* *:0/7", "calendar", "0/7 restarts with each hour: after minute 56 comes minute 0"),
        ("*-1/5-1 00:00", "calendar", "1/5 restarts with each year: after November comes January"),
    ])
    func aStepThatBeginsAnewIsNoted(_ text: String, _ type: String, _ note: String) throws {
        #expect(try notes(text, type).contains(note))
    }

    @Test(arguments: [
        ("*/15 * * * *", "cron"), ("0 9-17/2 * * *", "cron"), ("0 */6 * * *", "cron"), ("0 0 1 */3 *", "cron"),
        ("0 9,17 * * *", "cron"), ("0-30/7 0 * * *", "cron"), ("0 0 * * 1-5/2", "cron"), ("*-*-* 0/6:00", "calendar"),
    ])
    func aStepThatSurprisesNobodyIsNotNoted(_ text: String, _ type: String) throws {
        #expect(!(try notes(text, type).contains("restarts")))
    }

    // MARK: - Hours

    @Test(arguments: [
        ("*/10 22-4 * * MON", "every 10 minutes from 00:00 to 04:59 and from 22:00 to 23:59, Monday, UTC"),
        ("*/10 22-4 * * *", "every 10 minutes from 22:00 to 04:59, UTC"),
        ("*/10 22-4 1 * *", "every 10 minutes from 00:00 to 04:59 and from 22:00 to 23:59, on the 1st, UTC"),
        ("*/10 22-4 * 3 *", "every 10 minutes from 00:00 to 04:59 and from 22:00 to 23:59, in March, UTC"),
        ("*/10 9-17 * * MON", "every 10 minutes from 09:00 to 17:59, Monday, UTC"),
    ])
    func hoursAreJoinedOverMidnightOnlyWhereTheDayIsFree(_ text: String, _ words: String) throws {
        #expect(try timetable(text, "cron", "UTC").explain() == words)
    }

    // MARK: - Clocks and zones

    @Test(arguments: [
        ("2027-03-28T02:30", "once", "On 2027-03-28 the clock skips 02:30: it fires at"),
        ("2027-10-31T02:30", "once", "On 2027-10-31 the clock shows 02:30 twice: it fires the first time only"),
        ("2027-03-28T03:30", "once", nil), ("2027-03-28T02:30:00+01:00", "once", nil), ("2027-10-31", "once", nil),
        ("in 4 months", "once", nil),
    ])
    func anInstantAtADSTChangeIsNoted(_ text: String, _ type: String, _ note: String?) throws {
        let notes = try notes(text, type, "Europe/Berlin")
        #expect(note.map { notes.contains($0) } ?? notes.isEmpty, "\(notes)")
    }

    @Test func anIntervalOfWeeksOverAGapIsNoted() throws {
        let zone = try #require(InstalledZones.shared.zone("Europe/Berlin"))
        // A Sunday, half past two.
        let anchor = try #require(Instant(rfc3339: "2026-11-29T02:30:00+01:00"))
        for (text, isNoted) in [("1w", true), ("1d", true), ("2w", false), ("1h", false)] {
            let timetable = try Timetable(schedule: Schedule.interval(text), zone: zone, anchor: anchor)
            let notes = timetable.notes(after: anchor).joined(separator: "\n")
            #expect(notes.contains("On 2027-03-28 the clock skips 02:30") == isNoted, "\(text): \(notes)")
        }
    }

    @Test(arguments: [("100y", false), ("1y", false), ("1M", true), ("2M", true), ("12M", false), ("6M", false)])
    func onlyACountThatReachesAShorterMonthIsNoted(_ text: String, _ isNoted: Bool) throws {
        // From 29 November.
        guard let timetable = try? timetable(text, "interval", "UTC") else { return }
        let notes = timetable.notes(after: try #require(Instant(rfc3339: Self.after))).joined()
        #expect(notes.contains("a month without that day") == (isNoted && text != "2M"), "\(text): \(notes)")
    }

    @Test func aZoneWithAReversedSignKeepsItsNameAndIsExplained() throws {
        #expect(try timetable("0 9 * * *", "cron", "Etc/GMT+5").explain() == "at 09:00, every day, Etc/GMT+5")
        #expect(
            try notes("0 9 * * *", "cron", "Etc/GMT+5") == "The sign of Etc/GMT+5 is reversed: it is 5 hours behind UTC"
        )
        #expect(
            try notes("0 9 * * *", "cron", "Etc/GMT-1")
                == "The sign of Etc/GMT-1 is reversed: it is 1 hour ahead of UTC")
        #expect(try notes("0 9 * * *", "cron", "Etc/UTC").isEmpty)
    }

    // MARK: - Refusals

    @Test(arguments: [
        ("0 9 * * * 2027", "there is no year field here"), ("0 9 1 1 * 2030", "use calendar"),
        ("0 0 L-3W * *", "L-3 is the third day before the last, LW the last Monday-to-Friday day"),
    ])
    func aRefusalNamesWhatThereIs(_ text: String, _ words: String) throws {
        let error = try #require(throws: ScheduleError.self) { try Schedule.cron(text) }
        #expect(error.sentence.contains(words), "\(error)")
    }

    @Test(arguments: [
        ("Thu 2027-01-01", "1 January 2027 is a Friday"), ("Mon 2026-12-25", "25 December 2026 is a Friday"),
        ("2027-02-30", "no date from 1970 to 2199 matches"), ("Mon 2027-02-30", "no date from 1970 to 2199 matches"),
    ])
    func aDateWithAnotherWeekdayIsTold(_ text: String, _ words: String) throws {
        let error = try #require(throws: ScheduleError.self) { try Schedule.calendar(text) { _ in nil } }
        #expect(error.sentence == words)
    }
}
