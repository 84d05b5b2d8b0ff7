/// Where a text stands in another, letters of ASCII taken as one whatever their case; where the wanted text has a
/// capital, only as it is.
struct TextSearch: Equatable {
    let text: String
    private let bytes: [UInt8]
    private let isExact: Bool

    init?(_ text: String) {
        guard !text.isEmpty else { return nil }
        self.text = text
        isExact = text.unicodeScalars.contains { 0x41...0x5A ~= $0.value }
        bytes = Array(text.utf8)
    }

    /// The places of the matches in bytes; those of one line do not overlap.
    func places(in line: String) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var line = line
        line.withUTF8 { all in
            var start = 0
            while start + bytes.count <= all.count {
                if matches(all, at: start) {
                    found.append(start..<start + bytes.count)
                    start += bytes.count
                } else {
                    start += 1
                }
            }
        }
        return found
    }

    func isIn(_ line: String) -> Bool {
        var line = line
        return line.withUTF8 { all in
            all.count >= bytes.count && (0...all.count - bytes.count).contains { matches(all, at: $0) }
        }
    }

    private func matches(_ all: UnsafeBufferPointer<UInt8>, at start: Int) -> Bool {
        for (offset, wanted) in bytes.enumerated() where folded(all[start + offset]) != wanted { return false }
        return true
    }

    private func folded(_ byte: UInt8) -> UInt8 { !isExact && 0x41...0x5A ~= byte ? byte | 0x20 : byte }
}
