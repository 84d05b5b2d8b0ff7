import Execution
import Processes

/// All that is kept, the slow way: before the gap, and after it.
struct KeptOutput {
    var head: [UInt8] = []
    var tail: [UInt8] = []
    var gap = 0

    init(_ reader: OutputReader) {
        var part = reader.read(from: 0, limit: 5000)
        var next = 0
        while !part.bytes.isEmpty {
            gap += part.offset - next
            if gap == 0 { head += part.bytes } else { tail += part.bytes }
            next = part.nextOffset
            part = reader.read(from: next, limit: 5000)
        }
        total = max(next, reader.totalCount)
    }

    private let total: Int
    var bytes: [UInt8] { head + tail }

    /// What is to be made of it.
    var excerpt: OutputExcerpt {
        let bound = OutputExcerpt.partBytesMax
        let first = Array(head.prefix(bound))
        let last = gap == 0 ? Array(head.dropFirst(bound).suffix(bound)) : Array(tail.suffix(bound))
        return OutputExcerpt(head: first, tail: last, totalCount: total, droppedCount: total - bytes.count)
    }
}
