import Glibc

/// A message bus of a test's own; it goes with its object.
public final class PrivateBus {
    public let address: String
    private let daemon: TestProgram

    /// - Parameters:
    ///   - address: where it is to listen; nil: where it likes.
    ///   - configuration: the path of a configuration; nil: that of a session.
    ///   - prefix: a program that starts it, with its arguments; empty: we do.
    public init(
        at address: String? = nil, configuration: String? = nil,
        environment: [String]? = TestProgram.plainEnvironment, through prefix: [String] = []
    ) throws {
        let kind = configuration.map { "--config-file=" + $0 } ?? "--session"
        // What it complains of, its limits first of all, would fill a pipe that nobody reads.
        daemon = try TestProgram(
            prefix + ["dbus-daemon", kind, "--nofork", "--nopidfile", "--print-address=1"]
                + (address.map { ["--address=" + $0] } ?? []),
            environment: environment, errors: .nowhere)
        self.address = try daemon.readLine()
    }

    public var pid: Int32 { daemon.pid }

    /// It goes away with everybody on it.
    public func kill() { daemon.end() }

    /// It stops reading and writing until `resume`.
    public func pause() { daemon.send(SIGSTOP) }
    public func resume() { daemon.send(SIGCONT) }
}
