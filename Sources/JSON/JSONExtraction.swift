/// One value of a large text, found and written a piece at a time: for those who have no time for all of it at once.
///
/// All of the text is checked, as `JSONValue.init(parsing:)` does, and of a duplicated key the last counts. What comes
/// of it is what `compactText` of that value says; no value is made.
///
/// ```swift
/// var extraction = JSONExtraction(bytes: contents, path: ["schedules", "jobs"])
/// while try extraction.goOn(bytesMax: 1 << 18) { … }
/// print(extraction.text ?? "there is none")
/// ```
public struct JSONExtraction: Sendable {
    private enum Phase {
        /// Looking for the value; where it was last seen stands in `finder`.
        case finding
        case writing
        case done
    }

    private let bytes: [UInt8]
    private let limits: JSONLimits
    private var phase = Phase.finding
    private var progress = JSONScanner.Progress()
    private var finder: ValueFinder
    private var writer: CompactSink
    /// The value at the path, once all is done; nil where the path leads nowhere.
    public private(set) var text: String?

    /// - Parameters:
    ///   - path: keys, from the root on.
    ///   - mask: what is not shown, from the root on.
    public init(bytes: [UInt8], path: [String], limits: JSONLimits = .standard, mask: JSONMask = JSONMask()) {
        self.bytes = bytes
        self.limits = limits
        finder = ValueFinder(path: path)
        writer = CompactSink(mask.below(path))
    }

    /// The length of what is written of the value so far.
    public var writtenBytes: Int { writer.count }

    /// Goes on for about so many bytes of the text, but never stops inside of a string.
    ///
    /// - Returns: whether there is more to do.
    /// - Throws: `JSONError`, as `JSONValue.init(parsing:)` does.
    public mutating func goOn(bytesMax: Int) throws(JSONError) -> Bool {
        switch phase {
        case .finding:
            if try find(bytesMax).get() { return true }
            progress = JSONScanner.Progress()
            phase = finder.found == nil ? .done : .writing
            return finder.found != nil
        case .writing:
            if try write(bytesMax).get() { return true }
            text = String(decoding: writer.written, as: UTF8.self)
            phase = .done
            return false
        case .done: return false
        }
    }

    private mutating func find(_ bytesMax: Int) -> Result<Bool, JSONError> {
        bytes.withUnsafeBufferPointer { buffer in
            var scanner = JSONScanner(buffer, limits: limits, from: progress)
            finder.bytes = buffer
            defer { finder.bytes = UnsafeBufferPointer(start: nil, count: 0) }
            do throws(JSONError) {
                return .success(try scanner.scan(into: &finder, progress: &progress, bytesMax: bytesMax))
            } catch {
                return .failure(error)
            }
        }
    }

    private mutating func write(_ bytesMax: Int) -> Result<Bool, JSONError> {
        bytes.withUnsafeBufferPointer { buffer in
            let value = UnsafeBufferPointer(rebasing: buffer[finder.found ?? 0..<0])
            var scanner = JSONScanner(value, limits: limits, from: progress)
            writer.bytes = value
            defer { writer.bytes = UnsafeBufferPointer(start: nil, count: 0) }
            do throws(JSONError) {
                return .success(try scanner.scan(into: &writer, progress: &progress, bytesMax: bytesMax))
            } catch {
                return .failure(error)
            }
        }
    }
}

/// Where the value at a path of keys stands.
private struct ValueFinder: JSONSink {
    /// The text, during a scan.
    nonisolated(unsafe) var bytes = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
    private(set) var found: Range<Int>?

    private let path: [String]
    /// How many containers are open, and how many of these, from the root on, are objects that the path leads through.
    private var level = 0
    private var along = 0
    /// Whether the value that comes next is the one that the path goes on to.
    private var isNext = true
    /// Where the value at the path begins, while it is open.
    private var start: Int?

    init(path: [String]) { self.path = path }

    mutating func key(start: Int, end: Int, hasEscapes: Bool) {
        isNext = false
        guard along == level, level <= path.count else { return }
        let content = UnsafeBufferPointer(rebasing: bytes[(start + 1)..<(end - 1)])
        let wanted = path[level - 1]
        isNext =
            hasEscapes
            ? decodingEscapes(of: content).hasSameCodeUnits(as: wanted) : content.elementsEqual(wanted.utf8)
        // A later one of that key counts, whatever it holds.
        if isNext { found = nil }
    }

