import CLinux
import Glibc
import TestSupport

@testable import EventLoop

/// A pipe whose ends close with it.
final class Pipe {
    private(set) var readEnd: Int32
    private(set) var writeEnd: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        guard pipe2(&ends, O_CLOEXEC | O_NONBLOCK) == 0 else { throw TestFailure("pipe2: errno \(errno)") }
        (readEnd, writeEnd) = (ends[0], ends[1])
    }

    deinit {
        closeReadEnd()
        closeWriteEnd()
    }

    func closeReadEnd() {
        if readEnd >= 0 { close(readEnd) }
        readEnd = -1
    }

    func closeWriteEnd() {
        if writeEnd >= 0 { close(writeEnd) }
        writeEnd = -1
    }

    func put(_ count: Int = 1) {
        _ = write(writeEnd, [UInt8](repeating: 120, count: count), count)
    }

    @discardableResult
    func take() -> Int {
        var buffer = [UInt8](repeating: 0, count: 65536)
        return read(readEnd, &buffer, buffer.count)
    }
}

/// Starts a program and gives its pid and pidfd.
func spawn(_ arguments: [String]) throws -> (pid: Int32, pidfd: Int32) {
    let pid = try TestProgram.spawn(arguments)
    let pidfd = pidfd_open(pid, 0)
    guard pidfd >= 0 else { throw TestFailure("pidfd_open: errno \(errno)") }
    return (pid, pidfd)
}
