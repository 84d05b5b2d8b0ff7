internal import Glibc
public import Processes

/// Reads an attempt's output from its folder, while it is written and after; see `OutputBounds` for the layout.
///
/// Offsets count from the first byte that the process wrote. Between the first and the last bytes that are kept may be
/// a gap: whoever asks for a byte in it gets what follows it.
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
            guard let piece = layout.pieces.first(where: { $0.offset + $0.count > part.offset }) else { return part }
            let start = max(part.offset, piece.offset)
            let skip = start - piece.offset
            guard let bytes = piece.read(folder, skip, min(limit, piece.count - skip)), !bytes.isEmpty else { continue }
            part.offset = start
            part.bytes = bytes
            return part
        }
        return part
    }

    /// Bytes written so far.
    public var totalCount: Int { layout().totalCount }

    /// All that is kept, as it stands.
    public func capture() -> OutputCapture {
        var head: [UInt8] = []
        var tail: [UInt8] = []
        var part = read(from: 0, limit: .max)
        var total = 0
        while !part.bytes.isEmpty {
            if part.offset == head.count, tail.isEmpty {
                head += part.bytes
            } else {
                tail += part.bytes
            }
            total = part.nextOffset
            part = read(from: total, limit: .max)
        }
        return OutputCapture(head: head, tail: tail, totalCount: max(total, totalCount))
    }

    private static let looksMax = 100

    // MARK: - What is there

    /// Bytes in a row, and the file that has them.
    private struct Piece {
        var name: String
        /// In the output, and in the file.
        var offset: Int
        var fileOffset = 0
        var count: Int

        /// nil where the file is gone.
        func read(_ folder: String, _ skip: Int, _ limit: Int) -> [UInt8]? {
            let number = open("\(folder)/\(name)", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
            guard number >= 0 else { return nil }
            let file = FileDescriptor(owning: number)
            lseek(number, off_t(fileOffset + skip), SEEK_SET)
            return file.remainder(limit: limit)
        }
    }

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
            return Layout(
                pieces: [
                    Piece(name: name, offset: 0, count: head),
                    Piece(name: name, offset: total - tail, fileOffset: head, count: tail),
                ], totalCount: total)
        }
        let bounds = OutputBounds(limit: Int(attempt.identity.number("limit") ?? 0))
        var pieces = [Piece(name: name, offset: 0, count: min(bounds.headLimit, size(name)))]
        for offset in segments().sorted() {
            let segment = OutputBounds.segmentName(offset: offset)
            pieces.append(Piece(name: segment, offset: offset, count: size(segment)))
        }
        return Layout(pieces: pieces, totalCount: pieces.map { $0.offset + $0.count }.max() ?? 0)
    }

    private func size(_ name: String) -> Int {
        var status = stat()
        return lstat("\(folder)/\(name)", &status) == 0 ? Int(status.st_size) : 0
    }

    private func segments() -> [Int] {
        AttemptFolder.names(in: folder).compactMap { OutputBounds.segmentOffset(name: $0) }
    }
}
