internal import JSON
internal import Processes

/// What a process that says nothing of its cost on its context socket has printed of it: agents end their output with a
/// JSON object that has `total_cost_usd`.
enum ReportedCost {
    private static let key = "total_cost_usd"

    /// - Returns: nil where the output ends otherwise, or the object lies before the last bytes that are looked at.
    static func find(in output: OutputExcerpt) -> Double? {
        let isWhole = output.head.count + output.tail.count == output.totalCount
        let bytes = isWhole ? output.bytes : output.tail
        guard let end = bytes.lastIndex(where: { !isSpace($0) }), bytes[end] == UInt8(ascii: "}") else {
            return nil
        }
        // On one line, or over several with its braces at their beginning.
        var start = lineStart(of: end, in: bytes)
        if bytes[start] != UInt8(ascii: "{") {
            guard start == end, let open = bytes[..<end].lastLine(beginningWith: UInt8(ascii: "{")) else { return nil }
            start = open
        }
        guard let object = try? JSONValue(parsing: String(decoding: bytes[start...end], as: UTF8.self)),
            let cost = object[key]?.doubleValue, cost.isFinite, cost >= 0
        else { return nil }
        return cost
    }

    private static func lineStart(of index: Int, in bytes: [UInt8]) -> Int {
        bytes[..<index].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
}

extension ArraySlice<UInt8> {
    /// Where the last line begins that starts with a byte.
    fileprivate func lastLine(beginningWith first: UInt8) -> Int? {
        indices.reversed().first { self[$0] == first && ($0 == startIndex || self[$0 - 1] == UInt8(ascii: "\n")) }
    }
}
