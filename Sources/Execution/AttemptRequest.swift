/// One attempt to be: what to start, and within which bounds.
public struct AttemptRequest: Equatable, Sendable {
    public enum Input: Equatable, Sendable {
        /// `/dev/null`.
        case none
        case bytes([UInt8])
    }

    /// The argv; the program is looked up in the PATH of `environment` (see `ProcessRequest.arguments`).
    public var arguments: [String]
    /// The whole environment of the process.
    public var environment: [String: String]
    public var workingDirectory: String
    public var standardInput = Input.none
    /// How long the process may run, the machine's sleep not counted; zero (or less) is as long as it likes.
    public var timeout = Duration.zero
    /// How long after TERM comes KILL, on a time-out and on a cancel.
    public var killGrace = Duration.seconds(10)
    /// Bytes of output that are kept, in memory until the end: the first and the last half.
    public var outputLimit = 1 << 20
    /// The file that gets the kept bytes when the process has ended; its folder is made when missing. No file where
    /// nothing was written, nor where this is nil.
    public var outputPath: String?

    public init(arguments: [String], environment: [String: String], workingDirectory: String) {
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
    }
}
