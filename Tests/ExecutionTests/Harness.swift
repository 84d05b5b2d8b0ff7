import EventLoop
import Execution
import Glibc
import Processes
import TestSupport
import Testing

/// A loop with a runner on it, and the reports in the order in which they came.
final class Harness {
    let loop: EventLoop
    let runner: Runner
    let folder: ScratchFolder
    private(set) var reports: [AttemptReport] = []
    private var count = 0

    /// - Parameters:
    ///   - folder: of an earlier harness, to take over what that one left.
    ///   - supervisor: another one than was built here.
    init(folder: ScratchFolder? = nil, supervisor: String? = nil) throws {
        self.folder = try folder ?? ScratchFolder()
        loop = try EventLoop()
        runner = try Runner(
            loop: loop, folder: self.folder.path + "/runs", credentialsFolder: Self.secretsFolder,
            supervisor: supervisor)
    }

    deinit {
        // A failed test leaves no processes behind, and no zombies: KILL ends them without fail.
        for attempt in runner.active { attempt.kill() }
        while !runner.active.isEmpty {
            guard (try? loop.runOnce(timeoutUSec: 5_000_000)) == true else { return }
        }
    }

    /// In memory, as the session's own is; each runner has a folder of its own in it.
    static let secretsFolder = "/dev/shm/botcron-execution-secrets-\(getpid())"

    static let path = ["PATH": "/usr/bin:/bin"]

    /// The first attempt of a run that there was not yet.
    func request(_ arguments: [String]) -> AttemptRequest {
        count += 1
        return AttemptRequest(
            run: "run-\(count)", attempt: 1, arguments: arguments, environment: Self.path, workingDirectory: "/")
    }

    @discardableResult
    func start(_ arguments: [String], change: (inout AttemptRequest) -> Void = { _ in }) -> AttemptHandle {
        var request = request(arguments)
        change(&request)
        return runner.start(request) { [weak self] in self?.reports.append($0) }
    }

    /// Starts a supervisor that waits to be told what to run.
    func hold(_ request: AttemptRequest) -> AttemptHandle {
        runner.start(request, isGated: true) { [weak self] in self?.reports.append($0) }
    }

    @discardableResult
    func sh(_ script: String, change: (inout AttemptRequest) -> Void = { _ in }) -> AttemptHandle {
        start(["/bin/sh", "-c", script], change: change)
    }

    /// Starts and waits for the end.
    func run(
        _ arguments: [String], seconds: Double = patience, change: (inout AttemptRequest) -> Void = { _ in }
    ) throws -> AttemptReport {
        let before = reports.count
        start(arguments, change: change)
        try wait("the end of \(arguments.first ?? "nothing")", seconds: seconds) { self.reports.count > before }
        return try #require(reports.last)
    }

    /// All that is kept of the last run's output.
    func kept() -> [UInt8] { runner.output(run: "run-\(count)", attempt: 1).everything() }

    func runScript(_ script: String, change: (inout AttemptRequest) -> Void = { _ in }) throws -> AttemptReport {
        try run(["/bin/sh", "-c", script], change: change)
    }

    /// Turns the loop until `condition` holds. What the loop is not told of is looked at again every 10 ms.
    func wait(_ what: String, seconds: Double = patience, until condition: () throws -> Bool) throws {
        try loop.turn(until: what, seconds: seconds, lookingEvery: 10_000, condition)
    }

    func waitForOutput(_ attempt: AttemptHandle, _ text: String) throws {
        try wait("the output “\(text)”") { attempt.text.contains(text) }
    }
}

extension EventLoop {
    /// The monotonic clock in µs.
    var uncachedNow: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }
}

extension AttemptHandle {
    var text: String { String(decoding: output.everything(), as: UTF8.self) }

    /// The process, once the supervisor has started it.
    func process(_ harness: Harness) throws -> Int32 {
        try harness.wait("the process of \(run)") { self.pid != nil }
        return try #require(pid)
    }
}

extension AttemptReport {
    /// Of short outputs.
    var text: String { String(decoding: output.bytes, as: UTF8.self) }

    var isLost: Bool { if case .lost = ending { true } else { false } }
}

extension OutputReader {
    /// All that is kept.
    func everything() -> [UInt8] {
        var bytes: [UInt8] = []
        var part = read(from: 0, limit: Self.bytesMax)
        while !part.bytes.isEmpty {
            bytes += part.bytes
            part = read(from: part.nextOffset, limit: Self.bytesMax)
        }
        return bytes
    }
}

extension AttemptFinding {
    /// The case alone, to compare.
    var word: String {
        switch self {
        case .held: "held"
        case .ended: "ended"
        case .begun: "begun"
        case .notBegun: "not begun"
        case .gone: "gone"
        }
    }

    var report: AttemptReport? { if case .ended(let report) = self { report } else { nil } }
}
