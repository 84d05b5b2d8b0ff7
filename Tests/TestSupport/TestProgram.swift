import CLinux
import Glibc

/// A child process, with its standard output and standard error on pipes; killed with its object.
///
/// ```swift
/// let done = try TestProgram(["/bin/sh", "-c", "echo $X; exit 3"], environment: ["X=1"]).finish()
/// #expect(done == TestProgram.Outcome(code: 3, output: "1\n", errors: ""))
/// ```
public final class TestProgram {
    /// What a program did; `code` is its exit code, or its signal as a negative number.
    public struct Outcome: Equatable, Sendable {
        public var code: Int32
        public var output: String
        public var errors: String

        public init(code: Int32, output: String, errors: String) {
            self.code = code
            self.output = output
            self.errors = errors
        }
    }

    /// Where what it says on standard error goes.
    public enum Errors: Sendable {
        case apart
        /// To standard output, in order.
        case withOutput
        case nowhere
        /// To where the tests say theirs.
        case inherited
    }

    /// Long enough for a busy machine: a test that needs it has hung.
    public static let deadlineSeconds = 60
    public static let plainEnvironment = ["PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"]

    public let pid: Int32
    /// The reading end of its standard output; it blocks.
    public let output: Int32
    /// The same of standard error; −1 where that goes elsewhere.
    public let errors: Int32
    private var code: Int32?

    /// - Parameters:
    ///   - arguments: the program first, by path or by name.
    ///   - environment: all of it, as `NAME=value`; nil: that of the tests.
    ///   - input: what it finds on standard input; nil: nothing.
    public init(
        _ arguments: [String], environment: [String]? = plainEnvironment, input: String? = nil,
        errors kind: Errors = .apart
    ) throws {
        let output = try TestPipe()
        let errors = kind == .apart ? try TestPipe() : nil
        let null = kind == .nowhere ? open("/dev/null", O_WRONLY | O_CLOEXEC) : -1
        defer { if null >= 0 { close(null) } }
        let file = try input.map { try Self.file(holding: $0) }
        defer { if let file { close(file) } }
        let errorsEnd: Int32? =
            switch kind {
            case .apart: errors?.writing
            case .withOutput: output.writing
            case .nowhere: null
            case .inherited: nil
            }
        pid = try Self.spawn(
            arguments, environment: environment, input: file, output: output.writing, errors: errorsEnd)
        self.output = output.takeReading()
        self.errors = errors?.takeReading() ?? -1
    }

    deinit {
        end()
        for descriptor in [output, errors] where descriptor >= 0 { close(descriptor) }
    }

    /// Runs one to its end.
    public static func run(
        _ arguments: [String], environment: [String]? = plainEnvironment, input: String? = nil,
        seconds: Int? = deadlineSeconds
    ) throws -> Outcome {
        try TestProgram(arguments, environment: environment, input: input).finish(seconds: seconds)
    }

    public func send(_ signal: Int32) {
        if code == nil { kill(pid, signal) }
    }

    /// Kills it and waits for its end.
    public func end() {
        guard code == nil else { return }
        kill(pid, SIGKILL)
        wait()
    }

    /// Waits for its end: the exit code, or the signal as a negative number.
    @discardableResult
    public func wait() -> Int32 {
        if let code { return code }
        var status: Int32 = 0
        var result = waitpid(pid, &status, 0)
        while result < 0, errno == EINTR { result = waitpid(pid, &status, 0) }
        let ended = status & 0x7f == 0 ? (status >> 8) & 0xff : -(status & 0x7f)
        code = ended
        return ended
    }

    /// Everything that it prints until its end, and how it ended.
    ///
    /// - Throws: where that takes longer than `seconds`; nil waits for ever.
    public func finish(seconds: Int? = deadlineSeconds) throws -> Outcome {
        let texts = try read(errors < 0 ? [output] : [output, errors], seconds: seconds) { _ in false }
        return Outcome(code: wait(), output: texts[0], errors: texts.count > 1 ? texts[1] : "")
    }

