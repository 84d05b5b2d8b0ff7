import Configuration
import JSON
import Schedules
import TestSupport
import Testing

@testable import botcronctl

/// What timers of systemd are read as, with their services.
@Suite struct SystemdImportTests {
    private func read(_ text: String, named name: String = "backup.timer") -> ImportedText {
        ImportReading.checked(SystemdTimer.read(UnitFile.all(in: text, named: name)), CrontabImportTests.reader)
    }

    private func job(_ text: String) throws -> ImportedJob {
        let imported = read(text)
        return try #require(imported.entries.first?.job, "\(imported.entries)")
    }

    @Test func aTimerStartsItsUnitAndWaitsForIt() throws {
        let job = try job(
            """
            # /home/ada/.config/systemd/user/backup.timer
            [Unit]
            Description=Nightly backup
            Documentation=man:backup(1)
            [Timer]
            OnCalendar=daily
            OnCalendar=Mon 12:00
            Persistent=yes
            WakeSystem=true
            RandomizedDelaySec=1h 30min
            [Install]
            WantedBy=timers.target

            # /home/ada/.config/systemd/user/backup.service
            [Unit]
            ConditionACPower=true
            [Service]
            Type=oneshot
            ExecStart=/usr/bin/backup
            """)
        #expect(
            job.definition == [
                "title": "Nightly backup", "description": "Documentation: man:backup(1)", "tags": ["systemd"],
                "schedules": [["calendar": "daily"], ["calendar": "Mon 12:00"]], "timezone": "local",
                "dst": ["gap": "skip"], "jitter": "1h30m",
                "command": ["systemctl", "--user", "start", "--wait", "backup.service"], "timeout": 0, "retry": false,
                "catchup_policy": "latest", "catchup_window": "366d", "wake_system": true,
            ])
        try #require(job.differences.count == 1, "\(job.differences)")
        #expect(job.differences[0].contains("always has the same delay"))
        #expect(job.name == "backup")
    }

    @Test(
        arguments: [
            ("[Service]\nExecStart=/usr/bin/x a 'b c' \"d\"", ["/usr/bin/x", "a", "b c", "d"]),
            ("[Unit]\nDescription=x\n[Service]\nType=exec\nExecStart=/x \\\n  y", ["/x", "y"]),
            ("[Service]\nExecStart=/x\nExecStart=\nExecStart=/y", ["/y"]),
            ("[Service]\nExecStart=-/x", nil), ("[Service]\nExecStart=/x $A", nil), ("[Service]\nExecStart=/x %h", nil),
            ("[Service]\nExecStart=/x\nExecStart=/y", nil), ("[Service]\nExecStart=/x\nExecStartPre=/y", nil),
            ("[Service]\nExecStart=x", nil), ("[Service]\nExecStart=/x\nNice=5", nil),
            ("[Service]\nType=forking\nExecStart=/x", nil),
            ("[Unit]\nAfter=y.service\n[Service]\nExecStart=/x", nil), ("[Service]\nExecStart=/x 'a'b", nil),
            ("[Service]\nExecStart=/x ; /y", nil), ("[Service]\nUser=root\nExecStart=/x", nil),
        ] as [(String, [String]?)])
    func aServiceThatOnlyRunsAProgramIsThatProgram(_ service: String, _ arguments: [String]?) throws {
        #expect(SystemdService(UnitFile(name: "x.service", service))?.arguments == arguments)
        let job = try job("# /x/backup.timer\n[Timer]\nOnCalendar=daily\n# /x/backup.service\n\(service)\n")
        let start = ["systemctl", "--user", "start", "--wait", "backup.service"]
        #expect(job.definition["command"]?.arrayValue?.compactMap(\.stringValue) == arguments ?? start)
    }

    @Test func variablesAndFolderOfAServiceAreTheJobs() throws {
        let job = try job(
            """
            # /x/backup.timer
            [Timer]
            OnCalendar=daily
            # /x/backup.service
            [Service]
            ExecStart=/usr/bin/x
            Environment=A=1 "B=2 3"
            Environment=C=
            WorkingDirectory=/srv
            """)
        #expect(job.definition["environment"] == ["A": "1", "B": "2 3", "C": ""])
        #expect(job.definition["working_directory"] == "/srv")
    }

    @Test(
        arguments: [
            (
                "OnBootSec=15min\nOnUnitActiveSec=1d", [["cron": "@reboot"], ["interval": "24h"]],
                ["without that delay", "last start"]
            ),
            ("OnUnitInactiveSec=90", [["interval": "1m30s"]], ["last end"]),
            ("OnStartupSec=1h\nOnActiveSec=5", [["cron": "@reboot"]], ["OnStartupSec=1h", "OnActiveSec=5"]),
            ("OnCalendar=daily\nOnClockChange=yes", [["calendar": "daily"]], ["a clock that is set", "in a sleep"]),
            ("OnCalendar=daily\nAccuracySec=1h\nPersistent=1", [["calendar": "daily"]], ["on time"]),
            ("OnCalendar=daily\nPersistent=1\nFoo=bar", [["calendar": "daily"]], ["Foo=bar is not understood"]),
            ("OnCalendar=*:0/5\nPersistent=1", [["calendar": "*:0/5"]], ["an hour that the clock repeats"]),
        ] as [(String, [JSONValue], [String])])
    func whatSystemdDoesOtherwiseIsSaid(_ timer: String, _ schedules: [JSONValue], _ differences: [String]) throws {
        let job = try job("# /x/backup.timer\n[Timer]\n\(timer)\n# /x/backup.service\n[Service]\nExecStart=/x\n")
        let single: JSONObject = JSONObject(
            job.definition.filter { ["cron", "interval", "calendar"].contains($0.key) }.map { ($0.key, $0.value) })
        #expect(job.definition["schedules"]?.arrayValue ?? [.object(single)] == schedules)
        try #require(job.differences.count == differences.count, "\(job.differences)")
        for (said, expected) in zip(job.differences, differences) { #expect(said.contains(expected), "\(said)") }
    }

    @Test func conditionsOfATimerAreWaitedFor() throws {
        let job = try job(
            """
            [Unit]
            ConditionACPower=true
            ConditionPathExists=/srv/mounted
            ConditionPathExists=!/etc/nologin
            Requires=x.service
            [Timer]
            OnCalendar=daily
            Persistent=true
            """)
        #expect(job.definition["conditions"] == ["ac_power": true, "path_exists": "/srv/mounted"])
        #expect(job.differences.count == 5, "\(job.differences)")
        #expect(
            job.differences.contains { $0.hasPrefix("ConditionPathExists=!/etc/nologin of the timer is not looked") })
        #expect(job.differences.contains { $0.contains("was not at hand") })
    }

    @Test(
        arguments: [
            ("[Timer]\nPersistent=true", "does not say when"), ("[Timer]\nOnUnitActiveSec=10ms", "a second or longer"),
            ("[Timer]\nOnBootSec=soon", "no length of time"),
            ("[Timer]\nOnUnitActiveSec=infinity", "no length of time"),
            ("[Timer]\nOnCalendar=Sat..Mon 9:00", "no job can be made of it"),
            ("[Timer]\nOnCalendar=daily\nUnit=x@%i.service", "only systemd can fill that in"),
            ("[Timer]\nOnCalendar=*-02-30", "no job can be made of it"),
        ] as [(String, String)])
    func whatIsNotTakenSaysWhy(_ timer: String, _ reason: String) throws {
        let found = try #require(CrontabImportTests.reason(read(timer).entries.first))
        #expect(found.contains(reason), "\(found)")
    }

    @Test func linesEndAsTheyLike() throws {
        let text =
            "# /x/backup.timer\r\n[Timer]\r\nOnCalendar=daily\r\nPersistent=1\r\n# /x/backup.service\r\n[Service]\r\nExecStart=/x\r\nRemainAfterExit=yes\r\n"
        let job = try job(text)
        #expect(job.definition["calendar"] == "daily" && job.definition["catchup_policy"] == "latest")
        #expect(job.differences == ["RemainAfterExit=yes: the run goes on as long as the unit counts as active"])
    }

    @Test func templatesAndServicesAloneAreNotTaken() throws {
        let template = SystemdTimer.read([UnitFile(name: "dump@.timer", "[Timer]\nOnCalendar=daily")])
        #expect(try #require(CrontabImportTests.reason(template.entries.first)).contains("dump@NAME.timer"))
        let unnamed = read("[Timer]\nOnCalendar=daily\n", named: SystemdTimer.unnamed)
        #expect(try #require(CrontabImportTests.reason(unnamed.entries.first)).contains("by its name alone"))
        let named = read("[Timer]\nOnCalendar=daily\nUnit=x.service\n", named: SystemdTimer.unnamed)
        #expect(named.entries.first?.job?.name == "job")
        let service = SystemdTimer.read([UnitFile(name: "x.service", "[Service]\nExecStart=/x")])
        #expect(try #require(CrontabImportTests.reason(service.entries.first)).contains("no timer starts it"))
    }

    @Test func aUnitOfTheSystemIsStartedThere() throws {
        let timer = UnitFile(
            name: "fstrim.timer", path: "/usr/lib/systemd/system/fstrim.timer",
            "[Timer]\nOnCalendar=weekly\nPersistent=1")
        let job = try #require(SystemdTimer.read([timer]).entries.first?.job)
        #expect(job.definition["command"] == ["systemctl", "start", "--wait", "fstrim.service"])
        #expect(job.differences.contains { $0.contains("where polkit lets them") })
    }

    @Test func aUnitIsReadAsSystemdReadsIt() {
        let unit = UnitFile(
            name: "a.timer", "; x\n[Timer]\nA = 1 \\\n# in between\n  2 \\\n\nB=\nC=x=y\nstray\n[X]\nA=3\\")
        #expect(
            unit.settings.map { "\($0.section).\($0.key)=\($0.value)" } == [
                "Timer.A=1 2", "Timer.B=", "Timer.C=x=y", "X.A=3",
            ])
        #expect(unit.strayLines == [9])
    }

    @Test(
        arguments: [
            ("90", 90), ("1h 30min", 5_400), ("1.5h", 5_400), ("2weeks", 1_209_600), ("1M", 2_629_800),
            ("1y", 31_557_600),
            ("1d2h3m4s", 93_784), ("500ms 500ms", 1), ("0", 0), ("infinity", nil), ("", nil), ("5 fortnights", nil),
            ("-5", nil), ("1..5s", nil), ("999999999y", nil),
        ] as [(String, Int64?)])
    func aSpanIsAsLongAsSystemdSays(_ text: String, _ seconds: Int64?) throws {
        #expect(SystemdSpan(text)?.microseconds == seconds.map { $0 * 1_000_000 })
        guard let span = SystemdSpan(text) else { return }
        #expect(try Schedule.parseDuration(span.text) == .seconds(span.microseconds / 1_000_000))
    }
}

