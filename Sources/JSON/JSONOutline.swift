/// A JSON text with the places of its values down to a depth, and nothing taken apart: what a large file is read from
/// piece by piece. All of it is checked; the places of what is deeper are found when they are asked for.
///
/// ```swift
/// let outline = try JSONOutline(bytes: contents, depth: 3)
/// for job in outline.elements(at: ["schedules", "jobs"]) ?? [] {
///     print(outline.value(of: job)["name"] ?? "without a name", outline.location(of: job).line)
/// }
/// ```
public struct JSONOutline: Sendable {
    public let bytes: [UInt8]
    let places: JSONPlaces
    private let depth: Int
    /// The offset of the first byte of each line; `JSONLimits.bytesLargest` fits 32 bits.
    private let lineStarts: [UInt32]

    /// One value of the text, as far as the outline knows it.
    public struct Node: Sendable {
        let place: Int
    }

    /// - Parameter depth: of the deepest values that can be walked to; the root has depth 0.
    /// - Throws: `JSONError`, as `JSONValue.init(parsing:)` does.
    public init(bytes: [UInt8], depth: Int, limits: JSONLimits = .standard) throws(JSONError) {
        self.bytes = bytes
        self.depth = depth
        places = try bytes.withUnsafeBufferPointer { Self.record($0, depth, limits) }.get()
        lineStarts = bytes.withUnsafeBufferPointer { Self.lineStarts($0) }
    }

    private static func lineStarts(_ bytes: UnsafeBufferPointer<UInt8>) -> [UInt32] {
        var starts: [UInt32] = [0]
        starts.reserveCapacity(bytes.count { $0 == UInt8(ascii: "\n") } + 1)
        for (offset, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") { starts.append(UInt32(offset + 1)) }
        return starts
    }

    private static func record(
        _ bytes: UnsafeBufferPointer<UInt8>, _ depth: Int, _ limits: JSONLimits
    ) -> Result<JSONPlaces, JSONError> {
        do throws(JSONError) {
            var recorder = PlaceRecorder(depthMax: depth)
            var scanner = JSONScanner(bytes, limits: limits)
            try scanner.scan(into: &recorder)
            return .success(recorder.places)
        } catch {
            return .failure(error)
        }
    }

    // MARK: - Values

    /// The value at a path that is no deeper than the outline; nil where it leads nowhere.
    public func node(at path: [JSONPathStep]) -> Node? { place(at: path).map { Node(place: $0) } }

    /// The elements of the array at that path; nil where there is none.
    public func elements(at path: [JSONPathStep]) -> [Node]? {
        guard let place = place(at: path), kind(of: place) == .array else { return nil }
        return places.children(of: place).map { Node(place: $0) }
    }

    /// The members of the object at that path, a duplicated key as often as it occurs; nil where there is none.
    public func members(at path: [JSONPathStep]) -> [(key: String, node: Node)]? {
        guard let place = place(at: path), kind(of: place) == .object else { return nil }
        return places.children(of: place).map { child in
            let range = places.all[child].keyRange ?? 0..<2
            let content = bytes[(range.lowerBound + 1)..<(range.upperBound - 1)]
            return (content.withUnsafeBufferPointer { decodingEscapes(of: $0) }, Node(place: child))
        }
    }

    public func kind(of node: Node) -> JSONValue.Kind { kind(of: node.place) }

    /// Takes that part of the text apart.
    public func value(of node: Node) -> JSONValue {
        // It was scanned: what is no JSON has no node.
        bytes[places.all[node.place].range].withUnsafeBufferPointer { slice in
            (try? JSONValue.parse(slice, .standard).get()) ?? .null
        }
    }

    /// The text of a value as it stands there.
    public func text(of node: Node) -> String { String(decoding: bytes[places.all[node.place].range], as: UTF8.self) }

    /// `JSONValue.compactText` of a value. Most texts are compact as they stand, or but for blanks.
    public func compactText(of node: Node) -> String {
        bytes[places.all[node.place].range].withUnsafeBufferPointer { slice in
            // An escape may be one that the writer does not make.
            slice.contains(UInt8(ascii: "\\")) ? value(of: node).compactText : Self.spaced(slice)
        }
    }

    /// A text without escapes, with blanks where the writer of values puts them.
    private static func spaced(_ text: UnsafeBufferPointer<UInt8>) -> String {
        // At most one blank is added for each separator. Copied from there, because a string keeps all the room that
        // it was made with.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 2 * text.count) { spaced in
            var length = 0
            var isInString = false
            for byte in text {
                switch byte {
                case UInt8(ascii: "\""): isInString.toggle()
                case 0x20, 0x09, 0x0A, 0x0D: if !isInString { continue }
                default: break
                }
                spaced[length] = byte
                length += 1
                guard !isInString, byte == UInt8(ascii: ",") || byte == UInt8(ascii: ":") else { continue }
                spaced[length] = UInt8(ascii: " ")
                length += 1
            }
            return String(decoding: UnsafeBufferPointer(rebasing: spaced[..<length]), as: UTF8.self)
        }
    }

