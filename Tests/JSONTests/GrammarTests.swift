import JSON
import Testing

/// One text of the grammar and what must become of it.
struct GrammarCase: CustomTestStringConvertible, Sendable {
    let label: String
    let bytes: [UInt8]
    /// The value in compact text; nil where the text must be refused.
    let compact: String?
    /// For a refused text: the kind of fault and its place, as line:column.
    let code: JSONError.Code
    let place: String

    var testDescription: String { label }

    static func accepted(_ label: String, _ text: String, _ compact: String) -> GrammarCase {
        GrammarCase(label: label, bytes: Array(text.utf8), compact: compact, code: .syntax, place: "")
    }

    static func refused(_ label: String, _ text: String, _ place: String, _ code: JSONError.Code = .syntax) -> Self {
        GrammarCase(label: label, bytes: Array(text.utf8), compact: nil, code: code, place: place)
    }

    static func refused(_ label: String, bytes: [UInt8], _ place: String, _ code: JSONError.Code = .encoding) -> Self {
        GrammarCase(label: label, bytes: bytes, compact: nil, code: code, place: place)
    }
}

@Suite struct GrammarTests {
    static let accepted: [GrammarCase] = [
        // Structure
        .accepted("empty array", "[]", "[]"),
        .accepted("empty object", "{}", "{}"),
        .accepted("whitespace everywhere", " \t\r\n[ 1 ,\n2\t, { \"a\" : 3 } ]\r\n", #"[1, 2, {"a": 3}]"#),
        .accepted("lonely null", "null", "null"),
        .accepted("lonely true", "true", "true"),
        .accepted("lonely false", " false", "false"),
        .accepted("lonely string", "\"\"", "\"\""),
        .accepted("lonely number", "42", "42"),
        .accepted("nested arrays", "[[[]],[],[[1]]]", "[[[]], [], [[1]]]"),
        .accepted("nested objects", #"{"a":{"b":{}},"c":[{}]}"#, #"{"a": {"b": {}}, "c": [{}]}"#),
        .accepted("order kept", #"{"z":1,"a":2,"m":3}"#, #"{"z": 1, "a": 2, "m": 3}"#),
        .accepted("duplicates kept", #"{"a":1,"b":2,"a":3}"#, #"{"a": 1, "b": 2, "a": 3}"#),
        .accepted("empty key", #"{"":0}"#, #"{"": 0}"#),
        .accepted("escaped key", #"{"\u0061\n":0}"#, #"{"a\n": 0}"#),
        .accepted("byte order mark", "\u{FEFF}[1]", "[1]"),
        // Numbers
        .accepted("zero", "0", "0"),
        .accepted("minus zero", "-0", "-0"),
        .accepted("fraction", "[0.5, 10.250, -0.0]", "[0.5, 10.250, -0.0]"),
        .accepted("exponents", "[1e5,1E5,1e+5,1E-05,0e0,-1.5e3]", "[1e5, 1E5, 1e+5, 1E-05, 0e0, -1.5e3]"),
        .accepted("beyond 64 bits", "[18446744073709551616]", "[18446744073709551616]"),
        .accepted("beyond a double", "[1e999,-1e-999]", "[1e999, -1e-999]"),
        .accepted("long fraction", "3.14159265358979323846264338327950288", "3.14159265358979323846264338327950288"),
        // Strings
        .accepted("all short escapes", #""\"\\\/\b\f\n\r\t""#, #""\"\\/\b\f\n\r\t""#),
        .accepted(
            "unicode escapes", #""\u0041\u00e9\u20AC\u0000\u001f\u007f""#, "\"A\u{E9}\u{20AC}\\u0000\\u001f\u{7F}\""),
        .accepted("surrogate pair", #""\ud83d\ude00 \uDBFF\uDFFF""#, "\"\u{1F600} \u{10FFFF}\""),
        .accepted("escaped backslash before u", #""\\u0041""#, #""\\u0041""#),
        .accepted("raw UTF-8", "\"é€😀\"", "\"é€😀\""),
        .accepted("line separators untouched", "\"\u{2028}\u{2029}\u{7F}\u{85}\"", "\"\u{2028}\u{2029}\u{7F}\u{85}\""),
        .accepted("noncharacters", "\"\u{FFFF}\u{10FFFE}\"", "\"\u{FFFF}\u{10FFFE}\""),
        .accepted("brackets in strings", #"["[{", "}]", ":,"]"#, #"["[{", "}]", ":,"]"#),
        .accepted(
            "string over eight bytes", #"["abcdefghijklmnop\"qrstuvwxyz"]"#, #"["abcdefghijklmnop\"qrstuvwxyz"]"#),
    ]

    static let refused: [GrammarCase] = [
        // Structure
        .refused("nothing", "", "1:1"),
        .refused("only whitespace", " \n ", "2:2"),
        .refused("only a byte order mark", "\u{FEFF}", "1:1"),
        .refused("two byte order marks", "\u{FEFF}\u{FEFF}1", "1:1"),
        .refused("a second value", "1 2", "1:3"),
        .refused("a second array", "[][]", "1:3"),
        .refused("open array", "[", "1:2"),
        .refused("open array after a value", "[1", "1:3"),
        .refused("open array after a comma", "[1,", "1:4"),
        .refused("open object", "{", "1:2"),
        .refused("open object after a key", #"{"a""#, "1:5"),
        .refused("open object after a colon", #"{"a":"#, "1:6"),
        .refused("open object after a value", #"{"a":1"#, "1:7"),
        .refused("trailing comma in an array", "[1,]", "1:4"),
        .refused("trailing comma in an object", "{\"a\":1,}", "1:8"),
        .refused("only a comma", "[,]", "1:2"),
        .refused("double comma", "[1,,2]", "1:4"),
        .refused("leading comma", "{,\"a\":1}", "1:2"),
        .refused("missing comma", "[1 2]", "1:4"),
        .refused("missing comma between members", "{\"a\":1\n \"b\":2}", "2:2"),
        .refused("missing colon", #"{"a" 1}"#, "1:6"),
        .refused("double colon", #"{"a"::1}"#, "1:6"),
        .refused("comma for colon", #"{"a",1}"#, "1:5"),
        .refused("colon in an array", #"["a":1]"#, "1:5"),
        .refused("unquoted key", "{a:1}", "1:2"),
        .refused("number as key", "{1:1}", "1:2"),
        .refused("single quotes", "['a']", "1:2"),
        .refused("array closed by brace", "[1}", "1:3"),
        .refused("object closed by bracket", #"{"a":1]"#, "1:7"),
        .refused("only a closing bracket", "]", "1:1"),
        .refused("line comment", "// note\n1", "1:1"),
        .refused("block comment", "[1, /* note */ 2]", "1:5"),
        .refused("hash comment", "{\n  # note\n  \"a\": 1}", "2:3"),
        .refused("comment after the value", "1 // note", "1:3"),
        .refused("form feed", "[\u{C}1]", "1:2"),
        .refused("vertical tab", "\u{B}1", "1:1"),
        .refused("no-break space", "[1,\u{A0}2]", "1:4"),
        .refused("NUL after the value", "1\u{0}", "1:2"),
        .refused("capital True", "[True]", "1:2"),
        .refused("cut word", "[nul]", "1:2"),
        .refused("long word", "nulls", "1:5"),
        .refused("column counts scalars", "[\"é😀\", x]", "1:8"),
        .refused("line counts line feeds", "[1,\r\n2,\r\n\r\n x]", "4:2"),
        // Numbers
        .refused("leading zero", "[01]", "1:2"),
        .refused("minus leading zero", "-012", "1:2"),
        .refused("plus", "+1", "1:1"),
        .refused("bare minus", "[-]", "1:3"),
        .refused("minus word", "-Infinity", "1:2"),
        .refused("NaN", "NaN", "1:1"),
        .refused("bare fraction", ".5", "1:1"),
        .refused("empty fraction", "1.", "1:3"),
        .refused("fraction then exponent", "1.e1", "1:3"),
        .refused("empty exponent", "1e", "1:3"),
        .refused("signed empty exponent", "[1e+]", "1:5"),
        .refused("two exponents", "1e1e1", "1:4"),
        .refused("two points", "1.2.3", "1:4"),
        .refused("hexadecimal", "0x1F", "1:2"),
        .refused("grouped", "1_000", "1:2"),
        .refused("letter after number", "[1a]", "1:3"),
        .refused("full-width digit", "\u{FF11}", "1:1"),
        // Strings
        .refused("open string", #"["a"#, "1:2"),
        .refused("string ends in backslash", #""\"#, "1:3"),
        .refused("escaped last quote", #""a\""#, "1:1"),
        .refused("unknown escape", #""\x41""#, "1:3"),
        .refused("escaped single quote", #""\'""#, "1:3"),
        .refused("capital U escape", #""\U0041""#, "1:3"),
        .refused("short unicode escape", #""\u12""#, "1:6"),
        .refused("cut unicode escape", #""\u1"#, "1:5"),
        .refused("signed unicode escape", #""\u+123""#, "1:4"),
        .refused("raw line feed", "\"a\nb\"", "1:3"),
        .refused("raw tab", "\"\t\"", "1:2"),
        .refused("raw NUL", "\"abcdefghij\u{0}\"", "1:12"),
        .refused("raw U+001F", "\"\u{1F}\"", "1:2"),
        // Surrogates and UTF-8
        .refused("lone high surrogate", #""a\ud800""#, "1:3", .encoding),
        .refused("lone low surrogate", #""\udc00""#, "1:2", .encoding),
        .refused("two high surrogates", #""\ud800\ud800""#, "1:2", .encoding),
        .refused("high surrogate, then a letter", #""\uD800\u0041""#, "1:2", .encoding),
        .refused("high surrogate, then a short escape", #""\uD800\n""#, "1:2", .encoding),
        .refused("lone continuation byte", bytes: [0x22, 0x80, 0x22], "1:2"),
        .refused("overlong slash", bytes: [0x22, 0xC0, 0xAF, 0x22], "1:2"),
        .refused("overlong three bytes", bytes: [0x22, 0xE0, 0x80, 0xAF, 0x22], "1:2"),
        .refused("overlong four bytes", bytes: [0x22, 0xF0, 0x80, 0x80, 0xAF, 0x22], "1:2"),
        .refused("surrogate in UTF-8", bytes: [0x22, 0xED, 0xA0, 0x80, 0x22], "1:2"),
        .refused("beyond Unicode", bytes: [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], "1:2"),
        .refused("cut two-byte sequence", bytes: [0x22, 0xC3, 0x22], "1:2"),
        .refused("cut at the end", bytes: [0x22, 0xE2, 0x82], "1:2"),
        .refused("byte 0xFF between values", bytes: [0x5B, 0xFF, 0x5D], "1:2"),
        .refused("Latin-1 after eight letters", bytes: Array("\"abcdefgh".utf8) + [0xE9, 0x22], "1:10"),
        .refused("UTF-16 with its mark", bytes: [0xFF, 0xFE, 0x31, 0x00], "1:1"),
        .refused("UTF-16 without a mark", bytes: [0x31, 0x00], "1:2", .syntax),
    ]

    @Test(arguments: accepted) func `a text of the grammar is read and written back`(_ row: GrammarCase) throws {
        let value = try JSONValue(parsing: row.bytes)
        #expect(value.compactText == row.compact)
        #expect(try JSONValue(parsing: value.compactText) == value)
        #expect(try JSONValue(parsing: value.prettyText(indent: 3)) == value)
    }

    @Test(arguments: refused) func `what is not JSON is refused at its place`(_ row: GrammarCase) throws {
        let error = try #require(throws: JSONError.self) { try JSONValue(parsing: row.bytes) }
        #expect("\(error.line):\(error.column)" == row.place)
        #expect(error.code == row.code)
        #expect(error.message.hasPrefix("found "))
    }

    @Test func `every prefix of a text is refused without a trap`() {
        let text = Array(#"{"a\u00e9\ud83d\ude00": [1.5e-3, true, false, null, "x\\y", {"é€😀": -0}], "b": {}}"#.utf8)
        for length in 0..<text.count {
            #expect(throws: JSONError.self) { try JSONValue(parsing: text[..<length]) }
        }
        #expect(throws: Never.self) { try JSONValue(parsing: text) }
    }

    @Test(arguments: [
        ("[1,]", "found ']'; expected a value (no comma follows the last element)"),
        ("[1 // one\n]", "found '/'; expected ',' or ']' after an element; JSON has no comments"),
        ("[True]", "found 'True'; expected a value; write true"),
        ("{'a': 1}", "found '''; expected a key in double quotes, or '}'; strings are in double quotes"),
        ("[NaN]", "found 'NaN'; expected a value; JSON has no such number"),
        ("", "found the end of the text; expected a value"),
        ("[1,\u{A0}2]", "found the character U+00A0; expected a value"),
        ("\"\t\"", "found the control character U+0009 inside a string; write it as an escape such as \\n or \\u0009"),
        ("[007]", "found a number with a leading zero; write it without"),
    ])
    func `an error says what was found and what would be right`(_ text: String, _ message: String) throws {
        let error = try #require(throws: JSONError.self) { try JSONValue(parsing: text) }
        #expect(error.message == message)
        #expect(error.description.hasPrefix("cannot read JSON at line 1, column "))
    }

    @Test func `the byte offset counts the byte order mark, the column does not`() throws {
        let error = try #require(throws: JSONError.self) { try JSONValue(parsing: "\u{FEFF}[é") }
        #expect(error.byteOffset == 4)
        #expect(error.column == 2)
    }
}
