/// What a process wrote, with a bound: its first and its last bytes, and how many in between were dropped. Binary safe.
public struct OutputCapture: Equatable, Sendable {
    /// The first bytes; all of them where none were dropped.
    public let head: [UInt8]
    /// The last bytes, after what was dropped.
    public let tail: [UInt8]
    /// Bytes written in all.
    public let totalCount: Int

    public init(head: [UInt8], tail: [UInt8], totalCount: Int) {
        self.head = head
        self.tail = tail
        self.totalCount = totalCount
    }

    /// How many bytes between `head` and `tail` are gone.
    public var droppedCount: Int { totalCount - head.count - tail.count }

    /// `head` and `tail`, nothing in between.
    public var keptBytes: [UInt8] { head + tail }

    // MARK: - For people

    /// The first `characters` Unicode characters as text: each invalid byte sequence, and each NUL (which neither D-Bus
    /// nor C text can hold), reads `U+FFFD`. Where bytes were dropped, only of those before.
    public func preview(characters: Int) -> String {
        // No character takes more than four bytes, so these are enough of them.
        let (byteCount, overflows) = max(0, characters).multipliedReportingOverflow(by: 4)
        let bytes = droppedCount > 0 ? head[...] : keptBytes[...]
        return Self.text(overflows ? bytes : bytes.prefix(byteCount), characters: characters)
    }

    /// The last line that is not blank, without the white space around it, at most `lastLineLimit` characters of it.
    /// Of a line whose start was dropped, what is left; nil where nothing was written but white space.
    public var lastLine: String? {
        for bytes in droppedCount == 0 ? [keptBytes] : [tail, head] {
            guard let end = bytes.lastIndex(where: { !Self.isSpace($0) }) else { continue }
            let start = bytes[...end].lastIndex { Self.isLineEnd($0) }.map { $0 + 1 } ?? 0
            let line = bytes[start...end].drop { Self.isSpace($0) }
            return Self.text(line.prefix(4 * Self.lastLineLimit), characters: Self.lastLineLimit)
        }
        return nil
    }

    public static let lastLineLimit = 500

    private static func text(_ bytes: ArraySlice<UInt8>, characters: Int) -> String {
        var text = String.UnicodeScalarView()
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars.prefix(max(0, characters)) {
            text.append(scalar == "\0" ? "\u{FFFD}" : scalar)
        }
        return String(text)
    }

    private static func isLineEnd(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }
    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
}
