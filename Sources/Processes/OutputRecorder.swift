internal import CLinux
internal import Glibc

/// Writes an attempt's output to its folder as it comes, within its bounds; see `OutputBounds` for the layout.
///
/// A disk that is full (or fails) ends the keeping and not the counting: whoever writes the output never notices.
public struct OutputRecorder: ~Copyable {
    private let folder: Int32
    private let bounds: OutputBounds
    /// Bytes written in all.
    public private(set) var totalCount = 0
    /// Of all of them, kept or not.
    public private(set) var digest = StableHash()
    /// Bytes in `output` that are the beginning.
    public private(set) var headCount = 0
    /// Bytes in `output` that are the end, after `finish`.
    public private(set) var tailCount = 0
    /// Why nothing more is kept; nil while all is well.
    public private(set) var failure: String?

    private var head: FileDescriptor?
    private var segment: FileDescriptor?
    private var segmentOffset = 0
    private var segmentCount = 0
    private var previousOffset: Int?

    /// - Parameter folder: an open fd of the attempt's folder, borrowed.
    public init(folder: Int32, limit: Int) {
        self.folder = folder
        bounds = OutputBounds(limit: limit)
    }

    // MARK: - Writing

    /// At most `OutputBounds.readLimit` bytes at a time.
    public mutating func append(_ bytes: UnsafeRawBufferPointer) {
        totalCount += bytes.count
        digest.add(bytes)
        guard failure == nil else { return }
        let first = min(bounds.headLimit - headCount, bytes.count)
        if first > 0 {
            appendToHead(UnsafeRawBufferPointer(rebasing: bytes[..<first]))
        }
        if first < bytes.count, bounds.tailLimit > 0, failure == nil {
            appendToTail(UnsafeRawBufferPointer(rebasing: bytes[first...]))
        }
    }

    /// The pipe that the output comes by cannot be read: what was still to come is not known.
    public mutating func lostSource(code: Int32) {
        failure =
            failure
            ?? "cannot read what the process writes after its first \(totalCount) bytes: \(ProcessError.text(of: code))"
    }

    private mutating func appendToHead(_ bytes: UnsafeRawBufferPointer) {
        if head == nil { head = make(RunFolder.outputName) }
        guard failure == nil else { return }
        guard let code = head?.write(bytes) else {
            headCount += bytes.count
            return
        }
        // Part of it may have found room.
        if let number = head?.number { headCount = min(bounds.headLimit, Int(lseek(number, 0, SEEK_CUR))) }
        fail(RunFolder.outputName, code)
    }

    private mutating func appendToTail(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        while !rest.isEmpty {
            if segment == nil || segmentCount == bounds.segmentLimit {
                startSegment(at: totalCount - rest.count)
            }
            let step = min(rest.count, bounds.segmentLimit - segmentCount)
            let code = segment?.write(UnsafeRawBufferPointer(rebasing: rest[..<step]))
            if let code { fail(OutputBounds.segmentName(offset: segmentOffset), code) }
            guard failure == nil else { return discardSegments() }
            segmentCount += step
            rest = UnsafeRawBufferPointer(rebasing: rest[step...])
        }
    }

    private mutating func startSegment(at offset: Int) {
        if let previousOffset { remove(previousOffset) }
        previousOffset = segment == nil ? nil : segmentOffset
        segment = make(OutputBounds.segmentName(offset: offset))
        segmentOffset = offset
        segmentCount = 0
    }

    // MARK: - The end

    /// Appends the tail to `output`. The segments stay, until `discardSegments`, for a reader that does not know yet.
    public mutating func finish() {
        let available = segmentOffset + segmentCount - (previousOffset ?? segmentOffset)
        guard segment != nil, failure == nil else { return }
        let count = min(bounds.tailLimit, available)
        for offset in [previousOffset, segmentOffset].compactMap({ $0 }) {
            let start = max(0, totalCount - count - offset)
            if let code = appendToHead(from: OutputBounds.segmentName(offset: offset), start: start) {
                fail(RunFolder.outputName, code)
                // The head is whole, and what follows it may not be.
                if let number = head?.number { ftruncate(number, off_t(headCount)) }
                return
            }
        }
        tailCount = count
    }

    /// Copies a segment from `start` on; nil, or the errno.
    private func appendToHead(from name: String, start: Int) -> Int32? {
        let number = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        var code = errno
        guard number >= 0 else { return code }
        let source = FileDescriptor(owning: number)
        lseek(number, off_t(start), SEEK_SET)
        var buffer = [UInt8](repeating: 0, count: OutputBounds.readLimit)
        while true {
            let reading = buffer.withUnsafeMutableBytes { source.read(into: $0) }
            switch reading {
            case .bytes(let count):
                code = buffer.withUnsafeBytes {
                    head?.write(UnsafeRawBufferPointer(rebasing: $0[..<count])) ?? 0
                }
                guard code == 0 else { return code }
            case .end: return nil
            case .wouldBlock: return EIO
            case .failed(let code): return code
            }
        }
    }

    /// Removes the files that are part of `output` now, or of no use.
    public mutating func discardSegments() {
        if let previousOffset { remove(previousOffset) }
        if segment != nil { remove(segmentOffset) }
        previousOffset = nil
        segment = nil
        segmentCount = 0
    }

    // MARK: - Files

    /// nil when it cannot be made; `failure` says why then.
    private mutating func make(_ name: String) -> FileDescriptor? {
        let number = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
        let code = errno
        guard number >= 0 else {
            fail(name, code)
            return nil
        }
        return FileDescriptor(owning: number)
    }

    private func remove(_ offset: Int) { unlinkat(folder, OutputBounds.segmentName(offset: offset), 0) }

    private mutating func fail(_ name: String, _ code: Int32) {
        failure =
            failure ?? "cannot write the output to its file “\(name)”: \(ProcessError.text(of: code)); "
            + "what the process wrote after the first \(headCount) bytes is not kept; let there be room on the disk"
    }
}
