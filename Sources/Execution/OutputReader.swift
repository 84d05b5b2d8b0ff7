internal import Glibc
public import Processes

/// Reads an attempt's output from its folder, while it is written and after; see `OutputBounds` for the layout.
///
/// Offsets count from the first byte that the process wrote. Between the first and the last bytes that are kept may be
/// a gap: whoever asks for a byte in it gets what follows it. However much is kept, no call reads more than `bytesMax`.
///
/// ```swift
/// var part = reader.read(from: 0, limit: 65_536)
/// while !part.bytes.isEmpty {
///     print(part.bytes)
///     part = reader.read(from: part.nextOffset, limit: 65_536)
/// }
/// ```
public struct OutputReader: Sendable {
    let folder: String

    /// The bytes of one `read`; who asks for more gets this many.
    public static let bytesMax = 1 << 20

    /// - Parameter folder: of the attempt.
    public init(folder: String) {
        self.folder = folder
    }

    public struct Part: Equatable, Sendable {
        /// Empty where nothing follows (so far).
        public var bytes: [UInt8] = []
        /// Where `bytes` begin: what was asked for, or the first byte after the gap.
        public var offset: Int
        /// What to ask for next.
        public var nextOffset: Int { offset + bytes.count }
    }

    /// Reads at most `limit` bytes from `offset` on.
    public func read(from offset: Int, limit: Int) -> Part {
        var part = Part(offset: max(0, offset))
        // A file that goes between the look and the reading has a successor: look again.
        for _ in 0..<Self.looksMax {
            let layout = layout()
            // One without bytes is no reason to look again: its file may be gone for good.
            guard let piece = layout.pieces.first(where: { $0.count > 0 && $0.end > part.offset }) else { return part }
            let start = max(part.offset, piece.offset)
            let skip = start - piece.offset
            let count = min(max(0, limit), Self.bytesMax, piece.count - skip)
            guard let bytes = piece.read(folder, skip, count) else { continue }
            guard !bytes.isEmpty || count == 0 else { continue }
            part.offset = start
            part.bytes = bytes
            return part
        }
        return part
    }

    /// Bytes written so far.
    public var totalCount: Int { layout().totalCount }

    /// The first and the last bytes, as they stand: what the record of a run is made of.
    public func excerpt() -> OutputExcerpt {
        let layout = layout()
        let head = row(from: 0, through: layout.totalCount, isFirst: true)
        let tail = row(
            from: max(head.nextOffset, layout.totalCount - OutputExcerpt.partBytesMax), through: layout.totalCount)
        let total = max(layout.totalCount, head.nextOffset, tail.nextOffset)
        // What has come meanwhile is kept: the last bytes always are.
        let kept = layout.pieces.reduce(0) { $0 + $1.count } + total - layout.totalCount
        return OutputExcerpt(
            head: head.bytes, tail: tail.bytes, totalCount: total, droppedCount: max(0, total - kept))
    }

    /// Bytes in a row: from `offset` on up to a gap where they are the first, else those that follow the last gap; in
    /// both cases no more than an excerpt has of them.
    private func row(from offset: Int, through end: Int, isFirst: Bool = false) -> Part {
        var row = Part(offset: offset)
        // The row may lie in the file of the first bytes and two more; each may be replaced while it is read.
        for _ in 0..<Self.rowReadsMax where row.nextOffset < end {
            let part = read(from: row.nextOffset, limit: OutputExcerpt.partBytesMax - row.bytes.count)
            guard !part.bytes.isEmpty else { break }
            if part.offset == row.nextOffset {
                row.bytes += part.bytes
            } else if isFirst {
                break
            } else {
                row = part
            }
        }
        return row
    }

    private static let looksMax = 100
    private static let rowReadsMax = 8

    /// The last bytes, as far as they are in a row: at most `limit`.
    public func tail(_ limit: Int) -> [UInt8] {
        let total = totalCount
        var tail = Part(offset: max(0, total - limit))
        for _ in 0..<Self.rowReadsMax where tail.nextOffset < total {
            let part = read(from: tail.nextOffset, limit: limit - tail.bytes.count)
            guard !part.bytes.isEmpty else { break }
            if part.offset == tail.nextOffset { tail.bytes += part.bytes } else { tail = part }
        }
        return tail.bytes
    }

    // MARK: - What is there

    /// Bytes in a row, and the file that has them.
    private struct Piece {
        var name: String
        /// In the output, and in the file.
        var offset: Int
        var fileOffset = 0
        var count: Int

        var end: Int { offset + count }

        /// nil where the file is gone.
        func read(_ folder: String, _ skip: Int, _ limit: Int) -> [UInt8]? {
            try? FileDescriptor.file("\(folder)/\(name)").bytes(at: fileOffset + skip, limit: limit)
        }
    }

    /// The pieces do not overlap, in order; none has a byte that its file has not.
    private struct Layout {
        var pieces: [Piece]
        var totalCount: Int
    }

    private func layout() -> Layout {
        let attempt = AttemptFolder(path: folder)
        let name = RunFolder.outputName
        if let outcome = try? attempt.readOutcome() {
            let (head, tail) = (Int(outcome.headCount), Int(outcome.tailCount))
            let total = Int(outcome.outputCount)
            let size = size(name)
            return Layout(
                pieces: [
                    Piece(name: name, offset: 0, count: min(head, size)),
                    Piece(name: name, offset: total - tail, fileOffset: head, count: min(tail, max(0, size - head))),
                ], totalCount: total)
        }
        let bounds = OutputBounds(limit: Int(clamping: attempt.identity.number("limit") ?? 0))
        var pieces = [Piece(name: name, offset: 0, count: min(bounds.headLimit, size(name)))]
        for offset in segments().sorted() {
            let segment = OutputBounds.segmentName(offset: offset)
            // What an earlier piece has is not there twice: only a foreign hand makes such files.
            guard let last = pieces.last, offset >= last.end else { continue }
            pieces.append(Piece(name: segment, offset: offset, count: size(segment)))
        }
        return Layout(pieces: pieces, totalCount: pieces.last?.end ?? 0)
    }

    /// 0 for what is no file.
    private func size(_ name: String) -> Int {
        var status = stat()
        guard lstat("\(folder)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return 0 }
        return min(Int(status.st_size), Int(SupervisorOutcome.numberMax))
    }

    private func segments() -> [Int] {
        let names = (try? Folder(folder).names()) ?? []
        return names.compactMap { OutputBounds.segmentOffset(name: $0) }
    }
}
