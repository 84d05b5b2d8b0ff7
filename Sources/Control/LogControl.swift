internal import DBus
internal import EventLoop

/// `org.freedesktop.LogControl1`, by which `systemctl --user service-log-level` and `service-log-target` change what
/// the daemon says and where, while it runs. See org.freedesktop.LogControl1(5).
final class LogControl {
    static let path: ObjectPath = "/org/freedesktop/LogControl1"
    private static let name: InterfaceName = "org.freedesktop.LogControl1"

    /// Syslog's words, most urgent first, and the least important of our levels that each lets through.
    private static let levels: [(name: String, threshold: Log.Level)] = [
        ("emerg", .error), ("alert", .error), ("crit", .error), ("err", .error), ("warning", .warning),
        ("notice", .warning), ("info", .info), ("debug", .debug),
    ]

    private let log: Log
    /// As it was asked for: several words are one level of ours.
    private var level: String

    init(log: Log) {
        self.log = log
        level = Self.levels.last { $0.threshold == log.threshold && $0.name != "notice" }?.name ?? "info"
    }

    var interface: Interface {
        Interface(
            Self.name,
            properties: [
                Property(
                    "LogLevel", "s", changeSignal: .no,
                    set: { [self] _, value in try setLevel(value.asString ?? "") },
                    get: { [self] _ in .string(level) }),
                Property(
                    "LogTarget", "s", changeSignal: .no,
                    set: { [self] _, value in try setTarget(value.asString ?? "") },
                    get: { [self] _ in .string(log.target.rawValue) }),
                Property("SyslogIdentifier", "s", changeSignal: .const) { [self] _ in .string(log.identifier) },
            ])
    }

    private func setLevel(_ name: String) throws {
        guard let known = Self.levels.first(where: { $0.name == name }) else {
            throw ErrorReply.invalidArgument(
                "LogLevel", found: "\"\(name.prefix(64))\"", expected: Self.levels.map(\.name).joined(separator: ", "))
        }
        level = name
        log.threshold = known.threshold
    }

    private func setTarget(_ name: String) throws {
        guard let target = Log.Target(rawValue: name) else {
            throw ErrorReply.invalidArgument(
                "LogTarget", found: "\"\(name.prefix(64))\"",
                expected: Log.Target.allCases.map(\.rawValue).joined(separator: ", "))
        }
        log.target = target
    }
}
