import CLinux
import Glibc

/// A child process with its stdout on a pipe.
final class Child {
    private var pid: pid_t = 0
    private let output: Int32

    init(_ arguments: [String]) throws {
        var ends: [Int32] = [-1, -1]
        pipe2(&ends, O_CLOEXEC)
        output = ends[0]
        defer { close(ends[1]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        let argv = arguments.map { strdup($0) } + [nil]
        defer { for text in argv { free(text) } }
        let code = posix_spawnp(&pid, arguments[0], &actions, nil, argv, environ)
        guard code == 0 else { throw BenchError.cannotStart(arguments[0], code) }
    }

    enum BenchError: Error {
        case cannotStart(String, Int32)
        case cannotFill(String)
        case noAnswer(String)
    }

    func readLine() -> String {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while read(output, &byte, 1) == 1, byte != UInt8(ascii: "\n") { line.append(byte) }
        return String(decoding: line, as: UTF8.self)
    }

    func end() {
        kill(pid, SIGTERM)
        waitpid(pid, nil, 0)
        close(output)
    }

    /// User and system time so far, in µs, to the resolution of the scheduler's accounting.
    var cpuUSec: Double {
        let fd = open("/proc/\(pid)/schedstat", O_RDONLY | O_CLOEXEC)
        defer { close(fd) }
        var buffer = [UInt8](repeating: 0, count: 128)
        let count = max(0, read(fd, &buffer, buffer.count))
        let first = String(decoding: buffer.prefix(count), as: UTF8.self).split(separator: " ").first ?? "0"
        return (Double(first) ?? 0) / 1000
    }
}

func monotonicNSec() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

extension String {
    func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}

extension Double {
    /// One digit after the point.
    func rounded1() -> String {
        let scaled = Int((self * 10).rounded())
        return "\(scaled / 10).\(scaled % 10)"
    }
}
