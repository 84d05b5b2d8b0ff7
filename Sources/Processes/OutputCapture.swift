/// What a process wrote, with a bound: its first and its last bytes, and how many in between were dropped.
///
/// Binary safe. Memory grows with what was written, up to `limit` bytes: the first half of `limit` is kept in order,
/// after that a ring holds the newest bytes. Adding costs one copy, whatever was written before.
public struct OutputCapture: Sendable {
    /// The most bytes that are kept; 0 keeps none and counts.
    public let limit: Int
    /// Bytes written in all.
    public private(set) var totalCount = 0
    /// The first bytes: half of `limit`, rounded up.
    public private(set) var head: [UInt8] = []
    private var ring: [UInt8] = []
    /// Where the oldest byte of a full ring stands.
    private var ringStart = 0

    public init(limit: Int) {
        self.limit = max(0, limit)
    }

    private var headLimit: Int { limit - ringLimit }
    private var ringLimit: Int { limit / 2 }

    // MARK: - Adding

    public mutating func append(_ bytes: UnsafeRawBufferPointer) {
        totalCount += bytes.count
        let first = min(headLimit - head.count, bytes.count)
        head.append(contentsOf: bytes[..<first])
        // What would be overwritten within this call need not be copied.
        appendToRing(UnsafeRawBufferPointer(rebasing: bytes[first...].suffix(ringLimit)))
    }

    /// `bytes` are at most as many as the ring holds.
    private mutating func appendToRing(_ bytes: UnsafeRawBufferPointer) {
        let growing = min(ringLimit - ring.count, bytes.count)
        ring.append(contentsOf: bytes[..<growing])
        var rest = bytes[growing...]
        while !rest.isEmpty {
            let step = min(rest.count, ringLimit - ringStart)
            ring.withUnsafeMutableBytes { ring in
                UnsafeMutableRawBufferPointer(rebasing: ring[ringStart..<ringStart + step])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: rest.prefix(step)))
            }
            ringStart = (ringStart + step) % ringLimit
            rest = rest.dropFirst(step)
        }
    }

    // MARK: - What is kept

    /// The last bytes, after what was dropped; empty while `head` holds everything.
    public var tail: [UInt8] { Array(ring[ringStart...] + ring[..<ringStart]) }

    /// How many bytes between `head` and `tail` are gone.
    public var droppedCount: Int { totalCount - head.count - ring.count }

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
