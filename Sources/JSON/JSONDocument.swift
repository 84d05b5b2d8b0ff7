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
    public private(set) var bytes: [UInt8]
    public private(set) var root: JSONValue
    let limits: JSONLimits
    let places: JSONPlaces
    /// The offset of the first byte of each line.
    private let lineStarts: [Int]

    /// - Throws: `JSONError`, as `JSONValue.init(parsing:)` does.
    public init(bytes: [UInt8], limits: JSONLimits = .standard) throws(JSONError) {
        let scanned = bytes.withUnsafeBufferPointer { buffer in
            JSONValue.parse(buffer, limits).flatMap { root in Self.record(buffer, limits).map { (root, $0) } }
        }
        (root, places) = try scanned.get()
        self.bytes = bytes
        self.limits = limits
        lineStarts = [0] + bytes.indices.lazy.filter { bytes[$0] == UInt8(ascii: "\n") }.map { $0 + 1 }
    }

    private static func record(
        _ bytes: UnsafeBufferPointer<UInt8>, _ limits: JSONLimits
    ) -> Result<JSONPlaces, JSONError> {
        do throws(JSONError) {
            var recorder = PlaceRecorder()
            var scanner = JSONScanner(bytes, limits: limits)
            try scanner.scan(into: &recorder)
            return .success(recorder.places)
        } catch {
            return .failure(error)
        }
    }

    // MARK: - Places

    /// The bytes of the value at that path; nil where the path leads nowhere.
    public func range(of path: [JSONPathStep]) -> Range<Int>? {
        place(at: path).map { places.all[$0].range }
    }

    /// Line and column, both from 1, of the first character of the value at that path. Lines end at a line feed,
    /// columns count Unicode scalars, a byte order mark does not count. Nil where the path leads nowhere.
    public func location(of path: [JSONPathStep]) -> (line: Int, column: Int)? {
        place(at: path).map { location(ofByte: Int(places.all[$0].start)) }
    }

    /// As `location(of:)`, of the key of the member at that path; nil for elements of arrays and the root too.
    public func keyLocation(of path: [JSONPathStep]) -> (line: Int, column: Int)? {
        place(at: path).flatMap { places.all[$0].keyRange }.map { location(ofByte: $0.lowerBound) }
    }

    private func location(ofByte offset: Int) -> (line: Int, column: Int) {
        let start = lineStart(ofByte: offset)
        return bytes.withUnsafeBufferPointer { buffer in
            (start.line, buffer.column(of: offset, lineStart: start.offset))
        }
    }

    func lineStart(ofByte offset: Int) -> (line: Int, offset: Int) {
        // The first line that starts beyond it, by bisection; the one before holds it.
        var low = 0
        var high = lineStarts.count
        while low < high {
            let middle = (low + high) / 2
            if lineStarts[middle] <= offset { low = middle + 1 } else { high = middle }
        }
        return (low, lineStarts[low - 1])
    }

    // MARK: - Walking

    func place(at path: [JSONPathStep]) -> Int? {
        var place = 0
        for step in path {
            guard let next = child(of: place, step) else { return nil }
            place = next
        }
        return place
    }

    func child(of parent: Int, _ step: JSONPathStep) -> Int? {
        switch (step, kind(of: parent)) {
        case (.key(let key), .object):
            return member(of: parent, key)
        case (.index(let index), .array) where index >= 0:
            return places.children(of: parent).dropFirst(index).first { _ in true }
        default:
            return nil
        }
    }

    /// The last member of that key.
    func member(of object: Int, _ key: String) -> Int? {
        var found: Int?
        for child in places.children(of: object) where hasKey(child, key) { found = child }
        return found
    }

    func hasKey(_ place: Int, _ key: String) -> Bool {
        guard let range = places.all[place].keyRange else { return false }
        let content = bytes[(range.lowerBound + 1)..<(range.upperBound - 1)]
        if content.elementsEqual(key.utf8) { return true }
        guard content.contains(UInt8(ascii: "\\")) else { return false }
        return content.withUnsafeBufferPointer { decodingEscapes(of: $0) }.hasSameCodeUnits(as: key)
    }

    func kind(of place: Int) -> JSONValue.Kind {
        switch bytes[Int(places.all[place].start)] {
        case UInt8(ascii: "{"): .object
        case UInt8(ascii: "["): .array
        case UInt8(ascii: "\""): .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): .bool
        case UInt8(ascii: "n"): .null
        default: .number
        }
    }
}
