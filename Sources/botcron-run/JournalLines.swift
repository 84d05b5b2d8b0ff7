import Glibc
import Processes

/// What the process writes, to the journal as well: a line each, with the job and the run (systemd's native protocol,
/// because its stream protocol has no fields). The journal bounds the rate; what it does not take is not waited for,
/// since the output file has everything.
final class JournalLines {
    private let socket: FileDescriptor
    /// The fields that every line has.
    private let fields: [UInt8]
    private var line: [UInt8] = []

    /// A longer line becomes several: systemd's own `LineMax`.
    private static let lineBytesMax = 48 << 10

    /// nil where there is no journal.
    init?(_ journal: SupervisorRequest.Journal) {
        let number = Glibc.socket(
            AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard number >= 0 else { return nil }
        socket = FileDescriptor(owning: number)
        fields = Array(
            """
            PRIORITY=6
            SYSLOG_IDENTIFIER=\(journal.job)
            BOTCRON_JOB=\(journal.job)
            BOTCRON_EXECUTION_ID=\(journal.run)
            MESSAGE=
            """.utf8)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array(journal.socket.utf8)
        guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected == 0 else { return nil }
    }

    func append(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                // It may end as on other systems.
                if line.last == UInt8(ascii: "\r") { line.removeLast() }
                send()
            } else {
                line.append(byte)
                if line.count >= Self.lineBytesMax { send() }
            }
        }
    }

    /// What has no end of a line yet.
    func finish() {
        if !line.isEmpty { send() }
    }

    private func send() {
        let message = fields + line + [UInt8(ascii: "\n")]
        line.removeAll(keepingCapacity: true)
        _ = message.withUnsafeBytes { Glibc.send(socket.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }
}
