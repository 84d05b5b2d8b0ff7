import JSON
import Testing

/// The services around the daemon go away and come back: it comes back to full function by itself.
@Suite(.serialized, .enabled(if: Machine.package != nil, "`make test-machine` runs these")) struct FaultTests {
    private static let config = """
        {"schedules": {"timezone": "UTC", "wake_settle": 0, "wake_spread": 0, "jobs": [
            {"name": "tick", "cron": "* * * * * *", "catchup_policy": "all", "command": ["true"]},
            {"name": "long", "command": "echo from; sleep 4; echo to"}
        ]}}
        """

    /// Each survives in logind, so that one taken blindly again would be a second one.
    @Test func logindRestartedOrKilledFindsEachLockOnce() throws {
        let machine = try Machine(config: Self.config)
        try machine.startDaemon()
        let pid = try machine.daemonPID()
        var times: [Double] = []
        for fault in ["restart", "kill -s KILL", "restart", "kill -s KILL", "restart", "restart"] {
            let old = try machine.run("systemctl show -P MainPID systemd-logind")
            times.append(
                try machine.clock {
                    try machine.run("sudo systemctl \(fault) systemd-logind")
                    try machine.wait("another logind") {
                        let new = try machine.run("systemctl show -P MainPID systemd-logind")
                        return new != old && new != "0\n"
                    }
                    try machine.wait("both locks held, once each") { (try? machine.locks()) == Machine.delayLocks }
                })
        }
        print("full function after a fault of logind, restart included: \(times.map { Int($0 * 1000) }) ms")
        try machine.suspend()
        #expect(machine.slept.count == 1)
        #expect(try machine.daemonPID() == pid)
    }

    @Test func aSleepWhoseEndLogindForgetsEndsAllTheSame() throws {
        let machine = try Machine(config: Self.config, sleepSeconds: 4, freezes: false)
        try machine.startDaemon()
        try machine.run("systemctl suspend")
        try machine.wait("asleep") { machine.slept.count == 1 && machine.status == "sleeping" }
        try machine.run("sudo systemctl kill -s KILL systemd-logind")
        try machine.wait("awake") { machine.status == "running" }
        try machine.wait("the machine awake") { machine.woke.count == 1 }
        try machine.wait("both locks held, once each") { (try? machine.locks()) == Machine.delayLocks }
        let before = try machine.history("tick").count
        try machine.wait("runs going on") { try machine.history("tick").count > before }
        try machine.suspend()
        #expect(machine.slept.count == 2)
    }

    @Test func theSystemBusMayCrashOrBeAway() throws {
        let machine = try Machine(config: Self.config)
        try machine.startDaemon()
        let pid = try machine.daemonPID()
        let crash = try machine.clock {
            try machine.run("sudo systemctl kill -s KILL dbus.service")
            try machine.wait("both locks held, once each") { (try? machine.locks()) == Machine.delayLocks }
            try machine.wait("the daemon on the bus") {
                try machine.run("busctl --no-legend list | grep -c botcrond || true") == "1\n"
            }
        }
        print("full function after a crash of the system bus: \(Int(crash * 1000)) ms")
        try machine.suspend()

        try machine.run("sudo systemctl stop dbus.socket dbus.service")
        let before = try machine.history("tick").count
        try machine.wait("runs going on without a system bus") { try machine.history("tick").count > before }
        let away = try machine.clock {
            try machine.run("sudo systemctl start dbus.socket && sudo systemctl restart systemd-logind")
            try machine.wait("both locks held, once each") { (try? machine.locks()) == Machine.delayLocks }
            try machine.wait("the daemon on the bus") {
                try machine.run("busctl --no-legend list | grep -c botcrond || true") == "1\n"
            }
        }
        print("full function after the system bus came back: \(Int(away * 1000)) ms, logind's restart included")
        try machine.suspend()
        #expect(try machine.daemonPID() == pid)
    }

    @Test(arguments: ["restart", "kill -s KILL"])
    func theSessionBusMayRestartOrCrash(fault: String) throws {
        let machine = try Machine(config: Self.config)
        try machine.startDaemon()
        let pid = try machine.daemonPID()
        let run = try machine.start("long")
        let time = try machine.clock {
            try machine.run("systemctl --user \(fault) dbus.service")
            try machine.wait("another daemon") {
                // A call that falls into the end of the bus would wait for its answer longer than a command may take.
                let new = try machine.run("timeout 5 systemctl --user show -P MainPID bot-cron.service || true")
                return !new.isEmpty && new != pid && new != "0\n"
            }
            try machine.wait("its answer") { machine.status == "running" }
        }
        print("full function after \(fault) of the session bus: \(Int(time * 1000)) ms")
        try machine.wait("both locks held, once each") { try machine.locks() == Machine.delayLocks }
        // Taken over, not begun again.
        let record = try machine.ctl("wait \(run)")
        #expect(record["status"] == "success")
        #expect(record["attempt"] == 1)
        #expect(record["output_preview"] == "from\nto\n")
        let scheduled = try machine.history("tick").map { $0["scheduled_for"]?.stringValue ?? "" }
        #expect(Set(scheduled).count == scheduled.count)
        #expect(try machine.run("systemctl --user show -P NRestarts bot-cron.service") == "1\n")
    }

    /// A volume over the folder of config.json brings another one, and takes it along again; neither is an event of the
    /// folder's.
    @Test func aVolumeOverTheFolderOfTheConfigurationIsReadAndItsEndToo() throws {
        func config(_ job: String) -> String {
            #"{"schedules": {"jobs": [{"name": "\#(job)", "command": "true"}]}}"#
        }
        func jobs() throws -> [String] {
            try machine.ctl("list").arrayValue?.compactMap { $0["name"]?.stringValue } ?? []
        }
        let machine = try Machine(config: config("below"))
        try machine.startDaemon()
        #expect(try jobs() == ["below"])
        try machine.run("mkdir ~/volume; echo '\(config("above"))' > ~/volume/config.json")
        try machine.run("sudo mount --bind ~/volume ~/.config/aa-workflow")
        try machine.wait("the job of the volume") { try jobs() == ["above"] }
        try machine.run("echo '\(config("edited"))' > ~/volume/config.json")
        try machine.wait("an edit on the volume") { try jobs() == ["edited"] }
        try machine.run("sudo umount ~/.config/aa-workflow")
        try machine.wait("the job below it") { try jobs() == ["below"] }
    }
}
