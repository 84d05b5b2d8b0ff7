import Schedules
import Testing

/// Texts of any length are read or refused in linear time.
@Suite struct BoundsTests {
    private static func parse(_ text: String) {
        _ = try? Schedule.cron(text)
        _ = try? Schedule.interval(text)
        _ = try? Schedule.calendar(text) { _ in nil }
        _ = try? Schedule.once(text, registeredAt: .epoch, zone: .utc, allowPast: true)
    }

    static let units = [
        "1,", "* ", "1 ", "é", "*/", "L,", "15W,", "MON#1,", "MON,", "1h", "1 hour ", "9", "-", "~", ":", "..", "1..2,",
        "1/1,", "@",
        " ", "\t", "H,", "a", "Mon,", "P1D", "?", "61,", "𝟙", "every ", "in ", "1-1-1 ",
    ]

    @Test(arguments: units) func tenThousandCharactersTakeMilliseconds(_ unit: String) {
        let clock = ContinuousClock()
        for prefix in ["", "* * ", "* * * * ", "Mon ", "*:", "@every ", "in "] {
            let count = (Schedule.textLimit - prefix.utf8.count) / unit.utf8.count
            let text = prefix + String(repeating: unit, count: count)
            // The bound of the contract is 1 ms for one parser in a release build; this is four parsers in a debug
            // one, on a machine that does other things: the best of some tries.
            let best = (0..<5).map { _ in clock.measure { Self.parse(text) } }.min() ?? .zero
            #expect(best < .milliseconds(60), "\(prefix)\(unit)…")
        }
    }

    @Test func textsBeyondTheLimitAreRefusedUnread() throws {
        let long = String(repeating: "1,", count: Schedule.textLimit) + "1 * * * *"
        let error = #expect(throws: ScheduleError.self) { try Schedule.cron(long) }
        #expect(error?.code == .syntax && error?.sentence.contains("10000") == true)
        let most = "0" + String(repeating: ",0", count: (Schedule.textLimit - 9) / 2) + " * * * *"
        #expect(throws: Never.self) { try Schedule.cron(most) }
    }

    @Test func tenYearsAreCountedWithoutWalkingThem() throws {
        let zone = try #require(InstalledZones.shared.zone("America/New_York"))
        let table = try Timetable(schedule: .cron("* * * * *"), zone: zone, anchor: .epoch)
        let begin = Instant(seconds: 1_457_352_000)
        let end = begin + .seconds(10 * 365 * 86_400)
        let clock = ContinuousClock()
        var count = 0
        let time = (0..<5).map { _ in clock.measure { count = table.count(after: begin, through: end) } }.min() ?? .zero
        #expect(count == 5_256_000)
        #expect(time < .milliseconds(1))
    }
}
