import Processes
import Testing

struct OutputCaptureTests {
    /// Keeps everything, and cuts only when asked.
    struct Oracle {
        let limit: Int
        var all: [UInt8] = []

        var head: [UInt8] { Array(all.prefix(limit - limit / 2)) }
        var tail: [UInt8] { Array(all.dropFirst(limit - limit / 2).suffix(limit / 2)) }
    }

    @Test(arguments: 0..<300 as Range<UInt64>)
    func keepsTheFirstAndTheLastBytes(seed: UInt64) {
        var random = SplitMix(state: seed)
        let limit = Int(random.next() % 64)
        var capture = OutputCapture(limit: limit)
        var oracle = Oracle(limit: limit)
        for _ in 0..<(random.next() % 20) {
            let chunk = (0..<(random.next() % 90)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            chunk.withUnsafeBytes { capture.append($0) }
            oracle.all += chunk
            #expect(capture.head == oracle.head, "seed \(seed)")
            #expect(capture.tail == oracle.tail, "seed \(seed)")
            #expect(capture.totalCount == oracle.all.count, "seed \(seed)")
            #expect(capture.droppedCount == oracle.all.count - capture.keptBytes.count, "seed \(seed)")
        }
    }

    @Test func countsWhatItDoesNotKeep() {
        var capture = OutputCapture(limit: -5)
        append("abc", to: &capture)
        #expect(capture.limit == 0)
        #expect(capture.keptBytes.isEmpty)
        #expect(capture.totalCount == 3)
        #expect(capture.droppedCount == 3)
        #expect(capture.preview(characters: 10).isEmpty)
        #expect(capture.lastLine == nil)
    }

    // MARK: - For people

    @Test(
        arguments: [
            ([], ""),
            (Array("hello".utf8), "hello"),
            (Array("hellü wörld".utf8), "hellü"),
            (Array("😀😀😀😀😀😀".utf8), "😀😀😀😀😀"),
            ([0xFF, 0x61, 0xC3, 0x62, 0x80], "\u{FFFD}a\u{FFFD}b\u{FFFD}"),
            ([0x61, 0x00, 0x62], "a\u{FFFD}b"),
            ([0x61, 0xE2, 0x82], "a\u{FFFD}"),
            ([0xF0, 0x9F, 0x98, 0x80, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], "😀\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),
        ] as [([UInt8], String)])
    func previewsTheStartAsText(bytes: [UInt8], text: String) {
        var capture = OutputCapture(limit: 100)
        bytes.withUnsafeBytes { capture.append($0) }
        #expect(capture.preview(characters: 5) == text)
    }

    @Test func previewsOnlyWhatStandsBeforeTheGap() {
        var capture = OutputCapture(limit: 8)
        append("0123456789abcdef", to: &capture)
        #expect(capture.preview(characters: 500) == "0123")
        #expect(capture.lastLine == "cdef")
        #expect(capture.droppedCount == 8)
        #expect(capture.preview(characters: -1).isEmpty)
        #expect(capture.preview(characters: .max) == "0123")
    }

    @Test func previewsAcrossTheHalves() {
        var capture = OutputCapture(limit: 8)
        append("0123é67", to: &capture)
        #expect(capture.preview(characters: 500) == "0123é67")
    }

    @Test(
        arguments: [
            ("", nil),
            ("\n\n  \t\r\n", nil),
            ("one", "one"),
            ("one\ntwo\n", "two"),
            ("one\ntwo\n\n \r\n", "two"),
            ("10%\r20%\r100%\r\n", "100%"),
            ("  indented  \n", "indented"),
            (
                "no end\nbut a long line that goes from the head into the tail",
                "but a long line that goes from the head into the tail"
            ),
        ] as [(String, String?)])
    func findsTheLastLine(text: String, line: String?) {
        for limit in [text.utf8.count, text.utf8.count + 1, 1000] {
            var capture = OutputCapture(limit: limit)
            append(text, to: &capture)
            #expect(capture.lastLine == line)
        }
    }

    @Test func boundsTheLastLine() {
        var capture = OutputCapture(limit: 1 << 20)
        append(String(repeating: "é", count: 100_000), to: &capture)
        #expect(capture.lastLine == String(repeating: "é", count: OutputCapture.lastLineLimit))
    }

    private func append(_ text: String, to capture: inout OutputCapture) {
        Array(text.utf8).withUnsafeBytes { capture.append($0) }
    }
}

/// SplitMix64: small, and the same everywhere.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
