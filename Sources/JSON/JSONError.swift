/// Why a text is not JSON, and where.
public struct JSONError: Error, Equatable, Sendable {
    /// The kind of fault, for code; people read `message`.
    public enum Code: String, Sendable {
        /// A byte that RFC 8259 does not allow there.
        case syntax
        /// A byte sequence that is not UTF-8, or a lone surrogate escape.
        case encoding
        /// More nesting than `JSONLimits.depthMax`.
        case tooDeep
        /// More bytes than `JSONLimits.bytesMax`.
        case tooLarge
        /// More values than `JSONLimits.valuesMax`.
        case tooMany
    }

    public let code: Code
    /// Counted from 1. Lines end at a line feed (so CR LF ends one line).
    public let line: Int
    /// Counted from 1, in Unicode scalars. A byte order mark does not count.
    public let column: Int
    /// Counted from 0, in the bytes as given.
    public let byteOffset: Int
    /// What was found and what would be right.
    public let message: String

    public init(code: Code, line: Int, column: Int, byteOffset: Int, message: String) {
        self.code = code
        self.line = line
        self.column = column
        self.byteOffset = byteOffset
        self.message = message
    }
}

extension JSONError: CustomStringConvertible {
    public var description: String { "cannot read JSON at line \(line), column \(column): \(message)" }
}

// MARK: - Places in a text

/// A byte order mark in UTF-8.
let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

extension UnsafeBufferPointer<UInt8> {
    /// The line and the column of a byte, both from 1. Linear in its offset.
    func position(of offset: Int) -> (line: Int, column: Int) {
        var line = 1
        var lineStart = 0
        for at in 0..<offset where self[at] == UInt8(ascii: "\n") {
            line += 1
            lineStart = at + 1
        }
        return (line, column(of: offset, lineStart: lineStart))
    }

    /// The column of a byte, from 1. `lineStart` is the offset of the first byte of its line.
    func column(of offset: Int, lineStart: Int) -> Int {
        var first = lineStart
        if first == 0, starts(with: byteOrderMark) { first = Swift.min(byteOrderMark.count, offset) }
        var column = 1
        // A scalar is counted at its first byte: 0x80..0xBF only continue one.
        for at in first..<offset where self[at] & 0xC0 != 0x80 { column += 1 }
        return column
    }
}
