import TestSupport
import Testing

@testable import botcronctl

/// Bytes of terminals, as keys.
@Suite struct KeyReaderTests {
    private func keys(_ text: String) -> [Key] {
        var reader = KeyReader()
        return reader.read(Array(text.utf8)) + reader.flush()
    }

    @Test(arguments: [
        ("aZ?", [Key.character("a"), .character("Z"), .character("?")]),
        ("ü日", [.character("ü"), .character("日")]),
        ("\u{1B}[A\u{1B}[B\u{1B}[C\u{1B}[D", [.up, .down, .right, .left]),
        ("\u{1B}OA\u{1B}OB\u{1B}OH\u{1B}OF\u{1B}OM", [.up, .down, .home, .end, .enter]),
        ("\u{1B}[1;5A\u{1B}[1;2B", [.up, .down]),
        (
            "\u{1B}[5~\u{1B}[6~\u{1B}[1~\u{1B}[4~\u{1B}[7~\u{1B}[8~\u{1B}[3~",
            [
                .pageUp, .pageDown, .home, .end, .home, .end, .delete,
            ]
        ),
        ("\u{1B}[H\u{1B}[F\u{1B}[Z\t\r\n", [.home, .end, .backTab, .tab, .enter, .enter]),
        ("\u{8}\u{7F}\u{3}\u{1A}\u{C}", [.backspace, .backspace, .control("c"), .control("z"), .control("l")]),
        ("\u{1B}", [.escape]), ("\u{1B}\u{1B}", [.escape, .escape]), ("\u{1B}x", [.escape, .character("x")]),
        // Let go of, it is no second click.
        ("\u{1B}[<0;5;8M\u{1B}[<0;5;8m", [.mouse(.click(column: 4, row: 7))]),
        ("\u{1B}[<64;1;1M\u{1B}[<65;1;1M\u{1B}[<2;1;1M", [.mouse(.wheelUp), .mouse(.wheelDown)]),
        ("\u{1B}[?2026;2$y", [.modeReport(mode: 2026, state: 2)]),
        ("\u{1B}[200~rm -rf\nx\u{1B}[201~q", [.pasted("rm -rf\nx"), .character("q")]),
        // What is none is left out.
        ("\u{1B}[[Aa", [.character("a")]), ("\u{1B}[M !!a", [.character("a")]),
        (
            "\u{1B}[15~\u{1B}[11;22;33Ra",
            [
                .character("a")
            ]
        ),
        ("\u{1B}]0;title\u{7}a", [.character("a")]), ("\u{1B}P1$r0m\u{1B}\\a", [.character("a")]),
        ("\u{0}\u{1C}a", [.character("a")]), ("\u{9B}a", [.character("a")]),
    ])
    func sequencesAreKeys(_ text: String, _ wanted: [Key]) {
        #expect(keys(text) == wanted)
    }

    private static let pieces: [[UInt8]] =
        [
            "\u{1B}", "\u{1B}[", "\u{1B}O", "\u{1B}[A", "\u{1B}[<0;1;1M", "\u{1B}[200~", "\u{1B}[201~", "\u{1B}]0;",
            "\u{7}", "\u{1B}\\", "[", "O", "M", "~", "1", ";", "a", "q", "ü", "日", "🎉", "\r", "\t", "\u{1A}", "\0",
        ].map { Array($0.utf8) } + [[0x80], [0xC2], [0xE0, 0x80], [0xF0, 0x9F], [0xFF]]

    /// Wherever reading stops, the keys are the same, and what is kept meanwhile has a bound.
    @Test func whereBytesAreCutDoesNotMatter() {
        let seed = SeededGenerator.seed()
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2_000 {
            let bytes = (0..<Int.random(in: 0...30, using: &random)).flatMap { _ in
                Bool.random(using: &random)
                    ? Self.pieces.randomElement(using: &random) ?? [] : [UInt8.random(in: 0...255, using: &random)]
            }
            var (whole, single) = (KeyReader(), KeyReader())
            let keys = whole.read(bytes)
            guard bytes.flatMap({ single.read([$0]) }) == keys, whole.flush() == single.flush() else {
                Issue.record("seed \(seed): \(bytes)")
                return
            }
        }
    }

    @Test(arguments: ["\u{1B}[", "\u{1B}]", "\u{1B}[200~", "\u{1B}P"])
    func whatNeverEndsIsNotKept(_ begin: String) {
        var reader = KeyReader()
        #expect(reader.read(Array(begin.utf8) + Array(repeating: UInt8(ascii: "1"), count: 50_000)).isEmpty)
        #expect(reader.keptBytes <= KeyReader.pasteMax)
        // And it ends all the same.
        let end = ["\u{1B}[": "A", "\u{1B}[200~": "\u{1B}[201~"][begin] ?? "\u{1B}\\"
        let keys = reader.read(Array((end + "q").utf8))
        #expect(keys.last == .character("q"))
        if begin == "\u{1B}[200~", case .pasted(let text) = keys[0] { #expect(text.utf8.count < KeyReader.pasteMax) }
    }

    /// A key of that name, until more comes.
    @Test func anEscapeIsWaitedOn() {
        var reader = KeyReader()
        #expect(reader.read([0x1B]).isEmpty && reader.isWaiting)
        #expect(reader.read(Array("[A".utf8)) == [.up] && !reader.isWaiting)
        #expect(reader.read([0x1B]).isEmpty && reader.flush() == [.escape] && reader.flush().isEmpty)
        // A sequence that was begun and broken off is no key.
        #expect(reader.read(Array("\u{1B}[1".utf8)).isEmpty && reader.flush().isEmpty)
        #expect(reader.read(Array("a".utf8)) == [.character("a")])
    }
}
