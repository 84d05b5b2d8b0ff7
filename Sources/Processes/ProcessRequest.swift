/// What to start, and with what; `Spawner.spawn` starts it.
public struct ProcessRequest: Equatable, Sendable {
    /// The argv: at least the program, which is a path when it has a `/` (a relative one starts from
    /// `workingDirectory`), and else is looked up in the `PATH` of `environment`, never in ours. Without a `PATH` there
    /// the search is `/bin:/usr/bin`, as `execvp` does. No text may hold a NUL.
    public var arguments: [String]
    /// The whole environment: nothing is inherited. Names are not empty and hold no `=` and no NUL.
    public var environment: [String: String]
    /// A folder that the process may enter.
    public var workingDirectory: String
    /// Open fds, borrowed for the call of `spawn`; nil is `/dev/null`. The same fd may stand for several.
    public var standardInput: Int32?
    public var standardOutput: Int32?
    public var standardError: Int32?
    /// Open fds beyond the three, borrowed likewise: the process has them as 3, 4, … in this order.
    public var moreDescriptors: [Int32] = []
    /// Signals that the process begins with blocked: they wait for it until it has set itself up.
    public var blockedSignals: [Int32] = []
    /// What the process may use, from before its first instruction on. Where there is any such limit, `Spawner` copies
    /// this program to set it, which only a program with one thread may ask for.
    public var limits = ResourceLimits()
    /// Whether the process leads a session of its own, without a terminal, or only a process group of its own.
    public var startsSession = true

    public init(arguments: [String], environment: [String: String], workingDirectory: String) {
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
    }
}
