/// Cleans a stream of foreign bytes for a terminal, piece by piece: the pieces may end anywhere, and the result is that
/// of the whole.
///
/// What comes out is UTF-8 without a control character but line feed and tab. Escape sequences (colours, titles, links,
/// moves of the cursor) are left out whole; any other control character, a mark that turns the direction of writing,
/// and what is no UTF-8 become a visible stand-in. A carriage return would let what follows overwrite what was shown:
/// before a line feed it is dropped, anywhere else it is a line feed.
///
/// ```swift
/// var cleaner = TerminalCleaner()
/// let shown = cleaner.clean(bytes)       // as often as there are more
/// let rest = cleaner.finish()            // what was waiting for more
/// ```
struct TerminalCleaner {
    /// The longest sequence that is left out, in scalars; what goes on beyond it is shown as text. A title or a link
    /// has hundreds, and an output that begins one and never ends it is not swallowed.
    static let sequenceMax = 2_048

    private enum State {
        case text
        /// A carriage return, and nothing yet behind it.
        case returned
        /// ESC, with intermediate characters perhaps.
        case escape
        /// `ESC [`: parameters, up to a final character.
        case control
        /// `ESC ]`, `ESC P` and their kin: a text, up to BEL or `ESC \`.
        case string
        /// ESC within such a text.
        case stringEscape
    }

    private var state = State.text
    private var sequenceCount = 0
    /// The bytes of a character that has begun, at most three.
    private var begun: [UInt8] = []

    /// What is to be shown for these bytes, as far as they say it.
    mutating func clean(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        for byte in bytes { take(byte, &output) }
        return output
    }

    /// What was still open is over: a character without its end is shown as one that is none.
    mutating func finish() -> [UInt8] {
        var output: [UInt8] = []
        if !begun.isEmpty { takeBroken(&output) }
        state = .text
        return output
    }

    // MARK: - UTF-8

    private mutating func take(_ byte: UInt8, _ output: inout [UInt8]) {
        guard let first = begun.first else {
            switch byte {
            case ..<0x80: take(Unicode.Scalar(byte), &output)
            case 0xC2...0xF4: begun = [byte]
            default: take(standIn, &output)
            }
            return
        }
        // The second byte has narrower bounds behind some first ones: no overlong form, no surrogate, nothing beyond.
        let range: ClosedRange<UInt8> =
            switch (begun.count, first) {
            case (1, 0xE0): 0xA0...0xBF
            case (1, 0xED): 0x80...0x9F
            case (1, 0xF0): 0x90...0xBF
            case (1, 0xF4): 0x80...0x8F
            default: 0x80...0xBF
            }
        guard range.contains(byte) else {
            takeBroken(&output)
            return take(byte, &output)
        }
        begun.append(byte)
        let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        guard begun.count == length else { return }
        let text = String(decoding: begun, as: UTF8.self)
        begun = []
        take(text.unicodeScalars.first ?? standIn, &output)
    }

    private mutating func takeBroken(_ output: inout [UInt8]) {
        begun = []
        take(standIn, &output)
    }

    // MARK: - Scalars

    private mutating func take(_ scalar: Unicode.Scalar, _ output: inout [UInt8]) {
        switch state {
        case .text: show(scalar, &output)
        case .returned:
            guard scalar != "\r" else { return }
            state = .text
            if scalar != "\n" { output.append(UInt8(ascii: "\n")) }
            show(scalar, &output)
        case .escape, .control, .string, .stringEscape: skip(scalar, &output)
        }
    }

    private mutating func show(_ scalar: Unicode.Scalar, _ output: inout [UInt8]) {
        switch scalar {
        case "\n", "\t": output.append(UInt8(ascii: scalar))
        case "\r": state = .returned
        case "\u{1B}": begin(.escape)
        case _ where steersTerminal(scalar): output += String(standIn).utf8
        default: output += String(scalar).utf8
        }
    }

    private mutating func begin(_ next: State) {
        state = next
        sequenceCount = 0
    }

    /// One scalar of a sequence: it is left out, ends the sequence, or shows that there was none.
    private mutating func skip(_ scalar: Unicode.Scalar, _ output: inout [UInt8]) {
        sequenceCount += 1
        let isWithin = sequenceCount <= Self.sequenceMax
        switch (state, scalar.value) {
        case (.escape, 0x5B): state = .control
        case (.escape, 0x50), (.escape, 0x58), (.escape, 0x5D), (.escape, 0x5E), (.escape, 0x5F): state = .string
        case (.escape, 0x20...0x2F) where isWithin, (.control, 0x20...0x3F) where isWithin: break
        case (.escape, 0x30...0x7E), (.control, 0x40...0x7E): state = .text
        case (.string, 0x07), (.stringEscape, 0x5C): state = .text
        case (.string, 0x1B): state = .stringEscape
        // A line that was begun is shown, whatever was open: an output is read line by line.
        case (.string, _) where scalar != "\n" && isWithin: break
        // ESC and something else within a text: a new sequence begins there.
        case (.stringEscape, _):
            begin(.escape)
            skip(scalar, &output)
        default:
            state = .text
            show(scalar, &output)
        }
    }
}
