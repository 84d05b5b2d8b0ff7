// Reading TZif, RFC 9636. The file is foreign: every count is checked against the bytes that are there before it is
// used.

extension TimeZoneRules {
    /// More than any zone has (the largest of tzdata are below 4 KiB and 250 transitions); beyond them the file is
    /// refused.
    public static let fileSizeLimit = 1 << 20
    public static let transitionLimit = 8_192

    /// Reads version 1, or the 64-bit block and the footer of version 2 and later.
    ///
    /// - Parameter name: kept as it is; nothing is derived from it.
    public convenience init(name: String, tzif bytes: [UInt8]) throws(TimeZoneError) {
        guard bytes.count <= Self.fileSizeLimit else { throw .tooLarge("\(bytes.count) bytes") }
        let first = try TZifHeader(bytes, at: 0, part: "header")
        var block = TZifBlock(header: first, begin: TZifHeader.size, timeSize: 4)
        var footer: PosixZoneRule?
        if first.version >= 2 {
            let secondBegin = block.end
            let second = try TZifHeader(bytes, at: secondBegin, part: "second header")
            block = TZifBlock(header: second, begin: secondBegin + TZifHeader.size, timeSize: 8)
            footer = try Self.footer(of: bytes, at: block.end)
        }
        guard block.end <= bytes.count else { throw .truncated("data block") }
        let (initialOffset, listed) = try block.read(bytes)
        var transitions = listed
        if let footer {
            let lastListed = listed.last?.start ?? .min
            transitions += footer.transitions(after: lastListed)
        }
        self.init(name: name, transitions: transitions, initialOffset: initialOffset)
    }

    /// The zone of a POSIX rule, as the variable TZ may hold it: `UTC0`, `CET-1CEST,M3.5.0,M10.5.0/3`. It has held for
    /// ever and will; without a rule of its own daylight time is that of the United States, as in glibc.
    ///
    /// - Throws: `badFooter` where the text is no such rule.
    public convenience init(name: String, posixRule text: String) throws(TimeZoneError) {
        let bytes = Array(text.utf8)
        guard bytes.count <= PosixZoneRule.textLimit, let rule = PosixZoneRule(variable: bytes) else {
            throw .badFooter(String(decoding: bytes.prefix(PosixZoneRule.textLimit), as: UTF8.self))
        }
        self.init(name: name, transitions: rule.transitions(after: .min), initialOffset: rule.standardOffset)
    }

    private static func footer(of bytes: [UInt8], at begin: Int) throws(TimeZoneError) -> PosixZoneRule? {
        guard begin < bytes.count, bytes[begin] == UInt8(ascii: "\n") else { throw .truncated("footer") }
        guard let end = bytes[(begin + 1)...].firstIndex(of: UInt8(ascii: "\n")) else { throw .truncated("footer") }
        let text = bytes[(begin + 1)..<end]
        if text.isEmpty { return nil }
        guard text.count <= PosixZoneRule.textLimit, let rule = PosixZoneRule(Array(text)) else {
            throw .badFooter(String(decoding: text.prefix(PosixZoneRule.textLimit), as: UTF8.self))
        }
        return rule
    }
}

// MARK: -

/// The 44 bytes before a data block.
private struct TZifHeader {
    static let size = 44

    var version: Int
    var universalFlags: Int
    var standardFlags: Int
    var leaps: Int
    var transitions: Int
    var types: Int
    var abbreviationBytes: Int

    init(_ bytes: [UInt8], at begin: Int, part: String) throws(TimeZoneError) {
        guard begin + 4 <= bytes.count, Array(bytes[begin..<(begin + 4)]) == Array("TZif".utf8) else { throw .notTZif }
        guard begin + Self.size <= bytes.count else { throw .truncated(part) }
        let versionByte = bytes[begin + 4]
        version = versionByte == 0 ? 1 : Int(versionByte) - 0x30
        func count(_ index: Int) -> Int {
            bytes[(begin + 20 + index * 4)..<(begin + 24 + index * 4)].reduce(0) { $0 << 8 | Int($1) }
        }
        universalFlags = count(0)
        standardFlags = count(1)
        leaps = count(2)
        transitions = count(3)
        types = count(4)
        abbreviationBytes = count(5)
        guard transitions <= TimeZoneRules.transitionLimit else { throw .tooLarge("\(transitions) transitions") }
        guard types >= 1, types <= 256 else { throw .inconsistent("\(types) local time types") }
        guard max(leaps, abbreviationBytes, universalFlags, standardFlags) <= TimeZoneRules.fileSizeLimit else {
            throw .tooLarge("counts of its header")
        }
    }
}

/// A data block: where its parts lie.
private struct TZifBlock {
    var header: TZifHeader
    var begin: Int
    /// 4 bytes a time in version 1, 8 in the second block.
    var timeSize: Int

    private var indices: Int { begin + header.transitions * timeSize }
    private var types: Int { indices + header.transitions }
    private var afterTypes: Int { types + header.types * 6 + header.abbreviationBytes }

    var end: Int {
        afterTypes + header.leaps * (timeSize + 4) + header.standardFlags + header.universalFlags
    }

    /// The caller has checked that `end` is within `bytes`.
    func read(_ bytes: [UInt8]) throws(TimeZoneError) -> (Int64, [(start: Int64, offset: Int64)]) {
        guard header.leaps == 0 else { throw .countsLeapSeconds }
        var transitions: [(start: Int64, offset: Int64)] = []
        transitions.reserveCapacity(header.transitions)
        var previous = Int64.min
        for index in 0..<header.transitions {
            let start = integer(bytes, at: begin + index * timeSize, size: timeSize)
            guard start > previous else { throw .inconsistent("transition \(index) is not after the one before") }
            previous = start
            let offset = try offset(bytes, ofType: Int(bytes[indices + index]))
            // tzcode marks "from the big bang on" with a start of -2^59; times so far out would only overflow.
            guard abs(start) < 1 << 56 else { continue }
            transitions.append((start, offset))
        }
        return (try offset(bytes, ofType: 0), transitions)
    }

    private func offset(_ bytes: [UInt8], ofType type: Int) throws(TimeZoneError) -> Int64 {
        guard type < header.types else { throw .inconsistent("type \(type) of \(header.types)") }
        let offset = integer(bytes, at: types + type * 6, size: 4)
        // RFC 9636, section 3.2: an offset should lie between −25 h and +26 h.
        guard offset > -25 * 3_600, offset < 26 * 3_600 else { throw .inconsistent("an offset of \(offset) s") }
        return offset
    }

    private func integer(_ bytes: [UInt8], at position: Int, size: Int) -> Int64 {
        let raw = bytes[position..<(position + size)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return size == 4 ? Int64(Int32(truncatingIfNeeded: raw)) : Int64(bitPattern: raw)
    }
}