    private mutating func scalar(_ start: Int, _ end: Int) {
        if isNext, level == path.count { found = start..<end }
        isNext = false
    }

    mutating func literal(_ value: JSONValue, start: Int, end: Int) { scalar(start, end) }
    mutating func number(start: Int, end: Int) { scalar(start, end) }
    mutating func string(start: Int, end: Int, hasEscapes: Bool) { scalar(start, end) }

    mutating func begin(_ container: JSONScanner.Container, start: Int) {
        if isNext {
            if level == path.count {
                self.start = start
            } else if container == .object {
                along = level + 1
            }
        }
        isNext = false
        level += 1
    }

    mutating func end(_ container: JSONScanner.Container, end: Int) {
        level -= 1
        along = min(along, level)
        guard level == path.count, let start else { return }
        found = start..<end
        self.start = nil
    }
}

/// Writes what is scanned as `JSONValue.compactText` would, but for what is not shown.
struct CompactSink: JSONSink {
    /// The text, during a scan.
    nonisolated(unsafe) var bytes = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
    private var writer = JSONWriter(layout: .spaced)
    /// Whether something stands before the next value, or key, in its container.
    private var needsComma = false
    private var cursor: MaskCursor

    init(_ mask: JSONMask) { cursor = MaskCursor(mask) }

    var count: Int { writer.bytes.count }
    var written: [UInt8] { writer.bytes }

    private mutating func separate() {
        if needsComma { writer.write(verbatim: [UInt8(ascii: ","), UInt8(ascii: " ")]) }
        needsComma = true
    }

    private mutating func copy(_ start: Int, _ end: Int) {
        writer.write(verbatim: UnsafeBufferPointer(rebasing: bytes[start..<end]))
    }

    private mutating func text(_ start: Int, _ end: Int, _ hasEscapes: Bool) {
        guard hasEscapes else { return copy(start, end) }
        writer.write(decodingEscapes(of: UnsafeBufferPointer(rebasing: bytes[(start + 1)..<(end - 1)])))
    }

    /// - Returns: whether the value itself is written.
    private mutating func isShown(_ step: MaskCursor.Step) -> Bool {
        switch step {
        case .shown: separate()
        case .hidden: break
        case .stars:
            separate()
            writer.write(JSONMask.stars)
        }
        return step == .shown
    }

    /// That nothing is there is no secret.
    mutating func literal(_ value: JSONValue, start: Int, end: Int) {
        let step = cursor.scalar(hasAt: false)
        if isShown(step == .stars && value.isNull ? .shown : step) { copy(start, end) }
    }

    mutating func number(start: Int, end: Int) {
        if isShown(cursor.scalar(hasAt: false)) { copy(start, end) }
    }

    mutating func string(start: Int, end: Int, hasEscapes: Bool) {
        let hasAt = hasEscapes || bytes[start..<end].contains(UInt8(ascii: "@"))
        if isShown(cursor.scalar(hasAt: hasAt)) { text(start, end, hasEscapes) }
    }

    mutating func key(start: Int, end: Int, hasEscapes: Bool) {
        guard !cursor.isHidden else { return }
        if cursor.followsKeys {
            cursor.key(decodingEscapes(of: UnsafeBufferPointer(rebasing: bytes[(start + 1)..<(end - 1)])))
        }
        separate()
        text(start, end, hasEscapes)
        writer.write(verbatim: [UInt8(ascii: ":"), UInt8(ascii: " ")])
        needsComma = false
    }

    mutating func begin(_ container: JSONScanner.Container, start: Int) {
        guard isShown(cursor.begin()) else { return }
        writer.write(verbatim: [UInt8(ascii: container == .array ? "[" : "{")])
        needsComma = false
    }

    mutating func end(_ container: JSONScanner.Container, end: Int) {
        guard cursor.end() == .shown else { return }
        writer.write(verbatim: [UInt8(ascii: container == .array ? "]" : "}")])
        needsComma = true
    }
}