    /// The text of the value at that path; nil where it leads nowhere.
    public func text(of path: [JSONPathStep]) -> String? {
        place(at: path).map { String(decoding: bytes[places.all[$0].range], as: UTF8.self) }
    }

    /// As above, of an object, and those of its members that hold what is not shown without it, as compact text.
    ///
    /// - Parameter mask: from the root on.
    public func text(of path: [JSONPathStep], mask: JSONMask) -> String? {
        guard let object = place(at: path), let members = members(at: path) else { return text(of: path) }
        let mask = path.reduce(mask) { mask, step in if case .key(let key) = step { mask.below(key) } else { mask } }
        var masked: [UInt8] = []
        masked.reserveCapacity(places.all[object].range.count)
        var end = Int(places.all[object].start)
        for (key, node) in members {
            let below = mask.below(key)
            guard !below.isEmpty else { continue }
            let range = places.all[node.place].range
            masked += bytes[end..<range.lowerBound]
            masked += maskedText(range, below)
            end = range.upperBound
        }
        masked += bytes[end..<places.all[object].range.upperBound]
        return String(decoding: masked, as: UTF8.self)
    }

    private func maskedText(_ range: Range<Int>, _ mask: JSONMask) -> [UInt8] {
        bytes[range].withUnsafeBufferPointer { slice in
            var writer = CompactSink(mask)
            writer.bytes = slice
            var scanner = JSONScanner(slice, limits: .standard)
            // It was scanned before.
            try? scanner.scan(into: &writer)
            return writer.written
        }
    }

    // MARK: - Places

    /// Line and column, both from 1, of the first character of a value. Lines end at a line feed, columns count Unicode
    /// scalars, a byte order mark does not count.
    public func location(of node: Node) -> (line: Int, column: Int) {
        location(ofByte: Int(places.all[node.place].start))
    }

    /// As above, of the key of a member; nil for elements of arrays and the root.
    public func keyLocation(of node: Node) -> (line: Int, column: Int)? {
        places.all[node.place].keyRange.map { location(ofByte: $0.lowerBound) }
    }

    /// As above, of the value at a path, however deep; nil where it leads nowhere.
    public func location(of path: [JSONPathStep], below node: Node? = nil) -> (line: Int, column: Int)? {
        located(path, from: node, { location(of: $0) }, { $0.location(of: $1) })
    }

    /// As above, of the key of the member at that path; nil for elements of arrays and the root too.
    public func keyLocation(of path: [JSONPathStep], below node: Node? = nil) -> (line: Int, column: Int)? {
        located(path, from: node, { keyLocation(of: $0) }, { $0.keyLocation(of: $1) })
    }

    /// Walks as far as the outline goes, and takes apart what is left of the text below.
    private func located(
        _ path: [JSONPathStep], from node: Node?, _ here: (Node) -> (line: Int, column: Int)?,
        _ inside: (JSONDocument, [JSONPathStep]) -> (line: Int, column: Int)?
    ) -> (line: Int, column: Int)? {
        var place = node?.place ?? 0
        var rest = path[...]
        while let step = rest.first, let next = child(of: place, step) {
            place = next
            rest.removeFirst()
        }
        guard !rest.isEmpty else { return here(Node(place: place)) }
        // What the outline knows the inside of has no such value.
        guard places.isEmpty(place), depth < .max,
            let document = try? JSONDocument(bytes: Array(bytes[places.all[place].range])),
            let found = inside(document, Array(rest))
        else { return nil }
        let start = location(of: Node(place: place))
        return (start.line + found.line - 1, found.line == 1 ? start.column + found.column - 1 : found.column)
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
        return (low, Int(lineStarts[low - 1]))
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
