import Glibc
import Processes
import TestSupport
import Testing

/// A process that ran to its end, and all that it wrote to standard output and standard error.
struct Finished {
    let exit: ProcessExit
    let output: [UInt8]

    var text: String { String(decoding: output, as: UTF8.self) }
    var lines: [String] { text.split(separator: "\n").map(String.init) }

    /// Runs `arguments` and waits until every holder of its output is gone, which must happen within the deadline.
    init(
        _ arguments: [String], environment: [String: String] = ["PATH": "/usr/bin:/bin"], in folder: String = "/",
        change: (inout ProcessRequest) -> Void = { _ in }
    ) throws {
        var request = ProcessRequest(arguments: arguments, environment: environment, workingDirectory: folder)
        change(&request)
        let (child, reader) = try Self.start(request)
        output = try readToEnd(reader)
        exit = child.waitForExit()
    }

    static func start(_ request: ProcessRequest) throws -> (Child, FileDescriptorBox) {
        let pipe = try Pipe()
        var request = request
        request.standardOutput = pipe.writeEnd.number
        request.standardError = pipe.writeEnd.number
        return (try Child(request), FileDescriptorBox(pipe.readEnd))
    }
}

/// Tuples and `#expect` hold no noncopyable values; classes do.
final class Child {
    private var process: ChildProcess

    init(_ request: ProcessRequest) throws(ProcessError) { process = try Spawner.spawn(request) }

    var pidfd: Int32 { process.pidfd.number }
    var isReaped: Bool { process.isReaped }

    func send(_ signal: Int32, to target: ChildProcess.Target) -> Bool { process.send(signal, to: target) }
    func peekExit() -> ProcessExit? { process.peekExit() }
    func reap() -> ProcessExit? { process.reap() }
    func waitForExit() -> ProcessExit { process.waitForExit() }
}

final class FileDescriptorBox {
    private let fd: FileDescriptor

    init(_ fd: consuming FileDescriptor) { self.fd = fd }

    var number: Int32 { fd.number }
    var readableByteCount: Int { fd.readableByteCount }

    func read(into buffer: inout [UInt8]) -> FileDescriptor.Reading {
        buffer.withUnsafeMutableBytes { fd.read(into: $0) }
    }
}

/// Everything that comes until the last writer is gone.
func readToEnd(_ box: FileDescriptorBox, deadlineSeconds: Int32 = Int32(patience)) throws -> [UInt8] {
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        switch box.read(into: &buffer) {
        case .bytes(let count): all += buffer[..<count]
        case .end: return all
        case .failed(let code): throw TestFailure("a read that failed with errno \(code)")
        case .wouldBlock: try waitUntilReadable(box.number, deadlineSeconds, "the end of the output")
        }
    }
}

func waitUntilReadable(_ fd: Int32, _ seconds: Int32, _ what: String) throws {
    var entry = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
    guard poll(&entry, 1, seconds * 1000) > 0 else { throw TestFailure("\(seconds) s passed without: \(what)") }
}

extension ScratchFolder {
    @discardableResult
    func file(_ name: String, _ content: String, mode: mode_t = 0o755) throws -> String {
        let file = "\(path)/\(name)"
        // Written by a process of its own: an fd of ours that is open for writing may be held for a moment by what
        // another test starts just then, and the kernel refuses to execute such a file (ETXTBSY).
        let content = FileDescriptorBox(try FileDescriptor.holding(Array(content.utf8)))
        let written = try Finished(["/bin/sh", "-c", "cat > \"$0\"", file]) { $0.standardInput = content.number }
        try #require(written.exit.ending == .exited(0))
        try #require(chmod(file, mode) == 0)
        return file
    }
}