    /// What it prints until that contains `mark`, or until its end.
    public func output(until mark: String) throws -> String { try read([output]) { $0[0].contains(mark) }[0] }

    /// The same of standard error.
    public func errors(until mark: String) throws -> String { try read([errors]) { $0[0].contains(mark) }[0] }

    /// Blocks until a whole line is there, and takes no more than that.
    public func readLine() throws -> String {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while Glibc.read(output, &byte, 1) == 1 {
            guard byte != UInt8(ascii: "\n") else { return String(decoding: line, as: UTF8.self) }
            line.append(byte)
        }
        throw TestFailure("the output of \(pid) ended after “\(String(decoding: line, as: UTF8.self))”")
    }

    /// Reads from all until each has ended, or `isDone` says that it is enough.
    private func read(
        _ descriptors: [Int32], seconds: Int? = deadlineSeconds, until isDone: ([String]) -> Bool
    ) throws -> [String] {
        var bytes = descriptors.map { _ in [UInt8]() }
        var open = Set(descriptors.indices)
        let deadline = seconds.map { time(nil) + $0 }
        var texts: [String] { bytes.map { String(decoding: $0, as: UTF8.self) } }
        while !open.isEmpty {
            if let deadline, let seconds, time(nil) >= deadline {
                throw TestFailure("\(seconds) s passed after: \(texts)")
            }
            let waiting = open.sorted()
            var polled = waiting.map { pollfd(fd: descriptors[$0], events: Int16(POLLIN), revents: 0) }
            guard poll(&polled, nfds_t(polled.count), 1000) > 0 else { continue }
            for (index, result) in zip(waiting, polled) where result.revents != 0 {
                var buffer = [UInt8](repeating: 0, count: 65_536)
                let count = Glibc.read(descriptors[index], &buffer, buffer.count)
                if count > 0 { bytes[index] += buffer.prefix(count) } else { open.remove(index) }
            }
            if isDone(texts) { break }
        }
        return texts
    }

    // MARK: - Bare

    /// Starts a program with every signal as it is by default, and with no descriptor but the first three.
    ///
    /// - Parameters:
    ///   - input: `/dev/null` where nil.
    ///   - output: that of the tests where nil; so `errors`.
    /// - Returns: its pid; the caller reaps it.
    public static func spawn(
        _ arguments: [String], environment: [String]? = nil, input: Int32? = nil, output: Int32? = nil,
        errors: Int32? = nil
    ) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        } else {
            posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        }
        if let output { posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO) }
        if let errors { posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO) }
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var (all, none) = (sigset_t(), sigset_t())
        sigfillset(&all)
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

        var argv = arguments.map { strdup($0) } + [nil]
        var envp = (environment ?? []).map { strdup($0) } + [nil]
        defer { for text in argv + envp { free(text) } }
        var pid: pid_t = 0
        let code = envp.withUnsafeMutableBufferPointer { given in
            posix_spawnp(
                &pid, arguments[0], &actions, &attributes, &argv, environment == nil ? environ : given.baseAddress)
        }
        guard code == 0 else { throw TestFailure("cannot start \(arguments[0]): errno \(code)") }
        return pid
    }

    /// A file without a name: however much is in it, nobody waits for a reader.
    private static func file(holding text: String) throws -> Int32 {
        let file = memfd_create("input", UInt32(BC_MFD_CLOEXEC))
        guard file >= 0 else { throw TestFailure("memfd_create: errno \(errno)") }
        let bytes = Array(text.utf8)
        guard pwrite(file, bytes, bytes.count, 0) == bytes.count else { throw TestFailure("pwrite: errno \(errno)") }
        return file
    }
}

/// A pipe whose ends close with it, but for what was taken.
private final class TestPipe {
    private var reading: Int32
    let writing: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        guard pipe2(&ends, O_CLOEXEC) == 0 else { throw TestFailure("pipe2: errno \(errno)") }
        (reading, writing) = (ends[0], ends[1])
    }

    deinit {
        close(writing)
        if reading >= 0 { close(reading) }
    }

    func takeReading() -> Int32 {
        defer { reading = -1 }
        return reading
    }
}
