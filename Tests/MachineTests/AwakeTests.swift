import JSON
import TestSupport
import Testing

/// Jobs that have a say in the machine's sleep: the real logind grants it, or the real polkit refuses it.
@Suite(.serialized, .enabled(if: Machine.package != nil, "`make test-machine` runs these")) struct AwakeTests {
    private static let blockRule = """
        polkit.addRule(function(action, subject) {
            if (action.id == "org.freedesktop.login1.inhibit-block-sleep") return polkit.Result.YES;
            if (/login1.suspend(-multiple-sessions)?$/.test(action.id)) return polkit.Result.YES;
        });
        """

    /// As logind itself and every other user do; of the user's own locks logind takes no heed when the user suspends.
    private static let suspendByAnother = """
        sudo -u nobody busctl call org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager \\
            Suspend b false
        """

    @Test(arguments: [#""keep_awake": true"#, #""on_sleep": "wait""#])
    func theMachineStaysAwakeForARunAndNoLonger(policy: String) throws {
        let machine = try Machine(
            config: """
                {"schedules": {"jobs": [{"name": "long", "command": ["sleep", "3"], \(policy)}]}}
                """, rules: Self.blockRule)
        try machine.startDaemon()
        let run = try machine.start("long")
        try machine.wait("the block lock held") { try machine.locks() == ["block sleep"] + Machine.delayLocks }
        #expect(try machine.run("systemd-inhibit --list --no-pager").contains("The job long runs"))
        // A daemon that comes in its place takes the lock for the run that goes on.
        try machine.run("systemctl --user restart bot-cron.service")
        try machine.wait("the block lock held again") { try machine.locks() == ["block sleep"] + Machine.delayLocks }
        #expect(throws: TestFailure.self) { try machine.run(Self.suspendByAnother) }
        #expect(machine.slept.isEmpty)
        #expect(try machine.ctl("wait \(run)")["status"] == "success")
        try machine.wait("the block lock given back") { try machine.locks() == Machine.delayLocks }
        try machine.run(Self.suspendByAnother)
        try machine.wait("the machine asleep") { machine.slept.count == 1 }
    }

    @Test func aRunThatMayNotKeepTheMachineAwakeRunsAllTheSame() throws {
        let machine = try Machine(
            config: """
                {"schedules": {"jobs": [{"name": "long", "command": ["sleep", "1"], "keep_awake": true}]}}
                """)
        try machine.startDaemon()
        let run = try machine.start("long")
        #expect(try machine.ctl("wait \(run)")["status"] == "success")
        let journal = try machine.journal()
        #expect(journal.contains("cannot be kept awake"), "\(journal)")
        #expect(journal.contains(run), "\(journal)")
        let record = try machine.runRecord(run)
        #expect(record["caveat"]?.stringValue?.hasPrefix("the machine could not be kept awake: ") == true, "\(record)")
        #expect(try machine.run("botcronctl history long").contains("the machine could not be kept awake"))
        #expect(try machine.locks() == Machine.delayLocks)
    }

    @Test func aRunThatIsToStopForASleepIsStopped() throws {
        let machine = try Machine(
            config: """
                {"schedules": {"jobs": [{"name": "long", "command": ["sleep", "60"], "on_sleep": "stop"}]}}
                """)
        try machine.listenForSleep()
        try machine.startDaemon()
        let run = try machine.start("long")
        try machine.suspend()
        #expect(machine.slept[0] - machine.sleepTold[0] < SleepTests.releaseMax)
        try machine.wait("its end") { try machine.runRecord(run)["completed_at"] != .null }
        let record = try machine.runRecord(run)
        #expect(record["status"] == "interrupted", "\(record)")
    }

    /// The alarm itself needs a hardware clock, which no machine of the tests has: it is said once that there is none.
    @Test func theMachineSleepsAgainAfterTheRunsThatItWasWokenFor() throws {
        let machine = try Machine(
            config: """
                {"schedules": {"wake_settle": 0, "wake_spread": 0, "jobs": [
                    {"name": "night", "once": "in 3 seconds", "command": ["sleep", "1"], "wake_system": true,
                     "sleep_again": true}
                ]}}
                """, sleepSeconds: 4, freezes: false)
        try machine.startDaemon()
        let session = "org.freedesktop.login1 /org/freedesktop/login1/session/auto org.freedesktop.login1.Session"
        try machine.run("busctl call \(session) SetIdleHint b true")
        try machine.run("systemctl suspend")
        try machine.wait("a second sleep") { machine.slept.count == 2 }
        #expect(try machine.history("night").first?["status"] == "success")
        let journal = try machine.journal()
        #expect(journal.contains("goes to sleep again"), "\(journal)")
        let doctor = try machine.run("botcronctl doctor || true")
        #expect(doctor.contains("logind  tells of sleep and shutdown"), "\(doctor)")
        #expect(doctor.contains("user manager  gives each attempt a scope"), "\(doctor)")
    }

    @Test func theMachineStaysAwakeWhereSomebodyUsesIt() throws {
        let machine = try Machine(
            config: """
                {"schedules": {"wake_settle": 0, "wake_spread": 0, "jobs": [
                    {"name": "night", "once": "in 2 seconds", "command": ["true"], "wake_system": true,
                     "sleep_again": true}
                ]}}
                """, sleepSeconds: 3, freezes: false)
        try machine.startDaemon()
        try machine.suspend()
        try machine.wait("the reason told") { try machine.journal().contains("stays awake") }
        #expect(try machine.journal().contains("it is in use"))
        #expect(machine.slept.count == 1)
    }
}
