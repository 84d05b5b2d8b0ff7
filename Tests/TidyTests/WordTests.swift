import Testing

/// The words of the plan, in what we declare.
@Suite struct WordTests {
    @Test func `for each unwanted word of Sources/README.md it is decided where it can be told`() {
        #expect(PlanDocument.unwantedWords == Set(unwantedWords.keys))
    }

    @Test func `no declaration has an unwanted word`() {
        let unwanted = unwantedWords.compactMap { word, reach in
            if case .everywhere = reach { word.split(separator: " ").map(String.init) } else { nil }
        }
        var seen: Set<String> = []
        var findings: [Finding] = []
        for file in Repository.sources {
            for line in file.lines {
                for name in declaredNames(line.code) where seen.insert("\(file.room) \(name)").inserted {
                    let parts = words(of: name)
                    if unwanted.contains(where: { parts.has($0) }) {
                        findings.append(Finding(check: .word, place: file.path, what: name, line: line.number))
                    }
                }
            }
        }
        expectNone(.word, findings, "the table \"Words\" of Sources/README.md has another word for it")
    }

    @Test(arguments: [
        ("executionIDBase", ["execution", "id", "base"]), ("SQLiteStore", ["sq", "lite", "store"]),
        ("isDue", ["is", "due"]), ("JSON", ["json"]), ("wake_alarm2", ["wake", "alarm"]),
    ])
    func `a name is split into its words`(name: String, parts: [String]) {
        #expect(words(of: name) == parts)
    }

    @Test func `declarations are told from patterns`() {
        #expect(declaredNames("case missed(at: Instant), skipped") == ["missed", "skipped"])
        #expect(declaredNames("    case .missed(let at): return at") == ["at"])
        #expect(declaredNames("public static func notice(_ run: Run) {") == ["notice"])
        #expect(declaredNames("case SIGTERM: stop()") == [])
        #expect(declaredNames("if case .a = b, let task = c {") == ["task"])
    }

    /// What a line of code declares: types, functions, cases, properties, local values.
    private func declaredNames(_ code: String) -> [String] {
        let keywords: Set = ["func", "var", "let", "case", "struct", "class", "enum", "protocol", "actor", "typealias"]
        var names: [String] = []
        for keyword in code.identifiers where keywords.contains(keyword.name) && keyword.before != "." {
            let rest = keyword.after.drop { $0 == " " || $0 == "`" }
            guard let first = rest.first, first.isLetter || first == "_" else { continue }
            guard keyword.name == "case" else {
                names.append(rest.identifiers[0].name)
                continue
            }
            // A case of an enum; one of a switch ends in a colon.
            var depth = 0
            let outside = rest.filter { character in
                if character == "(" { depth += 1 }
                defer { if character == ")" { depth -= 1 } }
                return depth == 0
            }
            if outside.contains(":") || outside.contains(".") { continue }
            names += outside.split(separator: ",").compactMap { $0.identifiers.first?.name }
        }
        return names
    }
}

extension [String] {
    /// Whether these words stand in it one after the other; a word may be a plural, or a past.
    fileprivate func has(_ words: [String]) -> Bool {
        guard words.count <= count else { return false }
        return (0...(count - words.count)).contains { start in
            words.indices.allSatisfy { offset in
                let word = words[offset]
                let forms = [word, word + "s", word + "es", word + "ed"]
                // "Noticed" and "caused" are other words than the nouns.
                return (["miss"].contains(word) ? forms : Array(forms.prefix(3))).contains(self[start + offset])
            }
        }
    }
}
