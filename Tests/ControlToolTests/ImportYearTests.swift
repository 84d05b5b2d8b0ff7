import Configuration
import JSON
import Schedules
import Scheduling
import TestSupport
import Testing

@testable import botcronctl

/// Over a year with both changes of the clock, what was imported fires when the original does.
@Suite struct ImportYearTests {
    private static let begin = Instant(seconds: 1_767_225_600)
    private static let end = Instant(seconds: 1_798_761_600)

    /// Offsets in minutes, and the second of UTC at which each begins.
    struct Zone: Sendable, CustomTestStringConvertible {
        var name: String
        var offsets: [(from: Int64, minutes: Int64)]
        var testDescription: String { name }

        func minutes(at second: Int64) -> Int64 { offsets.last { $0.from <= second }?.minutes ?? 0 }
    }

    private static let berlin = Zone(
        name: "Europe/Berlin", offsets: [(0, 60), (1_774_746_000, 120), (1_792_890_000, 60)])
    private static let newYork = Zone(
        name: "America/New_York", offsets: [(0, -300), (1_772_953_200, -240), (1_793_512_800, -300)])

    private func fireTimes(
        _ job: ImportedJob, in zone: String, from: Instant = begin, to: Instant = end
    ) throws -> Set<Int64> {
        var definition = job.definition.named("job")
        definition["timezone"] = .string(zone)
        let reader = ConfigurationReader(zones: ZoneDatabase(), home: "/root", now: from - .seconds(1))
        let read = try reader.readJob(.object(definition), origin: .bus, in: Configuration(timezone: .utc), isNew: true)
        var times: Set<Int64> = []
        for schedule in read.schedules {
            var after = from - .seconds(1)
            while let next = schedule.timetable.next(after: after), next < to {
                times.insert(next.seconds)
                after = next
            }
        }
        return times
    }

    // MARK: - Crontabs

    /// Lines as packages and people write them.
    private static let crontabs = [
        // What a system does for itself.
        """
        17 * * * * cd / && run-parts /etc/cron.hourly
        25 6 * * * run-parts /etc/cron.daily
        47 6 * * 7 run-parts /etc/cron.weekly
        52 6 1 * * run-parts /etc/cron.monthly
        09,39 * * * * sessionclean
        5-55/10 * * * * sa1 1 1
        57 0 * * 0 checkarray --cron --all
        """,
        // A server for the web.
        """
        */5 * * * * php -f /srv/cloud/cron.php
        0 */12 * * * certbot -q renew
        43 6 * * * certbot renew --post-hook "systemctl reload nginx"
        */15 9-17 * * mon-fri /usr/local/bin/report
        0 0 1,15 * fri /usr/local/bin/invoices
        """,
        // Backups, at the times that a change of the clock skips and repeats.
        """
        30 2 * * * /usr/local/bin/backup
        0,30 1,2 * * * /usr/local/bin/snapshot
        15 2 1-7 * * /usr/local/bin/backup --full
        0 3 * * sun /usr/local/bin/prune
        59 1 28-31 mar,oct * /usr/local/bin/check
        */30 2 * * * /usr/local/bin/probe
        """,
        // A laptop's.
        """
        @hourly fetchmail
        @daily updatedb
        @weekly find ~/.cache -atime +30 -delete
        @monthly du -sh ~
        @yearly true
        */90 * * * * sync
        * 1-2 * * 0 tick
        """,
        // Day rules, and steps.
        """
        0 0 */2 * mon odd
        0 0 13 * 5 friday
        0 4 1-31/2 * 1-5/2 either
        10 1-23/2 * */3 * quarter
        0 12 29 2,10 * rare
        20 2,3 25-31 3,10 * change
        0-59/20 0-3 * * 0-7/3 steps
        """,
    ]

    @Test(arguments: [berlin, newYork])
    func crontabsFireAsDebiansCronRunsThem(_ zone: Zone) throws {
        var count = 0
        for crontab in Self.crontabs {
            let imported = CrontabImportTests.read(crontab + "\n")
            for entry in imported.entries {
                let job = try #require(entry.job, "\(entry)")
                #expect(job.differences == [], "\(entry.text)")
                let ours = try fireTimes(job, in: zone.name)
                let theirs = try CronOracle(line: entry.text).fireTimes(from: Self.begin, to: Self.end, zone)
                let (more, less) = (ours.subtracting(theirs).sorted(), theirs.subtracting(ours).sorted())
                #expect(ours == theirs, "\(entry.text): \(more.prefix(5)) more, \(less.prefix(5)) less")
                count += ours.count
            }
        }
        #expect(count > 200_000, "all of them together: \(count)")
    }

