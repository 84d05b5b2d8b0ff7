import Schedules
import Testing

/// The worked examples, traps and tables of the contract of schedules, as they stand there.
@Suite struct ContractTests {
    private func zone(_ name: String) throws -> TimeZoneRules {
        try #require(InstalledZones.shared.zone(name), "\(name) is not installed")
    }

    /// The fires of a cron expression from `after` on, as RFC 3339.
    private func fires(
        _ expression: String, _ zoneName: String, after: String, count: Int, dst: DSTPolicy = DSTPolicy()
    ) throws -> [String] {
        let zone = try zone(zoneName)
        let timetable = try Timetable(schedule: .cron(expression), zone: zone, dst: dst, anchor: .epoch)
        var instant = try #require(Instant(rfc3339: after))
        var fires: [String] = []
        while fires.count < count, let next = timetable.next(after: instant) {
            fires.append(next.rfc3339(in: zone))
            instant = next
        }
        return fires
    }

    // MARK: - Section 2

    static let examples: [(String, String, String, [String])] = [
        (
            "30 2 * * *", "America/New_York", "2026-03-08T00:00:00-05:00",
            ["2026-03-08T03:00:00-04:00", "2026-03-09T02:30:00-04:00"]
        ),
        (
            "0,30 2 * * *", "America/New_York", "2026-03-08T00:00:00-05:00",
            ["2026-03-08T03:00:00-04:00", "2026-03-09T02:00:00-04:00"]
        ),
        (
            "0 2,3 * * *", "America/New_York", "2026-03-08T00:00:00-05:00",
            ["2026-03-08T03:00:00-04:00", "2026-03-09T02:00:00-04:00"]
        ),
        ("*/30 2 * * *", "America/New_York", "2026-03-08T00:00:00-05:00", ["2026-03-09T02:00:00-04:00"]),
        (
            "0 */2 * * *", "America/New_York", "2026-03-07T23:59:59-05:00",
            ["2026-03-08T00:00:00-05:00", "2026-03-08T04:00:00-04:00", "2026-03-08T06:00:00-04:00"]
        ),
        (
            "*/30 * * * *", "America/New_York", "2026-11-01T00:30:00-04:00",
            [
                "2026-11-01T01:00:00-04:00", "2026-11-01T01:30:00-04:00", "2026-11-01T01:00:00-05:00",
                "2026-11-01T01:30:00-05:00", "2026-11-01T02:00:00-05:00",
            ]
        ),
        (
            "30 1 * * *", "America/New_York", "2026-11-01T00:00:00-04:00",
            ["2026-11-01T01:30:00-04:00", "2026-11-02T01:30:00-05:00"]
        ),
        (
            "0 0-23 * * *", "America/New_York", "2026-11-01T00:00:00-04:00",
            ["2026-11-01T01:00:00-04:00", "2026-11-01T02:00:00-05:00"]
        ),
        ("0 0-6 * * *", "America/New_York", "2026-11-01T01:30:00-04:00", ["2026-11-01T02:00:00-05:00"]),
        ("0 0-6 * * *", "America/New_York", "2026-11-01T01:30:00-05:00", ["2026-11-01T02:00:00-05:00"]),
        ("0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00:00-03:00", ["2018-11-04T01:00:00-02:00"]),
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00+10:30", ["2026-10-04T02:30:00+11:00"]),
        (
            "30 1,2 * * *", "Antarctica/Troll", "2026-03-28T12:00:00+00:00",
            ["2026-03-29T03:00:00+02:00", "2026-03-30T01:30:00+02:00"]
        ),
        (
            "0 9 * * *", "Pacific/Apia", "2011-12-29T00:00:00-10:00",
            ["2011-12-29T09:00:00-10:00", "2011-12-31T00:00:00+14:00", "2011-12-31T09:00:00+14:00"]
        ),
        ("30 1 * * *", "Europe/Dublin", "2026-03-28T12:00:00+00:00", ["2026-03-29T02:00:00+01:00"]),
        (
            "30 1 * * *", "Europe/Dublin", "2026-10-24T12:00:00+01:00",
            ["2026-10-25T01:30:00+01:00", "2026-10-26T01:30:00+00:00"]
        ),
        ("30 1 * * *", "America/New_York", "2026-11-01T01:10:00-05:00", ["2026-11-02T01:30:00-05:00"]),
        (
            "15 */6 * * *", "America/St_Johns", "2007-11-03T20:00:00-02:30",
            ["2007-11-04T00:15:00-03:30", "2007-11-04T06:15:00-03:30"]
        ),
        (
            "0 0 * 2 MON#5", "UTC", "2026-01-01T00:00:00Z",
            ["2044-02-29T00:00:00+00:00", "2072-02-29T00:00:00+00:00", "2112-02-29T00:00:00+00:00"]
        ),
        ("0 0 29 2 */7", "UTC", "2026-01-01T00:00:00Z", ["2032-02-29T00:00:00+00:00", "2060-02-29T00:00:00+00:00"]),
        ("0 0 13 * 5", "UTC", "2026-03-10T00:00:00Z", ["2026-03-13T00:00:00+00:00", "2026-03-20T00:00:00+00:00"]),
        ("0 0 1W 8 *", "UTC", "2026-01-01T00:00:00Z", ["2026-08-03T00:00:00+00:00"]),
        ("0 0 31W 5 *", "UTC", "2026-01-01T00:00:00Z", ["2026-05-29T00:00:00+00:00"]),
        ("0 0 * * 7-7", "UTC", "2026-03-10T00:00:00Z", ["2026-03-15T00:00:00+00:00", "2026-03-22T00:00:00+00:00"]),
    ]

