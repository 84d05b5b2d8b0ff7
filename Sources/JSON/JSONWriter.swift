/// How a value is set out.
enum JSONLayout: Sendable {
    /// `{"a": 1, "b": [1, 2]}`
    case spaced
    /// `{"a":1,"b":[1,2]}`
    case dense
    /// One member or element per line.
    case lines(Lines)

    struct Lines: Sendable {
        /// What one more level adds to the beginning of a line.
        var unit: [UInt8]
        /// What the line begins with on which the value stands; its closing bracket stands there too.
        var margin: [UInt8] = []
        var lineEnd: [UInt8] = [UInt8(ascii: "\n")]
        /// What stands between a key and its value.
        var colon: [UInt8] = [UInt8(ascii: ":"), UInt8(ascii: " ")]
        /// Whether an array of nothing but scalars stays on one line.
        var hasFlatArrays = false
    }
}

/// Writes values as UTF-8.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []
    private let comma: [UInt8]
    private let colon: [UInt8]
    private var lines: JSONLayout.Lines?

    init(layout: JSONLayout) {
        switch layout {
        case .spaced:
            comma = [UInt8(ascii: ","), UInt8(ascii: " ")]
            colon = [UInt8(ascii: ":"), UInt8(ascii: " ")]
        case .dense:
            comma = [UInt8(ascii: ",")]
            colon = [UInt8(ascii: ":")]
        case .lines(let lines):
            comma = [UInt8(ascii: ",")]
            colon = lines.colon
            self.lines = lines
        }
    }

    /// Does not recurse: a value may be as deep as its maker could make it.
    mutating func write(_ value: JSONValue) {
        var open: [OpenContainer] = []
        begin(value, &open)
        while let next = nextInside(&open) { begin(next, &open) }
    }

    /// A container of which some members are written.
    private struct OpenContainer {
        let value: JSONValue
        var next = 0
    }

    /// A whole scalar, or the bracket that opens a container.
    private mutating func begin(_ value: JSONValue, _ open: inout [OpenContainer]) {
        switch value {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .number(let number): bytes.append(contentsOf: number.text.utf8)
        case .string(let text): write(text)
        case .array(let elements) where elements.isEmpty: bytes.append(contentsOf: "[]".utf8)
        case .array(let elements) where staysFlat(elements): writeFlat(elements)
        case .array:
            bytes.append(UInt8(ascii: "["))
            indent()
            open.append(OpenContainer(value: value))
        case .object(let members) where members.isEmpty: bytes.append(contentsOf: "{}".utf8)
        case .object:
            bytes.append(UInt8(ascii: "{"))
            indent()
            open.append(OpenContainer(value: value))
        }
    }

    /// Closes what is complete, and writes up to the next value inside of what is not; nil at the end.
    private mutating func nextInside(_ open: inout [OpenContainer]) -> JSONValue? {
        while let container = open.last {
            let place = container.next
            open[open.count - 1].next += 1
            switch container.value {
            case .array(let elements) where place < elements.count:
                separate(isFirst: place == 0)
                return elements[place]
            case .object(let members) where place < members.count:
                separate(isFirst: place == 0)
                let member = members[place]
                write(member.key)
                bytes.append(contentsOf: colon)
                return member.value
            default:
                outdent()
                bytes.append(UInt8(ascii: container.value.kind == .array ? "]" : "}"))
                open.removeLast()
            }
        }
        return nil
    }

    mutating func write(verbatim text: [UInt8]) {
        bytes.append(contentsOf: text)
    }

    mutating func write(verbatim text: UnsafeBufferPointer<UInt8>) {
        bytes.append(contentsOf: text)
    }

    /// A string in quotes. Escaped is what RFC 8259 section 7 demands and nothing else.
    mutating func write(_ text: String) {
        var text = text
        bytes.append(UInt8(ascii: "\""))
        text.withUTF8 { content in
            var first = 0
            for at in content.indices {
                let byte = content[at]
                guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
                bytes.append(contentsOf: UnsafeBufferPointer(rebasing: content[first..<at]))
                appendEscape(byte)
                first = at + 1
            }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: content[first...]))
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func appendEscape(_ byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        case 0..<0x20:
            let digits = Array("0123456789abcdef".utf8)
            bytes.append(contentsOf: "u00".utf8)
            bytes.append(digits[Int(byte >> 4)])
            bytes.append(digits[Int(byte & 0xF)])
        default: bytes.append(byte)
        }
    }

    // MARK: - Lines

    private func staysFlat(_ elements: [JSONValue]) -> Bool {
        guard let lines, lines.hasFlatArrays else { return false }
        return elements.allSatisfy { !$0.isContainer }
    }

    private mutating func writeFlat(_ elements: [JSONValue]) {
        let lines = lines
        self.lines = nil
        bytes.append(UInt8(ascii: "["))
        for (place, element) in elements.enumerated() {
            if place > 0 { bytes.append(contentsOf: [UInt8(ascii: ","), UInt8(ascii: " ")]) }
            write(element)
        }
        bytes.append(UInt8(ascii: "]"))
        self.lines = lines
    }

    private mutating func separate(isFirst: Bool) {
        if !isFirst { bytes.append(contentsOf: comma) }
        beginLine()
    }

    private mutating func indent() {
        if let lines { self.lines?.margin += lines.unit }
    }

    private mutating func outdent() {
        if let lines { self.lines?.margin.removeLast(lines.unit.count) }
        beginLine()
    }

    private mutating func beginLine() {
        guard let lines else { return }
        bytes.append(contentsOf: lines.lineEnd)
        bytes.append(contentsOf: lines.margin)
    }
}
