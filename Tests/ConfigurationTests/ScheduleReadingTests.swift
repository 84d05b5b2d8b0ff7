import JSON
import Schedules
import Scheduling
import Testing

@testable import Configuration

/// When a job runs: the spellings, what goes together, and what a restart keeps.
@Suite struct ScheduleReadingTests {
    // MARK: - Spellings

    struct Row: Sendable, CustomTestStringConvertible {
        let members: String
        /// Type, text and first fire time of each schedule.
        let expected: [String]

        init(_ members: String, _ expected: String...) {
            self.members = members
            self.expected = expected
        }

        var testDescription: String { members }
    }

    static let rows: [Row] = [
        .init(""),
        .init(#""cron": "0 9 * * *""#, "cron|0 9 * * *|2026-03-07T09:00:00+00:00"),
        .init(#""cron_expr": "@daily""#, "cron|@daily|2026-03-07T00:00:00+00:00"),
        .init(#""schedule_type": "cron", "schedule": "0 9 * * *""#, "cron|0 9 * * *|2026-03-07T09:00:00+00:00"),
        .init(#""schedule_type": "cron", "value": "0 9 * * *""#, "cron|0 9 * * *|2026-03-07T09:00:00+00:00"),
        .init(#""schedule": {"type": "cron", "value": "0 9 * * *"}"#, "cron|0 9 * * *|2026-03-07T09:00:00+00:00"),
        // What the interface itself shows: the same schedule in several spellings.
        .init(
            #""schedule_type": "cron", "schedule": "0 9 * * *", "cron": "0 9 * * *""#,
            "cron|0 9 * * *|2026-03-07T09:00:00+00:00"),
        .init(#""schedule_type": "cron", "cron": "0 9 * * *""#, "cron|0 9 * * *|2026-03-07T09:00:00+00:00"),
        .init(#""interval": "90m""#, "interval|90m|2026-03-06T13:30:00+00:00"),
        .init(#""schedule_type": "interval", "schedule": "PT2H""#, "interval|PT2H|2026-03-06T14:00:00+00:00"),
        .init(#""schedule": {"type": "interval", "value": "1 day"}"#, "interval|1 day|2026-03-07T12:00:00+00:00"),
        .init(
            #""recurring": true, "interval_type": "days", "interval_value": 2"#,
            "interval|2 days|2026-03-08T12:00:00+00:00"),
        .init(
            #""recurring": true, "interval_type": "hour", "interval_value": 1, "#
                + #""schedule_time": "2026-04-01T00:30:00Z""#,
            "interval|1 hour|2026-04-01T00:30:00+00:00"),
        .init(#""interval_type": "weeks", "interval_value": 1"#, "interval|1 week|2026-03-13T12:00:00+00:00"),
        .init(#""once": "2026-12-25 09:00""#, "once|2026-12-25 09:00|2026-12-25T09:00:00+00:00"),
        .init(#""once": "in 2 hours""#, "once|in 2 hours|2026-03-06T14:00:00+00:00"),
        .init(#""once": "tomorrow 09:00""#, "once|tomorrow 09:00|2026-03-07T09:00:00+00:00"),
        .init(
            #""schedule_type": "once", "schedule": "2026-12-25""#, "once|2026-12-25|2026-12-25T00:00:00+00:00"),
        .init(
            #""recurring": false, "schedule_time": "2026-12-25""#, "once|2026-12-25|2026-12-25T00:00:00+00:00"),
        .init(
            #""recurring": false, "schedule_time": "2026-12-25", "interval_type": null, "interval_value": null"#,
            "once|2026-12-25|2026-12-25T00:00:00+00:00"),
        .init(#""calendar": "Mon..Fri 09:00""#, "calendar|Mon..Fri 09:00|2026-03-09T09:00:00+00:00"),
        .init(#""on_calendar": "daily""#, "calendar|daily|2026-03-07T00:00:00+00:00"),
        .init(
            #""schedule": {"type": "calendar", "value": "*-*-1"}"#, "calendar|*-*-1|2026-04-01T00:00:00+00:00"),
        .init(
            #""schedules": [{"cron": "0 9 * * *"}, {"interval": "1h"}, {"type": "once", "value": "in 1 day"}, "#
                + #"{"on_calendar": "hourly"}]"#,
            "cron|0 9 * * *|2026-03-07T09:00:00+00:00", "interval|1h|2026-03-06T13:00:00+00:00",
            "once|in 1 day|2026-03-07T12:00:00+00:00", "calendar|hourly|2026-03-06T13:00:00+00:00"),
        .init(#""schedules": []"#),
        .init(#""cron": null, "interval": "1h""#, "interval|1h|2026-03-06T13:00:00+00:00"),
        .init(#""recurring": true, "cron": "@hourly""#, "cron|@hourly|2026-03-06T13:00:00+00:00"),
    ]

    @Test(arguments: rows)
    func everySpellingIsRead(row: Row) throws {
        let job = try runnable(row.members)
        let schedules = job.schedules.indices.map { index in
            let schedule = job.schedules[index]
            return "\(schedule.type)|\(schedule.text)|\(fires(job, schedule: index, count: 1).first ?? "never")"
        }
        #expect(schedules == row.expected)
    }

    @Test func anIntervalCountsFromTheGridOrFromTheEnd() throws {
        let grid = try runnable(#""interval": "90m""#)
        let named = try runnable(#""interval": "90m", "interval_from": "grid""#)
        let end = try runnable(#""interval": "90m", "interval_from": "end""#)
        #expect(!grid.countsFromEnd && !named.countsFromEnd && end.countsFromEnd)
        #expect(grid.scheduleKey == named.scheduleKey)
        #expect(grid.scheduleKey != end.scheduleKey, "it is another set of fire times")
        #expect(try runnable(#""schedules": [{"interval": "1h"}], "interval_from": "end""#).countsFromEnd)
    }

    @Test func whatIsFinishedMayRemoveItself() throws {
        func read(_ members: String) throws -> Duration? {
            try runnable(members + #", "delete_after": "7d""#).deleteAfter
        }
        #expect(try read(#""once": "2190-01-01T00:00""#) == .seconds(7 * 86_400))
        #expect(try read(#""cron": "@daily", "end_at": "2190-01-01T00:00""#) == .seconds(7 * 86_400))
        #expect(try read(#""interval": "1h", "max_executions": 2"#) == .seconds(7 * 86_400))
        let file = try configuration(
            #""jobs": [{"name": "j", "command": "true", "once": "2190-01-01T00:00", "delete_after": "7d"}]"#)
        #expect(
            file.refused.map(\.error) == [
                "delete_after: is for jobs that come over the bus; what stands in a file is removed there (line 1, "
                    + "column 102)"
            ])
    }

    @Test func oneJobFollowsSeveral() throws {
        let after = try runnable(#""after": {"jobs": ["a", "b"], "on": "any"}"#).after
        #expect(after == Job.Chain(jobs: ["a", "b"], on: .any))
        #expect(try runnable(#""after": {"jobs": ["a"]}"#).after == Job.Chain(job: "a", on: .success))
    }

    @Test func theJobThatClosesACircleIsRefusedByName() throws {
        let file = try configuration(
            """
            "jobs": [
            {"name": "a", "command": "true", "on_success": ["b"]},
            {"name": "b", "command": "true", "on_failure": ["c"]},
            {"name": "alone", "command": "true", "after": {"job": "a"}},
            {"name": "c", "command": "true"},
            {"name": "d", "command": "true", "after": {"jobs": ["x", "c"]}, "on_success": ["a"]},
            {"name": "e", "command": "true", "on_failure": ["e"]}
            ]
            """)
        #expect(file.jobs.map(\.name) == ["a", "b", "alone", "c"])
        #expect(
            file.refused.map { "\($0.name): \($0.error)" } == [
                "d: a circle of jobs that would follow one another for ever: d → a → b → c → d; take one out of "
                    + "on_success, on_failure or after (line 6, column 1)",
                "e: a circle of jobs that would follow one another for ever: e → e; take one out of on_success, "
                    + "on_failure or after (line 7, column 1)",
            ])
    }

    @Test func pollsChainsAndQueuesAreKept() throws {
        let poll = try runnable(#""poll": {"interval": "5m", "condition": ["test", "-e", "/x"], "dedupe": true}"#).poll
        #expect(poll?.interval == .seconds(300))
        #expect(poll?.condition == .command(["test", "-e", "/x"]))
        #expect(poll?.dedupe == .seconds(3_155_760_000))
        let within = try runnable(#""poll": {"interval": "5m", "condition": "x", "dedupe": "1 day"}"#).poll
        #expect(within?.dedupe == .seconds(86_400))
        let older = try runnable(#""trigger": "poll", "poll_interval": 60, "condition": "test -e /x""#).poll
        #expect(older?.interval == .seconds(60))
        #expect(older?.condition == .shell("test -e /x"))
        #expect(try runnable(#""after": {"job": "a"}"#).after == Job.Chain(job: "a", on: .success))
        #expect(try runnable(#""after": {"job": "a", "on": "any"}"#).after == Job.Chain(job: "a", on: .any))
        let served = try runnable(#""trigger": {"queue": "in"}, "result_queue": "out""#)
        #expect(served.triggerQueue == "in" && served.triggerBatch == 1 && served.resultQueue == "out")
        #expect(try runnable(#""trigger": {"queue": "in", "batch": 100}"#).triggerBatch == 100)
        #expect(try runnable(#""precheck": ["look"]"#).precheck == .command(["look"]))
        let mixed = try runnable(#""schedules": [{"after": {"job": "a", "on": "failure"}}, {"cron": "@daily"}]"#)
        #expect(mixed.after == Job.Chain(job: "a", on: .failure))
        #expect(mixed.schedules.map(\.type) == ["cron"])
    }

    @Test(arguments: [
        (
            #""trigger": {"queue": "in", "batch": 101}"#,
            "batch: found the number 101; expected a whole number from 1 to 100"
        ),
        (#""trigger": {"queue": "a b"}"#, "found the string \"a b\"; expected a name of a queue"),
        (#""trigger": {"queue": "in"}, "result_queue": "in""#, "is the queue that starts the job"),
        (#""trigger": {"queue": "in"}, "error_queue": "in""#, "is the queue that starts the job"),
        (#""poll": {"interval": "5m", "condition": "x", "dedupe": "x"}"#, "dedupe: syntax interval \"x\""),
    ])
    func aQueueOrAPollThatCannotBeIsRefused(_ members: String, _ words: String) throws {
        let refused = try refusal(#""name": "j", "command": ["true"], "# + members)
        #expect(refused.contains(words), "\(refused)")
    }

    // MARK: - Around a schedule

    @Test func theZoneIsTheJobsElseTheSections() throws {
        let section = #""timezone": "Europe/Berlin""#
        #expect(try runnable(#""cron": "@daily""#, section: section).zone.name == "Europe/Berlin")
        #expect(
            try fires(runnable(#""cron": "@daily", "timezone": "Asia/Tokyo""#, section: section), count: 1)
                == ["2026-03-07T00:00:00+09:00"])
        #expect(try runnable(#""timezone": "local""#, section: section).zone.name == "UTC")
    }

    @Test func theRuleForClockChangesIsTheJobs() throws {
        let nightly = #""timezone": "America/New_York", "cron": "30 2 * * *""#
        #expect(
            try fires(runnable(nightly)) == [
                "2026-03-07T02:30:00-05:00", "2026-03-08T03:00:00-04:00", "2026-03-09T02:30:00-04:00",
            ])
        #expect(
            try fires(runnable(nightly + #", "dst": {"gap": "skip"}"#), count: 2) == [
                "2026-03-07T02:30:00-05:00", "2026-03-09T02:30:00-04:00",
            ])
        let autumn = Instant(seconds: 1_793_505_600)  // 2026-11-01T04:00Z, midnight in New York
        let twice = try runnable(
            #""timezone": "America/New_York", "cron": "30 1 * * *", "dst": {"overlap": "both"}"#)
        #expect(
            fires(twice, after: autumn, count: 2) == ["2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00"])
    }

    @Test func aWindowBoundsTheFires() throws {
        let job = try runnable(
            #""cron": "0 9 * * *", "start_at": "2026-03-10", "end_at": "2026-03-11 09:00", "max_executions": 4"#)
        #expect(fires(job) == ["2026-03-10T09:00:00+00:00", "2026-03-11T09:00:00+00:00"])
        #expect(job.maxExecutions == 4)
        // Of an interval the start is the anchor, and fires.
        #expect(
            try fires(runnable(#""interval": "1 month", "start_at": "2026-03-31T08:00:00Z""#)) == [
                "2026-03-31T08:00:00+00:00", "2026-04-30T08:00:00+00:00", "2026-05-31T08:00:00+00:00",
            ])
    }

    @Test func excludedFiresAreStillFires() throws {
        let job = try runnable(#""cron": "0 9 * * *", "exclude": ["2026-03-07", "Sun"]"#)
        let times = ["2026-03-07T09:00:00Z", "2026-03-08T09:00:00Z", "2026-03-09T09:00:00Z"]
        let excluded = try times.map { text in
            let time = try #require(Instant(rfc3339: text))
            return job.exclusions.contains { $0.contains(time) }
        }
        #expect(excluded == [true, true, false])
        #expect(fires(job)[0] == "2026-03-07T09:00:00+00:00")
    }

    @Test(
        arguments: [
            ("", 0), (#""jitter": 5"#, 5000), (#""jitter": "2m""#, 120_000), (#""jitter_ms": 1500"#, 1500),
            (#""jitter_seconds": 0.25"#, 250), (#""jitter": 0"#, 0),
        ] as [(String, Int64)])
    func jitterIsInMilliseconds(members: String, expected: Int64) throws {
        #expect(try runnable(members).jitterMilliseconds == expected)
    }

    // MARK: - Refused

    static let refusals: [Refused] = [
        .init(
            #""cron": "0 9 * * MON-FRX""#,
            #"unknown_name day_of_week "FRX" at 12: expected SUN–SAT or 0–7 (cron)"#),
        .init(
            #""schedule": {"type": "cron", "value": "* * * *"}"#,
            #"field_count expression "4" at 7: expected 5 fields, or 6 with seconds first (schedule.value)"#),
        .init(
            #""schedules": [{"cron": "@daily"}, {"interval": "30M"}]"#,
            #"ambiguous_unit interval "M" at 2: write "30 min" or "30 mo" (schedules[1].interval)"#),
        .init(
            #""cron": "@daily", "interval": "1h""#,
            #"interval: cron, interval are given; a job has one of them, or an array of several under "schedules""#),
        .init(
            #""cron": "@daily", "schedule_type": "cron", "schedule": "@hourly""#,
            #"schedule: cron, schedule are given; a job has one of them, or an array of several under "schedules""#),
        .init(
            #""cron": "@daily", "schedules": [{"interval": "1h"}]"#,
            #"cron: stands beside "schedules"; give it as an element of that array"#),
        .init(#""cron": 5"#, #"cron: found the number 5; expected a cron expression, such as "0 9 * * MON-FRI""#),
        .init(
            #""schedule": "@daily""#,
            #"schedule: needs "schedule_type" beside it: one of cron, interval, once, calendar"#),
        .init(
            #""schedule_type": "cron""#,
            #"schedule_type: needs "schedule" beside it: a cron expression, such as "0 9 * * MON-FRI""#),
        .init(
            #""schedule_type": "weekly", "schedule": "x""#,
            #"schedule_type: found the string "weekly"; expected one of cron, interval, once, calendar"#),
        .init(
            #""schedule": {"value": "1h"}"#, "schedule.type: missing; expected one of cron, interval, once, calendar"),
        .init(
            #""schedules": [{}]"#,
            "schedules[0]: no schedule; expected one of cron, interval, once, calendar, poll, after, trigger"),
        .init(
            #""schedules": [{"cron": "@daily", "timezone": "UTC"}]"#,
            #"schedules[0].timezone: unknown key; did you mean "cron"?"#),
        .init(#""recurring": true"#, #"recurring: needs "interval_type" beside it, as in "days" and 2"#),
        .init(
            #""recurring": true, "interval_type": "days", "interval_value": 0"#,
            #"too_small interval_value "0" at 0: expected 1 or more (interval_value)"#),
        .init(
            #""interval_type": "fortnights", "interval_value": 1"#,
            #"bad_unit interval_type "fortnights" at 0: "#
                + #"expected seconds, minutes, hours, days, weeks, months or years (interval_type)"#
        ),
        .init(
            #""trigger": "cron""#,
            #"trigger: found the string "cron"; expected an object {"queue": NAME}, or "poll""#),
        .init(
            #""trigger": "poll", "condition": "true""#,
            "poll_interval: missing; expected a duration between two polls"),
        .init(#""condition": "true""#, #"condition: needs "trigger": "poll" beside it; or stand in an object "poll""#),
        .init(
            #""poll": {"interval": 0, "condition": "true"}"#,
            "poll.interval: found the number 0; expected a duration of at least 1.0 seconds"),
        .init(#""after": "a""#, #"after: found the string "a"; expected an object with "job" and "on""#),
        .init(
            #""after": {"job": "a", "on": "end"}"#,
            #"after.on: found the string "end"; expected one of success, failure, any"#),
        .init(
            #""jitter": 1, "jitter_ms": 1000"#,
            "jitter_ms: says the same as jitter in another unit; give one of them"),
        .init(
            #""max_executions": 0"#,
            "max_executions: found the number 0; expected a whole number from 1 to 1000000000"),
        .init(
            #""dst": {"gap": "run_before"}"#,
            #"dst.gap: found the string "run_before"; expected one of run_after, skip"#),
    ]

    @Test(arguments: refusals)
    func aWrongScheduleIsNamed(row: Refused) throws {
        let error = try refusal(#""name": "j", "command": ["true"], "# + row.members)
        #expect(error == row.error)
    }

    /// The sentence is the expression's own affair: here it matters that code, field, value and place arrive.
    @Test(arguments: [
        (#""cron": "61 * * * *""#, #"out_of_range minute "61" at 0: "#, "(cron)"),
        (#""cron": "0 0 30 2 *""#, #"never_fires day_of_month "30" at 4: "#, "(cron)"),
        (#""once": "2026-03-06T11:59:59Z""#, #"in_past datetime "2026-03-06T11:59:59Z" at 0: "#, "(once)"),
        (#""start_at": "tomorrow 09:00""#, #"syntax datetime "tomorrow 09:00" at 0: "#, "(start_at)"),
        (#""timezone": "Europe/Berlinn""#, #"bad_timezone timezone "Europe/Berlinn" at 0: "#, "(timezone)"),
        (#""timezone": "+02:00""#, #"bad_timezone timezone "+02:00" at 0: "#, "(timezone)"),
        (#""calendar": "Sat..Mon 9:00""#, #"syntax weekday "Sat..Mon" at 0: "#, "(calendar)"),
        (#""exclude": ["2026-13-01"]"#, #"out_of_range month "13" at 5: "#, "(exclude[0])"),
        (
            #""cron": "@daily", "start_at": "2026-05-01", "end_at": "2026-04-01""#,
            #"empty_window end_at "2026-04-01T00:00:00+00:00" at 0: "#, "(end_at)"
        ),
        (#""cron": "@daily", "end_at": "2026-03-06""#, #"never_fires day_of_month "#, "(cron)"),
    ])
    func aRefusedExpressionKeepsItsWords(members: String, begins: String, ends: String) throws {
        let error = try refusal("\"name\": \"j\", \"command\": [\"true\"], \(members)")
        #expect(error.hasPrefix(begins), "\(error)")
        #expect(error.hasSuffix(ends), "\(error)")
        let thrown = #expect(throws: JobError.self) { try runnable(members) }
        #expect(thrown?.kind == .schedule)
        #expect(thrown?.job == "j")
    }

    @Test(arguments: [
        (#""cron": "0 9 * * MON-FRX""#, "0 9 * * MON-FRX\n            ^^^"),
        (#""cron": "1,,2 * * * *""#, "1,,2 * * * *\n  ^"),
        (#""schedules": [{"interval": "30M"}]"#, "30M\n  ^"),
    ])
    func aRefusedExpressionHasCaretsUnderThePlace(members: String, excerpt: String) throws {
        let thrown = #expect(throws: JobError.self) { try runnable(members) }
        #expect(thrown?.excerpt == excerpt)
    }

    @Test func anExpressionThatWouldNotFitALineHasNoCarets() throws {
        let long = String(repeating: "1,", count: 150)
        let thrown = #expect(throws: JobError.self) { try runnable(#""cron": "\#(long) * * * *""#) }
        #expect(thrown?.kind == .schedule && thrown?.excerpt == nil)
    }

    @Test func thePastIsAllowedWhereItIsSaid() throws {
        let past = #""once": "2026-03-06T11:00:00Z""#
        #expect(try refusal("\"command\": \"true\", \(past)").hasPrefix("in_past"))
        for job in [
            try runnable(past + #", "allow_past": true"#), try runnable(past + #", "allow_past_events": true"#),
            try runnable(past, section: #""allow_past_events": true"#),
        ] {
            #expect(job.schedules[0].timetable.schedule.onceInstant == Instant(rfc3339: "2026-03-06T11:00:00Z"))
        }
        #expect(
            try refusal("\"command\": \"true\", \"allow_past\": false, \(past)", section: #""allow_past_events": true"#)
                .hasPrefix("in_past"))
    }

    // MARK: - Registration

    @Test func aRestartMovesNoGrid() throws {
        for members in [
            #""interval": "90m""#, #""interval": "1 day""#, #""once": "in 2 hours""#, #""once": "tomorrow 09:00""#,
            #""once": "2026-03-06T13:00:00Z""#, #""cron": "0 9 * * *""#, #""once": "now""#,
        ] {
            let first = try runnable(members)
            #expect(first.registeredAt == friday)
            let known = ["j": Registration(scheduleKey: first.scheduleKey, registeredAt: first.registeredAt)]
            // A month later, when every `once` has passed.
            let later = try runnable(members, now: friday + .seconds(30 * 86_400), registrations: known)
            #expect(later == first, "\(members)")
        }
    }

    /// The store would otherwise have it that "in 2 hours" is long past when it is said a second time.
    @Test func aOnceSaidAgainCountsFromNow() throws {
        let later = friday + .seconds(86_400)
        func again(_ members: String, isNew: Bool) throws -> (job: Job, before: Job) {
            let before = try runnable(members)
            let known = ["j": Registration(scheduleKey: before.scheduleKey, registeredAt: before.registeredAt)]
            let job = try reader(now: later, registrations: known).readJob(
                JSONValue(parsing: before.definition), origin: .bus, in: configuration(), isNew: isNew)
            return (job, before)
        }
        let relative = try again(#""once": "in 2 hours""#, isNew: true)
        #expect(fires(relative.job, after: later, count: 1) == ["2026-03-07T14:00:00+00:00"])
        #expect(relative.job.scheduleKey != relative.before.scheduleKey)
        let absolute = try again(#""once": "2026-03-09T00:00:00Z""#, isNew: true)
        #expect(absolute.job.scheduleKey == absolute.before.scheduleKey)
        let error = #expect(throws: JobError.self) { try again(#""once": "2026-03-07T11:00:00Z""#, isNew: true) }
        #expect(error?.message.hasPrefix("in_past") == true)
        let interval = try again(#""interval": "7h""#, isNew: true)
        #expect(interval.job.registeredAt == friday)
        #expect(try again(#""once": "in 2 hours""#, isNew: false).job.registeredAt == friday)
    }

    @Test func anotherScheduleIsRegisteredAnew() throws {
        let first = try runnable(#""interval": "1 day""#)
        let known = ["j": Registration(scheduleKey: first.scheduleKey, registeredAt: first.registeredAt)]
        let later = friday + .seconds(3600)
        for members in [
            #""interval": "2 days""#, #""interval": "1 day", "timezone": "Asia/Tokyo""#,
            #""interval": "1 day", "start_at": "2027-01-01""#, #""cron": "@daily""#,
        ] {
            #expect(try runnable(members, now: later, registrations: known).registeredAt == later, "\(members)")
        }
        for members in [
            #""interval": "1 day", "timeout": 5"#, #""interval": "1 day", "end_at": "2027-01-01""#,
            #""schedule_type": "interval", "schedule": "1 day", "description": "same grid""#,
            #""schedules": [{"interval": "1 day"}]"#,
        ] {
            #expect(try runnable(members, now: later, registrations: known).registeredAt == friday, "\(members)")
        }
    }

    /// The zone belongs to the grid only where the wall clock does.
    @Test(arguments: [
        (#""interval": "90m""#, true), (#""interval": "1h30m""#, true), (#""interval": "PT90M""#, true),
        (#""interval": "every 5 seconds""#, true), (#""cron": "@every 90m""#, true),
        (#""once": "2026-12-25T09:00:00Z""#, true), (#""once": "2026-12-25T09:00:00+0530""#, true),
        (#""once": "in 2 hours""#, true), (#""once": "now""#, true), (#""interval": "1 day 2 hours""#, false),
        (#""interval": "P1DT2H""#, false), (#""interval": "2mo""#, false), (#""cron": "@every 1d""#, false),
        (#""cron": "0 9 * * *""#, false), (#""once": "2026-12-25 09:00""#, false), (#""once": "in 1d""#, false),
        (#""once": "tomorrow 09:00""#, false), (#""calendar": "daily""#, false),
    ])
    func anotherZoneIsAnotherGridOnTheWallClock(members: String, isSame: Bool) throws {
        let here = try runnable(members + #", "timezone": "Europe/Berlin""#).scheduleKey
        let there = try runnable(members + #", "timezone": "Asia/Tokyo""#).scheduleKey
        #expect((here == there) == isSame)
    }

    // MARK: - Previews

    @Test func aPreviewNeedsNoAction() throws {
        let defaults = try configuration(#""timezone": "Europe/Berlin""#)
        func preview(_ text: String) throws -> [String] {
            let preview = try reader().readPreview(of: text, in: defaults)
            return fires(preview.job, after: preview.after, count: 1)
        }
        #expect(try preview("0 9 * * *") == ["2026-03-07T09:00:00+01:00"])
        #expect(try preview(#" "0 9 * * *""#) == ["2026-03-07T09:00:00+01:00"])
        #expect(try preview(#"{"cron": "0 9 * * *", "after": "2026-07-01"}"#) == ["2026-07-01T09:00:00+02:00"])
        #expect(
            try preview(#"{"interval": "1 day", "timezone": "UTC", "created_at": "2026-01-01T05:00:00Z"}"#)
                == ["2026-03-07T05:00:00+00:00"])
        #expect(
            try preview(
                #"{"once": "in 2 hours", "registered_at": "2026-05-01T10:00:00Z", "created_at": null, "skill": "s"}"#)
                == ["2026-05-01T14:00:00+02:00"])
        #expect(try preview(#"{"after": {"job": "a"}}"#) == [])
    }

    @Test(arguments: [
        ("61 * * * *", #"out_of_range minute "61" at 0: "#),
        (#"{"cron": "61 * * * *"}"#, #"out_of_range minute "61" at 0: "#),
        (#"{"crn": "@daily"}"#, #"crn: unknown key; did you mean "cron"?"#),
        (#"{"cron": "@daily", "after": "x"}"#, #"syntax datetime "x" at 0: "#),
        ("{", "cannot read JSON at line 1, column 2: "), ("", #"empty expression "" at 0: "#),
    ])
    func aWrongPreviewIsNamed(text: String, begins: String) throws {
        let defaults = try configuration()
        let error = #expect(throws: JobError.self) { try reader().readPreview(of: text, in: defaults) }
        #expect(error?.description.hasPrefix(begins) == true, "\(String(describing: error))")
    }
}
