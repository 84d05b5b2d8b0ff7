import CLinux
import Glibc

struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A child process with its stdout on a pipe; killed with its object.
final class TestProcess {
    let pid: Int32
    /// The reading end of its stdout (and stderr).
    let output: Int32
    private var isReaped = false

    init(_ arguments: [String], environment: [String] = []) throws {
        var ends: [Int32] = [-1, -1]
        guard pipe2(&ends, O_CLOEXEC) == 0 else { throw TestFailure("pipe2: errno \(errno)") }
        defer { close(ends[1]) }
        output = ends[0]
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var (all, none) = (sigset_t(), sigset_t())
        sigfillset(&all)
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
        let argv = arguments.map { strdup($0) } + [nil]
        let envp = (["PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"] + environment).map { strdup($0) } + [nil]
        defer { for text in argv + envp { free(text) } }
        var pid: pid_t = 0
        let code = posix_spawnp(&pid, arguments[0], &actions, &attributes, argv, envp)
        self.pid = pid
        guard code == 0 else {
            isReaped = true
            throw TestFailure("cannot start \(arguments[0]): errno \(code)")
        }
    }

    deinit {
        end()
        close(output)
    }

    /// Kills it and waits for its end.
    func end() {
        guard !isReaped else { return }
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
        isReaped = true
    }

    /// The exit code, after its output has ended.
    func wait() -> Int32 {
        var status: Int32 = 0
        guard !isReaped, waitpid(pid, &status, 0) == pid else { return -1 }
        isReaped = true
        return status & 0x7f == 0 ? (status >> 8) & 0xff : -(status & 0x7f)
    }

    /// Blocks until a whole line is there.
    func readLine() throws -> String {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while read(output, &byte, 1) == 1 {
            guard byte != UInt8(ascii: "\n") else { return String(decoding: line, as: UTF8.self) }
            line.append(byte)
        }
        throw TestFailure("the output of \(pid) ended: \(String(decoding: line, as: UTF8.self))")
    }
}
