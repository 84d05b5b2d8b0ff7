/// What stands deeper than an outline goes, found again without taking it apart: for those who read a hundred thousand
/// objects that have most of their text in common.
extension JSONOutline {
    /// A member of an object, by its places in `bytes`.
    public struct Member: Sendable {
        /// The content of the key, without its quotes and as it is written.
        public let key: Range<Int>
        /// The value, with its quotes or brackets.
        public let value: Range<Int>

        /// From the opening quote of the key to the end of the value.
        public var text: Range<Int> { key.lowerBound - 1..<value.upperBound }
    }

    /// Finds the members of an object, in the order of the text, a duplicated key as often as it occurs.
    ///
    /// - Parameter members: is replaced by them; given back and forth, so that it grows once.
    /// - Returns: whether the value is an object.
    public func findMembers(of node: Node, into members: inout [Member]) -> Bool {
        members.removeAll(keepingCapacity: true)
        let range = places.all[node.place].range
        return bytes.withUnsafeBufferPointer { buffer in
            guard buffer[range.lowerBound] == UInt8(ascii: "{") else { return false }
            var walk = CheckedWalk(buffer, from: range.lowerBound + 1)
            while walk.next() == UInt8(ascii: "\"") {
                let key = walk.at
                _ = walk.passString()
                let keyEnd = walk.at
                // The colon.
                _ = walk.next()
                walk.at += 1
                _ = walk.next()
                let value = walk.at
                walk.passValue()
                members.append(Member(key: key + 1..<keyEnd - 1, value: value..<walk.at))
                if walk.next() == UInt8(ascii: ",") { walk.at += 1 }
            }
            return true
        }
    }

    /// The text of a value that is a string without escapes; nil for any other.
    public func plainString(at value: Range<Int>) -> String? {
        bytes.withUnsafeBufferPointer { buffer in
            guard buffer[value.lowerBound] == UInt8(ascii: "\"") else { return nil }
            let content = buffer[value.lowerBound + 1..<value.upperBound - 1]
            return content.contains(UInt8(ascii: "\\")) ? nil : String(decoding: content, as: UTF8.self)
        }
    }

    /// The texts of a value that is an array of strings without escapes; nil for any other.
    public func plainStrings(at value: Range<Int>) -> [String]? {
        bytes.withUnsafeBufferPointer { buffer in
            guard buffer[value.lowerBound] == UInt8(ascii: "[") else { return nil }
            var walk = CheckedWalk(buffer, from: value.lowerBound + 1)
            var texts: [String] = []
            texts.reserveCapacity(buffer[value].count(where: { $0 == UInt8(ascii: ",") }) + 1)
            while walk.next() != UInt8(ascii: "]") {
                let start = walk.at
                guard buffer[start] == UInt8(ascii: "\""), !walk.passString() else { return nil }
                texts.append(String(decoding: buffer[start + 1..<walk.at - 1], as: UTF8.self))
                if walk.next() == UInt8(ascii: ",") { walk.at += 1 }
            }
            return texts
        }
    }
}

/// A walk over a text that was scanned before: each string, bracket and word in it has its end, so that nothing is
/// checked once more.
private struct CheckedWalk {
    private let bytes: UnsafeBufferPointer<UInt8>
    /// The next byte to look at.
    var at: Int

    init(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) {
        self.bytes = bytes
        at = start
    }

    /// The next byte that is no blank, which `at` is moved to.
    mutating func next() -> UInt8 {
        while true {
            switch bytes[at] {
            case 0x20, 0x09, 0x0A, 0x0D: at += 1
            case let byte: return byte
            }
        }
    }

    /// From the opening quote to past the closing one. Says whether there are escapes.
    mutating func passString() -> Bool {
        var hasEscapes = false
        at += 1
        while true {
            switch bytes[at] {
            case UInt8(ascii: "\""):
                at += 1
                return hasEscapes
            case UInt8(ascii: "\\"):
                hasEscapes = true
                at += 2
            default: at += 1
            }
        }
    }

    /// From the first byte of a value to past its last.
    mutating func passValue() {
        var depth = 0
        repeat {
            switch bytes[at] {
            case UInt8(ascii: "\""): _ = passString()
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                at += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                at += 1
            case UInt8(ascii: ","), UInt8(ascii: ":"), 0x20, 0x09, 0x0A, 0x0D: at += 1
            default: passWord()
            }
        } while depth > 0
    }

    /// A number or one of the three words. A text may end with one.
    private mutating func passWord() {
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"), 0x20, 0x09, 0x0A, 0x0D: return
            default: at += 1
            }
        }
    }
}
