import Glibc
import TestSupport
import Testing

@testable import EventLoop

@Suite struct LogTests {
    private func log(_ destination: any LogDestination, threshold: Log.Level = .info) -> Log {
        Log(identifier: "prog", threshold: threshold, destination: destination)
    }

    @Test func theJournalGetsEachFieldWhole() throws {
        let socket = try DatagramSocket()
        let log = log(JournalDestination(path: socket.path))
        log.warning(
            "job refused", [("BOTCRON_JOB", "a=b"), ("BOTCRON_ERROR", "one\ntwo"), ("_BAD", "x"), ("MESSAGE", "y")])
        let length = "\u{7}\0\0\0\0\0\0\0"
        let expected =
            "MESSAGE=job refused (job=a=b, error=one\\ntwo, refused_fields=2)\nMESSAGE_ID=56e6827db829089cda0d0fbd23b7b144\nPRIORITY=4\n"
            + "SYSLOG_IDENTIFIER=prog\nBOTCRON_JOB=a=b\n"
            + "BOTCRON_ERROR\n\(length)one\ntwo\nREFUSED_FIELDS=2\n"
        #expect(socket.receive() == expected)
    }

    struct Line: Sendable {
        let level: Log.Level
        let fields: [(String, String)]
        let prefix: Bool
        let text: String
    }

    @Test(arguments: [
        Line(level: .info, fields: [], prefix: false, text: "prog: job started\n"),
        Line(level: .error, fields: [], prefix: false, text: "prog: error: job started\n"),
        Line(level: .error, fields: [], prefix: true, text: "<3>job started\n"),
        Line(
            level: .info, fields: [("BOTCRON_JOB", "daily"), ("ERRNO", "2")], prefix: false,
            text: "prog: job started (job=daily, errno=2)\n"),
        Line(
            level: .info, fields: [("BOTCRON_JOB", "a \"b\"\n\u{1b}[0m"), ("BOTCRON_X", "")], prefix: true,
            text: "<6>job started (job=\"a \\\"b\\\"\\n\\x1b[0m\", x=\"\")\n"),
    ])
    func aStreamGetsOneReadableLine(_ line: Line) throws {
        let pipe = try Pipe()
        let log = log(StreamDestination(fd: pipe.writeEnd, hasLevelPrefix: line.prefix))
        log.write(line.level, "job started", line.fields)
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(pipe.readEnd, &buffer, buffer.count)
        #expect(String(decoding: buffer.prefix(max(0, count)), as: UTF8.self) == line.text)
    }

    @Test func linesBelowTheThresholdAreNotWritten() throws {
        let pipe = try Pipe()
        let log = log(StreamDestination(fd: pipe.writeEnd, hasLevelPrefix: false), threshold: .warning)
        log.info("no")
        log.debug("no")
        #expect(pipe.take() == -1)
        log.threshold = .debug
        log.debug("yes")
        #expect(pipe.take() > 0)
    }

    @Test func aReaderThatIsBehindLosesLinesAndIsToldHowMany() throws {
        let pipe = try Pipe()
        let log = log(StreamDestination(fd: pipe.writeEnd, hasLevelPrefix: false))
        while log.droppedCount < 100 { log.info(String(repeating: "x", count: 1000)) }
        while pipe.take() > 0 {}
        log.info("again")
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(pipe.readEnd, &buffer, buffer.count)
        #expect(String(decoding: buffer.prefix(max(0, count)), as: UTF8.self) == "prog: again (dropped_lines=100)\n")
        #expect(log.droppedCount == 0)
    }

    @Test func aReaderThatIsGoneEndsNothing() throws {
        let pipe = try Pipe()
        let journal = log(JournalDestination(path: "/nowhere/socket"))
        journal.error("lost")
        #expect(journal.droppedCount == 1)
        pipe.closeReadEnd()
        let stream = log(StreamDestination(fd: pipe.writeEnd, hasLevelPrefix: false))
        stream.error("lost")
        #expect(stream.droppedCount == 1)
    }

    @Test func hugeAndManyFieldsAreBounded() throws {
        let socket = try DatagramSocket()
        let log = log(JournalDestination(path: socket.path))
        let fields = (0..<40).map { ("F\($0)", "v") } + [("G", "")]
        log.info(String(repeating: "é", count: Log.valueBytesMax), fields)
        let line = try #require(socket.receive())
        #expect(line.utf8.count < Log.valueBytesMax + 1000)
        #expect(line.hasSuffix("REFUSED_FIELDS=17\n"))
    }

    @Test(arguments: [
        ("BOTCRON_JOB", true), ("A", true), ("A1_", true), (String(repeating: "A", count: 64), true),
        (String(repeating: "A", count: 65), false), ("", false), ("1A", false), ("_A", false), ("a", false),
        ("A-B", false),
        ("Ä", false), ("A\0", false), ("PRIORITY", false),
    ])
    func fieldNamesAreTheJournals(_ name: String, _ isValid: Bool) {
        #expect(LogLine.isFieldName(name) == isValid)
    }
}

/// A socket that stands in for journald's or the service manager's.
final class DatagramSocket {
    let path: String
    private let folder: ScratchFolder
    private let fd: Int32

    init() throws {
        folder = try ScratchFolder("datagrams")
        path = folder.path + "/socket"
        fd = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = path.utf8
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let fd = fd
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(fd, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else { throw TestFailure("bind: errno \(errno)") }
    }

    deinit {
        close(fd)
    }

    /// The next datagram, if one is there.
    func receive() -> String? {
        var buffer = [UInt8](repeating: 0, count: 100_000)
        let count = recv(fd, &buffer, buffer.count, 0)
        return count < 0 ? nil : String(decoding: buffer.prefix(count), as: UTF8.self)
    }
}
