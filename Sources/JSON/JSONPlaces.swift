/// Where every value of a text stands: one flat array in the order of the text.
///
/// Value 0 is the root. The first value inside a container comes right after it, and each value knows the next one that
/// is not inside it; so walking over siblings skips what they hold.
struct JSONPlaces: Sendable {
    /// 32 bits are enough: `JSONLimits.bytesLargest` is far below.
    struct Place: Sendable {
        fileprivate(set) var start: UInt32
        fileprivate(set) var end: UInt32 = 0
        /// The key with its quotes; empty where the value has none.
        fileprivate(set) var keyStart: UInt32
        fileprivate(set) var keyEnd: UInt32
        fileprivate(set) var next: UInt32 = 0

        var range: Range<Int> { Int(start)..<Int(end) }
        var keyRange: Range<Int>? { keyStart == keyEnd ? nil : Int(keyStart)..<Int(keyEnd) }
        /// The whole member: key, colon and value; or just the value.
        var memberRange: Range<Int> { Int(keyStart == keyEnd ? start : keyStart)..<Int(end) }
    }

    private(set) var all: [Place] = []

    /// The values right inside of one, in order; empty for scalars.
    func children(of parent: Int) -> some Sequence<Int> {
        let end = Int(all[parent].next)
        return sequence(state: parent + 1) { child in
            guard child < end else { return nil }
            defer { child = Int(all[child].next) }
            return child
        }
    }

    func last(of container: Int) -> Int? {
        children(of: container).reduce(nil) { $1 }
    }

    func isEmpty(_ container: Int) -> Bool {
        Int(all[container].next) == container + 1
    }
}

/// Records the places of a text while it is scanned, down to a depth.
struct PlaceRecorder: JSONSink, ~Copyable {
    private(set) var places = JSONPlaces()
    private let depthMax: Int
    /// How many containers are open, and the places of those that are recorded.
    private var level = 0
    private var open: [Int] = []
    private var key = 0..<0

    /// - Parameter depthMax: what stands deeper has no place; the root has depth 0.
    init(depthMax: Int) {
        self.depthMax = depthMax
    }

    private mutating func add(start: Int, end: Int) {
        guard level <= depthMax else { return }
        let next = UInt32(places.all.count + 1)
        places.append(start: start, end: end, key: key, next: next)
        key = 0..<0
    }

    mutating func literal(_ value: JSONValue, start: Int, end: Int) { add(start: start, end: end) }
    mutating func number(start: Int, end: Int) { add(start: start, end: end) }
    mutating func string(start: Int, end: Int, hasEscapes: Bool) { add(start: start, end: end) }
    mutating func key(start: Int, end: Int, hasEscapes: Bool) { if level <= depthMax { key = start..<end } }

    mutating func begin(_ container: JSONScanner.Container, start: Int) {
        if level <= depthMax { open.append(places.all.count) }
        add(start: start, end: start)
        level += 1
    }

    mutating func end(_ container: JSONScanner.Container, end: Int) {
        level -= 1
        if level <= depthMax { places.close(open.removeLast(), end: end) }
    }
}

extension JSONPlaces {
    fileprivate mutating func append(start: Int, end: Int, key: Range<Int>, next: UInt32) {
        all.append(
            Place(
                start: UInt32(start), end: UInt32(end), keyStart: UInt32(key.lowerBound),
                keyEnd: UInt32(key.upperBound),
                next: next))
    }

    fileprivate mutating func close(_ container: Int, end: Int) {
        all[container].end = UInt32(end)
        all[container].next = UInt32(all.count)
    }
}
