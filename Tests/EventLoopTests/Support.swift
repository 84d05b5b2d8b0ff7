import CLinux
import Glibc

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

struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

extension EventLoop {
    /// Turns until `done`, for 10 s at most; throws naming what was missing.
    func turn(until what: String, _ done: () -> Bool) throws {
        let deadline = now(.monotonic) + 10_000_000
        while !done() {
            let usec = EventLoop.Clock.monotonic.nowUSec
            guard usec < deadline else { throw TestFailure("10 s passed without: \(what)") }
            try runOnce(timeoutUSec: deadline - usec)
        }
    }

    /// Turns for as long as something is ready.
    func turnWhileReady() throws {
        while try runOnce(timeoutUSec: 0) {}
    }
}

/// Starts a program and gives its pid and pidfd.
func spawn(_ arguments: [String]) throws -> (pid: Int32, pidfd: Int32) {
    var pid: pid_t = 0
    var argv = arguments.map { strdup($0) }
    defer { for argument in argv { free(argument) } }
    argv.append(nil)
    // What the test runner ignores or blocks, a child would too.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var (all, none) = (sigset_t(), sigset_t())
    sigfillset(&all)
    sigemptyset(&none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
    let code = posix_spawnp(&pid, arguments[0], nil, &attributes, argv, environ)
    guard code == 0 else { throw TestFailure("spawn \(arguments[0]): errno \(code)") }
    let pidfd = pidfd_open(pid, 0)
    guard pidfd >= 0 else { throw TestFailure("pidfd_open: errno \(errno)") }
    return (pid, pidfd)
}
