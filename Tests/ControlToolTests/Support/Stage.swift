import Glibc
import TestSupport

/// A private bus with the real daemon on it, and the real botcronctl to talk to it.
final class Stage {
    /// One job of each kind that the tools show in another way. None of them is due within a test.
    static let configuration = """
        {"schedules": {"timezone": "America/New_York", "jobs": [
          {"name": "standup", "description": "Weekday mornings", "cron": "0 9 1 1 *", "command": ["true"]},
          {"name": "far", "once": "2190-01-01T00:00:00Z", "command": ["true"]},
          {"name": "greet", "command": ["printf", "Hello\\\\n\\\\033[31mred\\\\n"]},
          {"name": "fails", "command": "echo oh; exit 3"},
          {"name": "sleeper", "command": ["sleep", "600"], "overlap_policy": "allow", "max_instances": 5},
          {"name": "off", "cron": "@yearly", "enabled": false, "command": ["true"]},
          {"name": "bad", "cron": "0 9 * * MON-FRX", "command": ["true"]}
        ]}}
        """

    let environment: [String]
    private let scratch: ScratchFolder
    private let bus: PrivateBus
    private var daemon: TestProgram?
    /// What everything on this stage is started through.
    private let prefix: [String]

    /// - Parameters:
    ///   - configuration: the text of config.json; nil: no daemon.
    ///   - user: whom everybody on the stage is; nil: the user of the tests.
    init(_ configuration: String? = Stage.configuration, as user: uid_t? = nil) throws {
        scratch = try ScratchFolder("botcronctl-test")
        let folder = scratch.path
        // Programs of any user may come to the bus of another, as on none of a real session.
        let busConfiguration = user.map { _ in folder + "/bus.conf" }
        if let user, let busConfiguration {
            try TestFile.write(
                """
                <busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><policy context="default">
                <allow user="*"/><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
                </policy></busconfig>
                """, to: busConfiguration, mode: 0o644)
            prefix = ["setpriv", "--reuid=\(user)", "--regid=\(user)", "--clear-groups"]
            guard chown(folder, user, user) == 0 else { throw TestFailure("chown \(folder): errno \(errno)") }
        } else {
            prefix = []
        }
        let plain = ["PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC", "HOME=\(folder)"]
        bus = try PrivateBus(configuration: busConfiguration, environment: plain, through: prefix)
        environment = plain + ["DBUS_SESSION_BUS_ADDRESS=\(bus.address)"]
        guard let configuration else { return }
        try write(configuration, to: "config.json")
        try startDaemon()
    }

    deinit {
        // Before its folder goes.
        daemon = nil
    }

    func startDaemon() throws {
        let started = try TestProgram(
            prefix + [TestPlace.built("botcrond"), "--config", path("config.json"), "--state-dir", path("state")],
            environment: environment)
        _ = try started.errors(until: "botcrond: ready")
        daemon = started
    }

    func killBus() { bus.kill() }

    func stopDaemon() throws {
        daemon?.send(SIGTERM)
        _ = try daemon?.finish()
        daemon = nil
    }

    // MARK: - Running

    func start(_ arguments: String..., environment more: [String] = []) throws -> TestProgram {
        // Of a variable that stands twice, the first counts.
        try TestProgram(prefix + [TestPlace.built("botcronctl")] + arguments, environment: more + environment)
    }

    func control(_ arguments: String..., environment more: [String] = []) throws -> TestProgram.Outcome {
        try control(arguments, environment: more)
    }

    func control(_ arguments: [String], environment more: [String] = []) throws -> TestProgram.Outcome {
        try TestProgram(prefix + [TestPlace.built("botcronctl")] + arguments, environment: more + environment).finish()
    }

    func shell(_ script: String) throws -> TestProgram.Outcome {
        try TestProgram(prefix + ["/bin/sh", "-c", script], environment: environment).finish()
    }

    // MARK: - Files

    var folder: String { scratch.path }

    func path(_ name: String) -> String { "\(folder)/\(name)" }

    /// For every user who may be on the stage.
    func write(_ text: String, to name: String) throws {
        try TestFile.write(text, to: path(name), mode: 0o644)
    }
}