    /// Fields that nobody would write, in the nights around both changes.
    @Test func anyLineFiresAsDebiansCronRunsIt() throws {
        var random = SeededGenerator(seed: SeededGenerator.seed())
        let bounds = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]
        func item(_ place: Int) -> String {
            let (low, high) = bounds[place]
            let first = Int.random(in: low...high, using: &random)
            let step = "/\(Int.random(in: 1...(high + 40), using: &random))"
            switch Int.random(in: 0..<6, using: &random) {
            case 0: return "*"
            case 1: return "*" + step
            case 2: return "\(first)-\(Int.random(in: first...high, using: &random))"
            case 3: return "\(first)-\(Int.random(in: first...high, using: &random))" + step
            default: return "\(first)"
            }
        }
        var (taken, fired) = (0, 0)
        for _ in 0..<200 {
            let fields = (0..<5).map { place in
                (0..<Int.random(in: 1...3, using: &random)).map { _ in item(place) }.joined(separator: ",")
            }
            let line = fields.joined(separator: " ") + " x"
            let entry = try #require(CrontabImportTests.read(line + "\n").entries.first)
            for change: Int64 in [1_774_746_000, 1_792_890_000] {
                let (from, to) = (Instant(seconds: change - 4 * 86_400), Instant(seconds: change + 2 * 86_400))
                let theirs = try CronOracle(line: line).fireTimes(from: from, to: to, Self.berlin)
                guard let job = entry.job else {
                    #expect(theirs == [], "\(line) of \(random): \(entry.fate)")
                    continue
                }
                #expect(job.differences == [], "\(line) of \(random)")
                let ours = try fireTimes(job, in: Self.berlin.name, from: from, to: to)
                let different = ours.symmetricDifference(theirs).sorted()
                #expect(different == [], "\(line) of \(random)")
                taken += 1
                fired += ours.count
            }
        }
        #expect(taken > 300 && fired > 1_000, "\(taken) taken, \(fired) fire times, \(random)")
    }

    // MARK: - Timers

    /// What the timers of Debian's packages say: apt, util-linux, logrotate, man-db, e2fsprogs and dpkg.
    static let timers: [(name: String, settings: [String])] = [
        ("apt-daily", ["OnCalendar=*-*-* 6,18:00", "RandomizedDelaySec=12h", "Persistent=true"]),
        ("fstrim", ["OnCalendar=weekly", "AccuracySec=1h", "Persistent=true", "RandomizedDelaySec=6000"]),
        ("logrotate", ["OnCalendar=daily", "AccuracySec=1h", "Persistent=true"]),
        ("man-db", ["OnCalendar=daily", "RandomizedDelaySec=12h", "Persistent=true"]),
        ("e2scrub_all", ["OnCalendar=Sun *-*-* 03:10:00", "RandomizedDelaySec=60", "Persistent=true"]),
        ("dpkg-db-backup", ["OnCalendar=daily"]),
        // At the times that a change of the clock skips and repeats.
        ("nightly", ["OnCalendar=*-*-* 02:30", "OnCalendar=Mon..Fri *-*-* 01:15:30"]),
        ("monthly", ["OnCalendar=*-*~1 02:59", "OnCalendar=*-3,10-25..31 1,2,3:20"]),
    ]

    static func unit(_ name: String, _ settings: [String]) -> UnitFile {
        UnitFile(name: name, "[Unit]\nDescription=Test\n[Timer]\n\(settings.joined(separator: "\n"))\n")
    }

    private func job(_ name: String, _ settings: [String]) throws -> ImportedJob {
        try #require(SystemdTimer.read([Self.unit("\(name).timer", settings)]).entries.first?.job)
    }

    /// The elapses of the year, as systemd itself lists them.
    private func elapses(of event: String, in zone: String, count: Int = 800) throws -> Set<Int64> {
        let outcome = try TestProgram.run(
            ["systemd-analyze", "calendar", "--iterations=\(count)", "--base-time=2025-12-31 23:59:59 UTC", event],
            environment: ["PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=\(zone)"])
        try #require(outcome.code == 0, "\(outcome.errors)")
        var times: Set<Int64> = []
        for line in outcome.output.split(separator: "\n") {
            guard let range = line.firstRange(of: "(in UTC): ") else { continue }
            // Sat 2026-03-28 01:30:00 UTC
            let words = line[range.upperBound...].split(separator: " ")
            try #require(words.count == 4 && words[3] == "UTC", "\(line)")
            let instant = try Instant.absolute("\(words[1])T\(words[2])Z", zone: .utc)
            if instant < Self.end { times.insert(instant.seconds) }
        }
        return times
    }

    @Test(arguments: [berlin, newYork])
    func timersFireAsSystemdListsThem(_ zone: Zone) throws {
        for (name, settings) in Self.timers {
            let ours = try fireTimes(try job(name, settings), in: zone.name)
            var theirs: Set<Int64> = []
            for setting in settings {
                guard let event = setting.split(separator: "=", maxSplits: 1).last, setting.hasPrefix("OnCalendar=")
                else {
                    continue
                }
                theirs.formUnion(try elapses(of: String(event), in: zone.name))
            }
            #expect(!ours.isEmpty && ours == theirs, "\(name): \(ours.symmetricDifference(theirs).sorted().prefix(5))")
        }
    }

    /// The one way in which they differ, and it is said: a rhythm goes on while the clock repeats an hour.
    @Test(arguments: ["hourly", "*:0/20"]) func aRhythmDiffersInTheRepeatedHourAlone(_ event: String) throws {
        let job = try job("rhythm", ["OnCalendar=\(event)"])
        let ours = try fireTimes(job, in: "Europe/Berlin")
        // Of an hourly one, nearly the year; of the other, beyond the hour in question.
        var theirs: Set<Int64> = try elapses(of: event, in: "Europe/Berlin", count: event == "hourly" ? 8_000 : 22_000)
        // Not all of the year is in the list.
        let last = try #require(theirs.max())
        theirs = theirs.filter { $0 <= last }
        let different = ours.filter { $0 <= last }.symmetricDifference(theirs)
        let repeated = Int64(1_792_890_000)..<1_792_893_600
        #expect(different.allSatisfy { repeated.contains($0) && ours.contains($0) }, "\(different.sorted().prefix(5))")
        #expect(job.differences.contains { $0.contains("an hour that the clock repeats") }, "\(job.differences)")
    }
}

