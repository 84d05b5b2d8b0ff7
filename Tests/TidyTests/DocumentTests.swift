import Testing

/// What the documents name is there.
@Suite struct DocumentTests {
    private let documents = ["README.md", PlanDocument.path]

    @Test func `every make target that is named is in the Makefile`() {
        let targets = Set(
            Repository.lines("Makefile").filter { $0.first?.isLetter == true && $0.contains(":") && !$0.contains("=") }
                .map { String($0.prefix { $0 != ":" }) })
        #expect(targets.contains("test"))
        var findings: [Finding] = []
        for document in documents {
            let named = commands(in: document).flatMap { command in
                command.split(separator: " ").drop { $0 != "make" }.dropFirst()
                    .prefix { $0.allSatisfy { $0.isLowercase || $0 == "-" } }
            }
            for name in Set(named.map(String.init)).subtracting(targets).sorted() {
                findings.append(Finding(check: .makeTarget, place: document, what: name))
            }
        }
        expectNone(.makeTarget, findings, "the Makefile has no such target")
    }

    @Test func `every file that is named is there`() {
        let tops = ["Sources", "Tests", "dbus", "systemd", ".ci", ".make"]
        let rooms = Set(Repository.rooms + rooms.map(\.name))
        var findings: [Finding] = []
        for document in documents {
            for text in Set(Repository.lines(document).flatMap { $0.all(between: "`", and: "`") }) {
                guard let slash = text.firstIndex(of: "/"), !text.contains(where: { " …<>*".contains($0) }) else {
                    continue
                }
                let top = String(text[..<slash])
                let path = tops.contains(top) ? text : rooms.contains(top) ? "Sources/\(text)" : nil
                guard let path, !Repository.exists(path) else { continue }
                findings.append(Finding(check: .file, place: document, what: text))
            }
        }
        expectNone(.file, findings, "there is no such file")
    }

    @Test func `the number of tests is a number`() {
        #expect(Repository.lines(".ci/test-count").first.flatMap { Int($0.trimmed) } != nil)
    }

    @Test func `every folder of Tests with Swift in it is a target`() {
        let paths = Manifest.package.targets.map(\.path)
        let folders = Set(
            Repository.tests.filter { file in !paths.contains { file.path.hasPrefix($0 + "/") } }
                .map { $0.path.split(separator: "/").dropLast().joined(separator: "/") })
        let findings = folders.sorted().map { Finding(check: .target, place: $0, what: "no target") }
        expectNone(.target, findings, "Package.swift does not build it")
    }

    @Test func `every exception says what it permits, where and why, once`() {
        var seen: Set<String> = []
        for exception in Exception.all {
            let place = "\(Exception.path):\(exception.line)"
            #expect(Check(rawValue: exception.check) != nil, "\(place): no such check: \(exception.check)")
            #expect(!exception.place.isEmpty && !exception.what.isEmpty, "\(place): check | where | what | reason")
            #expect(exception.reason.count > 5, "\(place): it has no reason")
            let key = "\(exception.check)|\(exception.place)|\(exception.what)"
            #expect(seen.insert(key).inserted, "\(place): it is there twice")
        }
        #expect(!Exception.all.isEmpty || Repository.exists(Exception.path))
    }

    /// The lines of code blocks, and what stands between backticks elsewhere.
    private func commands(in document: String) -> [String] {
        var isInBlock = false
        return Repository.lines(document).flatMap { line -> [String] in
            if line.hasPrefix("```") {
                isInBlock.toggle()
                return []
            }
            return isInBlock ? [String(line.prefix { $0 != "#" })] : line.all(between: "`", and: "`")
        }
    }
}
