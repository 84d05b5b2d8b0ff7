import Execution
import Glibc
import Processes
import TestSupport
import Testing

/// Output that goes to the journal as well, seen by a socket that stands in its place.
@Suite struct JournalTests {
    private let harness: Harness

    init() throws {
        harness = try Harness()
    }

    /// A socket like the journal's, at this path.
    private func listen(_ path: String) throws -> FileDescriptor {
        let number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        try #require(number >= 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
        return FileDescriptor(owning: number)
    }

    @Test func eachLineIsAnEntryWithItsJobAndItsRun() throws {
        let path = harness.folder.path + "/journal"
        let journal = try listen(path)
        let report = try harness.runScript("printf 'one\\r\\n'; printf 'two\\n\\nthree'; echo err >&2") {
            $0.journal = .init(socket: path, job: "backup", run: $0.run)
        }
        #expect(report.text == "one\r\ntwo\n\nthreeerr\n", "the output itself stays as it is")
        var messages: [String] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case .bytes(let count) = buffer.withUnsafeMutableBytes({ journal.read(into: $0) }) {
            messages.append(String(decoding: buffer[..<count], as: UTF8.self))
        }
        let head = "PRIORITY=6\nSYSLOG_IDENTIFIER=backup\nBOTCRON_JOB=backup\nBOTCRON_EXECUTION_ID=run-1\nMESSAGE="
        #expect(messages == ["one", "two", "", "threeerr"].map { head + $0 + "\n" })
    }

    @Test func withoutAJournalTheOutputIsKeptAllTheSame() throws {
        let report = try harness.runScript("echo kept") {
            $0.journal = .init(socket: "/nowhere/journal", job: "backup", run: $0.run)
        }
        #expect(report.text == "kept\n")
        #expect(report.ending == .exited(0))
    }

    @Test func aFloodDoesNotWaitForTheJournal() throws {
        let path = harness.folder.path + "/journal"
        let journal = try listen(path)
        // Nobody reads: the socket takes a few entries and no more.
        let report = try harness.runScript("seq 200000") {
            $0.journal = .init(socket: path, job: "flood", run: $0.run)
            $0.outputLimit = 4 << 20
        }
        #expect(report.output.totalCount == 1_288_895)
        #expect(report.ending == .exited(0))
        withExtendedLifetime(path) { #expect(journal.readableByteCount > 0) }
    }
}
