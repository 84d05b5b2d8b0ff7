import Glibc
import JSON
import TestSupport
import Testing

/// Python's `json` module says of each text whether it is JSON, and what its compact text is.
///
/// It is laxer in three ways that the script closes: it takes `NaN` and infinities, lone surrogates, and UTF-16.
@Suite struct PythonOracleTests {
    private static let script = """
        import json, re, sys

        class Number(str): pass
        class Members(list): pass

        def refuse(name): raise ValueError(name)

        def canonical(value):
            if isinstance(value, Number): return str(value)
            if isinstance(value, Members):
                return "{" + ", ".join(canonical(k) + ": " + canonical(v) for k, v in value) + "}"
            if isinstance(value, list): return "[" + ", ".join(map(canonical, value)) + "]"
            return json.dumps(value, ensure_ascii=False)

        for line in open(sys.argv[1]):
            try:
                text = bytes.fromhex(line.strip()).decode("utf-8")
                if text.startswith("\\ufeff"): text = text[1:]
                value = json.loads(text, parse_constant=refuse, parse_int=Number, parse_float=Number,
                                   object_pairs_hook=Members)
                print(canonical(value).encode("utf-8").hex())
            except ValueError:
                print("refused")
        """

    @Test func `the same texts are accepted, and mean the same`() throws {
        let seed: UInt64 = 20_260_120
        var documents = RandomDocuments(seed: seed)
        var texts: [[UInt8]] = (GrammarTests.accepted + GrammarTests.refused).map(\.bytes)
        for _ in 0..<1_500 {
            let value = documents.value()
            let text = Array(documents.text(of: value).utf8)
            #expect(try JSONValue(parsing: text) == value, "seed \(seed)")
            texts.append(text)
            for _ in 0..<4 { texts.append(documents.mutated(text)) }
        }
        guard let answers = try Self.answers(to: texts) else {
            print("SKIPPED: no python3 to compare JSON with")
            return
        }
        try #require(answers.count == texts.count, "python has not answered for each text")
        var accepted = 0
        for (text, answer) in zip(texts, answers) {
            let ours = (try? JSONValue(parsing: text)).map { Self.hex($0.compactBytes) } ?? "refused"
            #expect(ours == answer, "seed \(seed), text \(String(decoding: text, as: UTF8.self)) (\(Self.hex(text)))")
            if ours != "refused" { accepted += 1 }
        }
        // A comparison of nothing but refusals would prove little.
        #expect(accepted > 1_500 && accepted < texts.count - 1_500, "\(accepted) of \(texts.count) accepted")
    }

    // MARK: - Running it

    /// One line per text; nil where there is no python3.
    private static func answers(to texts: [[UInt8]]) throws -> [String]? {
        let scratch = try ScratchFolder("json-oracle")
        let folder = scratch.path
        try write(script, to: "\(folder)/oracle.py")
        try write(texts.map { hex($0) + "\n" }.joined(), to: "\(folder)/texts")

        let command = "command -v python3 >/dev/null || exit 0; exec python3 '\(folder)/oracle.py' '\(folder)/texts'"
        let done = try TestProgram(["/bin/sh", "-c", command], environment: nil, errors: .inherited).finish()
        try #require(done.code == 0, "python3 failed with status \(done.code)")
        if done.output.isEmpty { return nil }
        return done.output.split(separator: "\n").map(String.init)
    }

    private static func write(_ text: String, to path: String) throws {
        let file = try #require(fopen(path, "w"), "fopen \(path): errno \(errno)")
        defer { fclose(file) }
        let bytes = Array(text.utf8)
        try #require(fwrite(bytes, 1, bytes.count, file) == bytes.count, "fwrite \(path): errno \(errno)")
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 0xF)]] }, as: UTF8.self)
    }
}
