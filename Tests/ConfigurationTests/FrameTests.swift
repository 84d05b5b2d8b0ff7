import JSON
import Schedules
import Scheduling
import TestSupport
import Testing

@testable import Configuration

/// What jobs of a file share of each other's reading makes no job other than it would be by itself.
@Suite struct FrameTests {
    /// Values for each key, good and bad ones; what is said of name and action is drawn apart.
    private static let choices: [(key: String, values: [JSONValue])] = [
        ("cron", ["0 9 * * *", "*/5 * * * *", "61 * * * *"]), ("interval", ["5m", "1 day"]),
        ("cron_expr", ["0 9 * * *"]), ("once", ["in 2 hours", "2026-12-25T09:00:00Z", "2020-01-01T00:00:00Z"]),
        ("timezone", ["Europe/Berlin", "UTC", "Nowhere"]), ("start_at", ["2026-04-01T00:00:00Z"]),
        ("retry", [["max_attempts": 3], [:]]), ("timeout", [5, "5s", 5.0, "x"]), ("priority", [0, 3, 99]),
        ("working_directory", ["/tmp", "~/x"]), ("stdin", [1, 1.0, "1"]), ("environment", [["A": "b"], ["A": "c"]]),
        ("project", ["/srv/p"]), ("tags", [["a"], ["b", "a"]]), ("description", ["d", "e"]),
        ("enabled", [true, false]),
        ("overlap_policy", ["queue", "skip"]), ("conditions", [["ac_power": true]]), ("x-note", [1, 2]),
        ("jitter", ["5s"]), ("exclude", [["2026-12-25"]]), ("unknown", [1]), ("timeout_seconds", [5]),
    ]

    private func definition(_ number: Int, _ random: inout SeededGenerator) -> JSONValue {
        var members: [(String, JSONValue)] = [("name", .string("job-\(number)"))]
        for (key, values) in Self.choices where Int.random(in: 0..<6, using: &random) == 0 {
            members.append((key, values.randomElement(using: &random) ?? nil))
        }
        let actions: [(String, JSONValue)] = [
            ("command", ["true", .string("\(number)")]), ("command", "echo"), ("script", "x.py"), ("message", "hi"),
        ]
        members.append(actions.randomElement(using: &random) ?? actions[0])
        return .object(JSONObject(members.shuffled(using: &random)))
    }

    @Test func jobsOfAFileAreWhatEachIsByItself() throws {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        for _ in 0..<10 {
            let definitions = (0..<60).map { definition($0, &random) }
            // Some were seen before, at two instants, under the schedule that they have or another one.
            var registrations: [String: Registration] = [:]
            for number in 0..<60 where Bool.random(using: &random) {
                let key = ["cron 0 9 * * * @UTC", "interval 5m", "", "cron */5 * * * * @Europe/Berlin"]
                registrations["job-\(number)"] = Registration(
                    scheduleKey: key.randomElement(using: &random) ?? "",
                    registeredAt: friday - .seconds(Bool.random(using: &random) ? 90_000 : 3_600))
            }
            let section: JSONValue = ["schedules": ["jobs": .array(definitions)]]
            let document = try JSONDocument(bytes: Array(section.compactText.utf8))
            let whole = try reader(registrations: registrations).read(document: document)
            for definition in definitions {
                let name = definition["name"]?.stringValue ?? ""
                let alone: JSONValue = ["schedules": ["jobs": [definition]]]
                let single = try reader(registrations: registrations).read(
                    document: JSONDocument(bytes: Array(alone.compactText.utf8)))
                #expect(
                    whole.jobs.first { $0.name == name } == single.jobs.first,
                    "seed \(seed): \(definition.compactText)")
                #expect(
                    whole.refused.first { $0.name == name }?.error.withoutPlace
                        == single.refused.first?.error.withoutPlace, "seed \(seed): \(definition.compactText)")
            }
        }
    }

    @Test(arguments: [#""working_directory": "/w", "project": "/p""#, #""project": "/p", "working_directory": "/w""#])
    func aWorkingDirectoryStandsBesideAProject(_ members: String) throws {
        let job = try runnable(members)
        #expect(job.workingDirectory == "/w")
        #expect(job.project == "/p")
    }
}

extension String {
    /// The text of an error but for the line and column, which differ from file to file.
    fileprivate var withoutPlace: String { String(split(separator: "line 1, column").first ?? "") }
}
