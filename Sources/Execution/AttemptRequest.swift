internal import Glibc
public import Processes

/// One attempt to be: what to start, and within which bounds.
public struct AttemptRequest: Equatable, Sendable {
    public struct Previous: Equatable, Sendable {
        public var run: String
        public var attempt: Int

        public init(run: String, attempt: Int) {
            self.run = run
            self.attempt = attempt
        }
    }

    public enum Input: Equatable, Sendable {
        /// `/dev/null`.
        case none
        case bytes([UInt8])
    }

    /// The execution id, and which attempt of the run this is: 1, 2, …
    public var run: String
    public var attempt: Int
    /// The argv; the program is looked up in the PATH of `environment` (see `ProcessRequest.arguments`).
    public var arguments: [String]
    /// The whole environment of the process, but for what its supervisor adds: `BOTCRON_SUPERVISOR`, and where they are
    /// asked for `BOTCRON_CONTEXT_FD`, `CREDENTIALS_DIRECTORY` and `BOTCRON_PREVIOUS_OUTPUT`.
    public var environment: [String: String]
    public var workingDirectory: String
    public var standardInput = Input.none
    /// How long the process may run, the machine's sleep not counted; zero (or less) is as long as it likes.
    public var timeout = Duration.zero
    /// How long after TERM comes KILL, on a time-out and on a cancel.
    public var killGrace = Duration.seconds(10)
    /// How long the process may write nothing before it stalls; zero (or less) is as long as it likes.
    public var stallTimeout = Duration.zero
    /// Whether one that stalls is only said to (`AttemptHandle.isStalled`), and not ended.
    public var onlyNotesStall = false
    /// Where the output goes as well.
    public var journal: SupervisorRequest.Journal?
    /// Bytes of output that are kept: the first and the last half.
    public var outputLimit = 1 << 20
    /// One line that the process reads from the socket `BOTCRON_CONTEXT_FD`; no socket where nil.
    public var context: String?
    /// Secrets by name, for the process alone: files in the folder `CREDENTIALS_DIRECTORY`.
    public var credentials: [String: SupervisorRequest.Credential] = [:]
    /// The attempt whose output the process finds in the file `BOTCRON_PREVIOUS_OUTPUT`, as far as it is kept.
    public var previous: Previous?
    /// What the scope does not limit, process by process.
    public var limits = ResourceLimits()
    /// The scope that the attempt has been put into, a unit's name; empty where there is none.
    public var scope = ""

    public init(
        run: String, attempt: Int, arguments: [String], environment: [String: String], workingDirectory: String
    ) {
        self.run = run
        self.attempt = attempt
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
    }
}

// MARK: - For the supervisor

extension SupervisorRequest {
    init(_ request: AttemptRequest) {
        self.init(
            arguments: request.arguments, environment: request.environment, workingDirectory: request.workingDirectory)
        if case .bytes = request.standardInput { hasInput = true }
        parent = getpid()
        timeoutUSec = Self.microseconds(request.timeout)
        killGraceUSec = Self.microseconds(request.killGrace)
        stallTimeoutUSec = Self.microseconds(request.stallTimeout)
        outputLimit = request.outputLimit
        context = request.context
        credentials = request.credentials
        limits = request.limits
        onlyNotesStall = request.onlyNotesStall
        journal = request.journal
        scope = request.scope
    }

    /// Not below 0, and at most what the number holds.
    private static func microseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        let (usec, overflows) = max(0, seconds).multipliedReportingOverflow(by: 1_000_000)
        let (sum, overflowsToo) = usec.addingReportingOverflow(max(0, attoseconds / 1_000_000_000_000))
        return overflows || overflowsToo ? .max : sum
    }
}