/// What jobs of at are read as.
@Suite struct AtImportTests {
    /// As at 3.2.5 of Debian writes it.
    private static let script = """
        #!/bin/sh
        # atrun uid=1000 gid=1000
        # mail ada 0
        umask 22
        LANG=C.UTF-8; export LANG
        PATH=/usr/bin:/bin; export PATH
        GREETING=two\\ words\\ and\\ a\\ \\"quote\\"; export GREETING
        LINES2=a"
        "b; export LINES2
        UMLAUT=Gr\\BYTE\\BYTE; export UMLAUT
        cd /home/ada/my\\ folder || {
        \t echo 'Execution directory inaccessible' >&2
        \t exit 1
        }
        cd sub && /usr/local/bin/report.sh
        echo "$GREETING"

        """

    /// `ö` in two bytes with a backslash before each: at looks at bytes.
    private static func bytes(_ script: String) -> [UInt8] {
        var bytes = Array(script.utf8)
        for byte: UInt8 in [0xC3, 0xB6] {
            if let range = bytes.firstRange(of: Array("BYTE".utf8)) { bytes.replaceSubrange(range, with: [byte]) }
        }
        return bytes
    }

    private func fate(_ script: String, at: Int64? = 60, queue: Character = "a", user: UInt32 = 1000) -> ImportEntry {
        let label = AtJob.Label(name: "job 7", at: at.map { CrontabImportTests.now + .seconds($0) }, queue: queue)
        let imported = AtJob.read(Self.bytes(script), label, user: user, now: CrontabImportTests.now)
        return ImportReading.checked(imported, CrontabImportTests.reader).entries[0]
    }

