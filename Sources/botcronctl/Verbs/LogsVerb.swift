import Client
import Contract
import Glibc
import JSON

/// `logs`: what a run wrote, byte for byte.
extension Verb {
    static let logs = Verb(
        "logs", "JOB|RUN", 1...1, "what a run wrote: of a job, its latest run",
        details: """
            Prints standard output and standard error as they came; on a terminal without escape sequences and other
            characters that would steer it. Of a long output the first and last half are kept; what is not there is
            said on stderr.
            """,
        options: [
            Option("--follow", or: "-f", "go on until the run ends, and exit as its job did"),
            Option("--raw", "as it came on a terminal, too"),
            Option("--attempt", value: "N", "what the N-th attempt wrote (default: the last one)"),
        ],
        takes: [.jobOrRun], run: showOutput)
}

/// Bytes of one call.
private let chunkBytes: UInt32 = 1 << 18
private let attemptMax = 1_000_000
/// How often a run that still runs is looked at. Its output is a file that others write: nothing tells of it.
private let followMSec: Int32 = 250

private func showOutput(_ request: Request, _ context: Context) throws(Failure) -> Int32 {
    let daemon = try context.daemon()
    let id = try executionID(request.arguments[0], daemon)
    var attempt: Int?
    if request.has("--attempt") { attempt = try request.integer("--attempt", 1...attemptMax, default: 1) }
    let output = Output(context.screen, isRaw: request.has("--raw"))
    defer { output.finish() }
    let run = try show(id, attempt: attempt, isFollowed: request.has("--follow"), daemon, context.screen, output)
    return request.has("--follow") ? RunText.exitCode(run) : ExitCode.success
}

/// Prints what a run writes until it has ended, from its first attempt on.
///
/// - Returns: the run as it ended.
func follow(_ id: String, _ daemon: Daemon, _ context: Context) throws(Failure) -> JSONValue {
    let output = Output(context.screen, isRaw: false)
    defer { output.finish() }
    return try show(id, attempt: 1, isFollowed: true, daemon, context.screen, output)
}

/// - Parameter attempt: the first one that is shown; nil: the last there is.
/// - Returns: the run as it was after what was shown.
private func show(
    _ id: String, attempt: Int?, isFollowed: Bool, _ daemon: Daemon, _ screen: Screen, _ output: Output
) throws(Failure) -> JSONValue {
    var attempt = attempt
    var offset: Int64 = 0
    while true {
        // In this order: what a run has written is all there once it has ended.
        let run = try daemon.json(.getRun, [.text(id)])
        let last = max(1, run["attempt"]?.intValue ?? 1)
        let number = attempt ?? last
        attempt = number
        offset = try printAll(of: "\(id).\(number)", from: offset, daemon, screen, output)
        guard isFollowed else { return run }
        if number < last {
            (attempt, offset) = (number + 1, 0)
            continue
        }
        guard ["queued", "running", "retrying"].contains(run.text("status")) else { return run }
        _ = poll(nil, 0, followMSec)
    }
}

/// A run by its id; else the latest run of the job of that name.
private func executionID(_ name: String, _ daemon: Daemon) throws(Failure) -> String {
    do {
        try daemon.call(.getRun, [.text(name)])
        return name
    } catch  where error.name == ServiceError.runNotFound.name {
        let job = try daemon.json(.getJob, [.text(name)])
        guard let run = job["running"]?[0]?.stringValue ?? latestRun(of: job) else {
            throw Failure(
                ExitCode.notFound, ServiceError.runNotFound.name, "the job \"\(name)\" has not run yet",
                advice: ["run it now: botcronctl run \(name)"])
        }
        return run
    }
}

/// The last run of a job, as `get_job` has it, that wrote something: records of fire times that were not run have not.
func latestRun(of job: JSONValue) -> String? {
    job["recent_runs"]?.arrayValue?.first { !($0["started_at"]?.isNull ?? true) }?["execution_id"]?.stringValue
}

/// Where output goes: cleaned for a terminal across the pieces that it comes in, else as it is.
private final class Output {
    private let screen: Screen
    private var cleaner: TerminalCleaner?

    init(_ screen: Screen, isRaw: Bool) {
        self.screen = screen
        cleaner = screen.isTerminal && !isRaw ? TerminalCleaner() : nil
    }

    func print(_ bytes: [UInt8]) { screen.bytes(cleaner?.clean(bytes) ?? bytes) }

    /// What was begun is not continued: bytes in between are missing, or this is the end.
    func finish() { if let rest = cleaner?.finish() { screen.bytes(rest) } }
}

/// - Returns: where the output goes on.
private func printAll(
    of id: String, from start: Int64, _ daemon: Daemon, _ screen: Screen, _ output: Output
) throws(Failure) -> Int64 {
    var offset = start
    while true {
        let answer = try daemon.call(.getOutput, [.text(id), .int64(offset), .uint32(chunkBytes)])
        guard let bytes = answer[0]?.bytes, let next = answer[1]?.integer, next >= offset else {
            throw Failure(ClientError.unreadableAnswer(.getOutput, reason: "it is not bytes and an offset"))
        }
        guard !bytes.isEmpty else { return next }
        let missing = next - Int64(bytes.count) - offset
        if missing > 0 {
            output.finish()
            screen.warn("\(missing) bytes in between were not kept")
        }
        output.print(bytes)
        offset = next
    }
}