    @Test(arguments: examples) func workedExamplesHold(_ example: (String, String, String, [String])) throws {
        let found = try fires(example.0, example.1, after: example.2, count: example.3.count)
        #expect(found == example.3, "\(example.0) in \(example.1)")
    }

    @Test func optionsChangeTheFixedColumnOnly() throws {
        let other = DSTPolicy(gap: .skip, overlap: .both)
        #expect(
            try fires("30 2 * * *", "America/New_York", after: "2026-03-08T00:00:00-05:00", count: 1, dst: other)
                == ["2026-03-09T02:30:00-04:00"])
        #expect(
            try fires("30 1 * * *", "America/New_York", after: "2026-11-01T00:00:00-04:00", count: 2, dst: other)
                == ["2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00"])
        for text in ["*/30 2 * * *", "*/20 1-3 * * *"] {
            #expect(
                try fires(text, "America/New_York", after: "2026-10-31T23:00:00-04:00", count: 9, dst: other)
                    == fires(text, "America/New_York", after: "2026-10-31T23:00:00-04:00", count: 9))
        }
    }

    // MARK: - Section 3

    @Test(arguments: [
        ("0 30 2 * * *", "30 2 * * *"), ("@yearly", "0 0 1 1 *"), ("@ANNUALLY", "0 0 1 1 *"), ("@monthly", "0 0 1 * *"),
        ("@Weekly", "0 0 * * 0"), ("@midnight", "0 0 * * *"), ("@hourly", "0 * * * *"), ("0 0 * * 0-7", "0 0 * * *"),
        ("0 0 * * FRI-MON", "0 0 * * 5,6,0,1"), ("0 22-4/2 * * *", "0 22,0,2,4 * * *"),
        ("50-10/7 * * * *", "50,57,4 * * * *"),
        ("0 0 1 JUN-APR/3 *", "0 0 1 6,9,12,3 *"), ("0 0 28-3 * *", "0 0 28,29,30,31,1,2,3 * *"),
        ("0 0 * * 7-2", "0 0 * * 0,1,2"), ("0 0 * * 5-7", "0 0 * * 5,6,0"), ("0 0 * * 1/2", "0 0 * * 1,3,5"),
        ("0 0 * * 7/2", "0 0 * * 0,2,4,6"), ("0 9-9 * * *", "0 9 * * *"), ("007 009 * * *", "7 9 * * *"),
        ("0 0 ? * MON", "0 0 * * MON"), ("0 0 lw * *", "0 0 LW * *"), ("0 0 * * fril", "0 0 * * 5L"),
        ("0 0 * * 7#1", "0 0 * * SUN#1"), ("1,2,2,1-2 * * * *", "1,2 * * * *"),
    ]) func spellingsMeanTheSame(_ pair: (String, String)) throws {
        let after = "2026-03-06T23:00:00-05:00"
        #expect(
            try fires(pair.0, "America/New_York", after: after, count: 60)
                == fires(pair.1, "America/New_York", after: after, count: 60))
    }

    @Test func rebootHasNoInstantsAndIsNoError() throws {
        let schedule = try Schedule.cron("@reboot")
        let timetable = try Timetable(schedule: schedule, zone: .utc, anchor: .epoch)
        #expect(schedule.kind == .reboot)
        #expect(timetable.next(after: .epoch) == nil)
        try timetable.requireFire(after: .epoch)
    }

    // MARK: - Section 8

    /// kind, text, error
    static let refusals: [(String, String, String)] = [
        ("cron", "61 * * * *", "out_of_range minute \"61\" at 0"),
        ("cron", "0 9 * * MON-FRX", "unknown_name day_of_week \"FRX\" at 12"),
        ("cron", "*/90 * * * *", "bad_step minute \"90\" at 2"),
        ("cron", "0 0 30 2 *", "never_fires day_of_month \"30\" at 4"),
        ("cron", "1,,2 * * * *", "syntax minute \"\" at 2"),
        ("cron", "* * * *", "field_count expression \"4\" at 7"),
        ("cron", "0 0 L-31 * *", "out_of_range day_of_month \"31\" at 6"),
        ("interval", "30M", "ambiguous_unit interval \"M\" at 2"),
        ("calendar", "Sat..Mon 9:00", "syntax weekday \"Sat..Mon\" at 0"),
        ("cron", "", "empty expression \"\" at 0"), ("cron", " \t ", "empty expression \"\" at 0"),
        ("cron", "@foo", "unknown_macro expression \"@foo\" at 0"),
        ("cron", "  @DAY", "unknown_macro expression \"@DAY\" at 2"),
        ("cron", "CRON_TZ=UTC * * * * *", "unsupported expression \"CRON_TZ=UTC\" at 0"),
        ("cron", " TZ=UTC 0 9 * * *", "unsupported expression \"TZ=UTC\" at 1"),
        ("cron", "61/0 * * * *", "out_of_range minute \"61\" at 0"),
        ("cron", "H/15 * * * *", "unsupported minute \"H/15\" at 0"),
        ("cron", "0 0 * * L", "unsupported day_of_week \"L\" at 8"),
        ("cron", "0 0 * * MON#6", "out_of_range day_of_week \"6\" at 12"),
        ("cron", "0 0 * * MONDAY", "unknown_name day_of_week \"MONDAY\" at 8"),
        ("cron", "0 0 * * L5", "syntax day_of_week \"L5\" at 8"),
        ("cron", "0 0 0 * *", "out_of_range day_of_month \"0\" at 4"),
        ("cron", "0 0 31 4,6 *", "never_fires day_of_month \"31\" at 4"),
        ("cron", "0 0 31W FEB *", "never_fires day_of_month \"31W\" at 4"),
        ("cron", "0 0 L-30 6 *", "never_fires day_of_month \"L-30\" at 4"),
        ("cron", "0 0 30 2 */2", "never_fires day_of_month \"30\" at 4"),
        ("cron", "0 0 15W/2 * *", "syntax day_of_month \"15W/2\" at 4"),
        ("cron", "é * * * *", "syntax minute \"é\" at 0"),
        ("cron", "0 é * * 99", "syntax hour \"é\" at 2"),
        ("cron", "* * * * * * 2026", "field_count expression \"7\" at 12"),
        ("cron", "99999999999999999999 * * * *", "out_of_range minute \"99999999999999999999\" at 0"),
        ("cron", "@every 0s", "too_small interval \"0s\" at 7"),
        ("cron", "@every 5 fortnights", "bad_unit interval \"fortnights\" at 9"),
        ("interval", "30", "missing_unit interval \"30\" at 0"),
        ("interval", "1h30", "missing_unit interval \"30\" at 2"),
        ("interval", "5 fortnights", "bad_unit interval \"fortnights\" at 2"),
        ("interval", "30m1h", "unit_order interval \"h\" at 4"),
        ("interval", "1h 2h", "unit_order interval \"h\" at 4"), ("interval", "0s", "too_small interval \"0s\" at 0"),
        ("interval", "101y", "too_large interval \"101y\" at 0"), ("interval", "1.5h", "syntax interval \".5h\" at 1"),
        ("interval", "-5m", "syntax interval \"-5m\" at 0"),
        ("interval", "1 hour and 5 m", "syntax interval \"and\" at 7"),
        ("interval", "P1.5D", "syntax interval \"P1.5D\" at 0"), ("interval", "PT", "syntax interval \"PT\" at 0"),
        ("interval", "P1W2D", "syntax interval \"P1W2D\" at 0"), ("interval", "P", "syntax interval \"P\" at 0"),
        ("interval", "P1DT", "syntax interval \"P1DT\" at 0"), ("interval", "PT0S", "too_small interval \"PT0S\" at 0"),
        ("interval", " 0 s ", "too_small interval \"0 s\" at 1"),
        ("once", "", "empty datetime \"\" at 0"), ("once", "2026-02-30", "out_of_range day \"30\" at 8"),
        ("once", "1969-12-31", "out_of_range year \"1969\" at 0"),
        ("once", "2026-13-01", "out_of_range month \"13\" at 5"),
        ("once", "2030-01-01T24:00", "out_of_range hour \"24\" at 11"),
        ("once", "2030-01-01T10:60", "out_of_range minute \"60\" at 14"),
        ("once", "2030-01-01T10:00:60Z", "out_of_range second \"60\" at 17"),
        ("once", "2030-01-01T10:00:00+24:00", "out_of_range offset \"24\" at 20"),
        ("once", "tomorrow", "syntax datetime \"tomorrow\" at 0"),
        ("once", "in 5 fortnights", "bad_unit datetime \"fortnights\" at 5"),
        ("once", "2020-01-01", "in_past datetime \"2020-01-01\" at 0"),
        ("once", "tomorrow 25:00", "out_of_range hour \"25\" at 9"),
        ("calendar", "", "empty expression \"\" at 0"),
        ("calendar", "@1234567", "unsupported expression \"@1234567\" at 0"),
        ("calendar", "09:00:00.5", "unsupported second \"00.5\" at 6"),
        ("calendar", "*:*/15", "syntax minute \"*/15\" at 2"),
        ("calendar", "*-02-30", "never_fires day \"30\" at 5"), ("calendar", "*-*~29", "out_of_range day \"29\" at 4"),
        ("calendar", "Foo 9:00", "unknown_name weekday \"Foo\" at 0"),
        ("calendar", "9:00 Foo/Bar", "bad_timezone timezone \"Foo/Bar\" at 5"),
        ("calendar", "9:00 10:00", "syntax expression \"10:00\" at 5"),
        ("calendar", "24:00", "out_of_range hour \"24\" at 0"),
        ("calendar", "*:0/60", "bad_step minute \"60\" at 4"), ("calendar", "*:50/15", "bad_step minute \"15\" at 5"),
        ("calendar", "Mon,,Tue", "syntax weekday \"\" at 4"), ("calendar", "9::00", "syntax minute \"\" at 2"),
        ("calendar", "1969-1-1", "out_of_range year \"1969\" at 0"),
        ("calendar", "1-2-3-4", "syntax date \"1-2-3-4\" at 0"),
        ("calendar", "1:2:3:4", "syntax time \"1:2:3:4\" at 0"),
        ("calendar", "2027-02-29", "never_fires day \"29\" at 8"),
        ("calendar", "daily local", "bad_timezone timezone \"local\" at 6"),
        ("calendar", "Mon 12", "syntax date \"12\" at 4"),
    ]

    @Test(arguments: refusals) func refusalsSayWhatAndWhere(_ row: (String, String, String)) throws {
        do {
            switch row.0 {
            case "cron": _ = try Schedule.cron(row.1)
            case "interval": _ = try Schedule.interval(row.1)
            case "once":
                _ = try Schedule.once(
                    row.1, registeredAt: Instant(seconds: 1_772_884_800), zone: .utc, allowPast: false)
            default: _ = try Schedule.calendar(row.1) { InstalledZones.shared.zone($0) }
            }
            Issue.record("\(row.1) is accepted")
        } catch {
            #expect("\(error)".hasPrefix("\(row.2): "), "\(row.1): \(error)")
            #expect(!error.sentence.isEmpty && error.sentence.last != ".")
        }
    }

    @Test func sentencesSayWhatWouldBeRight() {
        func sentence(_ text: String) -> String {
            do {
                _ = try Schedule.cron(text)
                return ""
            } catch {
                return error.sentence
            }
        }
        #expect(sentence("61 * * * *") == "expected 0–59")
        #expect(sentence("0 9 * * MON-FRX") == "expected SUN–SAT or 0–7")
        #expect(sentence("*/90 * * * *") == "a step is 1–60; every 90 minutes is the interval \"90m\"")
        #expect(sentence("0 0 30 2 *") == "no February has a day 30")
        #expect(sentence("0 0 31 4,6 *") == "no April or June has a day 31")
        #expect(sentence("* * * *") == "expected 5 fields, or 6 with seconds first")
    }

    @Test func intervalKeysAreTheirOwnFields() throws {
        func refusal(_ type: String, _ value: Int) -> String {
            do {
                _ = try Schedule.interval(type: type, value: value)
                return ""
            } catch {
                return "\(error.code.rawValue) \(error.field) \(error.value)"
            }
        }
        #expect(refusal("fortnights", 1) == "bad_unit interval_type fortnights")
        #expect(refusal("seconds", 0) == "too_small interval_value 0")
        #expect(refusal("years", 101) == "too_large interval_value 101")
        #expect(refusal("seconds", .max) == "too_large interval_value \(Int.max)")
        #expect(try Schedule.interval(type: "Day", value: 1).text == "1 day")
    }
}
