/// Makes keys of the bytes of a terminal, which may be cut anywhere. What is none is left out, and what is kept
/// meanwhile has a bound.
///
/// An escape may be the key of that name or the begin of a sequence: it is told when more comes, or by `flush()` when
/// nothing did for a while (`isWaiting`).
struct KeyReader {
    /// The longest sequence that is understood, in bytes; one that goes on is left out to its end.
    static let sequenceMax = 64
    /// What is pasted beyond it is left out: a filter has one line.
    static let pasteMax = 4_096

    private enum State: Equatable {
        case ground
        /// A character of several bytes has begun.
        case text([UInt8])
        case escape
        /// `ESC [`, and what came of it.
        case control([UInt8])
        /// `ESC O`.
        case shift
        /// `ESC [ [`, a function key of the Linux console.
        case consoleKey
        /// `ESC ]`, `ESC P` and their kin: an answer that nobody asked for, up to BEL or `ESC \`.
        case string
        case stringEscape
        /// Old reports of the mouse: `ESC [ M` and three bytes.
        case oldMouse(Int)
        case paste([UInt8])
    }

    private var state = State.ground

    /// Whether an escape was typed, if nothing comes behind it.
    var isWaiting: Bool {
        switch state {
        case .escape, .control, .shift: true
        default: false
        }
    }

    /// How much is kept of what has begun.
    var keptBytes: Int {
        switch state {
        case .text(let bytes), .control(let bytes), .paste(let bytes): bytes.count
        default: 0
        }
    }

    mutating func read(_ bytes: some Sequence<UInt8>) -> [Key] {
        var keys: [Key] = []
        for byte in bytes { take(byte, &keys) }
        return keys
    }

    /// Nothing came behind what was begun.
    mutating func flush() -> [Key] {
        guard isWaiting else { return [] }
        let isAlone = state == .escape
        state = .ground
        return isAlone ? [.escape] : []
    }

    // MARK: - Byte by byte

    private mutating func take(_ byte: UInt8, _ keys: inout [Key]) {
        switch state {
        case .ground: begin(byte, &keys)
        case .text(let bytes): goOn(bytes, byte, &keys)
        case .escape: afterEscape(byte, &keys)
        case .control(let bytes): inControl(bytes, byte, &keys)
        case .shift:
            state = .ground
            if let key = Self.letterKey(byte) { keys.append(key) }
        case .consoleKey: state = .ground
        case .string: state = byte == 0x07 ? .ground : byte == 0x1B ? .stringEscape : .string
        case .stringEscape: state = byte == 0x5C ? .ground : .string
        case .oldMouse(let left): state = left > 1 ? .oldMouse(left - 1) : .ground
        case .paste(let bytes): paste(bytes, byte, &keys)
        }
    }

    private mutating func begin(_ byte: UInt8, _ keys: inout [Key]) {
        switch byte {
        case 0x1B: state = .escape
        case 0x0D, 0x0A: keys.append(.enter)
        case 0x09: keys.append(.tab)
        case 0x08, 0x7F: keys.append(.backspace)
        case 0x01...0x1A: keys.append(.control(Character(Unicode.Scalar(byte + 0x60))))
        case 0x20...0x7E: keys.append(.character(Character(Unicode.Scalar(byte))))
        case 0xC2...0xF4: state = .text([byte])
        default: break
        }
    }

    private mutating func goOn(_ bytes: [UInt8], _ byte: UInt8, _ keys: inout [Key]) {
        guard byte & 0xC0 == 0x80 else {
            state = .ground
            return begin(byte, &keys)
        }
        let all = bytes + [byte]
        let length = bytes[0] < 0xE0 ? 2 : bytes[0] < 0xF0 ? 3 : 4
        guard all.count == length else {
            state = .text(all)
            return
        }
        state = .ground
        guard let text = String(validating: all, as: UTF8.self), let character = text.first,
            !text.unicodeScalars.contains(where: steersTerminal)
        else { return }
        keys.append(.character(character))
    }

