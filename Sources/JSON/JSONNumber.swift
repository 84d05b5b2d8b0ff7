/// A JSON number as it is written: `1`, `1.0` and `1e0` are three different texts, and each is kept.
public struct JSONNumber: Hashable, Sendable {
    /// The text: always a number of RFC 8259 section 6, in ASCII.
    public let text: String

    /// The number of that text; nil where it is not exactly one JSON number (`01`, `+1`, `1.`, ` 1`, `NaN`).
    public init?(text: String) {
        var copy = text
        let isNumber = copy.withUTF8 { bytes in
            let shape = NumberShape(scanning: bytes, from: 0)
            return shape.fault == nil && shape.end == bytes.count
        }
        guard isNumber else { return nil }
        self.text = text
    }

    public init(_ value: some BinaryInteger) {
        text = String(value)
    }

    /// The shortest text that reads back as the same double (`0.1`, `5e-324`, `-0.0`); nil for infinities and NaN,
    /// which JSON cannot write.
    public init?(_ value: Double) {
        guard value.isFinite else { return nil }
        text = value.description
    }

    /// Only for text that the scanner has found to be a number.
    init(checked text: String) {
        self.text = text
    }

    /// The value where it is whole and fits 64 bits, however it is written: `5`, `5.0`, `50e-1` are 5.
    public var intValue: Int? {
        if let value = Int(text) { return value }
        var copy = text
        return copy.withUTF8 { bytes in
            NumberShape(scanning: bytes, from: 0).wholeValue(in: bytes)
        }
    }

    /// The nearest double; nil where the number is too large for one (`1e999`). Too small ones are 0.
    public var doubleValue: Double? {
        guard let value = Double(text), value.isFinite else { return nil }
        return value
    }
}

extension JSONNumber: CustomStringConvertible {
    public var description: String { text }
}
