/// What the command line of `botcrond` says; empty: the defaults of `control-interface`, "Files".
public struct DaemonOptions: Sendable {
    /// The configuration, `--config FILE`.
    public var configurationPath: String?
    /// The folder of the store and of the output of runs, `--state-dir DIR`.
    public var statePath: String?
    /// The address of the bus, `--bus ADDRESS`.
    public var busAddress: String?
    /// Log a developer's trace, too.
    public var isVerbose = false

    public init() {}
}

/// Exit codes of the daemon, from sysexits.h.
public enum ExitCode: Int32, Sendable {
    case success = 0
    case failure = 1
    /// The command line is wrong.
    case usage = 64
    /// There is no bus, the name is taken, or another daemon holds the state folder.
    case unavailable = 69
    /// The state folder or the store cannot be made or written.
    case cannotCreate = 73
    /// The configuration cannot be read. The unit does not restart on it.
    case configuration = 78
}

/// Why a daemon cannot start: what people read, and what the caller of the program gets.
public struct StartError: Error {
    public var exitCode: ExitCode
    public var message: String
}

public let botcronVersion = "0.1.0"