/// Debian's cron, minute by minute: written from cron(8) and crontab(5), and slow.
private struct CronOracle {
    private var fields: [Set<Int>] = []
    /// Whether a minute of the day is one, by the first two fields: looked up half a million times a year.
    private var isTime: [Bool] = []
    private var isEither = false
    private var isWildcard = false

    private static let names = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
    private static let days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
    private static let nicknames = [
        "@yearly": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0", "@daily": "0 0 * * *",
        "@hourly": "0 * * * *",
    ]

    init(line: String) throws {
        let first = String(line.prefix { $0 != " " })
        let text = (Self.nicknames[first] ?? line).split(separator: " ").prefix(5)
        let bounds = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]
        for (place, field) in text.enumerated() {
            var values: Set<Int> = []
            for item in field.split(separator: ",") {
                let parts = item.split(separator: "/")
                let ends = parts[0].split(separator: "-").map(String.init)
                let (low, high) =
                    ends == ["*"]
                    ? bounds[place] : (try Self.number(ends[0], place), try Self.number(ends.last ?? "", place))
                for value in stride(from: low, through: high, by: parts.count > 1 ? Int(parts[1]) ?? 1 : 1) {
                    values.insert(place == 4 && value == 7 ? 0 : value)
                }
            }
            fields.append(values)
        }
        isEither = text[2].first != "*" && text[4].first != "*"
        isWildcard = text[0].first == "*" || text[1].first == "*"
        isTime = (0..<1440).map { fields[0].contains($0 % 60) && fields[1].contains($0 / 60) }
    }

    private static func number(_ text: String, _ place: Int) throws -> Int {
        if let number = Int(text) { return number }
        let index = place == 3 ? names.firstIndex(of: text).map { $0 + 1 } : days.firstIndex(of: text)
        return try #require(index)
    }

    /// Whether the wall clock's minute, counted from 1970, is one.
    private func matches(_ minute: Int64) -> Bool {
        guard isTime[Int(minute % 1440)] else { return false }
        let day = minute / 1440
        // Howard Hinnant's days → civil.
        let z = day + 719_468
        let era = z / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let dayOfMonth = Int(dayOfYear - (153 * shifted + 2) / 5 + 1)
        guard fields[3].contains(Int(shifted < 10 ? shifted + 3 : shifted - 9)) else { return false }
        // The first day of 1970 was a Thursday.
        let (isDay, isWeekday) = (fields[2].contains(dayOfMonth), fields[4].contains(Int((day + 4) % 7)))
        return isEither ? isDay || isWeekday : isDay && isWeekday
    }

    /// As its main loop goes: `virtual` is the wall clock's minute up to which fixed times have had their turn.
    func fireTimes(from: Instant, to: Instant, _ zone: ImportYearTests.Zone) -> Set<Int64> {
        var times: Set<Int64> = []
        var virtual = from.seconds / 60 + zone.minutes(at: from.seconds) - 1
        var second = from.seconds
        while second < to.seconds {
            let shift = zone.minutes(at: second)
            let change = min(to.seconds, zone.offsets.map(\.from).first { $0 > second } ?? to.seconds)
            while second < change {
                let wall = second / 60 + shift
                if isWildcard {
                    if matches(wall) { times.insert(second) }
                } else if wall == virtual + 1 {
                    if matches(wall) { times.insert(second) }
                } else if wall > virtual {
                    // The clock went forward: what was skipped runs now.
                    if (virtual + 1...wall).contains(where: { matches($0) }) { times.insert(second) }
                }
                if wall > virtual { virtual = wall }
                second += 60
            }
        }
        return times
    }
}
