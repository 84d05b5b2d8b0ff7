/// `Package.swift`, read as text: each target with what it depends on and where it is.
struct Manifest {
    struct Target {
        let name: String
        let dependencies: Set<String>
        /// From the root of the repository.
        let path: String
    }

    let targets: [Target]

    static let package = Manifest(Repository.text("Package.swift"))

    init(_ text: String) {
        var targets: [Target] = []
        let list = text[(text.firstRange(of: "targets: [\n")?.upperBound ?? text.startIndex)...]
        for (call, folder) in [
            ("room(", "Sources"), ("program(", "Sources"), (".executableTarget(", "Sources"),
            (".systemLibrary(", "Sources"),
            ("tests(", "Tests"), (".target(", "Tests"), ("tool(", ""),
        ] {
            for arguments in Self.calls(of: call, in: list) {
                var strings = arguments.all(between: "\"", and: "\"")
                guard !strings.isEmpty else { continue }
                let name = strings.removeFirst()
                var path = folder + "/" + name
                if let named = arguments.firstRange(of: "path: \"") {
                    path = String(arguments[named.upperBound...].prefix { $0 != "\"" })
                }
                if call == "tool(", !strings.isEmpty { path = strings.removeFirst() }
                // The first list in brackets is what it depends on; a system library's first one is not.
                let list = arguments.all(between: "[", and: "]").first ?? ""
                let dependencies = call == ".systemLibrary(" ? [] : list.all(between: "\"", and: "\"")
                targets.append(Target(name: name, dependencies: Set(dependencies), path: path))
            }
        }
        self.targets = targets
    }

    /// The arguments of each call, up to its closing parenthesis; a call begins a line or follows a blank.
    private static func calls(of name: String, in text: Substring) -> [Substring] {
        var calls: [Substring] = []
        var rest = text
        while let start = rest.firstRange(of: name) {
            let isWhole = start.lowerBound == text.startIndex || text[text.index(before: start.lowerBound)] == " "
            rest = rest[start.upperBound...]
            guard isWhole else { continue }
            var depth = 1
            let end = rest.firstIndex { character in
                depth += character == "(" ? 1 : character == ")" ? -1 : 0
                return depth == 0
            }
            calls.append(rest[..<(end ?? rest.endIndex)])
        }
        return calls
    }
}
