internal import CLinux
internal import Glibc

/// A stream for people: one line of text per log line.
///
/// `poll` before each write keeps it from blocking without touching the stream's flags, which other processes share: a
/// pipe that polls writable takes PIPE_BUF bytes at once, so a line is cut to that.
final class StreamDestination: LogDestination {
    /// PIPE_BUF of Linux, pipe(7).
    static let lineBytesMax = 4096
    /// How long the first line waits for a reader that is behind; the lines after a lost one do not wait.
    static let patienceMSec: Int32 = 50

    private let fd: Int32
    private let hasLevelPrefix: Bool
    private var lostLast = false

    init(fd: Int32, hasLevelPrefix: Bool) {
        self.fd = fd
        self.hasLevelPrefix = hasLevelPrefix
    }

    /// Our stderr; a service manager that started this very process reads levels as `<N>`. sd-daemon(3)
    static func stderr() -> StreamDestination {
        let managed = getenv("SYSTEMD_EXEC_PID").map { String(cString: $0) == String(getpid()) } ?? false
        return StreamDestination(fd: STDERR_FILENO, hasLevelPrefix: managed)
    }

    func write(_ line: LogLine) -> Bool {
        var bytes = Array(Self.text(line, hasLevelPrefix: hasLevelPrefix).utf8.prefix(Self.lineBytesMax - 1))
        bytes.append(UInt8(ascii: "\n"))
        var request = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
        let ready = poll(&request, 1, lostLast ? 0 : Self.patienceMSec)
        // A reader that is gone is an error here, and would be a SIGPIPE below.
        let isWritable = ready == 1 && Int32(request.revents) == Int32(POLLOUT)
        let written = isWritable ? Glibc.write(fd, bytes, bytes.count) : -1
        lostLast = written != bytes.count
        return !lostLast
    }

    /// `name: warning: message (job=x, error="two words")`.
    static func text(_ line: LogLine, hasLevelPrefix: Bool) -> String {
        var text = hasLevelPrefix ? "<\(line.level.rawValue)>" : "\(line.identifier): "
        switch line.level {
        case .error, .warning, .debug: text += hasLevelPrefix ? "" : "\(line.level): "
        case .info: break
        }
        return text + sentence(line)
    }

    /// The message, and the facts in parentheses; the prefix of our own fields is left off.
    static func sentence(_ line: LogLine) -> String {
        let text = onOneLine(line.message)
        guard !line.fields.isEmpty else { return text }
        let facts = line.fields.map { name, value in
            let plain = name.hasPrefix("BOTCRON_") ? String(name.dropFirst(8)) : name
            return "\(plain.lowercased())=\(quoted(value))"
        }
        return text + " (" + facts.joined(separator: ", ") + ")"
    }

    private static func quoted(_ value: String) -> String {
        let isPlain = !value.isEmpty && !value.contains { " ,()\"".contains($0) }
        return isPlain ? onOneLine(value) : "\"" + onOneLine(value, escaping: "\"") + "\""
    }

    /// Control characters escaped: a value must not end the line or steer the terminal.
    private static func onOneLine(_ text: String, escaping quote: Unicode.Scalar? = nil) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case quote: result += "\\" + String(scalar)
            case _ where scalar.properties.generalCategory == .control:
                result += "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
