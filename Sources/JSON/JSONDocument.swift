/// A JSON text with the place of every value, to point at and to edit.
///
/// The bytes stay exactly as given; an edit replaces those of the value that changes and nothing else. That is what
/// lets several programs and a human keep one file.
///
/// ```swift
/// var file = try JSONDocument(bytes: contents)
/// let cron: [JSONPathStep] = ["schedules", "jobs", 0, "cron"]
/// if file.root[cron]?.stringValue == nil, let place = file.location(of: cron) {
///     print("config.json:\(place.line):\(place.column): a string is expected here")
/// }
/// try file.set("0 9 * * *", at: cron)
/// try file.remove(at: ["schedules", "obsolete"])
/// write(file.bytes)
/// ```
///
/// Sharp edges:
/// - A path goes to the last of a duplicated key, as looking up does.
/// - An edit scans the whole text anew: linear in its length.
public struct JSONDocument: Sendable {
    public private(set) var root: JSONValue
    let limits: JSONLimits
    /// The same text, with the place of every value.
    let outline: JSONOutline

    public var bytes: [UInt8] { outline.bytes }
    var places: JSONPlaces { outline.places }

    /// - Throws: `JSONError`, as `JSONValue.init(parsing:)` does.
    public init(bytes: [UInt8], limits: JSONLimits = .standard) throws(JSONError) {
        root = try bytes.withUnsafeBufferPointer { JSONValue.parse($0, limits) }.get()
        outline = try JSONOutline(bytes: bytes, depth: .max, limits: limits)
        self.limits = limits
    }

    // MARK: - Places

    /// The bytes of the value at that path; nil where the path leads nowhere.
    public func range(of path: [JSONPathStep]) -> Range<Int>? { outline.place(at: path).map { places.all[$0].range } }

    /// Line and column, both from 1, of the first character of the value at that path. Lines end at a line feed,
    /// columns count Unicode scalars, a byte order mark does not count. Nil where the path leads nowhere.
    public func location(of path: [JSONPathStep]) -> (line: Int, column: Int)? { outline.location(of: path) }

    /// As `location(of:)`, of the key of the member at that path; nil for elements of arrays and the root too.
    public func keyLocation(of path: [JSONPathStep]) -> (line: Int, column: Int)? { outline.keyLocation(of: path) }

    // MARK: - Walking

    func place(at path: [JSONPathStep]) -> Int? { outline.place(at: path) }
    func child(of parent: Int, _ step: JSONPathStep) -> Int? { outline.child(of: parent, step) }
    func hasKey(_ place: Int, _ key: String) -> Bool { outline.hasKey(place, key) }
    func kind(of place: Int) -> JSONValue.Kind { outline.kind(of: place) }
    func lineStart(ofByte offset: Int) -> (line: Int, offset: Int) { outline.lineStart(ofByte: offset) }
}
