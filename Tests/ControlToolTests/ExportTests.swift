import Configuration
import JSON
import Schedules
import Scheduling
import TestSupport
import Testing

@testable import botcronctl

/// Jobs as crontabs and units.
@Suite struct ExportTests {
    private static let berlin = "Europe/Berlin"

    private func exported(_ definition: JSONValue) throws -> ExportedJob {
        let object = try #require(definition.objectValue)
        var configuration = Configuration(timezone: try ZoneDatabase().zone(named: Self.berlin))
        configuration.allowsPastEvents = true
        let job = try CrontabImportTests.reader.readJob(definition, origin: .bus, in: configuration, isNew: true)
        return ExportedJob(job: job, definition: object)
    }

    private func crontab(_ definitions: [JSONValue]) throws -> String {
        CrontabText.text(of: try definitions.map(exported), zone: try ZoneDatabase().zone(named: Self.berlin))
    }

    private func units(_ definitions: [JSONValue]) throws -> String {
        UnitText.text(of: try definitions.map(exported), zone: try ZoneDatabase().zone(named: Self.berlin))
    }

    private static let jobs: [JSONValue] = [
        ["name": "plain", "title": "A title", "description": "and\nmore", "cron": "0 3 * * *", "command": "echo 100%"],
        [
            "name": "argv", "cron": "0 30 2 * * MON-FRI", "command": ["/bin/echo", "it's", "a b", ""],
            "stdin": "x%\ny\n",
        ],
        [
            "name": "set", "cron": "*/5 * * * *", "command": "env", "environment": ["A": "b c", "Q": "'\""],
            "retry": ["max_attempts": 3], "jitter": "30s",
        ],
        [
            "name": "folder", "cron": "@daily", "command": "ls", "working_directory": "~/my dir",
            "environment": ["A": "1"],
        ],
        ["name": "far", "cron": "@hourly", "timezone": "Asia/Tokyo", "command": ["true"]],
        [
            "name": "after-far", "cron": "@weekly", "command": ["/bin/bash", "-c", "x"],
            "environment": ["SHELL": "/bin/bash"],
        ],
        ["name": "last-day", "cron": "0 0 L * *", "command": "x"],
        ["name": "often", "interval": "90m", "command": "x"],
        ["name": "civil", "interval": "1d", "command": "x"],
        ["name": "once", "once": "2026-12-25T09:00:00Z", "command": "x"],
        ["name": "event", "calendar": "Mon..Fri 09:00", "command": "x", "wake_system": true, "catchup_policy": "none"],
        ["name": "by-hand", "command": "x"],
        ["name": "lines", "cron": "@daily", "command": "a\nb"],
        ["name": "skill", "cron": "@daily", "skill": "review"],
        ["name": "off", "cron": "@monthly", "command": "x", "enabled": false],
        [
            "name": "unit", "calendar": "daily",
            "command": ["systemctl", "--user", "start", "--wait", "backup.service"],
        ],
        ["name": "boot", "cron": "@reboot", "command": ["sleep", "5"], "timeout": 0],
        ["name": "either", "cron": "0 12 13 * FRI", "command": ["/x", "$HOME", "%h", "a\\b\"c"]],
    ]

    @Test func aCrontabSaysWhatItCanAndNamesTheRest() throws {
        let text = try crontab(Self.jobs)
        try Golden.expect(text, "export-crontab.txt")
        for job in Self.jobs {
            let name = job.text("name")
            let hasLine = text.split(separator: "\n").contains { $0.hasPrefix("# \(name): ") }
            #expect(hasLine == Self.notInCrontabs.contains(name), "\(name)")
        }
        // What is written is read: every line that is no comment is a job without a difference.
        for entry in CrontabImportTests.read(text).entries {
            #expect(CrontabImportTests.reason(entry) == nil, "\(entry)")
            #expect(entry.job?.differences ?? [] == [] || entry.job?.definition["cron"] == "@reboot", "\(entry)")
        }
    }

    /// A name of a variable is somebody's text, too.
    @Test func nothingSlipsALineIntoACrontab() throws {
        let text = try crontab([
            ["name": "a", "cron": "@daily", "command": "x", "environment": ["X\n* * * * * evil #": "1"]],
            [
                "name": "b", "cron": "@daily", "command": "x", "title": "t\n* * * * * evil",
                "description": "d\r\n* * * * * evil",
            ],
            ["name": "c", "cron": "@daily", "command": "x", "working_directory": "/a\n* * * * * evil"],
            ["name": "d", "cron": "@daily", "command": "x", "stdin": "\n* * * * * evil\n"],
        ])
        let jobs = CrontabImportTests.read(text).entries.compactMap(\.job)
        #expect(jobs.map { $0.definition["command"] } == ["x", "x"], "\(text)")
    }

    private static let notInCrontabs: Set<String> = [
        "set", "last-day", "often", "civil", "once", "event", "by-hand", "lines", "skill", "unit",
    ]

