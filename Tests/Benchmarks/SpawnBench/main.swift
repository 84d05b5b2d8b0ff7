import EventLoop
import Execution
import Glibc
import Processes
import TestSupport

/// From the start of a process to its end on record: runs under their supervisors, a bare spawner, and a loop of
/// `posix_spawn` and `waitid` without anything, which is the floor. All in turns, so that a busy moment meets all
/// three.
///
///     spawn-bench [RUNS] [PROGRAM] [FOLDER]
///
/// Prints µs per run; from the order to start to the first instruction of the program; what many at once and a flood of
/// output take; and how many fds and how much memory are left over: of fds none, exactly, as nothing else here opens
/// any. FOLDER is on the disk whose fsync is to be measured.
struct SpawnBench {
    let runs: Int
    let program: String
    private let folder: String
    private let numbers = Numbers()

    init() {
        runs = CommandLine.arguments.count > 1 ? Int(CommandLine.arguments[1]) ?? 1000 : 1000
        program = CommandLine.arguments.count > 2 ? CommandLine.arguments[2] : "/bin/true"
        let parent = CommandLine.arguments.count > 3 ? CommandLine.arguments[3] : "."
        var template = Array("\(parent)/spawn-bench-XXXXXX".utf8CString)
        folder = mkdtemp(&template).map { String(cString: $0) } ?? "."
    }

    func run() throws {
        let loop = try EventLoop()
        let runner = try Runner(loop: loop, folder: folder + "/runs")
        defer {
            rmdir(folder + "/runs")
            rmdir(folder)
        }
        var floor = Samples()
        var bare = Samples()
        var whole = Samples()
        // The first ones pay for pages and caches.
        for _ in 0..<50 { try attempt(runner, loop) }
        let files = ProcessState.openFiles()
        let memory = ProcessState.residentKiB()
        for _ in 0..<runs {
            try floor.measure { try spawnRaw() }
            try bare.measure { try spawnBare() }
            try whole.measure { try attempt(runner, loop) }
        }
        print("\(runs) runs of \(program), µs each")
        print("posix_spawn and waitid   \(floor.summary)")
        print("Spawner                  \(bare.summary)")
        print("Runner, with supervisor  \(whole.summary)")
        print("one fsync of 4 KiB       \(try fsyncs().summary)")
        try measureStarts(runner, loop)
        var crowd = Samples()
        try crowd.measure { try atOnce(200, runner, loop) }
        print("200 at once              \(crowd.summary)")
        var stream = Samples()
        try stream.measure { try self.stream(1000, runner, loop) }
        print("1000, ten at a time      \(stream.summary)")
        let beforeFlood = ProcessState.residentKiB()
        var flood = Samples()
        try flood.measure { try writeOneGigabyte(runner, loop) }
        print("1 GiB of output          \(flood.summary), RSS grown by \(ProcessState.residentKiB() - beforeFlood) KiB")
        print("a supervisor that waits  \(try supervisorKiB(runner, loop)) KiB of its own, of code and data")
        print("fds left over            \(ProcessState.openFiles() - files)")
        print("RSS grown by             \(ProcessState.residentKiB() - memory) KiB")
    }

    // MARK: - The three ways

