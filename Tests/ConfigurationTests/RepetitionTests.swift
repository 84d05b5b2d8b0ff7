import JSON
import Schedules
import Scheduling
import TestSupport
import Testing

@testable import Configuration

/// A definition that repeats another but for its name and command is not taken apart; it becomes what it would be by
/// itself.
@Suite struct RepetitionTests {
    /// What is said beside name and command: few, so that each comes often.
    private static let rests = [
        #""cron": "0 9 * * *""#, #""cron":"0 9 * * *""#, #""cron": "0 9 * * *", "title": "T""#,
        #""interval": "5m", "tags": ["a"], "x-note": {"a": [1, "]}"]}"#, #""cron": "0 9 * * *", "x-b": 1"#,
        #""enabled": false, "description": "a\"b""#,
        #""execution_mode": "own", "cron": "0 9 * * *""#, #""skill": "s", "cron": "0 9 * * *""#,
        #""once": "in 2 hours""#, #""cron": "61 * * * *""#, #""cron": "0 9 * * *", "unknown": 1"#,
        #""cron": "0 9 * * *", "comm\u0061nd": ["other"]"#, #""priority": 1.0, "retry": null"#,
    ]

    private func command(_ number: Int, _ random: inout SeededGenerator) -> String {
        let usual = #""command": ["true", "\#(number)"]"#
        guard Int.random(in: 0..<3, using: &random) == 0 else { return usual }
        let others = [
            #""command": "echo \#(number)""#, #""command" : [ "true" , "\#(number)" ]"#, "", #""command": []"#,
            #""command": [""]"#, #""command": """#, #""command": ["\u0041", "b"]"#, #""command": "a\tb""#,
            #""command": [1]"#, #""command": null"#, #""command": ["true"], "command": ["true"]"#,
            #""command": ["true"], "command": ["false"]"#, #""command": {"a": 1}"#, #""command": ["a,b", "[", "\\"]"#,
        ]
        return others.randomElement(using: &random) ?? usual
    }

    private func name(_ number: Int, _ random: inout SeededGenerator) -> String {
        guard Int.random(in: 0..<6, using: &random) == 0 else { return #""name": "job-\#(number)""# }
        let others = [
            #""name": "job-\#(number)", "job_id": "job-\#(number)""#,
            #""name": "job-\#(number)", "job_id": "other-\#(number)""#,
            #""name": "job-\#(number)", "n\u0061me": "job-\#(number)""#,
            #""name": "j\u006fb-\#(number)""#, #""name": "a b""#, #""name": """#, #""name": 5"#, "",
            #""schedule_id": "job-\#(number)""#, #""name": "job-\#(number)", "name": "job-\#(number)""#,
            #""name": "job-\#(number)", "name": "other-\#(number)""#, #""name": null"#,
        ]
        return others.randomElement(using: &random) ?? ""
    }

    private func read(_ definitions: [String], _ registrations: [String: Registration]) throws -> Configuration {
        try configuration(
            #""runners": {"own": {"command": ["run-it"]}}, "jobs": [\#(definitions.joined(separator: ",\n"))]"#,
            registrations: registrations)
    }

    @Test func aRepetitionIsWhatItIsByItself() throws {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        for _ in 0..<10 {
            let definitions = (0..<120).map { number in
                let rest = Self.rests.randomElement(using: &random) ?? ""
                let parts = [name(number, &random), command(number, &random), rest].filter { !$0.isEmpty }
                return "{" + parts.shuffled(using: &random).joined(separator: ", ") + "}"
            }
            var registrations: [String: Registration] = [:]
            for number in 0..<120 where Bool.random(using: &random) {
                let key = ["cron 0 9 * * * @UTC", "interval 5m", ""].randomElement(using: &random) ?? ""
                registrations["job-\(number)"] = Registration(
                    scheduleKey: key, registeredAt: friday - .seconds(Bool.random(using: &random) ? 90_000 : 3_600))
            }
            let whole = try read(definitions, registrations)
            var refused = 0
            var jobs = whole.jobs[...]
            for definition in definitions {
                let single = try read([definition], registrations)
                refused += single.refused.count
                guard let job = single.jobs.first else { continue }
                #expect(jobs.popFirst() == job, "seed \(seed): \(definition)")
            }
            #expect(jobs.isEmpty && whole.refused.count == refused, "seed \(seed)")
        }
    }

    @Test func aRepetitionUnderATakenNameIsRefused() throws {
        let definition = #"{"name": "a", "cron": "0 9 * * *", "command": ["true"]}"#
        let read = try read([definition, definition.replacing("\"a\"", with: "\"b\""), definition], [:])
        #expect(read.jobs.map(\.name) == ["a", "b"])
        #expect(read.refused.map(\.name) == ["a"])
        #expect(read.refused.first?.error.contains("taken by jobs[0]") == true)
    }
}
