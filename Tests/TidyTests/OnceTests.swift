import Testing

/// What there is one of: a hash, a table of errors, a generator, a bus.
@Suite struct OnceTests {
    @Test func `error names are written in Contract alone`() {
        let findings = Repository.sources.filter { $0.room != "Contract" }.flatMap { file in
            file.lines.flatMap { line in
                line.strings.filter { $0.contains("com.aiworkflow.BotCron.Error") }
                    .map { Finding(check: .errorName, place: file.path, what: $0, line: line.number) }
            }
        }
        expectNone(.errorName, findings, "ServiceError has the names")
    }

    @Test func `the errors of Sources/README.md are those of ServiceError`() throws {
        let file = try #require(Repository.sources.first { $0.path == "Sources/Contract/ServiceError.swift" })
        let names = file.lines.filter { $0.code.trimmed.hasPrefix("case ") && $0.code.contains("= \"") }.flatMap(
            \.strings)
        #expect(!names.isEmpty)
        #expect(PlanDocument.errors.sorted() == names.sorted())
    }

    @Test func `there is one FNV-1a`() {
        let places = files(in: Repository.sources, withNumber: ["0xcbf29ce484222325", "14695981039346656037"])
        let findings = places.count > 1 ? places.map { Finding(check: .hash, place: $0, what: "FNV-1a") } : []
        expectNone(.hash, findings, "one hash serves all")
    }

    @Test func `the tests have one seeded generator`() {
        let places = files(in: Repository.tests, withNumber: ["0x9e3779b97f4a7c15"])
        let findings = places.filter { !$0.hasPrefix("Tests/TestSupport/") && !$0.hasPrefix("Tests/TidyTests/") }
            .map { Finding(check: .generator, place: $0, what: "SplitMix") }
        expectNone(.generator, findings, "TestSupport has SeededGenerator")
    }

    @Test func `the tests have one place that starts a bus, one that spawns, one failure`() {
        var findings: [Finding] = []
        for file in Repository.tests
        where !file.path.hasPrefix("Tests/TestSupport/") && !file.path.hasPrefix("Tests/TidyTests/") {
            let code = file.lines.map(\.code)
            if file.lines.contains(where: {
                $0.strings.contains { $0 == "dbus-daemon" || $0.hasPrefix("dbus-daemon ") }
            }) {
                findings.append(Finding(check: .bus, place: file.path, what: "dbus-daemon"))
            }
            for name in ["posix_spawn", "posix_spawnp", "popen"] where code.contains(where: { $0.contains("\(name)(") })
            {
                findings.append(Finding(check: .spawn, place: file.path, what: name))
            }
            if code.contains(where: { $0.contains("struct TestFailure") }) {
                findings.append(Finding(check: .failure, place: file.path, what: "TestFailure"))
            }
        }
        expectNone(.bus, findings.filter { $0.check == .bus }, "TestSupport has PrivateBus")
        expectNone(.spawn, findings.filter { $0.check == .spawn }, "TestSupport has TestProgram")
        expectNone(.failure, findings.filter { $0.check == .failure }, "TestSupport has TestFailure")
    }

    /// The files in whose code one of the numbers stands, however it is spelt.
    private func files(in files: [SwiftFile], withNumber numbers: [String]) -> [String] {
        files.filter { file in
            file.lines.contains { line in
                // Most lines have no number of that length.
                guard line.code.utf8.count >= 16, line.code.utf8.contains(where: { 48...57 ~= $0 }) else {
                    return false
                }
                let plain = line.code.filter { $0 != "_" }.lowercased()
                return numbers.contains { plain.contains($0) }
            }
        }.map(\.path)
    }
}
