/// Makes values of what a scanner finds.
///
/// Finished values wait on one stack; a closing bracket moves those of its container into an array of just the right
/// size. That is one allocation per container, and no growing.
struct ValueBuilder: JSONSink, ~Copyable {
    private struct Frame {
        /// The key of the container itself.
        var key: String
        /// Where its members begin on the stack.
        var first: Int
    }

    private let bytes: UnsafeBufferPointer<UInt8>
    private var stack = MemberStack()
    private var frames: [Frame] = []
    /// The key of the value that comes next; elements of arrays and the root have none.
    private var key = ""

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    /// The root, after a scan that did not fail.
    mutating func finish() -> JSONValue {
        precondition(stack.count == 1 && frames.isEmpty, "a scanned text leaves one value, not \(stack.count)")
        return stack.popValues(from: 0)[0]
    }

    @inline(__always)
    private mutating func push(_ value: JSONValue) {
        stack.push((key, value))
        key = ""
    }

    @inline(__always)
    private func text(_ start: Int, _ end: Int, _ hasEscapes: Bool) -> String {
        let content = UnsafeBufferPointer(rebasing: bytes[(start + 1)..<(end - 1)])
        return hasEscapes ? decodingEscapes(of: content) : String(decoding: content, as: UTF8.self)
    }

    // MARK: - JSONSink

    mutating func literal(_ value: JSONValue, start: Int, end: Int) {
        push(value)
    }

    mutating func number(start: Int, end: Int) {
        let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<end]), as: UTF8.self)
        push(.number(JSONNumber(checked: text)))
    }

    mutating func string(start: Int, end: Int, hasEscapes: Bool) {
        push(.string(text(start, end, hasEscapes)))
    }

    mutating func key(start: Int, end: Int, hasEscapes: Bool) {
        key = text(start, end, hasEscapes)
    }

    mutating func begin(_ container: JSONScanner.Container, start: Int) {
        frames.append(Frame(key: key, first: stack.count))
        key = ""
    }

    mutating func end(_ container: JSONScanner.Container, end: Int) {
        let frame = frames.removeLast()
        key = frame.key
        switch container {
        case .array: push(.array(stack.popValues(from: frame.first)))
        case .object: push(.object(JSONObject(members: stack.popMembers(from: frame.first))))
        }
    }
}

// MARK: - The stack

/// A stack that gives up its top as an array by moving: no reference counts are touched.
private struct MemberStack: ~Copyable {
    private var storage: UnsafeMutableBufferPointer<JSONObject.Element>
    private(set) var count = 0

    init() {
        storage = .allocate(capacity: 64)
    }

    deinit {
        // Members are left where a scan has failed.
        storage[..<count].deinitialize()
        storage.deallocate()
    }

    @inline(__always)
    mutating func push(_ member: JSONObject.Element) {
        if count == storage.count { grow() }
        storage.initializeElement(at: count, to: member)
        count += 1
    }

    mutating func popMembers(from first: Int) -> [JSONObject.Element] {
        let members = storage[first..<count]
        count = first
        guard !members.isEmpty else { return [] }
        return Array(unsafeUninitializedCapacity: members.count) { target, initializedCount in
            _ = target.moveInitialize(fromContentsOf: members)
            initializedCount = members.count
        }
    }

    mutating func popValues(from first: Int) -> [JSONValue] {
        let members = storage[first..<count]
        count = first
        guard !members.isEmpty else { return [] }
        return Array(unsafeUninitializedCapacity: members.count) { target, initializedCount in
            for (place, member) in members.indices.enumerated() {
                target.initializeElement(at: place, to: storage.moveElement(from: member).value)
            }
            initializedCount = members.count
        }
    }

    private mutating func grow() {
        let larger = UnsafeMutableBufferPointer<JSONObject.Element>.allocate(capacity: storage.count * 2)
        _ = larger.moveInitialize(fromContentsOf: storage)
        storage.deallocate()
        storage = larger
    }
}

// MARK: - Escapes

/// The text of a string's content, between the quotes. The scanner has checked it: every escape is complete.
func decodingEscapes(of content: UnsafeBufferPointer<UInt8>) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(content.count)
    var at = 0
    while at < content.count {
        let run = content[at...].prefix { $0 != UInt8(ascii: "\\") }
        text.append(contentsOf: run)
        at = run.endIndex
        guard at < content.count else { break }
        at += 2
        switch content[at - 1] {
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): appendScalar(to: &text, of: content, at: &at)
        case let character: text.append(character)
        }
    }
    return String(decoding: text, as: UTF8.self)
}

/// At the four digits after `\u`; takes the second half of a surrogate pair too.
private func appendScalar(to text: inout [UInt8], of content: UnsafeBufferPointer<UInt8>, at: inout Int) {
    func unit() -> UInt32 {
        defer { at += 4 }
        return content[at..<(at + 4)].reduce(0) { $0 << 4 | UInt32(hexDigit($1) ?? 0) }
    }
    var value = unit()
    if value & 0xFC00 == 0xD800 {
        at += 2
        value = 0x1_0000 + (value & 0x3FF) << 10 + (unit() & 0x3FF)
    }
    // Not a surrogate, by the scanner's check; the replacement character keeps this total.
    let scalar = Unicode.Scalar(value) ?? "\u{FFFD}"
    text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
}
