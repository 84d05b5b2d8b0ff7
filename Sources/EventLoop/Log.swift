internal import CLinux
internal import Glibc

/// Where this process says what it does: fixed messages with facts as fields.
///
/// Lines go to the journal, fields and all, where stderr is the journal's (`$JOURNAL_STREAM` names it); else to stderr,
/// one readable line each, with a `<N>` level in front when a service manager reads it.
///
/// ```swift
/// let log = Log(identifier: "botcrond")
/// log.info("run started", [("BOTCRON_JOB", "daily"), ("BOTCRON_EXECUTION_ID", "cron-daily-20260126-090000")])
/// ```
///
/// Logging never blocks and never fails: a line that cannot be written at once is dropped and counted, and the next
/// line that can be says how many there were (`DROPPED_LINES`). Fields with a name that the journal would refuse are
/// left out and counted (`REFUSED_FIELDS`).
public final class Log {
    /// Syslog's levels, by reader. Lower is worse.
    public enum Level: Int32, CaseIterable, Comparable, Sendable {
        /// Someone must act.
        case error = 3
        /// Degraded, and still working.
        case warning = 4
        /// A change of state that a user would ask about.
        case info = 6
        /// A developer's trace.
        case debug = 7

        public static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
    }

    /// Longer values are cut, so that a line always fits a datagram.
    public static let valueBytesMax = 16 * 1024
    /// Further fields are dropped and counted as refused.
    public static let fieldsMax = 24

    /// The least important level that is written.
    public var threshold: Level
    /// Lines that could not be written since the last one that could.
    public private(set) var droppedCount = 0

    /// The program's name in the journal and on stderr.
    public let identifier: String
    private var destination: any LogDestination

    /// Where lines go.
    public enum Target: String, CaseIterable, Sendable {
        /// The journal where stderr is the journal's, else stderr.
        case auto
        case journal
        /// stderr, one readable line each.
        case console
        /// Nowhere.
        case null
    }

    public var target = Target.auto {
        didSet { destination = Self.destination(target) }
    }

    /// `identifier` is the program's name in the journal and on stderr.
    public convenience init(identifier: String, threshold: Level = .info) {
        self.init(identifier: identifier, threshold: threshold, destination: Self.destination(.auto))
    }

    private static func destination(_ target: Target) -> any LogDestination {
        switch target {
        case .auto: destination(JournalDestination.isStderr ? .journal : .console)
        case .journal: JournalDestination(path: JournalDestination.socketPath)
        case .console: StreamDestination.stderr()
        case .null: NullDestination()
        }
    }

    init(identifier: String, threshold: Level, destination: any LogDestination) {
        self.identifier = identifier
        self.threshold = threshold
        self.destination = destination
    }

    // MARK: - Writing

    public func error(_ message: String, _ fields: [(String, String)] = []) { write(.error, message, fields) }
    public func warning(_ message: String, _ fields: [(String, String)] = []) { write(.warning, message, fields) }
    public func info(_ message: String, _ fields: [(String, String)] = []) { write(.info, message, fields) }
    public func debug(_ message: String, _ fields: [(String, String)] = []) { write(.debug, message, fields) }

    /// Writes one line; field names are `A-Z 0-9 _`, begin with a letter and have at most 64 bytes.
    public func write(_ level: Level, _ message: String, _ fields: [(String, String)] = []) {
        guard level <= threshold else { return }
        var line = LogLine(level: level, identifier: identifier, message: Self.bounded(message))
        var refused = 0
        for (name, value) in fields {
            if line.fields.count < Self.fieldsMax, LogLine.isFieldName(name) {
                line.fields.append((name, Self.bounded(value)))
            } else {
                refused += 1
            }
        }
        if refused > 0 {
            line.fields.append(("REFUSED_FIELDS", String(refused)))
        }
        if droppedCount > 0 {
            line.fields.append(("DROPPED_LINES", String(droppedCount)))
        }
        if destination.write(line) {
            droppedCount = 0
        } else {
            droppedCount += 1
        }
    }

    private static func bounded(_ text: String) -> String {
        text.utf8.count <= valueBytesMax ? text : String(decoding: text.utf8.prefix(valueBytesMax), as: UTF8.self) + "…"
    }
}

/// One line, checked and bounded.
struct LogLine {
    let level: Log.Level
    let identifier: String
    let message: String
    var fields: [(name: String, value: String)] = []

    /// As journald takes them from a client, less the names that this line sets itself. systemd.journal-fields(7)
    static func isFieldName(_ name: String) -> Bool {
        guard let first = name.utf8.first, (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) else { return false }
        let isPlain = name.utf8.allSatisfy { byte in
            (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
        }
        return isPlain && name.utf8.count <= 64
            && !["MESSAGE", "MESSAGE_ID", "PRIORITY", "SYSLOG_IDENTIFIER"].contains(name)
    }
}

/// Takes lines without ever blocking; false where the line was lost.
protocol LogDestination: AnyObject {
    func write(_ line: LogLine) -> Bool
}

/// Nobody wants to know.
private final class NullDestination: LogDestination {
    func write(_ line: LogLine) -> Bool { true }
}
