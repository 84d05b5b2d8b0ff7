/// What a scan is for: it is told of every value, in the order of the text, by byte offsets.
///
/// A protocol, so that making values and recording places share one grammar; generic, so that neither pays for it.
protocol JSONSink: ~Copyable {
    /// `null`, `true` or `false`.
    mutating func literal(_ value: JSONValue, start: Int, end: Int)
    mutating func number(start: Int, end: Int)
    /// `start` and `end` include the quotes.
    mutating func string(start: Int, end: Int, hasEscapes: Bool)
    mutating func key(start: Int, end: Int, hasEscapes: Bool)
    mutating func begin(_ container: JSONScanner.Container, start: Int)
    mutating func end(_ container: JSONScanner.Container, end: Int)
}

/// The grammar of RFC 8259 over bytes. It checks everything (UTF-8 and escapes too), so that sinks need not.
///
/// It does not recurse: the open containers are a small array, bounded by `JSONLimits.depthMax`.
struct JSONScanner {
    enum Container {
        case array
        case object
    }

    let bytes: UnsafeBufferPointer<UInt8>
    let limits: JSONLimits
    /// The next byte to look at.
    var at = 0
    private var open: [Container] = []
    /// Values that were begun; of one scan.
    private var values = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>, limits: JSONLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    mutating func scan<Sink: JSONSink & ~Copyable>(into sink: inout Sink) throws(JSONError) {
        try begin()
        repeat {
            try value(into: &sink)
        } while try anotherValueFollows(into: &sink)
        try end()
    }

    // MARK: - In pieces

    /// How far a scan has come: all that it needs to go on, besides the bytes.
    struct Progress {
        fileprivate var at = 0
        fileprivate var open: [Container] = []
        fileprivate var hasBegun = false
    }

    /// A scan of the same bytes that goes on where another one stopped.
    init(_ bytes: UnsafeBufferPointer<UInt8>, limits: JSONLimits, from progress: Progress) {
        self.init(bytes, limits: limits)
        at = progress.at
        open = progress.open
    }

    /// Scans on until about so many more bytes are passed: one value is never parted.
    ///
    /// - Returns: whether more follow.
    mutating func scan<Sink: JSONSink & ~Copyable>(
        into sink: inout Sink, progress: inout Progress, bytesMax: Int
    ) throws(JSONError) -> Bool {
        let stop = progress.at + bytesMax
        if !progress.hasBegun { try begin() }
        repeat {
            try value(into: &sink)
            guard try anotherValueFollows(into: &sink) else {
                try end()
                return false
            }
        } while at < stop
        progress = Progress(at: at, open: open, hasBegun: true)
        return true
    }

    private mutating func begin() throws(JSONError) {
        if bytes.count > limits.bytesMax {
            let message = "found \(bytes.count) bytes; at most \(limits.bytesMax) are read"
            throw JSONError(code: .tooLarge, line: 1, column: 1, byteOffset: 0, message: message)
        }
        if bytes.starts(with: byteOrderMark) { at = byteOrderMark.count }
        skipWhitespace()
    }

    private mutating func end() throws(JSONError) {
        skipWhitespace()
        if at < bytes.count { throw unexpected("the end of the text: one text holds one value") }
    }

    // MARK: - Values

    /// One scalar, an empty container, or the beginning of a container up to its first value.
    @inline(__always)
    private mutating func value<Sink: JSONSink & ~Copyable>(into sink: inout Sink) throws(JSONError) {
        while true {
            guard at < bytes.count else { throw unexpected("a value") }
            values += 1
            if values > limits.valuesMax {
                throw failure(
                    .tooMany, at: at, "found more than \(limits.valuesMax) values; at most that many are read")
            }
            let start = at
            switch bytes[at] {
            case UInt8(ascii: "\""):
                let hasEscapes = try skipString()
                sink.string(start: start, end: at, hasEscapes: hasEscapes)
                return
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                try skipNumber()
                sink.number(start: start, end: at)
                return
            case UInt8(ascii: "{"):
                try begin(.object, into: &sink)
                if try !objectContinues(into: &sink) { return }
            case UInt8(ascii: "["):
                try begin(.array, into: &sink)
                if at < bytes.count, bytes[at] == UInt8(ascii: "]") {
                    end(into: &sink)
                    return
                }
            case UInt8(ascii: "t"):
                try skipWord("true")
                sink.literal(.bool(true), start: start, end: at)
                return
            case UInt8(ascii: "f"):
                try skipWord("false")
                sink.literal(.bool(false), start: start, end: at)
                return
            case UInt8(ascii: "n"):
                try skipWord("null")
                sink.literal(.null, start: start, end: at)
                return
            default:
                throw unexpected("a value")
            }
        }
    }

    /// After `{`: true at the value of the first member, false where the object was empty.
    private mutating func objectContinues<Sink: JSONSink & ~Copyable>(
        into sink: inout Sink
    ) throws(JSONError) -> Bool {
        if at < bytes.count, bytes[at] == UInt8(ascii: "}") {
            end(into: &sink)
            return false
        }
        try key(orElse: "a key in double quotes, or '}'", into: &sink)
        return true
    }

    /// After a value: closes what ends here, and says whether `at` is now at another value.
    @inline(__always)
    private mutating func anotherValueFollows<Sink: JSONSink & ~Copyable>(
        into sink: inout Sink
    ) throws(JSONError) -> Bool {
        while let container = open.last {
            skipWhitespace()
            let next = at < bytes.count ? bytes[at] : 0
            switch container {
            case .object:
                if next == UInt8(ascii: ",") {
                    at += 1
                    skipWhitespace()
                    try key(orElse: "a key in double quotes (no comma follows the last member)", into: &sink)
                    return true
                }
                guard next == UInt8(ascii: "}") else { throw unexpected("',' or '}' after a member") }
            case .array:
                if next == UInt8(ascii: ",") {
                    at += 1
                    skipWhitespace()
                    if at < bytes.count, bytes[at] == UInt8(ascii: "]") {
                        throw unexpected("a value (no comma follows the last element)")
                    }
                    return true
                }
                guard next == UInt8(ascii: "]") else { throw unexpected("',' or ']' after an element") }
            }
            end(into: &sink)
        }
        return false
    }

    /// A key, the colon, and the whitespace around it.
    @inline(__always)
    private mutating func key<Sink: JSONSink & ~Copyable>(
        orElse expected: StaticString, into sink: inout Sink
    ) throws(JSONError) {
        guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else { throw unexpected("\(expected)") }
        let start = at
        let hasEscapes = try skipString()
        sink.key(start: start, end: at, hasEscapes: hasEscapes)
        skipWhitespace()
        guard at < bytes.count, bytes[at] == UInt8(ascii: ":") else { throw unexpected("':' after a key") }
        at += 1
        skipWhitespace()
    }

    // MARK: - Containers

    private mutating func begin<Sink: JSONSink & ~Copyable>(
        _ container: Container, into sink: inout Sink
    ) throws(JSONError) {
        guard open.count < limits.depthMax else {
            throw failure(.tooDeep, at: at, "found more than \(limits.depthMax) levels; at most that many are read")
        }
        sink.begin(container, start: at)
        open.append(container)
        at += 1
        skipWhitespace()
    }

    /// At the closing bracket of the innermost container.
    private mutating func end<Sink: JSONSink & ~Copyable>(into sink: inout Sink) {
        at += 1
        sink.end(open.removeLast(), end: at)
    }

    @inline(__always)
    private mutating func skipWhitespace() {
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\t"), UInt8(ascii: "\r"): at += 1
            default: return
            }
        }
    }
}
