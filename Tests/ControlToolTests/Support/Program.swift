import Glibc

struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// What a program did.
struct Outcome: Equatable {
    var code: Int32
    var output: String
    var errors: String
}

/// A child process with its stdout and stderr on pipes; killed with its object.
final class Program {
    let pid: pid_t
    private let output: Int32
    private let errors: Int32
    private var isReaped = false

    /// Long enough for a busy machine; a test that needs it has hung.
    static let deadlineSeconds = 60

    /// - Parameter arguments: the program first, by path or by name.
    init(_ arguments: [String], environment: [String]) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        var readEnds: [Int32] = []
        var writeEnds: [Int32] = []
        for target in [STDOUT_FILENO, STDERR_FILENO] {
            var ends: [Int32] = [-1, -1]
            guard pipe(&ends) == 0 else { throw TestFailure("pipe: errno \(errno)") }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            posix_spawn_file_actions_adddup2(&actions, ends[1], target)
            readEnds.append(ends[0])
            writeEnds.append(ends[1])
        }
        defer { for end in writeEnds { close(end) } }
        (output, errors) = (readEnds[0], readEnds[1])
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)

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
        let envp = environment.map { strdup($0) } + [nil]
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
        if !isReaped {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        close(output)
        close(errors)
    }

    /// Everything it prints until its end, and how it ended: a signal as its negative number.
    func finish() throws -> Outcome {
        let texts = try read([output, errors]) { _ in false }
        return Outcome(code: wait(), output: texts[0], errors: texts[1])
    }

    /// What it prints to stdout until that contains `mark`.
    func output(until mark: String) throws -> String { try read([output]) { $0[0].contains(mark) }[0] }

    /// What it prints to stderr until that contains `mark`.
    func errors(until mark: String) throws -> String { try read([errors]) { $0[0].contains(mark) }[0] }

    func send(_ signal: Int32) { kill(pid, signal) }

    private func wait() -> Int32 {
        var status: Int32 = 0
        guard !isReaped, waitpid(pid, &status, 0) == pid else { return -1 }
        isReaped = true
        return status & 0x7f == 0 ? (status >> 8) & 0xff : -(status & 0x7f)
    }

    /// Reads from all until each has ended, or `isDone` says that it is enough.
    private func read(_ descriptors: [Int32], until isDone: ([String]) -> Bool) throws -> [String] {
        var bytes = descriptors.map { _ in [UInt8]() }
        var open = Set(descriptors.indices)
        let deadline = time(nil) + Self.deadlineSeconds
        func texts() -> [String] { bytes.map { String(decoding: $0, as: UTF8.self) } }
        while !open.isEmpty {
            guard time(nil) < deadline else { throw TestFailure("\(Self.deadlineSeconds) s passed after: \(texts())") }
            let waiting = open.sorted()
            var polled = waiting.map { pollfd(fd: descriptors[$0], events: Int16(POLLIN), revents: 0) }
            guard poll(&polled, nfds_t(polled.count), 1000) > 0 else { continue }
            for (index, result) in zip(waiting, polled) where result.revents != 0 {
                var buffer = [UInt8](repeating: 0, count: 65_536)
                let count = Glibc.read(descriptors[index], &buffer, buffer.count)
                if count > 0 { bytes[index] += buffer.prefix(count) } else { open.remove(index) }
            }
            if isDone(texts()) { break }
        }
        return texts()
    }
}
