import Processes
import Testing

struct OutputCaptureTests {
    /// What would be kept of `bytes` under a bound.
    private func capture(_ bytes: [UInt8], limit: Int) -> OutputCapture {
        let head = Array(bytes.prefix(limit - limit / 2))
        return OutputCapture(
            head: head, tail: Array(bytes.dropFirst(head.count).suffix(limit / 2)), totalCount: bytes.count)
    }

    private func capture(_ text: String, limit: Int = 1000) -> OutputCapture { capture(Array(text.utf8), limit: limit) }

    @Test func countsWhatIsNotKept() {
        let capture = capture("abc", limit: 0)
        #expect(capture.keptBytes.isEmpty)
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
        #expect(capture(bytes, limit: 100).preview(characters: 5) == text)
    }

    @Test func previewsOnlyWhatStandsBeforeTheGap() {
        let capture = capture("0123456789abcdef", limit: 8)
        #expect(capture.preview(characters: 500) == "0123")
        #expect(capture.lastLine == "cdef")
        #expect(capture.droppedCount == 8)
        #expect(capture.preview(characters: -1).isEmpty)
        #expect(capture.preview(characters: .max) == "0123")
    }

    @Test func previewsAcrossTheHalves() {
        #expect(capture("0123é67", limit: 8).preview(characters: 500) == "0123é67")
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
            #expect(capture(text, limit: limit).lastLine == line)
        }
    }

    @Test func boundsTheLastLine() {
        let capture = capture(String(repeating: "é", count: 100_000), limit: 1 << 20)
        #expect(capture.lastLine == String(repeating: "é", count: OutputCapture.lastLineLimit))
    }
}
