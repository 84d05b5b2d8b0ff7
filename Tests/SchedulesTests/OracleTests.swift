import Foundation
import Schedules
import TestSupport
import Testing

/// `next`, `previous` and `count` against a scan of the wall clock, around the transitions of real zones.
@Suite struct OracleTests {
    /// A transition with what a scan around it needs.
    private struct Place {
        var zone: TimeZoneRules
        var transition: Int64
        /// A scan by minutes sees every second in which the wall clock shows :00.
        var hasWholeMinutes: Bool
    }

    private static let begin: Int64 = 10 * 86_400
    /// 2100-01-01
    private static let end: Int64 = 4_102_444_800

    private static func places(_ names: [String]) -> [Place] {
        var places: [Place] = []
        for name in names {
            guard let zone = InstalledZones.shared.zone(name) else { continue }
            var instant = Instant(seconds: begin)
            while let next = zone.nextTransition(after: instant), next.seconds < end {
                let before = zone.utcOffset(at: next - .seconds(1))
                let isWhole = before % 60 == 0 && zone.utcOffset(at: next) % 60 == 0
                places.append(Place(zone: zone, transition: next.seconds, hasWholeMinutes: isWhole))
                instant = next
            }
        }
        return places
    }

    /// The zones that break schedulers: odd sizes, odd times of day, skipped and negative daylight time.
    private static let awkward = [
        "America/New_York", "Europe/Berlin", "Europe/Dublin", "Australia/Lord_Howe", "Antarctica/Troll", "Pacific/Apia",
        "America/Sao_Paulo", "America/St_Johns", "Africa/Casablanca", "Asia/Gaza", "America/Havana", "Pacific/Chatham",
        "America/Nuuk", "America/Scoresbysund", "Africa/Cairo", "Asia/Tehran", "Pacific/Kwajalein", "Asia/Pyongyang",
        "America/Caracas", "Africa/Monrovia", "Pacific/Kiritimati", "Asia/Kathmandu", "Atlantic/Azores", "Africa/Juba",
    ]

    @Test func nextAgreesWithAScanOfTheWallClockAroundTransitions() {
        var random = SeededGenerator(seed: TestSettings.seed)
        let places = Self.places(TestSettings.isLong ? InstalledZones.shared.names : Self.awkward)
        #expect(places.count > 1_000)
        let rounds = TestSettings.isLong ? places.count : 2_200
        var triples = 0
        for round in 0..<rounds {
            guard let place = TestSettings.isLong ? places[round] : places.randomElement(using: &random) else { break }
            var generator = ExpressionGenerator(random: SeededGenerator(seed: random.next()))
            generator.hasSeconds = !place.hasWholeMinutes || Int.random(in: 0..<20, using: &random) == 0
            let wall = place.zone.localDateTime(at: Instant(seconds: place.transition))
            let wallBefore = place.zone.localDateTime(at: Instant(seconds: place.transition - 1))
            generator.hours = [wall.hour, wallBefore.hour, (wall.hour + 23) % 24, (wallBefore.hour + 1) % 24, 0, 23]
            let expression = generator.expression()
            let policy = DSTPolicy(
                gap: Int.random(in: 0..<4, using: &random) == 0 ? .skip : .runAfter,
                overlap: Int.random(in: 0..<4, using: &random) == 0 ? .both : .first)
            triples += compare(
                expression, place.zone, policy, around: place.transition, bySeconds: generator.hasSeconds, &random)
        }
        #expect(triples >= 20_000)
    }

    /// Compares at a dozen instants of one scan; returns how many.
    private func compare(
        _ expression: OracleExpression, _ zone: TimeZoneRules, _ policy: DSTPolicy, around transition: Int64,
        bySeconds: Bool, _ random: inout SeededGenerator
    ) -> Int {
        let reach: Int64 = bySeconds ? 9_000 : 30 * 3_600
        let begin = transition - reach
        let end = transition + reach
        let oracle = Oracle(expression: expression, zone: zone, dst: policy)
        let fires = oracle.fires(
            from: begin, through: end, step: bySeconds ? 1 : 60, lead: bySeconds ? 4 * 3_600 : 26 * 3_600)
        let timetable: Timetable
        do {
            timetable = try Timetable(
                schedule: .cron(expression.text), zone: zone, dst: policy, anchor: .epoch)
        } catch {
            Issue.record("\(expression.text) is refused: \(error); seed \(TestSettings.seed)")
            return 0
        }
        let samples = 12
        for _ in 0..<samples {
            var after = Int64.random(in: begin..<end, using: &random)
            if let fire = fires.randomElement(using: &random), Bool.random(using: &random) {
                after = max(begin, min(end - 1, fire + Int64.random(in: -1...1, using: &random)))
            }
            let expected = fires.first { $0 > after }
            let found = timetable.next(after: Instant(seconds: after))?.seconds
            let isRight = expected == nil ? found ?? .max > end : found == expected
            let latest = fires.last { $0 <= after }
            let previous = timetable.previous(atOrBefore: Instant(seconds: after))?.seconds
            let isPreviousRight = latest == nil ? previous ?? .min < begin : previous == latest
            let count = timetable.count(after: Instant(seconds: after), through: Instant(seconds: end))
            let isCountRight = count == fires.count { $0 > after }
            if !isRight || !isPreviousRight || !isCountRight {
                let show = { (second: Int64?) in second.map { Instant(seconds: $0).rfc3339(in: zone) } ?? "none" }
                Issue.record(
                    """
                    "\(expression.text)" in \(zone.name), \(policy), after \(show(after)): \
                    next \(show(found)), by the scan \(show(expected)); \
                    previous \(show(previous)), by the scan \(show(latest)); \
                    count \(count), by the scan \(fires.count { $0 > after }); seed \(TestSettings.seed)
                    """)
                return samples
            }
        }
        return samples
    }

