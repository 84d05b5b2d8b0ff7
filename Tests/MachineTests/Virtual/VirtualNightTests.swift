import JSON
import Testing

/// The nights in which the clocks of Europe/Berlin change, lived through and slept through.
@Suite(.serialized, .enabled(if: Machine.kernel != nil, "`make test-long` runs these")) struct VirtualNightTests {
    private static let note =
        "echo $BOTCRON_SCHEDULED_AT $BOTCRON_SOURCE $BOTCRON_MISSED $(date +%s.%N) >> /machine/$BOTCRON_JOB"
    private static let quarter = 900

    struct Night: CustomTestStringConvertible, Sendable {
        var testDescription: String
        /// Midnight in UTC: the clocks change an hour later.
        var midnight: String
        /// When the job at 02:30 fires: in the spring there is none, and it fires at the end of the gap; in autumn
        /// there are two, and it fires at the first.
        var nightly: String
    }

    static let spring = Night(
        testDescription: "spring", midnight: "2026-03-29 00:00:00", nightly: "2026-03-29T03:00:00+02:00")
    static let autumn = Night(
        testDescription: "autumn", midnight: "2026-10-25 00:00:00", nightly: "2026-10-25T02:30:00+02:00")

    /// From one o'clock in the old time on, quarter by quarter: the clock is set forward in between, past nothing.
    @Test(arguments: [VirtualNightTests.spring, VirtualNightTests.autumn])
    func livedThroughEachFireTimeRunsOnceAndOnTime(
        night: Night
    ) throws {
        let machine = try Machine(
            config: """
                {"schedules": {"timezone": "Europe/Berlin", "wake_settle": 0, "wake_spread": 0, "jobs": [
                    {"name": "nightly", "cron": "30 2 * * *", "command": "\(Self.note)"},
                    {"name": "hourly", "cron": "0 * * * *", "command": "\(Self.note)"},
                    {"name": "quarterly", "cron": "*/15 * * * *", "command": "\(Self.note)"}
                ]}}
                """, .virtual())
        let midnight = try #require(Ledger.instant(night.midnight))
        try machine.setClock("@\(midnight - 60)")
        try machine.startDaemon()
        let quarters = Array(stride(from: midnight, through: midnight + 2 * 3600, by: Self.quarter))
        for fire in quarters {
            try machine.passThrough(fire)
            try machine.waitForRecord("quarterly", of: quarters.filter { $0 <= fire })
        }
        let hours = [midnight, midnight + 3600, midnight + 7200]
        try machine.waitForRecord("hourly", of: hours)
        #expect(machine.started("quarterly") == quarters)
        #expect(machine.started("hourly") == hours)
        #expect(machine.lines("nightly").map { $0.prefix { $0 != " " } } == [night.nightly[...]])
        for job in ["nightly", "hourly", "quarterly"] {
            let ledger = try machine.ledger(job)
            #expect(ledger.entries.allSatisfy { $0.status == "success" && $0.trigger == "schedule" }, "\(ledger)")
            #expect(ledger.entries.count == machine.started(job).count)
        }
    }

    /// A machine that is put to sleep in the evening and woken in the morning: the clock has leapt before anybody can
    /// see it, and logind tells the end of the sleep only later.
    @Test func eightHoursOfSleepLoseNothing() throws {
        let machine = try Machine(
            config: """
                {"schedules": {"timezone": "Europe/Berlin", "wake_settle": "2s", "wake_spread": "2s", "jobs": [
                    {"name": "nightly", "cron": "30 2 * * *", "command": "\(Self.note)"},
                    {"name": "hourly", "cron": "0 * * * *", "catchup_policy": "all", "command": "\(Self.note)"},
                    {"name": "quarterly", "cron": "*/15 * * * *", "command": "\(Self.note)"},
                    {"name": "never", "cron": "0 * * * *", "catchup_policy": "none", "command": "\(Self.note)"}
                ]}}
                """, sleepSeconds: 2, .virtual(leapSeconds: 8 * 3600))
        let midnight = try #require(Ledger.instant(Self.spring.midnight))
        let evening = midnight - 110 * 60
        try machine.setClock("@\(evening)")
        try machine.startDaemon()
        try machine.suspend()
        let woke = machine.woke[0]
        #expect(woke - machine.slept[0] > 8 * 3600)

        let hours = Array(stride(from: midnight - 3600, through: midnight + 6 * 3600, by: 3600))
        let quarters = Array(stride(from: evening + 5 * 60, to: evening + 8 * 3600, by: Self.quarter))
        let nightly = try #require(Ledger.instant(Self.spring.nightly))
        try machine.waitForRecord("nightly", of: [nightly])
        try machine.waitForRecord("hourly", of: hours)
        try machine.waitForRecord("quarterly", of: quarters)
        try machine.waitForRecord("never", of: hours)
        #expect(machine.started("nightly") == [nightly])
        #expect(machine.started("hourly") == hours)
        // One stands for all.
        #expect(machine.started("quarterly") == [quarters[quarters.count - 1]])
        #expect(machine.runs("quarterly").map(\.missed) == [quarters.count])
        #expect(machine.started("never").isEmpty)
        #expect(try machine.ledger("never").entries.map(\.reason) == Array(repeating: "asleep", count: hours.count))
        for job in ["nightly", "hourly", "quarterly"] {
            #expect(machine.runs(job).allSatisfy { $0.source == "catch_up" && $0.start >= woke + 2 }, "\(job)")
        }
        // logind told it: nothing had to be guessed.
        let journal = try machine.journal()
        #expect(!journal.contains("nobody said so"), "\(journal)")
        #expect(journal.contains("the clock was set"), "\(journal)")
    }
}
