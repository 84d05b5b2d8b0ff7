import Execution
import Glibc
import Processes
import TestSupport
import Testing

/// What the kernel may refuse a supervisor: each of its calls in turn, once, by strace's fault injection. The attempt
/// has one report all the same, and that is true.
@Suite(.enabled(if: canInject, "no strace, or no ptrace here")) struct SupervisorFaultTests {
    /// By system call, what it may answer. Memory is not among them: a program that gets none is killed, as everywhere.
    private static let refusals: [(call: String, errors: [String])] = [
        ("openat", ["EMFILE", "ENFILE", "EIO", "ENOSPC"]), ("write", ["ENOSPC", "EIO"]), ("rename", ["EIO", "ENOSPC"]),
        ("ftruncate", ["EIO"]), ("fsync", ["EIO", "ENOSPC"]), ("clone3", ["EAGAIN", "ENOMEM"]), ("pipe2", ["EMFILE"]),
        ("socketpair", ["EMFILE"]), ("signalfd4", ["EMFILE"]), ("pidfd_open", ["EMFILE", "ENFILE"]),
        ("fcntl", ["EMFILE"]), ("poll", ["ENOMEM", "EINTR"]), ("read", ["EIO", "EINTR"]),
    ]

    @Test func oneCallThatFailsLosesNothing() throws {
        let folder = try ScratchFolder()
        let counts = try Self.countCalls(folder)
        var tried = 0
        var endings: [String: Int] = [:]
        for (call, errors) in Self.refusals {
            for number in 1...max(1, counts[call] ?? 1) {
                for error in errors {
                    let fault = "\(call):error=\(error):when=\(number)"
                    let ending = try Self.judge(fault, folder)
                    endings[ending, default: 0] += 1
                    tried += 1
                }
            }
        }
        let (exited, unstarted, short) = (endings["exited"], endings["could not start"], endings["short"])
        #expect((exited ?? 0) > 20 && (unstarted ?? 0) > 3 && (short ?? 0) > 10, "\(endings)")
        print("supervisor faults: \(tried) calls refused one at a time: \(endings)")
    }

    /// It writes, says something of itself, and ends with a status that nothing else ends with.
    private static let script =
        "echo begun >> $MARK; echo some words; echo 'progress 40' >&$BOTCRON_CONTEXT_FD; exit 47"

    private static func judge(_ fault: String, _ folder: ScratchFolder) throws -> String {
        let mark = "\(folder.path)/mark"
        unlink(mark)
        let supervisor = try strace(["-e", "inject=\(fault)"], folder, "faulty")
        let harness = try Harness(supervisor: supervisor)
        harness.sh(script) {
            $0.environment["MARK"] = mark
            $0.context = "{}"
        }
        try harness.wait("the report, with \(fault)") { !harness.reports.isEmpty }
        let report = harness.reports[0]
        let begun = TestFile.text(mark).split(separator: "\n").count
        switch report.ending {
        case .exited(let status):
            #expect(status == 47 && begun == 1, "\(fault): \(status), begun \(begun) times")
            #expect(report.text == "some words\n" || report.outputError != nil, "\(fault): \(report)")
            return "exited"
        case .shortOfResources(let reason):
            // It is started again by itself.
            #expect(begun == 0, "\(fault): it is said not to have started: \(reason)")
            #expect(!["EIO", "ENOSPC"].contains { fault.contains($0) }, "\(fault): \(reason)")
            return "short"
        case .couldNotStart(let reason):
            // To ask whether an fd is open never needs another: no kernel answers so, and we take it for a closed one.
            let isShort = ["EMFILE", "ENFILE", "EAGAIN", "ENOMEM"].contains { fault.contains($0) }
            #expect(!isShort || fault.hasPrefix("fcntl"), "\(fault): \(reason)")
            #expect(begun == 0, "\(fault): it is said not to have started: \(reason)")
            #expect(!reason.isEmpty)
            return "could not start"
        default:
            Issue.record("\(fault): \(report.ending), begun \(begun) times")
            return "lost"
        }
    }

    /// How often a supervisor that is refused nothing makes each call. A process that is refused one may make more.
    private static func countCalls(_ folder: ScratchFolder) throws -> [String: Int] {
        let log = "\(folder.path)/calls"
        let calls = refusals.map(\.call).joined(separator: ",")
        let harness = try Harness(supervisor: try strace(["-e", "trace=\(calls)"], folder, "counted", log))
        harness.sh(script) {
            $0.environment["MARK"] = "\(folder.path)/mark"
            $0.context = "{}"
        }
        try harness.wait("the report") { !harness.reports.isEmpty }
        try #require(harness.reports[0].ending == .exited(47))
        var counts: [String: Int] = [:]
        try harness.wait("the end of strace") { TestFile.text(log).contains("exited") }
        for line in TestFile.text(log).split(separator: "\n") {
            counts[String(line.prefix { $0 != "(" }), default: 0] += 1
        }
        try #require(counts["rename", default: 0] > 0 && counts["clone3", default: 0] > 0, "\(counts)")
        return counts
    }

    /// A supervisor below strace, as a program of its own; it stays the child of whoever starts it.
    private static func strace(
        _ options: [String], _ folder: ScratchFolder, _ name: String, _ log: String = "/dev/null"
    ) throws -> String {
        let words = (["-D", "-o", log] + options).joined(separator: " ")
        try folder.write(
            "#!/bin/sh\nexec /usr/bin/strace \(words) '\(TestPlace.built("botcron-run"))' \"$@\"\n", to: name)
        chmod("\(folder.path)/\(name)", 0o700)
        return "\(folder.path)/\(name)"
    }
}

private let canInject: Bool = {
    let request = ProcessRequest(
        arguments: ["/usr/bin/strace", "-qq", "-o", "/dev/null", "-e", "inject=rename:error=EIO", "/bin/true"],
        environment: Harness.path, workingDirectory: "/")
    guard var child = try? Spawner.spawn(request) else { return false }
    return child.waitForExit().ending == .exited(0)
}()
