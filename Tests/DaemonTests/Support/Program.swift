import CLinux
import EventLoop
import Glibc
import TestSupport

/// A child process, its stdout and stderr collected while the loop turns; killed with its object.
final class Program {
    let pid: Int32
    private(set) var output: [UInt8] = []
    /// The exit code, or minus the signal; nil while it runs.
    private(set) var code: Int32?
    /// Called with every piece of output.
    var onOutput: () -> Void = {}

    private var reading: Int32
    private let pidfd: Int32
    private var sources: [EventSource] = []

    /// `environment` is the whole environment: nothing is inherited.
    init(_ arguments: [String], environment: [String: String], on loop: EventLoop) throws {
        var ends: [Int32] = [-1, -1]
        guard pipe2(&ends, O_CLOEXEC | O_NONBLOCK) == 0 else { throw TestFailure("pipe2: errno \(errno)") }
        defer { close(ends[1]) }
        reading = ends[0]
        // The program's own end blocks, as programs expect.
        _ = fcntl(ends[1], F_SETFL, 0)
        do {
            pid = try TestProgram.spawn(
                arguments, environment: environment.map { "\($0.key)=\($0.value)" }, output: ends[1], errors: ends[1])
        } catch {
            close(ends[0])
            throw error
        }
        pidfd = pidfd_open(pid, 0)
        sources = [
            // `deinit` cancels the source.
            try loop.watch(fd: reading, .readable) { [unowned self] _ in readSome() },
            // `deinit` cancels this one, too.
            try loop.watch(fd: pidfd, .readable) { [unowned self] _ in reap() },
        ]
    }

    deinit {
        for source in sources { source.cancel() }
        if code == nil {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        close(pidfd)
        if reading >= 0 { close(reading) }
    }

    var text: String { String(decoding: output, as: UTF8.self) }

    func signal(_ number: Int32) {
        guard code == nil else { return }
        kill(pid, number)
    }

    /// Nobody reads any more what it says.
    func closeOutput() {
        sources[0].cancel()
        close(reading)
        reading = -1
    }

    private func readSome() {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = read(reading, &buffer, buffer.count)
        if count > 0 {
            output += buffer[..<count]
            onOutput()
        } else if count == 0 {
            sources[0].cancel()
        }
    }

    private func reap() {
        var status: Int32 = 0
        guard waitpid(pid, &status, 0) == pid else { return }
        sources[1].cancel()
        // What it said before its end is in the pipe.
        while !sources[0].isCancelled {
            let before = output.count
            readSome()
            if output.count == before { break }
        }
        code = status & 0x7f == 0 ? (status >> 8) & 0xff : -(status & 0x7f)
    }
}
