import Schedules
import TestSupport
import Testing

/// The sentence of a schedule names the instants that it has: it is read back, and both are compared.
@Suite struct SentenceTests {
    private static let years = 2024...2027

    @Test func theSentenceOfACronExpressionReadsBackAsItsInstants() throws {
        var generator = ExpressionGenerator(random: SeededGenerator(seed: TestSettings.seed))
        var abridged = 0
        let rounds = TestSettings.isLong ? 20_000 : 200
        for round in 0..<rounds {
            generator.hasSeconds = round % 5 == 0
            let expression = generator.expression()
            let sentence = try Timetable(
                schedule: .cron(expression.text), zone: .utc, anchor: Instant(seconds: 0)
            ).explain()
            let said: Comment = "seed \(TestSettings.seed): \(expression.text): \(sentence)"
            let read: SentenceReader
            do {
                read = try SentenceReader(sentence)
            } catch {
                Issue.record("\(said): \(error)")
                continue
            }
            guard !read.isAbridged else {
                abridged += 1
                continue
            }
            #expect(read.times == times(expression), said)
            #expect(firstDifference(expression, read) == nil, said)
        }
        #expect(abridged < rounds / 4, "too few sentences were compared")
    }

    private func times(_ expression: OracleExpression) -> Set<Int> {
        var times: Set<Int> = []
        for hour in expression.hours {
            for minute in expression.minutes {
                for second in expression.seconds { times.insert(hour * 3_600 + minute * 60 + second) }
            }
        }
        return times
    }

    /// The first day that one of them names and the other does not.
    private func firstDifference(_ expression: OracleExpression, _ read: SentenceReader) -> String? {
        for year in Self.years {
            for month in 1...12 {
                for day in 1...OracleCalendar.length(month, year) {
                    let isMeant =
                        expression.months.contains(month)
                        && expression.matchesDay(year, month, day, weekday(year, month, day))
                    if isMeant != read.matches(year, month, day) { return "\(year)-\(month)-\(day)" }
                }
            }
        }
        return nil
    }
}
