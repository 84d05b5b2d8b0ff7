internal import EventLoop
internal import Glibc
internal import JSON
internal import Processes

/// Processes of `botcron-send`, one for each message to a web hook or a mail server: what looks up names, speaks TLS
/// and waits for others is not the daemon.
///
/// A request is handed over in a file in memory, so that a secret in it stands in no argument, no environment and on no
/// disk, and nobody waits for a reader. One that is under way when the daemon goes ends by itself, in seconds.
final class SendPrograms {
    static let name = "botcron-send"

    enum Outcome: Equatable {
        case sent
        case failed(String)
        /// There is nothing at that address any more, and never will be.
        case gone(String)
    }

    private enum Limits {
        static let processes = 8
        /// Each ends within 12 s. This is for one that cannot.
        static let patienceUSec: UInt64 = 15_000_000
    }

    private struct Waiting {
        var request: JSONValue
        var then: (Outcome) -> Void
    }

    private let loop: EventLoop
    private let environment: [String: String]
    private var active: [Int: SendProcess] = [:]
    private var number = 0
    private var waiting: ArraySlice<Waiting> = []

    init(loop: EventLoop, environment: [String: String]) {
        self.loop = loop
        self.environment = environment
    }

    /// - Parameters:
    ///   - request: as `botcron-send` reads it.
    ///   - isUrgent: it goes before those that wait.
    ///   - then: called once; where it cannot be started, from within.
    func send(_ request: JSONValue, isUrgent: Bool = false, then: @escaping (Outcome) -> Void) {
        let new = Waiting(request: request, then: then)
        if isUrgent { waiting.insert(new, at: waiting.startIndex) } else { waiting.append(new) }
        startSome()
    }

    private func startSome() {
        while active.count < Limits.processes, let next = waiting.popFirst() {
            do {
                try start(next)
            } catch {
                next.then(.failed("cannot start \(Self.name): \(error)"))
            }
        }
    }

    private func start(_ next: Waiting) throws {
        guard let program = OwnProgram.path(of: Self.name) else {
            let places = OwnProgram.places(of: Self.name).joined(separator: " nor ")
            return next.then(.failed("it is neither \(places): install it there; it comes with the daemon"))
        }
        number += 1
        let own = number
        active[own] = try SendProcess(
            program, next.request, environment, loop: loop, patienceUSec: Limits.patienceUSec
        ) { [weak self] outcome in
            self?.active[own] = nil
            next.then(outcome)
            self?.startSome()
        }
    }
}

/// One of them.
private final class SendProcess {
    private var child: ChildProcess
    private let answer: FileDescriptor
    private let onEnd: (SendPrograms.Outcome) -> Void
    private var exitSource: IOSource?
    private var timer: TimerSource?

    /// It says one line.
    private static let answerBytesMax = 4 << 10

    init(
        _ program: String, _ request: JSONValue, _ environment: [String: String], loop: EventLoop, patienceUSec: UInt64,
        onEnd: @escaping (SendPrograms.Outcome) -> Void
    ) throws {
        let input = try FileDescriptor.holding(request.compactBytes)
        let pipe = try Pipe()
        var process = ProcessRequest(arguments: [program], environment: environment, workingDirectory: "/")
        process.standardInput = input.number
        process.standardOutput = pipe.writeEnd.number
        child = try Spawner.spawn(process)
        answer = pipe.readEnd
        self.onEnd = onEnd
        do {
            // Both sources go with this object.
            exitSource = try loop.watch(fd: child.pidfd.number, .readable) { [unowned self] _ in ended() }
            // As above.
            timer = try loop.timer(.monotonic, accuracyUSec: 1_000_000) { [unowned self] in child.kill() }
            timer?.arm(atUSec: loop.now(.monotonic) + patienceUSec)
        } catch {
            child.kill()
            _ = child.waitForExit()
            throw error
        }
    }

    deinit {
        exitSource?.cancel()
        timer?.cancel()
    }

    private func ended() {
        // Whoever traces it is told first, and the pidfd says it again.
        guard let exit = child.reap() else { return }
        exitSource?.cancel()
        timer?.cancel()
        var bytes = [UInt8](repeating: 0, count: Self.answerBytesMax)
        let reading = bytes.withUnsafeMutableBytes { answer.read(into: $0) }
        guard case .exited(0) = exit.ending, case .bytes(let count) = reading else {
            let isLate = exit.ending == .signaled(SIGALRM, coreDumped: false)
            return onEnd(.failed(isLate ? "no answer in time" : "\(SendPrograms.name) ended with \(exit.ending)"))
        }
        let line = try? JSONValue(parsing: String(decoding: bytes[..<count], as: UTF8.self))
        let reason = line?["reason"]?.stringValue ?? "it does not say why"
        switch line?["outcome"]?.stringValue {
        case "sent": onEnd(.sent)
        case "gone": onEnd(.gone(reason))
        default: onEnd(.failed(reason))
        }
    }
}

extension ChildProcess {
    fileprivate borrowing func kill() { send(SIGKILL, to: .process) }
}
