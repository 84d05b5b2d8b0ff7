internal import CLinux
internal import Glibc

/// Both ends of a pipe; consuming the pipe gives each end to its own owner.
@frozen
public struct Pipe: ~Copyable {
    /// Does not block: it belongs to a loop.
    public let readEnd: FileDescriptor
    /// Blocks: it becomes a process's standard output, and processes do not expect EAGAIN there.
    public let writeEnd: FileDescriptor

    /// A new pipe (`pipe2`), or an error that names the limit that was reached.
    public init() throws(ProcessError) {
        var ends: (Int32, Int32) = (-1, -1)
        let result = withUnsafeMutableBytes(of: &ends) { pipe2($0.bindMemory(to: Int32.self).baseAddress, O_CLOEXEC) }
        var code = errno
        guard result == 0 else { throw .resource("make", object: "a pipe", code: code) }
        let reader = FileDescriptor(owning: ends.0)
        let writer = FileDescriptor(owning: ends.1)
        // The flag belongs to the open file, and the two ends are two: the writer keeps blocking.
        let changed = fcntl(ends.0, F_SETFL, O_NONBLOCK)
        code = errno
        guard changed == 0 else { throw .resource("set non-blocking", object: "a pipe", code: code) }
        readEnd = reader
        writeEnd = writer
    }
}
