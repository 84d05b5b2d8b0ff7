import EventLoop
import Glibc
import TestSupport

/// A program that runs while the loop turns; killed with its object.
final class RunningProgram {
    private let bus: Bus
    private let program: TestProgram
    private var sources: [IOSource] = []
    private var texts: [[UInt8]] = [[], []]
    private var openCount = 2

    init(_ arguments: [String], environment: [String], on bus: Bus) throws {
        self.bus = bus
        program = try TestProgram(arguments, environment: environment)
        for (index, end) in [program.output, program.errors].enumerated() {
            sources.append(
                // The source is cancelled by `deinit`, and calls nobody afterwards.
                try bus.loop.watch(fd: end, .readable) { [unowned self] _ in
                    var buffer = [UInt8](repeating: 0, count: 65_536)
                    let count = read(end, &buffer, buffer.count)
                    if count > 0 {
                        texts[index] += buffer.prefix(count)
                        return
                    }
                    sources[index].cancel()
                    openCount -= 1
                })
        }
    }

    deinit {
        // Before the program closes what they watch.
        for source in sources { source.cancel() }
    }

    var output: String { String(decoding: texts[0], as: UTF8.self) }
    var errors: String { String(decoding: texts[1], as: UTF8.self) }
    var outputBytes: [UInt8] { texts[0] }

    func finish() throws -> TestProgram.Outcome {
        try bus.turn(until: "the end of the program: \(output) \(errors)") { openCount == 0 }
        return TestProgram.Outcome(code: program.wait(), output: output, errors: errors)
    }
}

extension Bus {
    /// botcronctl, built beside the program that runs the tests.
    static let botcronctl = TestPlace.built("botcronctl")

    private var environment: [String] {
        ["PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC", "DBUS_SESSION_BUS_ADDRESS=\(address)"]
    }

    func start(_ arguments: String...) throws -> RunningProgram {
        try RunningProgram([Self.botcronctl] + arguments, environment: environment, on: self)
    }

    func control(_ arguments: String...) throws -> TestProgram.Outcome {
        try RunningProgram([Self.botcronctl] + arguments, environment: environment, on: self).finish()
    }

    /// The same on a terminal of its own; what it prints there, stderr too.
    func onTerminal(_ arguments: String...) throws -> TestProgram.Outcome {
        let command = ([Self.botcronctl] + arguments).map { "'\($0)'" }.joined(separator: " ")
        return try RunningProgram(
            ["script", "--quiet", "--return", "--command", command, "/dev/null"], environment: environment, on: self
        ).finish()
    }
}
