import JSON
import TestSupport
import Testing

@testable import botcronctl

/// `import` and `export`, by the real program and with the real daemon.
@Suite struct ImportVerbTests {
    private static let crontab = """
        # m h  dom mon dow   command
        SHELL=/bin/bash
        MAILTO=ada@example.org

        # Nightly backup
        0 3 * * * cd /srv && nice -n 10 /usr/local/bin/backup.sh --all --quiet --target /mnt/nas >/dev/null 2>&1
        */90 * * * * date +\\%F%line one%line\\%two
        @reboot sleep 10; start-things
        5~30 H(0-7) * * * spread
        CRON_TZ=America/New_York
        30 2 * * mon-fri report
        61 * * * * wrong
        #0 5 * * * off

        """

    /// What a person sees on a terminal of the usual width.
    @Test func theReportFitsATerminal() throws {
        let imported = CrontabImportTests.read(Self.crontab)
        let steps = ImportPlan(imported.entries.compactMap(\.job), among: []).steps
        var outcomes: [ImportReport.Outcome] = [.added, .alreadyThere, .changed, .replaced, .refused(reason: "no")]
        var names = steps[...]
        let rows = imported.entries.map { entry in
            entry.job == nil
                ? ImportReport.Row(entry: entry)
                : ImportReport.Row(entry: entry, name: names.removeFirst().name, outcome: outcomes.removeFirst())
        }
        var report = ImportReport(format: .crontab, origin: "crontab.txt", rows: rows, remarks: imported.remarks)
        let text = report.lines(width: 80).map(\.text).joined(separator: "\n") + "\n"
        for line in text.split(separator: "\n") { #expect(cellWidth(String(line)) <= 80, "\(line)") }
        try Golden.expect(text, "import.txt")
        #expect(!report.isComplete)
        report.rows.removeAll { $0.outcome == .changed || $0.entry.place == "line 12" }
        #expect(!report.isComplete, "one is refused")
        report.rows.removeAll { $0.outcome == .refused(reason: "no") }
        #expect(report.isComplete)
        #expect(report.lines(width: nil).count < text.split(separator: "\n").count)
    }

    /// Text of a crontab cannot steer a terminal.
    @Test func foreignTextIsCleaned() {
        let imported = CrontabImportTests.read(
            "MAILTO=\u{1B}[31m\n# \u{1B}]0;x\u{7}\n* * * * * \u{1B}[2Jecho\n\u{1B}c\n")
        let rows = imported.entries.map { ImportReport.Row(entry: $0) }
        let report = ImportReport(format: .crontab, origin: "\u{1B}c", rows: rows, remarks: [])
        for line in report.lines(width: 80) { #expect(!line.text.unicodeScalars.contains("\u{1B}")) }
    }

    @Test func aDryRunAsksNoDaemon() throws {
        let stage = try Stage(nil)
        try stage.write(Self.crontab, to: "crontab")
        let outcome = try stage.control("import", "crontab", stage.path("crontab"), "--dry-run", "--json")
        #expect(outcome.code == 1 && outcome.errors.isEmpty, "\(outcome)")
        let report = try JSONValue(parsing: outcome.output)
        let lines = try #require(report["lines"]?.arrayValue)
        #expect(lines.compactMap { $0["result"]?.stringValue } == Array(repeating: "would_be_added", count: 5))
        #expect(lines.count { $0["outcome"] == "not_taken" } == 1 && report["complete"] == false)
        let good = try stage.shell("echo '* * * * * x' | \(TestPlace.built("botcronctl")) import crontab - --dry-run")
        #expect(good.code == 0, "\(good)")
    }

    @Test(arguments: [
        (["import", "cron", "x"], "found \"cron\", expected crontab, systemd or at"),
        (["import", "crontab"], "import crontab needs FILE, - or --mine"),
        (["import", "crontab", "x", "--mine"], "a file and --mine: one of them"),
        (["import", "systemd", "x", "--comment-out"], "--comment-out is for crontabs"),
        (["import", "crontab", "-", "--comment-out"], "--comment-out: standard input cannot be written"),
        (["import", "systemd", "/nowhere"], "/nowhere: expected a .timer, or a folder with some"),
        (["import", "at", "/dev/null", "--at", "soon", "--dry-run"], "--at: "),
        (["export", "--crontab", "--systemd"], "--crontab and --systemd: one of them"),
    ])
    func wrongUsageIsSaid(_ arguments: [String], _ message: String) throws {
        let outcome = try TestProgram.run(
            [TestPlace.built("botcronctl")] + arguments, environment: ["PATH=/usr/bin:/bin", "HOME=/nowhere"])
        #expect(outcome.code == 64 && outcome.errors.hasPrefix("botcronctl: \(message)"), "\(outcome)")
    }

    // MARK: - With a daemon

    private func definitions(_ stage: Stage) throws -> JSONValue {
        try JSONValue(parsing: stage.control("export", "--json").output)
    }

    private func results(_ outcome: TestProgram.Outcome) throws -> [String] {
        let lines = try JSONValue(parsing: outcome.output)["lines"]?.arrayValue ?? []
        return lines.compactMap { line in
            line["result"]?.stringValue.map { "\(line.text("job")) \($0)" }
        }
    }

    @Test func aSecondImportChangesNothing() throws {
        let stage = try Stage(#"{"schedules": {"jobs": [{"name": "spread", "command": "true"}]}}"#)
        try stage.write(Self.crontab, to: "crontab")
        let path = stage.path("crontab")
        let names = ["backup", "date", "start-things", "spread-2", "report"]
        let first = try stage.control("--json", "import", "crontab", path)
        #expect(try results(first) == names.map { "\($0) added" }, "\(first)")
        let before = try definitions(stage)
        let second = try stage.control("--json", "import", "crontab", path)
        #expect(try results(second) == names.map { "\($0) already_there" }, "\(second)")
        #expect(try definitions(stage) == before)
        #expect(before.arrayValue?.count == 6)

        // What was changed is said, and replaced only when that is asked for.
        try stage.write(Self.crontab.replacing("0 3 * * *", with: "0 4 * * *"), to: "crontab")
        let changed = try stage.control("--json", "import", "crontab", path)
        #expect(changed.code == 1)
        #expect(try results(changed)[0] == "backup changed")
        #expect(try definitions(stage) == before)
        let replaced = try stage.control("--json", "import", "crontab", path, "--replace")
        #expect(try results(replaced)[0] == "backup replaced")
        let backup = try JSONValue(parsing: stage.control("--json", "show", "backup").output)
        #expect(backup["cron"] == "0 4 * * *" && backup["title"] == "Nightly backup")
    }

    @Test func anImportedLineRunsAsUnderCron() throws {
        let stage = try Stage("{}")
        try stage.write(
            "A='one  two'\nHOME=\(stage.folder)\n0 0 1 1 * cat; echo \"$A $PATH $SHELL $PWD\"%in%put\n", to: "crontab")
        #expect(try stage.control("import", "crontab", stage.path("crontab")).code == 0)
        #expect(try stage.control("run", "cat", "--wait").code == 0)
        let written = try stage.control("logs", "cat")
        #expect(written.output == "in\nput\none  two /usr/bin:/bin /bin/sh \(stage.folder)\n", "\(written)")
    }

    @Test func theOriginalIsCommentedOutOnlyWhenAsked() throws {
        let stage = try Stage("{}")
        try stage.write(Self.crontab, to: "crontab")
        let path = stage.path("crontab")
        _ = try stage.control("import", "crontab", path)
        #expect(TestFile.text(path) == Self.crontab)
        _ = try stage.control("import", "crontab", path, "--comment-out", "--dry-run")
        #expect(TestFile.text(path) == Self.crontab)
        let outcome = try stage.control("import", "crontab", path, "--comment-out")
        #expect(outcome.output.contains("  5 lines are commented out.\n"), "\(outcome)")
        let lines = TestFile.text(path).split(separator: "\n")
        #expect(
            lines.contains(
                "# (job backup of BotCron) 0 3 * * * cd /srv && nice -n 10 /usr/local/bin/backup.sh --all --quiet --target /mnt/nas >/dev/null 2>&1"
            ))
        #expect(lines.contains("61 * * * * wrong") && lines.contains("SHELL=/bin/bash"))
        // What is off is no title of what follows, and no job.
        let again = try stage.control("--json", "import", "crontab", path)
        #expect(try results(again) == [])
    }

    /// By a `crontab` that keeps its table in a file.
    @Test func aUsersOwnTableIsReadAndWritten() throws {
        let stage = try Stage("{}")
        try stage.write("0 1 * * * mine\n", to: "table")
        #expect(
            try stage.shell(
                """
                mkdir \(stage.path("bin")) && printf '#!/bin/sh\\nif [ "$1" = -l ]; then cat "$HOME/table"; elif [ -e "$HOME/closed" ]; then exit 1; \
                else cat > "$HOME/table.new" && mv "$HOME/table.new" "$HOME/table"; fi\\n' > \(stage.path("bin/crontab"))
                chmod +x \(stage.path("bin/crontab"))
                """
            ).code == 0)
        let control = TestPlace.built("botcronctl")
        let outcome = try stage.shell(
            "PATH=\(stage.path("bin")):$PATH exec \(control) import crontab --mine --comment-out")
        #expect(outcome.code == 0, "\(outcome)")
        #expect(TestFile.text(stage.path("table")) == "# (job mine of BotCron) 0 1 * * * mine\n")
        // What cannot be written is said, and the jobs are there all the same.
        try stage.write("0 1 * * * other\n", to: "table")
        try stage.write("", to: "closed")
        let closed = try stage.shell(
            "PATH=\(stage.path("bin")):$PATH exec \(control) import crontab --mine --comment-out")
        #expect(closed.code == 1 && closed.output.contains("line 1: other is added"), "\(closed)")
        #expect(closed.output.contains("Nothing is commented out: crontab - did not take it"), "\(closed)")
        let none = try stage.shell("PATH=/nowhere exec \(control) import crontab --mine")
        #expect(none.code == 1 && none.errors.contains("crontab had nothing to give"), "\(none)")
    }

    @Test func timersOfAUserAreImported() throws {
        let stage = try Stage("{}")
        #expect(
            try stage.shell(
                """
                cd \(stage.folder); mkdir -p .config/systemd/user/b.service.d; cd .config/systemd/user
                printf '[Timer]\\nOnCalendar=daily\\nPersistent=1\\n' | tee a.timer > b.timer
                printf '[Service]\\nExecStart=/bin/true\\n' | tee a.service > b.service
                printf '[Service]\\nNice=5\\n' > b.service.d/nice.conf
                """
            ).code == 0)
        let outcome = try stage.control("--json", "import", "systemd", "--mine")
        #expect(outcome.code == 0, "\(outcome)")
        #expect(try results(outcome) == ["a added", "b added"])
        let exported = try definitions(stage).arrayValue ?? []
        #expect(
            exported.map { $0["command"] } == [
                ["/bin/true"], ["systemctl", "--user", "start", "--wait", "b.service"],
            ])
        #expect(
            try results(stage.control("--json", "import", "systemd", "--mine")) == [
                "a already_there", "b already_there",
            ])
    }

    @Test func whatIsExportedCanBeAddedAndRead() throws {
        let stage = try Stage("{}")
        try stage.write(Self.crontab, to: "crontab")
        _ = try stage.control("import", "crontab", stage.path("crontab"))
        #expect(try stage.control("disable", "date").code == 0)
        let exported = try stage.control("export")
        try stage.write(exported.output, to: "jobs.json")
        #expect(try stage.control("validate", stage.path("jobs.json")).code == 0)

        let other = try Stage("{}")
        #expect(
            try other.shell("\(TestPlace.built("botcronctl")) add - < \(stage.path("jobs.json"))").code == 0)
        #expect(try other.control("export").output == exported.output)
        let date = try JSONValue(parsing: other.control("--json", "show", "date").output)
        #expect(date["enabled"] == false)
        #expect(try other.control("export", "nobody").code == 4)

        // As a crontab, and back: the very same jobs. The one that is off is a comment.
        let table = try stage.control("export", "--crontab")
        try stage.write(table.output, to: "again")
        let again = try stage.control("--json", "import", "crontab", stage.path("again"))
        #expect(
            try results(again) == ["backup", "spread", "start-things", "report"].map { "\($0) already_there" },
            "\(again)\n\(table.output)")
    }
}
