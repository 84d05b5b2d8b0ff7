/// `Sources/README.md`, as the tests read it.
enum PlanDocument {
    static let path = "Sources/README.md"

    /// The table below "Rooms", with a line for each name of a row's first cell.
    static let rooms: [(name: String, mayImport: Set<String>)] = {
        let rows = table(below: "## Rooms")
        let names = rows.map { $0[0].all(between: "`", and: "`") }
        return rows.indices.flatMap { index in
            let cell = rows[index][2]
            var allowed = Set(cell.split(separator: ",").map(\.trimmed))
            if cell == "all below" { allowed = Set(names[(index + 1)...].joined()) }
            if cell == "nothing" { allowed = [] }
            return names[index].map { ($0, allowed) }
        }
    }()

    /// The last column of the table of words.
    static let unwantedWords: Set<String> = Set(
        table(below: "## Words").flatMap { row in
            // What stands in parentheses is said about a word, and is none.
            row[2].split(separator: "(").enumerated()
                .map { $0.offset == 0 ? $0.element : $0.element.drop { $0 != ")" }.dropFirst() }
                .joined().split(separator: ",").map(\.trimmed).filter { !$0.isEmpty }
        })

    /// The names of errors, of the table below "Errors".
    static let errors: [String] = table(below: "## Errors").flatMap { $0[0].all(between: "`", and: "`") }

    /// The cells of the first table below a heading, without its head.
    private static func table(below heading: String) -> [[String]] {
        let lines = Repository.lines(path).drop { $0 != heading }.dropFirst()
        let rows = lines.drop { !$0.hasPrefix("|") }.prefix { $0.hasPrefix("|") }.dropFirst(2)
        return rows.map {
            $0.dropFirst().dropLast().split(separator: "|", omittingEmptySubsequences: false).map(\.trimmed)
        }
    }
}
