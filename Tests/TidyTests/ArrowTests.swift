import Testing

/// An arrow only ever points down the table of rooms.
@Suite struct ArrowTests {
    private let mayImport = Dictionary(uniqueKeysWithValues: rooms.map { ($0.name, $0.mayImport) })

    @Test func `the table points downwards`() {
        for (index, room) in rooms.enumerated() {
            let below = Set(rooms[(index + 1)...].map(\.name))
            #expect(room.mayImport.isSubset(of: below), "\(room.name) points up")
        }
    }

    @Test func `Sources/README.md has the same table`() {
        let written = PlanDocument.rooms
        #expect(written.map(\.name) == rooms.map(\.name))
        for room in written where room.mayImport != mayImport[room.name] {
            Issue.record(
                "\(room.name): written \(room.mayImport.sorted()), tested \(mayImport[room.name]?.sorted() ?? [])")
        }
    }

    @Test func `every folder of Sources is a room of the table, and every room has a folder`() {
        let folders = Set(Repository.rooms)
        let missing = folders.subtracting(mayImport.keys).map {
            Finding(check: .room, place: "Sources/\($0)", what: "no row")
        }
        let planned = Set(mayImport.keys).subtracting(folders)
            .map { Finding(check: .room, place: "Sources/\($0)", what: "no folder") }
        expectNone(.room, missing + planned, "the table of Sources/README.md and the folders are the same")
    }

    @Test func `Package.swift follows the table`() {
        let targets = Manifest.package.targets.filter { $0.path.hasPrefix("Sources/") }
        #expect(Set(targets.map(\.path)) == Set(Repository.rooms.map { "Sources/\($0)" }))
        let findings = targets.flatMap { target in
            target.dependencies.subtracting(mayImport[target.name] ?? []).sorted()
                .map { Finding(check: .arrow, place: target.path, what: $0) }
        }
        expectNone(.arrow, findings + imports(.arrow), "not below it in the table of rooms")
    }

    @Test func `a room imports of the system what its kind may, and never Foundation`() {
        expectNone(.module, imports(.module), "no module that this room may import")
    }

    /// Of rooms (`arrow`) or of anything else (`module`), what is imported and may not be.
    private func imports(_ check: Check) -> [Finding] {
        Repository.sources.flatMap { file in
            file.lines.compactMap { line in
                guard let module = importedModule(line.code) else { return nil }
                let isRoom = mayImport[module] != nil
                guard isRoom == (check == .arrow) else { return nil }
                let allowed = isRoom ? mayImport[file.room] ?? [] : systemModules(of: file.room)
                if allowed.contains(module) { return nil }
                let place = isRoom ? "Sources/\(file.room)" : file.path
                return Finding(check: check, place: place, what: module, line: isRoom ? nil : line.number)
            }
        }
    }

    private func importedModule(_ code: String) -> String? {
        guard code.contains("import ") else { return nil }
        var words = code.identifiers.map(\.name)[...]
        while let first = words.first, ["public", "package", "internal", "private", "testable"].contains(first) {
            words.removeFirst()
        }
        guard words.first == "import" else { return nil }
        return words.dropFirst().first { !["struct", "class", "enum", "protocol", "func", "var"].contains($0) }
    }
}
