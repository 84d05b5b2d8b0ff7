import Testing

@testable import JSON

/// What is not shown of a text.
@Suite struct MaskTests {
    private let mask = JSONMask(
        [["a", "secret"], ["all", "*", "secret"], ["whole"]], addresses: [["a", "url"]])

    private func shown(_ text: String, _ path: [String] = [], piece: Int = 1 << 20) throws -> String? {
        var extraction = JSONExtraction(bytes: Array(text.utf8), path: path, mask: mask)
        while try extraction.goOn(bytesMax: piece) {}
        return extraction.text
    }

    @Test(arguments: [
        (#"{"a": {"secret": "x", "b": "x"}, "secret": "x"}"#, #"{"a": {"secret": "***", "b": "x"}, "secret": "x"}"#),
        (#"{"a":{"secret":{"x":["x",{"y":1}]},"b":[1,{}]}}"#, #"{"a": {"secret": "***", "b": [1, {}]}}"#),
        (#"{"a": {"secret": null, "b": true}}"#, #"{"a": {"secret": null, "b": true}}"#),
        (#"{"a": {"secret": 7}, "b": 1}"#, #"{"a": {"secret": "***"}, "b": 1}"#),
        (#"{"a": {"secret": "x", "secret": "y"}}"#, #"{"a": {"secret": "***", "secret": "***"}}"#),
        (#"{"a": {"s\u0065cret": "x"}}"#, #"{"a": {"secret": "***"}}"#),
        (
            #"{"all": {"x": {"secret": "x"}, "y": {"secret": [1], "z": {"secret": 1}}}}"#,
            #"{"all": {"x": {"secret": "***"}, "y": {"secret": "***", "z": {"secret": 1}}}}"#
        ),
        (
            #"{"all": [{"x": {"secret": "x"}}, 1, {"y": {"secret": "x"}}]}"#,
            #"{"all": [{"x": {"secret": "***"}}, 1, {"y": {"secret": "***"}}]}"#
        ),
        (
            #"{"whole": {"x": {"secret": []}}, "b": [{"a": {"secret": 1}}]}"#,
            #"{"whole": "***", "b": [{"a": {"secret": 1}}]}"#
        ),
        (#"{"a": {"url": "smtp://x"}}"#, #"{"a": {"url": "smtp://x"}}"#),
        (#"{"a": {"url": "smtp://u:p@x"}}"#, #"{"a": {"url": "***"}}"#),
        (#"{"a": {"url": "smtp://u:p\u0040x"}}"#, #"{"a": {"url": "***"}}"#),
        (#"[{"a": {"secret": "x"}}]"#, #"[{"a": {"secret": "***"}}]"#),
        ("1", "1"),
    ])
    func `stars stand in place of it`(text: String, expected: String) throws {
        #expect(try shown(text) == expected)
        for piece in 1...8 { #expect(try shown(text, piece: piece) == expected) }
    }

    @Test(arguments: [
        (["a"], #"{"secret": "***", "b": "x"}"#), (["a", "secret"], #""***""#), (["whole", "deep"], #""***""#),
        (["all", "one"], #"{"secret": "***"}"#), (["all", "one", "secret"], #""***""#), (["b"], #"{"secret": 1}"#),
    ])
    func `below a path it is as below the root`(path: [String], expected: String) throws {
        let text =
            #"{"a": {"secret": "x", "b": "x"}, "all": {"one": {"secret": "x"}}, "whole": {"deep": 1}, "b": {"secret": 1}}"#
        #expect(try shown(text, path) == expected)
    }

    @Test func `an outline masks what is to be masked, and leaves the rest as it stands`() throws {
        let text = #"{ "s" : {"b":1,  "a": {"secret": "x"}, "c" : [ ],"a":{"secret":2} } }"#
        let outline = try JSONOutline(bytes: Array(text.utf8), depth: 2)
        let mask = JSONMask([["s", "a", "secret"]])
        #expect(
            outline.text(of: ["s"], mask: mask)
                == #"{"b":1,  "a": {"secret": "***"}, "c" : [ ],"a":{"secret": "***"} }"#)
        #expect(outline.text(of: ["t"], mask: mask) == nil)
    }
}
