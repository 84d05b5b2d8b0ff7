import Client
import Configuration
import Contract
import Schedules
import TestSupport
import Testing

@testable import botcronctl

/// What the command line says where somebody typed something else than they meant, and in which words.
@Suite struct WordTests {
    private func run(_ arguments: String..., environment: [String] = ["TZ=UTC"]) throws -> TestProgram.Outcome {
        try TestProgram([TestPlace.built("botcronctl")] + arguments, environment: ["PATH=/usr/bin"] + environment)
            .finish()
    }

    // MARK: - Methods and verbs

    /// No message leaves with the name of a method in it, whichever the daemon names.
    @Test(arguments: MethodName.allCases)
    func aMethodIsSaidAsWhatIsTyped(_ method: MethodName) {
        let failure = Failure(.refused(.service(.jobNotFound), message: "no such job (\(method.rawValue) names all)"))
        if method == .ping || method == .shutdown { return }
        // A verb of the same name is what is typed; a key of the same name is what config.json has.
        let isKey = DocumentedKeys.job.contains { $0.keys.contains { $0.name == method.rawValue } }
        if isKey || Verb.all.contains(where: { $0.name == method.rawValue }) {
            #expect(failure.message == "no such job (\(method.rawValue) names all)")
            return
        }
        #expect(!failure.message.split(whereSeparator: { " ()".contains($0) }).contains { $0 == method.rawValue })
        if let command = MethodWords.command(for: method) {
            #expect(failure.message == "no such job (\(command) names all)")
            // Verbs that exist.
            let words = command.split(separator: " ")
            if words[0] == "botcronctl" { #expect(Verb.all.contains { $0.name == words[1] }, "\(command)") }
        }
    }

    @Test func whatSomebodyWroteStaysAsItIs() {
        #expect(
            MethodWords.plain("there is no job \"list_jobs\"; the nearest is \"my_list_jobs\" (list_jobs names all)")
                == "there is no job \"list_jobs\"; the nearest is \"my_list_jobs\" (botcronctl list names all)")
        #expect(MethodWords.plain("Shutdown was called; list_jobs_2") == "Shutdown was called; list_jobs_2")
        #expect(MethodWords.plain("") == "")
    }

    // MARK: - Options and fields

    @Test(arguments: [
        ["-5 * * * *"], ["-5", "*", "*", "*", "*"], ["-5/2 * * * *"], ["--", "-5 * * * *"], ["-a * * * *"],
    ])
    func aFieldIsNoOption(_ arguments: [String]) throws {
        let outcome = try TestProgram(
            [TestPlace.built("botcronctl"), "next"] + arguments, environment: ["PATH=/usr/bin", "TZ=UTC"]
        ).finish()
        #expect(outcome.code == 1 && outcome.errors.contains("minute \"-"), "\(outcome)")
    }

    @Test func anOptionMayHaveBlanksInItsValue() throws {
        let parsed = try ParsedCommandLine(["run", "a", "--inputs={\"a\": 1}"])
        #expect(parsed.request.options["--inputs"] == "{\"a\": 1}")
    }

    @Test(arguments: [
        ("15m", "\"15m\" is an interval, not a cron expression", "botcronctl next --type interval '15m'"),
        ("2 hours", "\"2 hours\" is an interval, not a cron expression", "botcronctl next --type interval '2 hours'"),
        (
            "Mon..Fri 09:00", "\"Mon..Fri 09:00\" is a calendar event, not a cron expression",
            "botcronctl next --type calendar 'Mon..Fri 09:00'"
        ),
        (
            "tomorrow 09:00", "\"tomorrow 09:00\" is an instant, not a cron expression",
            "botcronctl next --type once 'tomorrow 09:00'"
        ),
        ("foo", "\"foo\" looks like no schedule, but like the name of a job", "botcronctl list"),
    ])
    func whatIsNoCronExpressionIsSaidAsWhatItIs(_ text: String, _ message: String, _ command: String) throws {
        let outcome = try run("next", text)
        #expect(outcome.code == 1 && outcome.errors.hasPrefix("botcronctl: \(message)\n"), "\(outcome)")
        #expect(outcome.errors.contains(command), "\(outcome)")
        // The command that it names does it.
        if command.contains("--type") { #expect(try run("next", text, "--type", command.type).code == 0) }
    }

    // MARK: - The zone

    @Test(arguments: [["next", "0 9 * * *"], ["next", "in 1 minute", "--type", "once", "--after", "2026-01-01"]])
    func aZoneThatCannotBeReadIsSaidOnce(_ arguments: [String]) throws {
        let outcome = try TestProgram(
            [TestPlace.built("botcronctl")] + arguments, environment: ["PATH=/usr/bin", "TZ=Mars/Base"]
        ).finish()
        let lines = outcome.errors.split(separator: "\n").filter { $0.contains("TZ") }
        #expect(
            lines.count == 1 && lines[0].contains("Mars/Base") && lines[0].hasSuffix("times are in UTC"), "\(outcome)")
    }

    @Test(arguments: [["version"], ["help"], ["next", "0 9 * * *", "--utc"]])
    func whereNoZoneIsNeededNothingIsSaidOfIt(_ arguments: [String]) throws {
        let outcome = try TestProgram(
            [TestPlace.built("botcronctl")] + arguments, environment: ["PATH=/usr/bin", "TZ=Mars/Base"]
        ).finish()
        #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome)")
    }

    @Test(arguments: [
        ("America/Los Angeles", "America/Los_Angeles"), ("Asia/Kolkatta", "Asia/Kolkata"),
        ("PST", "America/Los_Angeles"), ("europe/berlin", "Europe/Berlin"), ("Europe/Berlim", "Europe/Berlin"),
    ])
    func aMistypedZoneNamesTheNearest(_ name: String, _ nearest: String) throws {
        let outcome = try run("next", "@daily", "--tz", name)
        #expect(outcome.code == 64 && outcome.errors.contains("; the nearest is \"\(nearest)\""), "\(outcome)")
    }

    // MARK: - Moments

    @Test(arguments: [
        ("in 1 minute", "2026-01-15T18:01:00Z", false), ("19:30", "2026-01-15T19:30:00Z", false),
        ("17:00", "2026-01-16T17:00:00Z", false), ("18:00", "2026-01-16T18:00:00Z", false),
        ("tomorrow", "2026-01-16T00:00:00Z", false), ("Tomorrow 09:00", "2026-01-16T09:00:00Z", false),
        ("today 20:00", "2026-01-15T20:00:00Z", false), ("2026-02-01", "2026-02-01T00:00:00Z", true),
        ("2026-02-01T09:00:00+02:00", "2026-02-01T07:00:00Z", true),
    ])
    func aMomentIsTakenAsOnceTakesIt(_ text: String, _ instant: String, _ isAbsolute: Bool) throws {
        let moment = try Moment(text, now: Instant(seconds: 1_768_500_000), zone: .utc)
        #expect(moment.instant == Instant(rfc3339: instant) && moment.isAbsolute == isAbsolute)
    }

    @Test(arguments: ["", "soon", "now", "2020-01-01", "today 09:00", "25:00", "in 0 s"])
    func whatIsNoMomentToComeIsRefused(_ text: String) {
        #expect(throws: ScheduleError.self) { try Moment(text, now: Instant(seconds: 1_768_500_000), zone: .utc) }
    }
}

extension String {
    /// The value of `--type` in a command.
    fileprivate var type: String {
        let words = split(separator: " ")
        return words.firstIndex(of: "--type").map { String(words[$0 + 1]) } ?? ""
    }
}
