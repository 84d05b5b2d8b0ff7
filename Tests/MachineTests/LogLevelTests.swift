import Testing

/// What systemctl does by `org.freedesktop.LogControl1`, which it finds by the unit's `BusName=`.
@Suite(.serialized, .enabled(if: Machine.package != nil, "`make test-machine` runs these")) struct LogLevelTests {
    @Test func systemctlSetsTheLevelAndTheTarget() throws {
        let machine = try Machine(config: #"{"schedules": {"timezone": "UTC", "jobs": []}}"#)
        try machine.startDaemon()
        let level = "systemctl --user service-log-level bot-cron.service"
        #expect(try machine.run(level) == "info\n")
        try machine.run(level + " debug")
        #expect(try machine.run(level) == "debug\n")
        let target = "systemctl --user service-log-target bot-cron.service"
        #expect(try machine.run(target) == "auto\n")
        try machine.run(target + " console")
        #expect(try machine.run(target) == "console\n")
    }
}
