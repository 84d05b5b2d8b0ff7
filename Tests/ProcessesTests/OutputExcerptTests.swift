import Processes
import Testing

struct OutputExcerptTests {
    /// What is looked at of `bytes`, of which no more than `limit` are kept.
    private func excerpt(_ bytes: [UInt8], limit: Int) -> OutputExcerpt {
        let head = Array(bytes.prefix(limit - limit / 2))
        let tail = Array(bytes.dropFirst(head.count).suffix(limit / 2))
        return OutputExcerpt(
            head: head, tail: tail, totalCount: bytes.count, droppedCount: bytes.count - head.count - tail.count)
    }

    private func excerpt(_ text: String, limit: Int = 1000) -> OutputExcerpt { excerpt(Array(text.utf8), limit: limit) }

    @Test func countsWhatIsNotKept() {
        let excerpt = excerpt("abc", limit: 0)
        #expect(excerpt.bytes.isEmpty)
        #expect(excerpt.droppedCount == 3)
        #expect(excerpt.preview(characters: 10).isEmpty)
        #expect(excerpt.lastLine == nil)
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
        #expect(excerpt(bytes, limit: 100).preview(characters: 5) == text)
    }

    @Test func previewsOnlyWhatStandsBeforeTheGap() {
        let excerpt = excerpt("0123456789abcdef", limit: 8)
        #expect(excerpt.preview(characters: 500) == "0123")
        #expect(excerpt.lastLine == "cdef")
        #expect(excerpt.droppedCount == 8)
        #expect(excerpt.preview(characters: -1).isEmpty)
        #expect(excerpt.preview(characters: .max) == "0123")
    }

    @Test func previewsAcrossTheHalves() {
        #expect(excerpt("0123é67", limit: 8).preview(characters: 500) == "0123é67")
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
            #expect(excerpt(text, limit: limit).lastLine == line)
        }
    }

    @Test func boundsTheLastLine() {
        let excerpt = excerpt(String(repeating: "é", count: 100_000), limit: 1 << 20)
        #expect(excerpt.lastLine == String(repeating: "é", count: OutputExcerpt.lastLineLimit))
    }

    /// Of a large output the middle is kept and not looked at: what stands on either side of it is never joined.
    @Test func doesNotJoinWhatIsApart() {
        let excerpt = OutputExcerpt(
            head: Array("first line, and half of ano".utf8), tail: Array("the end of another\n".utf8),
            totalCount: 1 << 30, droppedCount: 0)
        #expect(excerpt.preview(characters: 500) == "first line, and half of ano")
        #expect(excerpt.lastLine == "the end of another")
    }
}