    @Test func aJobHasItsEnvironmentFolderAndInput() throws {
        let job = try #require(fate(Self.script).job, "\(fate(Self.script))")
        #expect(
            job.definition == [
                "tags": ["at"], "once": "2026-01-01T00:01:00+00:00", "command": ["/bin/sh"],
                "stdin": "umask 22\ncd sub && /usr/local/bin/report.sh\necho \"$GREETING\"\n",
                "working_directory": "/home/ada/my folder", "clean_environment": true,
                "environment": [
                    "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "GREETING": "two words and a \"quote\"",
                    "LINES2": "a\nb",
                    "UMLAUT": "Grö",
                ], "timeout": 0, "retry": false, "catchup_policy": "latest",
                "catchup_window": "366d",
            ])
        #expect(job.name == "report")
    }

    @Test func anotherBuildGivesTheCommandsToTheUsersShell() throws {
        let script =
            Self.script.replacing("cd sub", with: "${SHELL:-/bin/sh} << 'marcinDELIMITER1f'\ncd sub")
            .replacing("LANG=C", with: "SHELL=/bin/bash; export SHELL\nLANG=C") + "marcinDELIMITER1f\n"
        let job = try #require(fate(script).job)
        #expect(job.definition["command"] == ["/bin/bash"])
        #expect(job.definition["stdin"]?.stringValue?.hasSuffix("echo \"$GREETING\"\n") == true)
    }

    @Test func whatIsNotTakenSaysWhy() {
        for (entry, reason) in [
            (fate(Self.script, at: nil), "--at"), (fate(Self.script, at: -1), "has passed"),
            (fate("echo hello\n"), "as at -c prints it"), (fate(Self.script, user: 5), "of the number 1000"),
            (fate(String(Self.script.prefix(200))), "as at -c prints it"),
        ] {
            #expect(CrontabImportTests.reason(entry)?.contains(reason) == true, "\(entry)")
        }
        #expect(fate(Self.script, queue: "b").job?.differences.count == 2)
    }

    @Test func theSpoolAndTheQueueSayWhen() {
        let label = AtJob.label(ofSpoolFile: "a0000301c2f5b4")
        #expect(label?.name == "job 3" && label?.at == Instant(seconds: 0x01c2_f5b4 * 60) && label?.queue == "a")
        for name in ["a0000301c2f5b", "=.SEQ", "a0000301c2f5bg", "job"] {
            #expect(AtJob.label(ofSpoolFile: name) == nil)
        }
        let labels = AtJob.labels(inQueue: "3\tThu Jan  1 13:05:00 2026 a ada\n12\tMon Feb 29 13:05:00 2026 b ada\nx\n")
        #expect(labels.map(\.number) == [3, 12])
        #expect(labels[0].label.at == Instant(seconds: 1_767_272_700) && labels[1].label.at == nil)
    }
}