    @Test func previousAndCountAgreeWithStepsOfNext() throws {
        var random = SeededGenerator(seed: TestSettings.seed &+ 1)
        for _ in 0..<(TestSettings.isLong ? 20_000 : 600) {
            let zone = try #require(InstalledZones.shared.zone(Self.awkward.randomElement(using: &random) ?? "UTC"))
            let start = Instant(seconds: Int64.random(in: 0..<Self.end, using: &random))
            let schedule: Schedule
            switch Int.random(in: 0..<3, using: &random) {
            case 0:
                let intervals = ["90m", "1d", "36h", "1mo", "1y2mo", "1mo1d", "2w", "7d12h", "1d30m", "P1M10DT1H"]
                schedule = try .interval(intervals.randomElement(using: &random) ?? "1d")
            case 1:
                let events = [
                    "Mon..Fri 02:30", "*-*~01 0/6:30", "*:0/30", "*-02-29 00:00", "2020..2040-*-1/9 1,2,3:15",
                ]
                schedule = try .calendar(events.randomElement(using: &random) ?? "daily") { _ in nil }
            default:
                var generator = ExpressionGenerator(random: SeededGenerator(seed: random.next()))
                schedule = try .cron(generator.expression().text)
            }
            let timetable = try Timetable(
                schedule: schedule, zone: zone,
                anchor: start - .seconds(Int64.random(in: 0..<400_000_000, using: &random)))
            var fires: [Instant] = []
            while fires.count < 120, let next = timetable.next(after: fires.last ?? start) { fires.append(next) }
            guard let last = fires.last else { continue }
            #expect(
                fires == fires.sorted() && Set(fires).count == fires.count, "\(schedule.text) seed \(TestSettings.seed)"
            )
            #expect(
                timetable.count(after: start, through: last) == fires.count,
                "count of \(schedule.text) in \(zone.name) after \(start.seconds), seed \(TestSettings.seed)")
            for (earlier, later) in zip(fires, fires.dropFirst()) {
                let found = timetable.previous(atOrBefore: later - .microseconds(1))
                #expect(
                    found == earlier && timetable.previous(atOrBefore: later) == later && timetable.contains(later),
                    "previous of \(schedule.text) in \(zone.name) before \(later.seconds), seed \(TestSettings.seed)")
            }
        }
    }

    @Test func intervalsAgreeWithFiresCountedOneByOne() throws {
        var random = SeededGenerator(seed: TestSettings.seed &+ 2)
        for _ in 0..<(TestSettings.isLong ? 5_000 : 400) {
            let zone = try #require(InstalledZones.shared.zone(Self.awkward.randomElement(using: &random) ?? "UTC"))
            let months = [0, 0, 1, 2, 7, 12].randomElement(using: &random) ?? 0
            let days = [0, 0, 1, 3, 10, 31].randomElement(using: &random) ?? 0
            let seconds = [0, 0, 1, 5_400, 86_400, 100_000].randomElement(using: &random) ?? 0
            guard months + days + seconds > 0 else { continue }
            let anchor = Int64.random(in: 86_400..<Self.end, using: &random)
            let wall = zone.localDateTime(at: Instant(seconds: anchor))
            var fires: Set<Int64> = [anchor]
            for index in 1...60 {
                // Months first with the day cut, then days, then the instant, then what elapses.
                let month = wall.month - 1 + index * months
                let year = wall.year + month / 12
                let day = min(wall.day, OracleCalendar.length(month % 12 + 1, year))
                let local = LocalDateTime(
                    year: year, month: month % 12 + 1, day: day + index * days, hour: wall.hour, minute: wall.minute,
                    second: wall.second)
                let isElapsed = months == 0 && days == 0
                let base = isElapsed ? anchor : zone.instant(of: local).seconds
                fires.insert(base + Int64(index * seconds))
            }
            let parts = ["\(months)mo", "\(days)d", "\(seconds)s"].filter { $0.first != "0" }.joined(separator: " ")
            let timetable = try Timetable(
                schedule: .interval(parts), zone: zone, anchor: .epoch, startAt: Instant(seconds: anchor))
            var after = Instant(seconds: anchor - 1)
            for fire in fires.sorted() where fire <= Instant.horizon.seconds {
                let next = timetable.next(after: after)
                #expect(next?.seconds == fire, "\(parts) in \(zone.name) from \(anchor), seed \(TestSettings.seed)")
                after = Instant(seconds: fire)
            }
        }
    }
}