    private func spawnRaw() throws {
        var pid: pid_t = 0
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(program), nil]
        defer { free(arguments[0]) }
        var info = siginfo_t()
        guard posix_spawn(&pid, program, nil, nil, &arguments, environ) == 0,
            waitid(P_PID, id_t(pid), &info, WEXITED) == 0
        else { throw Failure(text: "the floor: errno \(errno)") }
    }

    private func spawnBare() throws {
        let pipe = try Pipe()
        var request = ProcessRequest(arguments: [program], environment: Self.environment, workingDirectory: "/")
        request.standardOutput = pipe.writeEnd.number
        request.standardError = pipe.writeEnd.number
        var child = try Spawner.spawn(request)
        guard case .exited = child.waitForExit().ending else { throw Failure(text: "the process was killed") }
    }

    private func attempt(_ runner: Runner, _ loop: EventLoop) throws {
        try atOnce(1, runner, loop)
    }

    private func atOnce(_ count: Int, _ runner: Runner, _ loop: EventLoop) throws {
        var ended = 0
        var failure: String?
        for _ in 0..<count {
            start(runner, [program]) { report in
                ended += 1
                switch report.ending {
                case .couldNotStart(let text), .shortOfResources(let text): failure = text
                default: break
                }
            }
        }
        while ended < count {
            try loop.runOnce(timeoutUSec: nil)
        }
        if let failure { throw Failure(text: failure) }
    }

    /// What one that has waited for a while has to itself: pages of its program count as its own as long as no other
    /// supervisor runs.
    private func supervisorKiB(_ runner: Runner, _ loop: EventLoop) throws -> Int {
        var isOver = false
        let attempt = start(runner, ["/bin/sleep", "2"]) { _ in isOver = true }
        // Until it has given back what only its start needed, of which it tells nobody.
        usleep(1_500_000)
        var sum = 0
        guard let file = fopen("/proc/\(attempt.supervisorPID ?? 0)/smaps_rollup", "r") else {
            throw Failure(text: "no smaps_rollup")
        }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, 256, file) != nil {
            let words = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                .split(separator: " ")
            if words.count > 1, words[0].hasPrefix("Private_") { sum += Int(words[1]) ?? 0 }
        }
        while !isOver { try loop.runOnce(timeoutUSec: nil) }
        return sum
    }

    /// As many as ten at a time, as the daemon's limit is, one after the other.
    private func stream(_ count: Int, _ runner: Runner, _ loop: EventLoop) throws {
        var started = 0
        var ended = 0
        func next() {
            guard started < count else { return }
            started += 1
            start(runner, [program]) { _ in
                ended += 1
                next()
            }
        }
        for _ in 0..<10 { next() }
        while ended < count {
            try loop.runOnce(timeoutUSec: nil)
        }
    }

    @discardableResult
    private func start(
        _ runner: Runner, _ arguments: [String], onEnd: @escaping (AttemptReport) -> Void
    ) -> AttemptHandle {
        numbers.last += 1
        let run = "run-\(numbers.last)"
        var request = AttemptRequest(
            run: run, attempt: 1, arguments: arguments, environment: Self.environment, workingDirectory: "/")
        request.timeout = .seconds(300)
        return runner.start(request) { report in
            runner.removeOutput(run: run, attempt: 1)
            onEnd(report)
        }
    }

    /// From the order to start to the program's own first look at the clock; and the same for the floor.
    private func measureStarts(_ runner: Runner, _ loop: EventLoop) throws {
        var supervised = Samples()
        var floor = Samples()
        let clock = ["/usr/bin/date", "+%s%N"]
        for _ in 0..<min(runs, 300) {
            var before = timespec()
            clock_gettime(CLOCK_REALTIME, &before)
            var text: String?
            start(runner, clock) { text = $0.output.preview(characters: 100) }
            while text == nil { try loop.runOnce(timeoutUSec: nil) }
            supervised.add(microseconds(text, since: before))

            let pipe = try Pipe()
            clock_gettime(CLOCK_REALTIME, &before)
            var request = ProcessRequest(arguments: clock, environment: Self.environment, workingDirectory: "/")
            request.standardOutput = pipe.writeEnd.number
            var child = try Spawner.spawn(request)
            _ = child.waitForExit()
            var buffer = [UInt8](repeating: 0, count: 100)
            guard case .bytes(let count) = buffer.withUnsafeMutableBytes({ pipe.readEnd.read(into: $0) }) else {
                throw Failure(text: "date says nothing")
            }
            floor.add(microseconds(String(decoding: buffer[..<count], as: UTF8.self), since: before))
        }
        print("start to clock, raw      \(floor.summary)")
        print("start to clock           \(supervised.summary)")
    }

    private func microseconds(_ text: String?, since before: timespec) -> Int {
        let nanoseconds = text.flatMap { Int($0.filter(\.isNumber)) } ?? 0
        return (nanoseconds - before.tv_sec * 1_000_000_000 - before.tv_nsec) / 1000
    }

    private func fsyncs() throws -> Samples {
        var samples = Samples()
        let path = folder + "/fsync"
        let number = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw Failure(text: "cannot write in \(folder)") }
        let file = FileDescriptor(owning: number)
        for _ in 0..<min(runs, 200) {
            samples.measure {
                _ = file.write([UInt8](repeating: 1, count: 4096))
                fsync(number)
            }
        }
        unlink(path)
        return samples
    }

    private func writeOneGigabyte(_ runner: Runner, _ loop: EventLoop) throws {
        var total: Int?
        start(runner, ["head", "-c", "1G", "/dev/zero"]) { total = $0.output.totalCount }
        while total == nil {
            try loop.runOnce(timeoutUSec: nil)
        }
        guard total == 1 << 30 else { throw Failure(text: "of 1 GiB came \(total ?? 0) bytes") }
    }

    /// As large as a session's environment often is.
    private static let environment: [String: String] = {
        var environment = ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/", "LANG": "C.UTF-8"]
        for number in 0..<40 { environment["VARIABLE_\(number)"] = String(repeating: "x", count: 40) }
        return environment
    }()
}

struct Failure: Error {
    let text: String
}

/// Counts runs; each has a folder of its own.
final class Numbers {
    var last = 0
}

struct Samples {
    private var values: [Int] = []

    mutating func add(_ value: Int) { values.append(value) }

    mutating func measure(_ body: () throws -> Void) rethrows {
        let start = now()
        try body()
        values.append(now() - start)
    }

    var summary: String {
        let sorted = values.sorted()
        func at(_ part: Double) -> Int { sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))] }
        return "median \(at(0.5))  p90 \(at(0.9))  p99 \(at(0.99))"
    }

    private func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000_000 + time.tv_nsec / 1000
    }
}

do {
    try SpawnBench().run()
} catch {
    print("spawn-bench: \(error)")
    exit(1)
}
