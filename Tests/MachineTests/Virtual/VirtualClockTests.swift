import JSON
import Testing

/// The wall clock is set, for real: of a machine with a kernel of its own, to the installed daemon.
@Suite(.serialized, .enabled(if: Machine.kernel != nil, "`make test-long` runs these")) struct VirtualClockTests {
    private static let note =
        "echo $BOTCRON_SCHEDULED_AT $BOTCRON_SOURCE $BOTCRON_MISSED $(date +%s.%N) >> /machine/$BOTCRON_JOB"
    private static let jobs = ["all", "latest", "none"]
    private static let half = 1800

    /// The same schedule under each catch-up policy. Nothing is cleaned up: the record is what is looked at.
    private static func config(historyLimit: Int, _ more: String = "") -> String {
        let jobs = Self.jobs.map { policy in
            """
            {"name": "\(policy)", "cron": "*/30 * * * *", "catchup_policy": "\(policy)",
             "history_limit": \(historyLimit), \(more) "command": "\(note)"}
            """
        }
        return """
            {"schedules": {"timezone": "UTC", "wake_settle": 0, "wake_spread": 0, "auto_cleanup_enabled": false,
             "jobs": [\(jobs.joined(separator: ","))]}}
            """
    }

    /// Full and half hours after `start`, up to `end`.
    private static func fires(after start: Int, through end: Int) -> StrideThrough<Int> {
        stride(from: (start / half + 1) * half, through: end, by: half)
    }

    private static func at(_ text: String) throws -> Int { try #require(Ledger.instant("2026-06-" + text)) }

    private func waitForRecords(_ machine: Machine, after start: Int, through end: Int) throws {
        for job in Self.jobs { try machine.waitForRecord(job, of: Array(Self.fires(after: start, through: end))) }
    }

    @Test func anHourOrADayForwardAndBackRunsNothingTwiceAndLosesNothing() throws {
        let machine = try Machine(
            config: Self.config(historyLimit: 1000, #""catchup_window": "2d", "catchup_limit": 1000,"#), .virtual())
        try machine.setClock("2026-06-01 00:10:00")
        try machine.startDaemon()
        let pid = try machine.daemonPID()
        let start = try Self.at("01 00:10:00")

        try machine.setClock("1 hour")
        try waitForRecords(machine, after: start, through: Self.at("01 01:00:00"))
        #expect(try machine.started("all") == [Self.at("01 00:30:00"), Self.at("01 01:00:00")])
        // One run stands for both.
        #expect(try machine.started("latest") == [Self.at("01 01:00:00")])
        #expect(machine.runs("latest").map(\.missed) == [2])
        #expect(machine.started("none").isEmpty)
        let missed = try machine.ledger("none").entries
        #expect(missed.map(\.status) == ["missed", "missed"])
        // No daemon was down: it was the clock that leapt.
        #expect(missed.map(\.reason) == ["asleep", "asleep"])

        // Back again: the hour comes a second time, and is over already.
        try machine.setClock("1 hour ago")
        try machine.passThrough(Self.at("01 00:30:00"))
        try machine.passThrough(Self.at("01 01:00:00"))
        #expect(machine.started("all").count == 2 && machine.started("latest").count == 1)
        #expect(machine.started("none").isEmpty)
        try machine.passThrough(Self.at("01 01:30:00"))
        try waitForRecords(machine, after: start, through: Self.at("01 01:30:00"))
        for job in Self.jobs { #expect(try machine.started(job).last == Self.at("01 01:30:00"), "\(job)") }
        #expect(try machine.ledger("none").all("success") == [Self.at("01 01:30:00")])

        // A day has 48, and the newest of them is not late.
        try machine.setClock("1 day")
        try waitForRecords(machine, after: start, through: Self.at("02 01:30:00"))
        let day = try Array(Self.fires(after: start, through: Self.at("02 01:30:00")))
        #expect(machine.started("all").sorted() == day)
        #expect(machine.runs("latest").map(\.missed) == [2, 1, 48])
        #expect(try machine.started("none") == [Self.at("01 01:30:00"), Self.at("02 01:30:00")])
        #expect(try machine.ledger("none").all("missed").count == 2 + 47)

        // Back by so much it was wrong, and goes on from here: but nothing that has a record runs again.
        try machine.setClock("1 day ago")
        try machine.passThrough(Self.at("01 02:00:00"))
        try machine.passThrough(Self.at("01 02:30:00"))
        #expect(machine.started("all").count == day.count)
        #expect(machine.started("none").count == 2)
        // The run that stood for these has no record of each: the job does not fall silent for a day.
        #expect(try machine.started("latest").suffix(2) == [Self.at("01 02:00:00"), Self.at("01 02:30:00")])

        try machine.setClock("2026-06-02 02:10:00")
        try waitForRecords(machine, after: start, through: Self.at("02 02:00:00"))
        #expect(try machine.started("all").sorted() == day + [Self.at("02 02:00:00")])
        for job in Self.jobs {
            let started = machine.started(job)
            #expect(Set(started).count == started.count, "\(job) ran twice: \(started.map(Ledger.text))")
        }
        #expect(try machine.daemonPID() == pid)
    }

    @Test func aClockOf1970ThatIsSetRightFiresNoYearsOfCatchUp() throws {
        let machine = try Machine(config: Self.config(historyLimit: 100), .virtual())
        // As after a boot with an empty battery.
        try machine.setClock("1970-01-02 00:10:00")
        try machine.startDaemon()
        let past = 86_400 + 600
        let window = 86_400 / Self.half

        try machine.setClock("2026-06-01 00:10:00")
        let yesterday = try Self.at("01 00:10:00") - 86_400
        try waitForRecords(machine, after: yesterday, through: Self.at("01 00:00:00"))
        let caughtUp = machine.started("all").sorted()
        #expect(caughtUp == Array(Self.fires(after: yesterday, through: yesterday + 86_400)))
        #expect(caughtUp.count == window)
        #expect(machine.started("latest").count == 1)
        #expect(machine.started("none").isEmpty)
        let none = try machine.ledger("none").entries
        #expect(none.filter { $0.at >= yesterday }.map(\.reason) == Array(repeating: "asleep", count: window))
        // What the history keeps of 56 years.
        let years = none.filter { $0.at < yesterday }
        #expect(!years.isEmpty && years.allSatisfy { $0.status == "missed" && $0.reason == "expired" })

        // It falls back: the jobs go by what it shows.
        let again = past - 600 + Self.half
        try machine.setClock("@\(again - 3)")
        try machine.wait("a run in 1970") {
            Self.jobs.allSatisfy { machine.started($0).last == again }
        }
        let before = Self.jobs.map { machine.started($0).count }
        // And is set right: what is due is what was due since then, and no year of it.
        try machine.setClock("2026-06-01 01:10:00")
        let today = try Self.at("01 00:10:00")
        try waitForRecords(machine, after: today, through: Self.at("01 01:00:00"))
        let new = zip(Self.jobs, before).map { Array(machine.started($0).dropFirst($1)) }
        #expect(try new[0].sorted() == [Self.at("01 00:30:00"), Self.at("01 01:00:00")])
        #expect(try new[1] == [Self.at("01 01:00:00")])
        #expect(new[2].isEmpty)
        for job in Self.jobs {
            let started = machine.started(job)
            #expect(Set(started).count == started.count, "\(job) ran twice: \(started.map(Ledger.text))")
        }
    }

    /// What the user manager gives its services from systemd 254 on.
    @Test func theHardwaresAlarmIsSetForAJobThatWakesTheMachine() throws {
        let machine = try Machine(
            config: """
                {"schedules": {"timezone": "UTC", "jobs": [
                    {"name": "night", "once": "2030-01-01T03:00:00Z", "command": ["true"], "wake_system": true}
                ]}}
                """, .virtual())
        #expect(try machine.run("cat /sys/class/rtc/rtc0/device/power/wakeup") == "enabled\n")
        try machine.startDaemon()
        let without = try machine.run("botcronctl doctor || true")
        #expect(without.contains("CAP_WAKE_ALARM"), "\(without)")
        #expect(try machine.journal().contains("the machine cannot be woken for jobs"))
        try machine.run(
            """
            systemctl --user stop bot-cron.service
            sudo setpriv --reuid $UID --regid $UID --init-groups --inh-caps +wake_alarm --ambient-caps +wake_alarm \\
                env HOME=$HOME XDG_RUNTIME_DIR=$XDG_RUNTIME_DIR DBUS_SESSION_BUS_ADDRESS=$DBUS_SESSION_BUS_ADDRESS \\
                /usr/local/bin/botcrond > daemon.log 2>&1 &
            """)
        try machine.wait("the daemon") { machine.status == "running" }
        let with = try machine.run("botcronctl doctor || true")
        #expect(with.contains("wake-up alarms  wake the machine for jobs that want it"), "\(with)")
        // CLOCK_REALTIME_ALARM is 8; armed for an instant, and the only one that it has is the job's.
        let alarms = try machine.run(
            """
            pid=$(pgrep botcrond)
            sudo sh -c "cat \\$(grep -l 'clockid: 8' /proc/$pid/fdinfo/*)"
            """)
        let left = alarms.split(separator: "\n").first { $0.hasPrefix("it_value: (") }?.dropFirst(11)
        let seconds = try #require(left.flatMap { Int($0.prefix { $0.isNumber }) }, "\(alarms)")
        let fire = try #require(Ledger.instant("2030-01-01 03:00:00"))
        #expect(abs(try machine.wallClock + seconds - fire) <= 5)
        try machine.run("kill $(pgrep botcrond)")
    }
}
