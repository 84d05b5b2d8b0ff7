import JSON
import Testing

/// An edit and the text that must come of it.
struct EditCase: CustomTestStringConvertible, Sendable {
    enum Change: Sendable {
        case set(JSONValue)
        case remove
    }

    let label: String
    let before: String
    let path: [JSONPathStep]
    let change: Change
    let after: String

    var testDescription: String { label }

    init(_ label: String, _ before: String, set value: JSONValue, at path: [JSONPathStep], _ after: String) {
        (self.label, self.before, self.path, change, self.after) = (label, before, path, .set(value), after)
    }

    init(_ label: String, _ before: String, remove path: [JSONPathStep], _ after: String) {
        (self.label, self.before, self.path, change, self.after) = (label, before, path, .remove, after)
    }
}

@Suite struct DocumentTests {
    static let replacing: [EditCase] = [
        EditCase("a word", "{ \"a\" :true , \"b\":1.50 }\n", set: false, at: ["a"], "{ \"a\" :false , \"b\":1.50 }\n"),
        EditCase("the same value", "{\"a\": [1 ,2]}", set: [1, 2], at: ["a"], "{\"a\": [1 ,2]}"),
        EditCase("an element", "[1,  2,3]", set: "x", at: [1], "[1,  \"x\",3]"),
        EditCase("the last of a duplicate", #"{"a":1,"a":2}"#, set: 3, at: ["a"], #"{"a":1,"a":3}"#),
        EditCase("an escaped key", #"{"\u0061":1}"#, set: 2, at: ["a"], #"{"\u0061":2}"#),
        EditCase("the root, blanks kept", "\u{FEFF} 1 \n", set: [2], at: [], "\u{FEFF} [\n   2\n ] \n"),
        EditCase(
            "only what differs inside", "{\"j\": {\"n\": \"a\",   \"l\": [1,2],\n \"x\": 1.0}}",
            set: ["n": "b", "l": [1, 3], "x": .number(JSONNumber(text: "1.0") ?? JSONNumber(0))], at: ["j"],
            "{\"j\": {\"n\": \"b\",   \"l\": [1,3],\n \"x\": 1.0}}"),
        EditCase(
            "what differs, and more", "{\n  \"a\": 1,\n  \"b\": 2\n}", set: ["a": 1, "b": 3, "c": 4], at: [],
            "{\n  \"a\": 1,\n  \"b\": 3,\n  \"c\": 4\n}"),
        EditCase(
            "inline object by another", "{\n  \"a\": {\"x\": 1}\n}", set: ["y": ["z": 2]], at: ["a"],
            "{\n  \"a\": {\"y\": {\"z\": 2}}\n}"),
        EditCase(
            "object on lines by another", "{\n    \"a\": {\n        \"x\": 1\n    }\n}", set: ["y": ["z": 2]],
            at: ["a"],
            "{\n    \"a\": {\n        \"y\": {\n            \"z\": 2\n        }\n    }\n}"),
        EditCase("scalar by object, inline", #"{"a":1}"#, set: ["b": [1, 2]], at: ["a"], #"{"a":{"b":[1,2]}}"#),
        EditCase(
            "scalar by object, on lines", "{\r\n\t\"a\": 1\r\n}\r\n", set: ["b": [1, 2]], at: ["a"],
            "{\r\n\t\"a\": {\r\n\t\t\"b\": [\r\n\t\t\t1,\r\n\t\t\t2\r\n\t\t]\r\n\t}\r\n}\r\n"),
        EditCase(
            "arrays of scalars stay inline", "{\n  \"n\": [\"a\", \"b\"],\n  \"m\": null\n}", set: ["x": ["c", "d"]],
            at: ["m"], "{\n  \"n\": [\"a\", \"b\"],\n  \"m\": {\n    \"x\": [\"c\", \"d\"]\n  }\n}"),
        EditCase(
            "control characters", "[0]", set: "\0\u{1F}\n\"\\é\u{2028}", at: [0],
            "[\"\\u0000\\u001f\\n\\\"\\\\é\u{2028}\"]"),
    ]

    static let appending: [EditCase] = [
        EditCase("two spaces", "{\n  \"a\": 1\n}\n", set: 2, at: ["b"], "{\n  \"a\": 1,\n  \"b\": 2\n}\n"),
        EditCase("four spaces", "{\n    \"a\": 1\n}", set: 2, at: ["b"], "{\n    \"a\": 1,\n    \"b\": 2\n}"),
        EditCase("tabs", "{\n\t\"a\": 1\n}\n", set: 2, at: ["b"], "{\n\t\"a\": 1,\n\t\"b\": 2\n}\n"),
        EditCase("CR LF", "{\r\n  \"a\": 1\r\n}\r\n", set: 2, at: ["b"], "{\r\n  \"a\": 1,\r\n  \"b\": 2\r\n}\r\n"),
        EditCase("no line end at the end", "{\n \"a\":1}", set: 2, at: ["b"], "{\n \"a\":1,\n \"b\":2}"),
        EditCase("inline", #"{"a": 1, "b": 2}"#, set: 3, at: ["c"], #"{"a": 1, "b": 2, "c": 3}"#),
        EditCase(
            "inline with blanks", "{ \"a\" : 1 ,  \"b\" : 2 }", set: 3, at: ["c"],
            "{ \"a\" : 1 ,  \"b\" : 2,  \"c\" : 3 }"),
        EditCase("dense", #"{"a":1}"#, set: ["c": [1, 2]], at: ["b"], #"{"a":1,"b":{"c":[1,2]}}"#),
        EditCase("inline, only one so far", #"{"a": 1}"#, set: 2, at: ["b"], #"{"a": 1, "b": 2}"#),
        EditCase("an empty root", "{}", set: 1, at: ["a"], "{\n  \"a\": 1\n}"),
        EditCase("an empty root, deep", "{}\n", set: 1, at: ["a", "b"], "{\n  \"a\": {\n    \"b\": 1\n  }\n}\n"),
        EditCase("an empty root over lines", "{\r\n}\r\n", set: 1, at: ["a"], "{\r\n  \"a\": 1\r\n}\r\n"),
        EditCase("an empty inline object", #"{"a": {}, "b": 1}"#, set: 2, at: ["a", "x"], #"{"a": {"x": 2}, "b": 1}"#),
        EditCase("an empty object with a blank", #"[1, { }]"#, set: 2, at: [1, "x"], #"[1, { "x": 2 }]"#),
        EditCase(
            "an empty object on lines", "{\n   \"a\": {},\n   \"b\": 1\n}", set: 2, at: ["a", "x"],
            "{\n   \"a\": {\n      \"x\": 2\n   },\n   \"b\": 1\n}"),
        EditCase(
            "an empty object whose siblings are inline", "{\n  \"a\": {\"y\": 1},\n  \"b\": {}\n}", set: 2,
            at: ["b", "x"], "{\n  \"a\": {\"y\": 1},\n  \"b\": {\"x\": 2}\n}"),
        EditCase(
            "missing objects", "{\n  \"a\": {\n    \"b\": 1\n  }\n}", set: true, at: ["a", "c", "d"],
            "{\n  \"a\": {\n    \"b\": 1,\n    \"c\": {\n      \"d\": true\n    }\n  }\n}"),
        EditCase("an element", "[1, 2]", set: 3, at: [2], "[1, 2, 3]"),
        EditCase("an element of one", "[1]", set: 2, at: [1], "[1, 2]"),
        EditCase("a first element", "{\"a\": []}", set: 1, at: ["a", 0], "{\"a\": [1]}"),
        EditCase("an element on lines", "[\n  1\n]", set: ["a": 2], at: [1], "[\n  1,\n  {\n    \"a\": 2\n  }\n]"),
        EditCase(
            "an inline object among such", "{\"jobs\": [\n    {\"n\": 1},\n    {\"n\": 2}\n]}",
            set: ["n": 3, "t": ["a"]],
            at: ["jobs", 2], "{\"jobs\": [\n    {\"n\": 1},\n    {\"n\": 2},\n    {\"n\": 3, \"t\": [\"a\"]}\n]}"),
        EditCase(
            "a blank line is not copied", "{\n  \"a\": 1,\n\n  \"b\": 2\n}", set: 3, at: ["c"],
            "{\n  \"a\": 1,\n\n  \"b\": 2,\n  \"c\": 3\n}"),
        EditCase(
            "the same key in other code units", "{\"e\u{301}\": 1}", set: 2, at: ["\u{E9}"],
            "{\"e\u{301}\": 1, \"\u{E9}\": 2}"),
    ]

    static let removing: [EditCase] = [
        EditCase("the first", "{\n  \"a\": 1,\n  \"b\": 2\n}\n", remove: ["a"], "{\n  \"b\": 2\n}\n"),
        EditCase(
            "one between", "{\n  \"a\": 1,\n  \"b\": [2],\n  \"c\": 3\n}", remove: ["b"],
            "{\n  \"a\": 1,\n  \"c\": 3\n}"),
        EditCase("the last", "{\r\n\t\"a\": 1,\r\n\t\"b\": 2\r\n}", remove: ["b"], "{\r\n\t\"a\": 1\r\n}"),
        EditCase("the only one", "{\n  \"a\": {\n    \"b\": 1\n  }\n}", remove: ["a", "b"], "{\n  \"a\": {}\n}"),
        EditCase("inline", "{ \"a\":1 , \"b\":2 }", remove: ["a"], "{ \"b\":2 }"),
        EditCase("inline, the last", "{ \"a\":1 , \"b\":2 }", remove: ["b"], "{ \"a\":1 }"),
        EditCase("an element", "[1, 2, 3]", remove: [1], "[1, 3]"),
        EditCase("the only element", "[ 1 ]", remove: [0], "[]"),
        EditCase("all of a duplicate", #"{"a":1,"b":2,"a":3,"c":4,"a":5}"#, remove: ["a"], #"{"b":2,"c":4}"#),
        EditCase("nothing but duplicates", #"{"a":1,"a":3}"#, remove: ["a"], "{}"),
    ]

    @Test(arguments: replacing + appending + removing) func `an edit changes just these bytes`(_ row: EditCase) throws {
        var document = try JSONDocument(bytes: Array(row.before.utf8))
        #expect(String(decoding: document.bytes, as: UTF8.self) == row.before)
        switch row.change {
        case .set(let value):
            try document.set(value, at: row.path)
            #expect(document.root[row.path] == value)
        case .remove:
            #expect(try document.remove(at: row.path))
            // After an element the next one moves up; a key is gone.
            if case .key = row.path.last { #expect(document.root[row.path] == nil) }
        }
        #expect(document.bytes == Array(row.after.utf8), "\(String(decoding: document.bytes, as: UTF8.self))")
        #expect(try JSONValue(parsing: document.bytes) == document.root)
    }

    @Test func `removing what is not there changes nothing`() throws {
        let text = Array(#"{"a": [1], "b": 2}"#.utf8)
        var document = try JSONDocument(bytes: text)
        for path: [JSONPathStep] in [["c"], ["a", 1], ["a", -1], ["b", "x"], ["a", "0"], ["c", "d"], [0]] {
            #expect(try !document.remove(at: path))
        }
        #expect(document.bytes == text)
        #expect(throws: JSONEditError.rootRemoved) { try document.remove(at: []) }
    }

    @Test(
        arguments: [
            (
                ["b", "x"], .wrongKind(path: ["b", "x"], found: .number),
                "cannot edit b.x: b is a number; it must be an object"
            ),
            (
                ["a", "x", "y"], .wrongKind(path: ["a", "x"], found: .array),
                "cannot edit a.x: a is an array; it must be an object"
            ),
            ([0], .wrongKind(path: [0], found: .object), "cannot edit [0]: the root is an object; it must be an array"),
            (
                ["a", 2], .indexOutOfRange(path: ["a", 2], count: 1),
                "cannot edit a[2]: the array has 1 elements; an index from 0 to 1 is right, 1 to append"
            ),
            (["a", -1], .indexOutOfRange(path: ["a", -1], count: 1), nil),
            (["new", 0], .indexOutOfRange(path: ["new", 0], count: 0), nil),
        ] as [([JSONPathStep], JSONEditError, String?)])
    func `a path that cannot be set is refused`(_ path: [JSONPathStep], _ error: JSONEditError, _ text: String?) throws
    {
        let bytes = Array(#"{"a": [1], "b": 2}"#.utf8)
        var document = try JSONDocument(bytes: bytes)
        #expect(throws: error) { try document.set(1, at: path) }
        if let text { #expect(error.description == text) }
        #expect(document.bytes == bytes)
    }

    @Test func `an edit past a limit is refused and changes nothing`() throws {
        let bytes = Array(#"{"a": [1]}"#.utf8)
        var document = try JSONDocument(bytes: bytes, limits: JSONLimits(bytesMax: 20, depthMax: 2))
        for value: JSONValue in [[[1]], "a string of many letters"] {
            let error = #expect(throws: JSONEditError.self) { try document.set(value, at: ["a"]) }
            guard case .limitPassed = error else {
                Issue.record("not a limit: \(String(describing: error))")
                continue
            }
        }
        let endless = [JSONPathStep](repeating: "a", count: 1_000_000)
        #expect(throws: JSONEditError.self) { try document.set(1, at: endless) }
        #expect(document.bytes == bytes)
        #expect(document.root["a"] == [1])
    }

    @Test func `every value has a place`() throws {
        let text = "\u{FEFF}{\r\n  \"é\": [1, {\"x\" :  true}],\n\t\"b\": \"😀\", \"c\": null\n}"
        let document = try JSONDocument(bytes: Array(text.utf8))
        let expected: [([JSONPathStep], String, String?)] = [
            ([], "1:1", nil), (["é"], "2:8", "2:3"), (["é", 0], "2:9", nil), (["é", 1], "2:12", nil),
            (["é", 1, "x"], "2:20", "2:13"), (["b"], "3:7", "3:2"), (["c"], "3:17", "3:12"),
        ]
        for (path, value, key) in expected {
            #expect(document.location(of: path).map { "\($0.line):\($0.column)" } == value, "\(path.pathText)")
            #expect(document.keyLocation(of: path).map { "\($0.line):\($0.column)" } == key, "\(path.pathText)")
        }
        #expect(document.location(of: ["é", 2]) == nil)
        #expect(document.location(of: ["b", "x"]) == nil)
    }

    @Test func `a document with a comment is refused at the comment`() throws {
        let error = try #require(throws: JSONError.self) {
            try JSONDocument(bytes: Array("{\n  \"a\": 1, // one\n  \"b\": 2\n}".utf8))
        }
        #expect((error.line, error.column) == (2, 11))
        #expect(error.message.contains("comments"))
    }

    @Test func `a path is written as people write it`() {
        let path: [JSONPathStep] = ["schedules", "jobs", 2, "a b", "c-d", ""]
        #expect(path.pathText == #"schedules.jobs[2]["a b"].c-d[""]"#)
        #expect([JSONPathStep]().pathText == "the root")
    }
}
