import JSON
import Testing

/// Random edits of random texts: what was set is there, and nothing else has moved but by the bytes that were put in.
@Suite struct RandomEditTests {
    @Test func `an edit leaves the bytes of every other value`() throws {
        for seed in UInt64(1)...400 {
            var documents = RandomDocuments(seed: seed)
            let value = documents.value(depth: 4)
            let text = Array(documents.text(of: value).utf8)
            var document = try JSONDocument(bytes: text)
            for step in 0..<4 {
                let before = document
                let paths = Self.paths(of: document.root)
                var path = documents.pick(paths)
                if documents.below(3) == 0, document.root[path]?.objectValue != nil { path.append("added \(step)") }
                let replacement = documents.value(depth: 2)
                let note: Comment = "seed \(seed), step \(step), \(path.pathText) in \(Self.text(before))"

                if documents.below(4) == 0, !path.isEmpty {
                    #expect(try document.remove(at: path) == (before.root[path] != nil), note)
                    if case .key = path.last { #expect(document.root[path] == nil, note) }
                } else {
                    try document.set(replacement, at: path)
                    #expect(document.root[path] == replacement, note)
                }
                #expect(try JSONValue(parsing: document.bytes) == document.root, note)
                Self.checkOthers(before, document, path, note)
            }
        }
    }

    /// What stands before the edited value keeps its bytes and its place; what stands after it keeps its bytes.
    private static func checkOthers(
        _ before: JSONDocument, _ after: JSONDocument, _ edited: [JSONPathStep], _ note: Comment
    ) {
        // Removing an element moves the ones after it: paths into its array no longer say the same.
        let parent = Array(edited.dropLast())
        let isElement = if case .index = edited.last { true } else { false }
        for path in paths(of: before.root) {
            if edited.starts(with: path) || path.starts(with: edited) { continue }
            if isElement, path.starts(with: parent) { continue }
            guard let old = before.range(of: path), let new = after.range(of: path) else {
                Issue.record("\(path.pathText) is lost; \(note)")
                continue
            }
            #expect(before.bytes[old] == after.bytes[new], "\(path.pathText); \(note)")
            #expect(before.root[path] == after.root[path], "\(path.pathText); \(note)")
            if let place = before.range(of: edited), old.upperBound < place.lowerBound {
                #expect(old == new || after.root[edited] == nil, "\(path.pathText) has moved; \(note)")
            }
        }
    }

    @Test func `setting what is there changes no byte`() throws {
        for seed in UInt64(1)...100 {
            var documents = RandomDocuments(seed: seed)
            let text = Array(documents.text(of: documents.value()).utf8)
            var document = try JSONDocument(bytes: text)
            for path in Self.paths(of: document.root) {
                try document.set(try #require(document.root[path]), at: path)
                #expect(document.bytes == text, "seed \(seed), \(path.pathText)")
            }
        }
    }

    @Test func `setting a member and removing it gives the text back`() throws {
        for indent in [0, 2, 4] {
            for seed in UInt64(1)...60 {
                var documents = RandomDocuments(seed: seed)
                let value = JSONValue.object(["a": documents.value(), "b": documents.value()])
                let text = indent == 0 ? value.compactText : value.prettyText(indent: indent)
                var document = try JSONDocument(bytes: Array(text.utf8))
                for path in Self.paths(of: value) where value[path]?.objectValue?.isEmpty == false {
                    let member = path + ["a new one"]
                    try document.set(documents.value(depth: 2), at: member)
                    try document.remove(at: member)
                    #expect(Self.text(document) == text, "seed \(seed), \(member.pathText)")
                }
            }
        }
    }

    @Test func `what is set in a pretty text is set out as pretty text`() throws {
        for indent in [2, 3, 4] {
            for seed in UInt64(1)...100 {
                var documents = RandomDocuments(seed: seed)
                var members = JSONObject([("z", [1, [2]]), ("o", ["a": ["b": 1]])])
                let text = JSONValue.object(members).prettyText(indent: indent)
                var document = try JSONDocument(bytes: Array(text.utf8))
                let value = documents.value()
                members["new"] = value
                try document.set(value, at: ["new"])
                #expect(Self.text(document) == JSONValue.object(members).prettyText(indent: indent), "seed \(seed)")
            }
        }
    }

    // MARK: - Helpers

    private static func text(_ document: JSONDocument) -> String {
        String(decoding: document.bytes, as: UTF8.self)
    }

    private static func paths(of value: JSONValue) -> [[JSONPathStep]] {
        switch value {
        case .array(let elements):
            return [[]]
                + elements.enumerated().flatMap { place, element in
                    paths(of: element).map { [.index(place)] + $0 }
                }
        case .object(let members):
            return [[]] + members.flatMap { member in paths(of: member.value).map { [.key(member.key)] + $0 } }
        default:
            return [[]]
        }
    }
}
