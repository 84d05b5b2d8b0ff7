/// What is looked at of what a process wrote: its first and its last bytes, whatever the bound of what is kept. Binary
/// safe.
public struct OutputExcerpt: Equatable, Sendable {
    /// The bytes of each of the two, at most. What lies between them is kept, as far as its bound allows, and nobody
    /// looks at it.
    public static let partBytesMax = 64 << 10

    /// The first bytes, up to what was dropped.
    public let head: [UInt8]
    /// The last bytes that follow `head`, and follow what was dropped.
    public let tail: [UInt8]
    /// Bytes written in all.
    public let totalCount: Int
    /// How many of them are gone: between the first and the last that the bound allows, or for want of room.
    public let droppedCount: Int

    public init(head: [UInt8], tail: [UInt8], totalCount: Int, droppedCount: Int) {
        self.head = head
        self.tail = tail
        self.totalCount = totalCount
        self.droppedCount = droppedCount
    }

    /// What there is of no output.
    public static let empty = OutputExcerpt(head: [], tail: [], totalCount: 0, droppedCount: 0)

    /// `head` and `tail`, nothing in between.
    public var bytes: [UInt8] { head + tail }

    /// Whether `tail` goes on where `head` ends.
    private var isWhole: Bool { head.count + tail.count == totalCount }

    // MARK: - For people

    /// The first `characters` Unicode characters as text, as far as they lie within the excerpt's first bytes: each
    /// invalid byte sequence, and each NUL (which neither D-Bus nor C text can hold), reads `U+FFFD`. Where bytes were
    /// dropped, only of those before.
    public func preview(characters: Int) -> String {
        // No character takes more than four bytes, so these are enough of them.
        let (byteCount, overflows) = max(0, characters).multipliedReportingOverflow(by: 4)
        let bytes = isWhole ? bytes[...] : head[...]
        return Self.text(overflows ? bytes : bytes.prefix(byteCount), characters: characters)
    }

    /// The last line that is not blank, without the white space around it, at most `lastLineLimit` characters of it.
    /// Of a line whose start lies before the last bytes, what is in them; nil where there is nothing but white space.
    public var lastLine: String? {
        for bytes in isWhole ? [bytes] : [tail, head] {
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