    private mutating func afterEscape(_ byte: UInt8, _ keys: inout [Key]) {
        switch byte {
        case 0x5B: state = .control([])
        case 0x4F: state = .shift
        case 0x50, 0x58, 0x5D, 0x5E, 0x5F: state = .string
        case 0x1B: keys.append(.escape)
        // Alt and a key: the key, after an escape, as it would be typed.
        default:
            state = .ground
            keys.append(.escape)
            begin(byte, &keys)
        }
    }

    private mutating func inControl(_ bytes: [UInt8], _ byte: UInt8, _ keys: inout [Key]) {
        switch byte {
        case 0x5B where bytes.isEmpty: state = .consoleKey
        case 0x4D where bytes.isEmpty: state = .oldMouse(3)
        case 0x20...0x3F: if bytes.count < Self.sequenceMax { state = .control(bytes + [byte]) }
        case 0x40...0x7E:
            state = .ground
            guard bytes.count < Self.sequenceMax else { return }
            if bytes == Array("200".utf8), byte == UInt8(ascii: "~") {
                state = .paste([])
            } else if let key = Self.controlKey(bytes, byte) {
                keys.append(key)
            }
        case 0x1B: state = .escape
        default: state = .ground
        }
    }

    private static let pasteEnd = Array("\u{1B}[201~".utf8)

    private mutating func paste(_ bytes: [UInt8], _ byte: UInt8, _ keys: inout [Key]) {
        var all = bytes + [byte]
        // At the bound the last bytes are kept in sight, because the end is among them.
        if all.count > Self.pasteMax { all.remove(at: Self.pasteMax - Self.pasteEnd.count) }
        guard all.suffix(Self.pasteEnd.count).elementsEqual(Self.pasteEnd) else {
            state = .paste(all)
            return
        }
        state = .ground
        keys.append(.pasted(String(decoding: all.dropLast(Self.pasteEnd.count), as: UTF8.self)))
    }

    // MARK: - What sequences mean

    private static func letterKey(_ byte: UInt8) -> Key? {
        switch byte {
        case UInt8(ascii: "A"): .up
        case UInt8(ascii: "B"): .down
        case UInt8(ascii: "C"): .right
        case UInt8(ascii: "D"): .left
        case UInt8(ascii: "H"): .home
        case UInt8(ascii: "F"): .end
        case UInt8(ascii: "M"): .enter
        default: nil
        }
    }

    private static func controlKey(_ bytes: [UInt8], _ final: UInt8) -> Key? {
        let text = String(decoding: bytes, as: UTF8.self)
        let numbers = text.drop { "<?".contains($0) }.split(separator: ";", omittingEmptySubsequences: false)
            .map { Int($0.prefix { $0.isASCII && $0.isNumber }) ?? 0 }
        switch final {
        case UInt8(ascii: "Z"): return .backTab
        case UInt8(ascii: "~"): return tildeKey(numbers.first ?? 0)
        case UInt8(ascii: "M") where text.hasPrefix("<"): return mouse(numbers)
        // The button was let go.
        case UInt8(ascii: "m"): return nil
        case UInt8(ascii: "y") where text.hasPrefix("?") && text.hasSuffix("$") && numbers.count == 2:
            return .modeReport(mode: numbers[0], state: numbers[1])
        case UInt8(ascii: "M"): return nil
        default: return letterKey(final)
        }
    }

    private static func tildeKey(_ number: Int) -> Key? {
        switch number {
        case 1, 7: .home
        case 3: .delete
        case 4, 8: .end
        case 5: .pageUp
        case 6: .pageDown
        default: nil
        }
    }

    /// SGR reports: the button with its modifiers, column and row from 1.
    private static func mouse(_ numbers: [Int]) -> Key? {
        guard numbers.count == 3 else { return nil }
        switch numbers[0] & ~0b11100 {
        case 0: return .mouse(.click(column: numbers[1] - 1, row: numbers[2] - 1))
        case 64: return .mouse(.wheelUp)
        case 65: return .mouse(.wheelDown)
        default: return nil
        }
    }
}
