import Glibc
import Processes

/// Reads a secret of the session's secret service by its own tool, secret-tool(1): over the bus it travels encrypted,
/// and nobody but this process and that one sees it.
enum SecretLookup {
    /// A service that is locked asks the user to unlock it; so long it may take.
    private static let patienceUSec: Int64 = 60_000_000
    /// Of one secret; a longer one is cut off by nobody: it is refused.
    private static let bytesMax = 1 << 20

    /// How often it is asked whether somebody has cancelled the run meanwhile.
    private static let lookUSec: Int64 = 100_000

    /// Whether a cancel waits; the supervisor takes it later.
    static var isCancelled: Bool {
        var pending = sigset_t()
        guard sigpending(&pending) == 0 else { return false }
        return [SupervisorRequest.Signal.cancel, SupervisorRequest.Signal.kill].contains {
            sigismember(&pending, $0) == 1
        }
    }

    /// - Parameter attributes: name and value, one after the other.
    static func read(_ attributes: [String], environment: [String: String]) throws(ProcessError) -> [UInt8] {
        let pipe = try Pipe()
        var request = ProcessRequest(
            arguments: ["secret-tool", "lookup"] + attributes, environment: environment, workingDirectory: "/")
        request.standardOutput = pipe.writeEnd.number
        var child: ChildProcess
        do throws(ProcessError) {
            child = try Spawner.spawn(request)
        } catch  where error.kind == .noSuchProgram {
            throw failure(attributes, "secret-tool is not there", "install it (libsecret-tools), or name a file")
        }
        let output = readEnd(of: pipe)
        let bytes = collect(output)
        if bytes == nil { child.send(SIGKILL, to: .group) }
        guard case .exited(0) = child.waitForExit().ending, let bytes, !bytes.isEmpty else {
            throw failure(
                attributes,
                isCancelled
                    ? "the run was cancelled while the secret service was asked"
                    : bytes == nil ? "the secret service did not answer" : "the secret service has no such secret",
                "store it: secret-tool store --label=NAME \(attributes.joined(separator: " "))")
        }
        return bytes
    }

    private static func readEnd(of pipe: consuming Pipe) -> FileDescriptor { pipe.readEnd }

    /// Everything up to the end; nil where that does not come in time.
    private static func collect(_ output: borrowing FileDescriptor) -> [UInt8]? {
        let deadline = SystemClock.monotonic.nowUSec + patienceUSec
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while bytes.count <= bytesMax {
            let rest = deadline - SystemClock.monotonic.nowUSec
            var entry = pollfd(fd: output.number, events: Int16(POLLIN), revents: 0)
            guard rest > 0, !isCancelled else { return nil }
            guard poll(&entry, 1, Int32(min(rest, lookUSec) / 1000 + 1)) > 0 else { continue }
            switch buffer.withUnsafeMutableBytes({ output.read(into: $0) }) {
            case .bytes(let count): bytes += buffer[..<count]
            case .end: return bytes
            case .wouldBlock: continue
            case .failed: return nil
            }
        }
        return nil
    }

    private static func failure(_ attributes: [String], _ found: String, _ advice: String) -> ProcessError {
        ProcessError(
            kind: .other, operation: "read", object: "the secret with \(attributes.joined(separator: " "))",
            errorNumber: 0, found: found, advice: advice)
    }
}
