import Configuration
import JSON
import Schedules
import TestSupport
import Testing

@testable import botcronctl

/// What a crontab is read as: every line, with what bites in it.
@Suite struct CrontabImportTests {
    static func read(_ text: String, user: String = "ada", namesUsers: Bool? = false) -> ImportedText {
        Crontab.read(Array(text.utf8), Crontab.Reading(user: user, namesUsers: namesUsers))
    }

    /// The one job of a text; a failure where it is not taken.
    static func job(_ text: String, user: String = "ada", namesUsers: Bool? = false) throws -> ImportedJob {
        let jobs = read(text, user: user, namesUsers: namesUsers).entries.compactMap(\.job)
        try #require(jobs.count == 1, "\(jobs)")
        return jobs[0]
    }

    static func reason(_ entry: ImportEntry?) -> String? {
        if case .notTaken(let reason) = entry?.fate { reason } else { nil }
    }

    /// Midnight at the beginning of 2026.
    static let now = Instant(seconds: 1_767_225_600)
    static var reader: ConfigurationReader { ConfigurationReader(zones: ZoneDatabase(), home: "/home/ada", now: now) }

    // MARK: - Fields

    @Test(
        arguments: [
            ("0 3 * * *", "0 3 * * *"), ("*/90 * * * *", "*/60 * * * *"), ("*/90 5 * * *", "*/60 5 * * *"),
            ("0  \t9 * JAN,jul MON-Fri", "0 9 * JAN,jul MON-Fri"), ("5-50/60 * * * *", "5-50/60 * * * *"),
            ("5-50/70 * * * *", "5 * * * *"), ("0 0 */40 * *", "0 0 */31 * *"), ("0 0 * * 5-7", "0 0 * * 5-7"),
            ("@daily", "@daily"), ("@reboot", "@reboot"),
        ] as [(String, String)])
    func whatCronAndBotCronAgreeOnIsKept(_ fields: String, _ expression: String) throws {
        let job = try Self.job("\(fields) /bin/x\n")
        #expect(job.definition["cron"] == .string(expression))
        #expect(job.definition["timezone"] == "local")
        if fields != "@reboot" { #expect(job.differences == []) }
    }

    @Test(
        arguments: [
            ("0 22-4 * * *", "runs backwards"), ("3/10 * * * *", "steps on to the end"), ("0 0 L * *", "refuses \"L\""),
            ("0 0 * * 5#2", "refuses \"5#2\""), ("0 0 * * fri-sun", "runs backwards"), ("@reboot", "after a boot"),
            ("-0 3 * * *", "on record"), ("7~9 * * * *", "it is always"), ("0 H * * *", "the hour is"),
        ] as [(String, String)])
    func whatMeansSomethingElseIsSaid(_ fields: String, _ difference: String) throws {
        let job = try Self.job("\(fields) /bin/x\n")
        try #require(job.differences.count == 1, "\(job.differences)")
        #expect(job.differences[0].contains(difference), "\(job.differences)")
    }

    @Test(
        arguments: [
            ("61 * * * * x", "minute \"61\""), ("0 0 30 2 * x", "cron never runs it either"),
            ("* * * * *", "expected five fields and a command"), ("foo bar", "expected five fields and a command"),
            ("@every_minute x", "no nickname"), ("@daily", "expected a command"), ("0 0 * * MONDAY x", "\"MONDAY\""),
            ("*/0 * * * * x", "minute"), ("~~ * * * * x", "minute"), ("9~3 * * * * x", "minute"),
            ("H(3 * * * * x", "minute"), ("H/0 * * * * x", "minute"), ("* * * * * %in", "no command before the %"),
            ("CRON_TZ=Mars/Base\n* * * * * x", "Mars/Base"), ("99999999999999999999 * * * * x", "minute"),
        ] as [(String, String)])
    func whatIsNotTakenSaysWhy(_ text: String, _ reason: String) throws {
        let imported = ImportReading.checked(Self.read(text + "\n"), Self.reader)
        let found = try #require(Self.reason(imported.entries.last), "\(imported.entries)")
        #expect(found.contains(reason), "\(found)")
    }

    /// What nobody chose is the same at each import, and within its bounds.
    @Test func numbersThatNobodyChoseAreStable() throws {
        var minutes: Set<Int> = []
        for number in 0..<200 {
            let text = "10~29 H(2-5) * * H /bin/job\(number)\n*/5 H/9223372036854775807 H * * x\n"
            let jobs = Self.read(text).entries.compactMap(\.job)
            #expect(jobs == Self.read(text).entries.compactMap(\.job))
            let fields = try #require(jobs.first?.definition["cron"]?.stringValue).split(separator: " ")
            let minute = try #require(Int(fields[0]))
            let hour = try #require(Int(fields[1]))
            #expect((10...29).contains(minute) && (2...5).contains(hour))
            minutes.insert(minute)
            #expect(jobs.count == 2)
        }
        #expect(minutes.count == 20, "spread over the whole range: \(minutes)")
    }

    // MARK: - Commands

    @Test(
        arguments: [
            ("date +\\%F", "date +%F", nil), ("mail -s x%Hello%%you\\%", "mail -s x", "Hello\n\nyou%\n"),
            ("cat%a\\b%", "cat", "a\\b\n"), ("echo a\\\\b", "echo a\\b", nil),
            ("echo \\n \\\\%in", "echo \\n \\", "in\n"),
            ("x%", "x", nil), ("echo a\\", "echo a\\", nil), ("echo 'a  b' # c", "echo 'a  b' # c", nil),
        ] as [(String, String, String?)])
    func percentSignsEndTheCommand(_ text: String, _ command: String, _ input: String?) throws {
        let job = try Self.job("* * * * * \(text)\n")
        #expect(job.definition["command"] == .string(command))
        #expect(job.definition["stdin"]?.stringValue == input)
    }

    // MARK: - Variables

    @Test func variablesCountForTheLinesBelowThem() throws {
        let imported = Self.read(
            """
            0 1 * * * one
            SHELL = /bin/bash
            PATH="/opt/bin:/usr/bin"
            'A B' = ' spaced '
            EMPTY=""
            MAILTO=ada@example.org
            0 2 * * * two
            CRON_TZ=America/New_York
            A=1
            LOGNAME=eve
            0 3 * * * three

            """)
        let jobs = imported.entries.compactMap(\.job)
        try #require(jobs.count == 3)
        #expect(jobs[0].definition["environment"] == ["SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"])
        #expect(jobs[0].definition["command"] == "one" && jobs[0].differences == [])
        #expect(
            jobs[1].definition["environment"] == [
                "SHELL": "/bin/bash", "PATH": "/opt/bin:/usr/bin", "A B": " spaced ", "EMPTY": "",
                "MAILTO": "ada@example.org",
            ])
        #expect(jobs[1].definition["command"] == ["/bin/bash", "-c", "two"])
        #expect(jobs[1].differences == ["what it writes is not mailed to ada@example.org"])
        #expect(jobs[2].definition["timezone"] == "America/New_York" && jobs[1].definition["timezone"] == "local")
        #expect(jobs[2].definition["environment"]?["LOGNAME"] == nil)
        #expect(imported.entries.count == 11, "every line is reported")
    }

