internal import CLinux
internal import Glibc

/// Both ends of a pipe; consuming the pipe gives each end to its own owner.
@frozen
public struct Pipe: ~Copyable {
    public let readEnd: FileDescriptor
    public let writeEnd: FileDescriptor

    /// Which end becomes a process's. It blocks: processes do not expect EAGAIN. The other one belongs to a loop, and
    /// does not.
    public enum Direction { case fromProcess, toProcess }

    /// A new pipe (`pipe2`), or an error that names the limit that was reached.
    public init(_ direction: Direction = .fromProcess) throws(ProcessError) {
        var ends: (Int32, Int32) = (-1, -1)
        let result = withUnsafeMutableBytes(of: &ends) { pipe2($0.bindMemory(to: Int32.self).baseAddress, O_CLOEXEC) }
        var code = errno
        guard result == 0 else { throw .resource("make", object: "a pipe", code: code) }
        let reader = FileDescriptor(owning: ends.0)
        let writer = FileDescriptor(owning: ends.1)
        // The flag belongs to the open file, and the two ends are two: the other one keeps blocking.
        let changed = fcntl(direction == .fromProcess ? ends.0 : ends.1, F_SETFL, O_NONBLOCK)
        code = errno
        guard changed == 0 else { throw .resource("set non-blocking", object: "a pipe", code: code) }
        readEnd = reader
        writeEnd = writer
    }
}
