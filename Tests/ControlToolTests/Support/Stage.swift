import Glibc

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

    let folder: String
    let environment: [String]
    private let bus: Program
    private var daemon: Program?
    /// What everything on this stage is started through.
    private let prefix: [String]

    /// - Parameters:
    ///   - configuration: the text of config.json; nil: no daemon.
    ///   - user: whom everybody on the stage is; nil: the user of the tests.
    init(_ configuration: String? = Stage.configuration, as user: uid_t? = nil) throws {
        folder = try Self.makeFolder()
        // Programs of any user may come to the bus of another, as on none of a real session.
        var kind = "--session"
        if let user {
            let configuration = folder + "/bus.conf"
            guard let file = fopen(configuration, "w") else { throw TestFailure("fopen: errno \(errno)") }
            fputs(
                """
                <busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><policy context="default">
                <allow user="*"/><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
                </policy></busconfig>
                """, file)
            fclose(file)
            kind = "--config-file=" + configuration
            prefix = ["setpriv", "--reuid=\(user)", "--regid=\(user)", "--clear-groups"]
            guard chown(folder, user, user) == 0 else { throw TestFailure("chown \(folder): errno \(errno)") }
        } else {
            prefix = []
        }
        let plain = ["PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC", "HOME=\(folder)"]
        bus = try Program(
            prefix + ["dbus-daemon", kind, "--nofork", "--nopidfile", "--print-address=1"], environment: plain)
        let address = try bus.output(until: "\n").split(separator: "\n")[0]
        environment = plain + ["DBUS_SESSION_BUS_ADDRESS=\(address)"]
        guard let configuration else { return }
        try write(configuration, to: "config.json")
        try startDaemon()
    }

    deinit {
        daemon = nil
        // Names of our own making only: nothing in them is special to a shell.
        system("rm -rf '\(folder)'")
    }

    func startDaemon() throws {
        let started = try Program(
            prefix + [Self.built("botcrond"), "--config", path("config.json"), "--state-dir", path("state")],
            environment: environment)
        _ = try started.errors(until: "botcrond: ready")
        daemon = started
    }

    func killBus() { bus.send(SIGKILL) }

    func stopDaemon() throws {
        daemon?.send(SIGTERM)
        _ = try daemon?.finish()
        daemon = nil
    }

    // MARK: - Running

    func start(_ arguments: String..., environment more: [String] = []) throws -> Program {
        // Of a variable that stands twice, the first counts.
        try Program(prefix + [Self.built("botcronctl")] + arguments, environment: more + environment)
    }

    func control(_ arguments: String..., environment more: [String] = []) throws -> Outcome {
        try Program(prefix + [Self.built("botcronctl")] + arguments, environment: more + environment).finish()
    }

    func shell(_ script: String) throws -> Outcome {
        try Program(prefix + ["/bin/sh", "-c", script], environment: environment).finish()
    }

    // MARK: - Files

    func path(_ name: String) -> String { "\(folder)/\(name)" }

    func write(_ text: String, to name: String) throws {
        guard let file = fopen(path(name), "w") else { throw TestFailure("cannot write \(path(name))") }
        defer { fclose(file) }
        fputs(text, file)
    }

    /// A program is built beside the one that runs the tests.
    static func built(_ name: String) -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let length = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let own = String(decoding: buffer[..<max(0, length)].map(UInt8.init(bitPattern:)), as: UTF8.self)
        return own.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") + "/"
            + name
    }

    private static func makeFolder() throws -> String {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/botcronctl-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw TestFailure("cannot make a folder in \(base)") }
        return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