    @Test(
        arguments: [
            ("A=1", "A", "1"), ("A = 1 2 ", "A", "1 2"), ("A='1 2 '", "A", "1 2 "), ("\"A\"=x#y", "A", "x#y"),
            ("MAILTO=", "MAILTO", ""), ("P=$HOME/bin", "P", "$HOME/bin"),
        ] as [(String, String, String)])
    func aVariableIsReadAsCronReadsIt(_ line: String, _ name: String, _ value: String) {
        #expect(CrontabSetting(line) == CrontabSetting(name: name, value: value))
    }

    @Test(arguments: ["0 3 * * * A=1 x", "A B=1", "=1", "A='1", "A='1' x", "foo"])
    func whatIsNoVariableIsALine(_ line: String) {
        #expect(CrontabSetting(line) == nil)
    }

    @Test func theHomeOfACrontabIsItsFolder() throws {
        let job = try Self.job("HOME=/srv/data\n* * * * * x\n")
        #expect(job.definition["working_directory"] == "/srv/data")
    }

    // MARK: - Comments

    @Test func aCommentRightAboveIsTheTitle() throws {
        let text = """
            # Edit this file to introduce tasks to be run by cron.
            #
            # m h  dom mon dow   command
            0 1 * * * first
            # Nightly backup
            # to the NAS
            0 2 * * * backup
            # Alone

            0 3 * * * third
            #0 4 * * * off
            0 5 * * * fifth

            """
        let imported = Self.read(text)
        let jobs = imported.entries.compactMap(\.job)
        #expect(jobs.map { $0.definition["title"]?.stringValue } == [nil, "Nightly backup", nil, nil])
        #expect(jobs.map { $0.definition["description"]?.stringValue } == [nil, "to the NAS", nil, nil])
        let notes = imported.entries.compactMap { entry in
            if case .noted(let note) = entry.fate { "\(entry.place): \(note)" } else { nil }
        }
        #expect(
            notes == [
                "lines 1–3: comments", "lines 5–6: the title of line 7", "line 8: a comment",
                "line 11: a comment: a line that is off",
            ])
    }

    // MARK: - Users

    @Test func aSystemCrontabIsToldFromAUsers() throws {
        let text = "17 * * * * root cd / && run-parts /etc/cron.hourly\n@daily ada /usr/bin/mine\n"
        let entries = Self.read(text, namesUsers: nil).entries
        #expect(Self.reason(entries[0]) == "it runs as root, and BotCron runs the jobs of one user, who is ada")
        #expect(entries[1].job?.definition["command"] == "/usr/bin/mine")
        // A program that has the name of an account is no user.
        let own = Self.read("0 5 * * * backup /home\n", namesUsers: nil)
        #expect(own.entries[0].job?.definition["command"] == "backup /home")
        #expect(Self.read("0 5 * * * root\n", namesUsers: nil).entries[0].job?.definition["command"] == "root")
    }

    // MARK: - Names

    @Test(
        arguments: [
            ("cd /srv && nice -n 10 /usr/local/bin/backup.sh --all >/dev/null 2>&1", "backup"),
            ("test -x /usr/sbin/anacron || ( cd / && run-parts --report /etc/cron.daily )", "run-parts"),
            ("python3 /opt/tool.py", "tool"), ("A=1 B=2 env C=3 flock -n /tmp/lock /opt/sync", "sync"),
            ("timeout 60 curl -s https://example.org", "curl"), ("/bin/bash -c 'x'", "bash"),
            ("[ -f /x ] && /opt/é/größe", "gr-e"), ("\"/opt/my prog/run\"", "my"), ("(:)", "job"),
        ] as [(String, String)])
    func aJobIsCalledAfterItsProgram(_ command: String, _ name: String) throws {
        #expect(try Self.job("* * * * * \(command)\n").name == name)
    }

    @Test func namesAreUniqueAndStayWhatTheyWere() throws {
        let one = try Self.job("1 * * * * x\n")
        let two = try Self.job("2 * * * * x\n")
        let three = try Self.job("3 * * * * x\n")
        func plan(_ jobs: [ImportedJob], _ known: [(String, ImportedJob?)]) -> [String] {
            ImportPlan(
                jobs, among: known.map { ImportPlan.Known(name: $0.0, definition: $0.1?.definition.named($0.0)) }
            )
            .steps.map { "\($0.name) \($0.step)" }
        }
        #expect(plan([one, two], []) == ["x new", "x-2 new"])
        let known = [("x", one), ("x-2", two)] as [(String, ImportedJob?)]
        #expect(plan([one, two], known) == ["x alreadyThere", "x-2 alreadyThere"])
        #expect(plan([two, one], known) == ["x-2 alreadyThere", "x alreadyThere"])
        #expect(plan([three, one, two], known) == ["x-3 new", "x alreadyThere", "x-2 alreadyThere"])
        #expect(plan([three, two], known) == ["x changed", "x-2 alreadyThere"])
        // Twice the same line is two jobs, as it is to cron.
        #expect(plan([one, one], known) == ["x alreadyThere", "x-2 changed"])
        // Somebody's own job is never meant.
        #expect(plan([three], [("x", nil)]) == ["x-2 new"])
    }

    // MARK: - Bytes

    @Test func linesThatAreNoTextAreSaidToBe() {
        let bytes =
            Array("* * * * * a\u{0}b\n* * * * * ".utf8) + [0xFF, 0x0A] + Array("* * * * * c\r\n* * * * * d".utf8)
        let entries = Crontab.read(bytes, Crontab.Reading(user: "ada", namesUsers: false)).entries
        #expect(Self.reason(entries[0]) == "it is no UTF-8 text" && Self.reason(entries[1]) == "it is no UTF-8 text")
        #expect(entries[2].job?.definition["command"] == "c" && entries[2].job?.differences.count == 1)
        #expect(entries[3].job?.differences == ["cron refuses a crontab whose last line does not end"])
    }

    /// Whatever the bytes, each line is reported, and what is taken is a job that the daemon takes.
    @Test func noBytesAreTooMuch() throws {
        let reader = Self.reader
        var random = SeededGenerator(seed: 20_260_329)
        let alphabet = Array("0123456789*/,-~HL#W@ \t%\\'\"=abAB\r\n\n :&|;()$é".utf8)
        for round in 0..<400 {
            let count = Int.random(in: 0..<200, using: &random)
            let bytes = (0..<count).map { _ in
                round % 4 == 0 ? UInt8.random(in: 0...255, using: &random) : alphabet.randomElement(using: &random) ?? 0
            }
            for namesUsers in [true, false, nil] {
                let reading = Crontab.Reading(user: "a", namesUsers: namesUsers)
                let imported = Crontab.read(bytes, reading)
                let checked = ImportReading.checked(imported, reader)
                let report = ImportReport(
                    format: .crontab, origin: "x", rows: checked.entries.map { ImportReport.Row(entry: $0) },
                    remarks: [])
                #expect(report.lines(width: 1).count >= checked.entries.count)
                let lines = Set(checked.entries.flatMap(\.lines))
                for (index, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
                    let isBlank = line.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
                    #expect(isBlank || lines.contains(index + 1), "line \(index + 1) of \(bytes)")
                }
                _ = SystemdTimer.read(UnitFile.all(in: String(decoding: bytes, as: UTF8.self), named: "a.timer"))
                _ = AtJob.read(bytes, AtJob.Label(name: "a", at: Self.now + .seconds(9)), user: 0, now: Self.now)
            }
        }
    }
}
