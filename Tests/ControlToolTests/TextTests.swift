import JSON
import Schedules
import Testing

@testable import botcronctl

/// Times, foreign text and refusals, as people read them.
@Suite struct TextTests {
    private static let now = Instant(seconds: 1_768_500_000)

    @Test(arguments: [
        (0, "now"), (1, "in 1 s"), (59, "in 59 s"), (60, "in 1 min"), (245, "in 4 min 5 s"), (600, "in 10 min"),
        (3_599, "in 59 min"), (3_600, "in 1 h"), (7_500, "in 2 h 5 min"), (86_400, "in 1 d"),
        (93_600, "in 1 d 2 h"), (864_000, "in 10 d"), (63_115_200, "in 2 years"), (-5, "5 s ago"),
        (-3_700, "1 h 1 min ago"),
    ])
    func relativeTimesNameTwoUnitsAtMost(_ seconds: Int64, _ text: String) {
        let times = TimeText(zone: .utc, now: Self.now)
        #expect(times.relative(Instant(seconds: Self.now.seconds + seconds)) == text)
    }

    @Test(arguments: [
        (0, "0 ms"), (999, "999 ms"), (1_000, "1.00 s"), (1_259, "1.25 s"), (59_999, "59.99 s"), (185_000, "3 min 5 s"),
    ])
    func durationsAreAsExactAsTheyAreShort(_ milliseconds: Int, _ text: String) {
        #expect(TimeText.duration(milliseconds: milliseconds) == text)
    }

    @Test func aFractionOfNowDoesNotShortenWhatIsDue() {
        let times = TimeText(zone: .utc, now: Instant(microseconds: Self.now.microseconds + 999_999))
        #expect(times.relative(Instant(seconds: Self.now.seconds + 5)) == "in 5 s")
    }

    @Test func absoluteTimesCarryWeekdayAndOffset() {
        #expect(TimeText(zone: .utc, now: Self.now).absolute(Self.now) == "Thu 2026-01-15 18:00:00 UTC")
    }

    @Test func foreignTextCannotSteerATerminal() {
        #expect(printable("a\u{1B}[31mb\u{7}c\u{9B}d\u{202E}e") == "a\u{FFFD}[31mb\u{FFFD}c\u{FFFD}d\u{FFFD}e")
        #expect(printable("a\tb\nc\rd") == "a b c d")
        #expect(printable("a\nb", keepingLines: true) == "a\nb")
        #expect(printable("Jörg 日本 🎉") == "Jörg 日本 🎉")
    }

    // MARK: - Refusals

    @Test(arguments: [
        ("61 * * * *", "^^"), ("0 9 * * MON-FRX", "            ^^^"), ("1,,2 * * * *", "  ^"),
        ("* * * *", "       ^"), ("", "^"), ("ä ü * * *", "^"), ("0 0 L-31 * *", "      ^^"),
    ])
    func caretsStandUnderTheValue(_ expression: String, _ carets: String) throws {
        let error = try #require(throws: ScheduleError.self) { try Schedule.cron(expression) }
        #expect(Refusal(error, expression: expression).lines == [expression, carets])
    }

    @Test func aRefusalIsReadBackFromItsText() throws {
        let definition: JSONValue = ["schedules": [["cron": "@daily"], ["cron": "61 * * * *"]]]
        let text = #"out_of_range minute "61" at 0: expected 0–59 (schedules[1].cron, line 3, column 7)"#
        let refusal = try #require(Refusal(text, definition: definition))
        #expect(refusal.code == "out_of_range" && refusal.field == "minute" && refusal.value == "61")
        #expect(refusal.position == 0 && refusal.expression == "61 * * * *")
        #expect(refusal.lines == ["61 * * * *", "^^"])
    }

    @Test func aValueMayHoldWhatAMarkLooksLike() throws {
        let refusal = try #require(Refusal(#"syntax minute "a" at 3: b" at 7: sentence"#, definition: nil))
        #expect(refusal.value == #"a" at 3: b"# && refusal.position == 7 && refusal.sentence == "sentence")
        #expect(refusal.lines.isEmpty)
    }

    @Test(arguments: [
        "", "no such thing", #"syntax minute "x" at 2"#, #"syntax minute x at 2: s"#, #"weird minute "x" at 2: s"#,
        #"syntax minute "x" at : s"#, "unknown key \"corn\"; the nearest is \"cron\"",
    ])
    func otherTextIsNoRefusal(_ text: String) {
        #expect(Refusal(text, definition: nil) == nil)
    }

    // MARK: - Exit codes

    @Test(arguments: [
        (#"{"status": "success", "exit_code": 0}"#, 0), (#"{"status": "failed", "exit_code": 3}"#, 3),
        (#"{"status": "failed", "signal": 9}"#, 137), (#"{"status": "timeout", "signal": 15}"#, 124),
        (#"{"status": "failed", "exit_code": null, "signal": null}"#, 1),
        (#"{"status": "cancelled", "signal": 15}"#, 143),
        (#"{"status": "success"}"#, 0),
    ])
    func aRunIsPassedOnAsAnExitCode(_ run: String, _ code: Int) throws {
        #expect(RunText.exitCode(try JSONValue(parsing: run)) == Int32(code))
    }
}
