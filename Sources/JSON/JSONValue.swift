/// One JSON value, kept exactly: the order of members, duplicates, and the text of every number.
///
/// The room has two faces. `JSONValue` is the data: parse it, ask it, build it, write it. `JSONDocument` is a file: the
/// bytes as they were, the place (line and column) of every value, and edits that leave every other byte alone.
///
/// ```swift
/// let answer: JSONValue = ["success": true, "jobs": ["backup", "standup"], "took_ms": 5]
/// answer.compactText  // {"success": true, "jobs": ["backup", "standup"], "took_ms": 5}
///
/// let job = try JSONValue(parsing: #"{"name": "backup", "retry": {"max_attempts": 3}}"#)
/// job["retry"]?["max_attempts"]?.intValue              // 3
///
/// var file = try JSONDocument(bytes: config)
/// file.location(of: ["schedules", "jobs", 2, "cron"])  // (line: 40, column: 17)
/// try file.set(false, at: ["schedules", "enabled"])    // one word changes in `file.bytes`
/// ```
///
/// The grammar is RFC 8259 and nothing more: no comments, no trailing commas, no `NaN`.
///
/// Sharp edges:
/// - Equality is exact. `1.0` is not `1`, `{"a": 1, "b": 2}` is not `{"b": 2, "a": 1}`, and strings and keys are
///   compared by their code units (RFC 8259 section 8.3), not by Swift's canonical equivalence of `é` and `e` + accent.
/// - A duplicated key is kept and written back; looking it up gives the last (as most readers do).
/// - A parsed value is at most `JSONLimits.depthLargest` levels deep. Comparing, hashing and freeing a value recurse
///   per level, so a value built in code should not go far deeper.
public enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// Parses one JSON text.
    ///
    /// - Throws: `JSONError` at the first byte that is not RFC 8259, or where a limit is passed. Invalid UTF-8 and lone
    ///   surrogate escapes (`"\ud800"`) are refused: neither can be held by a string of Unicode scalars, and a
    ///   replacement character would change the text behind its owner's back.
    public init(parsing text: String, limits: JSONLimits = .standard) throws(JSONError) {
        var text = text
        self = try text.withUTF8 { bytes in Self.parse(bytes, limits) }.get()
    }

    /// Parses one JSON text in UTF-8; a byte order mark at the start is skipped. Errors as for text.
    public init(parsing bytes: some Collection<UInt8>, limits: JSONLimits = .standard) throws(JSONError) {
        let inPlace = bytes.withContiguousStorageIfAvailable { Self.parse($0, limits) }
        let result = inPlace ?? Array(bytes).withUnsafeBufferPointer { Self.parse($0, limits) }
        self = try result.get()
    }

    /// A `Result`, because the closures of the standard library above do not carry a typed error.
    static func parse(_ bytes: UnsafeBufferPointer<UInt8>, _ limits: JSONLimits) -> Result<JSONValue, JSONError> {
        do throws(JSONError) {
            var builder = ValueBuilder(bytes)
            var scanner = JSONScanner(bytes, limits: limits)
            try scanner.scan(into: &builder)
            return .success(builder.finish())
        } catch {
            return .failure(error)
        }
    }

    // MARK: - Writing

    /// The value on one line, with a space after `:` and `,`: what `json.dumps(value, ensure_ascii=False)` prints in
    /// Python. Control characters, `"` and `\` are escaped, everything else stays UTF-8.
    public var compactText: String {
        String(decoding: compactBytes, as: UTF8.self)
    }

    /// `compactText` as UTF-8.
    public var compactBytes: [UInt8] {
        var writer = JSONWriter(layout: .spaced)
        writer.write(self)
        return writer.bytes
    }

    /// The value with one member or element per line, `indent` spaces a level, no line end after the last line: what
    /// `json.dumps(value, ensure_ascii=False, indent=indent)` prints in Python. A negative `indent` counts as 0.
    public func prettyText(indent: Int = 2) -> String {
        let unit = [UInt8](repeating: UInt8(ascii: " "), count: max(0, indent))
        var writer = JSONWriter(layout: .lines(JSONLayout.Lines(unit: unit)))
        writer.write(self)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    // MARK: - Equality

    public static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.string(let left), .string(let right)): left.hasSameCodeUnits(as: right)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null:
            hasher.combine(0)
        case .bool(let value):
            hasher.combine(1)
            hasher.combine(value)
        case .number(let value):
            hasher.combine(2)
            hasher.combine(value)
        case .string(let value):
            hasher.combine(3)
            hasher.combine(value)
        case .array(let value):
            hasher.combine(4)
            hasher.combine(value)
        case .object(let value):
            hasher.combine(5)
            hasher.combine(value)
        }
    }
}

extension JSONValue: CustomStringConvertible {
    /// `compactText`.
    public var description: String { compactText }
}
