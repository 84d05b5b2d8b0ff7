import Schedules
import Testing

/// Windows, anchors, one instant, exclusions, durations, words.
@Suite struct TimetableTests {
    private func zone(_ name: String) throws -> TimeZoneRules {
        try #require(InstalledZones.shared.zone(name), "\(name) is not installed")
    }

    private func instant(_ text: String) throws -> Instant {
        let instant: Instant = try #require(Instant(rfc3339: text), "\(text) is no RFC 3339")
        return instant
    }

    @Test func windowsIncludeBothEnds() throws {
        let table = try Timetable(
            schedule: .cron("0 9 * * *"), zone: .utc, anchor: .epoch, startAt: instant("2026-01-02T09:00:00Z"),
            endAt: instant("2026-01-03T09:00:00Z"))
        let first = try #require(table.next(after: .epoch))
        #expect(first.rfc3339(in: .utc) == "2026-01-02T09:00:00+00:00")
        let second = try #require(table.next(after: first))
        #expect(second.rfc3339(in: .utc) == "2026-01-03T09:00:00+00:00")
        #expect(table.next(after: second) == nil)
        #expect(table.count(after: .epoch, through: .horizon) == 2)
        #expect(table.previous(atOrBefore: .horizon) == second)
        #expect(table.previous(atOrBefore: first - .seconds(1)) == nil)
    }

    /// Days with one number are alike, or what is counted by them is wrong.
    @Test(arguments: [
        "cron */5 9-17 * * MON-FRI", "cron 30 2 * * *", "cron */30 1-3 * * *", "cron 0 0 L * *", "cron 15 10 29 2 *",
        "every 17m", "every 7h30m", "every 1d", "every 1mo", "every 90000s",
    ])
    func daysOfOnePatternAreAlike(_ text: String) throws {
        for name in ["America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Antarctica/Troll", "UTC"] {
            let zone = try zone(name)
            let schedule = text.hasPrefix("every") ? try Schedule.interval(text) : try .cron(String(text.dropFirst(5)))
            let table = try Timetable(
                schedule: schedule, zone: zone, anchor: instant("2024-02-03T04:05:06Z"),
                endAt: instant("2027-05-06T07:08:09Z"))
            var known: [Int64: [Int64]] = [:]
            var days = 0
            for day in Int64(19_700)..<21_000 {
                guard let pattern = table.pattern(ofDay: day) else { continue }
                days += 1
                var members: [Int64] = []
                var last = Instant(seconds: day * 86_400 - 1)
                while let next = table.next(after: last), next.seconds < (day + 1) * 86_400 {
                    members.append(next.seconds - day * 86_400)
                    last = next
                }
                #expect(known[pattern, default: members] == members, "\(name), day \(day)")
                known[pattern] = members
            }
            #expect(days > 1_000 && known.count < days, "\(name): \(days) days, \(known.count) kinds")
        }
    }

