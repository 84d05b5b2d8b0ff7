import JSON
import Schedules
import Scheduling
import TestSupport
import Testing

@testable import Configuration

/// Whatever stands in a file: it is read, refused job by job, or refused with a reason. It never traps.
@Suite struct MutationTests {
    /// Values of every kind, at and beyond bounds, to be put in place of others.
    private static let hostile: [JSONValue] = [
        nil, true, 0, -1, 1, 9_223_372_036_854_775_807, 1e300, 0.5, "", "x", "now", "in 1 day", "0 9 * * *", "P1D", "~",
        "${", "${job}", "\0", "é", "-", [], [nil], [[]], [:], ["a": nil], ["type": "cron", "value": "* * * * *"],
        ["cron": "@daily"], ["command"], "exit:1-", "signal:", "*-*-31", "2026-02-29", "99999999999999999999 days",
        .string(String(repeating: "9", count: 5000)),
    ]

    private static let keys = ConfigurationReader.jobVocabulary.keys + ConfigurationReader.sectionVocabulary.keys

    /// Replaces, removes, adds or renames at a random place.
    private func mutate(_ value: JSONValue, _ random: inout SeededGenerator) -> JSONValue {
        if Int.random(in: 0..<6, using: &random) == 0 { return hostileValue(&random) }
        switch value {
        case .array(var elements) where !elements.isEmpty:
            let index = Int.random(in: 0..<elements.count, using: &random)
            elements[index] = mutate(elements[index], &random)
            return .array(elements)
        case .object(let members):
            var members = members.map { ($0.key, $0.value) }
            let choice = Int.random(in: 0..<5, using: &random)
            if members.isEmpty || choice == 0 {
                members.append((Self.keys.randomElement(using: &random) ?? "", hostileValue(&random)))
            } else {
                let index = Int.random(in: 0..<members.count, using: &random)
                switch choice {
                case 1: members.remove(at: index)
                case 2: members[index].0 = Self.keys.randomElement(using: &random) ?? ""
                default: members[index].1 = mutate(members[index].1, &random)
                }
            }
            return .object(JSONObject(members))
        default:
            return hostileValue(&random)
        }
    }

    /// Mutates inside one element of `schedules.jobs`; nil where there is none left.
    private func mutateJob(of root: JSONValue, _ random: inout SeededGenerator) -> JSONValue? {
        guard var members = root.objectValue, var section = members["schedules"]?.objectValue,
            var jobs = section["jobs"]?.arrayValue, let index = jobs.indices.randomElement(using: &random)
        else { return nil }
        jobs[index] = mutate(jobs[index], &random)
        section["jobs"] = .array(jobs)
        members["schedules"] = .object(section)
        return .object(members)
    }

    private func hostileValue(_ random: inout SeededGenerator) -> JSONValue {
        Self.hostile.randomElement(using: &random) ?? nil
    }

    @Test func aMutatedFileNeverTraps() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        let original = try JSONDocument(bytes: fixture("config.json")).root
        let reader = reader()
        var outcomes = (read: 0, refused: 0, jobs: 0, troubles: 0)
        for round in 0..<400 {
            var root = original
            for _ in 0...Int.random(in: 0..<16, using: &random) { root = mutateJob(of: root, &random) ?? root }
            if round % 4 == 0 { root = mutate(root, &random) }
            let document = try JSONDocument(bytes: root.compactBytes)
            do {
                let configuration = try reader.read(document: document)
                outcomes.read += 1
                outcomes.jobs += configuration.jobs.count
                outcomes.refused += configuration.refused.count
                let count = document.root["schedules"]?["jobs"]?.arrayValue?.count ?? 0
                #expect(
                    configuration.jobs.count + configuration.refused.count == count,
                    "seed \(seed), round \(round): every job is either read or refused")
                for job in configuration.jobs { try check(job, configuration, seed) }
            } catch let error as ConfigurationError {
                outcomes.troubles += 1
                #expect(error.line != nil, "seed \(seed), round \(round): \(error)")
            }
        }
        // The mutations reach all three ends.
        #expect(outcomes.jobs > 0 && outcomes.refused > 0 && outcomes.troubles > 0, "seed \(seed): \(outcomes)")
    }

    /// What was accepted can be used: it has its next fire times, an argv, and reads the same again.
    private func check(_ job: Job, _ configuration: Configuration, _ seed: UInt64) throws {
        for schedule in job.schedules { _ = schedule.timetable.next(after: friday) }
        let variables = RunVariables(job: job, .init(executionID: "e", scheduledAt: "", attempt: 1))
        #expect(try !RunCommand(job.action, variables).argv.isEmpty, "seed \(seed): \(job.definition)")
        var again = try reader().readJob(JSONValue(parsing: job.definition), origin: .config, in: configuration)
        again.origin = job.origin
        #expect(again == job, "seed \(seed): \(job.definition)")
    }

    @Test func aMutatedStateFileNeverTraps() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        let original = try JSONValue(
            parsing: #"{"version": 1, "services": {"scheduler": {"enabled": true}}, "jobs": {"a": {"enabled": true}}}"#)
        var reads = 0
        for _ in 0..<500 {
            var root = original
            for _ in 0...Int.random(in: 0..<3, using: &random) { root = mutate(root, &random) }
            guard var file = try? StateFile(document: JSONDocument(bytes: root.compactBytes)) else { continue }
            reads += 1
            try file.setJob("a", enabled: false)
            try file.setScheduler(enabled: true)
            let after = try StateFile(document: JSONDocument(bytes: file.bytes))
            #expect(after.isJobEnabled["a"] == false, "seed \(seed): \(root)")
            #expect(after.isSchedulerEnabled == true, "seed \(seed): \(root)")
        }
        #expect(reads > 0, "seed \(seed)")
    }
}

@Suite struct NearestNameTests {
    @Test(arguments: [
        ("crn", "cron"), ("on_faliure", "on_failure"), ("TIMEOUT", "timeout"), ("working-dir", "working_directory"),
        ("intervall", "interval"), ("retries", "retry"), ("max_instance", "max_instances"), ("calender", "calendar"),
    ])
    func aMistypedKeyIsFound(typed: String, expected: String) {
        #expect(ConfigurationReader.jobVocabulary.nearest(to: typed) == expected)
    }

    @Test func distanceIsWhatAPersonCounts() {
        func distance(_ left: String, _ right: String) -> Int {
            NearestName.editDistance(Array(left.utf8), Array(right.utf8))
        }
        #expect(distance("", "") == 0)
        #expect(distance("", "abc") == 3)
        #expect(distance("cron", "corn") == 1)
        #expect(distance("kitten", "sitting") == 3)
        #expect(NearestName.nearest(to: "x", among: [String]()) == nil)
        #expect(NearestName.nearest(to: "b", among: ["c", "a"]) == "c")
    }
}
