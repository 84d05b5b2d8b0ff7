import TestSupport
import Testing

@testable import botcronctl

/// What jobs write, and what configurations say, cannot steer a terminal.
@Suite struct TerminalTests {
    private func cleaned(_ pieces: [[UInt8]]) -> [UInt8] {
        var cleaner = TerminalCleaner()
        return pieces.flatMap { cleaner.clean($0) } + cleaner.finish()
    }

    private func cleaned(_ text: String) -> String {
        String(decoding: cleaned([Array(text.utf8)]), as: UTF8.self)
    }

    /// Pieces that sequences are made of, whole and broken, and characters of every length.
    private static let pieces: [[UInt8]] =
        [
            "\u{1B}", "\u{1B}[", "\u{1B}[31m", "\u{1B}]0;", "\u{7}", "\u{1B}\\", "\u{1B}P", "\u{9B}", "\u{9D}", "[",
            "m",
            ";", "1", "\r", "\n", "\r\n", "\t", "\u{8}", "\u{7F}", "\0", "a", "ü", "日", "🎉", "\u{202E}", "\u{2066}",
            "\u{1B}(0", "\u{E}", "x",
        ].map { Array($0.utf8) } + [
            [0x80], [0x9B], [0xC2], [0xE0, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x9F], [0xFF], [0xC0, 0xAF],
        ]

    private static func text(_ generator: inout SeededGenerator) -> [UInt8] {
        (0..<Int.random(in: 0...40, using: &generator)).flatMap { _ in
            Bool.random(using: &generator)
                ? pieces.randomElement(using: &generator) ?? [] : [UInt8.random(in: 0...255, using: &generator)]
        }
    }

    private static var isSafe: (Unicode.Scalar) -> Bool { { $0 == "\n" || $0 == "\t" || !steersTerminal($0) } }

    @Test func nothingThatSteersATerminalComesThrough() {
        let seed = SeededGenerator.seed()
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<20_000 {
            let bytes = Self.text(&generator)
            let output = cleaned([bytes])
            let scalars = String(validating: output, as: UTF8.self)?.unicodeScalars
            guard let scalars, scalars.allSatisfy(Self.isSafe) else {
                Issue.record("seed \(seed): \(bytes) became \(output)")
                return
            }
        }
    }

    @Test func whereAPieceEndsDoesNotMatter() {
        let seed = SeededGenerator.seed()
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<1_000 {
            let bytes = Self.text(&generator)
            let whole = cleaned([bytes])
            for cut in 0...bytes.count where cleaned([Array(bytes[..<cut]), Array(bytes[cut...])]) != whole {
                Issue.record("seed \(seed): \(bytes) cut at \(cut)")
                return
            }
            if cleaned(bytes.map { [$0] }) != whole {
                Issue.record("seed \(seed): \(bytes) byte by byte")
                return
            }
        }
    }

    @Test func plainTextStaysAsItIs() {
        let text = "Jörg\t日本 🎉\nend\u{301}\u{200F}\u{FFFD}\n"
        #expect(cleaned(text) == text)
    }

    @Test(arguments: [
        ("\u{1B}[31mred\u{1B}[0m", "red"), ("\u{1B}]0;title\u{7}text", "text"),
        ("\u{1B}]8;;http://a\u{1B}\\link\u{1B}]8;;\u{1B}\\", "link"), ("\u{1B}(Btext", "text"),
        ("\u{1B}[2J\u{1B}[Hgone", "gone"), ("\u{1B}cgone", "gone"), ("\u{1B}Pq#0\u{1B}\\text", "text"),
        ("50%\r100%\r\n", "50%\n100%\n"), ("a\r\r\nb", "a\nb"), ("true\rfake", "true\nfake"), ("end\r", "end"),
        ("a\u{8}b", "a\u{FFFD}b"), ("a\u{7}b\0c\u{7F}", "a\u{FFFD}b\u{FFFD}c\u{FFFD}"),
        ("\u{9B}31m", "\u{FFFD}31m"), ("a\u{202E}b\u{2066}c", "a\u{FFFD}b\u{FFFD}c"),
        ("\u{1B}]0;never ended\nnext line", "\nnext line"), ("\u{1B}[12\u{1B}[34mx", "x"), ("\u{1B}", ""),
        ("\u{1B}\u{1B}[1mx", "x"), ("\u{1B}[1\nx", "\nx"),
    ])
    func sequencesAreLeftOutAndTheRestIsShown(_ written: String, _ shown: String) {
        #expect(cleaned(written) == shown)
    }

    @Test(arguments: ["\u{1B}]0;", "\u{1B}[", "\u{1B}P", "\u{1B}("])
    func whatIsNeverEndedDoesNotSwallowTheOutput(_ begin: String) {
        let rest = String(repeating: begin == "\u{1B}(" ? " " : "1", count: 3 * TerminalCleaner.sequenceMax)
        #expect(
            cleaned(begin + rest).count == rest.count - TerminalCleaner.sequenceMax + (begin.count > 2 ? 0 : 1)
                || cleaned(begin + rest).count >= rest.count - TerminalCleaner.sequenceMax - 2)
    }

    // MARK: - Lines

    @Test func whatIsInterpolatedIntoALineIsCleaned() {
        let foreign = "a\u{1B}[31mb\u{7}c\u{9B}d\u{202E}e\nf"
        let line: Line = "\(foreign): \(3) of \(Line(own: "\u{1B}[1mours\u{1B}[0m"))"
        #expect(line.text == "a\u{FFFD}[31mb\u{FFFD}c\u{FFFD}d\u{FFFD}e f: 3 of \u{1B}[1mours\u{1B}[0m")
        #expect(Line(foreign: "a\n\u{1B}b", keepingLines: true).text == "a\n\u{FFFD}b")
    }

    @Test func jsonOnATerminalMeansTheSame() {
        let text = "{\n  \"a\": \"x\u{9B}y\u{202E}\u{7F}z ü\"\n}"
        #expect(printableJSON(text) == "{\n  \"a\": \"x\\u009by\\u202e\\u007fz ü\"\n}")
        #expect(printableJSON("{\"a\": 1}") == "{\"a\": 1}")
    }
}
