import JSON
import Scheduling
import Testing

@testable import Configuration

/// The manual's tables of keys, beside those that the reader checks by.
@Suite struct DocumentedKeyTests {
    private func names(_ tables: [DocumentedKeys], below prefix: String) -> [String] {
        tables.flatMap(\.keys).filter { $0.name.hasPrefix(prefix) }
            .map { ($0, String($0.name.dropFirst(prefix.count))) }
            .filter { !$0.1.contains(".") }.flatMap { [$0.1] + $0.0.older }.sorted()
    }

    @Test func everyKeyThatIsReadIsInTheManualAndNoOther() {
        #expect(names([.section], below: "") == ConfigurationReader.sectionVocabulary.keys.sorted())
        #expect(names(DocumentedKeys.job, below: "") == ConfigurationReader.jobVocabulary.keys.sorted())
    }

    @Test(arguments: [
        ("retry.", RetryReader.vocabulary), ("resources.", ConfigurationReader.resourceVocabulary),
        ("conditions.", ConfigurationReader.conditionVocabulary), ("budget.", ConfigurationReader.budgetVocabulary),
    ])
    func soAreThoseOfObjects(prefix: String, vocabulary: Vocabulary) {
        #expect(names(DocumentedKeys.job, below: prefix) == vocabulary.keys.sorted())
    }

    @Test func everyExampleOfTheSectionIsRead() throws {
        for key in DocumentedKeys.section.keys {
            guard let example = key.example else { continue }
            let read = try configuration(String(example.dropFirst().dropLast()))
            #expect(read.warnings.isEmpty || key.name == "check_interval", "\(key.name): \(read.warnings)")
        }
    }

    @Test func everyExampleOfAJobIsRead() throws {
        let works = ["command", "script", "skill", "message", "agentool_name"]
        for key in DocumentedKeys.job.flatMap(\.keys) {
            guard let example = key.example else { continue }
            var members = try #require(JSONValue(parsing: example).objectValue, "\(key.name)")
            if members["name"] == nil { members["name"] = "example" }
            if !works.contains(where: { members[$0] != nil }) { members["command"] = ["true"] }
            guard key.name != "delete_after" else {
                // It is for jobs that come over the bus.
                #expect(try reader().readJob(.object(members), origin: .bus, in: configuration("")).deleteAfter != nil)
                continue
            }
            let jobs = JSONValue.array([.object(members)]).compactText
            let section = #""runners": {"agent": {"command": ["agent", "${skill}"]}}, "jobs": "# + jobs
            let read = try configuration(section)
            #expect(read.jobs.count == 1, "\(key.name): \(read.refused.map(\.error))")
        }
    }

    /// So that none is left without one.
    @Test func everyKeyIsInAnExampleOfItsTable() throws {
        for table in DocumentedKeys.all {
            let used = Set(try table.keys.compactMap(\.example).flatMap { keys(of: try JSONValue(parsing: $0)) })
            for key in table.keys {
                let last = key.name.split(separator: ".").last.map(String.init) ?? ""
                #expect(used.contains(last), "\(table.title): \(key.name)")
            }
        }
    }

    private func keys(of value: JSONValue) -> [String] {
        (value.objectValue.map { object in object.flatMap { [$0.key] + keys(of: $0.value) } } ?? [])
            + (value.arrayValue ?? []).flatMap { keys(of: $0) }
    }
}
