/// How much of an attempt's output is kept, and how it lies in the attempt's folder while it is written.
///
/// The first `headLimit` bytes are the file `output`. What follows goes to files named by the offset at which they
/// begin, `output.<offset>`, each `segmentLimit` long; of those the last two are there, so that the last `tailLimit`
/// bytes always are. Files only grow or go: a reader beside the writer sees bytes that stay true, and a supervisor that
/// is killed leaves behind what it had got, each byte with its place. (A ring in one file would need no more than half
/// the room, but whoever reads it meanwhile could not tell old bytes from new ones.) At the end of the attempt the tail
/// is appended to `output`.
public struct OutputBounds: Sendable {
    public let headLimit: Int
    public let tailLimit: Int

    public init(limit: Int) {
        tailLimit = max(0, limit) / 2
        headLimit = max(0, limit) - tailLimit
    }

    /// What a pipe holds, at least: no read of it ever spans more than two files.
    public var segmentLimit: Int { tailLimit == 0 ? 0 : max(tailLimit, Self.readLimit) }

    /// Bytes that are read from the pipe at once.
    public static let readLimit = 1 << 16

    // MARK: - Names

    /// No output is longer, by far.
    static let offsetMax = Int(SupervisorOutcome.numberMax)

    static let segmentPrefix = RunFolder.outputName + "."

    public static func segmentName(offset: Int) -> String { segmentPrefix + String(offset) }

    /// The offset in the name of a segment; nil for other names.
    public static func segmentOffset(name: String) -> Int? {
        guard name.hasPrefix(segmentPrefix) else { return nil }
        // As it was written, and in a range in which offsets can be added to.
        guard let offset = Int(name.dropFirst(segmentPrefix.count)), (0...offsetMax).contains(offset) else {
            return nil
        }
        return segmentName(offset: offset) == name ? offset : nil
    }
}
