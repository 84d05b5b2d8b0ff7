internal import CLinux
internal import Glibc

/// The journal, by its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): one datagram a line.
///
/// Not `sd_journal_sendv`: its socket blocks, so a stopped journald would in time stop the daemon.
final class JournalDestination: LogDestination {
    static let socketPath = "/run/systemd/journal/socket"

    private let fd: Int32
    private let path: String

    init(path: String) {
        self.path = path
        fd = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
    }

    deinit {
        if fd >= 0 {
            close(fd)
        }
    }

    /// Whether stderr leads to the journal: `$JOURNAL_STREAM` names its device and inode. systemd.exec(5)
    static var isStderr: Bool {
        guard let stream = getenv("JOURNAL_STREAM") else { return false }
        var status = stat()
        guard fstat(STDERR_FILENO, &status) == 0 else { return false }
        return String(cString: stream) == "\(status.st_dev):\(status.st_ino)"
    }

    func write(_ line: LogLine) -> Bool {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(512)
        // The facts stand in the text, too: people read `journalctl -u`, which shows nothing else.
        Self.append("MESSAGE", StreamDestination.sentence(line), to: &bytes)
        Self.append("MESSAGE_ID", MessageID.text(of: line.message), to: &bytes)
        Self.append("PRIORITY", String(line.level.rawValue), to: &bytes)
        Self.append("SYSLOG_IDENTIFIER", line.identifier, to: &bytes)
        for field in line.fields {
            Self.append(field.name, field.value, to: &bytes)
        }
        return send(bytes)
    }

    /// `NAME=value`, or with line breaks in the value: the name, its length as 64-bit little endian, the value.
    private static func append(_ name: String, _ value: String, to bytes: inout [UInt8]) {
        bytes += name.utf8
        if value.utf8.contains(UInt8(ascii: "\n")) {
            bytes.append(UInt8(ascii: "\n"))
            withUnsafeBytes(of: UInt64(value.utf8.count).littleEndian) { bytes += $0 }
        } else {
            bytes.append(UInt8(ascii: "="))
        }
        bytes += value.utf8
        bytes.append(UInt8(ascii: "\n"))
    }

    private func send(_ bytes: [UInt8]) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard fd >= 0, path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let sent = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                sendto(
                    fd, bytes, bytes.count, Int32(MSG_NOSIGNAL), address, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        return sent == bytes.count
    }
}
