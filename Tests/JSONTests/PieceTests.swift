import JSON
import TestSupport
import Testing

/// A value that is found and written in pieces is the one that the whole text has.
@Suite struct PieceTests {
    private func extract(_ text: String, _ path: [String], bytesMax: Int = 1) throws -> String? {
        var extraction = JSONExtraction(bytes: Array(text.utf8), path: path)
        while try extraction.goOn(bytesMax: bytesMax) {}
        return extraction.text
    }

    @Test func randomTextsGiveWhatAParserGives() throws {
        let seed = SeededGenerator.seed()
        var documents = RandomDocuments(seed: seed)
        for _ in 0..<500 {
            let inner: JSONValue = [
                "a": documents.value(), "b": ["c": documents.value(depth: 2)], "": documents.value(),
            ]
            let text = documents.text(of: .object(["x": documents.value(depth: 2), "y": inner]))
            let whole = try JSONValue(parsing: text)
            for path in [
                [], ["y"], ["y", "a"], ["y", "b", "c"], ["y", ""], ["x"], ["y", "none"], ["none"], ["x", "a"],
            ] {
                let found = whole[path.map { .key($0) }]?.compactText
                let piece = documents.pick([1, 7, 100, 10_000])
                #expect(try extract(text, path, bytesMax: piece) == found, "seed \(seed): \(path) of \(text)")
            }
        }
    }

    /// Whatever blanks a text has, and with escapes too.
    @Test func theCompactTextOfANodeIsThatOfItsValue() throws {
        let seed = SeededGenerator.seed()
        var documents = RandomDocuments(seed: seed)
        for _ in 0..<500 {
            let text = documents.text(of: .array([documents.value(), documents.value(depth: 2)]))
            let outline = try JSONOutline(bytes: Array(text.utf8), depth: 1)
            for node in outline.elements(at: []) ?? [] {
                let value = outline.value(of: node)
                #expect(outline.compactText(of: node) == value.compactText, "seed \(seed): \(text)")
            }
        }
    }

    /// Members that are found without taking an object apart are those that it has.
    @Test func theMembersOfANodeAreThoseOfItsValue() throws {
        let seed = SeededGenerator.seed()
        var documents = RandomDocuments(seed: seed)
        var members: [JSONOutline.Member] = []
        for _ in 0..<500 {
            let text = documents.text(
                of: .array([
                    documents.value(), documents.value(depth: 2), ["a": documents.value(), "b": ["c", "d,\""]],
                ]))
            let outline = try JSONOutline(bytes: Array(text.utf8), depth: 1)
            for node in outline.elements(at: []) ?? [] {
                let object = outline.value(of: node).objectValue
                #expect(outline.findMembers(of: node, into: &members) == (object != nil), "seed \(seed): \(text)")
                #expect(members.count == object?.count ?? 0, "seed \(seed): \(text)")
                for (member, (key, value)) in zip(members, object ?? [:]) {
                    let found = try JSONValue(parsing: outline.bytes[member.value])
                    let foundKey = try JSONValue(parsing: Array("\"".utf8) + outline.bytes[member.key] + "\"".utf8)
                    #expect(foundKey == .string(key) && found == value, "seed \(seed): \(text)")
                    let whole = try JSONValue(parsing: Array("{".utf8) + outline.bytes[member.text] + Array("}".utf8))
                    #expect(whole == [key: value], "seed \(seed): \(text)")
                    let isPlain = !outline.bytes[member.value].contains(UInt8(ascii: "\\"))
                    #expect(
                        outline.plainString(at: member.value) == (isPlain ? value.stringValue : nil), "seed \(seed)")
                    let texts = value.arrayValue?.compactMap(\.stringValue)
                    let areTexts = isPlain && texts?.count == value.arrayValue?.count
                    #expect(outline.plainStrings(at: member.value) == (areTexts ? texts : nil), "seed \(seed)")
                }
            }
        }
    }

    @Test(
        arguments: [
            (#"{"a": 1, "a": {"b": 2}, "a": 3}"#, ["a"], "3"), (#"{"a": {"b": 1}, "a": {"c": 2}}"#, ["a", "b"], nil),
            (#"{"a": {"b": 1}, "a": {"c": 2, "b": [ ]}}"#, ["a", "b"], "[]"),
            (#"{"\u0061": {"b" : [1,2]}}"#, ["a", "b"], "[1, 2]"),
            (#"[{"a": 1}]"#, ["a"], nil), (#"{"a": [{"b": 1}]}"#, ["a", "b"], nil), ("5", ["a"], nil), ("5", [], "5"),
            (#"{"b": {"a": 1}, "a": "\/\n"}"#, ["a"], #""/\n""#),
        ] as [(String, [String], String?)])
    func theLastOfAKeyCounts(_ text: String, _ path: [String], _ value: String?) throws {
        #expect(try extract(text, path) == value)
    }

    /// What stands behind the value is checked, too.
    @Test(arguments: [#"{"a": 1,}"#, #"{"a": 1} x"#, #"{"a": 1, "b": tru}"#, "", "{"])
    func whatIsNoJSONIsRefused(_ text: String) {
        #expect(throws: JSONError.self) { try extract(text, ["a"]) }
    }

    @Test func moreValuesThanAllowedAreNotRead() throws {
        #expect(try JSONValue(parsing: "[1, {}, []]", limits: .values(4)).arrayValue?.count == 3)
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: "[1, {}, [], 2]", limits: .values(4)) }
        #expect(error?.code == .tooMany)
    }
}
