import Configuration
import Glibc
import JSON
import Performing
import Schedules
import Scheduling
import Store
import TestSupport
import Testing

@testable import Control
@testable import DBus

/// `query_jobs` and `query_history`: a filter, and pages of what fulfils it.
@Suite struct QueryTests {
    private let stage: Stage

    init() throws { stage = try Stage() }

    private func page(_ filter: JSONObject) throws -> (names: [String], cursor: JSONValue) {
        let page = try stage.json("query_jobs", .string(JSONValue.object(filter).compactText))
        let names = try #require(page["jobs"]?.arrayValue).compactMap { $0["name"]?.stringValue }
        return (names, page["next_cursor"] ?? .null)
    }

    /// Every page of a filter, one after the other.
    private func all(_ filter: JSONObject) throws -> (names: [String], pages: Int) {
        var filter = filter
        var names: [String] = []
        for count in 1...1_000 {
            let (more, cursor) = try page(filter)
            names += more
            if cursor.isNull { return (names, count) }
            filter["cursor"] = cursor
        }
        throw TestFailure("the pages do not end")
    }

    @Test func thePagesOfAFilterAreTheFilteredList() throws {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        let tags = ["red", "green", "blue"]
        let owners = ["", "ann", "bob"]
        for round in 0..<12 {
            stage.scheduler.views = [:]
            stage.settings.configuration.refused = []
            stage.control.coreWasRebuilt()
            for _ in 0..<Int.random(in: 0...60, using: &random) {
                stage.scheduler.add("job-\(Int.random(in: 0..<80, using: &random))") { view in
                    view.job.tags = tags.filter { _ in Bool.random(using: &random) }
                    view.job.owner = owners.randomElement(using: &random) ?? ""
                    view.isEnabled = Bool.random(using: &random)
                    view.isFinished = Bool.random(using: &random)
                    view.state.lastStatus = [nil, .success, .failed].randomElement(using: &random) ?? nil
                    view.active = Bool.random(using: &random) ? ["run"] : []
                }
            }
            // Some of a name that a good job has, or another one.
            stage.settings.refuse(
                (0..<Int.random(in: 0...20, using: &random)).map { _ in "job-\(Int.random(in: 0..<80, using: &random))"
                })
            let list = try #require(try stage.json("list_jobs").arrayValue)
            for _ in 0..<6 {
                var filter: JSONObject = [:]
                func maybe(_ key: String, _ value: JSONValue) { if Bool.random(using: &random) { filter[key] = value } }
                let tag = tags.randomElement(using: &random) ?? ""
                let owner = owners.randomElement(using: &random) ?? ""
                let status = JobQuery.Status.allCases.randomElement(using: &random) ?? .pending
                let failed = Bool.random(using: &random)
                let names = (0..<30).map { _ in "job-\(Int.random(in: 0..<80, using: &random))" }
                maybe("tag", .string(tag))
                maybe("owner", .string(owner))
                if Int.random(in: 0..<3, using: &random) == 0 { filter["status"] = .string(status.rawValue) }
                maybe("failed", .bool(failed))
                maybe("pattern", "job-?[0-5]")
                if Int.random(in: 0..<3, using: &random) == 0 { filter["names"] = .array(names.map { .string($0) }) }
                let wanted = list.filter { job in
                    let name = job["name"]?.stringValue ?? ""
                    let isRefused = job["error"]?.isNull == false
                    let view = isRefused ? nil : stage.scheduler.views[name]
                    return (filter["tag"] == nil || job["tags"]?.arrayValue?.contains(.string(tag)) == true)
                        && (filter["owner"] == nil || (!isRefused && view?.job.owner == owner))
                        && (filter["status"] == nil
                            || (isRefused ? status == .failed : view.map { JobShape.status($0) } == status))
                        && (filter["failed"] == nil
                            || failed == (isRefused || view?.state.lastStatus?.isFailure == true))
                        && (filter["pattern"] == nil || fnmatch("job-?[0-5]", name, 0) == 0)
                        && (filter["names"] == nil || names.contains(name))
                }.compactMap { $0["name"]?.stringValue }
                let limit = Int.random(in: 1...9, using: &random)
                filter["limit"] = .number(limit)
                let (found, pages) = try all(filter)
                #expect(found == wanted, "seed \(seed), round \(round): \(JSONValue.object(filter).compactText)")
                // No page but the only one is empty.
                #expect(pages == max(1, (wanted.count + limit - 1) / limit), "seed \(seed), round \(round)")
            }
        }
    }

