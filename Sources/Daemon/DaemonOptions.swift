internal import Contract

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

/// Why a daemon cannot start: what people read, and what the caller of the program gets.
public struct StartError: Error {
    /// One of `Contract.ExitCode`.
    public var exitCode: Int32
    public var message: String

    /// The exit code of a command line that cannot be understood.
    public static var usage: Int32 { ExitCode.usage }
}

/// The version of this program.
public var botcronVersion: String { Contract.botcronVersion }

/// What `--help` prints, made from the table that the manual is made from, too.
public var daemonHelp: String { DaemonCommandLine.help }
