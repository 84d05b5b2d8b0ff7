/// Named values as bytes: what the daemon and the supervisors of runs tell each other by files.
///
/// A field is `name size`, a line feed, so many bytes of any kind, a line feed; a name may come again. The last field,
/// `end`, says that nothing is missing: a record that was cut short (power cut, full disk) is never taken for a whole
/// one, and one that is still being added to can be read all the same.
public struct Record: Equatable, Sendable {
    public struct Field: Equatable, Sendable {
        public var name: String
        public var value: [UInt8]
    }

    public private(set) var fields: [Field] = []
    /// Whether the record was read to its `end`; true for one that was made here.
    public private(set) var isComplete = true

    public init() {}

    // MARK: - Adding

    /// `name` has no space and no line feed.
    public mutating func add(_ name: String, bytes: [UInt8]) {
        fields.append(Field(name: name, value: bytes))
    }

    public mutating func add(_ name: String, _ text: String) {
        add(name, bytes: Array(text.utf8))
    }

    public mutating func add(_ name: String, _ number: Int64) {
        add(name, String(number))
    }

    /// Adds the field only where there is something to say: what is absent reads as false, 0 or nil.
    public mutating func add(_ name: String, where isSet: Bool) {
        if isSet { add(name, 1) }
    }

    // MARK: - Reading

    public func bytes(_ name: String) -> [UInt8]? { fields.first { $0.name == name }?.value }

    public func text(_ name: String) -> String? { bytes(name).map { String(decoding: $0, as: UTF8.self) } }

    public func number(_ name: String) -> Int64? { text(name).flatMap { Int64($0) } }

    public func isSet(_ name: String) -> Bool { number(name) == 1 }

    /// All values under a name, in their order.
    public func texts(_ name: String) -> [String] {
        fields.filter { $0.name == name }.map { String(decoding: $0.value, as: UTF8.self) }
    }

    // MARK: - Bytes

    private static let endName = "end"
    private static let space = UInt8(ascii: " ")
    private static let lineFeed = UInt8(ascii: "\n")

    /// The whole record with its `end`.
    public var bytes: [UInt8] { openBytes + Self.encode(Field(name: Self.endName, value: [])) }

    /// The fields alone, for a file that more is added to.
    public var openBytes: [UInt8] { fields.flatMap(Self.encode) }

    private static func encode(_ field: Field) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(field.name.utf8.count + field.value.count + 12)
        bytes += field.name.utf8
        bytes.append(space)
        bytes += String(field.value.count).utf8
        bytes.append(lineFeed)
        bytes += field.value
        bytes.append(lineFeed)
        return bytes
    }

    /// Reads the fields up to `end`, or up to the first that is not there as a whole; of more than `fieldsMax` the
    /// first ones.
    public init(parsing bytes: [UInt8], fieldsMax: Int = .max) {
        isComplete = false
        var rest = bytes[...]
        while let line = rest.firstIndex(of: Self.lineFeed) {
            guard let gap = rest[..<line].lastIndex(of: Self.space),
                let size = Int(String(decoding: rest[(gap + 1)..<line], as: UTF8.self)), size >= 0,
                // The value and the line feed after it.
                size < rest.endIndex - line - 1, rest[line + 1 + size] == Self.lineFeed
            else { return }
            let name = String(decoding: rest[..<gap], as: UTF8.self)
            guard name != Self.endName else {
                isComplete = true
                return
            }
            guard fields.count < fieldsMax else { return }
            fields.append(Field(name: name, value: Array(rest[(line + 1)..<(line + 1 + size)])))
            rest = rest[(line + 2 + size)...]
        }
    }
}