    @Test func unitsSayWhatTheyCanAndNameTheRest() throws {
        let text = try units(Self.jobs)
        try Golden.expect(text, "export-systemd.txt")
        let units = UnitFile.all(in: text, named: "x").filter { $0.path.hasPrefix("~/") }
        let imported = ImportReading.checked(SystemdTimer.read(units), CrontabImportTests.reader)
        let taken = imported.entries.compactMap(\.job).map(\.name)
        let left = Set(Self.jobs.map { $0.text("name") }).subtracting(taken)
        #expect(left == ["last-day", "civil", "by-hand", "skill"])
    }

    /// By systemd's own judgement.
    @Test func systemdTakesTheUnits() throws {
        let stage = try Stage(nil)
        let programs: [JSONValue] = [
            [
                "name": "a", "cron": "15 2 13 * FRI", "command": "echo \"100%\" $HOME; exit 3",
                "title": "50% of a title",
            ],
            [
                "name": "b", "interval": "90m", "command": ["/bin/echo", "$A", "%h", "a\\b\"c", ""],
                "stdin": "in%\nput\n",
                "environment": ["A": "b c%", "Q": "'\""], "working_directory": "~/x", "success_exit_codes": [0, 3],
            ],
            ["name": "c", "once": "2026-12-25T09:00:00Z", "command": ["true"], "jitter": "90s", "wake_system": true],
            ["name": "d", "cron": "@reboot", "command": ["/bin/sleep", "5"]],
        ]
        let units = UnitFile.all(in: try units(programs), named: "x").filter { $0.path.hasPrefix("~/") }
        #expect(units.count == 8)
        var paths: [String] = []
        for part in try self.units(programs).split(separator: "\n# ~/.config/systemd/user/") {
            guard let name = part.split(separator: "\n").first, name.hasSuffix(".timer") || name.hasSuffix(".service")
            else {
                continue
            }
            let file = String(name.split(separator: "/").last ?? name)
            try stage.write(String(part.drop { $0 != "\n" }), to: file)
            paths.append(stage.path(file))
        }
        #expect(paths.count == 8)
        let outcome = try TestProgram(
            ["systemd-analyze", "verify", "--user"] + paths,
            environment: stage.environment + ["XDG_RUNTIME_DIR=\(stage.folder)"]
        ).finish()
        #expect(outcome == TestProgram.Outcome(code: 0, output: "", errors: ""))
    }

    // MARK: - Calendar events

    /// Where no clock changes a cron expression and its events are the same instants.
    @Test(arguments: [
        "0 3 * * *", "*/7 1-5/2 * * *", "30 2 */3 * MON", "0 12 13 * 5", "15 4 1,15 JAN-MAR,oct *", "0 0 * * 5-7",
        "50-10/7 22-4 28-3 * *", "1 1 1/10 */5 1/2", "0 30 2 * * FRI-MON", "@monthly", "59 23 31 * 0",
    ])
    func eventsAreTheInstantsOfTheExpression(_ expression: String) throws {
        let events = try #require(UnitText.calendar(expression))
        let (begin, end) = (Instant(seconds: 1_767_225_600), Instant(seconds: 1_767_225_600 + 400 * 86_400))
        func instants(_ schedule: Schedule) throws -> [Instant] {
            let timetable = try Timetable(schedule: schedule, zone: .utc, anchor: begin)
            var instants: [Instant] = []
            while let next = timetable.next(after: instants.last ?? begin), next < end { instants.append(next) }
            return instants
        }
        let ours = Set(try events.flatMap { try instants(try Schedule.calendar($0, zones: { _ in nil })) })
        let theirs = try instants(try Schedule.cron(expression))
        #expect(!theirs.isEmpty && ours == Set(theirs), "\(events)")
    }

    // MARK: - Commands

    @Test(
        arguments: [
            ("echo 100%", nil), ("a\\%b", nil), ("a\\\\b \\n", nil), ("x", "in\nput\n"), ("x", "no end"),
            ("x\\", "50%\n"),
            ("x", "a\\b\n"), ("x", ""), ("x", "\n"), ("x", "a\\%\\\n"), ("\\\\%%\\", "%%\n\n"),
        ] as [(String, String?)])
    func whatIsEscapedIsReadBack(_ command: String, _ input: String?) throws {
        let text = try #require(CrontabText.escaped(command, input: input))
        let read = CrontabCommand(text)
        #expect(read.text == command)
        #expect((read.input ?? "").trimmingEnd == (input ?? "").trimmingEnd)
    }

    @Test func whatHasNoSpellingIsNotWritten() {
        #expect(CrontabText.escaped("a\nb", input: nil) == nil && CrontabText.escaped("x", input: "a\\\nb") == nil)
        #expect(CrontabText.escaped(" ", input: nil) == nil)
    }
}

extension String {
    /// Without one line's end, which cron adds.
    fileprivate var trimmingEnd: Substring { hasSuffix("\n") ? dropLast() : self[...] }
}
