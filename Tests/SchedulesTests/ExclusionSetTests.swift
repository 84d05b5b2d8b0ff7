import TestSupport
import Testing

@testable import Schedules

@Suite struct ExclusionSetTests {
    private static let texts = [
        "2026-12-25", "2027-01-01", "2026-08-*", "2026-08-01..15", "Sat,Sun", "*-12-24", "*-*-01", "2026-12-25 10:00",
        "2026-*-13 08:30", "*:00:00", "12:00", "2026-02-30", "2400-01-01", "Fri *-*-13", "*-02-29", "1970-01-01",
        "2026-10-25", "2026-03-29 02:30", "Mon 09:00:30", "2026-12-25 Europe/London", "*-05-01 America/New_York",
    ]

    /// A set says what each of its events says, whatever is among them, in zones with and without changes.
    @Test(arguments: ["UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia", "Africa/Cairo"])
    func aSetSaysWhatItsEventsSay(_ name: String) throws {
        let seed = TestSettings.seed
        var random = SeededGenerator(seed: seed)
        let zone = try #require(InstalledZones.shared.zone(name))
        let all = Self.texts.compactMap { try? Exclusion($0, zone: zone, zones: { InstalledZones.shared.zone($0) }) }
        #expect(all.count >= 18)
        for _ in 0..<40 {
            let events = all.filter { _ in Bool.random(using: &random) }
            let set = ExclusionSet(events)
            #expect(set.isEmpty || !events.isEmpty)
            for _ in 0..<300 {
                var fire = Instant(seconds: Int64.random(in: 1_767_225_600..<1_830_297_600, using: &random))
                if Bool.random(using: &random) { fire = Instant(seconds: fire.seconds / 1_800 * 1_800) }
                let expected = events.contains { $0.contains(fire) }
                #expect(set.contains(fire) == expected, "seed \(seed): \(fire) \(events.map(\.text))")
                guard let end = set.endOfDay(around: fire) else { continue }
                #expect(end > fire && expected, "seed \(seed)")
                // All of the rest of the day is excluded, up to where it ends.
                for part in 0..<4 {
                    let between = Instant(seconds: fire.seconds + (end.seconds - 1 - fire.seconds) * Int64(part) / 3)
                    #expect(set.contains(max(fire, between)), "seed \(seed): \(fire) … \(end): \(between)")
                }
            }
        }
    }

    @Test func whatRepeatsWithoutEndIsCountedAndDatesAreNot() throws {
        let texts =
            (0..<3_000).map { "20\(26 + $0 / 365)-\($0 / 31 % 12 + 1)-\($0 % 28 + 1)" } + ["Sat", "12:00", "Sat"]
        let set = ExclusionSet(try texts.map { try Exclusion($0, zone: .utc, zones: { _ in nil }) })
        #expect(set.repeatingCount == 2)
    }

    /// A job each second, with every day of twenty years excluded one by one, kept the loop for seconds.
    @Test func thousandsOfDatesCostNoMoreThanOne() throws {
        let dates = (0..<8_000).map { day in LocalDateTime(wallSeconds: 1_767_225_600 + Int64(day) * 86_400) }
        let set = ExclusionSet(
            try dates.map { try Exclusion("\($0.year)-\($0.month)-\($0.day)", zone: .utc, zones: { _ in nil }) })
        let clock = ContinuousClock()
        var excluded = 0
        let took = clock.measure {
            for second in 0..<10_000 where set.contains(Instant(seconds: 1_767_225_600 + Int64(second))) {
                excluded += 1
            }
        }
        #expect(excluded == 10_000)
        #expect(took < .seconds(1))
    }
}
