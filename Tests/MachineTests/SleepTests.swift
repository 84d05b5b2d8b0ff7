import JSON
import Testing

/// The installed package on a booted machine, through the sleep that the real logind makes.
@Suite(.serialized, .enabled(if: Machine.package != nil, "`make test-machine` runs these")) struct SleepTests {
    /// From the announcement of a sleep to the lock given back, in seconds.
    static let releaseMax = 0.5

    @Test func theUnitHoldsTwoDelayLocksThatSayWhoAndWhy() throws {
        let machine = try Machine(config: #"{"schedules": {"jobs": []}}"#)
        try machine.startDaemon()
        let list = try machine.run("systemd-inhibit --list --no-pager")
        #expect(list.contains("BotCron") && list.contains("Jobs are brought in order"), "\(list)")
        #expect(try machine.run("systemctl --user is-active bot-cron.service") == "active\n")
        // Asked for by a client where it does not run yet, it is started by the bus.
        try machine.run("systemctl --user stop bot-cron.service")
        #expect(try machine.locks() == [])
        try machine.run("botcronctl list")
        try machine.wait("both locks held") { try machine.locks() == Machine.delayLocks }
    }

    /// The user's processes are not frozen here: it is the daemon itself that starts nothing.
    @Test func whatIsDueInASleepWaitsAndIsCaughtUpByItsPolicy() throws {
        let note =
            #""command": "echo $BOTCRON_SCHEDULED_AT $BOTCRON_SOURCE $BOTCRON_MISSED $(date +%s.%N) >> /machine/$BOTCRON_JOB""#
        let machine = try Machine(
            config: """
                {"schedules": {"timezone": "UTC", "wake_settle": "2s", "wake_spread": "2s", "jobs": [
                    {"name": "all", "cron": "* * * * * *", "catchup_policy": "all", "misfire_grace_time": 1, \(note)},
                    {"name": "latest", "cron": "* * * * * *", "misfire_grace_time": 1, \(note)},
                    {"name": "none", "cron": "* * * * * *", "catchup_policy": "none", "misfire_grace_time": 1, \(note)}
                ]}}
                """, sleepSeconds: 5, freezes: false)
        try machine.listenForSleep()
        try machine.startDaemon()
        try machine.wait("all three at work") {
            ["all", "latest", "none"].allSatisfy { !machine.lines($0).isEmpty }
        }
        try machine.suspend()
        try machine.wait("all caught up") { machine.runs("all").contains { $0.start > machine.woke[0] + 8 } }
        try machine.run("systemctl --user stop bot-cron.service")

        let (told, slept, woke) = (machine.sleepTold[0], machine.slept[0], machine.woke[0])
        #expect(slept - told < Self.releaseMax)
        for job in ["all", "latest", "none"] {
            let starts = machine.runs(job).map(\.start)
            #expect(!starts.contains { $0 > slept && $0 < woke }, "\(job) started while the machine slept")
            guard job != "none" else { continue }
            #expect(!starts.contains { $0 > slept && $0 < woke + 2 }, "\(job) started before it had settled")
        }
        // Each second of it once, in order.
        let all = machine.runs("all")
        let seconds = all.map(\.scheduledFor)
        #expect(zip(seconds, seconds.dropFirst()).allSatisfy { $0 + 1 == $1 }, "\(machine.lines("all"))")
        #expect(all.filter { $0.source == "catch_up" }.count >= 5)
        // One run stands for all that was missed.
        let standIns = machine.runs("latest").filter { $0.missed > 1 }
        #expect(standIns.count == 1 && standIns[0].missed >= 5, "\(machine.lines("latest"))")
        // Nothing is caught up, and the record says why.
        let missed = try machine.history("none").filter { $0["status"] == "missed" && $0["reason"] == "asleep" }
        #expect(missed.count >= 4)
        #expect(!machine.runs("none").contains { $0.source == "catch_up" })
    }

    @Test func tenSuspendsInARowLeaveTheDaemonAsItWas() throws {
        let machine = try Machine(
            config: """
                {"schedules": {"timezone": "UTC", "wake_settle": 0, "wake_spread": 0, "jobs": [
                    {"name": "tick", "cron": "* * * * * *", "catchup_policy": "all", "command": ["true"]}
                ]}}
                """, sleepSeconds: 0.3)
        try machine.listenForSleep()
        try machine.startDaemon()
        let pid = try machine.daemonPID()
        for _ in 0..<10 { try machine.suspend() }
        #expect(try machine.daemonPID() == pid)
        #expect(machine.slept.count == 10)
        let releases = zip(machine.sleepTold, machine.slept).map { $1 - $0 }
        #expect(releases.count == 10 && releases.allSatisfy { $0 < Self.releaseMax }, "\(releases)")
        print(
            "the sleep lock was given back within \(releases.map { Int($0 * 1000) }.sorted()) ms, the start of the sleep included"
        )
        let before = try machine.history("tick").count
        try machine.wait("runs going on") { try machine.history("tick").count > before }
        let scheduled = try machine.history("tick").map { $0["scheduled_for"]?.stringValue ?? "" }
        #expect(Set(scheduled).count == scheduled.count)
        let journal = try machine.journal()
        #expect(!journal.contains("nobody said so"), "\(journal)")
    }

    @Test func aRunGoesOnAfterASleep() throws {
        let machine = try Machine(
            config: """
                {"schedules": {"jobs": [{"name": "long", "command": "echo from; sleep 2; echo to"}]}}
                """, sleepSeconds: 1)
        try machine.startDaemon()
        let long = try machine.start("long")
        try machine.suspend()
        let run = try machine.ctl("wait \(long)")
        #expect(run["status"] == "success")
        #expect(run["output_preview"] == "from\nto\n")
    }

    @Test func aStoreThatSomebodyElseHoldsDoesNotHoldUpTheSleep() throws {
        let machine = try Machine(
            config: """
                {"schedules": {"jobs": [{"name": "tick", "cron": "* * * * * *", "command": ["true"]}]}}
                """)
        try machine.listenForSleep()
        try machine.startDaemon()
        try machine.wait("a run") { try !machine.history("tick").isEmpty }
        try machine.run(
            """
            cat > hold.py <<'END'
            import sqlite3, os, time
            store = sqlite3.connect(os.path.expanduser("~/.local/state/aa-workflow/botcron.db"), isolation_level=None)
            store.execute("BEGIN IMMEDIATE")
            open("/machine/held", "w").close()
            time.sleep(4)
            END
            /usr/bin/python3 hold.py > held.log 2>&1 &
            until [ -e /machine/held ]; do sleep 0.05; done
            """)
        try machine.suspend()
        #expect(machine.slept[0] - machine.sleepTold[0] < Self.releaseMax + 0.25)
        let before = try machine.history("tick").count
        try machine.wait("runs going on") { try machine.history("tick").count > before }
    }

    /// More than one night gives: all due in one second of a sleep.
    @Test func twoHundredMissedJobsAreNoStampede() throws {
        let note =
            "echo $BOTCRON_JOB $(date +%s.%N) >> /machine/starts; sleep 0.2; echo $(date +%s.%N) >> /machine/ends"
        let jobs = (0..<200).map { number in
            // The later the name, the more it matters.
            """
            {"name": "j\(100 + number)", "once": "in 2 seconds", "misfire_grace_time": 1,
             "priority": \(19 - number / 10), "command": "\(note)"}
            """
        }
        let machine = try Machine(
            config: """
                {"schedules": {"timezone": "UTC", "wake_settle": "2s", "wake_spread": "10s",
                 "max_concurrent_executions": 4, "jobs": [\(jobs.joined(separator: ","))]}}
                """, sleepSeconds: 5)
        try machine.startDaemon()
        try machine.suspend()
        try machine.wait("all of them") { machine.lines("ends").count == 200 }
        let load = try machine.run("cat /proc/loadavg")

        let woke = machine.woke[0]
        let starts = machine.lines("starts").compactMap { line -> (priority: Int, at: Double)? in
            let words = line.split(separator: " ")
            guard words.count == 2, let number = Int(words[0].dropFirst()), let at = Double(words[1]) else {
                return nil
            }
            return (19 - (number - 100) / 10, at)
        }.sorted { $0.at < $1.at }
        let ends = machine.lines("ends").compactMap { Double($0) }
        #expect(starts.count == 200 && ends.count == 200)
        // Never more at once than the limit; a process that has ended is let go of before the next one starts.
        var active = 0
        var most = 0
        for (_, change) in (starts.map { ($0.at, 1) } + ends.map { ($0, -1) }).sorted(by: { $0 < $1 }) {
            active += change
            most = max(most, active)
        }
        #expect(most <= 4)
        let first = try #require(starts.first).at - woke
        let last = try #require(starts.last).at - woke
        #expect(first >= 2)
        // Two seconds to settle, ten to spread; 200 times 0.2 s by fours are ten, too.
        #expect(last < 2 + 10 + 10)
        // By priority, but for neighbours whose processes start at the same time.
        let priorities = starts.map(\.priority)
        #expect(zip(priorities, priorities.dropFirst()).allSatisfy { $0 <= $1 + 1 }, "\(priorities)")
        print("200 missed jobs: \(most) at once, from \(first) s to \(last) s after the wake-up, load \(load)")
    }

    /// SIGSTOP is no sleep that anybody tells, and for the daemon it is one: what shows it is a timer that comes late.
    @Test func aProcessThatWasStoppedSettlesAsAfterASleep() throws {
        let machine = try Machine(
            config: """
                {"schedules": {"timezone": "UTC", "wake_settle": "2s", "wake_spread": 0, "jobs": [
                    {"name": "tick", "cron": "* * * * * *", "misfire_grace_time": 1,
                     "command": "echo $BOTCRON_SCHEDULED_AT $BOTCRON_SOURCE $BOTCRON_MISSED $(date +%s.%N) >> /machine/tick"}
                ]}}
                """)
        try machine.startDaemon()
        try machine.wait("a run") { !machine.lines("tick").isEmpty }
        try machine.run(
            """
            pid=$(systemctl --user show -P MainPID bot-cron.service)
            kill -STOP $pid; sleep 12; date +%s.%N > /machine/woke; kill -CONT $pid
            """)
        try machine.wait("the run for all that was missed") { machine.runs("tick").contains { $0.missed > 1 } }
        try machine.run("systemctl --user stop bot-cron.service")
        let woke = machine.woke[0]
        let standIns = machine.runs("tick").filter { $0.missed > 1 }
        #expect(standIns.count == 1 && standIns[0].missed >= 11, "\(machine.lines("tick"))")
        #expect(!machine.runs("tick").contains { $0.start > woke && $0.start < woke + 2 })
        #expect(try machine.run("journalctl --user -o cat -u bot-cron.service").contains("a timer came late"))
    }
}