    @Test func aPageBeginsBehindTheLastWhateverCameAndWent() throws {
        for name in ["a", "b", "c", "d", "e"] { stage.scheduler.add(name) }
        stage.control.coreWasRebuilt()
        let (first, cursor) = try page(["limit": 2])
        #expect(first == ["a", "b"])
        stage.scheduler.views["b"] = nil
        stage.scheduler.add("aa")
        stage.scheduler.add("bb")
        stage.control.tell([.jobsChanged(added: ["aa", "bb"], changed: [], removed: ["b"])]) {}
        #expect(try page(["limit": 10, "cursor": cursor]).names == ["bb", "c", "d", "e"])
    }

    @Test func aPageIsAsLongAsItMayBe() throws {
        for index in 0..<1_200 { stage.scheduler.add("job-\(index)") }
        stage.control.coreWasRebuilt()
        #expect(try page([:]).names.count == Bounds.pageJobsUsual)
        #expect(try page(["limit": 0]).names.count == Bounds.pageJobsUsual)
        #expect(try page(["limit": 99_999]).names.count == Bounds.pageJobs)
    }

    /// Jobs that are large: a page ends before it is beyond its bound, and is never empty.
    @Test func aPageOfLargeJobsEndsEarly() throws {
        let large = "\"" + String(repeating: "x", count: Bounds.pageBytes / 3) + "\""
        for index in 0..<7 { stage.scheduler.add("job-\(index)") { $0.job.inputs = large } }
        stage.control.coreWasRebuilt()
        let (names, pages) = try all(["limit": 1_000])
        #expect(names == (0..<7).map { "job-\($0)" })
        #expect(pages == 4)
    }

    @Test(arguments: [
        #"{"name": "x"}"#, #"{"names": "x"}"#, #"{"names": [1]}"#, #"{"pattern": 1}"#, #"{"tag": []}"#,
        #"{"owner": {}}"#, #"{"status": "queued"}"#, #"{"failed": "yes"}"#, #"{"limit": "1"}"#, #"{"limit": 1.5}"#,
        #"{"cursor": ""}"#, #"{"cursor": "x.y"}"#, #"{"cursor": "-1.y"}"#, "[]", "{", "",
    ])
    func whatIsNoFilterIsRefused(_ text: String) throws {
        let error = try #require(try stage.call("query_jobs", .string(text)).error, "\(text)")
        #expect(error.name == .invalidArgs)
    }

    @Test func anyCursorIsTaken() throws {
        stage.scheduler.add("b")
        stage.settings.refuse(["b", "b"])
        stage.control.coreWasRebuilt()
        for (cursor, count) in [
            ("0.a", 3), ("0.b", 2), ("1.b", 1), ("2.b", 0), ("9223372036854775807.b", 0), ("0.", 3),
        ] {
            #expect(try page(["cursor": .string(cursor)]).names.count == count, "\(cursor)")
        }
    }

    @Test func aPatternIsWhatShellsTakeItFor() throws {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        func text(_ letters: String, _ count: ClosedRange<Int>) -> String {
            String(
                (0..<Int.random(in: count, using: &random)).compactMap { _ in letters.randomElement(using: &random) })
        }
        for _ in 0..<20_000 {
            // A set that does not end is left to each implementation.
            var pattern = text("ab*?", 0...6)
            if Bool.random(using: &random) {
                pattern += ["[ab]", "[!a]", "[a-c]", "[]a]", "\\*"].randomElement(using: &random) ?? ""
            }
            pattern += text("abc*?", 0...4)
            let name = text("abc*]", 0...8)
            #expect(
                NamePattern(pattern).matches(name) == (fnmatch(pattern, name, 0) == 0),
                "seed \(seed): \(pattern) and \(name)")
        }
    }

    // MARK: - History

    @Test(
        arguments: [
            (#"{}"#, []), (#"{"status": "timeout"}"#, [.timeout]), (#"{"status": null, "failed": false}"#, []),
            (#"{"status": ["failed", "timeout", "failed"]}"#, [.failed, .timeout]),
            (#"{"failed": true}"#, [.failed, .timeout, .interrupted, .missed]),
        ] as [(String, [Run.Status])])
    func historyIsAskedForByOneStatusBySeveralOrForFailures(_ filter: String, _ statuses: [Run.Status]) throws {
        _ = try stage.json("query_history", .string(filter))
        #expect(stage.store.lastQuery?.statuses == statuses)
    }

    @Test(arguments: [
        #"{"status": []}"#, #"{"status": ["failed", "sad"]}"#, #"{"status": "sad"}"#, #"{"status": 1}"#,
        #"{"status": "failed", "failed": true}"#, #"{"failed": "yes"}"#,
    ])
    func aFilterOfHistoryThatIsNoneIsRefused(_ filter: String) throws {
        #expect(try stage.call("query_history", .string(filter)).error?.name == .invalidArgs)
        #expect(stage.store.lastQuery == nil)
    }
}