    @Test func anEmptyWindowIsRefused() throws {
        let start = try instant("2026-01-02T09:00:00Z")
        let error = #expect(throws: ScheduleError.self) {
            _ = try Timetable(
                schedule: .cron("* * * * *"), zone: .utc, anchor: .epoch, startAt: start, endAt: start - .seconds(1))
        }
        #expect(error?.code == .emptyWindow && error?.field == "end_at")
    }

    @Test func nothingLeftInTheWindowIsNeverFires() throws {
        let table = try Timetable(
            schedule: .cron("0 0 29 2 *"), zone: .utc, anchor: .epoch, startAt: instant("2026-01-01T00:00:00Z"),
            endAt: instant("2027-01-01T00:00:00Z"))
        let error = #expect(throws: ScheduleError.self) {
            try table.requireFire(after: try instant("2026-01-01T00:00:00Z"))
        }
        #expect(
            error.map { "\($0.code.rawValue) \($0.field) \($0.value) \($0.position)" }
                == "never_fires day_of_month 29 4")
        let past = try Schedule.calendar("2020..2022-*-1") { _ in nil }
        let years = try Timetable(schedule: past, zone: .utc, anchor: .epoch)
        let now = try instant("2026-01-01T00:00:00Z")
        #expect(years.next(after: now) == nil)
        let late = #expect(throws: ScheduleError.self) { try years.requireFire(after: now) }
        #expect(late.map { "\($0.code.rawValue) \($0.field) \($0.value) \($0.position)" } == "never_fires day 1 13")
    }

    @Test func aFractionOfAfterDoesNotMoveTheGrid() throws {
        let table = try Timetable(schedule: .cron("* * * * * *"), zone: .utc, anchor: .epoch)
        let second = Instant(seconds: 1_000)
        #expect(table.next(after: second) == Instant(seconds: 1_001))
        #expect(table.next(after: second + .microseconds(1)) == Instant(seconds: 1_001))
        #expect(table.next(after: second - .microseconds(1)) == second)
        #expect(table.previous(atOrBefore: second + .microseconds(999_999)) == second)
        #expect(!table.contains(second + .microseconds(1)))
    }

    @Test func domainEndsAtTheHorizon() throws {
        let table = try Timetable(schedule: .cron("* * * * * *"), zone: .utc, anchor: .epoch)
        #expect(table.next(after: .horizon - .seconds(1)) == .horizon)
        #expect(table.next(after: .horizon) == nil)
        #expect(table.next(after: Instant(microseconds: .max)) == nil)
        #expect(table.next(after: Instant(microseconds: .min)) == .epoch)
        #expect(table.previous(atOrBefore: Instant(microseconds: .min)) == nil)
        #expect(Instant.horizon.rfc3339(in: .utc) == "2199-12-31T23:59:59+00:00")
    }

    @Test func anIntervalFiresAtItsStartButNotAtItsCreation() throws {
        let begin = try instant("2026-01-31T09:00:00Z")
        let created = try Timetable(schedule: .interval("1mo"), zone: .utc, anchor: begin + .milliseconds(700))
        #expect(created.next(after: begin - .seconds(1))?.rfc3339(in: .utc) == "2026-02-28T09:00:00+00:00")
        let started = try Timetable(schedule: .interval("1mo"), zone: .utc, anchor: .epoch, startAt: begin)
        #expect(started.next(after: .epoch) == begin)
        let third = try instant("2026-03-31T09:00:00Z")
        #expect(started.next(after: third - .seconds(1)) == third)
    }

    @Test func aDayKeepsTheTimeOfDayAndADayOfHoursDoesNot() throws {
        let newYork = try zone("America/New_York")
        let anchor = try instant("2026-03-07T09:00:00-05:00")
        let day = try Timetable(schedule: .interval("1d"), zone: newYork, anchor: anchor)
        let hours = try Timetable(schedule: .interval("24h"), zone: newYork, anchor: anchor)
        #expect(day.next(after: anchor)?.rfc3339(in: newYork) == "2026-03-08T09:00:00-04:00")
        #expect(hours.next(after: anchor)?.rfc3339(in: newYork) == "2026-03-08T10:00:00-04:00")
    }

    /// Fires that a skipped date pushes together are one member of the set.
    @Test func aSkippedDayIsOneFire() throws {
        let apia = try zone("Pacific/Apia")
        let anchor = try instant("2011-12-28T00:00:00-10:00")
        let table = try Timetable(schedule: .interval("1d"), zone: apia, anchor: anchor)
        var fires: [String] = []
        var after = anchor
        for _ in 0..<4 {
            after = try #require(table.next(after: after))
            fires.append(after.rfc3339(in: apia))
        }
        #expect(
            fires == [
                "2011-12-29T00:00:00-10:00", "2011-12-31T00:00:00+14:00", "2012-01-01T00:00:00+14:00",
                "2012-01-02T00:00:00+14:00",
            ])
        #expect(table.count(after: anchor, through: after) == 4)
    }

    // MARK: - Once

    @Test func onceIsMadeAbsolute() throws {
        let berlin = try zone("Europe/Berlin")
        let registered = try instant("2026-03-28T12:00:00+01:00")
        let forms = [
            "2026-12-25T09:00:00Z": "2026-12-25T10:00:00+01:00",
            "2026-12-25t09:00:00.000z": "2026-12-25T10:00:00+01:00",
            "2026-12-25T09:00:00+05:30": "2026-12-25T04:30:00+01:00",
            "2026-12-25T09:00:00-03": "2026-12-25T13:00:00+01:00",
            "2026-12-25T09:00:00.25Z": "2026-12-25T10:00:01+01:00", "2026-12-25T09:00": "2026-12-25T09:00:00+01:00",
            "2026-12-25 09:00:30": "2026-12-25T09:00:30+01:00", "2026-12-25": "2026-12-25T00:00:00+01:00",
            "now": "2026-03-28T12:00:00+01:00", "in 1d": "2026-03-29T12:00:00+02:00",
            "IN P1DT1H": "2026-03-29T13:00:00+02:00",
            "in 24h": "2026-03-29T13:00:00+02:00", "tomorrow 02:30": "2026-03-29T03:00:00+02:00",
            "Today 18:30:15": "2026-03-28T18:30:15+01:00", "2026-03-29T02:30": "2026-03-29T03:00:00+02:00",
            "2026-10-25T02:30": "2026-10-25T02:30:00+02:00",
        ]
        for (text, expected) in forms {
            let schedule = try Schedule.once(text, registeredAt: registered, zone: berlin, allowPast: false)
            #expect(schedule.onceInstant?.rfc3339(in: berlin) == expected, "\(text)")
        }
        let past = try Schedule.once("2020-01-01", registeredAt: registered, zone: berlin, allowPast: true)
        let table = try Timetable(schedule: past, zone: berlin, anchor: registered)
        #expect(table.next(after: registered) == nil)
        #expect(table.next(after: .epoch) == past.onceInstant)
    }

    @Test func absoluteFormsAreThoseOfWindows() throws {
        let berlin = try zone("Europe/Berlin")
        #expect(try Instant.absolute("2026-12-25 09:00", zone: berlin).rfc3339(in: .utc) == "2026-12-25T08:00:00+00:00")
        #expect(throws: ScheduleError.self) { try Instant.absolute("tomorrow 09:00", zone: berlin) }
    }

    // MARK: - Exclusions, durations, jitter

    @Test func exclusionsCoverDaysOrSeconds() throws {
        let berlin = try zone("Europe/Berlin")
        let zones = { (name: String) in InstalledZones.shared.zone(name) }
        let christmas = try Exclusion("2026-12-25", zone: berlin, zones: zones)
        #expect(try christmas.contains(instant("2026-12-25T00:00:00+01:00")))
        #expect(try christmas.contains(instant("2026-12-25T23:59:59+01:00")))
        #expect(try !christmas.contains(instant("2026-12-24T23:59:59+01:00")))
        #expect(try !christmas.contains(instant("2026-12-26T00:00:00+01:00")))
        let weekend = try Exclusion("Sat,Sun", zone: berlin, zones: zones)
        #expect(try weekend.contains(instant("2026-03-08T12:34:56+01:00")))
        #expect(try !weekend.contains(instant("2026-03-09T00:00:00+01:00")))
        let second = try Exclusion("*-*-* 09:00 America/New_York", zone: berlin, zones: zones)
        #expect(try second.contains(instant("2026-03-10T09:00:00-04:00")))
        #expect(try !second.contains(instant("2026-03-10T09:00:01-04:00")))
    }

    @Test func durationsHaveFixedDays() throws {
        #expect(try Schedule.parseDuration("1d") == .seconds(86_400))
        #expect(try Schedule.parseDuration("1h30m") == .seconds(5_400))
        #expect(try Schedule.parseDuration("PT10S") == .seconds(10))
        #expect(try Schedule.parseDuration("0s") == .zero)
        #expect(throws: ScheduleError.self) { try Schedule.parseDuration("1mo") }
        #expect(throws: ScheduleError.self) { try Schedule.parseDuration("90") }
    }

    @Test func jitterStaysBeforeTheNextFire() {
        let fire = Instant(seconds: 1_772_884_800)
        for limit in [0, 1, 100, 60_000, Int64.max] {
            let delay = Jitter.delayMilliseconds(
                jobName: "a", fire: fire, nextFire: fire + .seconds(1), jitterMilliseconds: limit)
            #expect(delay >= 0 && delay <= min(limit, 999))
        }
        #expect(Jitter.delayMilliseconds(jobName: "a", fire: fire, nextFire: fire, jitterMilliseconds: 50) == 0)
        #expect(Jitter.delayMilliseconds(jobName: "a", fire: fire, nextFire: nil, jitterMilliseconds: -5) == 0)
    }

    // MARK: - Words

    static let explained: [(String, String)] = [
        ("0 9 * * MON-FRI", "at 09:00, Monday to Friday, New York time"),
        ("0 9 * * *", "at 09:00, every day, New York time"),
        ("*/15 * * * *", "every 15 minutes, New York time"),
        ("* * * * *", "every minute, New York time"),
        ("* * * * * *", "every second, New York time"),
        ("*/15 9-17 * * MON-FRI", "every 15 minutes from 09:00 to 17:59, Monday to Friday, New York time"),
        ("0 */2 * * *", "every 2 hours, New York time"),
        ("5 * * * *", "at minute 5 of every hour, New York time"),
        ("0 9,17 * * *", "at 09:00 and 17:00, every day, New York time"),
        ("0 0 1 * *", "at 00:00, on the 1st, New York time"),
        ("0 0 13 * 5", "at 00:00, on the 13th or Friday, New York time"),
        ("0 0 L * *", "at 00:00, on the last day of the month, New York time"),
        ("0 0 * * FRIL", "at 00:00, the last Friday of the month, New York time"),
        ("0 0 * 2 MON#5", "at 00:00, the fifth Monday of the month, in February, New York time"),
        ("59 59 23 31 12 *", "at 23:59:59, on the 31st, in December, New York time"),
        ("0 22-4 * * *", "at minute 0 from 22:00 to 04:59, New York time"),
        ("0 0 * * FRI-MON", "at 00:00, Friday to Monday, New York time"),
    ]

    @Test(arguments: explained) func explanationsArePlainEnglish(_ row: (String, String)) throws {
        let table = try Timetable(schedule: .cron(row.0), zone: zone("America/New_York"), anchor: .epoch)
        #expect(table.explain() == row.1)
    }

    @Test func intervalsAreExplainedWithTheirAnchor() throws {
        let newYork = try zone("America/New_York")
        let anchor = try instant("2026-01-31T09:00:00-05:00")
        func table(_ text: String) throws -> Timetable {
            try Timetable(schedule: .interval(text), zone: newYork, anchor: anchor)
        }
        #expect(try table("1d").explain() == "every day, counted from 2026-01-31T09:00:00-05:00, New York time")
        #expect(try table("90m").explain() == "every 1 hour 30 minutes, counted from 2026-01-31T09:00:00-05:00")
        #expect(try table("24h").notes(after: anchor).first?.contains("1d keeps it") == true)
        #expect(try table("1mo").notes(after: anchor).first?.contains("has its last day instead") == true)
    }

    @Test func notesTellSurprises() throws {
        let newYork = try zone("America/New_York")
        let after = try instant("2026-02-01T00:00:00-05:00")
        func notes(_ text: String) throws -> String {
            try Timetable(schedule: .cron(text), zone: newYork, anchor: .epoch).notes(after: after).joined(
                separator: "; ")
        }
        #expect(try notes("*/7 * * * *") == "*/7 restarts with each hour: after minute 56 comes minute 0")
        #expect(try notes("*/15 * * * *") == "")
        #expect(try notes("0 0 13 * 5").contains("means OR"))
        #expect(try notes("0 0 */2 * MON").contains("Both the day of the month and the weekday must match"))
        #expect(
            try notes("30 2 * * *")
                == "On 2026-03-08 the clock skips 02:30: it fires at 2026-03-08T03:00:00-04:00 instead")
        #expect(try notes("30 1 * * *") == "On 2026-11-01 the clock shows 01:30 twice: it fires the first time only")
        #expect(try notes("0 0 31 * *").contains("A month without a day 31 is left out"))
        #expect(try notes("0 0 12 * * 1").contains("six fields"))
        #expect(try notes("* 9 * * *").contains("60 times a day"))
        #expect(try notes("0 0 * 2 MON#5").contains("2044-02-29"))
    }
}
